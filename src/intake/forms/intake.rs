//! What becomes of a submission: a work item of somebody known or somebody new, once however often it comes.

use sea_orm::{
    EntityTrait, IntoActiveModel, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{OnConflict, Query},
};
use serde_json::{Map, Value};

use super::{
    form_submission::{self, Column, Entity},
    json::IntakeView,
    mapping::Taken,
    service::by_key,
};
use crate::{
    customers::contacts::{self, Identified, Kind, Newcomer},
    kernel::{
        error::{Code, Error, Result},
        text,
        tx::Tx,
    },
    work::{
        work_item_types,
        work_items::{self, Draft},
    },
};

/// How long a submission is known by what it says.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// What became of a submission.
pub struct Posted {
    /// The work item.
    pub id: Uuid,
    /// How its contact was found; none for a submission that came before.
    pub identified: Option<Identified>,
}

impl Posted {
    /// As whoever posted it may see it.
    #[must_use]
    pub fn view(self, publishable: bool) -> IntakeView {
        if publishable {
            return IntakeView { id: self.id, repeated: None, contact_created: None, r#match: None };
        }
        let matched = self.identified.map(|identified| identified.matched);
        let created = matched.as_ref().is_some_and(|matched| matched.created);
        IntakeView { id: self.id, repeated: Some(matched.is_none()), contact_created: Some(created), r#match: matched }
    }
}

/// Takes a submission in: whoever sent it is found or made, and what they want becomes a work item (S3-2, S3-7, S3-8).
pub async fn post(tx: &mut Tx, key: &str, submission: Map<String, Value>) -> Result<Posted> {
    let publishable = tx.context.actor.is_publishable();
    let bound = tx.context.actor.bounds.as_ref().is_none_or(|bounds| bounds.forms.iter().any(|form| form == key));
    if !bound {
        return Err(Error::new(Code::NotAllowed, "This publishable key does not post to this form."));
    }
    let form = tx.read().model(by_key(key)?).await?.filter(|form| form.active).ok_or_else(|| Error::not_found("form"))?;
    let submission = Value::Object(submission);
    if form.mapping.is_trapped(&submission) {
        // Whoever fills in what nobody sees learns nothing from the answer.
        return Ok(Posted { id: tx.id(), identified: None });
    }
    let Taken { who, language, description, reference, external_id } = form.mapping.take(&submission)?;
    let said = external_id.as_ref().map_or_else(|| format!("says {}", canonical(&submission)), |id| format!("is {id}"));
    let fingerprint = text::long_digest(&said);
    tx.alone(text::door(&format!("form {key} {fingerprint}"))).await?;
    if let Some(id) = earlier(tx, form.id, &form.key, &fingerprint, external_id.as_deref()).await? {
        return Ok(Posted { id, identified: None });
    }
    let lead = Newcomer { kind: Some(Kind::Prospect), language };
    // A page tells of its visitors what they like: nobody who is there changes by it.
    let mut identified = contacts::recognise(tx, who, lead, !publishable).await?;
    if work_item_types::usable(tx, &form.work_item_type, "type").await.is_err_and(|error| error.code() == Code::Invalid) {
        return Err(Error::new(Code::Conflict, format!("The type {} of this form's work items is retired.", form.work_item_type)));
    }
    let draft = Draft {
        r#type: form.work_item_type.clone(),
        description,
        interaction_id: None,
        assignee: None,
        callback_at: None,
        reference,
        source: form.key.clone(),
        external_id,
        newcomer: identified.newcomer.take(),
    };
    let item = work_items::create(tx, draft, identified.contact_id).await.map_err(|refusal| form.mapping.placed(refusal))?;
    remember(tx, form_submission::Model { form_id: form.id, fingerprint, work_item_id: item.id, posted_at: tx.now }).await?;
    Ok(Posted { id: item.id, identified: Some(identified) })
}

/// The work item that the same submission made before: by its own id for good, by what it says for a day.
async fn earlier(tx: &Tx, form: Uuid, source: &str, fingerprint: &str, external_id: Option<&str>) -> Result<Option<Uuid>> {
    if let Some(id) = external_id {
        return work_items::by_external_id(tx.read(), source, id).await;
    }
    let known = Entity::find_by_id((form, fingerprint.to_owned())).filter(Column::PostedAt.gt(tx.now.plus_seconds(-REMEMBERED_SECONDS)));
    Ok(tx.read().model(known).await?.map(|known| known.work_item_id))
}

/// Keeps what a submission was; one that is old enough to be forgotten is taken over.
async fn remember(tx: &mut Tx, submission: form_submission::Model) -> Result<()> {
    let mut insert = Entity::insert(submission.into_active_model().reset_all()).into_query();
    let mut taken = OnConflict::columns([Column::FormId, Column::Fingerprint]);
    insert.on_conflict(taken.update_columns([Column::WorkItemId, Column::PostedAt]).to_owned());
    tx.execute(&insert).await.map(drop)
}

/// Forgets submissions older than a day.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let old = Query::delete().from_table(Entity).and_where(Column::PostedAt.lt(tx.now.plus_seconds(-REMEMBERED_SECONDS))).to_owned();
    tx.execute(&old).await
}

/// A submission as it is compared: whatever the order of its members.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_makes_no_other_submission() {
        let one = json!({ "a": 1, "b": { "c": [1, { "x": null, "y": "z" }], "d": true } });
        let same = json!({ "b": { "d": true, "c": [1, { "y": "z", "x": null }] }, "a": 1 });
        assert_eq!(canonical(&one), canonical(&same));
        assert_ne!(canonical(&one), canonical(&json!({ "a": 1 })));
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
    }
}
