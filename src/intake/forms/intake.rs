//! What becomes of a submission: a work item of somebody known or somebody new, once however often it comes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sea_orm::{
    EntityTrait, IntoActiveModel, QueryFilter, QueryTrait,
    entity::prelude::*,
    sea_query::{OnConflict, Query},
};
use serde_json::{Map, Value};

use super::{
    form,
    form_submission::{self, Column, Entity},
    json::{IntakeAnswer, IntakeView, ReceiptView},
    mapping::Taken,
    service::by_key,
};
use crate::{
    customers::contacts::{self, Kind, MatchView, NewContactDefaults, Trust},
    kernel::{
        blocking::BlockingPool,
        db::Db,
        error::{Code, Error, Result},
        text,
        tx::Tx,
        value::Language,
    },
    work::{
        work_item_types,
        work_items::{self, Draft, Unverified},
    },
};

/// How long a submission is known by what it says.
const REMEMBERED_SECONDS: i64 = 24 * 60 * 60;

/// Takes a submission in: whoever sent it is found or made, and what they want becomes a work item (S3-2,
/// S3-7, S3-8).
pub async fn post(tx: &mut Tx, key: &str, submission: Map<String, Value>) -> Result<IntakeAnswer> {
    let bound =
        tx.context.actor.bounds.as_ref().is_none_or(|bounds| bounds.forms.iter().any(|form| form == key));
    if !bound {
        return Err(Error::new(Code::NotAllowed, "This publishable key does not post to this form."));
    }
    let form = tx
        .read()
        .model(by_key(key)?)
        .await?
        .filter(|form| form.active)
        .ok_or_else(|| Error::not_found("form"))?;
    let submission = Value::Object(submission);
    let taken = form.mapping.extract(&submission)?;
    if tx.context.actor.is_publishable() {
        Ok(IntakeAnswer::Receipt(receive(tx, &form, taken, &submission).await?))
    } else {
        Ok(IntakeAnswer::Taken(take_in(tx, &form, taken, &submission).await?))
    }
}

/// Finds out, before anything is written, whether what a submission says fits the form's type; what is wrong
/// is said by the write.
pub async fn precheck(db: &Db, key: &str, submission: &Map<String, Value>) -> Result<()> {
    let Ok(form) = by_key(key) else { return Ok(()) };
    let Some(form) = db.read().model(form).await?.filter(|form| form.active) else { return Ok(()) };
    let Ok(taken) = form.mapping.extract(&Value::Object(submission.clone())) else { return Ok(()) };
    work_items::precheck(db.read(), BlockingPool::Requests, &form.work_item_type, &[taken.reference]).await
}

/// Takes in what somebody of the shop posts, or a server of its own: an id is a key, which only such have.
async fn take_in(tx: &mut Tx, form: &form::Model, taken: Taken, submission: &Value) -> Result<IntakeView> {
    let thrown_away = |id| IntakeView { id, repeated: true, contact_created: false, r#match: None };
    if form.mapping.is_trapped(submission) {
        return Ok(thrown_away(tx.id()));
    }
    let external_id = taken.external_id.clone();
    let said = external_id
        .as_ref()
        .map_or_else(|| format!("says {}", canonical(submission)), |id| format!("is {id}"));
    let fingerprint = text::long_digest(&said);
    alone_with(tx, form, &fingerprint).await?;
    let earlier = match &external_id {
        Some(id) => work_items::by_external_id(tx.read(), &form.key, id).await?,
        None => earlier(tx, form, &fingerprint).await?.map(|known| known.work_item_id),
    };
    if let Some(id) = earlier {
        return Ok(thrown_away(id));
    }
    let (id, matched) = keep(tx, form, taken, Trust::PassedOn, None).await?;
    remember(
        tx,
        form_submission::Model {
            form_id: form.id,
            fingerprint,
            work_item_id: id,
            receipt: None,
            posted_at: tx.now,
        },
    )
    .await?;
    Ok(IntakeView { id, repeated: false, contact_created: matched.created, r#match: Some(matched) })
}

/// Takes in what a stranger posts with a page. What is not to be kept, since it came before or since a
/// program sent it, goes the same way and is taken back at its end: neither answer nor time tells what became
/// of it.
async fn receive(tx: &mut Tx, form: &form::Model, taken: Taken, submission: &Value) -> Result<ReceiptView> {
    let said = format!("{:?} says {}", tx.context.network, canonical(submission));
    let fingerprint = text::long_digest(&said);
    alone_with(tx, form, &fingerprint).await?;
    let fresh = form_submission::Model {
        form_id: form.id,
        fingerprint: fingerprint.clone(),
        work_item_id: tx.id(),
        receipt: Some(random_receipt()),
        posted_at: tx.now,
    };
    let earlier = earlier(tx, form, &fingerprint).await?;
    let wanted = earlier.is_none() && !form.mapping.is_trapped(submission);
    let mut known = earlier.unwrap_or(fresh);
    let receipt = known.receipt.clone().unwrap_or_default();
    // No two items have the same.
    let named = if wanted { receipt.clone() } else { random_receipt() };
    let work = async |tx: &mut Tx| keep(tx, form, taken, Trust::Strangers, Some(named)).await;
    if wanted {
        known.work_item_id = tx.savepoint(work).await?.0;
    } else {
        tx.dry_run(work).await?;
    }
    remember(tx, known).await?;
    Ok(ReceiptView { receipt })
}

fn random_receipt() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// Makes the work item of a submission, for whom it says; with a receipt when a stranger posted it, whose id
/// is a claim.
async fn keep(
    tx: &mut Tx,
    form: &form::Model,
    taken: Taken,
    word: Trust,
    receipt: Option<String>,
) -> Result<(Uuid, MatchView)> {
    let Taken { who, language, description, reference, external_id } = taken;
    let mut said = Unverified { who: Some(who.clone()), receipt, ..Unverified::default() };
    if let Some(id) = &external_id {
        // Another may be coming under the same id just now.
        alone_with(tx, form, &format!("claims {id}")).await?;
        said.conflicts_with = work_items::known_as(tx.read(), &form.key, id).await?;
    }
    let (external_id, claimed_id) =
        if word == Trust::Strangers { (None, external_id) } else { (external_id, None) };
    said.claimed_id = claimed_id;
    let lead = NewContactDefaults { kind: Some(Kind::Prospect), language: language.map(Language::from) };
    let mut identified = contacts::recognise(tx, who, lead, word).await?;
    if work_item_types::usable(tx, &form.work_item_type, "type")
        .await
        .is_err_and(|error| error.code() == Code::Invalid)
    {
        return Err(Error::new(
            Code::Conflict,
            format!("The type {} of this form's work items is retired.", form.work_item_type),
        ));
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
        said,
    };
    let item = work_items::create(tx, draft, identified.contact_id)
        .await
        .map_err(|refusal| form.mapping.placed(refusal))?;
    Ok((item.id, identified.matched))
}

/// Lets nobody else decide about the same submission until the end.
async fn alone_with(tx: &mut Tx, form: &form::Model, said: &str) -> Result<()> {
    tx.advisory_lock(text::lock_key(&format!("form {} {said}", form.key))).await
}

/// What the same submission was before, within a day.
async fn earlier(tx: &Tx, form: &form::Model, fingerprint: &str) -> Result<Option<form_submission::Model>> {
    let known = Entity::find_by_id((form.id, fingerprint.to_owned()))
        .filter(Column::PostedAt.gt(tx.now.plus_seconds(-REMEMBERED_SECONDS)));
    tx.read().model(known).await
}

/// Keeps what a submission was; one that is old enough to be forgotten is taken over.
async fn remember(tx: &mut Tx, submission: form_submission::Model) -> Result<()> {
    let mut insert = Entity::insert(submission.into_active_model().reset_all()).into_query();
    let mut taken = OnConflict::columns([Column::FormId, Column::Fingerprint]);
    insert.on_conflict(
        taken.update_columns([Column::WorkItemId, Column::Receipt, Column::PostedAt]).to_owned(),
    );
    tx.execute(&insert).await.map(drop)
}

/// Forgets submissions older than a day.
pub async fn forget(tx: &mut Tx) -> Result<u64> {
    let old = Query::delete()
        .from_table(Entity)
        .and_where(Column::PostedAt.lt(tx.now.plus_seconds(-REMEMBERED_SECONDS)))
        .to_owned();
    tx.execute(&old).await
}

/// A submission as it is compared: whatever the order of its members.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
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
