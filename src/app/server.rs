//! The server: the middleware around every request, and its graceful end.

use std::{future::ready, net::SocketAddr, sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::Server,
    middleware::{Compress, Condition, from_fn},
    web::{self, Data},
};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use super::{config::Config, openapi, routes::routes, telemetry};
use crate::access::{authenticator::Authenticator, sessions::SignInLimits};
use crate::kernel::{
    db::Db,
    error::{Code, Error, Result},
    http::{
        Routes,
        auth::{Gate, enforce_rules},
        cors::admit_pages,
        edge::{Limits, edge, fallback},
        operations::Operations,
        rate_limit::RateLimits,
        sending::send_in_pieces,
    },
};

/// Everything that a running application is made of.
#[derive(Clone)]
pub struct Application {
    /// The database.
    pub db: Db,
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
const SWAGGER_UI: &str = "/docs/{_:.*}";

/// Starts listening; the address matters when the port was 0.
pub fn listen(application: &Application) -> std::io::Result<(Server, SocketAddr)> {
    let config = application.config.clone();
    let application = application.clone();
    let pages = ["/openapi.json", "/metrics", "/docs", SWAGGER_UI];
    let operations = Arc::new(pages.into_iter().fold(Operations::of(openapi::document()), Operations::with_public));
    let document = Data::new(openapi::pretty());
    let shared = config.clone();
    let limits = Limits { request_timeout: config.request_timeout, trusted_proxies: config.trusted_proxies, body: config.body_limit };
    let mut server = HttpServer::new(move || {
        let gate_keeper = Gate {
            authenticator: application.authenticator.clone(),
            operations: operations.clone(),
            rate_limits: application.rate_limits.clone(),
        };
        let metrics_token = shared.metrics_token.clone();
        App::new()
            .app_data(Data::new(application.db.clone()))
            .app_data(Data::new(gate_keeper))
            .app_data(Data::new(limits))
            .app_data(Data::from(application.sign_in_limits.clone()))
            .app_data(document.clone())
            .configure(|config| routes(&mut Routes::Served(config)))
            .route("/openapi.json", web::get().to(read_document))
            .route("/metrics", web::get().to(move |request: HttpRequest| ready(read_metrics(&request, metrics_token.as_deref()))))
            .route("/docs", web::get().to(async || HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()))
            .service(SwaggerUi::new(SWAGGER_UI).config(SwaggerConfig::new(["/openapi.json"])))
            .default_service(web::to(fallback))
            .wrap(from_fn(enforce_rules))
            .wrap(from_fn(send_in_pieces))
            .wrap(Compress::default())
            .wrap(Condition::new(!shared.cors_origins.is_empty(), cors(&shared.cors_origins)))
            .wrap(from_fn(admit_pages))
            .wrap(from_fn(edge))
    })
    .shutdown_timeout(30)
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(75))
    .on_connect(|connection, _| {
        if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() {
            cut_when_unread(stream);
        }
    })
    .backlog(4096)
    .disable_signals();
    if config.workers > 0 {
        server = server.workers(config.workers);
    }
    let server = server.bind(config.listen)?;
    let address = server.addrs().first().copied().unwrap_or(config.listen);
    Ok((server.run(), address))
}

/// How long a client may leave an answer unread.
const LONGEST_UNREAD: Duration = Duration::from_secs(30);

/// Has the system end a connection whose client takes nothing in, or is gone without a word.
fn cut_when_unread(stream: &actix_web::rt::net::TcpStream) {
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(LONGEST_UNREAD)) {
        tracing::warn!(%error, "a connection without a time limit");
    }
}

/// Serves metrics on an address of their own.
pub fn listen_for_metrics(address: SocketAddr) -> std::io::Result<Server> {
    let server = HttpServer::new(|| App::new().route("/metrics", web::get().to(async || prometheus())))
        .workers(1)
        .disable_signals()
        .bind(address)?;
    Ok(server.run())
}

fn cors(origins: &[String]) -> Cors {
    let any = origins.iter().any(|origin| origin == "*");
    let cors = Cors::default()
        .allow_any_method()
        .allow_any_header()
        .expose_headers([
            "ETag",
            "Link",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-Id",
            "Idempotency-Replayed",
        ])
        .max_age(3600);
    if any { cors.allow_any_origin() } else { origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin)) }
}

async fn read_document(document: Data<String>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.as_ref().clone())
}

fn read_metrics(request: &HttpRequest, token: Option<&str>) -> Result<HttpResponse> {
    use subtle::ConstantTimeEq;
    let Some(token) = token else { return Err(Error::new(Code::NotFound, "There is nothing at this path.")) };
    let given =
        request.headers().get("Authorization").and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    match given {
        Some(given) if bool::from(given.as_bytes().ct_eq(token.as_bytes())) => Ok(prometheus()),
        _ => Err(Error::new(Code::Unauthenticated, "Metrics need their own token.")),
    }
}

fn prometheus() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(telemetry::rendered())
}
