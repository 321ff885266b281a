//! The door to types of work items.

use actix_web::{get, patch, post, web::Data};

use super::{
    json::{NewWorkItemType, WorkItemTypeFilter, WorkItemTypePage, WorkItemTypePatch, WorkItemTypeView},
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes};

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
#[utoipa::path(tag = "work_item_types", security(("bearer" = ["work_item_types:read"])), params(WorkItemTypePage, WorkItemTypeFilter), responses((status = 200, description = "A page of types.", body = WorkItemTypePage)))]
#[get("/work-item-types")]
async fn list_work_item_types(db: Data<Db>, mut list: List<WorkItemTypeFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page, &list.context.languages).await?;
    ListReply::of(&list, &page)
}

/// Create a type of work items
///
/// Its category, priority, colour and statuses, and what its reference must be like (S3-6). There are at most
/// 100 types, retired ones included. The key must be free: 409 `already_exists`.
#[utoipa::path(tag = "work_item_types", security(("bearer" = ["work_item_types:write"])), request_body = NewWorkItemType, responses((status = 201, description = "The new type.", body = WorkItemTypeView)))]
#[post("/work-item-types")]
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
#[utoipa::path(tag = "work_item_types", security(("bearer" = ["work_item_types:read"])), params(("key" = String, Path, description = "The key of the type.", example = "support_ticket")), responses((status = 200, description = "The type.", body = WorkItemTypeView)))]
#[get("/work-item-types/{key}")]
async fn read_work_item_type(db: Data<Db>, Path(key): Path<String>, context: Context) -> Result<Reply> {
    let kind = service::find(db.read(), &key).await?;
    Reply::ok(&WorkItemTypeView::new(kind, &context.languages))
}

/// Change a type of work items
///
/// A merge patch (RFC 7396). `active` retires it: no new item is of it from now on, and those there are go
/// on. Category and priority are those of items from now on. 409 `in_use` when a status would go, or change
/// whether it is active, that items have.
#[utoipa::path(tag = "work_item_types", security(("bearer" = ["work_item_types:write"])), params(("key" = String, Path, description = "The key of the type.", example = "support_ticket")), request_body = WorkItemTypePatch, responses((status = 200, description = "The type as it is now.", body = WorkItemTypeView), (status = 409, description = "Items have a status that would go.")))]
#[patch("/work-item-types/{key}")]
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
