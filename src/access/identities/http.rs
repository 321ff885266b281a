//! The HTTP operations of identities.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{IdentityFilter, IdentityPage},
    service,
};
use crate::kernel::http::{Db, List, ListReply, NoBody, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_identities).service(unlink_identity);
}

/// List who a person is to OpenID providers
///
/// One for each provider at the most: it is made when they first sign in with a token of it that has their
/// verified address. From then on the provider's own name of them (`sub`) says who they are, whatever address
/// comes with it. Sorts: `created_at` (default).
#[operation(get "/users/{id}/identities", scope = UsersWrite, 200 = IdentityPage "A page of identities.")]
async fn list_identities(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    list: List<IdentityFilter>,
) -> Result<ListReply> {
    let page = service::page(db.read(), id, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Unlink a person from an OpenID provider
///
/// For somebody who has a new account there, or when the wrong one was linked. Whoever next signs in with
/// their verified address is linked to them: set right the addresses at the provider first. It holds at once
/// on this instance, and within five seconds on others. Somebody of a higher role than the caller's is 403
/// `not_allowed`.
#[operation(
    delete "/users/{id}/identities/{identity_id}",
    scope = UsersWrite,
    204 = "They are not linked any more.",
)]
async fn unlink_identity(
    db: Data<Db>,
    Path((id, identity_id)): Path<(Uuid, Uuid)>,
    body: NoBody,
) -> Result<Reply> {
    body.write(&db, async move |tx| {
        service::unlink(tx, id, identity_id).await?;
        Ok(Reply::nothing())
    })
    .await
}
