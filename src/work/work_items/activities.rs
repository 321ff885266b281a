//! What is done about a work item: calls, reminders and notes, and what the contact sent (S3-20, S3-30).

use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{
    json::{NewCall, NewReminder, NewWorkItemNote, WorkItemView},
    service,
    work_item::{Entity, Model},
};
use crate::{
    customers::{contacts, subjects},
    kernel::{
        error::{Code, Error, Result},
        tx::Tx,
    },
    work::{
        action_items::{self, ActionItemView, Inherited, Links, NewActionItem},
        interactions::{self, Direction, InteractionView, NewInteraction, Originator, awaits_response},
        notes::{self, CreatedNoteView, NewNote},
        ownership::{Owned, first_available_of},
    },
};

/// What people call by phone over.
const PHONE: &str = "phone";

/// Records a call, or another exchange, on an item.
pub async fn call(tx: &mut Tx, id: Uuid, call: NewCall) -> Result<InteractionView> {
    let item = seen(tx, id).await?;
    let channel = call.channel.unwrap_or_else(|| PHONE.into());
    let direction = call.direction.unwrap_or(Direction::Outbound);
    // What the contact sent is still to be answered.
    let unanswered = awaits_response(direction, Originator::Customer, &channel, call.call_result);
    let complete = call.follow_up.is_none() && !unanswered;
    let new = NewInteraction {
        who: None,
        contact_id: Some(item.contact_id),
        originator: None,
        channel,
        channel_other: None,
        direction,
        purpose: call.purpose,
        subject_line: call.subject_line.unwrap_or_else(|| item.title().into()),
        detail: call.detail,
        outcome: call.outcome,
        mood: call.mood,
        call_result: call.call_result,
        occurred_at: call.occurred_at,
        duration_seconds: call.duration_seconds,
        complete,
        follow_up: call.follow_up,
        actions: Vec::new(),
        subject: None,
        work_item_id: Some(id),
        assignee: None,
        answers: Vec::new(),
    };
    Ok(interactions::record(tx, new).await?.interaction)
}

/// Plans something about an item: an action item, of whoever has the item unless somebody else is meant.
pub async fn remind(tx: &mut Tx, id: Uuid, reminder: NewReminder) -> Result<ActionItemView> {
    let item = seen(tx, id).await?;
    let links = Links {
        about: Inherited::Subject(subjects::of_contact(item.contact_id), Some(item.contact_id)),
        work_item_id: Some(id),
        ..Links::default()
    };
    let new = NewActionItem {
        title: reminder.title.unwrap_or_else(|| item.title().into()),
        details: reminder.details,
        priority: reminder.priority,
        assignee: reminder.assignee,
        due_in: reminder.due_in,
        due_on: reminder.due_on,
        due_at: reminder.due_at,
        ..NewActionItem::default()
    };
    let created = action_items::create(tx, new, links).await?;
    action_items::view_of(tx, created.item).await
}

/// Writes a note on an item.
pub async fn write_note(tx: &mut Tx, id: Uuid, note: NewWorkItemNote) -> Result<CreatedNoteView> {
    let item = seen(tx, id).await?;
    let new = NewNote {
        subject: None,
        contact_id: Some(item.contact_id),
        title: note.title.unwrap_or_else(|| item.title().into()),
        body: note.body,
        action_items: Vec::new(),
    };
    notes::create_on(tx, new, Some(id)).await
}

/// Adds an interaction of the contact to an item, from which time on it belongs there and leaves the inbox
/// (S3-30); whoever has the item answers it.
pub async fn attach(tx: &mut Tx, id: Uuid, interaction: Uuid) -> Result<WorkItemView> {
    // As everywhere, the owner first, then the things.
    let seen = tx.read().model(Entity::find_by_id(id)).await?;
    let owner = first_available_of(tx, seen.as_ref().map(Model::owner)).await?;
    let item: Model = tx.target(id, Model::WHAT).await?;
    let before = interactions::held(tx, interaction).await?.ok_or_else(|| Error::not_found("interaction"))?;
    let contacts = contacts::cluster(tx.read(), item.contact_id).await?;
    if !contacts.contains(&before.contact_id) {
        return Err(Error::new(
            Code::Conflict,
            format!("It was with another contact than that of work item {}.", item.number),
        ));
    }
    interactions::attach(tx, &before, id, owner, &contacts).await?;
    service::find(tx.read(), id).await
}

/// The item that the request is about, not locked: others come first.
async fn seen(tx: &mut Tx, id: Uuid) -> Result<Model> {
    let item = tx.read().model(Entity::find_by_id(id)).await?.ok_or_else(|| Error::not_found("work item"))?;
    tx.check_version(&item, "work item")?;
    Ok(item)
}
