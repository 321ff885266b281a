//! The HTTP operations of events.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{EventFilter, EventPage, EventView},
    service,
};
use crate::kernel::http::{Context, Db, Path, Query, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(read_events).service(read_event);
}

/// Read the change feed
///
/// Every committed change in one order, none skipped: read with `after=0`, then on with the `next_after` of
/// each answer for as long as `has_more` says so, then again whenever something may have happened; `wait`
/// holds the answer until something has. A filter leaves events out, never the order; where nothing matches,
/// `next_after` still moves on. Set-up and access events are shown to administrators only, what somebody
/// reads in their inbox to them and to managers, and of every kind of thing to whoever has the scope to read
/// it.
#[operation(get "/events", scope = EventsRead, 200 = EventPage "A stretch of the feed.")]
async fn read_events(db: Data<Db>, query: Query<EventFilter>) -> Result<Reply> {
    Reply::json(200, &service::read(&db, &query.context.actor, &query.filter).await?)
}

/// Read one event
///
/// By its id. Events never change.
#[operation(get "/events/{id}", scope = EventsRead, 200 = EventView "The event.")]
async fn read_event(db: Data<Db>, Path(id): Path<Uuid>, context: Context) -> Result<Reply> {
    Reply::ok(&service::find(&db, &context.actor, id).await?)
}
