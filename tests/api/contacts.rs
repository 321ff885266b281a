//! Contacts: who they are, matched for certain or by a rep, merged and unmerged without a trace.

use crate::support::{Caller, TestApp, Value, all, column, encoded, json, rules, text};

async fn add(by: &Caller<'_>, new: Value) -> Value {
    by.post("/v1/contacts", new).await.assert_status(201)
}

fn at(contact: &Value) -> String {
    format!("/v1/contacts/{}", text(&contact["id"]))
}

/// A contact without what changes with every change.
fn lasting(mut contact: Value) -> Value {
    for member in ["version", "updated_at", "match_candidates"] {
        contact[member] = Value::Null;
    }
    contact
}

// S3-1, S0-20, S2-16, S3-35: a contact of each kind, with everything said about it.
#[actix_web::test]
async fn s3_1_a_contact_says_who_it_is() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let new = json!({
        "kind": "customer", "first_names": " Zoé ", "last_name": "Tremblay", "company": "Épicerie du Coin",
        "emails": ["Zoe@Epicerie.example", "zoe@epicerie.example"], "phones": [
            "(514) 555-0123"], "postal_code": "H2X 1Y4", "country": "ca",
        "time_zone": "America/Montreal", "language": "fr-CA",
        "other": "calls from the depot", "external_ids": { "shop": "C-1001" },
        "status": "active", "owner_id": ana.id,
        "marketing": { "lists": ["newsletter"], "opt_in": true, "source": "spring fair" },
    });
    let reply = by.post("/v1/contacts", new).await;
    assert_eq!(reply.header("location"), at(&reply.json));
    let contact = reply.assert_status(201);
    let wanted = json!({
        "id": contact["id"], "kind": "customer", "registered": true,
        "name": "Zoé Tremblay", "first_names": "Zoé", "last_name": "Tremblay",
        "company": "Épicerie du Coin", "emails": ["Zoe@Epicerie.example"], "phones": [{
            "number": "(514) 555-0123", "e164": "+15145550123", "confirmed": true }],
        "postal_code": "H2X \
         1Y4", "country": "CA", "time_zone": "America/Montreal", "language": "fr-CA", "other": "calls from \
         the depot",
        "external_ids": { "shop": "C-1001" }, "status": "active",
        "status_since": "2026-03-18T09:00:00.000000Z",
        "status_by": { "id": ana.id, "name": "Ana Ruiz" }, "owner": { "id": ana.id,
        "name": "Ana Ruiz" }, "variables": {},
        "marketing": { "lists": ["newsletter"], "opt_in": true,
        "source": "spring fair" }, "unconfirmed": [], "merged_contacts": [], "merged_into": null,
        "match_candidates": null, "created_at": "2026-03-18T09:00:00.000000Z",
        "updated_at": "2026-03-18T09:00:00.000000Z", "version": 1,
    });
    assert_eq!(contact, wanted);
    for (kind, company) in [
        ("vendor", "Moulin & Fils"),
        ("own_company", "Shop Ltd."),
        ("prospect", "株式会社さくら"),
        ("other", "\"O'Neil\" 🦊"),
    ] {
        assert_eq!(add(&by, json!({ "kind": kind, "company": company })).await["name"], company);
    }
    assert_eq!(
        column(&by.get("/v1/contacts?kind=vendor,own_company").await.assert_status(200), "name"),
        ["Moulin & Fils", "Shop Ltd."]
    );
    let read = by.get(&at(&contact)).await.assert_status(200);
    assert_eq!(read["match_candidates"], json!([]));
}

// Every refusal names its field, and nothing is written.
#[actix_web::test]
async fn a_bad_contact_is_refused_whole() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    assert_eq!(by.post("/v1/contacts", json!({})).await.violation_of(422), rules(&[("#", "required")]));
    assert_eq!(
        by.post("/v1/contacts", json!({ "first_names": "  " })).await.violation_of(422),
        rules(&[("#", "required")])
    );
    let bad = json!({
        "last_name": "x".repeat(101), "emails": ["no address"], "phones": [
            "call me"], "country": "Canada", "time_zone": "Mars/Base",
        "external_ids": { "Shop!": "1" }, "marketing": { "source": "x".repeat(201) },
    });
    let mut broken = by.post("/v1/contacts", bad).await.violation_of(422);
    broken.sort();
    let wanted = [
        ("#/country", "country"),
        ("#/emails", "email"),
        ("#/external_ids", "key"),
        ("#/last_name", "length"),
        ("#/marketing/source", "length"),
        ("#/phones", "phone"),
        ("#/time_zone", "time_zone"),
    ];
    assert_eq!(broken, rules(&wanted));
    let unknown = json!({ "last_name": "Roy", "status": "nonsense",
        "owner_id": "01234567-89ab-7cde-8f01-23456789abcd" });
    let mut broken = by.post("/v1/contacts", unknown).await.violation_of(422);
    broken.sort();
    assert_eq!(broken, rules(&[("#/owner_id", "unknown"), ("#/status", "unknown_value")]));
    assert_eq!(by.post("/v1/contacts", json!({ "last_name": "Roy", "nonsense": 1 })).await.status, 422);
    assert_eq!(by.get("/v1/contacts").await.assert_status(200)["data"], json!([]));
}

// S2-1, S2-2: find supermarkets in Canada whose postal code begins with H2, a name however it is written, a
// number in any form.
#[actix_web::test]
async fn s2_1_contacts_are_found() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    for (last, code, country, phone, status) in [
        ("Tremblay", "H2X 1Y4", "CA", "514-555-0123", "active"),
        ("Trembłay", "h2x1y5", "CA", "+1 514 555 0124", "cold_prospect"),
        ("Élodie", "H3A 0B1", "CA", "514 555 0125", "active"),
        ("Martin", "H2000", "FR", "01 42 68 53 00", "overdue_account"),
    ] {
        let new = json!({ "last_name": last, "postal_code": code, "country": country, "phones": [phone],
            "emails": [format!("{}@x.example", code.replace(' ', ""))], "status": status });
        add(&by, new).await;
    }
    let found = async |query: &str| {
        column(&by.get(&format!("/v1/contacts?{query}")).await.assert_status(200), "last_name")
    };
    assert_eq!(found("country=CA&postal_code_prefix=h2").await, ["Tremblay", "Trembłay"]);
    assert_eq!(found("postal_code_prefix=H2x%201").await, ["Tremblay", "Trembłay"]);
    assert_eq!(found("name_prefix=elo").await, ["Élodie"]);
    assert_eq!(found("name_prefix=TREMB").await, ["Tremblay", "Trembłay"]);
    assert_eq!(found("phone=0142685300&country=FR").await, ["Martin"]);
    assert_eq!(found("phone=%2B33142685300").await, ["Martin"]);
    assert_eq!(found("email=H2X1Y4@X.EXAMPLE").await, ["Tremblay"]);
    assert_eq!(found("status=active&sort=-name").await, ["Tremblay", "Élodie"]);
    assert_eq!(found("registered=true").await, [""; 0]);
    assert_eq!(found("owner=none&limit=1").await, ["Élodie"]);
    // S2-8: the state with its colour, in the caller's language.
    let labelled = by
        .clone()
        .header("accept-language", "fr")
        .get("/v1/contacts?status=overdue_account&expand=labels")
        .await
        .assert_status(200);
    assert_eq!(
        labelled["data"][0]["labels"]["status"],
        json!({ "label": "Compte en retard", "color": "#c92a2a" })
    );
}

// S2-14, B-3: what is changed, what is kept, and what is refused.
#[actix_web::test]
async fn s2_14_a_contact_is_changed() {
    let shop = TestApp::open().await;
    let (by, ana) = (shop.by(&shop.admin), shop.hire("Ana Ruiz", "agent").await);
    let contact = add(
        &by,
        json!({ "last_name": "Roy", "emails": ["roy@x.example"], "phones": [
            "514 555 0123"], "external_ids": { "shop": "1", "till": "9" } }),
    )
    .await;
    shop.time_is("2026-03-18T09:10:00Z");
    let patch = json!({ "owner_id": ana.id, "status": "active", "country": "CA",
        "external_ids": { "till": null }, "emails": [] });
    let changed = by.patch(&at(&contact), patch).await.assert_status(200);
    assert_eq!(changed["owner"]["name"], "Ana Ruiz");
    assert_eq!(
        (&changed["emails"], &changed["external_ids"], &changed["version"]),
        (&json!([]), &json!({ "shop": "1" }), &json!(2))
    );
    assert_eq!(
        changed["phones"][0]["e164"], "+15145550123",
        "a number is read again when the country is known"
    );
    assert_eq!(
        by.get("/v1/contacts?email=roy@x.example").await.assert_status(200)["data"],
        json!([]),
        "it is no longer found by what it lost"
    );
    let other = add(&by, json!({ "last_name": "Roy" })).await;
    let taken = by.patch(&at(&other), json!({ "external_ids": { "shop": "1" } })).await;
    assert_eq!((taken.problem(409), &taken.json["contact_id"]), ("already_exists", &contact["id"]));
    for (patch, field) in [(json!({ "last_name": null }), "#/last_name"), (json!({ "kind": null }), "#/kind")]
    {
        assert_eq!(by.patch(&at(&other), patch).await.violation_of(422), rules(&[(field, "required")]));
    }
    let stale = by.clone().header("if-match", "\"1\"").patch(&at(&contact), json!({ "other": "x" })).await;
    assert_eq!(stale.problem(412), "stale_version");
    let state = by.patch(&at(&contact), json!({ "status": null })).await.assert_status(200);
    assert_eq!(
        (&state["status"], &state["status_since"], &state["status_by"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

// B-3: the shop says who its customer is, as often as it likes, also twenty times at once.
#[actix_web::test]
async fn b_3_an_upsert_makes_one_contact() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let path = format!("/v1/contacts/by-external-id/shop/{}", encoded("C/10 01"));
    let replies =
        all((0..20).map(|_| by.put(&path, Some(json!({ "last_name": "Roy", "emails": ["roy@x.example"] })))))
            .await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200; 19], vec![201]].concat());
    let one = by.get("/v1/contacts?counts=true").await.assert_status(200);
    assert_eq!(
        (&one["counts"]["total"], &one["data"][0]["external_ids"]),
        (&json!(1), &json!({ "shop": "C/10 01" }))
    );
    let again = by.put(&path, Some(json!({ "first_names": "Léa" }))).await.assert_status(200);
    assert_eq!(
        (&again["name"], &again["emails"][0]),
        (&json!("Léa Roy"), &json!("roy@x.example")),
        "what is not sent is kept"
    );
    let none = by
        .clone()
        .header("if-match", "\"1\"")
        .put("/v1/contacts/by-external-id/shop/9", Some(json!({ "last_name": "Roy" })))
        .await;
    assert_eq!(none.problem(412), "stale_version");
    assert_eq!(
        by.put("/v1/contacts/by-external-id/Shop!/1", Some(json!({}))).await.problem(404),
        "not_found"
    );
}

// S0-1: a subject of the shop's customer is the contact; also when the shop says only later who that is.
#[actix_web::test]
async fn s0_1_a_customer_is_the_contact_also_later() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let subject = json!({ "type": "customer", "id": "C-7" });
    let note = json!({ "subject": subject, "title": "Called",
        "action_items": [{ "title": "Answer", "due_in": "today" }] });
    let early = by.post("/v1/notes", note.clone()).await.assert_status(201);
    assert_eq!((&early["contact_id"], &early["action_items"][0]["contact_id"]), (&Value::Null, &Value::Null));
    let contact = by
        .put("/v1/contacts/by-external-id/shop/C-7", Some(json!({ "last_name": "Roy" })))
        .await
        .assert_status(201);
    let late = by.post("/v1/notes", note).await.assert_status(201);
    assert_eq!(
        (&late["contact_id"], &late["action_items"][0]["contact_id"]),
        (&contact["id"], &contact["id"])
    );
    let id = text(&contact["id"]);
    assert_eq!(
        by.get(&format!("/v1/notes?contact_id={id}")).await.assert_status(200)["data"]
            .as_array()
            .expect("rows")
            .len(),
        2
    );
    assert_eq!(
        by.get(&format!("/v1/action-items?contact_id={id}")).await.assert_status(200)["data"]
            .as_array()
            .expect("rows")
            .len(),
        2
    );
    let changed = by.get(&format!("/v1/notes/{}", text(&early["id"]))).await.assert_status(200);
    assert_eq!((&changed["contact_id"], &changed["version"]), (&contact["id"], &json!(2)));
    // S4-9, S0-18: everything about it, also what came before anybody knew.
    let timeline = by.rows(&format!("/v1/contacts/{id}/timeline")).await;
    let events: Vec<&str> = timeline.iter().map(|entry| entry["event"].as_str().expect("an event")).collect();
    assert_eq!(events.len(), 7, "{events:?}");
    // By our own id, and without a subject of its own.
    let own = by
        .post("/v1/notes", json!({ "subject": { "type": "contact", "id": id }, "title": "Wrote" }))
        .await
        .assert_status(201);
    assert_eq!(own["contact_id"], contact["id"]);
    let bare = by
        .post("/v1/action-items", json!({ "contact_id": id, "title": "Call", "due_in": "today" }))
        .await
        .assert_status(201);
    assert_eq!(
        (&bare["subject"], &bare["contact_id"]),
        (&json!({ "type": "contact", "id": id }), &contact["id"])
    );
    // S2-2: about an order, for a contact.
    let order = json!({ "subject": { "type": "order", "id": "A-1" }, "contact_id": id, "title": "Call",
        "due_in": "today" });
    assert_eq!(by.post("/v1/action-items", order).await.assert_status(201)["contact_id"], contact["id"]);
    let nobody = "01234567-89ab-7cde-8f01-23456789abcd";
    for (body, field, rule) in [
        (json!({ "contact_id": nobody, "title": "Call", "due_in": "today" }), "#/contact_id", "unknown"),
        (
            json!({ "subject": { "type": "contact", "id": nobody }, "title": "Call", "due_in": "today" }),
            "#/subject/id",
            "unknown",
        ),
        (
            json!({ "subject": { "type": "contact", "id": "x" }, "title": "Call", "due_in": "today" }),
            "#/subject/id",
            "unknown",
        ),
        (json!({ "title": "Call", "due_in": "today" }), "#/subject", "required"),
    ] {
        assert_eq!(by.post("/v1/action-items", body).await.violation_of(422), rules(&[(field, rule)]));
    }
    assert_eq!(by.get(&format!("/v1/contacts/{nobody}/timeline")).await.problem(404), "not_found");
}

// S4-15, B-8: who else an unregistered record may be is worked out at every view, with reasons and certainty.
#[actix_web::test]
async fn s4_15_candidates_have_reasons() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let stranger = json!({ "first_names": "Zoe", "last_name": "tremblay", "postal_code": "h2x1y4",
        "emails": ["zoe+shop@x.example"], "phones": ["+1 514 555 0123"] });
    let stranger = add(&by, stranger).await;
    let first = by.get(&at(&stranger)).await;
    assert_eq!((&first.json["match_candidates"], first.header("etag")), (&json!([]), "\"1\""));
    let registered = json!({ "first_names": "Zoé", "last_name": "Tremblay", "postal_code": "H2X \
         1Y4", "emails": ["zoe@x.example"], "country": "CA", "phones": ["514 555 \
         0123"], "external_ids": { "shop": "C-1" } });
    let registered = add(&by, registered).await;
    let namesake = add(&by, json!({ "first_names": "Zoé", "last_name": "Tremblay" })).await;
    let view = by.clone().header("if-none-match", "\"1\"").get(&at(&stranger)).await;
    let etag = view.header("etag").to_owned();
    let view = view.assert_status(200);
    let wanted = json!([
        { "contact_id": registered["id"],
            "name": "Zoé Tremblay", "registered": true, "certainty": 0.98,
             "reasons": ["same_mailbox", "same_phone", "same_name_and_postal_code"] },
        { "contact_id": namesake["id"],
            "name": "Zoé Tremblay", "registered": false, "certainty": 0.3, "reasons": ["same_name"] },
    ]);
    assert_eq!(view["match_candidates"], wanted);
    assert_eq!(by.clone().header("if-none-match", &etag).get(&at(&stranger)).await.status, 304);
    assert_eq!(
        by.clone().header("if-match", &etag).patch(&at(&stranger), json!({ "other": "x" })).await.status,
        200
    );
    // Two that the shop tells apart are not the same, however alike they are.
    let twin = add(&by, json!({ "emails": ["zoe@x.example"], "external_ids": { "shop": "C-2" } })).await;
    let twin = by.get(&at(&twin)).await.assert_status(200);
    let others: Vec<&Value> = twin["match_candidates"]
        .as_array()
        .expect("candidates")
        .iter()
        .map(|other| &other["contact_id"])
        .collect();
    assert_eq!(others, [&stranger["id"]]);
}

// S4-14, B-8: a rep says who it is, and takes it back.
#[actix_web::test]
async fn s4_14_a_match_is_confirmed_and_undone() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let stranger = add(&by, json!({ "emails": ["zoe@x.example"], "phones": ["+15145550123"] })).await;
    let known = add(
        &by,
        json!({ "last_name": "Tremblay", "emails": ["zoe@epicerie.example"],
        "external_ids": { "shop": "C-1" } }),
    )
    .await;
    let id = text(&stranger["id"]);
    let note = by.post("/v1/notes", json!({ "contact_id": id, "title": "Called" })).await.assert_status(201);
    let merged = by
        .post(&format!("{}/confirm-match", at(&stranger)), json!({ "contact_id": known["id"] }))
        .await
        .assert_status(200);
    assert_eq!((&merged["id"], &merged["merged_contacts"]), (&known["id"], &json!([id])));
    assert_eq!(merged["emails"], json!(["zoe@epicerie.example", "zoe@x.example"]));
    let moved = by.get(&at(&stranger)).await;
    assert_eq!((moved.status, moved.header("location")), (308, at(&known).as_str()));
    let found = by.get("/v1/contacts?email=zoe@x.example").await.assert_status(200);
    assert_eq!(column(&found, "id"), [text(&known["id"])]);
    for of in [&known, &stranger] {
        let notes = by.get(&format!("/v1/notes?contact_id={}", text(&of["id"]))).await.assert_status(200);
        assert_eq!(column(&notes, "id"), [text(&note["id"])]);
    }
    // What comes in under the old id belongs to the survivor, and stays there.
    let late =
        by.post("/v1/notes", json!({ "contact_id": id, "title": "Called again" })).await.assert_status(201);
    assert_eq!(late["contact_id"], known["id"]);
    assert_eq!(by.patch(&at(&stranger), json!({ "other": "x" })).await.problem(409), "merged");
    let again =
        by.post(&format!("{}/confirm-match", at(&stranger)), json!({ "contact_id": known["id"] })).await;
    assert_eq!(again.problem(409), "merged");
    let alone = by.command(&format!("{}/unmatch", at(&stranger))).await.assert_status(200);
    assert_eq!(lasting(alone), lasting(stranger.clone()));
    assert_eq!(lasting(by.get(&at(&known)).await.assert_status(200)), lasting(known.clone()));
    assert_eq!(
        column(&by.get(&format!("/v1/notes?contact_id={id}")).await.assert_status(200), "id"),
        [text(&note["id"])]
    );
    assert_eq!(by.command(&format!("{}/unmatch", at(&stranger))).await.problem(409), "not_merged");
    let registered = by.post(&format!("{}/confirm-match", at(&known)), json!({ "contact_id": id })).await;
    assert_eq!(registered.problem(409), "wrong_status");
}

// B-8: merge and unmerge are exact inverses, in whatever order, and never of two that the shop tells apart
// unless somebody says so.
#[actix_web::test]
async fn b_8_merges_are_undone_in_any_order() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let mut contacts = Vec::new();
    for name in ["A", "B", "C", "D"] {
        let contact = add(&by, json!({ "last_name": name, "emails": [format!("{name}@x.example")] })).await;
        by.post("/v1/notes", json!({ "contact_id": contact["id"], "title": name })).await.assert_status(201);
        contacts.push(contact);
    }
    let merge = async |from: usize, into: usize| {
        by.post(&format!("{}/merge", at(&contacts[from])), json!({ "into": contacts[into]["id"] })).await
    };
    let notes = async |of: usize| {
        let mut titles = column(
            &by.get(&format!("/v1/notes?contact_id={}", text(&contacts[of]["id"]))).await.assert_status(200),
            "title",
        );
        titles.sort();
        titles.concat()
    };
    merge(0, 1).await.assert_status(200);
    merge(1, 2).await.assert_status(200);
    // Into one that was merged means into its survivor.
    let survivor = merge(3, 0).await.assert_status(200);
    assert_eq!(
        (&survivor["id"], survivor["merged_contacts"].as_array().map(Vec::len)),
        (&contacts[2]["id"], Some(3))
    );
    assert_eq!(notes(0).await, "ABCD");
    assert_eq!(merge(2, 0).await.violation_of(422), rules(&[("#/into", "same")]));
    assert_eq!(merge(0, 2).await.problem(409), "merged");
    let undo =
        async |of: usize| by.command(&format!("{}/unmerge", at(&contacts[of]))).await.assert_status(200);
    undo(0).await;
    assert_eq!((notes(0).await, notes(2).await), ("A".into(), "BCD".into()));
    undo(1).await;
    undo(3).await;
    for (place, name) in ["A", "B", "C", "D"].iter().enumerate() {
        assert_eq!(notes(place).await, *name);
        assert_eq!(
            lasting(by.get(&at(&contacts[place])).await.assert_status(200)),
            lasting(contacts[place].clone())
        );
    }
    let [one, other] = ["1", "2"].map(|id| json!({ "last_name": "Roy", "external_ids": { "shop": id } }));
    let (one, other) = (add(&by, one).await, add(&by, other).await);
    let path = format!("{}/merge", at(&one));
    assert_eq!(by.post(&path, json!({ "into": other["id"] })).await.problem(409), "conflicting_identities");
    let merged =
        by.post(&path, json!({ "into": other["id"], "despite_conflict": true })).await.assert_status(200);
    assert_eq!(merged["external_ids"], json!({ "shop": "2" }));
    assert_eq!(lasting(by.command(&format!("{}/unmerge", at(&one))).await.assert_status(200)), lasting(one));
}

// B-8: of many who merge and undo at once, each is answered, and the end is one of the two states.
#[actix_web::test]
async fn b_8_merging_at_once_leaves_nothing_half_done() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let (one, other) =
        (add(&by, json!({ "last_name": "A" })).await, add(&by, json!({ "last_name": "B" })).await);
    let paths = [(&one, &other), (&other, &one)]
        .map(|(from, into)| (format!("{}/merge", at(from)), json!({ "into": into["id"] })));
    let replies = all((0..10).map(|turn| {
        let (by, (path, body)) = (by.clone(), paths[turn % 2].clone());
        async move { by.post(&path, body).await }
    }))
    .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 409 | 422)), "{replies:?}");
    let left = by.get("/v1/contacts?counts=true").await.assert_status(200);
    assert_eq!(
        (&left["counts"]["total"], left["data"][0]["merged_contacts"].as_array().map(Vec::len)),
        (&json!(1), Some(1))
    );
}

// S4-15, S4-12: who registers in the meantime takes in the stranger with that address, and that can be
// undone.
#[actix_web::test]
async fn s4_15_registering_takes_in_the_stranger() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let stranger = add(&by, json!({ "emails": ["Zoe@x.example"] })).await;
    let known = by
        .put(
            "/v1/contacts/by-external-id/shop/C-1",
            Some(json!({ "last_name": "Tremblay", "emails": ["zoe@x.example"] })),
        )
        .await
        .assert_status(201);
    assert_eq!(known["merged_contacts"], json!([stranger["id"]]));
    assert_eq!(
        lasting(by.command(&format!("{}/unmatch", at(&stranger))).await.assert_status(200)),
        lasting(stranger)
    );
    // Of two strangers nobody can tell.
    add(&by, json!({ "emails": ["roy@x.example"], "other": "one" })).await;
    add(&by, json!({ "emails": ["roy@x.example"], "other": "two" })).await;
    let roy = by
        .put("/v1/contacts/by-external-id/shop/C-2", Some(json!({ "emails": ["roy@x.example"] })))
        .await
        .assert_status(201);
    assert_eq!(roy["merged_contacts"], json!([]));
    assert_eq!(
        by.get(&at(&roy)).await.assert_status(200)["match_candidates"].as_array().map(Vec::len),
        Some(2)
    );
}

// S0-21: everybody on staff reads and writes contacts; a key needs the scope.
#[actix_web::test]
async fn s4_37_contacts_need_a_scope() {
    let shop = TestApp::open().await;
    let made = shop
        .by(&shop.admin)
        .post("/v1/api-keys", json!({ "name": "Till", "scopes": ["contacts:read"] }))
        .await
        .assert_status(201);
    let till = shop.with_token(&text(&made["secret"]));
    till.get("/v1/contacts").await.assert_status(200);
    assert_eq!(till.post("/v1/contacts", json!({ "last_name": "Roy" })).await.problem(403), "missing_scope");
    let gone = shop.hire("Bo Lind", "agent").await;
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", gone.id), json!({ "active": false }))
        .await
        .assert_status(200);
    let owned =
        shop.by(&shop.admin).post("/v1/contacts", json!({ "last_name": "Roy", "owner_id": gone.id })).await;
    assert_eq!(owned.violation_of(422), rules(&[("#/owner_id", "inactive")]));
}
