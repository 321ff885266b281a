//! The door to reports.

use actix_web::{get, web::Data};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    kernel::{
        filter::{AnyOf, Flag},
        http::{Db, List, Listing, Result},
    },
    work::{
        action_items::{self, ActionItemFilter, ActionItemPage, Viewer},
        issues::{self, IssueFilter, IssueOrigin, IssuePage},
        work_items::{self, WorkItemFilter, WorkItemPage},
    },
};

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig) {
    config.service(list_orphaned_work).service(list_orphaned_issues).service(list_orphaned_work_items);
}

/// List work without a live owner
///
/// Open items of people who are gone or of groups without an active member. The promise is that
/// this list is always empty (S0-16); it is here to be checked. Sorts: `due_at` (default),
/// `created_at`, `priority`. Expands: `labels`, `contact`.
#[utoipa::path(tag = "reports", security(("bearer" = ["reports:read"])), params(ActionItemPage), responses((status = 200, description = "An empty page.", body = ActionItemPage)))]
#[get("/reports/orphaned-work")]
async fn list_orphaned_work(db: Data<Db>, list: List) -> Result<Listing> {
    let viewer = Viewer::of(&list.context);
    let everything = ActionItemFilter { include_completed: Some(Flag(true)), ..ActionItemFilter::default() };
    let page = action_items::page(db.read(), &list.context, &viewer, &everything, action_items::orphaned(), &list.page).await?;
    Listing::of(&list, &page)
}

/// List issues without a live owner
///
/// Open issues of people who are gone or of groups without an active member. The promise is that this list is always
/// empty (S0-16); it is here to be checked. Sorts: `opened_at` (default `-opened_at`), `number`. Expands: `labels`.
#[utoipa::path(tag = "reports", security(("bearer" = ["reports:read"])), params(IssuePage), responses((status = 200, description = "An empty page.", body = IssuePage)))]
#[get("/reports/orphaned-issues")]
async fn list_orphaned_issues(db: Data<Db>, list: List) -> Result<Listing> {
    let everything = IssueFilter { origin: Some(AnyOf(vec![IssueOrigin::Manual, IssueOrigin::Automatic])), ..IssueFilter::default() };
    let page = issues::page(db.read(), &list.context, &everything, issues::orphaned(), &list.page).await?;
    Listing::of(&list, &page)
}

/// List work items without a live owner
///
/// Active work items of people who are gone or of groups without an active member. The promise is that this list is always
/// empty (S0-16); it is here to be checked. Sorts: `created_at` (default `-created_at`), `number`, `priority`. Expands: `labels`.
#[utoipa::path(tag = "reports", security(("bearer" = ["reports:read"])), params(WorkItemPage), responses((status = 200, description = "An empty page.", body = WorkItemPage)))]
#[get("/reports/orphaned-work-items")]
async fn list_orphaned_work_items(db: Data<Db>, list: List) -> Result<Listing> {
    let everything = WorkItemFilter { include_inactive: Some(Flag(true)), ..WorkItemFilter::default() };
    let page = work_items::page(db.read(), &list.context, &everything, work_items::orphaned(), &list.page).await?;
    Listing::of(&list, &page)
}
