//! The HTTP operations of API keys.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{ApiKeyFilter, ApiKeyPage, ApiKeyPatch, ApiKeyView, CreatedApiKey, NewApiKey},
    service,
};
use crate::kernel::http::{
    Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_api_keys)
        .service(create_api_key)
        .service(read_api_key)
        .service(update_api_key)
        .service(revoke_api_key);
}

/// List the API keys
///
/// Never their secrets. Sorts: `name` (default), `created_at`.
#[operation(get "/api-keys", scope = ApiKeysRead, 200 = ApiKeyPage "A page of API keys.")]
async fn list_api_keys(db: Data<Db>, mut list: List<ApiKeyFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, list.context.now, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create an API key
///
/// The answer shows the `secret` once; only its hash is kept, and a repeated request gets null. Scopes
/// that the caller lacks are 403 `not_allowed`, and so is an end beyond that of the key that asks. The key is
/// the caller's: it may nothing that they may not, loses what they lose and ends when they leave; `owner_id`
/// of `PATCH` hands it over. With `user_id` the key acts for that person, within
/// what their role allows, and both names are in the journal (B-10). Without, it acts for nobody,
/// unless it has the scope `users:act_as` and a request says for whom in `X-Act-As`.
///
/// A `publishable` key begins with `csl_pub_` and is meant for browsers: it posts to its `forms` from pages
/// of its `origins`, which CORS admits, and everything else is 403 to it. Its posts are counted by key and by
/// address.
#[operation(post "/api-keys", scope = ApiKeysWrite, 201 = CreatedApiKey "The new API key with its secret.")]
async fn create_api_key(db: Data<Db>, body: JsonBody<NewApiKey>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let (key, secret) = service::create(tx, new).await?;
        let key = service::view(tx.read(), key.id).await?;
        let shown_once = CreatedApiKey { key: key.clone(), secret: Some(secret) };
        Reply::created(&shown_once)?.keeping(&CreatedApiKey { key, secret: None })
    })
    .await
}

/// Read an API key
///
/// Without its secret, which nobody has any more.
#[operation(get "/api-keys/{id}", scope = ApiKeysRead, 200 = ApiKeyView "The API key.")]
async fn read_api_key(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::view(db.read(), id).await?)
}

/// Change an API key
///
/// A merge patch (RFC 7396) of its name, scopes, bounds, owner and end. It holds at once on this instance,
/// and within five seconds on others. A key of which the caller lacks a scope is 403 `not_allowed` to be made
/// last longer, open more, or be handed over; an API key hands over none, be it its own. A revoked key is 409
/// `wrong_status`.
#[operation(
    patch "/api-keys/{id}",
    scope = ApiKeysWrite,
    200 = ApiKeyView "The API key as it is now.",
    409 = "It is revoked.",
)]
async fn update_api_key(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<ApiKeyPatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let key = service::update(tx, id, patch).await?;
        Reply::ok(&service::view(tx.read(), key.id).await?)
    })
    .await
}

/// Revoke an API key
///
/// It opens nothing any more: at once on this instance, within five seconds on others. There is no way back.
#[operation(post "/api-keys/{id}/revoke", scope = ApiKeysWrite, 200 = ApiKeyView "The API key, revoked.")]
async fn revoke_api_key(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        let key = service::revoke(tx, id).await?;
        Reply::ok(&service::view(tx.read(), key.id).await?)
    })
    .await
}
