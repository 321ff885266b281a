//! Changing an issue; also who deals with it.

use sea_orm::{EntityTrait, QueryFilter, QueryTrait, entity::prelude::*};

use super::super::{
    issue::{Model, Types},
    issue_type,
    json::{IssuePatch, IssueView},
};
use super::{
    find::{find, workable},
    types::{check_types, distinct, file_under},
};
use crate::{
    customers::{contacts, subjects},
    kernel::{
        error::{Result, Violations},
        patch::Patch,
        tx::Tx,
    },
    work::ownership::{Owned, resolve_assignee_opt},
};

/// Changes an issue; also who deals with it.
pub async fn update(tx: &mut Tx, id: Uuid, patch: IssuePatch) -> Result<IssueView> {
    // As everywhere, contacts and owners first, then the thing: nobody waits in a circle.
    let mut violations = Violations::default();
    let contact = match patch.contact_id.value() {
        Some(contact) => violations
            .collect(contacts::resolve(tx, *contact, "contact_id").await)?
            .map_or(patch.contact_id, Patch::Value),
        None => patch.contact_id,
    };
    let owner = violations.collect(resolve_assignee_opt(tx, patch.assignee).await)?.flatten();
    let before = workable(tx, id).await?;
    let mut after = before.clone();
    patch.title.over(&mut after.title);
    if let Some(types) = patch.types {
        violations.collect(check_types(tx, &types, &before.types.0).await)?;
        after.types = Types(distinct(types));
    }
    after.categorised = !after.types.0.is_empty();
    contact.onto(&mut after.contact_id);
    if let Some(subject) = patch.subject.value()
        && before.subject_type.as_deref() != Some(&*subject.r#type)
    {
        violations.collect(subjects::resolve(tx, subject).await)?;
    }
    match patch.subject {
        Patch::Absent => {}
        Patch::Null => (after.subject_type, after.subject_id) = (None, None),
        Patch::Value(subject) => {
            (after.subject_type, after.subject_id) = (Some(subject.r#type.into()), Some(subject.id.into()));
        }
    }
    violations.into_result()?;
    if let Some(owner) = owner {
        after.reassign(owner);
    }
    let event = Model::update_event(&before, &after);
    let after = tx.change(&before, after, event).await?;
    if before.types != after.types {
        let filed = issue_type::Entity::delete_many().filter(issue_type::Column::IssueId.eq(id));
        tx.execute(&filed.into_query()).await?;
        file_under(tx, &after).await?;
    }
    find(tx.read(), id).await
}
