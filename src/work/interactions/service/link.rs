//! Saying afterwards what an interaction did about an issue.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*, sea_query::Expr};

use super::super::{
    action, action_info_used,
    interaction::{self, Column, Entity, Model},
    json::{ActionDetails, ActionView},
};
use super::{
    act::{act, check_info, distinct, use_info},
    actions::find_action,
    respond::answer_earlier,
};
use crate::{
    customers::contacts,
    kernel::{
        error::{Code, Error, Result},
        events::Change,
        record::Record,
        tx::Tx,
    },
    work::issues,
};

/// Says what an interaction did about an issue, or says it anew; whether it is the first time.
pub async fn link(
    tx: &mut Tx,
    issue_id: Uuid,
    interaction_id: Uuid,
    details: ActionDetails,
) -> Result<(ActionView, bool)> {
    let issue = issues::live(tx.read(), issue_id).await?;
    // Locked, so that of two at once one is the first.
    let interaction: Model = tx.lock::<Entity>(interaction_id, "interaction").await?;
    let held = action::Entity::find()
        .filter(action::Column::InteractionId.eq(interaction_id))
        .filter(action::Column::IssueId.eq(issue.id));
    let Some(before) = tx.read().model(held).await? else {
        if tx.context.if_match.take().is_some() {
            return Err(Error::new(Code::Stale, "This interaction has not dealt with the issue yet."));
        }
        check_info(tx, &details.info_used, &[]).await?;
        let action = act(tx, &interaction, (issue.id, issue.number), details).await?;
        let contacts = contacts::cluster(tx.read(), interaction.contact_id).await?;
        answer_earlier(tx, &interaction, &contacts, &[issue.id]).await?;
        touch(tx, interaction).await?;
        return Ok((find_action(tx.read(), action.id).await?, true));
    };
    tx.check_version(&before, "action")?;
    check_info(tx, &details.info_used, &before.info_used.0).await?;
    let ActionDetails { details, follow_up_required, info_used } = details;
    let after = action::Model {
        details: details.into(),
        follow_up_required,
        info_used: distinct(info_used),
        ..before.clone()
    };
    let after = tx.change(&before, after, action::UPDATED).await?;
    if after.info_used != before.info_used {
        let used =
            action_info_used::Entity::delete_many().filter(action_info_used::Column::ActionId.eq(after.id));
        tx.execute(&used.into_query()).await?;
        use_info(tx, &after, &interaction).await?;
    }
    if after.version != before.version {
        touch(tx, interaction).await?;
    }
    Ok((find_action(tx.read(), after.id).await?, false))
}

/// An interaction changes with its actions, so that its ETag tells.
async fn touch(tx: &mut Tx, before: Model) -> Result<()> {
    let mut after = before.clone();
    after.touch(tx.now);
    let update = Entity::update_many()
        .col_expr(Column::Version, Expr::val(after.version))
        .col_expr(Column::UpdatedAt, Expr::val(after.updated_at))
        .filter(Column::Id.eq(after.id));
    tx.execute(&update.into_query()).await?;
    tx.record(Change::Changed { before: &before, after: &after }, interaction::UPDATED).await
}
