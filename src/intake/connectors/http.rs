//! The HTTP operations of connectors.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    Connector,
    json::{ConnectorFilter, ConnectorPage, ConnectorPatch, ConnectorView, NewConnector},
    service,
};
use crate::{
    intake::scheduled,
    kernel::{
        http::{
            Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, Services, operation,
        },
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
#[operation(get "/connectors", scope = ConnectorsRead, 200 = ConnectorPage "A page of connectors.")]
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
#[operation(post "/connectors", scope = ConnectorsWrite, 201 = ConnectorView "The new connector.")]
async fn create_connector(services: Data<Services>, body: JsonBody<NewConnector>) -> Result<Reply> {
    let keyring = services.keyring.clone();
    body.write(&services.db, async move |tx, new| {
        Reply::created(&ConnectorView::from(service::create(tx, &keyring, new).await?))
    })
    .await
}

/// Read a connector
///
/// With the end of its secret, and how it goes with it.
#[operation(get "/connectors/{id}", scope = ConnectorsRead, 200 = ConnectorView "The connector.")]
async fn read_connector(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&ConnectorView::from(service::find(db.read(), id).await?))
}

/// Change a connector
///
/// A merge patch (RFC 7396). Credentials are replaced whole. One that is not active is used by nobody.
#[operation(
    patch "/connectors/{id}",
    scope = ConnectorsWrite,
    200 = ConnectorView "The connector as it is now.",
)]
async fn update_connector(
    services: Data<Services>,
    Path(id): Path<Uuid>,
    body: JsonBody<ConnectorPatch>,
) -> Result<Reply> {
    let keyring = services.keyring.clone();
    body.write(&services.db, async move |tx, patch| {
        Reply::ok(&ConnectorView::from(service::update(tx, &keyring, id, patch).await?))
    })
    .await
}

/// Run a connector
///
/// Fetches the customers and orders that changed since the last time into contacts and facts, as its schedule
/// does. Watch the job; its `result` counts customers, new contacts and orders. 409 `conflict` while it is
/// being run, with its `job_id`; 409 `wrong_status` when it is not active.
#[operation(post "/connectors/{id}/run", scope = ConnectorsWrite, 202 = JobView "The job that does it.")]
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
#[operation(post "/contacts/{id}/sync", scope = ContactsWrite, 202 = JobView "The job that does it.")]
async fn sync_contact(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    body.write(&db, async move |tx| Reply::accepted(&JobView::from(service::sync_contact(tx, id).await?)))
        .await
}
