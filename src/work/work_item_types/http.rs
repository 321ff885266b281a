//! The HTTP operations of types of work items.

use actix_web::web::Data;

use super::{
    json::{NewWorkItemType, WorkItemTypeFilter, WorkItemTypePage, WorkItemTypePatch, WorkItemTypeView},
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_work_item_types)
        .service(create_work_item_type)
        .service(read_work_item_type)
        .service(update_work_item_type);
}

/// List the types of work items
///
/// The active ones, each with its statuses and what may follow them. Labels are in the language of
/// `Accept-Language`. Sorts: `key` (default).
#[operation(get "/work-item-types", scope = WorkItemTypesRead, 200 = WorkItemTypePage "A page of types.")]
async fn list_work_item_types(db: Data<Db>, mut list: List<WorkItemTypeFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page, &list.context.languages).await?;
    ListReply::of(&list, &page)
}

/// Create a type of work items
///
/// Its category, priority, colour and statuses, and what its reference must be like (S3-6). There are at most
/// 100 types, retired ones included. The key must be free: 409 `already_exists`.
#[operation(post "/work-item-types", scope = WorkItemTypesWrite, 201 = WorkItemTypeView "The new type.")]
async fn create_work_item_type(db: Data<Db>, body: JsonBody<NewWorkItemType>) -> Result<Reply> {
    let schema = service::check_schema(Some(&body.body.reference_schema)).await;
    body.write(&db, async move |tx, new| {
        let kind = service::create(tx, new, schema).await?;
        Reply::created(&WorkItemTypeView::new(kind, &tx.context.languages))
    })
    .await
}

/// Read a type of work items
///
/// Active or retired.
#[operation(
    get "/work-item-types/{key}",
    scope = WorkItemTypesRead,
    {key} = "The key of the type." example "support_ticket",
    200 = WorkItemTypeView "The type.",
)]
async fn read_work_item_type(db: Data<Db>, Path(key): Path<String>, context: Context) -> Result<Reply> {
    let kind = service::find(db.read(), &key).await?;
    Reply::ok(&WorkItemTypeView::new(kind, &context.languages))
}

/// Change a type of work items
///
/// A merge patch (RFC 7396). `active` retires it: no new item is of it from now on, and those there are go
/// on. Category and priority are those of items from now on. 409 `in_use` when a status would go, or change
/// whether it is active, that items have.
#[operation(
    patch "/work-item-types/{key}",
    scope = WorkItemTypesWrite,
    {key} = "The key of the type." example "support_ticket",
    200 = WorkItemTypeView "The type as it is now.",
    409 = "Items have a status that would go.",
)]
async fn update_work_item_type(
    db: Data<Db>,
    Path(key): Path<String>,
    body: JsonBody<WorkItemTypePatch>,
) -> Result<Reply> {
    let schema = service::check_schema(body.body.reference_schema.value()).await;
    body.write(&db, async move |tx, patch| {
        let kind = service::update(tx, &key, patch, schema).await?;
        Reply::ok(&WorkItemTypeView::new(kind, &tx.context.languages))
    })
    .await
}
