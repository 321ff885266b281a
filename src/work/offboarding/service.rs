//! The rules of offboarding.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::json::{MovedItem, MovedKind, Offboarding, OffboardingView};
use crate::{
    access::{
        groups,
        users::{self, Parting, user},
    },
    customers::contacts,
    kernel::{
        actor::ActorRef,
        error::{Code, Error, Result},
        tx::Tx,
    },
    work::{
        action_items::action_item,
        interactions::interaction,
        issues::issue,
        ownership::{Assignee, AssigneeRef, AssigneeType, Owner, is_unstaffed, move_all, resolve_assignee},
        work_items::work_item,
    },
};

/// Moves everything a person holds, and what is open of groups that nobody is left in, then takes them out of
/// service; all of it or nothing.
pub async fn offboard(tx: &mut Tx, id: Uuid, wanted: Offboarding) -> Result<OffboardingView> {
    let Offboarding { reassign_to, groups_reassign_to } = wanted;
    let mut people = BTreeSet::new();
    for (field, heir) in [(OWN, Some(reassign_to)), (GROUPS, groups_reassign_to)] {
        let person = heir.filter(|heir| heir.kind == AssigneeType::User).and_then(|heir| heir.id);
        if person == Some(id) {
            return Err(Error::field(&format!("{field}/id"), "same", "must be somebody else"));
        }
        people.extend(person);
    }
    // Those who offboard each other lock in the same order, so nobody waits in a circle; and all who
    // lock do it in the order people, groups, items.
    for earlier in people.range(..id) {
        users::lock_for_share(tx, *earlier).await?;
    }
    let leaver: user::Model = tx.lock::<user::Entity>(id, "user").await?;
    if tx.context.actor.is_outranked_by(leaver.role) {
        return Err(Error::new(
            Code::NotAllowed,
            "Nobody offboards a person of a higher role than their own.",
        ));
    }
    if !leaver.active {
        return Err(Error::new(Code::Conflict, "They are not active any more."));
    }
    for later in people.range(id..) {
        users::lock_for_share(tx, *later).await?;
    }
    let owner = heir(tx, OWN, reassign_to).await?;
    let owner_of_groups = match groups_reassign_to {
        Some(to) => Some(heir(tx, GROUPS, to).await?),
        None => None,
    };
    let groups = groups::lock_groups_of(tx, id).await?;
    let mut moves = Moves::default();
    moves.add(tx, id, owner).await?;
    if let Some(owner) = owner_of_groups {
        for group in groups {
            if is_unstaffed(tx.read(), group.id, Some(id)).await? {
                moves.add(tx, group.id, owner).await?;
            }
        }
    }
    // An account has a rep who is a person, or none.
    let rep = owner.id.filter(|_| owner.kind == AssigneeType::User);
    let accounts = contacts::hand_over(tx, id, rep).await?;
    let moved = moves.by_kind(accounts.into_iter().map(MovedItem::from).collect());
    tx.cache::<Parting>().heir = rep;
    let left = users::deactivate(tx, id).await?;
    let api_keys = std::mem::take(&mut tx.cache::<Parting>().keys);
    let reassigned_to = Assignee::new(owner.kind, owner.id, tx.name_of(owner.id).flatten());
    Ok(OffboardingView { user: ActorRef { id, name: left.name }, reassigned_to, moved, api_keys })
}

/// Who takes over what a person has.
const OWN: &str = "reassign_to";
/// Who takes over what groups have that nobody is left in.
const GROUPS: &str = "groups_reassign_to";

async fn heir(tx: &mut Tx, field: &str, to: AssigneeRef) -> Result<Owner> {
    resolve_assignee(tx, Some(to)).await.map_err(|error| error.renamed("assignee", field))
}

/// What has moved.
#[derive(Default)]
struct Moves {
    items: Vec<MovedItem>,
    issues: Vec<MovedItem>,
    work_items: Vec<MovedItem>,
    interactions: Vec<MovedItem>,
}

impl Moves {
    /// Moves everything open of an owner, the leaver or a group of theirs.
    async fn add(&mut self, tx: &mut Tx, from: Uuid, to: Owner) -> Result<()> {
        let item = |item: action_item::Model| MovedItem::from((item.id, item.title));
        self.items.extend(move_all(tx, from, to, item).await?);
        let issue = |issue: issue::Model| MovedItem::from((issue.id, issue.title));
        self.issues.extend(move_all(tx, from, to, issue).await?);
        // Before the work items, with which some would go unnamed.
        let interaction = |sent: interaction::Model| MovedItem::from((sent.id, sent.subject_line));
        self.interactions.extend(move_all(tx, from, to, interaction).await?);
        let work_item = |item: work_item::Model| MovedItem::from((item.id, item.title()));
        self.work_items.extend(move_all(tx, from, to, work_item).await?);
        Ok(())
    }

    fn by_kind(self, accounts: Vec<MovedItem>) -> Vec<MovedKind> {
        let Self { items, issues, work_items, interactions } = self;
        let kinds = [
            ("action_item", items),
            ("issue", issues),
            ("work_item", work_items),
            ("interaction", interactions),
            ("contact", accounts),
        ];
        let kind = |(kind, items): (&str, Vec<_>)| MovedKind { kind: kind.into(), moved: items.len(), items };
        kinds.into_iter().map(kind).collect()
    }
}
