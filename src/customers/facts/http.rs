//! The HTTP operations of facts.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{FactBody, FactFilter, FactPage, FactView, ProfileView},
    service::{self, ProfileLookup},
};
use crate::kernel::http::{
    Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(read_contact_profile)
        .service(list_facts)
        .service(read_fact)
        .service(keep_fact)
        .service(forget_fact);
}

/// Read the profile of a contact
///
/// Who it is, and the latest of what each module knows: orders, deliveries, invoices, payments,
/// journeys, equipment (S1-15). A contact that was merged is 308 to its survivor.
#[operation(
    get "/contacts/{id}/profile",
    scope = ContactsRead,
    200 = ProfileView "The profile.",
    308 = "It was merged; `Location` is its survivor.",
)]
async fn read_contact_profile(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    match service::profile(db.read(), id).await? {
        ProfileLookup::Here(profile) => Reply::json(200, &*profile),
        ProfileLookup::Moved(survivor) => Ok(Reply::moved_to(format!("/v1/contacts/{survivor}/profile"))),
    }
}

/// List what other modules know of a contact
///
/// Newest first, with what is known of the contacts that were merged into it. Sorts: `occurred_at` (default
/// `-occurred_at`).
#[operation(get "/contacts/{id}/facts", scope = ContactsRead, 200 = FactPage "A page of facts.")]
async fn list_facts(db: Data<Db>, Path(id): Path<Uuid>, list: List<FactFilter>) -> Result<ListReply> {
    let page = service::page(db.read(), id, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Read what a module knows
///
/// By the module's own id of it.
#[operation(
    get "/contacts/{id}/facts/{module}/{external_id}",
    scope = ContactsRead,
    {id} = "The contact.",
    {module} = "The module: lower-case letters, digits and underscores." example "orders",
    {external_id} = "The module's own id of it, percent-encoded." example "A-1001",
    200 = FactView "The fact.",
)]
async fn read_fact(
    db: Data<Db>,
    Path((id, module, external)): Path<(Uuid, String, String)>,
    _: Context,
) -> Result<Reply> {
    Reply::ok(&service::find(db.read(), id, &module, &external).await?)
}

/// Keep what a module knows
///
/// Adds or replaces one fact, as often as its connector likes (S1-15, B-3): an order, a delivery, an
/// invoice, a payment, a journey, a piece of equipment. What is kept already changes nothing.
#[operation(
    put "/contacts/{id}/facts/{module}/{external_id}",
    scope = ContactsWrite,
    {id} = "The contact.",
    {module} = "The module: 1 to 64 lower-case letters, digits and underscores." example "orders",
    {external_id} = "The module's own id of it, percent-encoded, 1 to 255 characters." example "A-1001",
    200 = FactView "The fact as it is now.",
    201 = FactView "The new fact.",
)]
async fn keep_fact(
    db: Data<Db>,
    Path((id, module, external)): Path<(Uuid, String, String)>,
    body: JsonBody<FactBody>,
) -> Result<Reply> {
    body.write(&db, async move |tx, body| {
        let (fact, new) = service::keep(tx, id, module, external, body).await?;
        let view = FactView::from(fact);
        if new { Reply::created(&view) } else { Reply::ok(&view) }
    })
    .await
}

/// Forget what a module knew
///
/// The module has it no more; the history keeps that it was there.
#[operation(
    delete "/contacts/{id}/facts/{module}/{external_id}",
    scope = ContactsWrite,
    {id} = "The contact.",
    {module} = "The module." example "orders",
    {external_id} = "The module's own id of it, percent-encoded." example "A-1001",
    204 = "It is gone.",
)]
async fn forget_fact(
    db: Data<Db>,
    Path((id, module, external)): Path<(Uuid, String, String)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        service::forget(tx, id, &module, &external).await?;
        Ok(Reply::nothing())
    })
    .await
}
