//! The HTTP operations of search.

use actix_web::web::Data;

use super::{
    json::{SearchFilter, SearchView},
    service,
};
use crate::kernel::http::{Db, Query, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(search);
}

/// Search everything
///
/// What anybody wrote, by its words: in every language, without regard to case or accents, found from the
/// moment it is written. Titles weigh more. When more than 1,000 things fit, the newest 1,000 are ranked. A
/// credential finds what it may read: notes need `notes:read` as well.
#[operation(get "/search", scope = SearchRead, 200 = SearchView "What was found.")]
async fn search(db: Data<Db>, query: Query<SearchFilter>) -> Result<Reply> {
    Reply::json(200, &service::search(db.read(), &query.context.actor, &query.filter).await?)
}
