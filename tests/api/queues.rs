//! Queues: what a person, a group and everyone have to do.

use crate::support::*;

fn path(queue: &str, query: &str) -> String {
    format!("/v1/queues/{queue}/items{query}")
}

#[actix_web::test]
async fn s0_8_queues_are_mine_my_groups_by_name_and_the_public_one_with_their_counts() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let (shipping, finance) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ana]).await);
    let sales = shop.group("Sales", &[&shop.admin]).await;
    for (due, assignee) in [
        ("2026-03-18T08:00:00Z", user(&ana)),
        ("2026-03-18T20:00:00Z", user(&ana)),
        ("2026-03-19T20:00:00Z", user(&ana)),
        ("2026-03-18T08:59:59Z", group(&shipping)),
        (START, public()),
        ("2026-03-18T08:00:00Z", group(&sales)),
    ] {
        shop.action_item(&shop.admin, "Call", due, assignee).await;
    }
    let done = shop.action_item(&shop.admin, "Done", START, user(&ana)).await;
    shop.by(&ana)
        .command(&format!("/v1/action-items/{}/complete", text(&done["id"])))
        .await
        .assert_status(200);
    let queue = |key: &str, name: &str, open: u8, due_today: u8, overdue: u8| {
        let at = |view: &str| path(key, &format!("?view={view}"));
        let owner = match key {
            "mine" => "me".to_owned(),
            "public" => "public".to_owned(),
            group => format!("group%3A{group}"),
        };
        let unanswered = format!("/v1/interactions?response=unanswered&assignee={owner}");
        json!({ "key": key, "name": name, "open": open, "due_today": due_today, "overdue": overdue,
            "unanswered": 0, "rows": { "open": at("all"), "due_today": at("due_today"),
            "overdue": at("overdue"), "unanswered": unanswered } })
    };
    let hers = shop.by(&ana).get("/v1/queues").await.assert_status(200);
    let expected = [
        queue("mine", "Mine", 3, 1, 1),
        queue(&finance, "Finance", 0, 0, 0),
        queue(&shipping, "Shipping", 1, 0, 1),
        queue("public", "Public", 1, 1, 0),
    ];
    assert_eq!(hers["data"], json!(expected));
    // In Auckland it is ten in the evening: what is due at 20:00 UTC is due tomorrow.
    let far = shop.by(&ana).get("/v1/queues?time_zone=Pacific/Auckland").await.assert_status(200);
    let mine = &far["data"][0];
    assert_eq!((&mine["open"], &mine["due_today"], &mine["overdue"]), (&json!(3), &json!(0), &json!(1)));
    // What is counted is listed.
    for queue in hers["data"].as_array().into_iter().chain(far["data"].as_array()).flatten() {
        for count in ["open", "due_today", "overdue", "unanswered"] {
            let rows = shop.by(&ana).rows(&text(&queue["rows"][count])).await;
            assert_eq!(json!(rows.len()), queue[count], "{count} of {queue}");
        }
    }
    assert_eq!(
        shop.by(&ana).get("/v1/queues?time_zone=Mars/Olympus").await.violation_of(400),
        rules(&[("time_zone", "time_zone")])
    );
    assert_eq!(
        shop.by(&ana).get("/v1/queues?limit=1&colour=red").await.violation_of(400),
        rules(&[("limit", "unknown"), ("colour", "unknown")])
    );
}

#[actix_web::test]
async fn s0_9_my_queue_is_what_is_due_by_tonight_oldest_first_or_all_of_it() {
    let shop = TestApp::open().await;
    let ana = shop.hire_in("Ana Ruiz", "agent", "America/New_York").await;
    // It is five in the morning in New York; its day ends at 04:00 UTC.
    for (title, due) in [
        ("f", "2026-03-25T00:00:00Z"),
        ("c", "2026-03-18T20:00:00Z"),
        ("a", "2025-12-24T12:00:00Z"),
        ("d", "2026-03-19T03:59:59.999999Z"),
        ("e", "2026-03-19T04:00:00Z"),
        ("b", "2026-03-18T08:59:59.999999Z"),
    ] {
        shop.action_item(&shop.admin, title, due, user(&ana)).await;
    }
    shop.action_item(&shop.admin, "not hers", "2026-03-18T08:00:00Z", user(&shop.admin)).await;
    let titles = async |query: &str| each(&shop.by(&ana).rows(&path("mine", query)).await, "title").join("");
    for (query, found) in [
        ("", "abcd"),
        ("?view=today", "abcd"),
        ("?view=overdue", "ab"),
        ("?view=upcoming", "ef"),
        ("?view=all", "abcdef"),
        ("?view=all&limit=1", "abcdef"),
        ("?view=all&sort=-due_at", "fedcba"),
        ("?view=today&time_zone=UTC", "abc"),
        ("?view=upcoming&time_zone=UTC", "def"),
        ("?view=all&sort=created_at", "fcadeb"),
    ] {
        assert_eq!(titles(query).await, found, "{query}");
    }
    let counted = shop.by(&ana).get(&path("mine", "?counts=true")).await.assert_status(200);
    assert_eq!(counted["counts"], json!({ "filtered": 4, "total": 4, "exact": true }));
    let elsewhere = shop.by(&ana).get(&path("mine", "?time_zone=UTC&view=all")).await.assert_status(200);
    assert_eq!(
        column(&elsewhere, "bucket"),
        ["overdue", "overdue", "today", "upcoming", "upcoming", "upcoming"]
    );
    for (query, place) in [
        ("?view=yesterday", "view"),
        ("?time_zone=Utopia", "time_zone"),
        ("?status=open", "status"),
        ("?view=", "view"),
    ] {
        assert_eq!(shop.by(&ana).get(&path("mine", query)).await.violation_of(400)[0].0, place);
    }
}

// B-11: today is the viewer's, through daylight saving too.
#[actix_web::test]
async fn s0_9_today_follows_the_clock_through_a_night_that_is_an_hour_short() {
    let shop = TestApp::open().await;
    let ana = shop.hire_in("Ana Ruiz", "agent", "Europe/Paris").await;
    shop.time_is("2026-03-28T22:30:00Z");
    let (ana, admin) = (shop.again(&ana).await, shop.again(&shop.admin).await);
    for (title, due) in [
        ("a", "2026-03-28T22:59:59.999999Z"),
        ("b", "2026-03-29T21:59:59.999999Z"),
        ("c", "2026-03-29T22:00:00Z"),
    ] {
        shop.action_item(&admin, title, due, user(&ana)).await;
    }
    let titles =
        async |person: &Person| each(&shop.by(person).rows(&path("mine", "")).await, "title").join("");
    assert_eq!(titles(&ana).await, "a");
    shop.time_is("2026-03-28T23:00:00Z");
    let ana = shop.again(&ana).await;
    assert_eq!(titles(&ana).await, "ab");
    shop.time_is("2026-03-29T21:59:59.999999Z");
    let ana = shop.again(&ana).await;
    assert_eq!(titles(&ana).await, "ab");
    shop.time_is("2026-03-29T22:00:00Z");
    let ana = shop.again(&ana).await;
    assert_eq!(titles(&ana).await, "abc");
}

/// Where an item stands for somebody, in their list, their queue and its counts, and by itself.
async fn seen_by(shop: &TestApp, person: &Person, item: &Value, queue: &str) -> (String, [i64; 2]) {
    let by = shop.by(person);
    let id = text(&item["id"]);
    let itself = by.get(&format!("/v1/action-items/{id}")).await.assert_status(200);
    let bucket = text(&itself["bucket"]);
    for other in ["overdue", "today", "upcoming"] {
        let listed = by.rows(&format!("/v1/action-items?bucket={other}")).await;
        assert_eq!(each(&listed, "id").contains(&id), other == bucket, "{other}: {listed:?}");
    }
    let view = if bucket == "upcoming" { "upcoming" } else { "today" };
    for (part, shown) in [(view, true), ("all", true), ("overdue", bucket == "overdue")] {
        let listed = by.rows(&path(queue, &format!("?view={part}"))).await;
        assert_eq!(each(&listed, "id").contains(&id), shown, "{part}: {listed:?}");
    }
    let queues = by.get("/v1/queues").await.assert_status(200);
    let counted = queues["data"].as_array().expect("queues").iter().find(|one| one["key"] == queue);
    let count = |name: &str| counted.expect("the queue")[name].as_i64().expect("a count");
    (bucket, [count("due_today"), count("overdue")])
}

// It is one in the morning of the 19th in Tokyo, and still the 18th for the company.
#[actix_web::test]
async fn s0_9_a_day_is_a_day_for_whoever_looks() {
    let shop = TestApp::open().await;
    let lea = shop.hire_in("Lea Mori", "agent", "Asia/Tokyo").await;
    let group_id = shop.group("Shipping", &[&lea, &shop.admin]).await;
    for (owner, queue) in [(public(), "public"), (group(&group_id), group_id.as_str())] {
        shop.time_is("2026-03-18T16:00:00Z");
        let (lea, admin) = (shop.again(&lea).await, shop.again(&shop.admin).await);
        let new = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Call", "assignee": owner,
            "due_on": "2026-03-19" });
        let item = shop.by(&admin).post("/v1/action-items", new).await.assert_status(201);
        assert_eq!(item["due_at"], "2026-03-19T23:59:59.999999Z", "the end of it where the company is");
        assert_eq!(seen_by(&shop, &admin, &item, queue).await, ("upcoming".into(), [0, 0]));
        assert_eq!(seen_by(&shop, &lea, &item, queue).await, ("today".into(), [1, 0]));
        shop.time_is("2026-03-19T14:59:59.999999Z");
        let (lea, admin) = (shop.again(&lea).await, shop.again(&admin).await);
        assert_eq!(seen_by(&shop, &admin, &item, queue).await, ("today".into(), [1, 0]));
        assert_eq!(seen_by(&shop, &lea, &item, queue).await, ("today".into(), [1, 0]));
        shop.time_is("2026-03-19T15:00:00Z");
        let (lea, admin) = (shop.again(&lea).await, shop.again(&admin).await);
        assert_eq!(seen_by(&shop, &admin, &item, queue).await, ("today".into(), [1, 0]));
        assert_eq!(seen_by(&shop, &lea, &item, queue).await, ("overdue".into(), [0, 1]));
        let board = async |zone: &str| {
            let board =
                shop.by(&admin).get(&format!("/v1/dashboard?time_zone={zone}")).await.assert_status(200);
            let load = if queue == "public" { board["public"].clone() } else { board["groups"][1].clone() };
            (load["due_today"].clone(), load["overdue"].clone())
        };
        assert_eq!(board("UTC").await, (json!(1), json!(0)));
        assert_eq!(board("Asia/Tokyo").await, (json!(0), json!(1)));
        shop.time_is("2026-03-20T00:00:00Z");
        let admin = shop.again(&admin).await;
        assert_eq!(seen_by(&shop, &admin, &item, queue).await, ("overdue".into(), [0, 1]));
    }
}

// What is due on a day is in order by when that day ends where its owner lives.
#[actix_web::test]
async fn s0_9_the_end_of_a_day_follows_the_owner() {
    let shop = TestApp::open().await;
    let tokyo = shop.hire_in("Lea Mori", "agent", "Asia/Tokyo").await;
    let york = shop.hire_in("Ned Hall", "agent", "America/New_York").await;
    let (in_utc, in_tokyo, in_york) =
        ("2026-03-19T23:59:59.999999Z", "2026-03-19T14:59:59.999999Z", "2026-03-20T03:59:59.999999Z");
    let new = |title: &str, due: &str, at: &str| {
        json!({ "subject": { "type": "order", "id": "A-1001" }, "title": title, due: at,
            "assignee": public(), "variables": { "zone": "east" } })
    };
    let admin = shop.by(&shop.admin);
    admin.post("/v1/picklists", json!({ "name": "zones" })).await.assert_status(201);
    let east = json!({ "key": "east", "label": "East" });
    admin.post("/v1/picklists/zones/items", east).await.assert_status(201);
    let zone = json!({ "key": "zone", "label": "Zone", "picklist": "zones" });
    admin.post("/v1/variables", zone).await.assert_status(201);
    let day = admin.post("/v1/action-items", new("day", "due_on", "2026-03-19")).await.assert_status(201);
    let instant = new("instant", "due_at", "2026-03-19T18:00:00Z");
    let instant = admin.post("/v1/action-items", instant).await.assert_status(201);
    let (day, instant) = (
        format!("/v1/action-items/{}", text(&day["id"])),
        format!("/v1/action-items/{}", text(&instant["id"])),
    );
    // However it is found, also by what was recorded with it.
    let due = async |expected: &str| {
        let found = admin.get(&day).await.assert_status(200);
        assert_eq!((&found["due_at"], &found["due_on"]), (&json!(expected), &json!("2026-03-19")));
        let order = if expected < "2026-03-19T18" { ["day", "instant"] } else { ["instant", "day"] };
        for query in ["", "?variable=zone:east", "?bucket=upcoming"] {
            let rows = admin.rows(&format!("/v1/action-items{query}")).await;
            assert_eq!(each(&rows, "title"), order, "{query}");
        }
    };
    due(in_utc).await;
    shop.by(&tokyo).command(&format!("{day}/claim")).await.assert_status(200);
    due(in_tokyo).await;
    shop.by(&tokyo).command(&format!("{day}/release")).await.assert_status(200);
    due(in_utc).await;
    admin.patch(&day, json!({ "assignee": user(&york) })).await.assert_status(200);
    due(in_york).await;
    let held = json!({ "assignee": format!("user:{}", york.id) });
    let bulk = json!({ "select": { "filter": held }, "set": { "assignee": user(&tokyo) } });
    admin.post("/v1/action-items/bulk", bulk).await.assert_status(200);
    due(in_tokyo).await;
    // They move, and so do their days: one event for each item that does.
    let moved = json!({ "time_zone": "America/New_York" });
    admin.patch(&format!("/v1/users/{}", tokyo.id), moved).await.assert_status(200);
    due(in_york).await;
    let events = admin.rows("/v1/events?type=action_item.updated").await;
    let moves: Vec<_> =
        events.iter().map(|event| [&event["before"]["due_at"], &event["after"]["due_at"]]).collect();
    assert_eq!(json!(moves), json!([[in_tokyo, in_york]]));
    let given = admin
        .post(&format!("/v1/users/{}/offboard", tokyo.id), json!({ "reassign_to": user(&shop.admin) }))
        .await;
    given.assert_status(200);
    due(in_utc).await;
    admin.command(&format!("{day}/complete")).await.assert_status(200);
    admin.post(&format!("{day}/reopen"), json!({ "assignee": user(&york) })).await.assert_status(200);
    due(in_york).await;
    // An instant stays where it is.
    admin.patch(&instant, json!({ "assignee": user(&york) })).await.assert_status(200);
    let stays = admin.get(&instant).await.assert_status(200);
    assert_eq!((&stays["due_at"], &stays["due_on"]), (&json!("2026-03-19T18:00:00.000000Z"), &Value::Null));
}

// S0-5: days are counted from today where the owner lives; of what nobody has in person, where the author
// does.
#[actix_web::test]
async fn s0_5_presets_are_counted_from_the_today_of_somebody() {
    let shop = TestApp::open().await;
    let lea = shop.hire_in("Lea Mori", "agent", "Asia/Tokyo").await;
    shop.time_is("2026-03-18T16:00:00Z");
    let (lea, admin) = (shop.again(&lea).await, shop.again(&shop.admin).await);
    for (author, owner, day, at) in [
        (&lea, public(), "2026-03-19", "2026-03-19T23:59:59.999999Z"),
        (&lea, user(&lea), "2026-03-19", "2026-03-19T14:59:59.999999Z"),
        (&lea, user(&admin), "2026-03-18", "2026-03-18T23:59:59.999999Z"),
        (&admin, user(&lea), "2026-03-19", "2026-03-19T14:59:59.999999Z"),
        (&admin, public(), "2026-03-18", "2026-03-18T23:59:59.999999Z"),
    ] {
        let new = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Call", "assignee": owner,
            "due_in": "today" });
        let item = shop.by(author).post("/v1/action-items", new).await.assert_status(201);
        assert_eq!((&item["due_on"], &item["due_at"]), (&json!(day), &json!(at)), "{owner}");
    }
}

#[actix_web::test]
async fn s0_10_a_groups_queue_is_for_its_members_and_for_managers() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let shipping = shop.group("Shipping", &[&ana]).await;
    let item = shop.action_item(&shop.admin, "Pack", "2026-03-18T08:00:00Z", group(&shipping)).await;
    for person in [&ana, &mia, &shop.admin] {
        let found = shop.by(person).rows(&path(&shipping, "")).await;
        assert_eq!(each(&found, "id"), [text(&item["id"])], "{}", person.email);
    }
    let next = format!("/v1/queues/{shipping}/claim-next");
    assert_eq!(shop.by(&ben).get(&path(&shipping, "")).await.problem(403), "not_your_queue");
    assert_eq!(shop.by(&ben).command(&next).await.problem(403), "not_your_queue");
    // Joining and leaving hold at once.
    let member = format!("/v1/groups/{shipping}/members/{}", ben.id);
    shop.by(&shop.admin).put(&member, None).await.assert_status(200);
    assert_eq!(shop.by(&ben).rows(&path(&shipping, "")).await.len(), 1);
    shop.by(&shop.admin).delete(&member).await.assert_status(200);
    assert_eq!(shop.by(&ben).get(&path(&shipping, "")).await.problem(403), "not_your_queue");
    assert_eq!(shop.by(&mia).command(&next).await.assert_status(200)["assignee"]["id"], json!(mia.id));
    for nothing in ["019b0a35-2c00-7000-8000-000000000001", "shipping", "Mine", "%00"] {
        assert_eq!(shop.by(&ana).get(&path(nothing, "")).await.problem(404), "not_found", "{nothing}");
        assert_eq!(
            shop.by(&ana).command(&format!("/v1/queues/{nothing}/claim-next")).await.problem(404),
            "not_found"
        );
    }
    assert_eq!(shop.anonymous().get(&path("public", "")).await.problem(401), "unauthenticated");
}

// S2-20: by employee name.
#[actix_web::test]
async fn s0_21_a_persons_queue_is_for_themselves_and_for_managers() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let mia = shop.hire("Mia Lund", "manager").await;
    let item = shop.action_item(&shop.admin, "Pack", "2026-03-18T08:00:00Z", user(&ana)).await;
    shop.action_item(&shop.admin, "Call", "2026-03-18T08:00:00Z", user(&ben)).await;
    for person in [&ana, &mia, &shop.admin] {
        let found = shop.by(person).rows(&path(&ana.id, "?view=overdue")).await;
        assert_eq!(each(&found, "id"), [text(&item["id"])], "{}", person.email);
    }
    assert_eq!(shop.by(&ben).get(&path(&ana.id, "")).await.problem(403), "not_your_queue");
    for person in [&ana, &mia] {
        let claim = shop.by(person).command(&format!("/v1/queues/{}/claim-next", ana.id)).await;
        assert_eq!(claim.problem(409), "not_claimable", "{}", person.email);
    }
}

#[actix_web::test]
async fn s0_11_everyone_works_on_public_items() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let item = shop.action_item(&ana, "Call", START, public()).await;
    let complete = format!("/v1/action-items/{}/complete", text(&item["id"]));
    assert_eq!(each(&shop.by(&ben).rows(&path("public", "")).await, "id"), [text(&item["id"])]);
    let claimed = shop
        .by(&ben)
        .command(&format!("/v1/action-items/{}/claim", text(&item["id"])))
        .await
        .assert_status(200);
    assert_eq!(claimed["assignee"]["id"], json!(ben.id));
    assert!(shop.by(&ana).rows(&path("public", "")).await.is_empty());
    assert_eq!(shop.by(&ana).command(&complete).await.problem(403), "not_your_item", "it is Ben's by now");
    shop.by(&ben)
        .command(&format!("/v1/action-items/{}/release", text(&item["id"])))
        .await
        .assert_status(200);
    assert_eq!(
        shop.by(&ana).command(&complete).await.assert_status(200)["completed_by"]["id"],
        json!(ana.id)
    );
}

#[actix_web::test]
async fn s0_17_sixteen_who_claim_next_at_once_get_sixteen_different_items() {
    let shop = TestApp::open().await;
    let people = [shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await];
    let shipping = shop.group("Shipping", &[&people[0], &people[1]]).await;
    for (queue, assignee) in [("public", public()), (shipping.as_str(), group(&shipping))] {
        let made = all((0..16).map(|n| {
            let (shop, assignee) = (&shop, assignee.clone());
            async move {
                shop.action_item(&shop.admin, "Call", &format!("2026-03-{:02}T08:00:00Z", n + 1), assignee)
                    .await
            }
        }))
        .await;
        let replies =
            all((0..16).map(|n| {
                let caller = shop.by(&people[n % 2]);
                async move {
                    (n, caller.command(&format!("/v1/queues/{queue}/claim-next")).await.assert_status(200))
                }
            }))
            .await;
        for (n, item) in &replies {
            assert_eq!(item["assignee"]["id"], json!(people[n % 2].id));
            assert_eq!(item["origin"]["id"], assignee["id"]);
        }
        let sorted = |items: &mut dyn Iterator<Item = &Value>| {
            let mut ids: Vec<String> = items.map(|item| text(&item["id"])).collect();
            ids.sort();
            ids
        };
        assert_eq!(sorted(&mut replies.iter().map(|(_, item)| item)), sorted(&mut made.iter()));
        let empty = shop.by(&people[0]).command(&format!("/v1/queues/{queue}/claim-next")).await;
        assert_eq!((empty.status, empty.text.as_str()), (204, ""));
    }
}

#[actix_web::test]
async fn s0_17_the_next_item_is_the_oldest_open_one_also_when_it_is_not_due_yet() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let shipping = shop.group("Shipping", &[&ana]).await;
    for (title, due, assignee) in [
        ("b", "2026-03-20T08:00:00Z", public()),
        ("a", "2026-01-01T08:00:00Z", public()),
        ("c", "2027-01-01T08:00:00Z", public()),
        ("not public", "2025-01-01T08:00:00Z", group(&shipping)),
        ("hers", "2025-01-01T08:00:00Z", user(&ana)),
    ] {
        shop.action_item(&shop.admin, title, due, assignee).await;
    }
    let next = async || shop.by(&ana).command("/v1/queues/public/claim-next").await;
    for title in ["a", "b", "c"] {
        assert_eq!(next().await.assert_status(200)["title"], title);
    }
    assert_eq!(next().await.status, 204);
    assert_eq!(shop.by(&ana).command("/v1/queues/mine/claim-next").await.problem(409), "not_claimable");
    assert_eq!(
        shop.by(&ana).post("/v1/queues/public/claim-next", json!({ "at": "once" })).await.problem(422),
        "invalid"
    );
}

// What was refused has let go of everything by the time that it is answered.
#[actix_web::test]
async fn s0_17_the_next_item_is_found_right_after_a_refusal_about_it() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let item = shop.action_item(&ana, "Pack", "2026-03-18T08:00:00Z", public()).await;
    let release = format!("/v1/action-items/{}/release", text(&item["id"]));
    for _ in 0..100 {
        // What comes next comes to another worker.
        let refused = shop.by(&ana).header("connection", "close").command(&release).await;
        assert_eq!(refused.problem(409), "nothing_to_release");
        let next = shop.by(&ana).command("/v1/queues/public/claim-next").await.assert_status(200);
        assert_eq!(next["id"], item["id"]);
        shop.by(&ana).command(&release).await.assert_status(200);
    }
}
