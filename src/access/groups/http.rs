//! The door to groups.

use actix_web::{delete, get, patch, post, put, web::Data};
use uuid::Uuid;

use super::{
    json::{GroupFilter, GroupPage, GroupPatch, GroupView, NewGroup},
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_groups)
        .service(create_group)
        .service(read_group)
        .service(update_group)
        .service(add_group_member)
        .service(remove_group_member);
}

/// List the groups
///
/// Sorts: `name` (default).
#[utoipa::path(tag = "groups", security(("bearer" = ["groups:read"])), params(GroupPage, GroupFilter), responses((status = 200, description = "A page of groups.", body = GroupPage)))]
#[get("/groups")]
async fn list_groups(db: Data<Db>, mut list: List<GroupFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a group
///
/// Its queue is at `/v1/queues/{id}/items` from then on. The key must be free: 409 `already_exists`.
#[utoipa::path(tag = "groups", security(("bearer" = ["groups:write"])), request_body = NewGroup, responses((status = 201, description = "The new group.", body = GroupView)))]
#[post("/groups")]
async fn create_group(db: Data<Db>, body: JsonBody<NewGroup>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let group = service::create(tx, new).await?;
        Reply::created(&service::view(tx.read(), group).await?)
    })
    .await
}

/// Read a group
///
/// With its active members.
#[utoipa::path(tag = "groups", security(("bearer" = ["groups:read"])), responses((status = 200, description = "The group.", body = GroupView)))]
#[get("/groups/{id}")]
async fn read_group(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    let group = service::find(db.read(), id).await?;
    Reply::ok(&service::view(db.read(), group).await?)
}

/// Rename a group
///
/// A merge patch (RFC 7396). The key stays.
#[utoipa::path(tag = "groups", security(("bearer" = ["groups:write"])), request_body = GroupPatch, responses((status = 200, description = "The group as it is now.", body = GroupView)))]
#[patch("/groups/{id}")]
async fn update_group(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<GroupPatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let group = service::update(tx, id, patch).await?;
        Reply::ok(&service::view(tx.read(), group).await?)
    })
    .await
}

/// Make a person a member
///
/// Being a member already changes nothing. Who is not active joins none: 409 `conflict`.
#[utoipa::path(tag = "groups", security(("bearer" = ["groups:write"])), responses((status = 200, description = "The group with its members.", body = GroupView), (status = 409, description = "They are not active.")))]
#[put("/groups/{id}/members/{user_id}")]
async fn add_group_member(
    db: Data<Db>,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let group = service::join(tx, id, user_id).await?;
        Reply::ok(&service::view(tx.read(), group).await?)
    })
    .await
}

/// End a membership
///
/// The last member of a group with open work stays: 409 `open_work`.
#[utoipa::path(tag = "groups", security(("bearer" = ["groups:write"])), responses((status = 200, description = "The group with its members.", body = GroupView), (status = 409, description = "Nobody would be left for its open work.")))]
#[delete("/groups/{id}/members/{user_id}")]
async fn remove_group_member(
    db: Data<Db>,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let group = service::leave(tx, id, user_id).await?;
        Reply::ok(&service::view(tx.read(), group).await?)
    })
    .await
}
