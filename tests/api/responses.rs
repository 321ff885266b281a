//! What contacts send is somebody's to answer, from when it comes until it is answered or dismissed.

use crate::support::*;

const LIST: &str = "/v1/interactions";

fn at(interaction: &Value, step: &str) -> String {
    format!("{LIST}/{}{step}", text(&interaction["id"]))
}

async fn contact(shop: &TestApp, more: Value) -> Value {
    shop.by(&shop.admin).post("/v1/contacts", more).await.assert_status(201)
}

/// An e-mail of a contact, as an API key or a person records it.
async fn email(by: &Caller<'_>, contact: &Value, more: Value) -> Value {
    let mut new = json!({ "contact_id": contact["id"], "channel": "email", "subject_line": "Where is it?" });
    new.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    by.post(LIST, new).await.assert_status(201)
}

/// What a rep wrote to a contact.
async fn reply(by: &Caller<'_>, contact: &Value, more: Value) -> Value {
    let mut out = json!({ "direction": "outbound", "subject_line": "Re: Where is it?", "complete": true });
    out.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    email(by, contact, out).await
}

async fn response(shop: &TestApp, interaction: &Value) -> Value {
    shop.by(&shop.admin).get(&at(interaction, "")).await.assert_status(200)["response"].clone()
}

async fn holder(shop: &TestApp, interaction: &Value) -> String {
    let seen = shop.by(&shop.admin).get(&at(interaction, "")).await.assert_status(200);
    text(&seen["assignee"]["name"])
}

async fn inbox(shop: &TestApp, person: &Person) -> Vec<String> {
    each(&shop.by(person).rows("/v1/inbox").await, "interaction_id")
}

// S3-29, S3-34, S1-10: an e-mail, an SMS, a missed call need no word of what follows: they are unanswered,
// and their owner's. What else a contact sends or a rep does waits for nobody.
#[actix_web::test]
async fn s3_34_what_contacts_send_waits_for_an_answer() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let by = shop.by(&shop.admin);
    for (more, waits) in [
        (json!({}), true),
        (json!({ "channel": "sms" }), true),
        (json!({ "channel": "phone", "call_result": "missed" }), true),
        (json!({ "channel": "phone", "call_result": "voicemail" }), true),
        (json!({ "channel": "phone", "call_result": "busy" }), true),
        (json!({ "channel": "phone", "call_result": "failed" }), true),
        (json!({ "originator": "automatic" }), false),
        (json!({ "direction": "outbound", "complete": true }), false),
        (json!({ "channel": "phone", "complete": true }), false),
        (json!({ "channel": "phone", "call_result": "answered", "complete": true }), false),
        (json!({ "channel": "in_person", "complete": true }), false),
    ] {
        let sent = email(&by, &zoe, more.clone()).await;
        let (response, owner) = (&sent["response"], &sent["assignee"]["name"]);
        let wanted =
            if waits { (json!("unanswered"), json!("Ana Ruiz")) } else { (Value::Null, Value::Null) };
        assert_eq!((response, owner), (&wanted.0, &wanted.1), "{more}");
        assert_eq!(
            (&sent["responded_at"], &sent["responded_by"], &sent["claimed_from"], &sent["dismiss_reason"]),
            (&Value::Null, &Value::Null, &Value::Null, &Value::Null)
        );
    }
    // Whoever says that nothing follows has answered it.
    let done = email(&by, &zoe, json!({ "complete": true })).await;
    assert_eq!(
        (&done["response"], &done["responded_by"]["id"], &done["assignee"]["id"], &done["responded_at"]),
        (&json!("answered"), &json!(shop.admin.id), &json!(shop.admin.id), &done["recorded_at"])
    );
    assert_eq!(inbox(&shop, &ana).await.len(), 6);
    // What is nobody's to answer has no owner; a call that was taken is complete or followed up.
    for (more, field, code) in [
        (json!({ "channel": "phone" }), "#/complete", "required"),
        (json!({ "direction": "outbound" }), "#/complete", "required"),
        (json!({ "channel": "phone", "complete": true, "assignee": user(&ana) }), "#/assignee", "not_here"),
        (json!({ "assignee": { "type": "user", "id": zoe["id"] } }), "#/assignee/id", "unknown"),
        (json!({ "assignee": { "type": "group" } }), "#/assignee", "required"),
        (json!({ "answers": [zoe["id"]] }), "#/answers", "not_here"),
    ] {
        let mut new = json!({ "contact_id": zoe["id"], "channel": "email", "subject_line": "Where is it?" });
        new.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let refused = by.post(LIST, new).await;
        let violations = refused.violation_of(422);
        assert!(violations.iter().any(|(at, found)| at == field && found == code), "{more}: {violations:?}");
    }
}

// S3-29: it comes to who works for the contact now, else to their rep, else by routing, else to the default
// group; always to somebody who is there.
#[actix_web::test]
async fn s3_29_it_comes_to_who_works_for_the_contact() {
    let shop = TestApp::open().await;
    let mut people = Vec::new();
    for name in ["Ana Ruiz", "Ben Okafor", "Cleo Sand", "Dan Wu", "Eva Berg", "Finn Roy"] {
        people.push(shop.hire(name, "agent").await);
    }
    let [ana, ben, cleo, dan, eva, finn] = people.as_slice() else { unreachable!() };
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "language": "fr" })).await;
    let next = async || holder(&shop, &email(&admin, &zoe, json!({ "complete": false })).await).await;
    let dismiss_all = async || {
        for open in admin.rows(&format!("{LIST}?response=unanswered")).await {
            admin.command(&at(&open, "/dismiss")).await.assert_status(200);
        }
    };
    // Nobody: the default group.
    assert_eq!(next().await, "Customer Service");
    dismiss_all().await;
    // A rule, which may look at the channel, too.
    let rule = json!({ "name": "French mail", "conditions": { "sources": ["email"],
        "contact": { "languages": ["fr"] } }, "target": { "type": "user", "id": finn.id } });
    admin.post("/v1/routing-rules", rule).await.assert_status(201);
    assert_eq!(next().await, "Finn Roy");
    dismiss_all().await;
    // The account's rep.
    let change = json!({ "owner_id": eva.id });
    admin.patch(&format!("/v1/contacts/{}", text(&zoe["id"])), change).await.assert_status(200);
    assert_eq!(next().await, "Eva Berg");
    dismiss_all().await;
    // Who answered last, for thirty days.
    reply(&shop.by(dan), &zoe, json!({})).await;
    assert_eq!(next().await, "Dan Wu");
    dismiss_all().await;
    reply(&admin, &zoe, json!({ "originator": "automatic" })).await;
    assert_eq!(next().await, "Dan Wu", "what nobody wrote answers nothing");
    // Who has something else that they sent.
    let held = admin.rows(&format!("{LIST}?response=unanswered")).await.remove(0);
    admin.patch(&at(&held, ""), json!({ "assignee": user(ben) })).await.assert_status(200);
    assert_eq!(next().await, "Ben Okafor");
    // Whose issue is open; whose work item is.
    let issue = json!({ "title": "Lost", "contact_id": zoe["id"], "assignee": user(cleo) });
    let issue = admin.post("/v1/issues", issue).await.assert_status(201);
    assert_eq!(next().await, "Cleo Sand");
    let work = json!({ "type": "support_ticket", "contact_id": zoe["id"], "assignee": user(ana) });
    let work = admin.post("/v1/work-items", work).await.assert_status(201);
    assert_eq!(next().await, "Ana Ruiz");
    // What it is about comes first.
    let about = json!({ "actions": [{ "issue_id": issue["id"] }] });
    assert_eq!(holder(&shop, &email(&admin, &zoe, about).await).await, "Cleo Sand");
    // Whoever is named comes before all; whoever is gone is passed over.
    let named = email(&admin, &zoe, json!({ "assignee": user(finn) })).await;
    assert_eq!(holder(&shop, &named).await, "Finn Roy");
    let leaves = json!({ "reassign_to": public() });
    admin.post(&format!("/v1/users/{}/offboard", ana.id), leaves).await.assert_status(200);
    assert_eq!(next().await, "Cleo Sand", "what is everybody's says nothing of who works for them");
    let about = json!({ "work_item_id": work["id"] });
    assert_eq!(
        holder(&shop, &email(&admin, &zoe, about).await).await,
        "Public",
        "it goes with the work item"
    );
    dismiss_all().await;
    shop.time_is("2026-05-18T09:00:00Z");
    let ada = shop.again(&shop.admin).await;
    let admin = shop.by(&ada);
    let later = async |contact: &Value| {
        let sent = email(&admin, contact, json!({})).await;
        text(&sent["assignee"]["name"])
    };
    admin.command(&format!("/v1/issues/{}/close", text(&issue["id"]))).await.assert_status(200);
    assert_eq!(later(&zoe).await, "Eva Berg", "an answer of two months ago is no work of now");
    // A merged contact is whoever it was merged into.
    let other = admin.post("/v1/contacts", json!({ "last_name": "Tremblay" })).await.assert_status(201);
    let into = json!({ "into": zoe["id"] });
    admin.post(&format!("/v1/contacts/{}/merge", text(&other["id"])), into).await.assert_status(200);
    assert_eq!(later(&other).await, "Eva Berg");
}

// S3-4: a turn is not given where somebody already works for the contact.
#[actix_web::test]
async fn s3_4_turns_remember_whose_contact_it_is() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let admin = shop.by(&shop.admin);
    let rule = json!({ "name": "In turn", "target": { "type": "round_robin", "users": [ana.id, ben.id] } });
    let rule = admin.post("/v1/routing-rules", rule).await.assert_status(201);
    let make = async |contact: &Value| {
        let new = json!({ "type": "support_ticket", "contact_id": contact["id"] });
        text(&admin.post("/v1/work-items", new).await.assert_status(201)["assignee"]["name"])
    };
    let (zoe, roy, kim) = (
        contact(&shop, json!({ "last_name": "Tremblay" })).await,
        contact(&shop, json!({ "last_name": "Roy" })).await,
        contact(&shop, json!({ "last_name": "Kim" })).await,
    );
    assert_eq!(make(&zoe).await, "Ana Ruiz");
    assert_eq!(make(&zoe).await, "Ana Ruiz", "she has the other one");
    assert_eq!(make(&zoe).await, "Ana Ruiz");
    assert_eq!(make(&roy).await, "Ben Okafor", "which was nobody's turn");
    assert_eq!(make(&kim).await, "Ana Ruiz");
    assert_eq!(make(&roy).await, "Ben Okafor");
    // The trial says so.
    let trial = json!({ "draft": { "type": "support_ticket", "contact_id": roy["id"] },
        "rule_ids": [rule["id"]] });
    let trial = admin.post("/v1/routing-rules/simulate", trial).await.assert_status(200);
    assert_eq!(trial["assignee"]["name"], "Ben Okafor");
    let steps = trial["steps"].as_array().expect("steps");
    let said: Vec<_> = steps
        .iter()
        .filter(|step| step["step"]["by"] == "rule")
        .flat_map(|step| step["choices"].as_array().expect("choices"))
        .map(|one| (text(&one["name"]), one["has_contact"].clone()))
        .collect();
    assert_eq!(said, [("Ben Okafor".to_owned(), json!(true)), ("Ana Ruiz".to_owned(), json!(false))]);
}

// S0-17, S0-21: claimed from a group by one, given back, given away, by whoever may.
#[actix_web::test]
async fn s0_17_what_contacts_send_is_claimed_released_and_reassigned() {
    let shop = TestApp::open().await;
    let (ana, ben, cleo) = (
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Ben Okafor", "agent").await,
        shop.hire("Cleo Sand", "agent").await,
    );
    let support = shop.group("Support", &[&ana, &ben]).await;
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let letter = email(&admin, &zoe, json!({ "assignee": group(&support) })).await;
    let id = text(&letter["id"]);
    assert_eq!((inbox(&shop, &ana).await, inbox(&shop, &ben).await), (vec![id.clone()], vec![id.clone()]));
    // One of two gets it.
    let claim = at(&letter, "/claim");
    let (of_ana, of_ben) = (shop.by(&ana), shop.by(&ben));
    let (one, other) = tokio::join!(of_ana.command(&claim), of_ben.command(&claim));
    let (won, lost, winner, loser) = if one.status == 200 {
        (one.assert_status(200), other, &ana, &ben)
    } else {
        (other.assert_status(200), one, &ben, &ana)
    };
    assert_eq!(lost.problem(409), "already_claimed");
    assert_eq!(lost.json["holder"]["id"], json!(winner.id));
    assert_eq!(
        (&won["assignee"]["id"], &won["claimed_from"]["name"], &won["response"]),
        (&json!(winner.id), &json!("Support"), &json!("unanswered"))
    );
    assert_eq!(
        (inbox(&shop, winner).await, inbox(&shop, loser).await),
        (vec![id.clone()], Vec::<String>::new())
    );
    assert_eq!(
        shop.by(winner).command(&claim).await.assert_status(200)["version"],
        won["version"],
        "once is enough"
    );
    // Back to the group; there is nothing to release then.
    let back = shop.by(winner).command(&at(&letter, "/release")).await.assert_status(200);
    assert_eq!((&back["assignee"]["name"], &back["claimed_from"]), (&json!("Support"), &Value::Null));
    assert_eq!(shop.by(&ana).command(&at(&letter, "/release")).await.problem(409), "nothing_to_release");
    // Others neither claim nor give away nor answer; a manager may.
    for step in ["/claim", "/release", "/answer", "/dismiss"] {
        assert_eq!(shop.by(&cleo).command(&at(&letter, step)).await.problem(403), "not_your_item", "{step}");
    }
    let to_cleo = json!({ "assignee": user(&cleo) });
    assert_eq!(shop.by(&cleo).patch(&at(&letter, ""), to_cleo.clone()).await.problem(403), "not_your_item");
    let given = shop.by(&ben).patch(&at(&letter, ""), to_cleo).await.assert_status(200);
    assert_eq!(given["assignee"], json!({ "type": "user", "id": cleo.id, "name": "Cleo Sand" }));
    assert_eq!((inbox(&shop, &cleo).await, inbox(&shop, &ben).await), (vec![id], Vec::<String>::new()));
    // Whoever may answer it does not thereby correct what others recorded.
    assert_eq!(
        shop.by(&cleo).patch(&at(&letter, ""), json!({ "mood": "angry" })).await.problem(403),
        "not_allowed"
    );
    for (patch, at_field, code) in [
        (json!({ "assignee": null }), "#/assignee", "wrong_type"),
        (json!({ "assignee": { "type": "user", "id": zoe["id"] } }), "#/assignee/id", "unknown"),
        (json!({ "response": "answered" }), "#/response", "unknown_field"),
    ] {
        let refused = shop.by(&cleo).patch(&at(&letter, ""), patch.clone()).await;
        let violations = refused.violation_of(422);
        assert!(
            violations.iter().any(|(at, found)| at == at_field && found == code),
            "{patch} {violations:?}"
        );
    }
    assert_eq!(
        shop.by(&cleo).header("if-match", "\"1\"").command(&at(&letter, "/answer")).await.problem(412),
        "stale_version"
    );
    shop.time_is("2026-03-18T09:05:00Z");
    let answered = shop.by(&cleo).command(&at(&letter, "/answer")).await.assert_status(200);
    assert_eq!(
        (&answered["response"], &answered["responded_by"]["name"], &answered["responded_at"]),
        (&json!("answered"), &json!("Cleo Sand"), &json!("2026-03-18T09:05:00.000000Z"))
    );
    assert_eq!((&answered["complete"], &answered["answer_id"]), (&json!(true), &Value::Null));
    assert_eq!(inbox(&shop, &cleo).await, Vec::<String>::new());
    for step in ["/claim", "/release", "/answer", "/dismiss"] {
        let refused = shop.by(&cleo).command(&at(&letter, step)).await;
        assert_eq!(
            (refused.problem(409), &refused.json["current_status"]),
            ("wrong_status", &json!("answered"))
        );
    }
    // Its history has all of it.
    let events = admin.rows(&format!("/v1/events?record={}", text(&letter["id"]))).await;
    assert_eq!(
        each(&events, "type"),
        [
            "interaction.created",
            "interaction.claimed",
            "interaction.released",
            "interaction.reassigned",
            "interaction.answered"
        ]
    );
}

// S0-9, S0-12, S0-22: what waits is counted where work is, and found by who looks for it.
#[actix_web::test]
async fn s0_12_what_waits_for_an_answer_is_counted() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let support = shop.group("Support", &[&ana]).await;
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    for (owner, count) in [(user(&ana), 3), (group(&support), 2), (public(), 1), (user(&ben), 1)] {
        for _ in 0..count {
            let more = json!({ "assignee": owner, "subject": { "type": "order", "id": "A-1001" } });
            email(&admin, &zoe, more).await;
        }
    }
    let mine = shop.by(&ana).rows(&format!("{LIST}?response=unanswered&assignee=me")).await;
    shop.by(&ana).command(&at(&mine[0], "/answer")).await.assert_status(200);
    shop.time_is("2026-03-18T09:05:00Z");
    let why = json!({ "reason": "Advertising." });
    let away = shop.by(&ana).post(&at(&mine[1], "/dismiss"), why).await.assert_status(200);
    assert_eq!(
        (&away["response"], &away["dismiss_reason"], &away["responded_by"]["id"], &away["complete"]),
        (&json!("dismissed"), &json!("Advertising."), &json!(ana.id), &json!(true))
    );
    for queues in [
        shop.by(&ana).get("/v1/queues").await.assert_status(200)["data"].clone(),
        shop.by(&ana).get("/v1/home").await.assert_status(200)["queues"].clone(),
    ] {
        let mut seen = Vec::new();
        for queue in queues.as_array().expect("queues") {
            let rows = shop.by(&ana).rows(&text(&queue["rows"]["unanswered"])).await;
            assert_eq!(queue["unanswered"], rows.len(), "as the link says: {queue}");
            seen.push((text(&queue["name"]), rows.len()));
        }
        assert_eq!(seen, [("Mine".to_owned(), 1), ("Support".to_owned(), 2), ("Public".to_owned(), 1)]);
    }
    let board = admin.get("/v1/dashboard").await.assert_status(200);
    let of = |name: &str| {
        let all = board["users"].as_array().into_iter().chain(board["groups"].as_array()).flatten();
        all.chain([&board["public"]])
            .find(|load| load["assignee"]["name"] == name)
            .map(|load| load["unanswered"].clone())
    };
    assert_eq!(
        ["Ana Ruiz", "Ben Okafor", "Support", "Public", "Ada Admin"].map(of)[..4],
        [Some(json!(1)), Some(json!(1)), Some(json!(2)), Some(json!(1))]
    );
    // Who may not read them is not told how many there are.
    let scopes = ["queues:read", "dashboard:read", "action_items:read", "interactions:read"];
    for count in [3, 4] {
        let key = json!({ "name": "Board", "scopes": &scopes[..count] });
        let key = admin.post("/v1/api-keys", key).await.assert_status(201);
        let by = shop.with_token(&text(&key["secret"]));
        let queue = by.get("/v1/queues").await.assert_status(200)["data"][0].take();
        let load = by.get("/v1/dashboard").await.assert_status(200)["public"].take();
        for counts in [&queue, &queue["rows"], &load] {
            assert_eq!(counts.get("unanswered").is_some(), count == 4, "{counts}");
        }
    }
    let board = admin.get("/v1/dashboard?subject_type=vendor").await.assert_status(200);
    assert_eq!(board["public"]["unanswered"], 0, "about vendors");
    let by = shop.by(&ana);
    for (query, wanted) in [
        ("response=unanswered", 5),
        ("response=answered", 1),
        ("response=dismissed", 1),
        ("response=answered,dismissed", 2),
        ("response=unanswered,answered,dismissed", 7),
        ("assignee=me", 3),
        ("assignee=public", 1),
        ("assignee=me,public", 4),
        ("assignee_not=me", 3),
        ("response=unanswered&assignee_not=me", 3),
        ("responded_by=me", 2),
        ("responded_at_gte=2026-03-18T09:05:00Z", 1),
        ("responded_at_lt=2026-03-18T09:05:00Z", 1),
        ("response=unanswered&channel=email", 5),
        ("response=unanswered&subject_type=vendor", 0),
    ] {
        assert_eq!(by.rows(&format!("{LIST}?{query}")).await.len(), wanted, "{query}");
    }
    for (query, name) in
        [("response=open", "response"), ("assignee=ana", "assignee"), ("responded_by=ana", "responded_by")]
    {
        let refused = by.get(&format!("{LIST}?{query}")).await.violation_of(400);
        assert!(refused.iter().any(|(at, _)| at == name), "{query}");
    }
    // A report counts them as any others.
    let report = admin
        .get("/v1/reports/interactions-by-channel?from=2026-03-18&response=unanswered")
        .await
        .assert_status(200);
    assert_eq!(report["data"][0]["count"], 5);
}

// S4-2, S3-19: a later word of ours in the same issue or work item answers, as does one that says so.
#[actix_web::test]
async fn s4_2_a_later_answer_in_the_same_issue_or_work_item_answers() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let roy = contact(&shop, json!({ "last_name": "Roy", "owner_id": ana.id })).await;
    let mut issues = Vec::new();
    for title in ["Lost", "Broken", "Lost again"] {
        let new = json!({ "title": title, "contact_id": zoe["id"], "assignee": user(&ana) });
        issues.push(by.post("/v1/issues", new).await.assert_status(201));
    }
    let work = json!({ "type": "support_ticket", "contact_id": zoe["id"], "assignee": user(&ana) });
    let work = by.post("/v1/work-items", work).await.assert_status(201);
    let about = |issue: usize| json!({ "actions": [{ "issue_id": issues[issue]["id"] }] });
    let lost = email(&by, &zoe, about(0)).await;
    let broken = email(&by, &zoe, about(1)).await;
    let again = email(&by, &zoe, about(2)).await;
    let at_work = email(&by, &zoe, json!({ "work_item_id": work["id"] })).await;
    let alone = email(&by, &zoe, json!({})).await;
    let of_roy = email(&by, &roy, about(0)).await;
    let into = json!({ "into": issues[0]["id"] });
    by.post(&format!("/v1/issues/{}/merge", text(&issues[2]["id"])), into).await.assert_status(200);
    let states = async || {
        let mut states = Vec::new();
        for sent in [&lost, &broken, &again, &at_work, &alone, &of_roy] {
            states.push(text(&response(&shop, sent).await));
        }
        states.join(" ")
    };
    let all = "unanswered unanswered unanswered unanswered unanswered unanswered";
    // Nothing is answered by what does not reach them, what nobody wrote, what was before, what is about
    // nothing.
    let actions = &about(0)["actions"];
    for more in [
        json!({ "channel": "phone", "call_result": "missed", "actions": actions, "complete": false }),
        json!({ "originator": "automatic", "actions": actions, "complete": false }),
        json!({ "occurred_at": "2026-03-18T08:00:00Z", "actions": actions, "complete": false }),
        json!({}),
    ] {
        reply(&by, &zoe, more.clone()).await;
        assert_eq!(states().await, all, "{more}");
    }
    shop.time_is("2026-03-18T09:10:00Z");
    let out = reply(&by, &zoe, about(0)).await;
    assert_eq!(states().await, "answered unanswered answered unanswered unanswered unanswered");
    let seen = by.get(&at(&lost, "")).await.assert_status(200);
    assert_eq!(
        (&seen["answer_id"], &seen["responded_by"]["id"], &seen["responded_at"]),
        (&out["id"], &json!(ana.id), &json!("2026-03-18T09:10:00.000000Z"))
    );
    by.post(&format!("/v1/work-items/{}/calls", text(&work["id"])), json!({})).await.assert_status(201);
    assert_eq!(states().await, "answered unanswered answered answered unanswered unanswered");
    // Said afterwards, what it was about.
    let out = reply(&by, &zoe, json!({})).await;
    let link = format!("/v1/issues/{}/interactions/{}", text(&issues[1]["id"]), text(&out["id"]));
    by.put(&link, None).await.assert_status(201);
    assert_eq!(states().await, "answered answered answered answered unanswered unanswered");
    // Named.
    for (more, place, code) in [
        (json!({ "answers": [of_roy["id"]] }), "#/answers/0", "other_contact"),
        (json!({ "answers": [alone["id"], work["id"]] }), "#/answers/1", "unknown"),
        (json!({ "answers": [lost["id"]] }), "#/answers/0", "answered"),
        (json!({ "answers": [out["id"]] }), "#/answers/0", "answered"),
    ] {
        let mut new = json!({ "contact_id": zoe["id"], "channel": "email", "direction": "outbound",
            "subject_line": "Re:", "complete": true });
        new["answers"] = more["answers"].clone();
        assert_eq!(by.post(LIST, new).await.violation_of(422), rules(&[(place, code)]), "{more}");
    }
    let out = reply(&by, &zoe, json!({ "answers": [alone["id"], alone["id"]] })).await;
    assert_eq!(states().await, "answered answered answered answered answered unanswered");
    assert_eq!(by.get(&at(&alone, "")).await.assert_status(200)["answer_id"], out["id"]);
    // Or said later.
    for (answer, code) in [(&out, "other_contact"), (&of_roy, "not_outbound"), (&work, "unknown")] {
        let said = json!({ "answer_id": answer["id"] });
        assert_eq!(
            by.post(&at(&of_roy, "/answer"), said).await.violation_of(422),
            rules(&[("#/answer_id", code)])
        );
    }
    let out = reply(&by, &roy, json!({})).await;
    let said = json!({ "answer_id": out["id"] });
    let seen = by.post(&at(&of_roy, "/answer"), said).await.assert_status(200);
    assert_eq!((&seen["response"], &seen["answer_id"]), (&json!("answered"), &out["id"]));
    // Somebody else's is not answered by naming it.
    let ben = shop.hire("Ben Okafor", "agent").await;
    let hers = email(&by, &roy, json!({})).await;
    let new = json!({ "contact_id": roy["id"], "channel": "email", "direction": "outbound",
        "subject_line": "Re:", "complete": true, "answers": [hers["id"]] });
    assert_eq!(shop.by(&ben).post(LIST, new).await.problem(403), "not_your_item");
    assert_eq!(response(&shop, &hers).await, "unanswered");
}

// S4-36 for what contacts send: it is taken up again by somebody who is there.
#[actix_web::test]
async fn s4_36_what_was_dealt_with_waits_again() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let letter = email(&admin, &zoe, json!({})).await;
    let refused = admin.command(&at(&letter, "/reopen")).await;
    assert_eq!(
        (refused.problem(409), &refused.json["current_status"]),
        ("wrong_status", &json!("unanswered"))
    );
    shop.by(&ana).post(&at(&letter, "/dismiss"), json!({ "reason": "Spam" })).await.assert_status(200);
    let back = shop.by(&ana).command(&at(&letter, "/reopen")).await.assert_status(200);
    assert_eq!(
        (&back["response"], &back["dismiss_reason"], &back["responded_by"], &back["complete"]),
        (&json!("unanswered"), &Value::Null, &Value::Null, &json!(false))
    );
    assert_eq!(inbox(&shop, &ana).await, [text(&letter["id"])]);
    shop.by(&ana).command(&at(&letter, "/answer")).await.assert_status(200);
    assert_eq!(shop.by(&ben).command(&at(&letter, "/reopen")).await.problem(403), "not_your_item");
    let leaves = json!({ "reassign_to": user(&ben) });
    admin.post(&format!("/v1/users/{}/offboard", ana.id), leaves).await.assert_status(200);
    let back = admin.command(&at(&letter, "/reopen")).await.assert_status(200);
    assert_eq!(back["assignee"]["name"], "Ben Okafor", "their rep now");
    admin.command(&at(&letter, "/answer")).await.assert_status(200);
    let to = json!({ "assignee": user(&shop.admin) });
    let back = admin.post(&at(&letter, "/reopen"), to).await.assert_status(200);
    assert_eq!(back["assignee"]["id"], json!(shop.admin.id));
    // Nobody waits for an answer to what was said by the counter.
    let visit = email(&admin, &zoe, json!({ "channel": "in_person", "complete": true })).await;
    for step in ["/claim", "/answer", "/dismiss", "/reopen"] {
        let refused = admin.command(&at(&visit, step)).await;
        assert_eq!((refused.problem(409), &refused.json["current_status"]), ("wrong_status", &Value::Null));
    }
    assert_eq!(
        admin.patch(&at(&visit, ""), json!({ "assignee": user(&ben) })).await.problem(409),
        "wrong_status"
    );
}

// S0-14, S0-16: it never lies with somebody who is gone.
#[actix_web::test]
async fn s0_16_what_waits_is_handed_over() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let support = shop.group("Support", &[&ana]).await;
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay" })).await;
    let hers = email(&admin, &zoe, json!({ "assignee": user(&ana), "subject_line": "Hers" })).await;
    let groups = email(&admin, &zoe, json!({ "assignee": group(&support), "subject_line": "Theirs" })).await;
    let refused = admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await;
    assert_eq!(
        (refused.problem(409), &refused.json["open_work"], &refused.json["groups"][&support]),
        ("open_work", &json!({ "interaction": 1 }), &json!(1))
    );
    let refused = admin.delete(&format!("/v1/groups/{support}/members/{}", ana.id)).await;
    assert_eq!((refused.problem(409), &refused.json["groups"][&support]), ("open_work", &json!(1)));
    let leaves = json!({ "reassign_to": user(&ben), "groups_reassign_to": public() });
    let left = admin.post(&format!("/v1/users/{}/offboard", ana.id), leaves).await.assert_status(200);
    let moved: Vec<&Value> = left["moved"]
        .as_array()
        .expect("kinds")
        .iter()
        .filter(|kind| kind["kind"] == "interaction")
        .flat_map(|kind| kind["items"].as_array().expect("items"))
        .collect();
    assert_eq!(moved.iter().map(|one| text(&one["title"])).collect::<Vec<_>>(), ["Hers", "Theirs"]);
    assert_eq!(
        (holder(&shop, &hers).await, holder(&shop, &groups).await),
        ("Ben Okafor".into(), "Public".into())
    );
    assert_eq!(inbox(&shop, &ben).await, [text(&hers["id"])]);
    // What belongs to a work item of theirs is named, too.
    let work = json!({ "type": "support_ticket", "contact_id": zoe["id"], "assignee": user(&ben) });
    let work = admin.post("/v1/work-items", work).await.assert_status(201);
    email(&admin, &zoe, json!({ "work_item_id": work["id"], "subject_line": "At work" })).await;
    let eva = shop.hire("Eva Berg", "agent").await;
    let leaves = json!({ "reassign_to": user(&eva) });
    let left = admin.post(&format!("/v1/users/{}/offboard", ben.id), leaves).await.assert_status(200);
    let kinds = left["moved"].as_array().expect("kinds");
    let interactions = kinds.iter().find(|kind| kind["kind"] == "interaction").expect("the kind");
    assert_eq!(each(interactions["items"].as_array().expect("items"), "title"), ["Hers", "At work"]);
    let ben = eva;
    assert_eq!(admin.rows("/v1/reports/orphaned-interactions").await, Vec::<Value>::new());
    // What is everybody's is anybody's to take.
    shop.by(&ben).command(&at(&groups, "/claim")).await.assert_status(200);
    assert_eq!(inbox(&shop, &ben).await.len(), 2);
}

// S3-30, S3-20: what belongs to a work item is answered by whoever has that, wherever it goes.
#[actix_web::test]
async fn s3_30_what_belongs_to_a_work_item_goes_with_it() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let support = shop.group("Support", &[&ana, &ben]).await;
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let work = json!({ "type": "support_ticket", "contact_id": zoe["id"], "assignee": group(&support) });
    let work = admin.post("/v1/work-items", work).await.assert_status(201);
    let at_work = format!("/v1/work-items/{}", text(&work["id"]));
    let letter = email(&admin, &zoe, json!({ "assignee": user(&ana) })).await;
    shop.by(&ana)
        .put(&format!("{at_work}/interactions/{}", text(&letter["id"])), None)
        .await
        .assert_status(200);
    let call = json!({ "direction": "inbound", "call_result": "missed" });
    let call = admin.post(&format!("{at_work}/calls"), call).await.assert_status(201);
    assert_eq!((&call["response"], &call["complete"]), (&json!("unanswered"), &json!(false)));
    let later = json!({ "work_item_id": work["id"], "occurred_at": "2026-03-18T08:59:00Z" });
    let later = email(&admin, &zoe, later).await;
    let holders = async || {
        let mut holders = Vec::new();
        for sent in [&letter, &call, &later] {
            holders.push(holder(&shop, sent).await);
        }
        holders
    };
    assert_eq!(holders().await, ["Support"; 3]);
    assert_eq!(inbox(&shop, &ana).await, Vec::<String>::new(), "it is seen at the work item");
    shop.by(&ben).command(&format!("{at_work}/claim")).await.assert_status(200);
    assert_eq!(holders().await, ["Ben Okafor"; 3]);
    admin.patch(&at_work, json!({ "assignee": user(&ana) })).await.assert_status(200);
    assert_eq!(holders().await, ["Ana Ruiz"; 3]);
    let waiting = shop.by(&ana).rows(&format!("{LIST}?response=unanswered&assignee=me")).await;
    assert_eq!(waiting.len(), 3, "and counted");
    assert_eq!(
        admin.get(&at_work).await.assert_status(200)["last_inbound_at"],
        "2026-03-18T09:00:00.000000Z",
        "the last of them"
    );
    let roy = contact(&shop, json!({ "last_name": "Roy" })).await;
    for (contact, id, code) in [(&roy, &work["id"], "other_contact"), (&zoe, &letter["id"], "unknown")] {
        let new = json!({ "contact_id": contact["id"], "channel": "email", "subject_line": "Lost",
            "work_item_id": id });
        let before = admin.rows(LIST).await.len();
        assert_eq!(admin.post(LIST, new).await.violation_of(422), rules(&[("#/work_item_id", code)]));
        assert_eq!(admin.rows(LIST).await.len(), before, "nothing is half written");
    }
}

// S1-8, S1-10: an interaction is complete once what follows from it is done.
#[actix_web::test]
async fn s1_10_complete_follows_the_follow_up() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&ana);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let new = json!({ "channel": "phone", "follow_up": { "due_in": "tomorrow" } });
    let call = email(&by, &zoe, new).await;
    let item = format!("/v1/action-items/{}", text(&call["follow_up_id"]));
    let complete = async |sent: &Value| {
        by.get(&at(sent, "")).await.assert_status(200)["complete"].as_bool().expect("a flag")
    };
    assert!(!complete(&call).await);
    for (step, wanted) in [("complete", true), ("reopen", false), ("cancel", true)] {
        by.command(&format!("{item}/{step}")).await.assert_status(200);
        assert_eq!(complete(&call).await, wanted, "{step}");
    }
    assert_eq!(by.rows(&format!("{LIST}?complete=true")).await.len(), 1);
    // Of what they sent, both.
    let letter = email(&by, &zoe, json!({ "follow_up": { "due_in": "tomorrow" } })).await;
    let item = format!("/v1/action-items/{}", text(&letter["follow_up_id"]));
    by.command(&format!("{item}/complete")).await.assert_status(200);
    assert!(!complete(&letter).await, "it is unanswered");
    by.command(&at(&letter, "/answer")).await.assert_status(200);
    assert!(complete(&letter).await);
    by.command(&format!("{item}/reopen")).await.assert_status(200);
    assert!(!complete(&letter).await);
}

// S3-34: a call that turns out to be missed waits for an answer; one that was taken does not.
#[actix_web::test]
async fn s3_34_a_corrected_call_waits_or_does_not() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let admin = shop.by(&shop.admin);
    let zoe = contact(&shop, json!({ "last_name": "Tremblay", "owner_id": ana.id })).await;
    let call = email(&admin, &zoe, json!({ "channel": "phone", "complete": true })).await;
    let correct = async |patch: Value| admin.patch(&at(&call, ""), patch).await.assert_status(200);
    let now = correct(json!({ "call_result": "missed" })).await;
    assert_eq!(
        (&now["response"], &now["assignee"]["name"], &now["complete"]),
        (&json!("unanswered"), &json!("Ana Ruiz"), &json!(false))
    );
    assert_eq!(inbox(&shop, &ana).await.len(), 1);
    let now = correct(json!({ "call_result": "voicemail" })).await;
    assert_eq!((&now["response"], inbox(&shop, &ana).await.len()), (&json!("unanswered"), 1));
    let now = correct(json!({ "call_result": "answered" })).await;
    assert_eq!(
        (&now["response"], &now["assignee"], inbox(&shop, &ana).await.len()),
        (&Value::Null, &Value::Null, 0)
    );
    let refused = admin.patch(&at(&call, ""), json!({ "assignee": user(&ana) })).await;
    assert_eq!(refused.problem(409), "wrong_status");
    let now = correct(json!({ "call_result": "missed", "assignee": user(&shop.admin) })).await;
    assert_eq!(now["assignee"]["id"], json!(shop.admin.id), "both at once");
    correct(json!({ "call_result": "answered" })).await;
    let now = correct(json!({ "channel": "sms" })).await;
    assert_eq!((&now["response"], inbox(&shop, &ana).await.len()), (&json!("unanswered"), 1));
}
