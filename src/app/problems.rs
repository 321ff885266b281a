//! The pages behind the `type` of each problem.

use actix_web::{HttpResponse, get, web::Path};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{
    error::{Code, Error, Result},
    http::Routes,
    problem::status,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(read_problem);
}

/// What a problem's code means.
#[derive(Serialize, ToSchema)]
struct ProblemPage {
    /// The code.
    #[schema(example = "stale_version")]
    code: &'static str,
    /// The HTTP status it comes with.
    #[schema(example = 412)]
    status: u16,
    /// The code in a few words.
    title: &'static str,
    /// What it means and what to do about it.
    about: &'static str,
}

/// Read what a problem's code means
///
/// The page that the `type` of every problem leads to.
#[utoipa::path(tag = "service", security(()), params(("code" = String, Path, description = "The code of a problem.", example = "stale_version")), responses((status = 200, description = "The code explained.", body = ProblemPage)))]
#[get("/problems/{code}")]
async fn read_problem(code: Path<String>) -> Result<HttpResponse> {
    let code = Code::ALL
        .iter()
        .find(|known| known.as_str() == code.as_str())
        .ok_or_else(|| Error::not_found("code"))?;
    Ok(HttpResponse::Ok().json(ProblemPage {
        code: code.as_str(),
        status: status(*code),
        title: code.title("en"),
        about: code.about(),
    }))
}
