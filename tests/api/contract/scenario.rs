//! A day in the shop on which every write happens once, each done as the test at hand wishes.

use std::collections::BTreeSet;

use caseload::{app::workers, kernel::jobs::Runner};

use super::*;
use crate::support::{Person, feeds};

/// One write: who does what to which.
pub struct WriteCase {
    pub by: Person,
    pub operation: Operation,
    pub path: String,
    pub body: Option<Value>,
}

impl WriteCase {
    pub fn takes(&self, parameter: &str) -> bool {
        self.operation.parameter(parameter).is_some()
    }

    pub async fn send(&self, by: &Caller<'_>) -> Reply {
        self.operation.ask(by, &self.path, self.body.clone()).await
    }
}

struct Scenario<F> {
    act: F,
    done: BTreeSet<&'static str>,
}

impl<F: AsyncFnMut(&WriteCase) -> Reply> Scenario<F> {
    /// Does one operation by its id; what it answered.
    async fn act(&mut self, by: &Person, id: &str, path: &str, body: Option<Value>) -> Value {
        let operation = Operation::all()
            .into_iter()
            .find(|operation| operation.id == id)
            .unwrap_or_else(|| panic!("there is no {id}"));
        self.done.insert(operation.id);
        let deed = WriteCase { by: by.clone(), operation, path: path.into(), body };
        let reply = (self.act)(&deed).await;
        assert!(is_success(reply.status), "{id}: {}", reply.text);
        reply.json
    }
}

/// Somebody new, who chooses a password of their own.
async fn people<F: AsyncFnMut(&WriteCase) -> Reply>(
    shop: &TestApp,
    f: &mut Scenario<F>,
    admin: &Person,
) -> (Person, String) {
    let new = json!({ "email": "ana@shop.example", "name": "Ana", "role": "agent",
        "password": "a long first password" });
    let ana = f.act(admin, "create_user", "/v1/users", Some(new)).await;
    let ana_id = text(&ana["id"]);
    f.act(admin, "update_user", &format!("/v1/users/{ana_id}"), Some(json!({ "name": "Ana Ruiz" }))).await;
    f.act(admin, "update_me", "/v1/users/me", Some(json!({ "language": "fr" }))).await;
    let identity = link(shop, &ana_id, "https://login.shop.example").await;
    f.act(admin, "unlink_identity", &format!("/v1/users/{ana_id}/identities/{identity}"), None).await;
    let ana = shop.sign_in("ana@shop.example", "a long first password").await;
    let change =
        json!({ "current_password": "a long first password", "new_password": "an even longer second one" });
    f.act(&ana, "change_password", "/v1/auth/password", Some(change)).await;
    (ana, ana_id)
}

/// Has every write of the document done once, each succeeding; a write that is not among them fails the test.
#[expect(clippy::too_many_lines, reason = "one day, told in its order")]
pub async fn every_write(shop: &TestApp, act: impl AsyncFnMut(&WriteCase) -> Reply) {
    let admin = shop.admin.clone();
    let mut day = Scenario { act, done: BTreeSet::new() };
    let f = &mut day;

    let (ana, ana_id) = people(shop, f, &admin).await;

    let group = f.act(&admin, "create_group", "/v1/groups", Some(json!({ "name": "Shipping" }))).await;
    let group = text(&group["id"]);
    f.act(
        &admin,
        "update_group",
        &format!("/v1/groups/{group}"),
        Some(json!({ "name": "Shipping and Returns" })),
    )
    .await;
    f.act(&admin, "add_group_member", &format!("/v1/groups/{group}/members/{ana_id}"), None).await;
    f.act(&admin, "remove_group_member", &format!("/v1/groups/{group}/members/{ana_id}"), None).await;

    let api_key = f
        .act(
            &admin,
            "create_api_key",
            "/v1/api-keys",
            Some(json!({ "name": "Shop", "scopes": ["notes:write"] })),
        )
        .await;
    let api_key = format!("/v1/api-keys/{}", text(&api_key["id"]));
    f.act(&admin, "update_api_key", &api_key, Some(json!({ "name": "Checkout" }))).await;
    f.act(&admin, "revoke_api_key", &format!("{api_key}/revoke"), None).await;

    f.act(&admin, "create_picklist", "/v1/picklists", Some(json!({ "name": "colours" }))).await;
    for label in ["Red", "Blue"] {
        f.act(&admin, "add_picklist_item", "/v1/picklists/colours/items", Some(json!({ "label": label })))
            .await;
    }
    f.act(&admin, "order_picklist", "/v1/picklists/colours/order", Some(json!({ "keys": ["blue", "red"] })))
        .await;
    f.act(
        &admin,
        "update_picklist_item",
        "/v1/picklists/colours/items/red",
        Some(json!({ "label": "Crimson" })),
    )
    .await;
    f.act(&admin, "retire_picklist_item", "/v1/picklists/colours/items/red/retire", None).await;
    f.act(&admin, "restore_picklist_item", "/v1/picklists/colours/items/red/restore", None).await;

    let variable = json!({ "key": "mood", "label": "Mood", "picklist": "moods" });
    f.act(&admin, "create_variable", "/v1/variables", Some(variable)).await;
    f.act(&admin, "update_variable", "/v1/variables/mood", Some(json!({ "label": "Humour" }))).await;

    let subject = json!({ "type": "order", "id": "A-1001" });
    let note = json!({ "subject": subject, "title": "Called",
        "action_items": [{ "title": "Answer", "due_in": "today" }] });
    let note = f.act(&admin, "create_note", "/v1/notes", Some(note)).await;
    f.act(
        &admin,
        "update_note",
        &format!("/v1/notes/{}", text(&note["id"])),
        Some(json!({ "title": "Called twice" })),
    )
    .await;
    let item = format!("/v1/action-items/{}", text(&note["action_items"][0]["id"]));
    f.act(&admin, "update_action_item", &item, Some(json!({ "assignee": { "type": "public" } }))).await;
    f.act(&ana, "claim_action_item", &format!("{item}/claim"), None).await;
    f.act(&ana, "release_action_item", &format!("{item}/release"), None).await;
    f.act(&ana, "claim_next_item", "/v1/queues/public/claim-next", None).await;
    f.act(&ana, "snooze_action_item", &format!("{item}/snooze"), Some(json!({ "due_in": "tomorrow" }))).await;
    f.act(&ana, "complete_action_item", &format!("{item}/complete"), None).await;
    f.act(&ana, "reopen_action_item", &format!("{item}/reopen"), None).await;
    f.act(&ana, "cancel_action_item", &format!("{item}/cancel"), Some(json!({ "reason": "Not needed" })))
        .await;
    let another = json!({ "subject": subject, "title": "Answer", "due_in": "today", "assignee": user(&ana) });
    f.act(&admin, "create_action_item", "/v1/action-items", Some(another)).await;
    let bulk =
        json!({ "select": { "filter": { "subject": "order:A-1001" } }, "set": { "due_in": "in_1_week" } });
    f.act(&admin, "bulk_action_items", "/v1/action-items/bulk", Some(bulk)).await;
    let offboarding = json!({ "reassign_to": user(&admin) });
    f.act(&admin, "offboard_user", &format!("/v1/users/{ana_id}/offboard"), Some(offboarding)).await;

    let zoe = f
        .act(
            &admin,
            "create_contact",
            "/v1/contacts",
            Some(json!({ "last_name": "Tremblay", "status": "active" })),
        )
        .await;
    let zoe = format!("/v1/contacts/{}", text(&zoe["id"]));
    f.act(&admin, "update_contact", &zoe, Some(json!({ "first_names": "Zoé" }))).await;
    f.act(
        &admin,
        "create_contact",
        "/v1/contacts",
        Some(json!({ "last_name": "Roi", "external_ids": { "shop": "C-1001" } })),
    )
    .await;
    let known = f
        .act(
            &admin,
            "upsert_contact",
            "/v1/contacts/by-external-id/shop/C-1001",
            Some(json!({ "last_name": "Abbott" })),
        )
        .await;
    let fact = json!({ "title": "Order A-1001", "occurred_at": "2026-03-17T14:00:00Z" });
    for external in ["A-1001", "A-1002"] {
        let fact_path = format!("/v1/contacts/{}/facts/orders/{external}", text(&known["id"]));
        f.act(&admin, "keep_fact", &fact_path, Some(fact.clone())).await;
        if external == "A-1002" {
            f.act(&admin, "forget_fact", &fact_path, None).await;
        }
    }
    f.act(&admin, "merge_contact", &format!("{zoe}/merge"), Some(json!({ "into": known["id"] }))).await;
    f.act(&admin, "unmerge_contact", &format!("{zoe}/unmerge"), None).await;
    f.act(
        &admin,
        "confirm_contact_match",
        &format!("{zoe}/confirm-match"),
        Some(json!({ "contact_id": known["id"] })),
    )
    .await;
    f.act(&admin, "undo_contact_match", &format!("{zoe}/unmatch"), None).await;

    pulls(shop, f, &admin, &zoe).await;

    let issue =
        json!({ "title": "Charged too much", "types": ["billing"], "assignee": { "type": "public" } });
    let issue = f.act(&admin, "create_issue", "/v1/issues", Some(issue)).await;
    let issue_path = format!("/v1/issues/{}", text(&issue["id"]));
    f.act(&admin, "update_issue", &issue_path, Some(json!({ "types": ["billing", "shipping"] }))).await;
    f.act(&admin, "claim_issue", &format!("{issue_path}/claim"), None).await;
    f.act(&admin, "release_issue", &format!("{issue_path}/release"), None).await;
    f.act(&admin, "close_issue", &format!("{issue_path}/close"), None).await;
    f.act(&admin, "reopen_issue", &format!("{issue_path}/reopen"), None).await;
    let actions = json!([{ "issue_id": issue["id"] }, { "issue": {
        "title": "Delivered too late" }, "info_used": ["policy_book"] }]);
    let interaction = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "phone",
        "subject_line": "Two things", "actions": actions });
    let interaction = f.act(&admin, "record_interaction", "/v1/interactions", Some(interaction)).await;
    let id = text(&interaction["id"]);
    f.act(&admin, "update_interaction", &format!("/v1/interactions/{id}"), Some(json!({ "mood": "angry" })))
        .await;
    let letter = json!({ "contact_id": known["id"], "channel": "email", "subject_line": "Where is it?",
        "assignee": { "type": "public" } });
    let letter = f.act(&admin, "record_interaction", "/v1/interactions", Some(letter)).await;
    let letter = format!("/v1/interactions/{}", text(&letter["id"]));
    f.act(&admin, "claim_interaction", &format!("{letter}/claim"), None).await;
    f.act(&admin, "release_interaction", &format!("{letter}/release"), None).await;
    f.act(&admin, "answer_interaction", &format!("{letter}/answer"), None).await;
    f.act(&admin, "reopen_interaction", &format!("{letter}/reopen"), None).await;
    f.act(&admin, "dismiss_interaction", &format!("{letter}/dismiss"), None).await;
    let details = json!({ "details": "Refunded one dollar.", "info_used": ["order_history"] });
    f.act(&admin, "link_interaction", &format!("{issue_path}/interactions/{id}"), Some(details)).await;
    let into = json!({ "into": interaction["actions"][1]["issue_id"] });
    f.act(&admin, "merge_issue", &format!("{issue_path}/merge"), Some(into)).await;

    work_items(shop, f, &admin).await;

    routing_and_forms(shop, f, &admin).await;

    let job = shop.job(&admin, "Long work", 9, json!({})).await;
    f.act(&admin, "cancel_job", &format!("{job}/cancel"), None).await;

    let signed_in = f
        .act(
            &admin,
            "create_token",
            "/v1/auth/token",
            Some(json!({ "email": admin.email, "password": PASSWORD })),
        )
        .await;
    let refresh = json!({ "refresh_token": signed_in["refresh_token"] });
    let signed_in = f.act(&admin, "refresh_token", "/v1/auth/refresh", Some(refresh)).await;
    let session = Person { token: text(&signed_in["access_token"]), ..admin.clone() };
    f.act(&session, "revoke_token", "/v1/auth/revoke", None).await;

    let writes = Operation::all().into_iter().filter(|operation| operation.method != Method::GET);
    let missing: Vec<&str> =
        writes.map(|operation| operation.id).filter(|id| !day.done.contains(id)).collect();
    assert!(missing.is_empty(), "let these writes happen here as well: {}", missing.join(", "));
}

/// What is fetched from elsewhere.
async fn pulls(
    shop: &TestApp,
    f: &mut Scenario<impl AsyncFnMut(&WriteCase) -> Reply>,
    admin: &Person,
    contact: &str,
) {
    // One row is bad until the source reads it otherwise, one is thrown away.
    let feed = feeds::open(3);
    for row in &mut feed.held.lock().expect("rows").rows {
        row["contact"] = json!({ "mail": row["contact"]["email"] });
    }
    let quizzes = f.act(admin, "create_source", "/v1/sources", Some(feeds::source(&feed))).await;
    let quizzes = format!("/v1/sources/{}", text(&quizzes["id"]));
    f.act(admin, "run_source", &format!("{quizzes}/run"), None).await;
    Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs");
    let rows = shop.by(admin).get(&format!("{quizzes}/quarantine")).await.assert_status(200);
    let row = |index: usize| format!("{quizzes}/quarantine/{}", text(&rows["data"][index]["id"]));
    let mut mapping = feeds::source(&feed)["mapping"].clone();
    mapping["email"] = json!("/contact/mail");
    f.act(admin, "update_source", &quizzes, Some(json!({ "mapping": mapping }))).await;
    f.act(admin, "discard_quarantined_row", &row(0), None).await;
    f.act(admin, "retry_quarantined_row", &format!("{}/retry", row(1)), None).await;
    f.act(admin, "retry_quarantined_rows", &format!("{quizzes}/retry"), None).await;

    let till =
        json!({ "kind": "generic", "name": "Till", "source": "till", "base_url": "https://till.example" });
    let till = f.act(admin, "create_connector", "/v1/connectors", Some(till)).await;
    let till = format!("/v1/connectors/{}", text(&till["id"]));
    f.act(admin, "update_connector", &till, Some(json!({ "credentials": { "token": "s3cr3t" } }))).await;
    f.act(admin, "run_connector", &format!("{till}/run"), None).await;
    f.act(admin, "sync_contact", &format!("{contact}/sync"), None).await;
}

/// What is done with work items and their types.
async fn work_items(shop: &TestApp, f: &mut Scenario<impl AsyncFnMut(&WriteCase) -> Reply>, admin: &Person) {
    let kind = json!({ "label": "Skin Quiz", "category": "quiz", "reference_schema": { "type": "object" } });
    f.act(admin, "create_work_item_type", "/v1/work-item-types", Some(kind)).await;
    f.act(
        admin,
        "update_work_item_type",
        "/v1/work-item-types/skin_quiz",
        Some(json!({ "priority": "high" })),
    )
    .await;
    let work = json!({ "type": "skin_quiz", "who": { "email": "zoe@epicerie.example" },
        "interaction_id": null, "assignee": { "type": "public" } });
    let work = f.act(admin, "create_work_item", "/v1/work-items", Some(work)).await;
    let work = format!("/v1/work-items/{}", text(&work["id"]));
    f.act(admin, "update_work_item", &work, Some(json!({ "reference": { "result": "dry" } }))).await;
    f.act(admin, "claim_work_item", &format!("{work}/claim"), None).await;
    f.act(admin, "release_work_item", &format!("{work}/release"), None).await;
    f.act(admin, "transition_work_item", &format!("{work}/transition"), Some(json!({ "to": "in_progress" })))
        .await;
    f.act(
        admin,
        "record_work_item_call",
        &format!("{work}/calls"),
        Some(json!({ "call_result": "answered" })),
    )
    .await;
    f.act(admin, "remind_of_work_item", &format!("{work}/reminders"), Some(json!({ "due_in": "tomorrow" })))
        .await;
    f.act(admin, "note_on_work_item", &format!("{work}/notes"), Some(json!({ "title": "Evenings only" })))
        .await;
    let letter = json!({ "who": { "email": "zoe@epicerie.example" }, "channel": "email",
        "subject_line": "Hello" });
    let letter = f.act(admin, "record_interaction", "/v1/interactions", Some(letter)).await;
    f.act(admin, "attach_interaction", &format!("{work}/interactions/{}", text(&letter["id"])), None).await;
    let known = json!({ "type": "skin_quiz", "who": { "email": "zoe@epicerie.example" } });
    f.act(admin, "upsert_work_item", "/v1/work-items/by-external-id/quiz/Q-1001", Some(known)).await;
    let inbox = "/v1/inbox?entities=work_items&priority=any";
    let entry = format!("/v1/inbox/{}", text(&shop.by(admin).get(inbox).await.json["data"][0]["id"]));
    f.act(admin, "mark_inbox_entry_read", &format!("{entry}/read"), None).await;
    f.act(admin, "mark_inbox_entry_unread", &format!("{entry}/unread"), None).await;
    let bulk = json!({ "select": { "filter": { "type": "skin_quiz" } }, "set": { "assignee": user(admin) } });
    f.act(admin, "bulk_work_items", "/v1/work-items/bulk", Some(bulk)).await;
}

async fn routing_and_forms(
    shop: &TestApp,
    f: &mut Scenario<impl AsyncFnMut(&WriteCase) -> Reply>,
    admin: &Person,
) {
    let group_of_all = text(
        &shop.by(admin).get("/v1/groups?key=customer_service").await.assert_status(200)["data"][0]["id"],
    );
    let mut rules = Vec::new();
    for name in ["Quizzes", "All else"] {
        let rule = json!({ "name": name, "target": { "type": "group", "id": group_of_all } });
        rules.push(f.act(admin, "create_routing_rule", "/v1/routing-rules", Some(rule)).await["id"].clone());
    }
    rules.reverse();
    f.act(admin, "order_routing_rules", "/v1/routing-rules/order", Some(json!({ "ids": rules }))).await;
    f.act(
        admin,
        "update_routing_rule",
        &format!("/v1/routing-rules/{}", text(&rules[0])),
        Some(json!({ "name": "The rest" })),
    )
    .await;
    let draft = json!({ "draft": { "type": "support_ticket" } });
    f.act(admin, "simulate_routing", "/v1/routing-rules/simulate", Some(draft)).await;

    let form = json!({ "key": "quiz", "title": "Quiz", "work_item_type": "body_type_quiz" });
    f.act(admin, "create_form", "/v1/forms", Some(form)).await;
    f.act(admin, "update_form", "/v1/forms/quiz", Some(json!({ "title": "Body type quiz" }))).await;
    f.act(
        admin,
        "post_intake",
        "/v1/intake/quiz",
        Some(json!({ "email": "zara@mail.example", "body_type": "liver" })),
    )
    .await;
}
