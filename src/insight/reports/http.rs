//! The HTTP operations of reports.

use std::marker::PhantomData;

use actix_web::web::Data;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::{
    chart,
    json::{ConversionView, DurationView, ReportView},
    lists::{
        Actions, ClosedIssues, Counted, CreatedItems, Interactions, MadeWorkItems, OpenedIssues, OverdueItems,
    },
    service,
};
use crate::{
    kernel::{
        filter::{AnyOf, Flag},
        http::{Db, List, ListReply, Report, ReportReply, Result, Routes, operation, report::report_params},
    },
    work::{
        action_items::{self, ActionItemFilter, ActionItemPage, Viewer},
        interactions::{self, ActionFilter, InteractionFilter, InteractionPage},
        issues::{self, IssueFilter, IssueOrigin, IssuePage},
        work_items::{self, WorkItemFilter, WorkItemPage},
    },
};

/// Adds the routes.
pub fn routes(routes: &mut Routes) {
    routes
        .service(list_orphaned_work)
        .service(list_orphaned_issues)
        .service(list_orphaned_work_items)
        .service(list_orphaned_interactions)
        .service(report_interactions_by_purpose)
        .service(report_interactions_by_operator)
        .service(report_interactions_by_contact)
        .service(report_interactions_by_originator)
        .service(report_interactions_by_channel)
        .service(report_interactions_by_outcome)
        .service(report_interactions_by_mood)
        .service(report_issues_by_type)
        .service(report_issues_by_assignee)
        .service(report_resources_used)
        .service(report_action_items_by_action)
        .service(report_past_due_by_person)
        .service(report_time_to_close_by_type)
        .service(report_time_to_close_by_assignee)
        .service(report_conversion_by_type)
        .service(report_conversion_by_source)
        .service(report_conversion_by_rep);
}

/// The parameters of reports over a list.
struct ReportOf<L>(PhantomData<L>);

impl<L: Counted> IntoParams for ReportOf<L> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let sorts = if L::seconds().is_some() {
            service::DURATION_SORTS.as_slice()
        } else {
            service::SORTS.as_slice()
        };
        report_params(&service::groups::<L>(""), sorts)
    }
}

/// Counts the rows of a list by one of its columns.
async fn report<L: Counted, V>(db: &Db, asked: Report<L::Filter>, by: &'static str) -> Result<V>
where
    V: From<service::Report>,
{
    service::report::<L>(db.read_lagging(), &asked.context, &asked.params, &asked.filter, by)
        .await
        .map(V::from)
}

/// Declares the operation of one report.
macro_rules! report {
    ($(#[$about:meta])* $name:ident: $path:literal, $title:literal, $list:ty, $filter:ident,
        by $by:literal, $view:ident, reads $($reads:ident),+) => {
        $(#[$about])*
        #[operation(
            get $path,
            scope = ReportsRead $(+ $reads)+,
            params = ReportOf<$list>,
            200 = $view "The figures.",
        )]
        async fn $name(db: Data<Db>, asked: Report<$filter>) -> Result<ReportReply> {
            let format = asked.format;
            let view: $view = report::<$list, _>(&db, asked, $by).await?;
            ReportReply::of(format, &view, &view.data, || chart::draw($title, &view.data, &view.totals))
        }
    };
}

report! {
    /// Count interactions by purpose
    ///
    /// How many interactions took place in a span of days, by purpose (S1-12), of those that the list's own
    /// filter finds. Each number leads to its rows.
    report_interactions_by_purpose: "/reports/interactions-by-purpose",
    "Interactions by purpose", Interactions, InteractionFilter,
    by "purpose", ReportView, reads InteractionsRead
}

report! {
    /// Count interactions by operator
    ///
    /// How many interactions each person or API key recorded (S1-13, S4-28), of those that the list's own
    /// filter finds.
    report_interactions_by_operator: "/reports/interactions-by-operator",
    "Interactions by operator", Interactions, InteractionFilter,
    by "operator", ReportView, reads InteractionsRead
}

report! {
    /// Count interactions by contact
    ///
    /// How many interactions there were with each contact (S1-14), a merged one counted as its survivor.
    report_interactions_by_contact: "/reports/interactions-by-contact",
    "Interactions by contact", Interactions, InteractionFilter,
    by "contact", ReportView, reads InteractionsRead, ContactsRead
}

report! {
    /// Count interactions by originator
    ///
    /// Who began them: the customer, somebody on staff, or nobody (S4-31).
    report_interactions_by_originator: "/reports/interactions-by-originator",
    "Interactions by originator", Interactions, InteractionFilter,
    by "originator", ReportView, reads InteractionsRead
}

report! {
    /// Count interactions by channel
    ///
    /// How they took place (S4-28): by phone, by e-mail, …
    report_interactions_by_channel: "/reports/interactions-by-channel",
    "Interactions by channel", Interactions, InteractionFilter,
    by "channel", ReportView, reads InteractionsRead
}

report! {
    /// Count interactions by outcome
    ///
    /// What came of them (S1-6, S1-17); `none` are those without an outcome.
    report_interactions_by_outcome: "/reports/interactions-by-outcome",
    "Interactions by outcome", Interactions, InteractionFilter,
    by "outcome", ReportView, reads InteractionsRead
}

report! {
    /// Count interactions by mood
    ///
    /// In what mood customers were (S1-17); `none` are those without one.
    report_interactions_by_mood: "/reports/interactions-by-mood",
    "Interactions by mood", Interactions, InteractionFilter,
    by "mood", ReportView, reads InteractionsRead
}

report! {
    /// Count issues by type
    ///
    /// How many issues were opened in a span of days, open and closed ones, by type (S4-27): an issue of
    /// several types counts for each; `none` are uncategorised; `all_others` have a type that is not shown.
    /// Automatic ones count only with `origin`.
    report_issues_by_type: "/reports/issues-by-type",
    "Issues by type", OpenedIssues, IssueFilter,
    by "type", ReportView, reads IssuesRead
}

report! {
    /// Count issues by assignee
    ///
    /// How many issues were opened in a span of days, by whose they are now (S4-30).
    report_issues_by_assignee: "/reports/issues-by-assignee",
    "Issues by assignee", OpenedIssues, IssueFilter,
    by "assignee", ReportView, reads IssuesRead
}

report! {
    /// Count the resources that were used
    ///
    /// In how many actions each resource was used (S4-29), by when their interactions took place. The rows
    /// are actions.
    report_resources_used: "/reports/resources-used",
    "Resources used", Actions, ActionFilter,
    by "resource", ReportView, reads InteractionsRead
}

report! {
    /// Count action items by action
    ///
    /// What there was to do, by when it was asked for (S1-17); done or not, unless `status` says otherwise.
    report_action_items_by_action: "/reports/action-items-by-action",
    "Action items by action", CreatedItems, ActionItemFilter,
    by "action", ReportView, reads ActionItemsRead
}

report! {
    /// Count what is past due by person
    ///
    /// Open items whose date has passed, by the person or group that has them (S4-30); `from` and `to` are
    /// about that date.
    report_past_due_by_person: "/reports/past-due-by-person",
    "Past due by person", OverdueItems, ActionItemFilter,
    by "assignee", ReportView, reads ActionItemsRead
}

report! {
    /// Read how long issues took by type
    ///
    /// From opening to closing, of issues that were closed in a span of days (S4-30): the average, and what
    /// half and nine in ten of them took at the most (nearest rank).
    report_time_to_close_by_type: "/reports/time-to-close-by-type",
    "Time to close by type", ClosedIssues, IssueFilter,
    by "type", DurationView, reads IssuesRead
}

report! {
    /// Read how long issues took by assignee
    ///
    /// From opening to closing, of issues that were closed in a span of days (S4-30), by whose they were.
    report_time_to_close_by_assignee: "/reports/time-to-close-by-assignee",
    "Time to close by assignee", ClosedIssues, IssueFilter,
    by "assignee", DurationView, reads IssuesRead
}

report! {
    /// Read what came of work items by type
    ///
    /// How many work items were made in a span of days, and of how many of them an order came (S3-32), by
    /// type.
    report_conversion_by_type: "/reports/conversion-by-type",
    "Conversion by type", MadeWorkItems, WorkItemFilter,
    by "type", ConversionView, reads WorkItemsRead
}

report! {
    /// Read what came of work items by source
    ///
    /// How many work items were made in a span of days, and of how many of them an order came (S3-32), by
    /// where they come from.
    report_conversion_by_source: "/reports/conversion-by-source",
    "Conversion by source", MadeWorkItems, WorkItemFilter,
    by "source", ConversionView, reads WorkItemsRead
}

report! {
    /// Read what came of work items by rep
    ///
    /// How many work items were made in a span of days, and of how many of them an order came (S3-32), by
    /// whose they are now.
    report_conversion_by_rep: "/reports/conversion-by-rep",
    "Conversion by rep", MadeWorkItems, WorkItemFilter,
    by "assignee", ConversionView, reads WorkItemsRead
}

/// List work without a live owner
///
/// Open items of people who are gone or of groups without an active member. The promise is that
/// this list is always empty (S0-16); it is here to be checked. Sorts: `due_at` (default),
/// `created_at`, `priority`. Expands: `labels`, `contact`.
#[operation(
    get "/reports/orphaned-work",
    scope = ReportsRead + ActionItemsRead,
    200 = ActionItemPage "An empty page.",
)]
async fn list_orphaned_work(db: Data<Db>, list: List) -> Result<ListReply> {
    let viewer = Viewer::of(&list.context);
    let everything = ActionItemFilter { include_completed: Some(Flag(true)), ..ActionItemFilter::default() };
    let page = action_items::page(
        db.read(),
        &list.context,
        &viewer,
        &everything,
        action_items::orphaned(list.page.texts()),
        &list.page,
    )
    .await?;
    ListReply::of(&list, &page)
}

/// List issues without a live owner
///
/// Open issues of people who are gone or of groups without an active member. The promise is that this list is
/// always empty (S0-16); it is here to be checked. Sorts: `opened_at` (default `-opened_at`), `number`.
/// Expands: `labels`.
#[operation(
    get "/reports/orphaned-issues",
    scope = ReportsRead + IssuesRead,
    200 = IssuePage "An empty page.",
)]
async fn list_orphaned_issues(db: Data<Db>, list: List) -> Result<ListReply> {
    let everything = IssueFilter {
        origin: Some(AnyOf(vec![IssueOrigin::Manual, IssueOrigin::Automatic])),
        ..IssueFilter::default()
    };
    let page = issues::page(db.read(), &list.context, &everything, issues::orphaned(), &list.page).await?;
    ListReply::of(&list, &page)
}

/// List work items without a live owner
///
/// Active work items of people who are gone or of groups without an active member. The promise is that this
/// list is always empty (S0-16); it is here to be checked. Sorts: `created_at` (default `-created_at`),
/// `number`, `priority`. Expands: `labels`.
#[operation(
    get "/reports/orphaned-work-items",
    scope = ReportsRead + WorkItemsRead,
    200 = WorkItemPage "An empty page.",
)]
async fn list_orphaned_work_items(db: Data<Db>, list: List) -> Result<ListReply> {
    let everything = WorkItemFilter { include_inactive: Some(Flag(true)), ..WorkItemFilter::default() };
    let page = work_items::page(
        db.read(),
        &list.context,
        &everything,
        work_items::orphaned(list.page.texts()),
        &list.page,
    )
    .await?;
    ListReply::of(&list, &page)
}

/// List what contacts sent without a live owner
///
/// Unanswered e-mails, SMS and calls of people who are gone or of groups without an active member. The
/// promise is that this list is always empty (S0-16); it is here to be checked. Sorts: `occurred_at` (default
/// `-occurred_at`), `recorded_at`. Expands: `labels`, `follow_up`.
#[operation(
    get "/reports/orphaned-interactions",
    scope = ReportsRead + InteractionsRead,
    200 = InteractionPage "An empty page.",
)]
async fn list_orphaned_interactions(db: Data<Db>, list: List) -> Result<ListReply> {
    let page = interactions::page(
        db.read(),
        &list.context,
        &InteractionFilter::default(),
        interactions::orphaned(list.page.texts()),
        &list.page,
    )
    .await?;
    ListReply::of(&list, &page)
}
