//! Every route of the house, in the order of its rooms.

use utoipa_actix_web::{scope, service_config::ServiceConfig};

use super::{health, problems};
use crate::{access, catalog, integration};

/// Adds every route.
pub fn routes(config: &mut ServiceConfig) {
    config.configure(health::routes).configure(problems::routes).service(scope::scope("/v1").configure(resources));
}

/// One line for each resource.
fn resources(config: &mut ServiceConfig) {
    config.configure(access::users::http::routes).configure(access::groups::http::routes);
    config.configure(catalog::picklists::http::routes);
    config.configure(integration::events::http::routes);
    config.configure(integration::jobs::http::routes);
}
