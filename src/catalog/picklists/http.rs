//! The HTTP operations of picklists.

use actix_web::web::Data;

use super::{
    item,
    json::{
        NewPicklist, NewPicklistItem, PicklistFilter, PicklistItemPatch, PicklistItemView, PicklistOrder,
        PicklistPage, PicklistParts, PicklistView,
    },
    service,
};
use crate::kernel::{
    http::{Context, Db, JsonBody, List, ListReply, NoBody, Path, Query, Reply, Result, Routes, operation},
    tx::Tx,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_picklists)
        .service(create_picklist)
        .service(read_picklist)
        .service(order_picklist)
        .service(add_picklist_item)
        .service(read_picklist_item)
        .service(update_picklist_item)
        .service(retire_picklist_item)
        .service(restore_picklist_item);
}

/// List the picklists
///
/// Each with its active values in their order. Labels are in the language of `Accept-Language`. Sorts: `name`
/// (default).
#[operation(get "/picklists", scope = PicklistsRead, 200 = PicklistPage "A page of picklists.")]
async fn list_picklists(db: Data<Db>, mut list: List<PicklistFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page, &list.context.languages).await?;
    ListReply::of(&list, &page)
}

/// Create a picklist of one's own
///
/// It is empty at first. The name must be free: 409 `already_exists`.
#[operation(post "/picklists", scope = PicklistsWrite, 201 = PicklistView "The new picklist.")]
async fn create_picklist(db: Data<Db>, body: JsonBody<NewPicklist>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let list = service::create(tx, new).await?;
        Reply::created(&service::view(tx.read(), list, false, &tx.context.languages).await?)
    })
    .await
}

/// Read a picklist
///
/// With its active values in their order; with `include_retired=true` also those that nobody can choose any
/// more.
#[operation(
    get "/picklists/{name}",
    scope = PicklistsRead,
    {name} = "The name of the picklist." example "subject_types",
    200 = PicklistView "The picklist.",
)]
async fn read_picklist(db: Data<Db>, Path(name): Path<String>, query: Query<PicklistParts>) -> Result<Reply> {
    let list = service::find(db.read(), &name).await?;
    let retired = query.filter.include_retired.unwrap_or_default().0;
    Reply::ok(&service::view(db.read(), list, retired, &query.context.languages).await?)
}

/// Put a picklist in order
///
/// Names every active key exactly once; retired ones may be named too, and follow in their present order
/// otherwise.
#[operation(
    put "/picklists/{name}/order",
    scope = PicklistsWrite,
    {name} = "The name of the picklist." example "subject_types",
    200 = PicklistView "The picklist in its new order.",
)]
async fn order_picklist(
    db: Data<Db>,
    Path(name): Path<String>,
    body: JsonBody<PicklistOrder>,
) -> Result<Reply> {
    body.write(&db, async move |tx, order| {
        let list = service::reorder(tx, &name, order).await?;
        Reply::ok(&service::view(tx.read(), list, false, &tx.context.languages).await?)
    })
    .await
}

/// Add a value to a picklist
///
/// It comes last and can be chosen at once: a value of `subject_types` makes a new type usable (S0-1).
/// A list has at most 1,000 values, retired ones included. The key must be free: 409 `already_exists`.
#[operation(
    post "/picklists/{name}/items",
    scope = PicklistsWrite,
    {name} = "The name of the picklist." example "subject_types",
    201 = PicklistItemView "The new value.",
)]
async fn add_picklist_item(
    db: Data<Db>,
    Path(name): Path<String>,
    body: JsonBody<NewPicklistItem>,
) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let item = service::add(tx, &name, new).await?;
        Reply::created(&shown(tx, &name, item))
    })
    .await
}

/// Read a value of a picklist
///
/// Active or retired.
#[operation(
    get "/picklists/{name}/items/{key}",
    scope = PicklistsRead,
    {name} = "The name of the picklist." example "subject_types",
    {key} = "The key of the value." example "order",
    200 = PicklistItemView "The value.",
)]
async fn read_picklist_item(
    db: Data<Db>,
    Path((name, key)): Path<(String, String)>,
    context: Context,
) -> Result<Reply> {
    let item = service::find_item(db.read(), &name, &key).await?;
    Reply::ok(&PicklistItemView::new(&name, item, &context.languages))
}

/// Change a value of a picklist
///
/// A merge patch (RFC 7396). The key stays; what was said with the value is shown with its new label.
#[operation(
    patch "/picklists/{name}/items/{key}",
    scope = PicklistsWrite,
    {name} = "The name of the picklist." example "subject_types",
    {key} = "The key of the value." example "order",
    200 = PicklistItemView "The value as it is now.",
)]
async fn update_picklist_item(
    db: Data<Db>,
    Path((name, key)): Path<(String, String)>,
    body: JsonBody<PicklistItemPatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let item = service::update(tx, &name, &key, patch).await?;
        Reply::ok(&shown(tx, &name, item))
    })
    .await
}

/// Retire a value of a picklist
///
/// Nobody can choose it from now on; what was said with it stays, and stays readable. Retiring it twice
/// changes nothing.
#[operation(
    post "/picklists/{name}/items/{key}/retire",
    scope = PicklistsWrite,
    {name} = "The name of the picklist." example "subject_types",
    {key} = "The key of the value." example "order",
    200 = PicklistItemView "The value, retired.",
)]
async fn retire_picklist_item(
    db: Data<Db>,
    Path((name, key)): Path<(String, String)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let item = service::set_active(tx, &name, &key, false).await?;
        Reply::ok(&shown(tx, &name, item))
    })
    .await
}

/// Bring a retired value of a picklist back
///
/// It can be chosen again, at its old place. Restoring an active one changes nothing.
#[operation(
    post "/picklists/{name}/items/{key}/restore",
    scope = PicklistsWrite,
    {name} = "The name of the picklist." example "subject_types",
    {key} = "The key of the value." example "order",
    200 = PicklistItemView "The value, active.",
)]
async fn restore_picklist_item(
    db: Data<Db>,
    Path((name, key)): Path<(String, String)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let item = service::set_active(tx, &name, &key, true).await?;
        Reply::ok(&shown(tx, &name, item))
    })
    .await
}

fn shown(tx: &Tx, list: &str, item: item::Model) -> PicklistItemView {
    PicklistItemView::new(list, item, &tx.context.languages)
}
