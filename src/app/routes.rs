//! Every route of the house, in the order of its rooms.

use utoipa_actix_web::{scope, service_config::ServiceConfig};

use super::{health, problems};
use crate::{access, catalog, customers, insight, intake, integration, work};

/// Adds every route.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(health::routes)
        .configure(problems::routes)
        .configure(access::sessions::http::well_known)
        .service(scope::scope("/v1").configure(resources));
}

/// One line for each resource.
fn resources(config: &mut ServiceConfig) {
    config.configure(access::users::http::routes);
    config.configure(access::groups::http::routes);
    config.configure(access::sessions::http::routes);
    config.configure(access::api_keys::http::routes);
    config.configure(catalog::picklists::http::routes);
    config.configure(catalog::variables::http::routes);
    config.configure(customers::contacts::http::routes);
    config.configure(customers::facts::http::routes);
    config.configure(work::action_items::http::routes);
    config.configure(work::notes::http::routes);
    config.configure(work::issues::http::routes);
    config.configure(work::interactions::http::routes);
    config.configure(work::work_item_types::http::routes);
    config.configure(work::routing_rules::http::routes);
    config.configure(work::work_items::http::routes);
    config.configure(work::queues::http::routes);
    config.configure(work::inbox::http::routes);
    config.configure(work::offboarding::http::routes);
    config.configure(intake::forms::http::routes);
    config.configure(intake::sources::http::routes);
    config.configure(intake::connectors::http::routes);
    config.configure(insight::home::http::routes);
    config.configure(insight::dashboard::http::routes);
    config.configure(insight::timeline::http::routes);
    config.configure(insight::search::http::routes);
    config.configure(insight::reports::http::routes);
    config.configure(integration::events::http::routes);
    config.configure(integration::jobs::http::routes);
}
