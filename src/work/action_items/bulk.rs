//! The same change on many action items, each standing alone (S2-22, B-6).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{
    action_item::Model,
    json::{ActionItemFilter, ActionItemPatch, Cancellation, Completion, Reopening},
    rules::Viewer,
    service,
};
use crate::kernel::{
    actor::Scope,
    bulk::{self, BulkReport, Outcome},
    error::{Error, Result, Violations},
    tx::Tx,
};
use crate::work::ownership::{claim, release, resolve_assignee};

crate::choice! {
    /// What can be done to many items at once.
    BulkCommand {
        /// Take them.
        Claim = "claim",
        /// Give them back.
        Release = "release",
        /// Mark them done.
        Complete = "complete",
        /// Take them up again.
        Reopen = "reopen",
        /// Say that they need not be done.
        Cancel = "cancel",
    }
}

/// Which items: `select` is what is searched, `set` is what is changed; neither is read as the other (S2-15).
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionItemSelection {
    /// These, at most 10,000.
    #[validate(length(min = 1, max = 10_000))]
    #[schema(min_items = 1, max_items = 10_000)]
    pub ids: Option<Vec<Uuid>>,
    /// All that a list with this filter shows, at most 10,000.
    #[schema(nullable = false)]
    pub filter: Option<ActionItemFilter>,
}

/// A change of many items: exactly one of `set` and `command`.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"select": {"filter": {"assignee": "me", "due_at_lt": "2026-11-22T00:00:00Z"}},
    "set": {"due_in": "in_1_week"}, "dry_run": true}))]
pub struct ActionItemBulk {
    /// Which items.
    #[validate(nested)]
    pub select: ActionItemSelection,
    /// What to change, as in `PATCH`; the date is the new due date.
    #[validate(nested)]
    #[schema(nullable = false)]
    pub set: Option<ActionItemPatch>,
    /// What to do.
    #[schema(nullable = false)]
    pub command: Option<BulkCommand>,
    /// Whether only to say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What is done to each; also how a job keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// A patch.
    Set(Box<ActionItemPatch>),
    /// A command.
    Command(BulkCommand),
}

impl bulk::Change for Change {
    const JOB: &'static str = "action_items.bulk";
    const WHAT: &'static str = "action items";

    async fn make_of_each(&self, tx: &mut Tx, ids: Vec<Uuid>, dry_run: bool) -> Result<BulkReport> {
        if let Self::Set(set) = self
            && set.contact_status.value().is_some()
        {
            if let Some(assignee) = set.assignee {
                Violations::default().collect(resolve_assignee(tx, Some(assignee)).await)?;
            }
            service::lock_contacts_of(tx, &ids).await?;
        }
        bulk::each(tx, ids, dry_run, async |tx, id| match self {
            Self::Set(set) => service::update(tx, id, set.as_ref().clone()).await.map(drop),
            Self::Command(command) => obey(tx, id, *command).await,
        })
        .await
    }
}

/// Changes what was selected; more than 1,000 items in a job.
pub async fn run(tx: &mut Tx, wanted: ActionItemBulk) -> Result<Outcome> {
    let change = match (wanted.set, wanted.command) {
        (Some(set), None) => Change::Set(Box::new(set)),
        (None, Some(command)) => Change::Command(command),
        _ => return Err(Error::field("set", "required", "exactly one of set and command is required")),
    };
    let ActionItemSelection { ids, filter } = wanted.select;
    let actor = &tx.context.actor;
    // A filter is a question, and what it finds is named.
    if let Some(filter) = &filter {
        actor.may(Scope::ActionItemsRead)?;
        filter.contact().may_be_asked_by(actor)?;
    }
    // Also where a job does it later.
    if let Change::Set(set) = &change
        && !set.contact_status.is_absent()
    {
        actor.may(Scope::ContactsWrite)?;
    }
    let found = filter.map(|filter| {
        async move |tx: &Tx, most| service::ids(tx.read(), &filter, &Viewer::of(&tx.context), most).await
    });
    let ids = bulk::selected(tx, ids, found).await?;
    bulk::run(tx, ids, change, wanted.dry_run).await
}

async fn obey(tx: &mut Tx, id: Uuid, command: BulkCommand) -> Result<()> {
    match command {
        BulkCommand::Claim => claim::<Model>(tx, id).await.map(drop),
        BulkCommand::Release => release::<Model>(tx, id).await.map(drop),
        BulkCommand::Complete => service::complete(tx, id, Completion::default()).await.map(drop),
        BulkCommand::Reopen => service::reopen(tx, id, Reopening::default()).await.map(drop),
        BulkCommand::Cancel => service::cancel(tx, id, Cancellation::default()).await.map(drop),
    }
}
