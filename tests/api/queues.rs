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
        json!({ "key": key, "name": name, "open": open, "due_today": due_today,
        "overdue": overdue })
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
    assert_eq!(far["data"][0], queue("mine", "Mine", 3, 0, 1));
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
    for nothing in ["019b0a35-2c00-7000-8000-000000000001", ana.id.as_str(), "shipping", "Mine", "%00"] {
        assert_eq!(shop.by(&ana).get(&path(nothing, "")).await.problem(404), "not_found", "{nothing}");
        assert_eq!(
            shop.by(&ana).command(&format!("/v1/queues/{nothing}/claim-next")).await.problem(404),
            "not_found"
        );
    }
    assert_eq!(shop.anonymous().get(&path("public", "")).await.problem(401), "unauthenticated");
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
