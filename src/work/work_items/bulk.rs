//! The same change on many work items, each standing alone (S3-33, B-6).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{
    json::{Transition, WorkItemFilter, WorkItemPatch},
    service,
};
use crate::{
    kernel::{
        actor::{Actor, Scope},
        blocking::BlockingPool,
        bulk::{self, BulkReport, MAX_AT_ONCE, Outcome},
        context::Context,
        db::Db,
        error::{Error, Result, Violations},
        tx::Tx,
    },
    work::ownership::resolve_assignee_opt,
};

/// Which items: `select` is what is searched, `set` and `transition` what is changed.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkItemSelection {
    /// These, at most 10,000.
    #[validate(length(min = 1, max = 10_000))]
    #[schema(min_items = 1, max_items = 10_000)]
    pub ids: Option<Vec<Uuid>>,
    /// All that a list with this filter shows, at most 10,000.
    #[schema(nullable = false)]
    pub filter: Option<WorkItemFilter>,
}

/// A change of many items: exactly one of `set` and `transition`.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"select": {"filter": {"status": "pending",
    "last_inbound_at_lt": "2026-01-01T00:00:00Z"}}, "transition": {"to": "closed", "reason": "No answer"},
    "dry_run": true}))]
pub struct WorkItemBulk {
    /// Which items.
    #[validate(nested)]
    pub select: WorkItemSelection,
    /// What to change, as in `PATCH`.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub set: Option<WorkItemPatch>,
    /// Which status to give them.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub transition: Option<Transition>,
    /// Whether only to say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What is done to each; also how a job keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// A patch.
    Set(Box<WorkItemPatch>),
    /// Another status.
    Transition(Transition),
}

impl bulk::Change for Change {
    const JOB: &'static str = "work_items.bulk";
    const WHAT: &'static str = "work items";

    async fn prepare(&self, db: &Db, ids: &[Uuid]) -> Result<()> {
        match self {
            Self::Set(set) => service::precheck_patch(db.read(), BlockingPool::Jobs, ids, set).await,
            Self::Transition(_) => Ok(()),
        }
    }

    async fn make_of_each(&self, tx: &mut Tx, ids: Vec<Uuid>, dry_run: bool) -> Result<BulkReport> {
        if let Self::Set(set) = self {
            // One who cannot have it is named for each.
            Violations::default().collect(resolve_assignee_opt(tx, set.assignee).await)?;
        }
        bulk::each(tx, ids, dry_run, async |tx, id| match self {
            Self::Set(set) => service::update(tx, id, set.as_ref().clone()).await.map(drop),
            Self::Transition(transition) => service::transition(tx, id, transition.clone()).await.map(drop),
        })
        .await
    }
}

/// Finds out, before anything is written, whether the new references fit. What a job does later is found out
/// by the job.
pub async fn precheck(db: &Db, context: &Context, wanted: &WorkItemBulk) -> Result<()> {
    let Some(set) = wanted.set.as_ref().filter(|set| set.reference.value().is_some()) else { return Ok(()) };
    let ids = match &wanted.select {
        WorkItemSelection { ids: Some(ids), filter: None } => ids.clone(),
        WorkItemSelection { ids: None, filter: Some(filter) }
            if may_select(&context.actor, filter).is_ok() =>
        {
            let found = service::ids(db.read(), context, filter, MAX_AT_ONCE as u64 + 1).await;
            found.map_err(|error| error.of_filter_at("select/filter"))?
        }
        _ => return Ok(()),
    };
    if ids.len() > MAX_AT_ONCE {
        Ok(())
    } else {
        service::precheck_patch(db.read(), BlockingPool::Requests, &ids, set).await
    }
}

/// A filter is a question, and what it finds is named.
fn may_select(actor: &Actor, filter: &WorkItemFilter) -> Result<()> {
    actor.may(Scope::WorkItemsRead)?;
    filter.contact().may_be_asked_by(actor)
}

/// Changes what was selected; more than 1,000 items in a job.
pub async fn run(tx: &mut Tx, wanted: WorkItemBulk) -> Result<Outcome> {
    let change = match (wanted.set, wanted.transition) {
        (Some(set), None) => Change::Set(Box::new(set)),
        (None, Some(transition)) => Change::Transition(transition),
        _ => return Err(Error::field("set", "required", "exactly one of set and transition is required")),
    };
    let WorkItemSelection { ids, filter } = wanted.select;
    if let Some(filter) = &filter {
        may_select(&tx.context.actor, filter)?;
    }
    let found = filter
        .map(|filter| async move |tx: &Tx, most| service::ids(tx.read(), &tx.context, &filter, most).await);
    let ids = bulk::selected(tx, ids, found).await?;
    bulk::run(tx, ids, change, wanted.dry_run).await
}
