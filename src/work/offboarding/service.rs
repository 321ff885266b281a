//! The rules of offboarding.

use uuid::Uuid;

use super::json::{MovedItem, MovedKind, Offboarding, OffboardingView};
use super::reactions::INBOX_ENTRY;
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
        inbox,
        issues::issue,
        ownership::{Assignee, AssigneeType, move_all, resolve_assignee},
        work_items::work_item,
    },
};

/// Moves everything a person holds, then takes them out of service; all of it or nothing.
pub async fn offboard(tx: &mut Tx, id: Uuid, wanted: Offboarding) -> Result<OffboardingView> {
    let to = wanted.reassign_to;
    if to.kind == AssigneeType::User && to.id == Some(id) {
        return Err(Error::field("reassign_to/id", "same", "must be somebody else"));
    }
    // Two who offboard each other lock in the same order, so neither waits in a circle; and all who
    // lock do it in the order people, groups, items.
    if let Some(heir) = to.id.filter(|heir| to.kind == AssigneeType::User && *heir < id) {
        users::lock_for_share(tx, heir).await?;
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
    let owner =
        resolve_assignee(tx, Some(to)).await.map_err(|error| error.renamed("assignee", "reassign_to"))?;
    groups::lock_groups_of(tx, id).await?;
    let items =
        move_all(tx, id, owner, |item: action_item::Model| MovedItem { id: item.id, title: item.title })
            .await?;
    let issues =
        move_all(tx, id, owner, |issue: issue::Model| MovedItem { id: issue.id, title: issue.title }).await?;
    let work_items =
        move_all(tx, id, owner, |item: work_item::Model| MovedItem { id: item.id, title: item.title() })
            .await?;
    let unread = inbox::hand_over(tx, id, owner.into()).await?;
    let unread = unread.into_iter().map(|(id, title)| MovedItem { id, title }).collect();
    // An account has a rep who is a person, or none.
    let rep = owner.id.filter(|_| owner.kind == AssigneeType::User);
    let accounts = contacts::hand_over(tx, id, rep).await?;
    let accounts = accounts.into_iter().map(|(id, title)| MovedItem { id, title }).collect();
    let moved = [
        ("action_item", items),
        ("issue", issues),
        ("work_item", work_items),
        (INBOX_ENTRY, unread),
        ("contact", accounts),
    ];
    let moved = moved.into_iter().map(|(kind, items): (&str, Vec<MovedItem>)| MovedKind {
        kind: kind.into(),
        moved: items.len(),
        items,
    });
    let moved = moved.collect();
    tx.cache::<Parting>().heir = rep;
    let left = users::deactivate(tx, id).await?;
    let api_keys = std::mem::take(&mut tx.cache::<Parting>().keys);
    let reassigned_to = Assignee::new(owner.kind, owner.id, tx.name_of(owner.id).flatten());
    Ok(OffboardingView { user: ActorRef { id, name: left.name }, reassigned_to, moved, api_keys })
}
