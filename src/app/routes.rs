//! Every route of the house, in the order of its rooms.

use super::{health, problems};
use crate::{access, catalog, customers, insight, intake, integration, kernel::http::Routes, work};

/// Adds every route.
pub fn routes(routes: &mut Routes) {
    health::routes(routes);
    problems::routes(routes);
    access::sessions::http::well_known(routes);
    routes.scope("/v1", resources);
}

/// One line for each resource.
fn resources(routes: &mut Routes) {
    access::users::http::routes(routes);
    access::identities::http::routes(routes);
    access::groups::http::routes(routes);
    access::sessions::http::routes(routes);
    access::api_keys::http::routes(routes);
    catalog::picklists::http::routes(routes);
    catalog::variables::http::routes(routes);
    customers::contacts::http::routes(routes);
    customers::facts::http::routes(routes);
    work::action_items::http::routes(routes);
    work::notes::http::routes(routes);
    work::issues::http::routes(routes);
    work::interactions::http::routes(routes);
    work::work_item_types::http::routes(routes);
    work::routing_rules::http::routes(routes);
    work::work_items::http::routes(routes);
    work::queues::http::routes(routes);
    work::inbox::http::routes(routes);
    work::offboarding::http::routes(routes);
    intake::forms::http::routes(routes);
    intake::sources::http::routes(routes);
    intake::connectors::http::routes(routes);
    insight::home::http::routes(routes);
    insight::dashboard::http::routes(routes);
    insight::timeline::http::routes(routes);
    insight::search::http::routes(routes);
    insight::reports::http::routes(routes);
    integration::events::http::routes(routes);
    integration::jobs::http::routes(routes);
}
