//! Every write: journalled, and done once however often it is sent.

use std::collections::BTreeSet;

use caseload::kernel::journal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::*;
use crate::support::{Person, is_success};

/// Calls that are each followed into the journal.
struct Followed<'a> {
    shop: &'a Shop,
    done: BTreeSet<&'static str>,
    calls: usize,
}

impl Followed<'_> {
    /// Does one operation by its id; what it answered.
    async fn call(&mut self, who: &Person, id: &str, path: &str, body: Option<Value>) -> Value {
        let operation = Operation::all().into_iter().find(|operation| operation.id == id).unwrap_or_else(|| panic!("there is no {id}"));
        self.calls += 1;
        let request_id = format!("followed-{}", self.calls);
        let reply = operation.ask(&self.shop.by(who).header("x-request-id", &request_id), path, body).await;
        assert!(is_success(reply.status), "{id}: {}", reply.text);
        let left = journal::Entity::find().filter(journal::Column::RequestId.eq(&request_id));
        let left = self.shop.db.read().models(left).await.expect("the journal");
        assert!(!left.is_empty(), "{id} left nothing in the journal");
        for entry in left {
            assert_eq!(entry.actor_id.to_string(), who.id, "{id} was somebody else's doing");
            assert!(entry.before.is_some() || entry.after.is_some(), "{id} says nothing of what it did");
            for kept in [entry.before, entry.after].into_iter().flatten() {
                assert!(!kept.to_string().contains("argon2"), "{id} keeps a secret: {kept}");
            }
        }
        self.done.insert(operation.id);
        reply.json
    }
}

// S0-15, S4-39: what anybody does can be read afterwards.
#[actix_web::test]
async fn s4_39_every_write_is_in_the_journal() {
    let shop = Shop::open().await;
    let admin = shop.admin.clone();
    let mut followed = Followed { shop: &shop, done: BTreeSet::new(), calls: 0 };
    let f = &mut followed;

    let new = json!({ "email": "ana@shop.example", "name": "Ana", "role": "agent", "password": "a long first password" });
    let ana = f.call(&admin, "create_user", "/v1/users", Some(new)).await;
    let ana_id = text(&ana["id"]);
    f.call(&admin, "update_user", &format!("/v1/users/{ana_id}"), Some(json!({ "name": "Ana Ruiz" }))).await;
    f.call(&admin, "update_me", "/v1/users/me", Some(json!({ "language": "fr" }))).await;
    let ana = shop.sign_in("ana@shop.example", "a long first password").await;
    let change = json!({ "current_password": "a long first password", "new_password": "an even longer second one" });
    f.call(&ana, "change_password", "/v1/auth/password", Some(change)).await;

    let group = f.call(&admin, "create_group", "/v1/groups", Some(json!({ "name": "Shipping" }))).await;
    let group = text(&group["id"]);
    f.call(&admin, "update_group", &format!("/v1/groups/{group}"), Some(json!({ "name": "Shipping and Returns" }))).await;
    f.call(&admin, "add_group_member", &format!("/v1/groups/{group}/members/{ana_id}"), None).await;
    f.call(&admin, "remove_group_member", &format!("/v1/groups/{group}/members/{ana_id}"), None).await;

    let api_key = f.call(&admin, "create_api_key", "/v1/api-keys", Some(json!({ "name": "Shop", "scopes": ["notes:write"] }))).await;
    let api_key = format!("/v1/api-keys/{}", text(&api_key["id"]));
    f.call(&admin, "update_api_key", &api_key, Some(json!({ "name": "Checkout" }))).await;
    f.call(&admin, "revoke_api_key", &format!("{api_key}/revoke"), None).await;

    f.call(&admin, "create_picklist", "/v1/picklists", Some(json!({ "name": "colours" }))).await;
    for label in ["Red", "Blue"] {
        f.call(&admin, "add_picklist_item", "/v1/picklists/colours/items", Some(json!({ "label": label }))).await;
    }
    f.call(&admin, "order_picklist", "/v1/picklists/colours/order", Some(json!({ "keys": ["blue", "red"] }))).await;
    f.call(&admin, "update_picklist_item", "/v1/picklists/colours/items/red", Some(json!({ "label": "Crimson" }))).await;
    f.call(&admin, "retire_picklist_item", "/v1/picklists/colours/items/red/retire", None).await;
    f.call(&admin, "restore_picklist_item", "/v1/picklists/colours/items/red/restore", None).await;

    let subject = json!({ "type": "order", "id": "A-1001" });
    let note = json!({ "subject": subject, "title": "Called", "action_items": [{ "title": "Answer", "due_in": "today" }] });
    let note = f.call(&admin, "create_note", "/v1/notes", Some(note)).await;
    f.call(&admin, "update_note", &format!("/v1/notes/{}", text(&note["id"])), Some(json!({ "title": "Called twice" }))).await;
    let item = format!("/v1/action-items/{}", text(&note["action_items"][0]["id"]));
    f.call(&admin, "update_action_item", &item, Some(json!({ "assignee": { "type": "public" } }))).await;
    f.call(&ana, "claim_action_item", &format!("{item}/claim"), None).await;
    f.call(&ana, "release_action_item", &format!("{item}/release"), None).await;
    f.call(&ana, "claim_next_item", "/v1/queues/public/claim-next", None).await;
    f.call(&ana, "snooze_action_item", &format!("{item}/snooze"), Some(json!({ "due_in": "tomorrow" }))).await;
    f.call(&ana, "complete_action_item", &format!("{item}/complete"), None).await;
    f.call(&ana, "reopen_action_item", &format!("{item}/reopen"), None).await;
    f.call(&ana, "cancel_action_item", &format!("{item}/cancel"), Some(json!({ "reason": "Not needed" }))).await;
    let another = json!({ "subject": subject, "title": "Answer", "due_in": "today", "assignee": user(&ana) });
    f.call(&admin, "create_action_item", "/v1/action-items", Some(another)).await;
    let bulk = json!({ "select": { "filter": { "subject": "order:A-1001" } }, "set": { "due_in": "in_1_week" } });
    f.call(&admin, "bulk_action_items", "/v1/action-items/bulk", Some(bulk)).await;
    let offboarding = json!({ "reassign_to": user(&admin) });
    f.call(&admin, "offboard_user", &format!("/v1/users/{ana_id}/offboard"), Some(offboarding)).await;

    let done = followed.done;
    let writes = Operation::all().into_iter().filter(|operation| operation.method != Method::GET && !SILENT.contains(&operation.id));
    let missing: Vec<&str> = writes.map(|operation| operation.id).filter(|id| !done.contains(id)).collect();
    assert!(missing.is_empty(), "follow these writes into the journal as well: {}", missing.join(", "));
}

// B-3: one answer however often, on every operation that says so.
#[actix_web::test]
async fn b_3_a_retried_create_happens_once() {
    let shop = Shop::open().await;
    let creates = Operation::all().into_iter().filter(|operation| {
        operation.method == Method::POST
            && operation.path.matches('{').count() == 0
            && operation.about["responses"].get("201").is_some()
            && operation.parameter("Idempotency-Key").is_some()
    });
    let mut repeated = 0;
    for operation in creates {
        let admin = shop.by(&shop.admin).once("one of a kind");
        let body = operation.body().map(sample);
        let first = operation.ask(&admin, operation.path, body.clone()).await;
        if first.status != 201 {
            // The example of its body does not stand alone; its own tests repeat it.
            continue;
        }
        let second = operation.ask(&admin, operation.path, body).await;
        assert_eq!(second.header("idempotency-replayed"), "true", "{}", operation.id);
        for name in ["location", "etag"] {
            assert_eq!(second.header(name), first.header(name), "{}", operation.id);
        }
        assert_eq!(second.status, 201, "{}", operation.id);
        assert_eq!(second.json["id"], first.json["id"], "{}", operation.id);
        let other = operation.ask(&admin, operation.path, Some(json!({ "nonsense": 1 }))).await;
        assert_eq!(other.status, 422, "{}", operation.id);
        repeated += 1;
    }
    assert!(repeated >= 4, "only {repeated} creates have an example that can be sent");
}
