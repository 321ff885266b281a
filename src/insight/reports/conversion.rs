//! What came of work items: how many were sold, by type, source or rep (S3-32).

use std::collections::HashMap;

use sea_orm::{
    FromQueryResult,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait, Order, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    access::{groups::group, users},
    kernel::{
        clock::Timestamp,
        context::Context,
        error::{Error, Result},
        filter::{AnyOf, Narrow, Whose, owned_by},
        reader::Reader,
    },
    work::{
        ownership::Owned,
        queues::tally,
        work_item_types::{self, work_item_type::SOLD},
        work_items::work_item::{Column, Entity, Model},
    },
};

/// How far a report goes back unless it is told.
const DEFAULT_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Rows of a report at the most: those with most items.
const MOST: usize = 200;

crate::choice! {
    /// By what conversion is told apart.
    ConversionBy {
        /// By the type of the items.
        Type = "type",
        /// By where they come from.
        Source = "source",
        /// By whose they are.
        Rep = "rep",
    }
}

/// Alternative owners of the work items that count.
pub type ConversionOwners = AnyOf<Whose>;

/// Which work items count.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConversionFilter {
    /// By what; `type` unless given.
    #[param(inline)]
    pub by: Option<ConversionBy>,
    /// Made at or after; 30 days before the end unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_gte: Option<Timestamp>,
    /// Made before; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    pub created_at_lt: Option<Timestamp>,
    /// Only of these types.
    #[param(value_type = Option<String>, example = "body_type_quiz")]
    pub r#type: Option<AnyOf<String>>,
    /// Only from these sources.
    #[param(value_type = Option<String>, example = "manual")]
    pub source: Option<AnyOf<String>>,
    /// Only whose they are: `me`, `public`, `user:<id>`, `group:<id>`.
    #[param(inline, example = "me")]
    pub assignee: Option<ConversionOwners>,
}

/// What came of the work items that have something in common.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConversionRow {
    /// What they have in common: a type, a source, or `user:<id>`, `group:<id>`, `public`; null for all of them.
    #[schema(required, example = "body_type_quiz")]
    pub key: Option<String>,
    /// The same in words, in the caller's language where there are any.
    #[schema(required, example = "Body Type Quiz")]
    pub label: Option<String>,
    /// How many there are.
    #[schema(example = 120)]
    pub items: i64,
    /// Those that are still worked on.
    #[schema(example = 40)]
    pub active: i64,
    /// Those that an order came of.
    #[schema(example = 30)]
    pub sold: i64,
    /// The part of all of them that an order came of, from 0 to 1; null when there are none.
    #[schema(required, example = 0.25)]
    pub conversion: Option<f64>,
}

/// What came of work items.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConversionView {
    /// By what they are told apart.
    pub by: ConversionBy,
    /// Those made at or after.
    pub created_at_gte: Timestamp,
    /// Those made before.
    pub created_at_lt: Timestamp,
    /// A row for each, those with most items first, at most 200.
    pub data: Vec<ConversionRow>,
    /// All of them.
    pub total: ConversionRow,
}

#[derive(FromQueryResult)]
struct Counted {
    word: Option<String>,
    owner: Option<Uuid>,
    items: i64,
    active: i64,
    sold: i64,
}

impl Counted {
    fn row(self, key: Option<String>, label: Option<String>) -> ConversionRow {
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many items")]
        let conversion = (self.items > 0).then(|| (self.sold as f64 / self.items as f64 * 10_000.0).round() / 10_000.0);
        ConversionRow { key, label, items: self.items, active: self.active, sold: self.sold, conversion }
    }
}

/// How many items of each there were, and how many of them were sold.
pub async fn conversion(reader: Reader<'_>, context: &Context, filter: &ConversionFilter) -> Result<ConversionView> {
    let by = filter.by.unwrap_or(ConversionBy::Type);
    let to = filter.created_at_lt.unwrap_or(context.now);
    let from = filter.created_at_gte.unwrap_or_else(|| to.plus_seconds(-DEFAULT_SECONDS));
    if from > to {
        return Err(Error::parameter("created_at_gte", "range", "The report would end before it begins."));
    }
    let column = |column: Column| Expr::col((Entity, column));
    let sold = Expr::cust(format!("\"work_items\".\"status\" = '{SOLD}'")).or(column(Column::OrderId).is_not_null());
    let mut each = Query::select()
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("items"))
        .expr_as(tally(Model::is_open()), Alias::new("active"))
        .expr_as(tally(sold), Alias::new("sold"))
        .from(Entity)
        .to_owned();
    Narrow::between(&mut each, column(Column::CreatedAt), Some(from), Some(to))
        .any_of(column(Column::Type), filter.r#type.as_ref())
        .any_of(column(Column::Source), filter.source.as_ref());
    if let Some(AnyOf(owners)) = &filter.assignee {
        each.cond_where(owned_by(column(Column::AssigneeId), owners, context.actor.user()));
    }
    let nothing = || Expr::cust("CAST(NULL AS TEXT)");
    let (word, owner) = match by {
        ConversionBy::Type => (Some(Column::Type), None),
        ConversionBy::Source => (Some(Column::Source), None),
        ConversionBy::Rep => (None, Some(Column::AssigneeId)),
    };
    each.expr_as(word.map_or_else(nothing, column), Alias::new("word"))
        .expr_as(owner.map_or_else(nothing, column), Alias::new("owner"))
        .add_group_by(word.or(owner).map(column))
        .order_by(Alias::new("items"), Order::Desc);
    each.order_by((Entity, word.or(owner).unwrap_or(Column::Type)), Order::Asc);
    let mut found = reader.all::<Counted>(&each).await?;
    let sum = |number: fn(&Counted) -> i64| found.iter().map(number).sum();
    let total = Counted {
        word: None,
        owner: None,
        items: sum(|counted| counted.items),
        active: sum(|counted| counted.active),
        sold: sum(|counted| counted.sold),
    };
    found.truncate(MOST);
    let names = Names::of(reader, context, &found).await?;
    let data = found.into_iter().map(|counted| {
        let (key, label) = names.name(by, &counted);
        counted.row(Some(key), Some(label))
    });
    let data = data.collect();
    Ok(ConversionView { by, created_at_gte: from, created_at_lt: to, data, total: total.row(None, None) })
}

/// What keys are called.
struct Names {
    kinds: HashMap<String, String>,
    people: HashMap<Uuid, String>,
    groups: HashMap<Uuid, String>,
}

impl Names {
    async fn of(reader: Reader<'_>, context: &Context, found: &[Counted]) -> Result<Self> {
        let kinds = work_item_types::by_keys(reader, found.iter().filter_map(|counted| counted.word.clone()).collect()).await?;
        let kinds = kinds.into_iter().map(|(key, kind)| (key, kind.label_view(&context.languages).label)).collect();
        let owners: Vec<Uuid> = found.iter().filter_map(|counted| counted.owner).collect();
        let people = users::names(reader, owners.iter().copied()).await?;
        let groups = if owners.is_empty() {
            Vec::new()
        } else {
            reader.models(group::Entity::find().filter(group::Column::Id.is_in(owners))).await?
        };
        Ok(Self { kinds, people, groups: groups.into_iter().map(|group| (group.id, group.name)).collect() })
    }

    fn name(&self, by: ConversionBy, counted: &Counted) -> (String, String) {
        let word = counted.word.clone().unwrap_or_default();
        match (by, counted.owner) {
            (ConversionBy::Type, _) => (word.clone(), self.kinds.get(&word).cloned().unwrap_or(word)),
            (ConversionBy::Source, _) => (word.clone(), word),
            (ConversionBy::Rep, None) => ("public".to_owned(), "Everyone".to_owned()),
            (ConversionBy::Rep, Some(id)) => match self.groups.get(&id) {
                Some(name) => (format!("group:{id}"), name.clone()),
                None => (format!("user:{id}"), self.people.get(&id).cloned().unwrap_or_default()),
            },
        }
    }
}
