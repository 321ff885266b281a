//! The HTTP operations of the home page.

use actix_web::web::Data;

use super::{json::HomeView, service};
use crate::kernel::http::{Context, Db, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(read_home);
}

/// Read the home page
///
/// The newest items on top, the counts of every queue (S0-12), and the open issues of each type (S4-6): of
/// these, what the caller may read.
#[operation(get "/home", scope = HomeRead, 200 = HomeView "The home page.")]
async fn read_home(db: Data<Db>, context: Context) -> Result<Reply> {
    Reply::json(200, &service::home(db.read(), &context).await?)
}
