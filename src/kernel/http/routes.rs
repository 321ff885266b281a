//! Routes: served as they are, and described only where the document is made.

use actix_web::{dev::HttpServiceFactory, web};
use utoipa_actix_web::{OpenApiFactory, scope, service_config};

/// Where the rooms of the house add their operations.
pub enum Routes<'a, 's> {
    /// What is served. Every worker adds all routes; to describe them each time as well would be most of the
    /// start.
    Served(&'a mut web::ServiceConfig),
    /// What the document is made of.
    Described(&'a mut service_config::ServiceConfig<'s>),
}

impl Routes<'_, '_> {
    /// Adds an operation.
    pub fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, operation: F) -> &mut Self {
        match self {
            Self::Served(config) => {
                config.service(operation);
            }
            Self::Described(config) => {
                config.service(operation);
            }
        }
        self
    }

    /// Adds operations below a path.
    pub fn scope(&mut self, path: &str, add: impl FnOnce(&mut Routes)) -> &mut Self {
        match self {
            Self::Served(config) => {
                config.service(web::scope(path).configure(|config| add(&mut Routes::Served(config))));
            }
            Self::Described(config) => {
                config.service(scope::scope(path).configure(|config| add(&mut Routes::Described(config))));
            }
        }
        self
    }
}
