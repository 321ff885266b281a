//! A scope holds wherever the thing is shown or made: in the feed, timelines, search, reports, `expand`,
//! nested writes, and in the answers of writes.

use std::collections::{BTreeMap, BTreeSet};

use caseload::{
    app::events::catalogue,
    kernel::{
        actor::Role,
        kinds::{EXPANSIONS, KINDS, named},
    },
};

use super::{
    scenario::{WriteCase, every_write},
    *,
};

fn reads() -> BTreeSet<Scope> {
    KINDS.iter().map(|kind| kind.read).collect()
}

/// Every kind of thing that the rows of an answer name.
fn kinds_in(rows: &[Value], kind: impl Fn(&Value) -> String) -> BTreeSet<String> {
    rows.iter().map(kind).collect()
}

#[track_caller]
fn refused(reply: &Reply, scope: Scope) {
    assert_eq!(reply.problem(403), "missing_scope", "{}", reply.text);
    assert_eq!(reply.json["scope"], scope.as_str(), "{}", reply.text);
}

#[actix_web::test]
async fn expand_shows_a_thing_to_whoever_may_read_it() {
    let shop = stocked().await;
    let mut words = BTreeSet::new();
    for operation in Operation::lists() {
        let Some(expand) = operation.parameter("expand") else { continue };
        let pattern = expand["schema"]["pattern"].as_str().expect("a pattern");
        let known = pattern.trim_start_matches("^(").split(')').next().unwrap_or_default().split('|');
        let path = operation
            .real(&shop.by(&shop.admin))
            .await
            .unwrap_or_else(|| panic!("nothing to read at {}", operation.path));
        let able = operation.scopes();
        for word in known {
            words.insert(word);
            let (_, kind) = EXPANSIONS
                .iter()
                .find(|(known, _)| *known == word)
                .unwrap_or_else(|| panic!("nobody knows what {word} shows"));
            let read = named(kind).expect("a kind").read;
            let but: Vec<Scope> =
                Scope::ALL.iter().copied().filter(|scope| *scope != read || able.contains(scope)).collect();
            let asked = format!("{path}{}expand={word}", if path.contains('?') { '&' } else { '?' });
            let mine = |secret: String| shop.with_token(&secret).header("x-act-as", &shop.admin.id);
            if !able.contains(&read) {
                refused(&mine(key(&shop, word, &but).await).get(&asked).await, read);
            }
            let all: Vec<Scope> =
                able.iter().copied().chain([read, Scope::UsersActAs, Scope::InteractionsRead]).collect();
            mine(key(&shop, word, &all).await).get(&asked).await.assert_status(200);
        }
    }
    assert_eq!(words, EXPANSIONS.iter().map(|(word, _)| *word).collect());
}

#[actix_web::test]
async fn the_feed_shows_a_kind_of_thing_to_whoever_may_read_it() {
    let shop = TestApp::open().await;
    every_write(&shop, async |deed: &WriteCase| deed.send(&shop.by(&deed.by)).await).await;
    let events = async |secret: &str| {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = shop
                .with_token(secret)
                .get(&format!("/v1/events?after={after}&limit=1000"))
                .await
                .assert_status(200);
            rows.extend(page["data"].as_array().expect("events").iter().cloned());
            after = page["next_after"].as_i64().expect("a sequence");
            if page["has_more"] == false {
                return rows;
            }
        }
    };
    let kind = |event: &Value| text(&event["record"]["kind"]);
    let everything = events(&key(&shop, "everything", Scope::ALL).await).await;
    let all = kinds_in(&everything, kind);
    let unknown: Vec<&String> = all.iter().filter(|kind| named(kind).is_none()).collect();
    assert!(unknown.is_empty(), "say in kernel/kinds.rs who may read these: {unknown:?}");
    let catalogue = catalogue();
    let names = everything.iter().map(|event| text(&event["type"]));
    let unknown: BTreeSet<String> =
        names.filter(|name| !catalogue.iter().any(|event| event.name == name)).collect();
    assert!(unknown.is_empty(), "the catalogue does not have {unknown:?}");
    let mut seen = BTreeSet::new();
    for scope in reads() {
        let secret = key(&shop, scope.as_str(), &[Scope::EventsRead, Scope::UsersWrite, scope]).await;
        let shown = events(&secret).await;
        let wanted: BTreeSet<String> =
            all.iter().filter(|kind| named(kind).expect("a kind").read == scope).cloned().collect();
        assert_eq!(kinds_in(&shown, kind), wanted, "with {scope}");
        seen.extend(wanted);
        let hidden = everything
            .iter()
            .find(|event| named(&kind(event)).expect("a kind").read != scope)
            .expect("another");
        let path = format!("/v1/events/{}", text(&hidden["id"]));
        assert_eq!(shop.with_token(&secret).get(&path).await.problem(404), "not_found", "with {scope}");
    }
    assert_eq!(seen, all);
    assert_eq!(
        events(&key(&shop, "nothing", &[Scope::EventsRead, Scope::UsersWrite]).await).await,
        Vec::<Value>::new()
    );
}

#[actix_web::test]
async fn timelines_and_search_show_a_kind_of_thing_to_whoever_may_read_it() {
    let shop = stocked().await;
    let contact = text(&shop.by(&shop.admin).get("/v1/contacts?limit=1").await.json["data"][0]["id"]);
    let timelines = [
        ("/v1/subjects/order/A-1001/timeline", Scope::SubjectsRead),
        (&format!("/v1/contacts/{contact}/timeline"), Scope::ContactsRead),
    ];
    for (path, own) in timelines {
        let all = kinds_in(&shop.by(&shop.admin).rows(path).await, |row| text(&row["kind"]));
        assert!(all.len() > 2, "{path}: {all:?}");
        for scope in reads() {
            let secret = key(&shop, scope.as_str(), &[own, scope]).await;
            let may = |kind: &&String| [own, scope].contains(&named(kind).expect("a kind").read);
            let wanted: BTreeSet<String> = all.iter().filter(may).cloned().collect();
            assert_eq!(
                kinds_in(&shop.with_token(&secret).rows(path).await, |row| text(&row["kind"])),
                wanted,
                "{path} with {scope}"
            );
        }
    }
    let secret = key(&shop, "channel", &[Scope::SubjectsRead]).await;
    refused(
        &shop.with_token(&secret).get("/v1/subjects/order/A-1001/timeline?channel=email").await,
        Scope::InteractionsRead,
    );
    for word in ["called", "abbott", "look"] {
        for scope in reads() {
            let secret = key(&shop, scope.as_str(), &[Scope::SearchRead, scope]).await;
            let found =
                shop.with_token(&secret).get(&format!("/v1/search?q={word}")).await.assert_status(200);
            let kinds = kinds_in(found["data"].as_array().expect("results"), |row| text(&row["kind"]));
            assert!(
                kinds.iter().all(|kind| named(kind).expect("a kind").read == scope),
                "{word} with {scope}: {kinds:?}"
            );
        }
    }
}

#[actix_web::test]
async fn figures_are_for_whoever_may_read_the_rows() {
    let shop = stocked().await;
    let reports: Vec<Operation> =
        Operation::all().into_iter().filter(|operation| operation.path.starts_with("/v1/reports/")).collect();
    assert!(reports.len() >= 20);
    let bare = key(&shop, "reports", &[Scope::ReportsRead]).await;
    for operation in &reports {
        let scopes = operation.scopes();
        let [_, rows, others @ ..] = &scopes[..] else {
            panic!("{} does not say which rows it shows", operation.id)
        };
        assert_eq!(
            others.contains(&Scope::ContactsRead),
            operation.path.ends_with("-by-contact"),
            "{}",
            operation.id
        );
        refused(&shop.with_token(&bare).get(operation.path).await, *rows);
        if let Some(other) = others.first() {
            let secret = key(&shop, operation.id, &[Scope::ReportsRead, *rows]).await;
            refused(&shop.with_token(&secret).get(operation.path).await, *other);
        }
        let secret = key(&shop, operation.id, &scopes).await;
        shop.with_token(&secret).get(operation.path).await.assert_status(200);
    }
    let interactions = key(&shop, "interactions", &[Scope::ReportsRead, Scope::InteractionsRead]).await;
    let by_contact =
        shop.with_token(&interactions).get("/v1/reports/interactions-by-purpose?group_by=contact").await;
    assert!(
        by_contact.status == 403 || by_contact.violation_of(400)[0].0 == "group_by",
        "{}",
        by_contact.text
    );
    // The words of a picklist are not for whoever may not read it.
    let purposes = async |secret: &str| {
        let shown =
            shop.with_token(secret).get("/v1/reports/interactions-by-purpose").await.assert_status(200);
        text(&shown["data"][0]["label"])
    };
    shop.by(&shop.admin)
        .patch("/v1/picklists/purposes/items/sales", json!({ "label": "Selling" }))
        .await
        .assert_status(200);
    assert_eq!(purposes(&interactions).await, "Sales");
    let words =
        key(&shop, "words", &[Scope::ReportsRead, Scope::InteractionsRead, Scope::PicklistsRead]).await;
    assert_eq!(purposes(&words).await, "Selling");
    for (path, scope) in
        [("/v1/dashboard", Scope::DashboardRead), ("/v1/queues/public/items", Scope::QueuesRead)]
    {
        refused(&shop.with_token(&key(&shop, path, &[scope]).await).get(path).await, Scope::ActionItemsRead);
    }
    for (path, scope) in
        [("/v1/inbox", Scope::InteractionsRead), ("/v1/inbox?entities=work_items", Scope::WorkItemsRead)]
    {
        let secret = key(&shop, path, &[Scope::InboxRead, Scope::UsersActAs]).await;
        refused(&shop.with_token(&secret).header("x-act-as", &shop.admin.id).get(path).await, scope);
    }
}

#[actix_web::test]
async fn the_home_page_shows_what_its_reader_may_read() {
    let shop = stocked().await;
    let home = async |more: &[Scope]| {
        let scopes: Vec<Scope> = [Scope::HomeRead].into_iter().chain(more.iter().copied()).collect();
        let page =
            shop.with_token(&key(&shop, "home", &scopes).await).get("/v1/home").await.assert_status(200);
        page.as_object().expect("a page").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(home(&[]).await, [""; 0]);
    assert_eq!(home(&[Scope::ActionItemsRead]).await, ["newest_action_items"]);
    assert_eq!(home(&[Scope::QueuesRead]).await, ["queues"]);
    assert_eq!(home(&[Scope::IssuesRead]).await, ["open_issues"]);
}

#[actix_web::test]
async fn filters_answer_no_question_about_what_the_caller_may_not_read() {
    let shop = stocked().await;
    for operation in Operation::all() {
        for (parameter, value, scope) in [
            ("contact_kind", "customer", Scope::ContactsRead),
            ("contact_country", "CA", Scope::ContactsRead),
            ("contact_postal_code_prefix", "H2", Scope::ContactsRead),
            ("contact_owner", "me", Scope::ContactsRead),
            ("own_company", "true", Scope::ContactsRead),
            ("own_company", "false", Scope::ContactsRead),
            ("follow_up", "open", Scope::ActionItemsRead),
            ("follow_up_assignee", "public", Scope::ActionItemsRead),
            ("follow_up_instructions", "call", Scope::ActionItemsRead),
        ] {
            let able = operation.scopes();
            if operation.parameter(parameter).is_none() || able.contains(&scope) {
                continue;
            }
            let secret = key(&shop, operation.id, &able).await;
            refused(
                &shop.with_token(&secret).get(&format!("{}?{parameter}={value}", operation.path)).await,
                scope,
            );
        }
    }
    let ask = json!({ "select": { "filter": { "contact_country": "CA" } }, "set": { "priority": "high" },
        "dry_run": true });
    let secret = key(&shop, "write", &[Scope::ActionItemsWrite]).await;
    refused(
        &shop.with_token(&secret).post("/v1/action-items/bulk", ask.clone()).await,
        Scope::ActionItemsRead,
    );
    let secret = key(&shop, "read", &[Scope::ActionItemsWrite, Scope::ActionItemsRead]).await;
    refused(&shop.with_token(&secret).post("/v1/action-items/bulk", ask).await, Scope::ContactsRead);
}

#[actix_web::test]
async fn a_simulation_tells_of_what_its_reader_may_read() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let contact = text(&admin.get("/v1/contacts?limit=1").await.json["data"][0]["id"]);
    let item = text(&admin.get("/v1/work-items?limit=1").await.json["data"][0]["id"]);
    let of_an_item = json!({ "work_item_id": item });
    let of_a_contact = json!({ "draft": { "type": "support_ticket", "contact_id": contact } });
    let of_nobody = json!({ "draft": { "type": "support_ticket", "contact": { "country": "CA" } } });
    let ask = async |more: &[Scope], body: &Value| {
        let scopes: Vec<Scope> = [Scope::RoutingRulesRead].into_iter().chain(more.iter().copied()).collect();
        shop.with_token(&key(&shop, "simulation", &scopes).await)
            .post("/v1/routing-rules/simulate", body.clone())
            .await
    };
    ask(&[], &of_nobody).await.assert_status(200);
    refused(&ask(&[Scope::ContactsRead], &of_an_item).await, Scope::WorkItemsRead);
    refused(&ask(&[Scope::WorkItemsRead], &of_an_item).await, Scope::ContactsRead);
    refused(&ask(&[Scope::WorkItemsRead], &of_a_contact).await, Scope::ContactsRead);
    // What is not there is refused in the same way: nobody learns which ids there are.
    refused(&ask(&[], &json!({ "work_item_id": NOTHING })).await, Scope::WorkItemsRead);
    ask(&[Scope::WorkItemsRead, Scope::ContactsRead], &of_an_item).await.assert_status(200);
    ask(&[Scope::ContactsRead], &of_a_contact).await.assert_status(200);
}

#[actix_web::test]
async fn an_inbox_counts_what_its_reader_may_read() {
    let shop = stocked().await;
    let mia = shop.hire("Mia Lund", "manager").await;
    let item =
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": user(&shop.admin) });
    shop.by(&mia).post("/v1/work-items", item).await.assert_status(201);
    let mut whole = shop.by(&shop.admin).get("/v1/inbox?counts=true").await.assert_status(200);
    let ask = async |scope: Scope, path: &str| {
        let secret = key(&shop, path, &[Scope::InboxRead, Scope::UsersActAs, scope]).await;
        shop.with_token(&secret).header("x-act-as", &shop.admin.id).get(path).await.assert_status(200)
    };
    let hidden = whole["applied_defaults"]["hidden"].take();
    assert!(hidden.as_u64().is_some_and(|hidden| hidden > 0), "{whole}");
    let letters = ask(Scope::InteractionsRead, "/v1/inbox?counts=true").await;
    assert_eq!(letters["applied_defaults"], json!({ "entities": "communications" }));
    assert_eq!(
        (&letters["counts"]["filtered"], &letters["counts"]["total"]),
        (&whole["counts"]["filtered"], &whole["counts"]["filtered"])
    );
    let work = ask(Scope::WorkItemsRead, "/v1/inbox?entities=work_items&priority=any&counts=true").await;
    assert_eq!((&work["counts"]["total"], &work["counts"]["filtered"]), (&hidden, &hidden));
}

#[actix_web::test]
async fn figures_do_not_tell_which_contact_is_the_shop_itself() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let us = admin
        .post("/v1/contacts", json!({ "kind": "own_company", "company": "The Shop" }))
        .await
        .assert_status(201);
    let call =
        json!({ "contact_id": us["id"], "channel": "phone", "subject_line": "Called", "complete": true });
    admin.post("/v1/interactions", call).await.assert_status(201);
    let report = async |scopes: &[Scope]| {
        let secret =
            key(&shop, "report", &[&[Scope::ReportsRead, Scope::InteractionsRead], scopes].concat()).await;
        let report =
            shop.with_token(&secret).get("/v1/reports/interactions-by-channel").await.assert_status(200);
        (report["total"]["count"].clone(), report["applied_defaults"].clone())
    };
    assert_eq!(
        report(&[Scope::ContactsRead]).await,
        (json!(0), json!({ "own_company": false, "hidden": 1 }))
    );
    let (count, defaults) = report(&[]).await;
    assert_eq!((count, defaults.get("own_company"), defaults.get("hidden")), (json!(1), None, None));
}

#[actix_web::test]
async fn what_is_made_beside_a_thing_takes_its_own_scope() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let contact = text(&admin.get("/v1/contacts?limit=1").await.json["data"][0]["id"]);
    let subject = json!({ "type": "order", "id": "A-1001" });
    let letter =
        json!({ "contact_id": contact, "channel": "email", "subject_line": "Hello", "complete": true });
    let letter = text(&admin.post("/v1/interactions", letter).await.assert_status(201)["id"]);
    let item = text(&admin.get("/v1/work-items?limit=1").await.json["data"][0]["id"]);
    let action_item = text(
        &admin.get(&format!("/v1/action-items?limit=1&contact_id={contact}")).await.json["data"][0]["id"],
    );
    let due = json!({ "due_in": "today" });
    let interaction = |more: Value| {
        let mut body = json!({ "contact_id": contact, "channel": "phone", "subject_line": "Called" });
        body.as_object_mut().expect("a body").extend(more.as_object().expect("more").clone());
        body
    };
    let who = json!({ "email": "somebody.new@mail.example" });
    let cases = [
        (
            Scope::NotesWrite,
            "POST",
            "/v1/notes".to_owned(),
            json!({ "subject": subject, "title": "Called",
                "action_items": [{ "title": "Answer", "due_in": "today" }] }),
            Scope::ActionItemsWrite,
        ),
        (
            Scope::InteractionsWrite,
            "POST",
            "/v1/interactions".into(),
            interaction(json!({ "follow_up": due })),
            Scope::ActionItemsWrite,
        ),
        (
            Scope::InteractionsWrite,
            "POST",
            "/v1/interactions".into(),
            interaction(json!({ "actions": [{ "issue": { "title": "Too late" } }] })),
            Scope::IssuesWrite,
        ),
        (
            Scope::InteractionsWrite,
            "POST",
            "/v1/interactions".into(),
            interaction(json!({ "work_item_id": item })),
            Scope::WorkItemsWrite,
        ),
        (
            Scope::InteractionsWrite,
            "POST",
            "/v1/interactions".into(),
            json!({ "who": who, "channel": "phone", "subject_line": "Called", "complete": true }),
            Scope::ContactsWrite,
        ),
        (
            Scope::WorkItemsWrite,
            "POST",
            "/v1/work-items".into(),
            json!({ "type": "support_ticket", "who": who }),
            Scope::ContactsWrite,
        ),
        (
            Scope::WorkItemsWrite,
            "POST",
            "/v1/work-items".into(),
            json!({ "type": "support_ticket", "interaction_id": letter }),
            Scope::InteractionsWrite,
        ),
        (
            Scope::WorkItemsWrite,
            "POST",
            format!("/v1/work-items/{item}/calls"),
            json!({}),
            Scope::InteractionsWrite,
        ),
        (
            Scope::WorkItemsWrite,
            "POST",
            format!("/v1/work-items/{item}/reminders"),
            due.clone(),
            Scope::ActionItemsWrite,
        ),
        (
            Scope::WorkItemsWrite,
            "POST",
            format!("/v1/work-items/{item}/notes"),
            json!({ "title": "Evenings" }),
            Scope::NotesWrite,
        ),
        (
            Scope::WorkItemsWrite,
            "PUT",
            format!("/v1/work-items/{item}/interactions/{letter}"),
            Value::Null,
            Scope::InteractionsWrite,
        ),
        (
            Scope::ActionItemsWrite,
            "POST",
            "/v1/action-items".into(),
            json!({ "contact_id": contact, "title": "Call", "due_in": "today",
                "contact_status": "cold_prospect" }),
            Scope::ContactsWrite,
        ),
        (
            Scope::ActionItemsWrite,
            "POST",
            "/v1/action-items/bulk".into(),
            json!({ "select": { "ids": [action_item] }, "set": { "contact_status": "cold_prospect" } }),
            Scope::ContactsWrite,
        ),
    ];
    let count = async || {
        admin.get("/v1/events?after=0&limit=1&type=nothing.happened").await.assert_status(200)["next_after"]
            .clone()
    };
    for (own, method, path, body, missing) in cases {
        let secret = key(&shop, &path, &[own]).await;
        // Keys that act for nobody name an assignee; these stand for the administrator.
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != missing).collect();
        let able = key(&shop, "all but one", &others).await;
        let before = count().await;
        let body = Some(body).filter(|body| !body.is_null());
        let method: Method = method.parse().expect("a method");
        let all_but_one = shop
            .with_token(&able)
            .header("x-act-as", &shop.admin.id)
            .send(method.clone(), &path, body.clone())
            .await;
        refused(&all_but_one, missing);
        let alone = shop.with_token(&secret).send(method, &path, body).await;
        assert!(alone.status == 403 || alone.status == 422, "{path}: {}", alone.text);
        assert_eq!(count().await, before, "{path}");
    }
}

#[actix_web::test]
async fn a_write_shows_nothing_to_whoever_may_not_read_it() {
    let shop = TestApp::open().await;
    let mut checked: BTreeMap<&str, u16> = BTreeMap::new();
    every_write(&shop, async |deed: &WriteCase| {
        let reply = deed.send(&shop.by(&deed.by)).await;
        let able = deed.operation.scopes();
        let reading = able.first().and_then(|scope| scope.reading());
        // Set-up that is made twice would not be what the day goes on with.
        let made = reply.status == 201 && able.first().is_some_and(|scope| scope.least_role() == Role::Admin);
        if reading.is_none_or(|reading| able.contains(&reading)) || made || !is_success(reply.status) {
            return reply;
        }
        // The same once more, or, where that is possible, nothing, by a key with no more than the operation
        // asks.
        let words: Vec<&str> = able.iter().map(|scope| scope.as_str()).collect();
        let new = json!({ "name": deed.operation.id, "scopes": words, "user_id": deed.by.id });
        let made = shop.by(&shop.admin).post("/v1/api-keys", new).await.assert_status(201);
        let writer = shop.with_token(&text(&made["secret"]));
        let body = if deed.operation.method == Method::PATCH { Some(json!({})) } else { deed.body.clone() };
        let shown = deed.operation.ask(&writer, &deed.path, body).await;
        if is_success(shown.status) && !shown.text.is_empty() {
            let members: BTreeSet<&str> =
                shown.json.as_object().expect("an answer").keys().map(String::as_str).collect();
            // A report of what became of many has no version.
            let is_report = shown.header("etag").is_empty();
            let kind = shown.header("content-type");
            assert!(
                is_report || kind == "application/vnd.caseload.written+json",
                "{}: {kind}",
                deed.operation.id
            );
            assert!(
                is_report || members == BTreeSet::from(["id", "version"]),
                "{} showed {}",
                deed.operation.id,
                shown.text
            );
            assert_eq!(
                shown.header("etag").is_empty(),
                !reply.header("etag").starts_with('"'),
                "{}",
                deed.operation.id
            );
        }
        checked.insert(deed.operation.id, shown.status);
        reply
    })
    .await;
    let patches: Vec<&str> = Operation::all()
        .iter()
        .filter(|operation| operation.method == Method::PATCH)
        .map(|operation| operation.id)
        .collect();
    let answered: Vec<&str> =
        patches.iter().copied().filter(|id| checked.get(id).copied() == Some(200)).collect();
    assert!(answered.len() + 2 >= patches.len(), "{checked:?}");
}

// What a key may not read it is not shown when an answer is given again, either.
#[actix_web::test]
async fn an_answer_given_again_shows_no_more() {
    let shop = TestApp::open().await;
    let note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Called",
        "action_items": [{ "title": "Answer", "due_in": "today" }] });
    let whole = shop.by(&shop.admin).once("twice").post("/v1/notes", note.clone()).await.assert_status(201);
    assert_eq!(whole["title"], "Called");
    let writer = key(&shop, "writer", &[Scope::NotesWrite, Scope::ActionItemsWrite, Scope::UsersActAs]).await;
    let again = shop
        .with_token(&writer)
        .header("x-act-as", &shop.admin.id)
        .once("twice")
        .post("/v1/notes", note.clone())
        .await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.json, json!({ "id": whole["id"], "version": 1 }));
    // It may read notes, but not what follows from them.
    let reader = key(
        &shop,
        "reader",
        &[Scope::NotesRead, Scope::NotesWrite, Scope::ActionItemsWrite, Scope::UsersActAs],
    )
    .await;
    let reader = shop.with_token(&reader).header("x-act-as", &shop.admin.id);
    let bare = reader.clone().once("thrice").post("/v1/notes", note.clone()).await.assert_status(201);
    assert_eq!(bare.as_object().expect("an answer").keys().collect::<Vec<_>>(), ["id", "version"]);
    assert_eq!(reader.once("thrice").post("/v1/notes", note).await.assert_status(201), bare);
}
