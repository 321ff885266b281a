//! The HTTP operations of users.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{ChangedUserView, NewUser, ProfilePatch, UserFilter, UserPage, UserPatch, UserView},
    password,
    service::{self, Parting},
    strength,
};
use crate::kernel::http::{
    Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes, Services, operation,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(read_me)
        .service(update_me)
        .service(list_users)
        .service(create_user)
        .service(read_user)
        .service(update_user);
}

/// Read one's own account
///
/// The person who is signed in, or for whom the API key acts.
#[operation(
    get "/users/me",
    scope = ProfileRead,
    200 = UserView "The account.",
    422 = "An API key that acts for nobody has no account.",
)]
async fn read_me(db: Data<Db>, context: Context) -> Result<Reply> {
    let user = service::find(db.read(), context.actor.person()?).await?;
    Reply::ok(&service::view(db.read(), user).await?)
}

/// Change one's own account
///
/// Name, time zone and language; the rest is the administrator's. A merge patch (RFC 7396).
#[operation(patch "/users/me", scope = ProfileWrite, 200 = UserView "The account as it is now.")]
async fn update_me(db: Data<Db>, body: JsonBody<ProfilePatch>) -> Result<Reply> {
    let me = body.context.actor.person()?;
    body.write(&db, async move |tx, patch| {
        let user = service::update(tx, me, patch.into()).await?;
        Reply::ok(&service::view(tx.read(), user).await?)
    })
    .await
}

/// List the staff
///
/// Sorts: `name` (default), `created_at`.
#[operation(get "/users", scope = UsersRead, 200 = UserPage "A page of users.")]
async fn list_users(db: Data<Db>, mut list: List<UserFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Add a person to the staff
///
/// The address must be free: 409 `already_exists` otherwise. A role beyond the caller's own is 403
/// `not_allowed`; an API key gives a role when it has every scope of it. The password is kept as an argon2id
/// hash only; one that is easy to guess is 422 `weak`.
#[operation(post "/users", scope = UsersWrite, 201 = UserView "The new user.")]
async fn create_user(services: Data<Services>, body: JsonBody<NewUser>) -> Result<Reply> {
    let hash = match &body.body.password {
        Some(password) => {
            strength::refuse_weak(
                "password",
                password,
                vec![body.body.email.to_string(), body.body.name.to_string()],
            )
            .await?;
            Some(password::hash(&services.password_cost, password.to_string()).await?)
        }
        None => None,
    };
    body.write(&services.db, async move |tx, new| {
        let user = service::create(tx, new, hash).await?;
        Reply::created(&service::view(tx.read(), user).await?)
    })
    .await
}

/// Read one person
///
/// Any person on staff, by id.
#[operation(get "/users/{id}", scope = UsersRead, 200 = UserView "The user.")]
async fn read_user(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    let user = service::find(db.read(), id).await?;
    Reply::ok(&service::view(db.read(), user).await?)
}

/// Change a person
///
/// A merge patch (RFC 7396). Deactivating somebody with open work is 409 `open_work` (S0-16); the
/// last active administrator stays one: 409 `last_admin`. A role beyond the caller's own, and the address,
/// role or activity of somebody whose role is, are 403 `not_allowed`; an API key has a role when it has every
/// scope of it. The API keys of whoever leaves end, and those of whoever has a lower role lose what is beyond
/// it: the answer names them. Coming back brings no key back: those that an earlier release let stand when
/// they left end then.
#[operation(
    patch "/users/{id}",
    scope = UsersWrite,
    200 = ChangedUserView "The user as it is now.",
    409 = "Somebody has the address, open work would be left, or it is the last administrator.",
)]
async fn update_user(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<UserPatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let user = service::update(tx, id, patch).await?;
        let user = service::view(tx.read(), user).await?;
        let api_keys = std::mem::take(&mut tx.cache::<Parting>().keys);
        Reply::ok(&ChangedUserView { user, api_keys })
    })
    .await
}
