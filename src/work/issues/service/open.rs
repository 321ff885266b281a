//! Opening an issue: it is checked whole, then written under the next number.

use sea_orm::entity::prelude::*;

use super::super::{
    issue::{self, Column, Entity, IssueOrigin, IssueStatus, Model, Types},
    json::NewIssue,
};
use super::types::{check_types, distinct, file_under};
use crate::{
    catalog::picklists,
    customers::{
        contacts,
        subjects::{self, Subject},
    },
    kernel::{
        error::{Error, Result, Violations},
        tx::Tx,
    },
    work::ownership::{AssigneeRef, Owner, first_available, resolve_assignee},
};

/// The advisory lock under which numbers are given.
const NUMBERS: i64 = 4_919_009;

/// A new issue that keeps every rule, before it has its number.
pub struct Planned {
    /// The id it will have.
    pub id: Uuid,
    title: String,
    types: Vec<String>,
    contact: Option<Uuid>,
    subject: Option<Subject>,
    owner: Owner,
}

/// Checks a new issue and finds who deals with it; whose it is when it does not say so itself.
pub async fn plan(tx: &mut Tx, new: NewIssue, contact: Option<Uuid>) -> Result<Planned> {
    picklists::preload(tx, new.picklist_refs()).await?;
    let mut violations = Violations::default();
    violations.collect(check_types(tx, &new.types, &[]).await)?;
    let named = match new.contact_id {
        Some(id) => violations.collect(contacts::resolve(tx, id, "contact_id").await)?,
        None => contact,
    };
    let known = match &new.subject {
        Some(subject) => violations.collect(subjects::resolve(tx, subject).await)?.flatten(),
        None => None,
    };
    let contact = named.or(known);
    let types = distinct(new.types);
    let owner = violations.collect(owner_of(tx, new.assignee, contact, &types).await)?;
    violations.into_result()?;
    let owner = owner.ok_or_else(|| Error::internal("a check gave nothing"))?;
    Ok(Planned { id: tx.id(), title: new.title.into(), types, contact, subject: new.subject, owner })
}

impl Planned {
    /// Opens an issue under the next number. Whoever comes later waits for the number until this transaction
    /// ends, so nothing that others hold is waited for after it.
    pub async fn write(self, tx: &mut Tx, origin: IssueOrigin) -> Result<Model> {
        let number = tx.next_number::<Entity>(NUMBERS, Column::Number).await?;
        let (subject_type, subject_id) =
            self.subject.map(|subject| (String::from(subject.r#type), String::from(subject.id))).unzip();
        let issue = Model {
            id: self.id,
            number,
            title: self.title,
            categorised: !self.types.is_empty(),
            types: Types(self.types),
            status: IssueStatus::Open,
            origin,
            contact_id: self.contact,
            subject_type,
            subject_id,
            assignee_type: self.owner.kind,
            assignee_id: self.owner.id,
            origin_type: None,
            origin_id: None,
            opened_by_id: tx.context.actor.author(),
            opened_at: tx.now,
            closed_at: None,
            closed_by_id: None,
            merged_into_id: None,
            updated_at: tx.now,
            version: 1,
        };
        tx.create(&issue, issue::CREATED).await?;
        file_under(tx, &issue).await?;
        Ok(issue)
    }
}

/// Who deals with an issue: whoever was named; else the contact's own rep, the group of its first type that
/// has one, or the default group, whichever is first and there to do it; else the author. Nothing is ever
/// nobody's.
async fn owner_of(
    tx: &mut Tx,
    wanted: Option<AssigneeRef>,
    contact: Option<Uuid>,
    types: &[String],
) -> Result<Owner> {
    if wanted.is_some() {
        return resolve_assignee(tx, wanted).await;
    }
    let mut candidates = Vec::new();
    if let Some(contact) = contact {
        candidates.extend(contacts::owner_of(tx, contact).await?.map(AssigneeRef::user));
    }
    for word in types {
        candidates.extend(picklists::group_of(tx, word).await?.map(AssigneeRef::group));
    }
    match first_available(tx, candidates).await? {
        Some(owner) => Ok(owner),
        None => resolve_assignee(tx, None).await,
    }
}
