//! The HTTP operations of notes.

use actix_web::web::Data;
use uuid::Uuid;

use super::{
    json::{CreatedNoteView, NewNote, NoteFilter, NotePage, NotePatch, NoteView},
    service,
};
use crate::kernel::http::{Context, Db, JsonBody, List, ListReply, Path, Reply, Result, Routes, operation};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes.service(list_notes).service(create_note).service(read_note).service(update_note);
}

/// List notes
///
/// Newest first. Sorts: `created_at` (default `-created_at`).
#[operation(get "/notes", scope = NotesRead, 200 = NotePage "A page of notes.")]
async fn list_notes(db: Data<Db>, list: List<NoteFilter>) -> Result<ListReply> {
    let page = service::page(db.read(), &list.filter, &list.page).await?;
    ListReply::of(&list, &page)
}

/// Write a note
///
/// And, in the same transaction, the action items that follow from it (S0-3, S0-4), which take
/// `action_items:write`.
#[operation(post "/notes", scope = NotesWrite, 201 = CreatedNoteView "The new note and its action items.")]
async fn create_note(db: Data<Db>, body: JsonBody<NewNote>) -> Result<Reply> {
    body.write(&db, async move |tx, new| Reply::created(&service::create(tx, new).await?)).await
}

/// Read a note
///
/// Everyone on staff may read every note.
#[operation(get "/notes/{id}", scope = NotesRead, 200 = NoteView "The note.")]
async fn read_note(db: Data<Db>, Path(id): Path<Uuid>, _: Context) -> Result<Reply> {
    Reply::ok(&service::find(db.read(), id).await?)
}

/// Correct a note
///
/// A merge patch (RFC 7396), by its author or a manager. The history keeps what it said before.
#[operation(patch "/notes/{id}", scope = NotesWrite, 200 = NoteView "The note as it is now.")]
async fn update_note(db: Data<Db>, Path(id): Path<Uuid>, body: JsonBody<NotePatch>) -> Result<Reply> {
    body.write(&db, async move |tx, patch| Reply::ok(&service::update(tx, id, patch).await?)).await
}
