//! Interactions as others see them.

use std::collections::HashMap;

use sea_orm::{
    QueryFilter, QueryOrder, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};

use super::super::{
    action,
    interaction::{self, Column, Entity, Row},
    json::{ActionView, InteractionView},
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Error, Result},
        list::{Listed, Texts},
        reader::Reader,
    },
};

/// One interaction.
pub async fn find(reader: Reader<'_>, id: Uuid) -> Result<InteractionView> {
    let mut select = interaction::select(Texts::Whole);
    select.and_where(Expr::col((Entity, Column::Id)).eq(id));
    let row = reader.one::<Row>(&select).await?.ok_or_else(|| Error::not_found("interaction"))?;
    views(reader, vec![row], Texts::Whole)
        .await?
        .pop()
        .ok_or_else(|| Error::internal("an interaction has no view"))
}

/// Bytes of the actions that one interaction is shown with at the most, and all those of a page.
const MAX_ACTIONS: (usize, usize) = (8 << 20, 2 << 20);

/// Interactions as others see them: their contacts and their actions in one query each for all.
pub async fn views(reader: Reader<'_>, rows: Vec<Row>, texts: Texts<'_>) -> Result<Vec<InteractionView>> {
    let contacts: Vec<Uuid> = rows.iter().map(|row| row.interaction.contact_id).collect();
    let contacts = contacts::named(reader, &contacts).await?;
    let mut actions: HashMap<Uuid, Vec<ActionView>> = HashMap::new();
    // Of this interaction and those behind it some actions were too much.
    let mut incomplete_from = None;
    if !rows.is_empty() {
        let (shown, most) = match texts {
            Texts::Whole => (Texts::Whole, MAX_ACTIONS.0),
            Texts::Short(_) | Texts::First(_) => (Texts::Short(&[]), MAX_ACTIONS.1),
        };
        let theirs = shown.of::<action::Entity>(action::Model::TEXTS);
        let theirs =
            theirs.filter(action::Column::InteractionId.is_in(rows.iter().map(|row| row.interaction.id)));
        let theirs =
            theirs.order_by_asc(action::Column::InteractionId).order_by_asc(action::Column::CreatedAt);
        let theirs = theirs.order_by_asc(action::Column::Id).into_query();
        let (found, too_many) = reader.all_within::<action::Model>(&theirs, most).await?;
        incomplete_from = found.last().filter(|_| too_many).map(|last| last.interaction_id);
        for action in found {
            actions.entry(action.interaction_id).or_default().push(ActionView::from(action).shortened(shown));
        }
    }
    let view = |row: Row| {
        let contact = contacts.get(&row.interaction.contact_id).cloned();
        let id = row.interaction.id;
        let mut view =
            InteractionView::new(row, contact, actions.remove(&id).unwrap_or_default()).shortened(texts);
        view.truncated.extend(incomplete_from.filter(|from| id >= *from).map(|_| "actions"));
        view
    };
    Ok(rows.into_iter().map(view).collect())
}
