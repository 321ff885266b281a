//! The HTTP operations of variables.

use actix_web::web::Data;

use super::{
    json::{NewVariable, VariableFilter, VariablePage, VariablePatch, VariableView},
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_variables).service(create_variable).service(read_variable).service(update_variable);
}

/// List the variables
///
/// The active ones; their values are those of their picklists. Labels are in the language of
/// `Accept-Language`. Sorts: `key` (default).
#[operation(get "/variables", scope = VariablesRead, 200 = VariablePage "A page of variables.")]
async fn list_variables(db: Data<Db>, mut list: List<VariableFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page, &list.context.languages).await?;
    ListReply::of(&list, &page)
}

/// Create a variable
///
/// A drop-down of the shop's own on contacts, action items or both (S2-12, S2-17). Its values are those of a
/// picklist. There are at most 100 variables, retired ones included. The key must be free: 409
/// `already_exists`.
#[operation(post "/variables", scope = VariablesWrite, 201 = VariableView "The new variable.")]
async fn create_variable(db: Data<Db>, body: JsonBody<NewVariable>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let variable = service::create(tx, new).await?;
        Reply::created(&VariableView::new(variable, &tx.context.languages))
    })
    .await
}

/// Read a variable
///
/// Active or retired.
#[operation(
    get "/variables/{key}",
    scope = VariablesRead,
    {key} = "The key of the variable." example "mood",
    200 = VariableView "The variable.",
)]
async fn read_variable(db: Data<Db>, Path(key): Path<String>, context: Context) -> Result<Reply> {
    let variable = service::find(db.read(), &key).await?;
    Reply::ok(&VariableView::new(variable, &context.languages))
}

/// Change a variable
///
/// A merge patch (RFC 7396). `active` retires it: nobody can record it from now on, and what was recorded
/// stays readable. One that becomes required is demanded of new CRM notes, and of old ones when their
/// variables change.
#[operation(
    patch "/variables/{key}",
    scope = VariablesWrite,
    {key} = "The key of the variable." example "mood",
    200 = VariableView "The variable as it is now.",
)]
async fn update_variable(
    db: Data<Db>,
    Path(key): Path<String>,
    body: JsonBody<VariablePatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let variable = service::update(tx, &key, patch).await?;
        Reply::ok(&VariableView::new(variable, &tx.context.languages))
    })
    .await
}
