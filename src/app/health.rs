//! Whether the process lives, and whether it can serve.

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{
    db::Db,
    error::Result,
    http::{Routes, operation},
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(read_liveness).service(read_readiness);
}

/// That the process lives.
#[derive(Serialize, ToSchema)]
struct Liveness {
    /// `ok`
    #[schema(example = "ok")]
    status: &'static str,
}

/// How the service is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`
    #[schema(example = "ok")]
    status: &'static str,
    /// The release.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

const WELL: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process lives
///
/// Answers without looking at the database, and tells nothing else.
#[operation(get "/livez", public, tag = "service", 200 = Liveness "It lives.")]
async fn read_liveness() -> HttpResponse {
    HttpResponse::Ok().json(Liveness { status: "ok" })
}

/// Whether the service can serve
///
/// 503 while the database cannot be reached.
#[operation(get "/readyz", public, tag = "service", 200 = Health "It can serve.")]
async fn read_readiness(db: Data<Db>) -> Result<HttpResponse> {
    db.ping().await?;
    Ok(HttpResponse::Ok().json(WELL))
}
