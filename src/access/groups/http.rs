//! The HTTP operations of groups.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{GroupFilter, GroupPage, GroupPatch, GroupView, NewGroup},
    service,
};
use crate::kernel::http::{
    Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation,
};

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
#[operation(get "/groups", scope = GroupsRead, 200 = GroupPage "A page of groups.")]
async fn list_groups(db: Data<Db>, mut list: List<GroupFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a group
///
/// Its queue is at `/v1/queues/{id}/items` from then on. The key must be free: 409 `already_exists`.
#[operation(post "/groups", scope = GroupsWrite, 201 = GroupView "The new group.")]
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
#[operation(get "/groups/{id}", scope = GroupsRead, 200 = GroupView "The group.")]
async fn read_group(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    let group = service::find(db.read(), id).await?;
    Reply::ok(&service::view(db.read(), group).await?)
}

/// Rename a group
///
/// A merge patch (RFC 7396). The key stays.
#[operation(patch "/groups/{id}", scope = GroupsWrite, 200 = GroupView "The group as it is now.")]
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
#[operation(
    put "/groups/{id}/members/{user_id}",
    scope = GroupsWrite,
    200 = GroupView "The group with its members.",
    409 = "They are not active.",
)]
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
#[operation(
    delete "/groups/{id}/members/{user_id}",
    scope = GroupsWrite,
    200 = GroupView "The group with its members.",
    409 = "Nobody would be left for its open work.",
)]
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
