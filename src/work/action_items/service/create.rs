//! Creating an action item: it is checked whole, then written.

use std::collections::{BTreeMap, HashMap};

use sea_orm::entity::prelude::*;

use super::super::{
    action_item::{self, Model, Status},
    due::{Due, Resolved},
    json::{ACTIONS, CONTACT_STATUSES, ClosePrevious, NewActionItem},
};
use super::{
    close_previous::{check_previous, close_previous},
    locks::lock_for_update,
};
use crate::{
    catalog::{
        picklists,
        variables::{self, Target},
    },
    customers::{
        contacts::{self, contact::StringMap},
        subjects::{self, Subject},
    },
    kernel::{
        error::{Error, Result, Violations},
        tx::Tx,
    },
    work::ownership::{Owner, resolve_assignee},
};

/// What a new item is about when it does not say so itself.
#[derive(Clone, Debug, Default)]
pub enum Inherited {
    /// It has to say so itself.
    #[default]
    Nothing,
    /// A subject, and the contact that goes with it.
    Subject(Subject, Option<Uuid>),
    /// Something that was refused, and is named where it stands.
    Refused,
}

impl Inherited {
    const fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Subject(subject, _) => Some(subject),
            Self::Nothing | Self::Refused => None,
        }
    }

    const fn contact_id(&self) -> Option<Uuid> {
        match self {
            Self::Subject(_, contact) => *contact,
            Self::Nothing | Self::Refused => None,
        }
    }
}

/// What a new item belongs to.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// What it is about, when it does not say so itself.
    pub about: Inherited,
    /// The note it follows from.
    pub note_id: Option<Uuid>,
    /// The interaction it follows up.
    pub interaction_id: Option<Uuid>,
    /// The issue it serves.
    pub issue_id: Option<Uuid>,
    /// The work item it serves.
    pub work_item_id: Option<Uuid>,
}

/// A new item that keeps every rule, before it is written.
pub struct Planned {
    item: Model,
    /// What it takes the place of, and about whom.
    closes: Option<(ClosePrevious, Uuid)>,
}

/// A new item, and the one that it took the place of.
#[derive(Clone, Debug)]
pub struct Created {
    /// The new one.
    pub item: Model,
    /// The one that it closed.
    pub closed_previous: Option<Uuid>,
}

/// Adds an item. Its owner is held until the end.
pub async fn create(tx: &mut Tx, new: NewActionItem, links: Links) -> Result<Created> {
    let Links { about, .. } = &links;
    lock_for_update(tx, std::slice::from_ref(&new), about.subject(), about.contact_id()).await?;
    plan(tx, new, links).await?.write(tx).await
}

/// Checks a new item, whose contact is locked if it is to be changed; its owner is held until the end.
pub async fn plan(tx: &mut Tx, new: NewActionItem, links: Links) -> Result<Planned> {
    picklists::preload(tx, new.picklist_refs()).await?;
    let mut violations = Violations::default();
    let about = violations.collect(about(tx, new.subject, new.contact_id, links.about).await)?;
    let contact = about.as_ref().and_then(|(_, contact)| *contact);
    if let Some(action) = &new.action {
        violations.collect(picklists::check(tx, ACTIONS, action, "action").await)?;
    }
    if let Some(status) = &new.contact_status {
        violations.collect(picklists::check(tx, CONTACT_STATUSES, status, "contact_status").await)?;
    }
    if about.is_some() && contact.is_none() {
        let closes = new
            .close_previous
            .filter(|which| *which != ClosePrevious::Newest(false))
            .map(|_| "close_previous");
        for field in new.contact_status.as_ref().map(|_| "contact_status").into_iter().chain(closes) {
            violations.collect::<()>(Err(of_no_contact(field)))?;
        }
    }
    let given = new.variables.into_inner().into_iter().map(|(key, value)| (key, Some(value))).collect();
    let is_crm_note = contact.is_some() && (new.action.is_some() || new.contact_status.is_some());
    let copied = copied_from(tx, contact).await?;
    let variables =
        violations.collect(variables::merge(tx, Target::ActionItems, &copied, &given, is_crm_note).await)?;
    let owner = violations.collect(resolve_assignee(tx, new.assignee).await)?;
    let due = Due::one_of(new.due_in, new.due_on, new.due_at);
    let owner_or_public = owner.unwrap_or(Owner::public(tx));
    let due = violations.collect(due_of(tx, due, owner_or_public).await)?;
    violations.into_result()?;
    let (Some((Some(subject), contact_id)), Some(variables), Some(owner), Some(due)) =
        (about, variables, owner, due)
    else {
        // What it would be about was refused before.
        return Err(Error::invalid(Vec::new()));
    };
    let closes = new.close_previous.zip(contact_id);
    if let Some((which, contact)) = closes {
        check_previous(tx, which, contact).await?;
    }
    let item = Model {
        id: tx.id(),
        subject_type: subject.r#type.into(),
        subject_id: subject.id.into(),
        contact_id,
        note_id: links.note_id,
        interaction_id: links.interaction_id,
        issue_id: links.issue_id,
        work_item_id: links.work_item_id,
        title: new.title.into(),
        details: new.details.into(),
        action: new.action.map(String::from),
        contact_status: new.contact_status.map(String::from),
        variables: StringMap(variables),
        priority: new.priority,
        assignee_type: owner.kind,
        assignee_id: owner.id,
        origin_type: None,
        origin_id: None,
        status: Status::Open,
        due_at: due.at,
        due_on: due.on.map(|day| day.to_string()),
        completed_at: None,
        completed_by_id: None,
        cancel_reason: None,
        created_by_id: tx.context.actor.author(),
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    Ok(Planned { item, closes })
}

impl Planned {
    /// The id that it will have.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.item.id
    }

    /// Completes what the item takes the place of, and writes it.
    pub async fn write(self, tx: &mut Tx) -> Result<Created> {
        let Self { item, closes } = self;
        let closed_previous = match closes {
            Some((which, contact)) => close_previous(tx, which, contact).await?,
            None => None,
        };
        tx.create(&item, action_item::CREATED).await?;
        if let (Some(status), Some(contact)) = (&item.contact_status, item.contact_id) {
            contacts::set_status(tx, contact, status).await?;
        }
        Ok(Created { item, closed_previous })
    }
}

/// What is refused of an item that is about no contact.
pub fn of_no_contact(field: &str) -> Error {
    Error::field(field, "no_contact", "is for an item that is about a contact")
}

/// What a new item is about and whom: what it says itself, which is checked, or what it belongs to. Nothing
/// when that was refused.
async fn about(
    tx: &mut Tx,
    subject: Option<Subject>,
    contact: Option<Uuid>,
    inherited: Inherited,
) -> Result<(Option<Subject>, Option<Uuid>)> {
    match (subject, contact, inherited) {
        (None, None, Inherited::Subject(subject, contact)) => Ok((Some(subject), contact)),
        (None, None, Inherited::Refused) => Ok((None, None)),
        (subject, contact, inherited) => {
            // Another subject of the same contact, unless it says otherwise.
            let contact = contact.or(inherited.contact_id());
            let (subject, contact) = subjects::resolve_subject(tx, subject, contact).await?;
            Ok((Some(subject), contact))
        }
    }
}

/// What a transaction has read of contacts, to be copied.
#[derive(Default)]
struct Copied(HashMap<Uuid, BTreeMap<String, String>>);

/// The values of a contact that could be recorded with an item now.
async fn copied_from(tx: &mut Tx, contact: Option<Uuid>) -> Result<BTreeMap<String, String>> {
    let Some(contact) = contact else { return Ok(BTreeMap::new()) };
    if let Some(read) = tx.cache::<Copied>().0.get(&contact) {
        return Ok(read.clone());
    }
    let values = contacts::variables_of(tx, contact).await?;
    let usable = variables::usable(tx, Target::ActionItems, &values).await?;
    tx.cache::<Copied>().0.insert(contact, usable.clone());
    Ok(usable)
}

async fn due_of(tx: &mut Tx, wanted: Result<Due>, owner: Owner) -> Result<Resolved> {
    wanted?.resolve(tx, owner).await
}
