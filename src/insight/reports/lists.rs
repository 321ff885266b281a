//! The lists that are counted, and by what.

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, SelectStatement};

use super::wording::Wording;
use crate::{
    customers::contacts::contact,
    kernel::{
        context::Context,
        error::Result,
        filter::{Filter, FilterExt},
        reader::Reader,
    },
    work::{
        action_items::{self, ActionItemFilter, Viewer, action_item},
        interactions::{self, ActionFilter, InteractionFilter, action, action_info_used, interaction},
        issues::{self, IssueFilter, UNCATEGORISED, issue, issue_type},
        ownership::Owned,
        work_item_types::{CATEGORIES, work_item_type::SOLD},
        work_items::{self, WorkItemFilter, work_item},
    },
};

/// How keys are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLabels {
    /// By the labels of a picklist.
    Picklist(&'static str),
    /// They are words.
    Choice,
    /// They are what they are called.
    Plain,
    /// They are types of work items.
    WorkItemType,
    /// They are people or API keys.
    Person,
    /// They are people or groups.
    Owner,
    /// They are contacts.
    Contact,
}

/// How the list is asked for rows that have no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Every row has one.
    Never,
    /// By `<parameter>_exists=false`.
    Unset,
    /// By a word of the same parameter.
    Word(&'static str, Wording),
}

impl Absent {
    /// What such rows are called.
    #[must_use]
    pub const fn wording(self) -> Wording {
        match self {
            Self::Word(_, wording) => wording,
            Self::Never | Self::Unset => Wording::None,
        }
    }
}

/// What the rows of a list are counted by.
pub struct Dimension {
    /// As reports name it.
    pub name: &'static str,
    /// The parameter by which the list finds the rows of a key; with `_not`, those of other keys.
    pub parameter: &'static str,
    pub column: fn() -> Expr,
    /// What must be joined for the column.
    pub join: Option<fn(&mut SelectStatement)>,
    pub words: KeyLabels,
    pub absent: Absent,
    /// Whether a row can have several keys.
    pub many: bool,
}

impl Dimension {
    /// Whether it can split the numbers of another: its keys are few, and a row has one.
    pub const fn splits(&self) -> bool {
        matches!(self.words, KeyLabels::Picklist(_) | KeyLabels::Choice) && !self.many
    }

    const fn of(name: &'static str, column: fn() -> Expr, words: KeyLabels, absent: Absent) -> Self {
        Self { name, parameter: name, column, join: None, words, absent, many: false }
    }
}

/// A list whose rows are counted.
pub trait Counted: 'static {
    /// The list's own filter.
    type Filter: Filter;
    /// Where the list is.
    const PATH: &'static str;
    /// The time that a report is about, as the list's parameters name it.
    const TIME: &'static str;
    /// How many days a report is about unless it is told; none for all time.
    const DAYS: Option<u64> = Some(30);
    /// Whether only what is before the present counts.
    const PAST: bool = false;
    /// What a report says to the list unless the caller does.
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[];
    const DIMENSIONS: &'static [Dimension];
    /// The column of that time.
    fn time() -> Expr;
    /// The column of the id.
    fn id() -> Expr;
    /// How many seconds a row took, where that is what the report is about.
    fn seconds() -> Option<Expr> {
        None
    }
    /// Whether a row is still worked on, and whether an order came of it, where that is what the report is
    /// about.
    fn outcomes() -> Option<[Expr; 2]> {
        None
    }
    /// The rows that a filter finds, with nothing selected of them.
    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &Self::Filter,
    ) -> Result<SelectStatement>;
}

/// Joins the survivor of the contact of each row.
fn join_contact(select: &mut SelectStatement, column: Expr) {
    select.join(
        JoinType::InnerJoin,
        contact::Entity,
        Expr::col((contact::Entity, contact::Column::Id)).eq(column),
    );
}

fn survivor() -> Expr {
    Expr::col((contact::Entity, contact::Column::RootId))
}

/// Interactions, by when they took place.
pub struct Interactions;

fn of_interaction(column: interaction::Column) -> Expr {
    Expr::col((interaction::Entity, column))
}

impl Counted for Interactions {
    type Filter = InteractionFilter;
    const PATH: &'static str = "/v1/interactions";
    const TIME: &'static str = "occurred_at";
    const DIMENSIONS: &'static [Dimension] = &[
        Dimension::of(
            "purpose",
            || of_interaction(interaction::Column::Purpose),
            KeyLabels::Picklist("purposes"),
            Absent::Unset,
        ),
        Dimension::of(
            "outcome",
            || of_interaction(interaction::Column::Outcome),
            KeyLabels::Picklist("outcomes"),
            Absent::Unset,
        ),
        Dimension::of(
            "mood",
            || of_interaction(interaction::Column::Mood),
            KeyLabels::Picklist("moods"),
            Absent::Unset,
        ),
        Dimension::of(
            "channel",
            || of_interaction(interaction::Column::Channel),
            KeyLabels::Picklist("channels"),
            Absent::Never,
        ),
        Dimension::of(
            "originator",
            || of_interaction(interaction::Column::Originator),
            KeyLabels::Choice,
            Absent::Never,
        ),
        Dimension::of(
            "direction",
            || of_interaction(interaction::Column::Direction),
            KeyLabels::Choice,
            Absent::Never,
        ),
        Dimension::of(
            "call_result",
            || of_interaction(interaction::Column::CallResult),
            KeyLabels::Choice,
            Absent::Unset,
        ),
        Dimension::of(
            "operator",
            || of_interaction(interaction::Column::OperatorId),
            KeyLabels::Person,
            Absent::Never,
        ),
        Dimension {
            parameter: "contact_id",
            join: Some(|select| join_contact(select, of_interaction(interaction::Column::ContactId))),
            ..Dimension::of("contact", survivor, KeyLabels::Contact, Absent::Never)
        },
    ];

    fn time() -> Expr {
        of_interaction(interaction::Column::OccurredAt)
    }

    fn id() -> Expr {
        of_interaction(interaction::Column::Id)
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &InteractionFilter,
    ) -> Result<SelectStatement> {
        interactions::filtered_query(reader, context, filter).await
    }
}

/// Issues, by when they were opened.
pub struct OpenedIssues;

/// Issues, by when they were closed and how long that took.
pub struct ClosedIssues;

fn of_issue(column: issue::Column) -> Expr {
    Expr::col((issue::Entity, column))
}

const ISSUE_DIMENSIONS: &[Dimension] = &[
    Dimension {
        join: Some(|select| {
            let own = Expr::col((issue_type::Entity, issue_type::Column::IssueId))
                .equals((issue::Entity, issue::Column::Id));
            select.join(JoinType::LeftJoin, issue_type::Entity, own);
        }),
        many: true,
        ..Dimension::of(
            "type",
            || Expr::col((issue_type::Entity, issue_type::Column::Type)),
            KeyLabels::Picklist("issue_types"),
            Absent::Word(UNCATEGORISED, Wording::Uncategorised),
        )
    },
    Dimension::of(
        "assignee",
        || of_issue(issue::Column::AssigneeId),
        KeyLabels::Owner,
        Absent::Word("public", Wording::Everyone),
    ),
    Dimension::of("status", || of_issue(issue::Column::Status), KeyLabels::Choice, Absent::Never),
    Dimension::of("origin", || of_issue(issue::Column::Origin), KeyLabels::Choice, Absent::Never),
];

impl Counted for OpenedIssues {
    type Filter = IssueFilter;
    const PATH: &'static str = "/v1/issues";
    const TIME: &'static str = "opened_at";
    const DEFAULTS: &'static [(&'static str, &'static str)] =
        &[("status", "open,closed"), ("origin", "manual")];
    const DIMENSIONS: &'static [Dimension] = ISSUE_DIMENSIONS;

    fn time() -> Expr {
        of_issue(issue::Column::OpenedAt)
    }

    fn id() -> Expr {
        of_issue(issue::Column::Id)
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &IssueFilter,
    ) -> Result<SelectStatement> {
        issues::filtered_query(reader, context, filter).await
    }
}

impl Counted for ClosedIssues {
    type Filter = IssueFilter;
    const PATH: &'static str = "/v1/issues";
    const TIME: &'static str = "closed_at";
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("status", "closed"), ("origin", "manual")];
    const DIMENSIONS: &'static [Dimension] = ISSUE_DIMENSIONS;

    fn time() -> Expr {
        of_issue(issue::Column::ClosedAt)
    }

    fn id() -> Expr {
        of_issue(issue::Column::Id)
    }

    fn seconds() -> Option<Expr> {
        Some(Expr::cust(r#"("issues"."closed_at" - "issues"."opened_at") / 1000000"#))
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &IssueFilter,
    ) -> Result<SelectStatement> {
        issues::filtered_query(reader, context, filter).await
    }
}

/// Actions on issues, by when their interactions took place.
pub struct Actions;

impl Counted for Actions {
    type Filter = ActionFilter;
    const PATH: &'static str = "/v1/actions";
    const TIME: &'static str = "occurred_at";
    const DIMENSIONS: &'static [Dimension] = &[Dimension {
        parameter: "info_used",
        join: Some(|select| {
            let own = Expr::col((action_info_used::Entity, action_info_used::Column::ActionId))
                .equals((action::Entity, action::Column::Id));
            select.join(JoinType::InnerJoin, action_info_used::Entity, own);
        }),
        many: true,
        ..Dimension::of(
            "resource",
            || Expr::col((action_info_used::Entity, action_info_used::Column::Info)),
            KeyLabels::Picklist("info_used"),
            Absent::Never,
        )
    }];

    fn time() -> Expr {
        of_interaction(interaction::Column::OccurredAt)
    }

    fn id() -> Expr {
        Expr::col((action::Entity, action::Column::Id))
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &ActionFilter,
    ) -> Result<SelectStatement> {
        let mut found = interactions::filtered_actions_query(reader, context, filter).await?;
        let own =
            of_interaction(interaction::Column::Id).equals((action::Entity, action::Column::InteractionId));
        // Said again, so that the planner may begin there.
        found.join(JoinType::InnerJoin, interaction::Entity, own).between(
            Self::time(),
            filter.occurred_at_gte,
            filter.occurred_at_lt,
        );
        Ok(found)
    }
}

/// Action items, by when they were made.
pub struct CreatedItems;

/// Open action items whose date has passed.
pub struct OverdueItems;

fn of_item(column: action_item::Column) -> Expr {
    Expr::col((action_item::Entity, column))
}

const ITEM_DIMENSIONS: &[Dimension] = &[
    Dimension::of(
        "action",
        || of_item(action_item::Column::Action),
        KeyLabels::Picklist("actions"),
        Absent::Unset,
    ),
    Dimension::of(
        "assignee",
        || of_item(action_item::Column::AssigneeId),
        KeyLabels::Owner,
        Absent::Word("public", Wording::Everyone),
    ),
    Dimension::of("status", || of_item(action_item::Column::Status), KeyLabels::Choice, Absent::Never),
];

impl Counted for CreatedItems {
    type Filter = ActionItemFilter;
    const PATH: &'static str = "/v1/action-items";
    const TIME: &'static str = "created_at";
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("status", "open,completed,cancelled")];
    const DIMENSIONS: &'static [Dimension] = ITEM_DIMENSIONS;

    fn time() -> Expr {
        of_item(action_item::Column::CreatedAt)
    }

    fn id() -> Expr {
        of_item(action_item::Column::Id)
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &ActionItemFilter,
    ) -> Result<SelectStatement> {
        action_items::filtered_query(reader, filter, &Viewer::of(context)).await
    }
}

impl Counted for OverdueItems {
    type Filter = ActionItemFilter;
    const PATH: &'static str = "/v1/action-items";
    const TIME: &'static str = "due_at";
    const DAYS: Option<u64> = None;
    const PAST: bool = true;
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("status", "open")];
    const DIMENSIONS: &'static [Dimension] = ITEM_DIMENSIONS;

    fn time() -> Expr {
        of_item(action_item::Column::DueAt)
    }

    fn id() -> Expr {
        of_item(action_item::Column::Id)
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &ActionItemFilter,
    ) -> Result<SelectStatement> {
        action_items::filtered_query(reader, filter, &Viewer::of(context)).await
    }
}

/// Work items, by when they were made and what came of them.
pub struct MadeWorkItems;

fn of_work(column: work_item::Column) -> Expr {
    Expr::col((work_item::Entity, column))
}

impl Counted for MadeWorkItems {
    type Filter = WorkItemFilter;
    const PATH: &'static str = "/v1/work-items";
    const TIME: &'static str = "created_at";
    const DEFAULTS: &'static [(&'static str, &'static str)] = &[("include_inactive", "true")];
    const DIMENSIONS: &'static [Dimension] = &[
        Dimension::of("type", || of_work(work_item::Column::Type), KeyLabels::WorkItemType, Absent::Never),
        Dimension::of("source", || of_work(work_item::Column::Source), KeyLabels::Plain, Absent::Never),
        Dimension::of(
            "assignee",
            || of_work(work_item::Column::AssigneeId),
            KeyLabels::Owner,
            Absent::Word("public", Wording::Everyone),
        ),
        Dimension::of(
            "category",
            || of_work(work_item::Column::Category),
            KeyLabels::Picklist(CATEGORIES),
            Absent::Never,
        ),
    ];

    fn time() -> Expr {
        of_work(work_item::Column::CreatedAt)
    }

    fn id() -> Expr {
        of_work(work_item::Column::Id)
    }

    fn outcomes() -> Option<[Expr; 2]> {
        let sold =
            of_work(work_item::Column::Status).eq(SOLD).or(of_work(work_item::Column::OrderId).is_not_null());
        Some([work_item::Model::is_open(), sold])
    }

    async fn filtered_query(
        reader: Reader<'_>,
        context: &Context,
        filter: &WorkItemFilter,
    ) -> Result<SelectStatement> {
        work_items::filtered_query(reader, context, filter).await
    }
}
