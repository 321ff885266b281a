//! Whether the process lives, and whether it can serve.

use actix_web::{HttpResponse, get, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{db::Db, error::Result, http::Routes};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(read_liveness).service(read_readiness);
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
/// Answers without looking at the database.
#[utoipa::path(tag = "service", security(()), responses((status = 200, description = "It lives.", body = Health)))]
#[get("/livez")]
async fn read_liveness() -> HttpResponse {
    HttpResponse::Ok().json(WELL)
}

/// Whether the service can serve
///
/// 503 while the database cannot be reached.
#[utoipa::path(tag = "service", security(()), responses((status = 200, description = "It can serve.", body = Health)))]
#[get("/readyz")]
async fn read_readiness(db: Data<Db>) -> Result<HttpResponse> {
    db.ping().await?;
    Ok(HttpResponse::Ok().json(WELL))
}
