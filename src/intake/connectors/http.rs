//! The door to connectors.

use actix_web::{get, patch, post, web::Data};
use uuid::Uuid;

use super::{
    Connector,
    json::{ConnectorFilter, ConnectorPage, ConnectorPatch, ConnectorView, NewConnector},
    service,
};
use crate::{
    intake::scheduled,
    kernel::{
        http::{Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes},
        jobs::JobView,
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_connectors)
        .service(create_connector)
        .service(read_connector)
        .service(update_connector)
        .service(run_connector)
        .service(sync_contact);
}

/// List the connectors
///
/// Never their credentials. Sorts: `name` (default), `created_at`.
#[utoipa::path(tag = "connectors", security(("bearer" = ["connectors:read"])), params(ConnectorPage, ConnectorFilter), responses((status = 200, description = "A page of connectors.", body = ConnectorPage)))]
#[get("/connectors")]
async fn list_connectors(db: Data<Db>, mut list: List<ConnectorFilter>) -> Result<ListReply> {
    let filter = std::mem::take(&mut list.filter);
    let page = service::page(db.read(), filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a connector
///
/// To a Magento 2, WooCommerce or Shopify shop, or to any other that answers JSON (S3-28, S1-15). Its
/// credentials are kept encrypted and never answered; a server without a key to encrypt with takes none.
/// Another connector with the same source is 409 `already_exists`.
#[utoipa::path(tag = "connectors", security(("bearer" = ["connectors:write"])), request_body = NewConnector, responses((status = 201, description = "The new connector.", body = ConnectorView)))]
#[post("/connectors")]
async fn create_connector(db: Data<Db>, body: JsonBody<NewConnector>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        Reply::created(&ConnectorView::from(service::create(tx, new).await?))
    })
    .await
}

/// Read a connector
///
/// With the end of its secret, and how it goes with it.
#[utoipa::path(tag = "connectors", security(("bearer" = ["connectors:read"])), responses((status = 200, description = "The connector.", body = ConnectorView)))]
#[get("/connectors/{id}")]
async fn read_connector(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&ConnectorView::from(service::find(db.read(), id).await?))
}

/// Change a connector
///
/// A merge patch (RFC 7396). Credentials are replaced whole. One that is not active is used by nobody.
#[utoipa::path(tag = "connectors", security(("bearer" = ["connectors:write"])), request_body = ConnectorPatch, responses((status = 200, description = "The connector as it is now.", body = ConnectorView)))]
#[patch("/connectors/{id}")]
async fn update_connector(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<ConnectorPatch>,
) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        Reply::ok(&ConnectorView::from(service::update(tx, id, patch).await?))
    })
    .await
}

/// Run a connector
///
/// Fetches the customers and orders that changed since the last time into contacts and facts, as its schedule
/// does. Watch the job; its `result` counts customers, new contacts and orders. 409 `conflict` while it is
/// being run, with its `job_id`; 409 `wrong_status` when it is not active.
#[utoipa::path(tag = "connectors", security(("bearer" = ["connectors:write"])), responses((status = 202, description = "The job that does it.", body = JobView)))]
#[post("/connectors/{id}/run")]
async fn run_connector(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| {
        Reply::accepted(&JobView::from(scheduled::run::<Connector>(tx, id).await?))
    })
    .await
}

/// Fetch a contact from the shop
///
/// "Sync with Magento" (S3-28): asks every active connector for the contact, by its external id there or its
/// e-mail addresses, and keeps who they are on the contact, their profile and orders as facts. Shops take
/// their time, so a job does it; its `result` says for each connector whether the contact was found, and how
/// many orders. 409 `conflict` without an active connector.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])), responses((status = 202, description = "The job that does it.", body = JobView)))]
#[post("/contacts/{id}/sync")]
async fn sync_contact(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::accepted(&JobView::from(service::sync_contact(tx, id).await?)))
        .await
}
