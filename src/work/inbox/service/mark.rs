//! Marking what has been read, and what has not.

use sea_orm::{
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    inbox_entry::{self, Column, Entity, Model, Row},
    json::{InboxEntryView, InboxState},
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Code, Error, Result},
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
