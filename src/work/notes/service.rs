//! The rules of notes.

use sea_orm::{
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::{
    json::{CreatedNoteView, NewNote, NoteFilter, NotePatch, NoteView},
    note::{self, Column, Entity, Model, Row},
};
use crate::{
    catalog::picklists,
    customers::{
        contacts,
        subjects::{self, Subject},
    },
    kernel::{
        error::{Code, Error, Result, Violations},
        filter::FilterExt,
        list::{self, Page, PageRequest, Texts},
        reader::Reader,
        tx::Tx,
    },
    work::action_items::{self, Inherited, Links, NewActionItem},
};

/// Writes a note and what follows from it.
pub async fn create(tx: &mut Tx, new: NewNote) -> Result<CreatedNoteView> {
    create_on(tx, new, None).await
}

/// Writes a note, on a work item or on none, and what follows from it.
pub async fn create_on(tx: &mut Tx, new: NewNote, work_item_id: Option<Uuid>) -> Result<CreatedNoteView> {
    plan(tx, new, work_item_id).await?.write(tx).await
}

/// A new note that keeps every rule, and what follows from it, before any of it is written.
struct Planned {
    note: Model,
    action_items: Vec<action_items::Planned>,
}

/// Checks a new note and what follows from it, so that everything is said at once.
async fn plan(tx: &mut Tx, new: NewNote, work_item_id: Option<Uuid>) -> Result<Planned> {
    let words = new.action_items.iter().flat_map(NewActionItem::picklist_refs);
    picklists::preload(tx, words.chain(new.subject.as_ref().map(Subject::picklist_ref))).await?;
    action_items::lock_for_update(tx, &new.action_items, new.subject.as_ref(), new.contact_id).await?;
    let mut violations = Violations::default();
    let about = violations.collect(subjects::resolve_subject(tx, new.subject, new.contact_id).await)?;
    let id = tx.id();
    let links = Links {
        about: about
            .clone()
            .map_or(Inherited::Refused, |(subject, contact)| Inherited::Subject(subject, contact)),
        note_id: Some(id),
        work_item_id,
        ..Links::default()
    };
    let mut action_items = Vec::with_capacity(new.action_items.len());
    for (index, item) in new.action_items.into_iter().enumerate() {
        let planned = action_items::plan(tx, item, links.clone()).await;
        let planned = planned.map_err(|error| error.below(&format!("action_items/{index}")));
        action_items.extend(violations.collect(planned)?);
    }
    violations.into_result()?;
    let (subject, contact_id) = about.ok_or_else(|| Error::internal("a check gave nothing"))?;
    let note = Model {
        id,
        subject_type: subject.r#type.into(),
        subject_id: subject.id.into(),
        contact_id,
        issue_id: None,
        work_item_id,
        title: new.title.into(),
        body: new.body.into(),
        author_id: tx.context.actor.author(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    Ok(Planned { note, action_items })
}

impl Planned {
    async fn write(self, tx: &mut Tx) -> Result<CreatedNoteView> {
        let Self { note, action_items: planned } = self;
        tx.create(&note, note::CREATED).await?;
        let mut action_items = Vec::with_capacity(planned.len());
        for item in planned {
            let created = item.write(tx).await?;
            action_items.push(action_items::created_view(tx, created).await?);
        }
        let author_name = tx.name_of(Some(note.author_id)).flatten();
        Ok(CreatedNoteView { note: NoteView::from(Row { note, author_name }), action_items })
    }
}

/// Corrects a note. Its author and managers may.
pub async fn update(tx: &mut Tx, id: Uuid, patch: NotePatch) -> Result<NoteView> {
    let before: Model = tx.target(id, "note").await?;
    let actor = &tx.context.actor;
    if before.author_id != actor.author() && !actor.is_manager() {
        return Err(Error::new(Code::NotAllowed, "A note is corrected by its author or a manager."));
    }
    let mut after = before.clone();
    patch.title.over(&mut after.title);
    patch.body.over(&mut after.body);
    tx.change(&before, after, note::UPDATED).await?;
    find(tx.read(), id).await
}

/// One note.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<NoteView> {
    let mut select = note::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    reader.one::<Row>(&select).await?.map(NoteView::from).ok_or_else(|| Error::not_found("note"))
}

/// A page of notes.
pub async fn page(reader: Reader<'_>, filter: &NoteFilter, request: &PageRequest) -> Result<Page<NoteView>> {
    let column = |column: Column| Expr::col((Entity, column));
    let cluster = contacts::cluster_filter(reader, filter.contact_id).await?;
    let page = list::page::<Row>(reader, request, note::select(request.texts()), |select| {
        if let Some(subject) = &filter.subject {
            select
                .equals(column(Column::SubjectType), Some(subject.0.r#type.clone()))
                .equals(column(Column::SubjectId), Some(subject.0.id.clone()));
        }
        select.matching::<Model>(column(Column::Id), filter.q.as_ref(), reader.backend());
        select
            .any_of(column(Column::ContactId), cluster.as_ref())
            .equals(column(Column::WorkItemId), filter.work_item_id);
        select
            .any_of(column(Column::SubjectType), filter.subject_type.as_ref())
            .equals(column(Column::AuthorId), filter.author)
            .between(column(Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
    })
    .await?;
    Ok(page.map(|row| NoteView::from(row).shortened(request.texts())))
}
