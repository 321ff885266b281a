//! The HTTP operations of the dashboard.

use actix_web::web::Data;

use super::{
    json::{DashboardFilter, DashboardView},
    service,
};
use crate::{
    kernel::http::{Db, Query, Reply, Result, Routes, operation},
    work::action_items::Viewer,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(read_dashboard);
}

/// Read the dashboard
///
/// The open, due and past-due items of each person and group, people with none included (S0-13).
/// For managers (S0-21).
#[operation(
    get "/dashboard",
    scope = DashboardRead + ActionItemsRead,
    200 = DashboardView "The work of everybody.",
)]
async fn read_dashboard(db: Data<Db>, query: Query<DashboardFilter>) -> Result<Reply> {
    let viewer = Viewer::named_zone(&query.context, query.filter.time_zone.as_deref())?;
    let actor = &query.context.actor;
    Reply::json(200, &service::dashboard(db.read_lagging(), actor, &query.filter, &viewer).await?)
}
