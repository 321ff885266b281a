//! Adding or changing the work item that another system knows by an id.

use validator::Validate;

use super::super::json::{CreatedWorkItemView, NewWorkItem, ReferenceData, WorkItemPatch, WorkItemUpsert};
use super::{
    create::{create_by_hand, created_view},
    external_id::lock_external_id,
    update::{ReplacedReference, change},
};
use crate::{
    customers::contacts::ExternalId,
    kernel::{
        error::{Code, Error, Result},
        tx::Tx,
        value::Valid,
    },
};

/// Adds or changes the item that another system knows by an id; whether it is new (B-3).
pub async fn upsert(
    tx: &mut Tx,
    external: ExternalId,
    body: WorkItemUpsert,
) -> Result<(CreatedWorkItemView, bool)> {
    // What cannot be a name is none, as in every path.
    external.validate().map_err(|_| Error::not_found("external id"))?;
    let ExternalId { source, id } = external;
    if let Some(known) = lock_external_id(tx, &source, &id).await? {
        if *known.r#type != *body.r#type {
            return Err(Error::field(
                "type",
                "other_type",
                format!("is another than that of the item, which is {}", known.r#type),
            ));
        }
        let given = |reference: Option<Valid<ReferenceData>>| {
            let reference = reference.map(Valid::into_inner);
            reference.map_or(ReplacedReference::Nothing, ReplacedReference::Reference)
        };
        let patch = WorkItemPatch {
            description: body.description.into(),
            assignee: body.assignee,
            callback_at: body.callback_at.into(),
            ..WorkItemPatch::default()
        };
        change(tx, known.id, patch, given(body.reference)).await?;
        return Ok((created_view(tx, known.id, None).await?, false));
    }
    if tx.context.if_match.take().is_some() {
        return Err(Error::new(
            Code::Stale,
            "There is no work item by that id yet, so no version of it either.",
        ));
    }
    let new = NewWorkItem {
        r#type: body.r#type,
        description: body.description.unwrap_or_default(),
        contact_id: body.contact_id,
        who: body.who,
        interaction_id: None,
        assignee: body.assignee,
        callback_at: body.callback_at,
        callback_local: None,
        reference: body.reference.unwrap_or_default(),
        source: Some(source),
        external_id: Some(id),
    };
    Ok((create_by_hand(tx, new).await?, true))
}
