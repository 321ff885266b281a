//! The inbox: what came for a person and their groups, and which of it they have read.

use crate::support::*;

const INBOX: &str = "/v1/inbox";

async fn contact(shop: &TestApp, more: Value) -> Value {
    shop.by(&shop.admin).post("/v1/contacts", more).await.assert_status(201)
}

/// What a contact sent, as somebody or something recorded it.
async fn sent(by: &Caller<'_>, contact: &Value, channel: &str, more: Value) -> Value {
    let mut new = json!({ "contact_id": contact["id"], "channel": channel, "direction": "inbound",
        "subject_line": format!("By {channel}") });
    new.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    // Whoever spoke with somebody, or wrote, says that nothing follows.
    let is_heard = match channel {
        "email" | "sms" => false,
        "phone" => matches!(more["call_result"].as_str(), None | Some("answered")),
        _ => true,
    };
    if is_heard || more["direction"] == "outbound" {
        new["complete"] = json!(true);
    }
    by.post("/v1/interactions", new).await.assert_status(201)
}

async fn titles(by: &Caller<'_>, query: &str) -> Vec<String> {
    each(&by.rows(&format!("{INBOX}{query}")).await, "title")
}

// S3-9, S3-11, S3-29, S3-34: calls that nobody took, e-mails and SMS, in the inbox of the account's rep.
#[actix_web::test]
async fn s3_29_what_a_contact_sends_lands_in_the_reps_inbox() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let by = shop.by(&ben);
    let letter = sent(&by, &zoe, "email", json!({})).await;
    for (minute, channel, more) in [
        (1, "sms", json!({})),
        (2, "phone", json!({ "call_result": "missed" })),
        (3, "phone", json!({ "call_result": "voicemail" })),
        // Whoever spoke with somebody has heard them.
        (4, "phone", json!({ "call_result": "answered" })),
        (5, "phone", json!({})),
        (6, "in_person", json!({})),
        (7, "email", json!({ "direction": "outbound" })),
    ] {
        shop.time_is(&format!("2026-03-18T09:0{minute}:00Z"));
        sent(&by, &zoe, channel, more).await;
    }
    let page = shop.by(&ana).get(&format!("{INBOX}?counts=true")).await.assert_status(200);
    let entries = page["data"].as_array().expect("rows");
    assert_eq!(each(entries, "kind"), ["call", "call", "sms", "email"], "newest first");
    assert_eq!(page["counts"], json!({ "filtered": 4, "total": 4, "exact": true }));
    let last = &entries[3];
    assert_eq!(
        (&last["title"], &last["state"], &last["read_at"]),
        (&json!("By email"), &json!("unread"), &Value::Null)
    );
    assert_eq!((&last["interaction_id"], &last["work_item_id"]), (&letter["id"], &Value::Null));
    // S3-14
    assert_eq!(last["links"]["contact"], format!("/v1/contacts/{}", text(&zoe["id"])));
    assert_eq!(last["links"]["interaction"], format!("/v1/interactions/{}", text(&letter["id"])));
    assert_eq!(last["contact"]["name"], "Tremblay");
    for link in ["contact", "interaction"] {
        shop.by(&ana).get(&text(&last["links"][link])).await.assert_status(200);
    }
    assert_eq!(titles(&by, "").await, Vec::<String>::new(), "it is Ana's");
    for (query, wanted) in [
        ("?kind=call", 2),
        ("?kind=sms,email", 2),
        ("?received_at_gte=2026-03-18T09:02:00Z", 2),
        ("?received_at_lt=2026-03-18T09:02:00Z", 2),
        (format!("?contact_id={}", text(&zoe["id"])).as_str(), 4),
        ("?state=read", 0),
    ] {
        assert_eq!(titles(&shop.by(&ana), query).await.len(), wanted, "{query}");
    }
    // Nobody's account: the default group's, and so each member's.
    let roy = contact(&shop, json!({ "last_name": "Roy" })).await;
    sent(&by, &roy, "email", json!({ "subject_line": "From a stranger" })).await;
    assert_eq!(titles(&shop.by(&shop.admin), "").await, ["From a stranger"]);
}

// S3-10: read and unread are each person's own.
#[actix_web::test]
async fn s3_10_each_reads_for_themselves() {
    let shop = TestApp::open().await;
    let (ana, ben, mia) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Mia Lund", "manager").await,
    );
    let group_id = shop.group("Support", &[&ana, &ben]).await;
    let work = json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": group(&group_id),
        "description": "Card" });
    shop.by(&shop.admin).post("/v1/work-items", work).await.assert_status(201);
    let of_ana =
        shop.by(&ana).get(&format!("{INBOX}?entities=work_items&state=unread")).await.assert_status(200);
    let entry = format!("{INBOX}/{}", text(&of_ana["data"][0]["id"]));
    shop.time_is("2026-03-18T09:05:00Z");
    let read = shop.by(&ana).command(&format!("{entry}/read")).await.assert_status(200);
    assert_eq!((&read["state"], &read["read_at"]), (&json!("read"), &json!("2026-03-18T09:05:00.000000Z")));
    assert_eq!(
        shop.by(&ana).command(&format!("{entry}/read")).await.assert_status(200)["version"],
        read["version"],
        "once is enough"
    );
    let states = async |person: &Person| {
        let by = shop.by(person);
        let read = titles(&by, "?entities=work_items&state=read").await.len();
        (titles(&by, "?entities=work_items&state=unread").await.len(), read)
    };
    assert_eq!((states(&ana).await, states(&ben).await), ((0, 1), (1, 0)));
    // Another person's is 403; a manager may look, and marks nothing.
    assert_eq!(shop.by(&ben).command(&format!("{entry}/read")).await.problem(403), "not_your_queue");
    assert_eq!(
        shop.by(&ben).get(&format!("{INBOX}?user_id={}", ana.id)).await.problem(403),
        "not_your_queue"
    );
    assert_eq!(titles(&shop.by(&mia), &format!("?user_id={}&entities=work_items", ana.id)).await, ["Card"]);
    assert_eq!(shop.by(&mia).command(&format!("{entry}/unread")).await.problem(403), "not_your_queue");
    let unread = shop
        .by(&ana)
        .header("if-match", "\"1\"")
        .command(&format!("{entry}/unread"))
        .await
        .assert_status(200);
    assert_eq!(
        (&unread["state"], &unread["read_at"], &unread["version"]),
        (&json!("unread"), &Value::Null, &json!(2))
    );
    assert_eq!(
        shop.by(&ana).header("if-match", "\"1\"").command(&format!("{entry}/read")).await.problem(412),
        "stale_version"
    );
    let nothing = format!("{INBOX}/019b0a35-2c00-7000-8000-000000000001/read");
    assert_eq!(shop.by(&ana).command(&nothing).await.problem(404), "not_found");
    let key = shop
        .by(&shop.admin)
        .post("/v1/api-keys", json!({ "name": "Shop", "scopes": ["inbox:read"] }))
        .await
        .assert_status(201);
    assert_eq!(shop.with_token(&text(&key["secret"])).get(INBOX).await.problem(422), "nobody_acting");
}

// S3-11, S3-12, S3-13: communications unless asked; then work items of high priority unless asked; what that
// hides is told.
#[actix_web::test]
async fn s3_13_the_defaults_say_what_they_hide() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let admin = shop.by(&shop.admin);
    sent(&admin, &zoe, "email", json!({})).await;
    for kind in ["support_ticket", "body_type_quiz", "body_type_quiz", "health_evaluation_quiz"] {
        admin
            .post("/v1/work-items", json!({ "type": kind, "contact_id": zoe["id"] }))
            .await
            .assert_status(201);
    }
    let by = shop.by(&ana);
    let page = by.get(INBOX).await.assert_status(200);
    assert_eq!(column(&page, "kind"), ["email"]);
    assert_eq!(page["applied_defaults"], json!({ "entities": "communications", "hidden": 4 }));
    let page = by.get(&format!("{INBOX}?entities=work_items")).await.assert_status(200);
    assert_eq!(column(&page, "work_item_type"), ["support_ticket"]);
    assert_eq!(page["applied_defaults"], json!({ "priority": "high", "hidden": 3 }));
    assert_eq!(
        page["data"][0]["links"]["work_item"],
        format!("/v1/work-items/{}", text(&page["data"][0]["work_item_id"]))
    );
    let page = by.get(&format!("{INBOX}?entities=work_items&priority=any")).await.assert_status(200);
    assert_eq!((column(&page, "kind").len(), &page["applied_defaults"]), (4, &Value::Null));
    let page = by.get(&format!("{INBOX}?entities=communications")).await.assert_status(200);
    assert_eq!((column(&page, "kind").len(), &page["applied_defaults"]), (1, &Value::Null));
    let page = by.get(&format!("{INBOX}?state=read")).await.assert_status(200);
    assert_eq!(page["applied_defaults"]["hidden"], 0, "of what was asked for");
    for (query, name) in [
        ("state=new", "state"),
        ("entities=all", "entities"),
        ("priority=low", "priority"),
        ("user_id=me", "user_id"),
        ("type=support_ticket", "type"),
        ("entities=communications&category=support", "category"),
        ("status=new", "status"),
        ("assignee=me", "assignee"),
        ("entities=work_items&assignee=ana", "assignee"),
    ] {
        assert!(
            by.get(&format!("{INBOX}?{query}")).await.violation_of(400).iter().any(|(at, _)| at == name),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn s3_11_work_items_of_an_inbox_are_found_by_what_they_are() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let shipping = shop.group("Shipping", &[&ana]).await;
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let admin = shop.by(&shop.admin);
    for (kind, owner) in [
        ("support_ticket", user(&ana)),
        ("body_type_quiz", user(&ana)),
        ("product_info_query", group(&shipping)),
    ] {
        let new = json!({ "type": kind, "contact_id": zoe["id"], "assignee": owner });
        let made = admin.post("/v1/work-items", new).await.assert_status(201);
        if kind == "body_type_quiz" {
            let begun = json!({ "to": "in_progress" });
            let to = format!("/v1/work-items/{}/transition", text(&made["id"]));
            admin.post(&to, begun).await.assert_status(200);
        }
    }
    let by = shop.by(&ana);
    let found = async |query: &str| {
        let path = format!("{INBOX}?entities=work_items&priority=any&counts=true&{query}");
        let page = by.get(&path).await.assert_status(200);
        let mut kinds = column(&page, "work_item_type");
        assert_eq!(page["counts"]["filtered"], kinds.len(), "{query}");
        kinds.sort_unstable();
        kinds.join(" ")
    };
    let all = "body_type_quiz product_info_query support_ticket";
    let groups = format!("assignee=group:{shipping}");
    for (query, kinds) in [
        ("", all),
        ("type=support_ticket", "support_ticket"),
        ("type=support_ticket,body_type_quiz", "body_type_quiz support_ticket"),
        ("category=support", "support_ticket"),
        ("status=in_progress", "body_type_quiz"),
        ("status=new,in_progress", all),
        ("assignee=me", "body_type_quiz support_ticket"),
        (&*groups, "product_info_query"),
        ("assignee=me&status=new", "support_ticket"),
        ("type=support_ticket&status=in_progress", ""),
    ] {
        assert_eq!(found(query).await, kinds, "{query}");
    }
}

// S3-30: what is added to a work item leaves the inbox; what is recorded on one never enters it.
#[actix_web::test]
async fn s3_30_what_belongs_to_a_work_item_leaves_the_inbox() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let by = shop.by(&ana);
    let work = by
        .post("/v1/work-items", json!({ "type": "support_ticket", "contact_id": zoe["id"] }))
        .await
        .assert_status(201);
    let work = format!("/v1/work-items/{}", text(&work["id"]));
    let letter = sent(&by, &zoe, "email", json!({})).await;
    let sms = sent(&by, &zoe, "sms", json!({})).await;
    by.post(&format!("{work}/calls"), json!({ "channel": "email", "direction": "inbound" }))
        .await
        .assert_status(201);
    assert_eq!(titles(&by, "").await, ["By sms", "By email"]);
    by.put(&format!("{work}/interactions/{}", text(&letter["id"])), None).await.assert_status(200);
    assert_eq!(titles(&by, "").await, ["By sms"]);
    by.post("/v1/work-items", json!({ "type": "product_info_query", "interaction_id": sms["id"] }))
        .await
        .assert_status(201);
    assert_eq!(titles(&by, "").await, Vec::<String>::new());
}

// S3-30: what lies in somebody's inbox is dealt with by them, or by a manager.
#[actix_web::test]
async fn s3_30_nobody_takes_mail_out_of_anothers_inbox() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let letter = sent(&shop.by(&ben), &zoe, "email", json!({})).await;
    let sms = sent(&shop.by(&ben), &zoe, "sms", json!({})).await;
    let work = json!({ "type": "support_ticket", "contact_id": zoe["id"], "assignee": user(&ben) });
    let work = format!(
        "/v1/work-items/{}",
        text(&shop.by(&ben).post("/v1/work-items", work).await.assert_status(201)["id"])
    );
    let attach = |thing: &Value| format!("{work}/interactions/{}", text(&thing["id"]));
    assert_eq!(shop.by(&ben).put(&attach(&letter), None).await.problem(403), "not_your_item");
    let new = json!({ "type": "support_ticket", "interaction_id": letter["id"] });
    assert_eq!(shop.by(&ben).post("/v1/work-items", new).await.problem(403), "not_your_item");
    assert_eq!(titles(&shop.by(&ana), "").await, ["By sms", "By email"]);
    shop.by(&ana).put(&attach(&letter), None).await.assert_status(200);
    shop.by(&mia).put(&attach(&sms), None).await.assert_status(200);
    assert_eq!(titles(&shop.by(&ana), "").await, Vec::<String>::new());
    // Whoever has the work item now has what belongs to it.
    let other = json!({ "type": "support_ticket", "contact_id": zoe["id"], "assignee": user(&ben) });
    let other = text(&shop.by(&ben).post("/v1/work-items", other).await.assert_status(201)["id"]);
    shop.by(&ben)
        .put(&format!("/v1/work-items/{other}/interactions/{}", text(&letter["id"])), None)
        .await
        .assert_status(200);
}

// S3-9: a work item lies with whoever has it, for as long as it is worked on.
#[actix_web::test]
async fn s3_9_a_work_item_lies_with_whoever_has_it() {
    let shop = TestApp::open().await;
    let (ana, ben, cleo) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Cleo Sand", "agent").await,
    );
    let group_id = shop.group("Support", &[&ana, &ben]).await;
    let admin = shop.by(&shop.admin);
    let new =
        json!({ "type": "support_ticket", "who": { "last_name": "Roy" }, "assignee": group(&group_id) });
    let work =
        format!("/v1/work-items/{}", text(&admin.post("/v1/work-items", new).await.assert_status(201)["id"]));
    let has = async |person: &Person| {
        let list = shop.by(person).get(&format!("{INBOX}?entities=work_items")).await.assert_status(200);
        column(&list, "state").first().cloned().unwrap_or_default()
    };
    assert_eq!((has(&ana).await, has(&ben).await), ("unread".into(), "unread".into()));
    let entry = shop.by(&ana).get(&format!("{INBOX}?entities=work_items")).await.assert_status(200);
    shop.by(&ana)
        .command(&format!("{INBOX}/{}/read", text(&entry["data"][0]["id"])))
        .await
        .assert_status(200);
    shop.by(&ana).command(&format!("{work}/claim")).await.assert_status(200);
    assert_eq!(
        (has(&ana).await, has(&ben).await),
        ("read".into(), String::new()),
        "claimed, and read as before"
    );
    shop.by(&ana).command(&format!("{work}/release")).await.assert_status(200);
    assert_eq!((has(&ana).await, has(&ben).await), ("read".into(), "unread".into()));
    // Members come and go.
    let members = format!("/v1/groups/{group_id}/members");
    admin.put(&format!("{members}/{}", cleo.id), None).await.assert_status(200);
    assert_ne!(has(&cleo).await, "");
    admin.delete(&format!("{members}/{}", ben.id)).await.assert_status(200);
    assert_eq!(has(&ben).await, "");
    admin.patch(&format!("/v1/users/{}", cleo.id), json!({ "active": false })).await.assert_status(200);
    admin.patch(&format!("/v1/users/{}", cleo.id), json!({ "active": true })).await.assert_status(200);
    let cleo = shop.again(&cleo).await;
    assert_ne!(has(&cleo).await, "", "back at work");
    admin.patch(&work, json!({ "assignee": user(&ben) })).await.assert_status(200);
    assert_eq!((has(&ana).await, has(&ben).await), (String::new(), "unread".into()));
    admin.post(&format!("{work}/transition"), json!({ "to": "resolved" })).await.assert_status(200);
    assert_eq!(has(&ben).await, "", "done");
    admin.post(&format!("{work}/transition"), json!({ "to": "in_progress" })).await.assert_status(200);
    assert_eq!(has(&ben).await, "unread", "taken up again");
    admin.patch(&work, json!({ "assignee": public() })).await.assert_status(200);
    assert_eq!(has(&ben).await, "", "what is everybody's is in nobody's inbox");
}

// S3-14: each entry links to the work item, to what came, and to the customer; each link leads there.
#[actix_web::test]
async fn s3_14_an_entry_links_to_its_work_item_and_its_customer() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let work = by
        .post("/v1/work-items", json!({ "type": "support_ticket", "contact_id": zoe["id"] }))
        .await
        .assert_status(201);
    let letter = sent(&by, &zoe, "email", json!({})).await;
    for (entities, thing, wanted, none) in [
        ("work_items", "work_item", &work, "interaction"),
        ("communications", "interaction", &letter, "work_item"),
    ] {
        let entries = by.rows(&format!("{INBOX}?entities={entities}")).await;
        assert_eq!(entries.len(), 1, "{entities}");
        let links = &entries[0]["links"];
        assert_eq!(by.get(&text(&links[thing])).await.assert_status(200)["id"], wanted["id"], "{entities}");
        assert_eq!(
            by.get(&text(&links["contact"])).await.assert_status(200)["name"],
            "Tremblay",
            "{entities}"
        );
        assert_eq!(links[none], Value::Null, "{entities}");
    }
}

// S3-34: missed calls, e-mails and SMS are kept apart, in the inbox and in what was recorded.
#[actix_web::test]
async fn s3_34_missed_calls_e_mails_and_sms_are_kept_apart() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    for (channel, title, more) in [
        ("phone", "missed", json!({ "call_result": "missed" })),
        ("phone", "spoken", json!({ "call_result": "voicemail" })),
        ("phone", "answered", json!({ "call_result": "answered" })),
        ("email", "letter", json!({})),
        ("email", "reply", json!({ "direction": "outbound" })),
        ("sms", "short", json!({})),
    ] {
        let mut more = more;
        more["subject_line"] = json!(title);
        sent(&by, &zoe, channel, more).await;
    }
    for (kind, wanted) in
        [("call", vec!["missed", "spoken"]), ("email", vec!["letter"]), ("sms", vec!["short"])]
    {
        let mut found = titles(&by, &format!("?kind={kind}")).await;
        found.sort();
        assert_eq!(found, wanted, "{kind}");
    }
    for (query, wanted) in [
        ("channel=phone&call_result=missed", vec!["missed"]),
        ("channel=phone&direction=inbound", vec!["answered", "missed", "spoken"]),
        ("call_result=missed,voicemail", vec!["missed", "spoken"]),
        ("channel=email&direction=inbound", vec!["letter"]),
        ("channel=sms", vec!["short"]),
    ] {
        let mut found = each(&by.rows(&format!("/v1/interactions?{query}")).await, "subject_line");
        found.sort();
        assert_eq!(found, wanted, "{query}");
    }
}
