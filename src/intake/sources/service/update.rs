//! Changing a source.

use url::Url;
use uuid::Uuid;

use super::super::{
    json::SourcePatch,
    source::{self, Model},
};
use super::{
    check::{check_mapping, check_paging},
    find::find,
};
use crate::{
    intake::scheduled::{Scheduled, patch_credentials},
    kernel::{
        error::{Error, Result, Violations},
        http_client,
        secrets::Keyring,
        tx::Tx,
    },
    work::work_item_types,
};

/// Changes a source. A schedule that changes begins anew, whatever failed before; so does a feed that is
/// elsewhere.
pub async fn update(tx: &mut Tx, keyring: &Keyring, id: Uuid, patch: SourcePatch) -> Result<Model> {
    let mut violations = Violations::default();
    if let Some(kind) = patch.work_item_type.value() {
        let seen = find(tx.read(), id).await?;
        if **kind != *seen.work_item_type {
            violations.collect(work_item_types::usable(tx, kind, "work_item_type").await)?;
        }
    }
    let before: Model = tx.target(id, "source").await?;
    let mut after = before.clone();
    patch.name.over(&mut after.name);
    let mut url = before.url.clone();
    patch.url.over(&mut url);
    // What was read here and is sent back says nothing new.
    if http_client::masked(&before.url) != url && before.whole_url(keyring)? != url {
        after.lead_to(keyring, &url)?;
    }
    patch.format.over(&mut after.format);
    patch.rows.over(&mut after.rows);
    patch.work_item_type.over(&mut after.work_item_type);
    patch.time_zone.over(&mut after.time_zone);
    patch.active.over(&mut after.active);
    patch.next.onto(&mut after.next);
    patch.cursor_parameter.onto(&mut after.cursor_parameter);
    patch.since_parameter.onto(&mut after.since_parameter);
    patch.schedule.onto(&mut after.schedule);
    after.mapping = patch.mapping.unwrap_or(after.mapping);
    violations.collect(check_mapping(&after.mapping))?;
    violations.collect(check_paging(&after))?;
    if before.credentials.is_some() && patch.credentials.is_absent() && !same_host(&before.url, &after.url) {
        violations.collect::<()>(Err(Error::field(
            "credentials",
            "required",
            "must be entered again for another host",
        )))?;
    }
    patch_credentials(keyring, &mut after, patch.credentials, &mut violations)?;
    violations.into_result()?;
    let place = |row: &Model| {
        (row.url.clone(), row.address.clone(), row.cursor_parameter.clone(), row.since_parameter.clone())
    };
    if place(&before) != place(&after) {
        (after.cursor, after.since) = (None, None);
    }
    after.retime(Some(&before), tx.now);
    tx.change(&before, after, source::UPDATED).await
}

fn same_host(one: &str, other: &str) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    origin(one) == origin(other)
}
