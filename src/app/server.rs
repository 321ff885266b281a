//! The server: the middleware around every request, and its graceful end.

use std::{
    future::ready,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::Server,
    middleware::{Compress, Condition, from_fn},
    web::{self, Data},
};
use utoipa_swagger_ui::Config as SwaggerConfig;

use super::{config::Config, openapi, routes::routes, telemetry};
use crate::access::{authenticator::Authenticator, sessions::SignInLimits};
use crate::kernel::{
    error::{Code, Error, Result},
    http::{
        Routes,
        auth::{AccessControl, enforce_rules},
        connection::{bind, serve},
        cors::allow_pages,
        document::{Document, Documents},
        extensions::Limits,
        middleware::{fallback, handle_request},
        operations::Operations,
        rate_limit::RateLimits,
        sending::send_in_pieces,
    },
    services::Services,
};

/// Everything that a running application is made of.
#[derive(Clone)]
pub struct Application {
    /// The database and what goes with it.
    pub services: Services,
    /// Knows callers.
    pub authenticator: Arc<Authenticator>,
    /// The settings.
    pub config: Arc<Config>,
    /// How often a credential may ask.
    pub rate_limits: Arc<RateLimits>,
    /// What signing in may cost.
    pub sign_in_limits: Arc<SignInLimits>,
}

/// The pattern of the pages of the documentation.
const SWAGGER_UI: &str = "/docs/{file:.*}";
/// Where the document is.
const OPENAPI: &str = "/openapi.json";

/// Starts serving; the address matters when the port was 0.
pub fn listen(application: &Application, listener: TcpListener) -> std::io::Result<(Server, SocketAddr)> {
    let config = application.config.clone();
    let application = application.clone();
    let pages = [OPENAPI, "/metrics", "/", "/docs", SWAGGER_UI];
    let operations =
        Arc::new(pages.into_iter().fold(Operations::of(openapi::document()), Operations::with_public));
    let documents = Data::new(Documents::default());
    let shared = config.clone();
    let limits = Limits {
        request_timeout: config.request_timeout,
        trusted_proxies: config.trusted_proxies,
        body: config.body_limit,
    };
    let application_of_worker = move || {
        let gate_keeper = AccessControl {
            authenticator: application.authenticator.clone(),
            operations: operations.clone(),
            rate_limits: application.rate_limits.clone(),
        };
        let metrics_token = shared.metrics_token.clone();
        App::new()
            .app_data(Data::new(application.services.db.clone()))
            .app_data(Data::new(application.services.clone()))
            .app_data(Data::new(gate_keeper))
            .app_data(Data::new(limits))
            .app_data(Data::from(application.sign_in_limits.clone()))
            .app_data(documents.clone())
            .configure(|config| routes(&mut Routes::Served(config)))
            .route(OPENAPI, web::get().to(read_document))
            .route(
                "/metrics",
                web::get()
                    .to(move |request: HttpRequest| ready(read_metrics(&request, metrics_token.as_deref()))),
            )
            .route("/", web::get().to(lead_to_docs))
            .route("/docs", web::get().to(lead_to_docs))
            .route(SWAGGER_UI, web::get().to(read_page))
            .default_service(web::to(fallback))
            .wrap(from_fn(enforce_rules))
            .wrap(from_fn(send_in_pieces))
            .wrap(Compress::default())
            .wrap(Condition::new(!shared.cors_origins.is_empty(), cors(&shared.cors_origins)))
            .wrap(from_fn(allow_pages))
            .wrap(from_fn(handle_request))
    };
    serve(listener, config.workers, application_of_worker)
}

/// Serves metrics on an address of their own.
pub fn listen_for_metrics(address: SocketAddr) -> std::io::Result<Server> {
    let application = || App::new().route("/metrics", web::get().to(async || prometheus()));
    serve(bind(address)?, 1, application).map(|(server, _)| server)
}

fn cors(origins: &[String]) -> Cors {
    let any = origins.iter().any(|origin| origin == "*");
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allow_any_header()
        .expose_headers([
            "ETag",
            "Link",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-Id",
            "Idempotency-Replayed",
        ])
        .max_age(3600);
    if any {
        cors.allow_any_origin()
    } else {
        origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
    }
}

async fn lead_to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()
}

async fn read_document(request: HttpRequest, documents: Data<Documents>) -> Result<HttpResponse> {
    let make = || Some(Document::new("application/json", openapi::compact()));
    answer(&request, documents.get(OPENAPI, make)).await
}

/// A page of the documentation.
async fn read_page(
    request: HttpRequest,
    file: web::Path<String>,
    documents: Data<Documents>,
) -> Result<HttpResponse> {
    let config = || Arc::new(SwaggerConfig::new([OPENAPI]));
    let make = || {
        let found = utoipa_swagger_ui::serve(&file, config()).ok()??;
        Some(Document::new(&found.content_type, found.bytes.into_owned()))
    };
    answer(&request, documents.get(&file, make)).await
}

async fn answer(request: &HttpRequest, document: Option<Arc<Document>>) -> Result<HttpResponse> {
    let document = document.ok_or_else(|| Error::new(Code::NotFound, "There is nothing at this path."))?;
    document.answer(request).await
}

fn read_metrics(request: &HttpRequest, token: Option<&str>) -> Result<HttpResponse> {
    use subtle::ConstantTimeEq;
    let Some(token) = token else { return Err(Error::new(Code::NotFound, "There is nothing at this path.")) };
    let given = request
        .headers()
        .get("Authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match given {
        Some(given) if bool::from(given.as_bytes().ct_eq(token.as_bytes())) => Ok(prometheus()),
        _ => Err(Error::new(Code::Unauthenticated, "Metrics need their own token.")),
    }
}

fn prometheus() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(telemetry::rendered())
}
