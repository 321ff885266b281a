//! The HTTP operations of contacts.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{
        ContactFilter, ContactMerge, ContactPage, ContactPatch, ContactView, ExternalId, MatchConfirmation,
        NewContact,
    },
    merging,
    service::{self, Lookup},
};
use crate::kernel::http::{
    Context, Db, JsonBody, List, ListReply, NoBody, Path, Reply, Result, Routes, operation,
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_contacts)
        .service(create_contact)
        .service(upsert_contact)
        .service(read_contact)
        .service(update_contact)
        .service(confirm_contact_match)
        .service(undo_contact_match)
        .service(merge_contact)
        .service(unmerge_contact);
}

/// List contacts
///
/// By name, or by postal code when `postal_code_prefix` is given; those that were merged are shown by
/// their survivors alone. Sorts: `name` (default), `created_at`, `updated_at`, `status`,
/// `postal_code`. Expands: `labels`.
#[operation(get "/contacts", scope = ContactsRead, 200 = ContactPage "A page of contacts.")]
async fn list_contacts(db: Data<Db>, list: List<ContactFilter>) -> Result<ListReply> {
    let page = service::page(db.read(), &list.context, &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Create a contact
///
/// A customer, prospect, vendor or one's own company (S3-1, S0-20, S2-16). It is matched to nobody by
/// itself; `GET` shows who else it may be. 409 `already_exists` when another has one of its external ids.
#[operation(post "/contacts", scope = ContactsWrite, 201 = ContactView "The new contact.")]
async fn create_contact(db: Data<Db>, body: JsonBody<NewContact>) -> Result<Reply> {
    body.write(&db, async move |tx, new| {
        let contact = service::create(tx, new).await?;
        Reply::created(&service::view(tx.read(), contact).await?)
    })
    .await
}

/// Create or change a contact by another system's id
///
/// Members that are not sent keep their values (B-3). A new contact takes in the one unregistered
/// record that has its e-mail address, as a merge that can be undone (S4-15); what was written about
/// the shop's `customer` or `vendor` of that id is about this contact from now on.
#[operation(
    put "/contacts/by-external-id/{source}/{external_id}",
    scope = ContactsWrite,
    {source} = "The other system; `shop` is the shop itself." example "shop",
    {external_id} = "Its id there, percent-encoded." example "C-1001",
    200 = ContactView "The contact as it is now.",
    201 = ContactView "The new contact.",
    409 = "Another contact has one of the ids.",
)]
async fn upsert_contact(
    db: Data<Db>,
    Path((source, id)): Path<(String, String)>,
    body: JsonBody<ContactPatch>,
) -> Result<Reply> {
    let external = ExternalId { source: source.into(), id: id.into() };
    body.write(&db, async move |tx, patch| {
        let (contact, new) = service::upsert(tx, external, patch).await?;
        let view = service::view(tx.read(), contact).await?;
        if new { Reply::created(&view) } else { Reply::ok(&view) }
    })
    .await
}

/// Read a contact
///
/// With whoever else it may be, matched afresh at every view, with reasons and certainty (S4-15). A
/// contact that was merged is 308 to its survivor (B-8).
#[operation(
    get "/contacts/{id}",
    scope = ContactsRead,
    200 = ContactView "The contact.",
    308 = "It was merged; `Location` is its survivor.",
)]
async fn read_contact(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    match service::find(db.read(), id).await? {
        Lookup::Here(contact) => Reply::ok(&*contact),
        Lookup::Moved(survivor) => Ok(Reply::moved_to(format!("/v1/contacts/{survivor}"))),
    }
}

/// Change a contact
///
/// A merge patch (RFC 7396). 409 `merged` when it was merged into another.
#[operation(
    patch "/contacts/{id}",
    scope = ContactsWrite,
    200 = ContactView "The contact as it is now.",
    409 = "It was merged, or another contact has one of the ids.",
)]
async fn update_contact(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<ContactPatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| {
        let contact = service::update(tx, id, patch).await?;
        Reply::ok(&service::view(tx.read(), contact).await?)
    })
    .await
}

/// Confirm who a contact is
///
/// Merges an unregistered record into the contact that it is (S4-14); the answer is the survivor.
#[operation(post "/contacts/{id}/confirm-match", scope = ContactsWrite, 200 = ContactView "The survivor.")]
async fn confirm_contact_match(
    db: Data<Db>,
    Path(id): Path<Uuid>,
    body: JsonBody<MatchConfirmation>,
) -> Result<Reply> {
    body.write(&db, async move |tx, confirmed| {
        let contact = merging::confirm(tx, id, confirmed.contact_id).await?;
        Reply::ok(&service::view(tx.read(), contact).await?)
    })
    .await
}

/// Undo a match
///
/// The record stands on its own again, with everything that was recorded about it (S4-14).
#[operation(
    post "/contacts/{id}/unmatch",
    scope = ContactsWrite,
    200 = ContactView "The contact, on its own again.",
)]
async fn undo_contact_match(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    unmerged(&db, id, body).await
}

/// Merge a contact into another
///
/// Everything about both is then shown with the survivor, which is answered. Two that the same
/// system knows by different ids are 409 `conflicting_identities`, unless `despite_conflict` is true.
#[operation(post "/contacts/{id}/merge", scope = ContactsWrite, 200 = ContactView "The survivor.")]
async fn merge_contact(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<ContactMerge>) -> Result<Reply> {
    body.write(&db, async move |tx, wanted| {
        let contact = merging::merge(tx, id, wanted.into, wanted.despite_conflict, "into").await?;
        Reply::ok(&service::view(tx.read(), contact).await?)
    })
    .await
}

/// Undo a merge
///
/// The exact inverse of `/merge`: the contact stands on its own again, with all that it brought.
#[operation(
    post "/contacts/{id}/unmerge",
    scope = ContactsWrite,
    200 = ContactView "The contact, on its own again.",
)]
async fn unmerge_contact(db: Data<Db>, Path(id): Path<Uuid>, body: NoBody) -> Result<Reply> {
    unmerged(&db, id, body).await
}

async fn unmerged(db: &Data<Db>, id: Uuid, body: NoBody) -> Result<Reply> {
    body.write(db, async move |tx| {
        let contact = merging::unmerge(tx, id).await?;
        Reply::ok(&service::view(tx.read(), contact).await?)
    })
    .await
}
