//! The HTTP operations of timelines.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{TimelineFilter, TimelinePage},
    service,
};
use crate::kernel::http::{Db, List, ListReply, Path, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_subject_timeline).service(list_contact_timeline);
}

/// List what happened about a subject
///
/// Who said what, who did what when: every note and action item about one object in the cart, and
/// each change of them (S0-15, S0-18), of the kinds that the caller may read. Newest first. Sorts: `at`
/// (default `-at`).
#[operation(
    get "/subjects/{type}/{id}/timeline",
    scope = SubjectsRead,
    {type} = "A value of the picklist `subject_types`." example "order",
    {id} = "The cart's own id, percent-encoded." example "A-1001",
    200 = TimelinePage "A page of what happened.",
)]
async fn list_subject_timeline(
    db: Data<Db>,
    Path((kind, id)): Path<(String, String)>,
    list: List<TimelineFilter>,
) -> Result<ListReply> {
    let page = service::page(db.read(), &list.context.actor, (&kind, &id), &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// List what happened about a contact
///
/// Everything about the contact and whatever it was merged with, of the kinds that the caller may read,
/// newest first (S4-9, S0-18). Sorts: `at` (default `-at`).
#[operation(
    get "/contacts/{id}/timeline",
    scope = ContactsRead,
    200 = TimelinePage "A page of what happened.",
)]
async fn list_contact_timeline(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    list: List<TimelineFilter>,
) -> Result<ListReply> {
    let page = service::page_of_contact(db.read(), &list.context.actor, id, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}
