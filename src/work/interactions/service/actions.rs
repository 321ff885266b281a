//! Actions, single and in lists.

use sea_orm::{
    EntityTrait, QueryTrait,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::super::{
    action, action_info_used,
    interaction::{Column, Entity},
    json::{ActionFilter, ActionView},
};
use super::filter::{Related, people, related};
use crate::{
    customers::contacts,
    kernel::{
        context::Context,
        error::{Error, Result},
        filter::{AnyOf, FilterExt},
        list::{self, Listed, Page, PageRequest},
        reader::Reader,
    },
};

/// One action.
pub async fn find_action(reader: Reader<'_>, id: Uuid) -> Result<ActionView> {
    let action = reader.model(action::Entity::find_by_id(id)).await?;
    action.map(ActionView::from).ok_or_else(|| Error::not_found("action"))
}

/// A page of actions.
pub async fn actions(
    reader: Reader<'_>,
    context: &Context,
    filter: &ActionFilter,
    request: &PageRequest,
) -> Result<Page<ActionView>> {
    let related = related(reader, filter.contact_id, filter.issue_id).await?;
    let narrow = |select: &mut SelectStatement| narrow_actions(select, context, filter, related);
    let all = request.texts().of::<action::Entity>(action::Model::TEXTS).into_query();
    let page = list::page::<action::Model>(reader, request, all, narrow).await?;
    Ok(page.map(|action| ActionView::from(action).shortened(request.texts())))
}

/// The actions that a filter finds.
pub async fn filtered_actions_query(
    reader: Reader<'_>,
    context: &Context,
    filter: &ActionFilter,
) -> Result<SelectStatement> {
    let related = related(reader, filter.contact_id, filter.issue_id).await?;
    let mut select = Query::select().from(action::Entity).to_owned();
    narrow_actions(&mut select, context, filter, related);
    Ok(select)
}

fn narrow_actions(select: &mut SelectStatement, context: &Context, filter: &ActionFilter, related: Related) {
    let column = |column: action::Column| Expr::col((action::Entity, column));
    contacts::narrow_by(select, &column(action::Column::ContactId), filter.contact(), context.actor.user());
    select
        .any_of(column(action::Column::IssueId), related.issues.map(AnyOf).as_ref())
        .any_of(column(action::Column::ContactId), related.contacts.as_ref())
        .equals(column(action::Column::InteractionId), filter.interaction_id)
        .equals(column(action::Column::FollowUpRequired), filter.follow_up_required.map(|flag| flag.0))
        .between(column(action::Column::CreatedAt), filter.created_at_gte, filter.created_at_lt);
    let used = |like: &dyn Fn(Expr) -> Expr| {
        let column = |column: action_info_used::Column| Expr::col((action_info_used::Entity, column));
        let mut used = Query::select();
        used.expr(Expr::val(1))
            .from(action_info_used::Entity)
            .and_where(
                column(action_info_used::Column::ActionId).equals((action::Entity, action::Column::Id)),
            )
            .and_where(like(column(action_info_used::Column::Info)));
        Expr::exists(used)
    };
    if let Some(AnyOf(info)) = &filter.info_used {
        select.and_where(used(&|column| column.is_in(info)));
    }
    if let Some(AnyOf(info)) = &filter.info_used_not {
        select.and_where(used(&|column| column.is_not_in(info)));
    }
    if filter.operator.is_some() || filter.occurred_at_gte.or(filter.occurred_at_lt).is_some() {
        let column = |column: Column| Expr::col((Entity, column));
        let mut interaction = Query::select();
        interaction
            .expr(Expr::val(1))
            .from(Entity)
            .and_where(column(Column::Id).equals((action::Entity, action::Column::InteractionId)))
            .any_of(column(Column::OperatorId), people(filter.operator.as_ref(), context).as_ref())
            .between(column(Column::OccurredAt), filter.occurred_at_gte, filter.occurred_at_lt);
        select.and_where(Expr::exists(interaction));
    }
}
