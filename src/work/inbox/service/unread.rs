//! What has been read, and what has not.

use sea_orm::{
    QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, SelectStatement},
};

use super::super::{
    inbox_entry::{self, Column, Entity, Model, Row},
    json::{InboxEntryView, InboxState},
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Code, Error, Result},
        list,
        reader::Reader,
        record::Record,
        tx::Tx,
    },
    work::{interactions::interaction, work_items::work_item},
};

/// Marks an entry of one's own inbox read or unread (S3-10).
pub async fn mark(tx: &mut Tx, id: Uuid, state: InboxState) -> Result<InboxEntryView> {
    let before: Model = tx.target(id, "inbox entry").await?;
    if tx.context.actor.person()? != before.user_id {
        return Err(Error::new(Code::NotYourQueue, "It lies in another person's inbox."));
    }
    let unread = state == InboxState::Unread;
    if before.unread != unread {
        let after = Model { unread, read_at: (!unread).then_some(tx.now), ..before.clone() };
        tx.change(&before, after, if unread { inbox_entry::UNREAD } else { inbox_entry::READ }).await?;
    }
    let mut select = inbox_entry::of(before.user_id);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let mut row = tx.read().one::<Row>(&select).await?.ok_or_else(|| Error::not_found("inbox entry"))?;
    if !tx.context.actor.may_read(if before.is_work {
        work_item::Model::KIND
    } else {
        interaction::Model::KIND
    }) {
        row = Row { subject_line: None, work_item_type: None, description: None, ..row };
    }
    let contact = contacts::named(tx.read(), &[row.entry.contact_id]).await?.remove(&row.entry.contact_id);
    Ok(InboxEntryView::new(row, contact))
}

fn unread_communications(owner: Uuid) -> SelectStatement {
    let unread = Entity::find()
        .filter(Column::OwnerId.eq(owner))
        .filter(Column::IsWork.eq(false))
        .filter(Column::Unread.eq(true));
    unread.into_query()
}

/// How much of what contacts sent somebody has not read.
pub async fn unread_of(reader: Reader<'_>, person: Uuid) -> Result<u64> {
    reader.count(unread_communications(person), list::COUNT_LIMIT).await
}

/// How much of what contacts sent to a group somebody has not read who is the last of it.
pub async fn unread_of_group(reader: Reader<'_>, group: Uuid, last: Uuid) -> Result<u64> {
    let mut unread = unread_communications(group);
    unread.and_where(Column::UserId.eq(last));
    reader.count(unread, list::COUNT_LIMIT).await
}
