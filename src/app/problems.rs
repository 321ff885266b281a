//! The pages behind the `type` of each problem.

use actix_web::{HttpResponse, web::Path};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{
    error::{Code, Error, Result},
    http::{Routes, operation},
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
#[operation(
    get "/problems/{code}",
    public,
    tag = "service",
    {code} = "The code of a problem." example "stale_version",
    200 = ProblemPage "The code explained.",
)]
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
