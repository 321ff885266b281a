//! Action items: by when, by whom, and everything that is done to one.

use crate::support::*;

fn order() -> Value {
    json!({ "type": "order", "id": "A-1001" })
}

/// A new item with one more member or more.
fn new(more: Value) -> Value {
    let mut item = json!({ "subject": order(), "title": "Call the customer" });
    let members = more.as_object().expect("members").clone();
    item.as_object_mut().expect("an item").extend(members);
    item
}

fn path(item: &Value) -> String {
    format!("/v1/action-items/{}", text(&item["id"]))
}

#[actix_web::test]
async fn s0_5_a_due_date_is_a_preset_or_a_day_or_an_instant_and_exactly_one() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for (preset, at, on) in [
        ("today", "2026-03-18T23:59:59.999999Z", "2026-03-18"),
        ("tomorrow", "2026-03-19T23:59:59.999999Z", "2026-03-19"),
        ("in_2_days", "2026-03-20T23:59:59.999999Z", "2026-03-20"),
        ("in_1_week", "2026-03-25T23:59:59.999999Z", "2026-03-25"),
        ("in_2_weeks", "2026-04-01T23:59:59.999999Z", "2026-04-01"),
        ("in_3_weeks", "2026-04-08T23:59:59.999999Z", "2026-04-08"),
        ("in_1_month", "2026-04-18T23:59:59.999999Z", "2026-04-18"),
        ("in_3_months", "2026-06-18T23:59:59.999999Z", "2026-06-18"),
    ] {
        let item = admin.post("/v1/action-items", new(json!({ "due_in": preset }))).await.assert_status(201);
        assert_eq!((text(&item["due_at"]), text(&item["due_on"])), (at.into(), on.into()), "{preset}");
    }
    let item = admin
        .post("/v1/action-items", new(json!({ "due_at": "2026-03-18T11:30:00.25+02:00" })))
        .await
        .assert_status(201);
    assert_eq!(
        (text(&item["due_at"]), &item["due_on"]),
        ("2026-03-18T09:30:00.250000Z".into(), &Value::Null)
    );
    let past =
        admin.post("/v1/action-items", new(json!({ "due_on": "2025-12-24" }))).await.assert_status(201);
    assert_eq!(
        (text(&past["due_at"]), text(&past["bucket"])),
        ("2025-12-24T23:59:59.999999Z".into(), "overdue".into())
    );
    for (due, place, rule) in [
        (json!({}), "due_at", "required"),
        (json!({ "due_in": null, "due_on": null }), "due_at", "required"),
        (json!({ "due_in": "today", "due_on": "2026-03-18" }), "due_at", "ambiguous"),
        (json!({ "due_in": "today", "due_at": START }), "due_at", "ambiguous"),
        (json!({ "due_on": "2026-03-18", "due_at": START }), "due_at", "ambiguous"),
        (json!({ "due_in": "in_a_while" }), "due_in", "unknown_value"),
        (json!({ "due_in": "P1D" }), "due_in", "unknown_value"),
        (json!({ "due_in": "" }), "due_in", "length"),
        (json!({ "due_in": 3 }), "due_in", "wrong_type"),
        (json!({ "due_on": "2026-02-29" }), "due_on", "invalid_value"),
        (json!({ "due_on": "18/03/2026" }), "due_on", "invalid_value"),
        (json!({ "due_on": START }), "due_on", "invalid_value"),
        (json!({ "due_on": "1899-12-31" }), "due_on", "range"),
        (json!({ "due_on": "3000-01-01" }), "due_on", "range"),
        (json!({ "due_on": "+262142-12-31" }), "due_on", "range"),
        (json!({ "due_at": "2026-03-18" }), "due_at", "invalid_value"),
        (json!({ "due_at": "2026-03-18T09:00:00" }), "due_at", "invalid_value"),
        (json!({ "due_at": "2026-03-18T25:00:00Z" }), "due_at", "invalid_value"),
        (json!({ "due_at": 1_773_824_400 }), "due_at", "wrong_type"),
        (json!({ "due_at": "3000-01-01T00:00:00Z" }), "due_at", "range"),
        (json!({ "due_at": "0001-01-01T00:00:00Z" }), "due_at", "range"),
    ] {
        let broken = admin.post("/v1/action-items", new(due.clone())).await.violation_of(422);
        assert_eq!(broken, rules(&[(&format!("#/{place}"), rule)]), "{due}");
    }
}

#[actix_web::test]
async fn s0_5_a_day_ends_where_the_assignee_lives_whatever_daylight_saving_does() {
    let shop = TestApp::with(|config| config.time_zone = "Pacific/Auckland".parse().expect("a zone")).await;
    let paris = shop.hire_in("Zoe Petit", "agent", "Europe/Paris").await;
    let crew = shop.group("Crew", &[&paris]).await;
    let admin = shop.by(&shop.admin);
    for (assignee, day, at) in [
        // The clocks of Paris go forward on 29 March, and back on 25 October.
        (user(&paris), "2026-03-28", "2026-03-28T22:59:59.999999Z"),
        (user(&paris), "2026-03-29", "2026-03-29T21:59:59.999999Z"),
        (user(&paris), "2026-10-24", "2026-10-24T21:59:59.999999Z"),
        (user(&paris), "2026-10-25", "2026-10-25T22:59:59.999999Z"),
        // Groups and the public live where the company does; its clocks go back on 5 April.
        (group(&crew), "2026-04-04", "2026-04-04T10:59:59.999999Z"),
        (public(), "2026-04-05", "2026-04-05T11:59:59.999999Z"),
    ] {
        let item = admin
            .post("/v1/action-items", new(json!({ "due_on": day, "assignee": assignee })))
            .await
            .assert_status(201);
        assert_eq!((text(&item["due_at"]), text(&item["due_on"])), (at.into(), day.into()));
    }
    // Where midnight itself is skipped, the day before ends at the first instant that exists.
    let santiago = shop.hire_in("Luz Vega", "agent", "America/Santiago").await;
    let item = new(json!({ "due_on": "2026-09-05", "assignee": user(&santiago) }));
    let item = admin.post("/v1/action-items", item).await.assert_status(201);
    assert_eq!(item["due_at"], "2026-09-06T03:59:59.999999Z");
    // 23:30 UTC is tomorrow already in Paris: its today ends an hour less than a day later.
    shop.time_is("2026-03-28T23:30:00Z");
    let admin = shop.again(&shop.admin).await;
    for (preset, at) in
        [("today", "2026-03-29T21:59:59.999999Z"), ("in_1_week", "2026-04-05T21:59:59.999999Z")]
    {
        let item = new(json!({ "due_in": preset, "assignee": user(&paris) }));
        assert_eq!(shop.by(&admin).post("/v1/action-items", item).await.assert_status(201)["due_at"], at);
    }
    // A new owner elsewhere: the same day ends at their midnight.
    let item = shop
        .by(&admin)
        .post("/v1/action-items", new(json!({ "due_on": "2026-04-01", "assignee": public() })))
        .await
        .assert_status(201);
    let moved = json!({ "assignee": user(&paris), "due_on": "2026-04-01" });
    assert_eq!(
        shop.by(&admin).patch(&path(&item), moved).await.assert_status(200)["due_at"],
        "2026-04-01T21:59:59.999999Z"
    );
}

#[actix_web::test]
async fn s0_5_presets_are_the_shops_own() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for (key, duration) in [("in_4_hours", "PT4H"), ("next_quarter", "P3M1D"), ("in_a_year", "P1Y")] {
        let preset = json!({ "key": key, "label": key, "duration": duration });
        admin.post("/v1/picklists/due_presets/items", preset).await.assert_status(201);
    }
    for (key, at, on) in [
        ("in_4_hours", "2026-03-18T13:00:00.000000Z", Value::Null),
        ("next_quarter", "2026-06-19T23:59:59.999999Z", json!("2026-06-19")),
        ("in_a_year", "2027-03-18T23:59:59.999999Z", json!("2027-03-18")),
    ] {
        let item = admin.post("/v1/action-items", new(json!({ "due_in": key }))).await.assert_status(201);
        assert_eq!((&item["due_at"], &item["due_on"]), (&json!(at), &on), "{key}");
    }
    admin.command("/v1/picklists/due_presets/items/tomorrow/retire").await.assert_status(200);
    let broken = admin.post("/v1/action-items", new(json!({ "due_in": "tomorrow" }))).await.violation_of(422);
    assert_eq!(broken, rules(&[("#/due_in", "unknown_value")]));
}

#[actix_web::test]
async fn s0_6_work_is_given_only_to_those_who_can_do_it() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let gone = shop.hire("Gus Left", "agent").await;
    let (staffed, empty) = (shop.group("Shipping", &[&ana]).await, shop.group("Empty", &[]).await);
    let left_behind = shop.group("Left behind", &[&gone]).await;
    let admin = shop.by(&shop.admin);
    admin.patch(&format!("/v1/users/{}", gone.id), json!({ "active": false })).await.assert_status(200);
    for (assignee, name) in [(user(&ana), "Ana Ruiz"), (group(&staffed), "Shipping"), (public(), "Public")] {
        let item = shop.action_item(&shop.admin, "Call", START, assignee.clone()).await;
        assert_eq!(
            (&item["assignee"]["type"], text(&item["assignee"]["name"])),
            (&assignee["type"], name.into())
        );
        assert_eq!(item["assignee"]["id"], assignee["id"]);
    }
    let item = shop.action_item(&shop.admin, "Call", START, public()).await;
    for (assignee, place, rule) in [
        (user(&gone), "assignee/id", "inactive"),
        (group(&empty), "assignee/id", "nobody_there"),
        (group(&left_behind), "assignee/id", "nobody_there"),
        (json!({ "type": "user", "id": staffed }), "assignee/id", "unknown"),
        (json!({ "type": "group", "id": ana.id }), "assignee/id", "unknown"),
        (json!({ "type": "user" }), "assignee", "required"),
        (json!({ "type": "group", "id": null }), "assignee", "required"),
        (json!({ "type": "public", "id": ana.id }), "assignee", "unexpected"),
        (json!({ "type": "user", "id": "ana" }), "assignee/id", "invalid_value"),
        (json!({ "type": "everyone" }), "assignee/type", "unknown_value"),
        (json!({ "id": ana.id }), "assignee/type", "required"),
        (json!({ "type": "public", "name": "Public" }), "assignee/name", "unknown_field"),
        (json!("public"), "assignee", "wrong_type"),
    ] {
        let place = format!("#/{place}");
        let created =
            admin.post("/v1/action-items", new(json!({ "due_in": "today", "assignee": assignee }))).await;
        assert_eq!(created.violation_of(422), rules(&[(&place, rule)]), "{assignee}");
        let changed = admin.patch(&path(&item), json!({ "assignee": assignee })).await;
        assert_eq!(changed.violation_of(422), rules(&[(&place, rule)]), "{assignee}");
    }
    // Nothing is ever nobody's.
    for member in ["assignee", "due_at", "due_on", "due_in", "title", "details", "priority"] {
        let broken = admin.patch(&path(&item), json!({ member: null })).await.violation_of(422);
        assert_eq!(broken[0].0, format!("#/{member}"), "{broken:?}");
    }
    assert_eq!(admin.get(&path(&item)).await.assert_status(200)["version"], 1);
}

#[actix_web::test]
async fn s0_7_a_key_assigns_to_the_person_it_acts_for_and_names_somebody_when_there_is_none() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let scopes =
        json!(["action_items:write", "action_items:read", "queues:read", "users:act_as", "subjects:read"]);
    let key = shop
        .by(&shop.admin)
        .post("/v1/api-keys", json!({ "name": "Checkout", "scopes": scopes }))
        .await
        .assert_status(201);
    let key = shop.with_token(&text(&key["secret"]));
    let for_ana = key.clone().header("x-act-as", &ana.id);
    let item = for_ana.post("/v1/action-items", new(json!({ "due_in": "today" }))).await.assert_status(201);
    assert_eq!(item["assignee"]["id"], json!(ana.id));
    assert_eq!(item["created_by"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    assert_eq!(each(&for_ana.rows("/v1/queues/mine/items").await, "id"), [text(&item["id"])]);
    assert_eq!(
        key.post("/v1/action-items", new(json!({ "due_in": "today" }))).await.problem(422),
        "nobody_acting"
    );
    assert_eq!(key.get("/v1/queues/mine/items").await.problem(422), "nobody_acting");
    let alone = key
        .post("/v1/action-items", new(json!({ "due_in": "today", "assignee": public() })))
        .await
        .assert_status(201);
    assert_eq!(alone["created_by"]["name"], "Checkout");
    assert_eq!(key.command(&format!("{}/claim", path(&alone))).await.problem(422), "nobody_acting");
    assert_eq!(key.rows("/v1/action-items?assignee=me").await.len(), 0);
    let done = key.command(&format!("{}/complete", path(&alone))).await.assert_status(200);
    assert_eq!(done["completed_by"]["name"], "Checkout");
    let entry = &key.rows("/v1/subjects/order/A-1001/timeline?sort=at").await[0];
    assert_eq!((&entry["actor"]["kind"], &entry["actor"]["name"]), (&json!("api_key"), &json!("Checkout")));
    assert_eq!(entry["acting_for"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
}

#[actix_web::test]
async fn s0_5_all_that_is_wrong_with_an_item_is_said_at_once() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let wrong = json!({
        "subject": { "type": "ufo", "id": "1" }, "title": "Call", "action": "yodel", "due_in": "never",
        "assignee": { "type": "user", "id": "019b0a35-2c00-7000-8000-000000000001" },
    });
    let mut broken = admin.post("/v1/action-items", wrong).await.violation_of(422);
    broken.sort();
    let all = [
        ("#/action", "unknown_value"),
        ("#/assignee/id", "unknown"),
        ("#/due_in", "unknown_value"),
        ("#/subject/type", "unknown_value"),
    ];
    assert_eq!(broken, rules(&all));
    let long = json!({
        "subject": { "type": "x".repeat(65), "id": "x".repeat(256) }, "title": "x".repeat(201),
        "details": "é".repeat(65_537),
        "action": "x".repeat(65), "due_in": "x".repeat(65),
    });
    let mut broken = admin.post("/v1/action-items", long).await.violation_of(422);
    broken.sort();
    let places = ["#/action", "#/details", "#/due_in", "#/subject/id", "#/subject/type", "#/title"];
    assert_eq!(broken, rules(&places.map(|place| (place, "length"))));
    let mut broken = admin
        .post("/v1/action-items", json!({ "priority": "urgent", "status": "completed" }))
        .await
        .violation_of(422);
    broken.sort();
    assert_eq!(
        broken,
        rules(&[("#/priority", "unknown_value"), ("#/status", "unknown_field"), ("#/title", "required")])
    );
    let broken =
        admin.post("/v1/action-items", json!({ "title": "Call", "due_in": "today" })).await.violation_of(422);
    assert_eq!(broken, rules(&[("#/subject", "required")]));
    let fits = new(
        json!({ "details": "é".repeat(65_536), "due_in": "today", "priority": "high", "action": "call" }),
    );
    let item = admin.post("/v1/action-items", fits).await.assert_status(201);
    assert_eq!((text(&item["details"]).chars().count(), &item["priority"]), (65_536, &json!("high")));
}

#[actix_web::test]
async fn s2_10_an_item_is_overdue_a_microsecond_after_its_time_and_today_until_midnight() {
    let shop = TestApp::open().await;
    let far = shop.hire_in("Aroha Ngata", "agent", "Pacific/Auckland").await;
    let buckets = async |person: &Person| {
        let items = shop.by(person).rows("/v1/action-items?include_completed=true").await;
        items
            .iter()
            .map(|item| format!("{}: {}", text(&item["title"]), text(&item["bucket"])))
            .collect::<Vec<_>>()
    };
    for (title, due) in [
        ("a", "2026-03-18T08:59:59.999999Z"),
        ("b", START),
        ("c", "2026-03-18T12:00:00Z"),
        ("d", "2026-03-18T23:59:59.999999Z"),
    ] {
        shop.action_item(&shop.admin, title, due, public()).await;
    }
    shop.action_item(&shop.admin, "e", "2026-03-19T00:00:00Z", public()).await;
    let done = shop.action_item(&shop.admin, "f", "2026-03-20T00:00:00Z", public()).await;
    shop.by(&shop.admin).command(&format!("{}/complete", path(&done))).await.assert_status(200);
    assert_eq!(
        buckets(&shop.admin).await,
        ["a: overdue", "b: today", "c: today", "d: today", "e: upcoming", "f: done"]
    );
    // It is 22:00 in Auckland: today is nearly over.
    assert_eq!(
        buckets(&far).await,
        ["a: overdue", "b: today", "c: upcoming", "d: upcoming", "e: upcoming", "f: done"]
    );
    let titles = async |query: &str| {
        each(&shop.by(&shop.admin).rows(&format!("/v1/action-items?{query}")).await, "title").join("")
    };
    assert_eq!(titles("bucket=overdue").await, "a");
    assert_eq!(titles("bucket=today").await, "bcd");
    assert_eq!(titles("bucket=upcoming,overdue").await, "ae");
    assert_eq!(titles("bucket=done").await, "f");
    assert_eq!(titles("bucket=done,today").await, "bcdf");
    shop.time_is("2026-03-18T09:00:00.000001Z");
    assert_eq!(titles("bucket=overdue").await, "ab");
}

#[actix_web::test]
async fn s0_11_of_many_who_claim_at_once_one_gets_it() {
    let shop = TestApp::open().await;
    let mut people = vec![shop.admin.clone()];
    for name in ["Ana Ruiz", "Ben Okafor", "Cleo Dahl"] {
        people.push(shop.hire(name, "agent").await);
    }
    let item = shop.action_item(&shop.admin, "Call", START, public()).await;
    let replies = all(people.iter().map(|person| {
        let caller = shop.by(person);
        let claim = format!("{}/claim", path(&item));
        async move { (person, caller.command(&claim).await) }
    }))
    .await;
    let (winner, won) = replies.iter().find(|(_, reply)| reply.status == 200).expect("one gets it");
    assert_eq!(won.json["assignee"]["id"], json!(winner.id));
    assert_eq!(won.json["origin"], json!({ "type": "public", "id": null, "name": "Public" }));
    for (person, reply) in replies.iter().filter(|(person, _)| person.id != winner.id) {
        assert_eq!(reply.problem(409), "already_claimed", "{}", person.email);
        assert_eq!(reply.json["holder"], won.json["assignee"]);
    }
    let again = shop.by(winner).command(&format!("{}/claim", path(&item))).await.assert_status(200);
    assert_eq!(again["version"], 2, "claiming what one has changes nothing");
}

#[actix_web::test]
async fn s0_17_a_claimed_item_goes_back_where_it_came_from() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let shipping = shop.group("Shipping", &[&ana]).await;
    let item = shop.action_item(&shop.admin, "Pack", START, group(&shipping)).await;
    let verb = |verb: &str| format!("{}/{verb}", path(&item));
    assert_eq!(shop.by(&ben).command(&verb("claim")).await.problem(403), "not_your_item");
    assert_eq!(shop.by(&ana).command(&verb("release")).await.problem(409), "nothing_to_release");
    let claimed = shop.by(&ana).post(&verb("claim"), json!({})).await.assert_status(200);
    assert_eq!(claimed["origin"], json!({ "type": "group", "id": shipping, "name": "Shipping" }));
    assert_eq!(shop.by(&ben).command(&verb("release")).await.problem(403), "not_your_item");
    let released = shop.by(&ana).command(&verb("release")).await.assert_status(200);
    assert_eq!((&released["assignee"]["id"], &released["origin"]), (&json!(shipping), &Value::Null));
    // What is given away was not claimed by its new owner.
    shop.by(&ana).command(&verb("claim")).await.assert_status(200);
    let given = shop.by(&ana).patch(&path(&item), json!({ "assignee": user(&ben) })).await.assert_status(200);
    assert_eq!(given["origin"], Value::Null);
    assert_eq!(shop.by(&ben).command(&verb("release")).await.problem(409), "nothing_to_release");
    // Its queue must have somebody in it to take it back.
    shop.by(&ben).patch(&path(&item), json!({ "assignee": group(&shipping) })).await.assert_status(200);
    shop.by(&ana).command(&verb("claim")).await.assert_status(200);
    shop.by(&shop.admin)
        .delete(&format!("/v1/groups/{shipping}/members/{}", ana.id))
        .await
        .assert_status(200);
    let refused = shop.by(&ana).command(&verb("release")).await;
    assert_eq!(refused.problem(422), "invalid");
    assert_eq!(refused.json["errors"][0]["code"], "nobody_there");
    // Commands take no body, and no parameters.
    assert_eq!(
        shop.by(&ana).post(&verb("claim"), json!({ "by": "me" })).await.violation_of(422),
        rules(&[("#", "unexpected_body")])
    );
    assert_eq!(
        shop.by(&ana).command(&format!("{}?force=true", verb("claim"))).await.violation_of(400),
        rules(&[("force", "unknown")])
    );
}

#[actix_web::test]
async fn s0_21_agents_work_on_their_own_their_groups_and_public_items_managers_on_all() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let (hers, his) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ben]).await);
    let commands = [
        ("complete", json!({})),
        ("snooze", json!({ "due_in": "tomorrow" })),
        ("cancel", json!({ "reason": "No" })),
        ("reopen", json!({})),
        ("release", json!({})),
    ];
    for assignee in [user(&ben), group(&his)] {
        let item = shop.action_item(&shop.admin, "Call", START, assignee).await;
        for (verb, body) in &commands {
            let reply = shop.by(&ana).post(&format!("{}/{verb}", path(&item)), body.clone()).await;
            assert_eq!(reply.problem(403), "not_your_item", "{verb}");
        }
        assert_eq!(
            shop.by(&ana).patch(&path(&item), json!({ "priority": "high" })).await.problem(403),
            "not_your_item"
        );
        let taken = shop.by(&ana).patch(&path(&item), json!({ "assignee": user(&ana) })).await;
        assert_eq!(taken.problem(403), "not_your_item", "nobody takes what is somebody else's");
        assert_eq!(
            shop.by(&ana).get(&path(&item)).await.assert_status(200)["version"],
            1,
            "but everybody reads it"
        );
        let given = shop.by(&mia).patch(&path(&item), json!({ "assignee": user(&ana) })).await;
        assert_eq!(given.assert_status(200)["version"], 2);
    }
    for assignee in [user(&ana), group(&hers), public()] {
        let item = shop.action_item(&ben, "Call", START, assignee).await;
        let moved =
            shop.by(&ana).patch(&path(&item), json!({ "assignee": user(&ben) })).await.assert_status(200);
        assert_eq!(moved["assignee"]["name"], "Ben Okafor", "S2-11, S2-21: one's own may be given away");
    }
}

#[actix_web::test]
async fn s2_5_completing_an_item_can_plan_what_comes_next() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let new_note = json!({ "subject": order(),
        "title": "Asked for a quote", "action_items": [{ "title": "Send it", "due_in": "today" }] });
    let item = shop.by(&ana).post("/v1/notes", new_note).await.assert_status(201)["action_items"][0].take();
    shop.time_is("2026-03-18T09:10:00Z");
    let complete = format!("{}/complete", path(&item));
    let next =
        json!({ "next": { "title": "Ask whether it came", "due_in": "in_1_week", "assignee": user(&ben) } });
    let done = shop.by(&ana).post(&complete, next).await.assert_status(200);
    assert_eq!((text(&done["status"]), text(&done["bucket"])), ("completed".into(), "done".into()));
    assert_eq!(done["completed_at"], "2026-03-18T09:10:00.000000Z");
    assert_eq!(done["completed_by"], json!({ "id": ana.id, "name": "Ana Ruiz" }));
    let next = &done["next"];
    assert_eq!((&next["subject"], &next["note_id"]), (&item["subject"], &item["note_id"]));
    assert_eq!(
        (text(&next["assignee"]["name"]), text(&next["due_on"])),
        ("Ben Okafor".into(), "2026-03-25".into())
    );
    // S0-7 once more: whoever completes it goes on with it.
    let more = shop
        .by(&ben)
        .post(&format!("{}/complete", path(next)), json!({ "next": { "title": "Again", "due_in": "today" } }))
        .await;
    assert_eq!(more.assert_status(200)["next"]["assignee"]["id"], json!(ben.id));
    // A next that cannot be leaves the item open.
    let item = shop.action_item(&ana, "Call", START, user(&ana)).await;
    let complete = format!("{}/complete", path(&item));
    let wrong = json!({ "next": { "title": "Again", "due_in": "never" } });
    assert_eq!(
        shop.by(&ana).post(&complete, wrong).await.violation_of(422),
        rules(&[("#/next/due_in", "unknown_value")])
    );
    let wrong = json!({ "next": { "title": "" }, "then": 1 });
    assert_eq!(
        shop.by(&ana).post(&complete, wrong).await.violation_of(422),
        rules(&[("#/then", "unknown_field")])
    );
    assert_eq!(shop.by(&ana).get(&path(&item)).await.assert_status(200)["status"], "open");
    assert_eq!(shop.by(&ana).command(&complete).await.assert_status(200)["next"], Value::Null);
    let twice = shop.by(&ana).command(&complete).await;
    assert_eq!((twice.problem(409), &twice.json["current_status"]), ("wrong_status", &json!("completed")));
}

#[actix_web::test]
async fn s0_17_a_closed_item_takes_no_change_until_it_is_reopened() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let item = shop.action_item(&shop.admin, "Call", START, public()).await;
    let verb = |verb: &str| format!("{}/{verb}", path(&item));
    assert_eq!(admin.command(&verb("reopen")).await.problem(409), "wrong_status");
    let long = json!({ "reason": "x".repeat(501) });
    assert_eq!(admin.post(&verb("cancel"), long).await.violation_of(422), rules(&[("#/reason", "length")]));
    let cancelled = admin
        .post(&verb("cancel"), json!({ "reason": "Order cancelled — «annulée» 🙅" }))
        .await
        .assert_status(200);
    assert_eq!((text(&cancelled["status"]), text(&cancelled["bucket"])), ("cancelled".into(), "done".into()));
    assert_eq!(
        (text(&cancelled["cancel_reason"]), &cancelled["completed_at"]),
        ("Order cancelled — «annulée» 🙅".into(), &Value::Null)
    );
    for (what, body) in [
        ("claim", json!({})),
        ("release", json!({})),
        ("complete", json!({})),
        ("cancel", json!({})),
        ("snooze", json!({ "due_in": "today" })),
    ] {
        let refused = admin.post(&verb(what), body).await;
        assert_eq!(
            (refused.problem(409), &refused.json["current_status"]),
            ("wrong_status", &json!("cancelled")),
            "{what}"
        );
    }
    assert_eq!(admin.patch(&path(&item), json!({ "title": "Other" })).await.problem(409), "wrong_status");
    let open = admin.command(&verb("reopen")).await.assert_status(200);
    assert_eq!(
        (&open["status"], &open["cancel_reason"], &open["version"]),
        (&json!("open"), &Value::Null, &json!(3))
    );
    assert_eq!(open["due_at"], item["due_at"]);
    admin.command(&verb("complete")).await.assert_status(200);
    let open = admin.command(&verb("reopen")).await.assert_status(200);
    assert_eq!((&open["completed_at"], &open["completed_by"]), (&Value::Null, &Value::Null));
    let nothing = "/v1/action-items/019b0a35-2c00-7000-8000-000000000001";
    for what in ["claim", "release", "complete", "reopen", "cancel"] {
        assert_eq!(admin.command(&format!("{nothing}/{what}")).await.problem(404), "not_found");
    }
    assert_eq!(admin.patch(nothing, json!({})).await.problem(404), "not_found");
}

#[actix_web::test]
async fn s0_16_an_item_whose_holder_left_is_reopened_by_somebody_who_is_there() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let item = shop.action_item(&ana, "Call", START, user(&ana)).await;
    shop.by(&ana).command(&format!("{}/complete", path(&item))).await.assert_status(200);
    let admin = shop.by(&shop.admin);
    admin.patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await.assert_status(200);
    let reopen = format!("{}/reopen", path(&item));
    assert_eq!(admin.command(&reopen).await.violation_of(422), rules(&[("#/assignee/id", "inactive")]));
    assert_eq!(
        admin.post(&reopen, json!({ "assignee": user(&ana) })).await.violation_of(422),
        rules(&[("#/assignee/id", "inactive")])
    );
    assert_eq!(admin.get(&path(&item)).await.assert_status(200)["status"], "completed");
    let open = admin.post(&reopen, json!({ "assignee": user(&ben) })).await.assert_status(200);
    assert_eq!((&open["status"], &open["assignee"]["name"]), (&json!("open"), &json!("Ben Okafor")));
}

#[actix_web::test]
async fn s0_17_a_snoozed_item_leaves_todays_queue_until_its_day() {
    let shop = TestApp::open().await;
    let ana = shop.hire_in("Ana Ruiz", "agent", "America/New_York").await;
    let item = shop.action_item(&ana, "Call", "2026-03-18T14:00:00Z", user(&ana)).await;
    let snooze = format!("{}/snooze", path(&item));
    let queue = async |person: &Person| shop.by(person).rows("/v1/queues/mine/items").await.len();
    assert_eq!(queue(&ana).await, 1);
    // The manager's midnight is not the agent's.
    let snoozed =
        shop.by(&shop.admin).post(&snooze, json!({ "due_in": "tomorrow" })).await.assert_status(200);
    assert_eq!(
        (text(&snoozed["due_at"]), text(&snoozed["due_on"])),
        ("2026-03-20T03:59:59.999999Z".into(), "2026-03-19".into())
    );
    assert_eq!(queue(&ana).await, 0);
    for (body, rule) in
        [(json!({}), "required"), (json!({ "due_in": "today", "due_on": "2026-04-01" }), "ambiguous")]
    {
        assert_eq!(shop.by(&ana).post(&snooze, body).await.violation_of(422), rules(&[("#/due_at", rule)]));
    }
    shop.time_is("2026-03-19T03:59:59.999999Z");
    let ana = shop.again(&ana).await;
    assert_eq!(queue(&ana).await, 0);
    shop.time_is("2026-03-19T04:00:00Z");
    assert_eq!(queue(&ana).await, 1);
    let timed =
        shop.by(&ana).post(&snooze, json!({ "due_at": "2026-03-19T16:00:00Z" })).await.assert_status(200);
    assert_eq!(timed["due_on"], Value::Null);
}

#[actix_web::test]
async fn s2_21_an_item_is_re_assigned_and_re_dated_by_a_patch_of_what_changes() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let admin = shop.by(&shop.admin);
    let item = admin
        .post("/v1/action-items", new(json!({ "due_in": "today", "details": "…", "action": "call" })))
        .await
        .assert_status(201);
    let change = json!({ "title": " Visit \
         ", "assignee": user(&ana), "due_on": "2026-03-20", "priority": "low", "action": "visit" });
    let reply = admin.clone().header("if-match", "\"1\"").patch(&path(&item), change.clone()).await;
    assert_eq!(reply.header("etag"), "\"2\"");
    let changed = reply.assert_status(200);
    assert_eq!(
        [&changed["title"], &changed["details"], &changed["priority"], &changed["action"]],
        ["Visit", "…", "low", "visit"]
    );
    assert_eq!(
        (&changed["assignee"]["name"], &changed["due_on"]),
        (&json!("Ana Ruiz"), &json!("2026-03-20"))
    );
    let stale = admin.clone().header("if-match", "\"1\"").patch(&path(&item), change).await;
    assert_eq!(
        (stale.problem(412), &stale.json["current_version"], stale.header("etag")),
        ("stale_version", &json!(2), "\"2\"")
    );
    for verb in ["complete", "cancel", "release", "claim"] {
        let stale =
            admin.clone().header("if-match", "\"1\"").command(&format!("{}/{verb}", path(&item))).await;
        assert_eq!(
            (stale.problem(412), &stale.json["current_version"]),
            ("stale_version", &json!(2)),
            "{verb}"
        );
    }
    let taken_away = admin.patch(&path(&item), json!({ "action": null, "details": "" })).await;
    assert_eq!(taken_away.assert_status(200)["action"], Value::Null);
    let two = json!({ "due_in": "today", "due_at": START });
    assert_eq!(admin.patch(&path(&item), two).await.violation_of(422), rules(&[("#/due_at", "ambiguous")]));
    let unknown = json!({ "status": "completed", "assign_to": "ana", "due_in": 3 });
    let mut broken = admin.patch(&path(&item), unknown).await.violation_of(422);
    broken.sort();
    assert_eq!(
        broken,
        rules(&[("#/assign_to", "unknown_field"), ("#/due_in", "wrong_type"), ("#/status", "unknown_field")])
    );
    // A retired value stays with the item that has it; nothing else takes it.
    admin.patch(&path(&item), json!({ "action": "visit" })).await.assert_status(200);
    admin.command("/v1/picklists/actions/items/visit/retire").await.assert_status(200);
    admin.patch(&path(&item), json!({ "action": "visit", "title": "Visit them" })).await.assert_status(200);
    admin.patch(&path(&item), json!({ "action": "call" })).await.assert_status(200);
    assert_eq!(
        admin.patch(&path(&item), json!({ "action": "visit" })).await.violation_of(422),
        rules(&[("#/action", "unknown_value")])
    );
}

#[actix_web::test]
async fn b_3_commands_sent_again_with_their_key_are_done_once() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let item = shop.action_item(&shop.admin, "Call", START, public()).await;
    let complete = format!("{}/complete", path(&item));
    let next = json!({ "next": { "title": "Again", "due_in": "today" } });
    let replies = all((0..12).map(|_| {
        let (caller, next, complete) = (admin.clone().once("done"), next.clone(), &complete);
        async move { caller.post(complete, next).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 200 && reply.text == replies[0].text), "{replies:?}");
    assert_eq!(admin.rows("/v1/action-items").await.len(), 1, "one item comes next, not twelve");
    // Without a key the second one is refused, and the first one's answer is still there.
    assert_eq!(admin.post(&complete, next.clone()).await.problem(409), "wrong_status");
    assert_eq!(admin.clone().once("done").post(&complete, next).await.header("idempotency-replayed"), "true");
    let other = shop.action_item(&shop.admin, "Call", START, public()).await;
    admin.clone().once("done").command(&format!("{}/complete", path(&other))).await.assert_status(200);
    // An answer without a body is an answer too.
    let nothing = admin.clone().once("next").command("/v1/queues/public/claim-next").await;
    assert_eq!((nothing.status, nothing.header("idempotency-replayed")), (204, ""));
    shop.action_item(&shop.admin, "Call", START, public()).await;
    let again = admin.clone().once("next").command("/v1/queues/public/claim-next").await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (204, "true"));
}
