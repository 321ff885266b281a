//! The HTTP operations of forms, and the one that web sites post to.

use actix_web::web::Data;

use super::{
    intake,
    json::{FormFilter, FormPage, FormPatch, FormView, IntakeAnswer, IntakeSubmission, NewForm},
    service,
};
use crate::kernel::http::{
    Context, Db, FormBody, JsonBody, List, ListReply, Path, Reply, Result, Routes, operation,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_forms)
        .service(create_form)
        .service(read_form)
        .service(update_form)
        .service(post_intake);
}

/// List the forms
///
/// Those that take submissions and those that do not. Sorts: `key` (default).
#[operation(get "/forms", scope = FormsRead, 200 = FormPage "A page of forms.")]
async fn list_forms(db: Data<Db>, mut list: List<FormFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), &filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a form
///
/// What a web site posts to `/v1/intake/{key}` becomes a work item of its type (S3-2). A publishable API key
/// that is bound to it lets pages post. The key must be free: 409 `already_exists`.
#[operation(post "/forms", scope = FormsWrite, 201 = FormView "The new form.")]
async fn create_form(db: Data<Db>, body: JsonBody<NewForm>) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&FormView::from(service::create(tx, new).await?)))
        .await
}

/// Read a form
///
/// Whether it takes submissions or not.
#[operation(
    get "/forms/{key}",
    scope = FormsRead,
    {key} = "The key of the form." example "quiz",
    200 = FormView "The form.",
)]
async fn read_form(db: Data<Db>, Path(key): Path<String>, _: Context) -> Result<Reply> {
    Reply::ok(&FormView::from(service::find(db.read(), &key).await?))
}

/// Change a form
///
/// A merge patch (RFC 7396). `active` closes it: what is posted to it is 404 from then on.
#[operation(
    patch "/forms/{key}",
    scope = FormsWrite,
    {key} = "The key of the form." example "quiz",
    200 = FormView "The form as it is now.",
)]
async fn update_form(db: Data<Db>, Path(key): Path<String>, body: JsonBody<FormPatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        Reply::ok(&FormView::from(service::update(tx, &key, patch).await?))
    })
    .await
}

/// Post to a form
///
/// Whoever sent it is found by their e-mail address, or becomes a new lead; what they want becomes a work
/// item that is routed to somebody; all of it or nothing (S3-2, S3-7, S3-8). What a form says of somebody is
/// kept as a claim: it matches nobody but by the e-mail address, and stands on the work item as `claims`. The
/// same submission makes nothing new.
///
/// Staff and secret keys (`csl_…`) are answered an `IntakeView`, and `Location` names the work item. The same
/// is for them the same by the id that the form's mapping names, for good, whatever else it says; by
/// `Idempotency-Key`, or member by member, for 24 hours.
///
/// With a publishable key (`csl_pub_…`) a page may post from a browser. It is answered a `ReceiptView`, with
/// the same headers, after the same work, and at the same time, whoever sent it, whatever is known of them,
/// and whether it was kept or fell into a honeypot; it changes no contact that is there. The same is for
/// visitors the same, member by member or by `Idempotency-Key`, from one network address (of IPv6 from one
/// /64) within 24 hours. An id that a visitor names is a claim: with other words under an id that is known it
/// becomes a work item of its own, with the other one as `conflicts_with`.
#[operation(
    post "/intake/{form}",
    scope = IntakeWrite,
    tag = "forms",
    {form} = "The key of the form." example "quiz",
    body = IntakeSubmission,
    202 = IntakeAnswer "It was taken in.",
    409 = "The type of the form's work items is retired, or its first twin is under way.",
    422 = "A member breaks a rule of the form or of its type; `errors` names every one.",
)]
async fn post_intake(db: Data<Db>, Path(form): Path<String>, submission: FormBody) -> Result<Reply> {
    let key = form.clone();
    submission
        .write(
            &db,
            async |submission| intake::precheck(&db, &key, submission).await,
            async move |tx, submission| {
                let answer = intake::post(tx, &form, submission).await?;
                let location = match &answer {
                    IntakeAnswer::Taken(taken) => Some(format!("/v1/work-items/{}", taken.id)),
                    IntakeAnswer::Receipt(_) => None,
                };
                Ok(Reply { location, ..Reply::json(202, &answer)? })
            },
        )
        .await
}
