//! Notes, and the action items that follow from them.

use caseload::kernel::text::clean_line;

use crate::support::*;

#[actix_web::test]
async fn s0_4_a_note_and_its_action_items_are_entered_together() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let ben = shop.hire_in("Ben Okafor", "agent", "America/Montreal").await;
    let shipping = shop.group("Shipping", &[&ben]).await;
    let thread = "> Could you ship it by express?\r\n\r\nYes — for $12. 🚚 «d’accord»";
    let new = json!({
        "subject": { "type": "order", "id": "A-1001" },
        "title": "Customer called and requested rush shipping",
        "body": thread,
        "action_items": [
            { "title": "Call customer to get correct credit card expiration \
                 date", "due_in": "tomorrow", "assignee": user(&ben) },
            { "title": "Follow up on shipping in 3 \
                 weeks", "due_in": "in_3_weeks", "assignee": group(&shipping) },
            { "title": "File the thread", "due_on": "2026-03-20" },
        ],
    });
    let reply = shop.by(&ana).post("/v1/notes", new).await;
    let location = reply.header("location").to_owned();
    assert_eq!(reply.header("etag"), "\"1\"");
    let note = reply.assert_status(201);
    assert_eq!(location, format!("/v1/notes/{}", text(&note["id"])));
    assert_eq!(note["body"], thread, "S0-2, S0-19: an e-mail is kept as it was pasted");
    assert_eq!(note["author"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    let items = note["action_items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["note_id"] == note["id"] && item["subject"] == note["subject"]));
    // S0-5: tomorrow ends in Montreal, three weeks end in the company's zone.
    assert_eq!(items[0]["due_at"], "2026-03-20T03:59:59.999999Z");
    assert_eq!(items[0]["due_on"], "2026-03-19");
    assert_eq!(items[1]["due_at"], "2026-04-08T23:59:59.999999Z");
    assert_eq!(items[1]["assignee"], json!({ "type": "group", "id": shipping, "name": "Shipping" }));
    // S0-7: nobody named means the author.
    assert_eq!(items[2]["assignee"], json!({ "type": "user", "id": ana.id, "name": "Ana Ruiz" }));
    let mut read = shop.by(&ben).get(&location).await.assert_status(200);
    let mut written = note.clone();
    written.as_object_mut().expect("a note").remove("action_items");
    assert_eq!(read.take(), written);
}

fn note(subject: Value, title: &str) -> Value {
    json!({ "subject": subject, "title": title })
}

fn order() -> Value {
    json!({ "type": "order", "id": "A-1001" })
}

#[actix_web::test]
async fn s0_3_without_action_items_it_is_a_note_only() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let alone = admin.post("/v1/notes", note(order(), "  Vendor quoted $150 ")).await.assert_status(201);
    assert_eq!(alone["action_items"], json!([]));
    assert_eq!(alone["body"], "");
    assert_eq!(alone["title"], "Vendor quoted $150", "outer space is no part of a title");
    assert_eq!(admin.rows("/v1/action-items?include_completed=true").await, Vec::<Value>::new());
    assert_eq!(column(&admin.get("/v1/notes").await.assert_status(200), "id"), [text(&alone["id"])]);
}

#[actix_web::test]
async fn s0_4_a_note_with_a_wrong_item_is_not_written_at_all() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let nobody = "019b0a35-2c00-7000-8000-000000000001";
    let good = json!({ "title": "Call", "due_in": "tomorrow" });
    let wrong = [
        (
            json!({ "title": "Call", "due_in": "tomorrow", "assignee": { "type": "user", "id": nobody } }),
            "assignee/id",
            "unknown",
        ),
        (
            json!({ "title": "Call", "due_in": "tomorrow", "assignee": { "type": "group", "id": nobody } }),
            "assignee/id",
            "unknown",
        ),
        (json!({ "title": "Call", "due_in": "when_pigs_fly" }), "due_in", "unknown_value"),
        (json!({ "title": "Call" }), "due_at", "required"),
        (json!({ "title": "Call", "due_in": "today", "due_on": "2026-03-20" }), "due_at", "ambiguous"),
        (json!({ "title": " ", "due_in": "today" }), "title", "blank"),
        (json!({ "title": "Call", "due_in": "today", "action": "yodel" }), "action", "unknown_value"),
        (
            json!({ "title": "Call", "due_in": "today", "subject": { "type": "ufo", "id": "1" } }),
            "subject/type",
            "unknown_value",
        ),
    ];
    for (item, place, rule) in wrong {
        let mut new = note(order(), "A note");
        new["action_items"] = json!([good, item]);
        let broken = shop.by(&shop.admin).post("/v1/notes", new).await.violation_of(422);
        assert_eq!(broken, rules(&[(&format!("#/action_items/1/{place}"), rule)]));
    }
    assert!(admin.rows("/v1/notes").await.is_empty());
    assert!(admin.rows("/v1/action-items?include_completed=true").await.is_empty());
    assert!(admin.rows("/v1/subjects/order/A-1001/timeline").await.is_empty());
}

#[actix_web::test]
async fn s0_4_every_wrong_item_of_a_note_is_named_at_once() {
    let shop = TestApp::open().await;
    let mut new = note(json!({ "type": "ufo", "id": "1" }), "A note");
    new["action_items"] = json!([
        { "title": "Call", "due_in": "when_pigs_fly", "action": "yodel" },
        { "title": "Call", "due_in": "today" },
        { "title": "Call", "assignee": { "type": "user", "id": "019b0a35-2c00-7000-8000-000000000001" } },
    ]);
    let mut broken = shop.by(&shop.admin).post("/v1/notes", new).await.violation_of(422);
    broken.sort();
    let all = rules(&[
        ("#/action_items/0/action", "unknown_value"),
        ("#/action_items/0/due_in", "unknown_value"),
        ("#/action_items/2/assignee/id", "unknown"),
        ("#/action_items/2/due_at", "required"),
        ("#/subject/type", "unknown_value"),
    ]);
    assert_eq!(broken, all);
}

#[actix_web::test]
async fn s0_4_an_item_may_be_about_something_else_than_its_note_and_fifty_are_the_most() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mut new = note(order(), "Vendor is late");
    let vendor = json!({ "type": "vendor", "id": "V-7" });
    new["action_items"] = json!([{ "title": "Complain", "due_in": "today", "subject": vendor }]);
    let written = admin.post("/v1/notes", new.clone()).await.assert_status(201);
    assert_eq!(written["action_items"][0]["subject"], vendor);
    assert_eq!(written["action_items"][0]["note_id"], written["id"]);
    let many = |count: usize| vec![json!({ "title": "Call", "due_in": "today" }); count];
    new["action_items"] = json!(many(51));
    assert_eq!(
        admin.post("/v1/notes", new.clone()).await.violation_of(422),
        rules(&[("#/action_items", "length")])
    );
    new["action_items"] = json!(many(50));
    let written = admin.post("/v1/notes", new).await.assert_status(201);
    assert_eq!(
        admin.rows(&format!("/v1/action-items?note_id={}&limit=20", text(&written["id"]))).await.len(),
        50
    );
}

#[actix_web::test]
async fn s0_1_a_note_is_about_any_object_in_the_cart_also_of_a_type_added_later() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for kind in ["customer", "vendor", "product", "order", "domain", "gift_certificate"] {
        let subject = json!({ "type": kind, "id": "shop.example/Ünïcode 7%" });
        let written = admin.post("/v1/notes", note(subject.clone(), "Seen")).await.assert_status(201);
        assert_eq!(written["subject"], subject);
    }
    let rma = json!({ "type": "rma", "id": "R-1" });
    let refused = admin.post("/v1/notes", note(rma.clone(), "Came back")).await;
    assert_eq!(refused.violation_of(422), rules(&[("#/subject/type", "unknown_value")]));
    admin
        .post("/v1/picklists/subject_types/items", json!({ "key": "rma", "label": "Return" }))
        .await
        .assert_status(201);
    let written = admin.post("/v1/notes", note(rma.clone(), "Came back")).await.assert_status(201);
    let item = json!({ "subject": rma, "title": "Refund", "due_in": "today" });
    let item = admin.post("/v1/action-items", item).await.assert_status(201);
    // A retired type takes nothing new; what is about it stays and can be worked on.
    admin.command("/v1/picklists/subject_types/items/rma/retire").await.assert_status(200);
    assert_eq!(
        admin.post("/v1/notes", note(rma, "Again")).await.violation_of(422),
        rules(&[("#/subject/type", "unknown_value")])
    );
    let path = format!("/v1/notes/{}", text(&written["id"]));
    assert_eq!(
        admin.patch(&path, json!({ "title": "It came back" })).await.assert_status(200)["title"],
        "It came back"
    );
    admin.command(&format!("/v1/action-items/{}/complete", text(&item["id"]))).await.assert_status(200);
    assert_eq!(admin.rows("/v1/notes?subject=rma:R-1").await.len(), 1);
}

#[actix_web::test]
async fn s0_2_titles_have_1_to_200_characters_and_bodies_a_mebibyte() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let longest = "🚚".repeat(200);
    let mail = "> line of an e-mail\r\n".repeat(60_000)[..1_048_576].to_owned();
    let mut new = note(order(), &longest);
    new["body"] = json!(mail);
    let written = admin.post("/v1/notes", new.clone()).await.assert_status(201);
    let read = admin.get(&format!("/v1/notes/{}", text(&written["id"]))).await.assert_status(200);
    assert_eq!(read["title"], json!(longest));
    assert!(read["body"] == mail, "S0-19: not a character lost");
    new["body"] = json!(format!("{mail}x"));
    assert_eq!(admin.post("/v1/notes", new.clone()).await.violation_of(422), rules(&[("#/body", "length")]));
    new["body"] = json!("x".repeat(6 << 20));
    assert_eq!(admin.post("/v1/notes", new).await.problem(413), "body_too_large");
    for (title, rule) in [(format!("{longest}x"), "length"), (" \t\u{3000}\n".into(), "blank")] {
        assert_eq!(
            admin.post("/v1/notes", note(order(), &title)).await.violation_of(422),
            rules(&[("#/title", rule)])
        );
        let patched =
            admin.patch(&format!("/v1/notes/{}", text(&written["id"])), json!({ "title": title })).await;
        assert_eq!(patched.violation_of(422), rules(&[("#/title", rule)]));
    }
    let empty = admin.post("/v1/notes", note(order(), "")).await.violation_of(422);
    assert!(empty.contains(&("#/title".into(), "length".into())), "{empty:?}");
    assert_eq!(admin.rows("/v1/notes").await.len(), 1);
}

#[actix_web::test]
async fn s0_2_all_that_is_wrong_is_said_at_once() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let shape = json!({ "subject": { "type": "order" }, "body": 7, "colour": "red",
        "action_items": [{ "title": true }] });
    let mut broken = admin.post("/v1/notes", shape).await.violation_of(422);
    broken.sort();
    let all = rules(&[
        ("#/action_items/0/title", "wrong_type"),
        ("#/body", "wrong_type"),
        ("#/colour", "unknown_field"),
        ("#/subject/id", "required"),
        ("#/title", "required"),
    ]);
    assert_eq!(broken, all);
    let limits =
        json!({ "subject": { "type": "", "id": " " }, "title": " ", "action_items": [{ "title": "" }] });
    let broken = admin.post("/v1/notes", limits).await.violation_of(422);
    for place in ["#/subject/type", "#/subject/id", "#/title", "#/action_items/0/title"] {
        assert!(broken.iter().any(|(at, _)| at == place), "{place} in {broken:?}");
    }
    for (body, code, status) in [
        ("", "bad_json", 400),
        ("{", "bad_json", 400),
        ("[]", "invalid", 422),
        ("null", "invalid", 422),
        ("{\"title\":\"\\ud800\"}", "bad_json", 400),
        (&"[".repeat(100_000), "bad_json", 400),
    ] {
        let reply = admin
            .raw(reqwest::Method::POST, "/v1/notes", Some(("application/json", body.as_bytes().to_vec())))
            .await;
        assert_eq!(reply.problem(status), code, "{body:.20}");
    }
    let latin = b"{\"subject\":{\"type\":\"order\",\"id\":\"1\"},\"title\":\"caf\xe9\"}".to_vec();
    assert_eq!(
        admin.raw(reqwest::Method::POST, "/v1/notes", Some(("application/json", latin))).await.problem(400),
        "bad_json"
    );
    let xml = Some(("text/xml", b"<note/>".to_vec()));
    assert_eq!(
        admin.raw(reqwest::Method::POST, "/v1/notes", xml).await.problem(415),
        "unsupported_media_type"
    );
    assert_eq!(shop.anonymous().post("/v1/notes", json!({})).await.problem(401), "unauthenticated");
    assert!(admin.rows("/v1/notes").await.is_empty());
}

#[actix_web::test]
async fn s0_19_every_script_is_kept_as_it_was_sent_and_nul_is_refused() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for said in [
        "Þórr ok Loki — «guillemets» ‘quotes’ \"double\" \\ back/slash",
        "مرحبا بالعالم، السعر ١٢ دولارًا",
        "שלום עולם",
        "こんにちは、世界。한국어 简体 繁體 𠮷野家",
        "नमस्ते दुनिया ภาษาไทย བོད་སྐད",
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇨🇦 é e\u{301} ﬁ \u{200b}\u{2028}\u{feff}\u{10ffff}",
        "'; DROP TABLE notes; -- <script>alert(1)</script> {{7*7}} %00 \u{1}\u{1b}[31m",
    ] {
        // What nobody sees has its place in texts, not in titles and ids.
        let line = clean_line(said);
        let subject = json!({ "type": "product", "id": line });
        let mut new = note(subject.clone(), &line);
        new["body"] = json!(format!("{said}\r\n\t{said}\n"));
        let written = admin.post("/v1/notes", new.clone()).await.assert_status(201);
        let read = admin.get(&format!("/v1/notes/{}", text(&written["id"]))).await.assert_status(200);
        assert_eq!(
            [&read["title"], &read["body"], &read["subject"]],
            [&new["title"], &new["body"], &subject]
        );
        let found = admin.rows(&format!("/v1/notes?subject=product:{}", encoded(&line))).await;
        assert_eq!(each(&found, "id"), [text(&written["id"])], "{said}");
    }
    let nul = json!({
        "subject": { "type": "order", "id": "A\0" },
        "title": "\0",
        "body": "a\0b",
        "action_items": [{ "title": "x\0", "details": "\0", "due_in": "today" }],
    });
    let mut broken = admin.post("/v1/notes", nul).await.violation_of(422);
    broken.sort();
    let places = ["#/action_items/0/details", "#/action_items/0/title", "#/body", "#/subject/id", "#/title"];
    assert_eq!(broken, rules(&places.map(|place| (place, "nul"))));
    assert_eq!(
        admin.get("/v1/notes?subject=order:A%00").await.violation_of(400),
        rules(&[("subject", "nul")])
    );
}

#[actix_web::test]
async fn b_13_who_corrects_an_older_version_is_told_the_present_one() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let written = admin.post("/v1/notes", note(order(), "First")).await.assert_status(201);
    let path = format!("/v1/notes/{}", text(&written["id"]));
    let when = |tag: &str| admin.clone().header("if-match", tag);
    let reply = when("\"1\"").patch(&path, json!({ "title": "Second" })).await;
    assert_eq!(reply.header("etag"), "\"2\"");
    assert_eq!(reply.assert_status(200)["version"], 2);
    let stale = when("\"1\"").patch(&path, json!({ "title": "Third" })).await;
    assert_eq!(stale.problem(412), "stale_version");
    assert_eq!(stale.json["current_version"], 2);
    assert_eq!(stale.header("etag"), "\"2\"");
    assert_eq!(
        when("\"1\", \"2\"").patch(&path, json!({ "title": "Third" })).await.assert_status(200)["version"],
        3
    );
    assert_eq!(when("*").patch(&path, json!({ "title": "Fourth" })).await.assert_status(200)["version"], 4);
    // Proxies that compress weaken every tag; it is the version all the same.
    let weakened = when("W/\"4\"").patch(&path, json!({ "title": "Fourth" })).await;
    assert_eq!(weakened.assert_status(200)["version"], 4, "nothing changed");
    for another in ["W/\"5\"", "\"four\"", "\"04\"", "\"\""] {
        assert_eq!(
            when(another).patch(&path, json!({ "title": "Fifth" })).await.problem(412),
            "stale_version",
            "{another}"
        );
    }
    for damaged in ["4", "W/4", "\"four", "\"4\",", ""] {
        let reply = when(damaged).patch(&path, json!({ "title": "Fifth" })).await;
        assert_eq!(reply.violation_of(400), rules(&[("If-Match", "etag")]), "{damaged}");
    }
    // Read again only when it changed.
    let unless = |tag: &str| admin.clone().header("if-none-match", tag);
    let unchanged = unless("\"4\"").get(&path).await;
    assert_eq!((unchanged.status, unchanged.header("etag"), unchanged.text.as_str()), (304, "\"4\"", ""));
    assert_eq!(unless("\"3\"").get(&path).await.assert_status(200)["title"], "Fourth");
    // Of two who corrected the same version at once, one must look again.
    let replies = all((0..8).map(|n| {
        let caller = when("\"4\"");
        let path = &path;
        async move { caller.patch(path, json!({ "title": format!("By {n}") })).await.status }
    }))
    .await;
    let count = |status| replies.iter().filter(|given| **given == status).count();
    assert_eq!((count(200), count(412)), (1, 7), "{replies:?}");
}

#[actix_web::test]
async fn s0_15_a_note_is_corrected_by_its_author_or_a_manager_and_nothing_is_overwritten_unseen() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let manager = shop.hire("Mia Lund", "manager").await;
    let written = shop.by(&ana).post("/v1/notes", note(order(), "Promised Monday")).await.assert_status(201);
    let path = format!("/v1/notes/{}", text(&written["id"]));
    assert_eq!(
        shop.by(&ben).patch(&path, json!({ "title": "Never said that" })).await.problem(403),
        "not_allowed"
    );
    assert_eq!(shop.by(&ben).get(&path).await.assert_status(200)["version"], 1, "everyone may read it");
    let merge = Some(("application/merge-patch+json", br#"{"body":"By e-mail."}"#.to_vec()));
    let reply = shop.by(&ana).raw(reqwest::Method::PATCH, &path, merge).await.assert_status(200);
    assert_eq!(
        (text(&reply["title"]), text(&reply["body"])),
        ("Promised Monday".into(), "By e-mail.".into())
    );
    shop.time_is("2026-03-18T09:05:00Z");
    let corrected =
        shop.by(&manager).patch(&path, json!({ "title": " Promised Tuesday " })).await.assert_status(200);
    assert_eq!(corrected["title"], "Promised Tuesday");
    assert_eq!(corrected["author"]["id"], json!(ana.id), "the author stays the author");
    assert_eq!(corrected["created_at"], "2026-03-18T09:00:00.000000Z");
    assert_eq!(corrected["updated_at"], "2026-03-18T09:05:00.000000Z");
    // What changes nothing is no change.
    for nothing in [json!({}), json!({ "title": "Promised Tuesday" })] {
        assert_eq!(shop.by(&ana).patch(&path, nothing).await.assert_status(200)["version"], 3);
    }
    let refused = shop
        .by(&ana)
        .patch(&path, json!({ "title": null, "author": "me", "subject": order() }))
        .await
        .violation_of(422);
    assert_eq!(refused, rules(&[("#/author", "unknown_field"), ("#/subject", "unknown_field")]));
    for gone in [json!({ "title": null }), json!({ "body": null })] {
        assert_eq!(shop.by(&ana).patch(&path, gone).await.violation_of(422)[0].1, "required");
    }
    let history = shop.by(&ben).rows("/v1/subjects/order/A-1001/timeline").await;
    assert_eq!(each(&history, "event"), ["note.updated", "note.updated", "note.created"]);
    assert_eq!(history[0]["actor"], json!({ "kind": "user", "id": manager.id, "name": "Mia Lund" }));
    assert_eq!(history[2]["title"], "Promised Monday");
}

#[actix_web::test]
async fn s0_15_notes_are_found_by_subject_author_and_time() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let admin = shop.by(&shop.admin);
    let vendor = json!({ "type": "vendor", "id": "V:7,8" });
    let first = admin.post("/v1/notes", note(order(), "First")).await.assert_status(201);
    shop.time_is("2026-03-18T09:01:00Z");
    let second = shop.by(&ana).post("/v1/notes", note(vendor, "Second")).await.assert_status(201);
    shop.time_is("2026-03-18T09:02:00Z");
    let third = admin.post("/v1/notes", note(order(), "Third")).await.assert_status(201);
    let ids = |notes: &[&Value]| notes.iter().map(|note| text(&note["id"])).collect::<Vec<_>>();
    for (query, found) in [
        (String::new(), ids(&[&third, &second, &first])),
        ("?sort=created_at".into(), ids(&[&first, &second, &third])),
        ("?subject=order:A-1001".into(), ids(&[&third, &first])),
        ("?subject=vendor:V:7,8".into(), ids(&[&second])),
        ("?subject_type=vendor,product".into(), ids(&[&second])),
        ("?subject=order:A-1001&subject_type=vendor".into(), ids(&[])),
        (format!("?author={}", ana.id), ids(&[&second])),
        ("?created_at_gte=2026-03-18T09:01:00Z".into(), ids(&[&third, &second])),
        ("?created_at_lt=2026-03-18T10:01:00%2B01:00".into(), ids(&[&first])),
    ] {
        assert_eq!(each(&admin.rows(&format!("/v1/notes{query}")).await, "id"), found, "{query}");
    }
    for (query, place) in [
        ("subject=order", "subject"),
        ("author=me", "author"),
        ("created_at_gte=yesterday", "created_at_gte"),
    ] {
        assert_eq!(
            admin.get(&format!("/v1/notes?{query}")).await.violation_of(400),
            rules(&[(place, "invalid_value")])
        );
    }
    for nothing in ["019b0a35-2c00-7000-8000-000000000001", "17", "%00", "..%2Fusers"] {
        assert_eq!(admin.get(&format!("/v1/notes/{nothing}")).await.problem(404), "not_found");
    }
}

#[actix_web::test]
async fn b_3_a_note_sent_again_with_its_key_is_written_once() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let admin = shop.by(&shop.admin);
    let mut new = note(order(), "Customer called");
    new["action_items"] = json!([{ "title": "Call back", "due_in": "today" }]);
    let first = admin.clone().once("call-7").post("/v1/notes", new.clone()).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = admin.clone().once("call-7").post("/v1/notes", new.clone()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!((again.header("location"), again.header("etag")), (first.header("location"), "\"1\""));
    assert_eq!(again.text, first.text);
    // Another body, another person, another operation.
    let other = admin.clone().once("call-7").post("/v1/notes", note(order(), "Another")).await;
    assert_eq!(other.problem(422), "idempotency_mismatch");
    assert_eq!(other.violation_of(422), rules(&[("Idempotency-Key", "used_before")]));
    shop.by(&ana).once("call-7").post("/v1/notes", new.clone()).await.assert_status(201);
    let item = json!({ "subject": order(), "title": "Call back", "due_in": "today" });
    assert_eq!(
        admin.clone().once("call-7").post("/v1/action-items", item).await.header("idempotency-replayed"),
        ""
    );
    assert_eq!(admin.rows("/v1/notes").await.len(), 2);
    assert_eq!(admin.rows("/v1/action-items").await.len(), 3);
    // A refusal is not remembered: corrected, the request may use its key.
    assert_eq!(
        admin.clone().once("call-8").post("/v1/notes", note(order(), " ")).await.problem(422),
        "invalid"
    );
    let unknown = note(json!({ "type": "ufo", "id": "1" }), "Seen");
    assert_eq!(admin.clone().once("call-8").post("/v1/notes", unknown).await.problem(422), "invalid");
    admin.clone().once("call-8").post("/v1/notes", note(order(), "Seen")).await.assert_status(201);
    for (key, rule) in [("", "length"), (&*"k".repeat(256), "length")] {
        let reply = admin.clone().once(key).post("/v1/notes", new.clone()).await;
        assert_eq!(reply.violation_of(400), rules(&[("Idempotency-Key", rule)]));
    }
    // After a day it is a new request.
    shop.time_is("2026-03-19T09:00:01Z");
    let admin = shop.again(&shop.admin).await;
    let tomorrow = shop.by(&admin).once("call-7").post("/v1/notes", new).await;
    assert_eq!((tomorrow.status, tomorrow.header("idempotency-replayed")), (201, ""));
    assert_ne!(tomorrow.text, first.text);
}

// S4-35: a double click.
#[actix_web::test]
async fn b_3_of_twenty_twins_at_once_one_writes_and_all_get_its_answer() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin).once("twin");
    let replies = all((0..20).map(|_| {
        let admin = admin.clone();
        async move { admin.post("/v1/notes", note(order(), "Once")).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 201 && reply.text == replies[0].text), "{replies:?}");
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotency-replayed") == "true").count(), 19);
    assert_eq!(shop.by(&shop.admin).rows("/v1/notes").await.len(), 1);
}
