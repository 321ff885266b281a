//! The HTTP operations of offboarding.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{Offboarding, OffboardingView},
    service,
};
use crate::kernel::http::{Db, JsonBody, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(offboard_user);
}

/// Offboard a person
///
/// Moves every open item they hold to somebody else and deactivates them, in one transaction; the
/// answer names each item (S0-14). Their API keys end, and the publishable ones are handed over, to whoever
/// takes over or else to whoever asks: the answer names them. A key that must go on is given to somebody else
/// before (`owner_id`). 409 `open_work` when they are the last active member of a group with open work,
/// unless `groups_reassign_to` says who takes that over.
#[operation(
    post "/users/{id}/offboard",
    scope = UsersOffboard,
    tag = "offboarding",
    200 = OffboardingView "Where their work went.",
)]
async fn offboard_user(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<Offboarding>) -> Result<Reply> {
    body.write(&db, async move |tx, wanted| Reply::json(200, &service::offboard(tx, id, wanted).await?)).await
}
