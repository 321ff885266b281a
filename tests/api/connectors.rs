//! Connectors: what shops know of their customers, fetched on demand and on schedule (S3-28, S1-15).

use caseload::{
    app::{config::Config, start, workers},
    kernel::jobs::Runner,
};

use crate::support::{
    shops::{Customer, Order, TOKEN, TestShop, another, magento, shopify, woocommerce},
    *,
};

/// A connector to a shop of a kind; where it is.
async fn connect(shop: &TestApp, kind: &str, there: &TestShop, more: Value) -> String {
    let credentials = match kind {
        "woocommerce" => json!({ "username": "ck_1", "password": TOKEN }),
        "generic" => json!({ "token": TOKEN, "header": "X-Api-Key" }),
        _ => json!({ "token": TOKEN }),
    };
    let base = if kind == "generic" {
        format!("{}/api", there.elsewhere.base)
    } else {
        there.elsewhere.base.clone()
    };
    let mut new = json!({ "kind": kind, "name": "Main shop", "base_url": base, "credentials": credentials });
    if kind == "generic" {
        new["map"] = json!({ "customer": { "first_names": "/name/first", "last_name": "/name/last" } });
    }
    new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    let made = shop.by(&shop.admin).post("/v1/connectors", new).await.assert_status(201);
    format!("/v1/connectors/{}", text(&made["id"]))
}

/// Does what waits.
async fn work(shop: &TestApp) {
    workers::run_due(&shop.db).await.expect("what is due");
    Runner::new(workers::handlers()).run_until_idle(&shop.services).await.expect("jobs");
}

async fn contact(shop: &TestApp, email: &str) -> String {
    let new = json!({ "emails": [email], "phones": ["514 555-0199"] });
    let admin = shop.again(&shop.admin).await;
    format!(
        "/v1/contacts/{}",
        text(&shop.by(&admin).post("/v1/contacts", new).await.assert_status(201)["id"])
    )
}

/// A job that was asked for, as it is when the work is done.
async fn done(shop: &TestApp, reply: Reply) -> Value {
    let location = reply.header("location").to_owned();
    reply.assert_status(202);
    work(shop).await;
    shop.by(&shop.again(&shop.admin).await).get(&location).await.assert_status(200)
}

/// S3-28, S1-15: "sync with Magento", and with the others: who they are and every order, however many pages,
/// on one contact.
#[actix_web::test]
async fn s3_28_a_rep_has_a_contact_fetched_from_the_shop() {
    for (kind, there, first) in [
        ("magento2", magento(), "000001001"),
        ("woocommerce", woocommerce(), "1001"),
        ("shopify", shopify(), "1001"),
        ("generic", another(), "1001"),
    ] {
        let shop = TestApp::open().await;
        let ana = shop.hire("Ana Ruiz", "agent").await;
        connect(&shop, kind, &there, json!({})).await;
        let (zoe, stranger) =
            (contact(&shop, "zoe@epicerie.example").await, contact(&shop, "nobody@shop.example").await);
        let job = done(&shop, shop.by(&ana).command(&format!("{zoe}/sync")).await).await;
        assert_eq!(
            (&job["kind"], &job["status"]),
            (&json!("contacts.sync"), &json!("succeeded")),
            "{kind}: {job}"
        );
        let wanted = json!({ "connectors": [{
            "connector": "Main shop", "found": true, "orders": 120, "problem": null }] });
        assert_eq!(job["result"], wanted, "{kind}");
        let by = shop.by(&ana);
        let found = by.get(&zoe).await.assert_status(200);
        assert_eq!(
            (&found["last_name"], &found["external_ids"]),
            (&json!("Tremblay"), &json!({ "shop": "7" })),
            "{kind}"
        );
        assert_eq!(found["emails"], json!(["zoe@epicerie.example"]));
        if kind != "generic" {
            assert_eq!(
                (&found["postal_code"], &found["company"]),
                (&json!("H2X 1Y4"), &json!("Épicerie du Coin")),
                "{kind}"
            );
            assert_eq!(
                found["phones"].as_array().map(Vec::len),
                Some(2),
                "{kind} leaves what we know: {found}"
            );
        }
        let profile = by.get(&format!("{zoe}/profile")).await.assert_status(200);
        let orders = profile["modules"]
            .as_array()
            .expect("modules")
            .iter()
            .find(|module| module["module"] == "orders")
            .expect("orders");
        assert_eq!(orders["total"], 120, "{kind}");
        let order = by.get(&format!("{zoe}/facts/orders/{first}")).await.assert_status(200);
        assert_eq!(order["title"], format!("Order {first}"));
        assert_eq!(order["occurred_at"], "2026-02-20T11:00:00.000000Z");
        assert_eq!(order["amount"]["currency"], "CAD");
        assert!(text(&order["amount"]["amount"]).starts_with("120.5"), "{order}");
        by.get(&format!("{zoe}/facts/shop_profile/7")).await.assert_status(200);
        // Again: nothing new, and nothing changes.
        let events = || async {
            shop.by(&shop.admin).get("/v1/events?type=fact.*,contact.*&limit=1000").await
                .assert_status(200)["data"]
                .as_array().map(Vec::len)
        };
        let before = events().await;
        done(&shop, shop.by(&ana).command(&format!("{zoe}/sync")).await).await;
        assert_eq!(events().await, before, "{kind}");
        // Nobody there by that address.
        let job = done(&shop, shop.by(&ana).command(&format!("{stranger}/sync")).await).await;
        assert_eq!(
            (&job["status"], &job["result"]["connectors"][0]["found"]),
            (&json!("succeeded"), &json!(false)),
            "{kind}"
        );
    }
}

/// S3-28: everybody who changed, by a schedule; the next time only what changed since.
#[actix_web::test]
async fn s3_28_changed_customers_are_fetched_by_a_schedule() {
    for (kind, there) in [
        ("magento2", magento()),
        ("woocommerce", woocommerce()),
        ("shopify", shopify()),
        ("generic", another()),
    ] {
        let shop = TestApp::open().await;
        let connector =
            connect(&shop, kind, &there, json!({ "schedule": "*/15 * * * *", "source": "till" })).await;
        let admin = shop.by(&shop.admin);
        assert_eq!(
            admin.get(&connector).await.assert_status(200)["next_run_at"],
            "2026-03-18T09:15:00.000000Z"
        );
        work(&shop).await;
        assert!(
            admin.get("/v1/jobs").await.assert_status(200)["data"].as_array().expect("jobs").is_empty(),
            "it is not time yet"
        );
        shop.time_is("2026-03-18T09:15:00Z");
        work(&shop).await;
        let admin = shop.again(&shop.admin).await;
        let admin = shop.by(&admin);
        let state = admin.get(&connector).await.assert_status(200);
        assert_eq!(
            (&state["next_run_at"], &state["failures"]),
            (&json!("2026-03-18T09:30:00.000000Z"), &json!(0)),
            "{kind}"
        );
        assert_eq!(state["synced_until"], "2026-03-18T09:15:00.000000Z");
        let job = admin.get(&format!("/v1/jobs/{}", text(&state["job_id"]))).await.assert_status(200);
        assert_eq!(
            (&job["status"], &job["created_by"]["name"]),
            (&json!("succeeded"), &json!("Caseload")),
            "{kind}: {job}"
        );
        let result = &job["result"];
        assert_eq!(
            (&result["customers"], &result["created"], &result["orders"]),
            (&json!(3), &json!(3), &json!(121)),
            "{kind}: {job}"
        );
        assert_eq!(
            (&result["skipped"], &result["failed"]),
            (&json!(1), &json!(0)),
            "a guest's order is nobody's: {job}"
        );
        let contacts = admin.get("/v1/contacts?sort=name").await.assert_status(200);
        assert_eq!(column(&contacts, "last_name"), ["Okafor", "Tremblay", "Wei"], "{kind}");
        assert_eq!(contacts["data"][0]["external_ids"], json!({ "till": "8" }));
        let ben = text(&contacts["data"][0]["id"]);
        let facts = admin.get(&format!("/v1/contacts/{ben}/facts")).await.assert_status(200);
        let mut modules = column(&facts, "module");
        modules.sort();
        assert_eq!(modules, ["till_orders", "till_profile"], "the numbers of another shop are its own");

        // Somebody orders, and somebody new comes.
        {
            let mut stock = there.stock.lock().expect("a stock");
            let now = "2026-03-18 09:20:00";
            stock.customers.push(Customer {
                id: 10,
                email: "new@quai.example",
                first: "Mo",
                last: "Aziz",
                registered: now,
                updated: now,
            });
            stock.orders.push(Order { number: 4000, customer: 8, status: "pending", updated: now });
            stock.orders.push(Order { number: 4001, customer: 10, status: "pending", updated: now });
        }
        there.elsewhere.asked();
        shop.time_is("2026-03-18T09:31:00Z");
        work(&shop).await;
        let admin = shop.again(&shop.admin).await;
        let admin = shop.by(&admin);
        let state = admin.get(&connector).await.assert_status(200);
        let job = admin.get(&format!("/v1/jobs/{}", text(&state["job_id"]))).await.assert_status(200);
        let result = &job["result"];
        assert_eq!(
            (&result["customers"], &result["created"], &result["orders"]),
            (&json!(1), &json!(1), &json!(2)),
            "{kind}: {job}"
        );
        assert!(there.elsewhere.asked().len() < 8, "{kind} asks for little when little has changed");
        assert_eq!(
            admin.get(&format!("/v1/contacts/{ben}/facts?module=till_orders")).await
                .assert_status(200)["data"]
                .as_array().map(Vec::len),
            Some(2)
        );
    }
}

#[actix_web::test]
async fn a_shop_that_is_busy_is_asked_again_and_one_that_fails_goes_on_where_it_was() {
    for (kind, there) in [("magento2", magento()), ("woocommerce", woocommerce()), ("generic", another())] {
        let shop = TestApp::open().await;
        let connector = connect(&shop, kind, &there, json!({})).await;
        there.stock.lock().expect("a stock").busy = 2;
        // The customers, a page of orders, then it breaks.
        there.stock.lock().expect("a stock").fails_after = Some(if kind == "generic" { 3 } else { 2 });
        let reply = shop.by(&shop.admin).command(&format!("{connector}/run")).await;
        let job = done(&shop, reply).await;
        assert_eq!(
            (&job["status"], &job["problem"]),
            (&json!("running"), &Value::Null),
            "{kind}: it is tried again later"
        );
        assert_eq!(job["result"]["customers"], 3, "{kind}");
        let half = job["result"]["orders"].as_i64().expect("a number");
        assert!((1..121).contains(&half), "{kind}: {job}");
        there.stock.lock().expect("a stock").fails_after = None;
        there.elsewhere.asked();
        shop.clock.set(shop.clock.now().plus_seconds(61));
        work(&shop).await;
        let job =
            shop.by(&shop.admin).get(&format!("/v1/jobs/{}", text(&job["id"]))).await.assert_status(200);
        assert_eq!(
            (&job["status"], &job["result"]["orders"]),
            (&json!("succeeded"), &json!(121)),
            "{kind}: {job}"
        );
        assert!(
            there
                .elsewhere
                .asked()
                .iter()
                .all(|asked| asked.path.contains("orders") || asked.path.ends_with("/0")),
            "{kind} fetches no page twice"
        );
    }
    // Shopify says so in its own way.
    let (shop, there) = (TestApp::open().await, shopify());
    let connector = connect(&shop, "shopify", &there, json!({})).await;
    there.stock.lock().expect("a stock").busy = 1;
    let job = done(&shop, shop.by(&shop.admin).command(&format!("{connector}/run")).await).await;
    assert_eq!(job["status"], "running", "{job}");
    assert_eq!(there.elsewhere.asked().len(), 4, "it waits for the bucket a few times");
}

#[actix_web::test]
async fn a_shop_that_refuses_is_put_off_longer_each_time_and_says_why() {
    let (shop, there) = (TestApp::open().await, magento());
    let connector = connect(
        &shop,
        "magento2",
        &there,
        json!({ "schedule": "* * * * *", "credentials": { "token": "0123456789abcdef" } }),
    )
    .await;
    let mut pauses = Vec::new();
    for _ in 0..3 {
        let admin = shop.again(&shop.admin).await;
        let admin = shop.by(&admin);
        let next = text(&admin.get(&connector).await.assert_status(200)["next_run_at"]);
        let before = shop.clock.now();
        shop.time_is(&next);
        pauses.push(shop.clock.now().seconds_since(before) / 60);
        work(&shop).await;
    }
    assert_eq!(pauses, [1, 6, 11]);
    let admin = shop.again(&shop.admin).await;
    let admin = shop.by(&admin);
    let state = admin.get(&connector).await.assert_status(200);
    assert_eq!((&state["failures"], &state["synced_until"]), (&json!(3), &Value::Null));
    let job = admin.get(&format!("/v1/jobs/{}", text(&state["job_id"]))).await.assert_status(200);
    assert_eq!((&job["status"], &job["problem"]["code"]), (&json!("failed"), &json!("outside_refused")));
    assert!(text(&job["problem"]["detail"]).contains("does not accept the credentials"), "{job}");
    // Right again, at once.
    admin.patch(&connector, json!({ "credentials": { "token": TOKEN } })).await.assert_status(200);
    done(&shop, admin.command(&format!("{connector}/run")).await).await;
    assert_eq!(admin.get(&connector).await.assert_status(200)["failures"], 0);
    // On demand, a shop that refuses is said, too.
    let zoe = contact(&shop, "li@quai.example").await;
    admin.patch(&connector, json!({ "credentials": null })).await.assert_status(200);
    let job = done(&shop, admin.command(&format!("{zoe}/sync")).await).await;
    assert_eq!((&job["status"], &job["problem"]["code"]), (&json!("failed"), &json!("outside_refused")));
}

#[actix_web::test]
async fn credentials_are_kept_encrypted_and_told_to_nobody() {
    let (shop, there) = (TestApp::open().await, magento());
    let connector = connect(&shop, "magento2", &there, json!({})).await;
    let admin = shop.by(&shop.admin);
    let shown = admin.get(&connector).await.assert_status(200);
    assert_eq!(shown["credentials_hint"], "…b689");
    admin
        .patch(&connector, json!({ "credentials": { "username": "ck", "password": "another-secret-0042" } }))
        .await
        .assert_status(200);
    let changed = admin.get(&connector).await.assert_status(200);
    assert_eq!((&changed["credentials_hint"], &changed["version"]), (&json!("…0042"), &json!(2)));
    done(&shop, admin.command(&format!("{connector}/run")).await).await;
    for path in ["/v1/connectors", "/v1/events?limit=1000", "/v1/jobs", &connector] {
        let told = admin.get(path).await.text;
        assert!(!told.contains(TOKEN) && !told.contains("another-secret"), "{path}");
    }
    // Nor does the database.
    use caseload::intake::connectors::connector::Entity;
    let rows = shop.db.read().models(<Entity as sea_orm::EntityTrait>::find()).await.expect("rows");
    assert!(!format!("{rows:?}").contains("another-secret"), "{rows:?}");
    let none = admin.patch(&connector, json!({ "credentials": null })).await.assert_status(200);
    assert_eq!(none["credentials_hint"], Value::Null);
}

/// A key is replaced while there are credentials: the old one opens them once more, and then they are the new
/// one's.
#[actix_web::test]
async fn credentials_move_to_a_new_key() {
    let (shop, there) = (TestApp::open().await, magento());
    let connector = connect(&shop, "magento2", &there, json!({})).await;
    let new_key = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";
    let instance = async |key: &str, old: &str| {
        let config = Config::read(&|name| match name {
            "DATABASE_URL" => Some(shop.database.clone()),
            "CASELOAD_LISTEN" => Some("127.0.0.1:0".into()),
            "CASELOAD_MIGRATE" => Some("false".into()),
            "CASELOAD_DATABASE_CONNECTIONS" => Some("3".into()),
            "CASELOAD_OUTGOING_ALLOW" => Some("127.0.0.1/32".into()),
            "CASELOAD_SECRET_KEY" => Some(key.into()),
            "CASELOAD_SECRET_KEY_OLD" => Some(old.into()),
            _ => None,
        });
        let another = shop.second_instance(config.expect("settings")).await;
        start::renew_credentials(&another.services).await.expect("a renewal");
        another
    };
    let run =
        async |at: &TestApp| done(at, at.by(&at.admin).command(&format!("{connector}/run")).await).await;
    let lost = run(&instance(new_key, "").await).await;
    assert_eq!((&lost["status"], &lost["problem"]["code"]), (&json!("failed"), &json!("no_secret_key")));
    let both = instance(new_key, SECRET_KEY).await;
    assert_eq!(run(&both).await["status"], "succeeded");
    drop(both);
    assert_eq!(run(&instance(new_key, "").await).await["status"], "succeeded");
    assert_eq!(run(&shop).await["problem"]["code"], "no_secret_key");
}

/// Without a key in the settings SQLite keeps one of its own beside the database; PostgreSQL keeps no
/// credentials.
#[actix_web::test]
async fn without_a_key_credentials_are_kept_only_where_one_can_be_made() {
    let (shop, there) = (TestApp::with(|config| config.secret_key = None).await, magento());
    let new = json!({ "kind": "magento2", "name": "Shop", "base_url": there.elsewhere.base,
        "credentials": { "token": TOKEN } });
    let reply = shop.by(&shop.admin).post("/v1/connectors", new.clone()).await;
    if on_postgres() {
        assert_eq!(reply.violation_of(422), rules(&[("#/credentials", "no_key")]));
        let mut without = new;
        without.as_object_mut().expect("an object").remove("credentials");
        shop.by(&shop.admin).post("/v1/connectors", without).await.assert_status(201);
        return;
    }
    let connector = format!("/v1/connectors/{}", text(&reply.assert_status(201)["id"]));
    let file = format!("{}.key", shop.database.trim_start_matches("sqlite://"));
    assert!(std::fs::read_to_string(&file).is_ok_and(|key| key.len() == 44), "{file}");
    let job = done(&shop, shop.by(&shop.admin).command(&format!("{connector}/run")).await).await;
    assert_eq!(job["status"], "succeeded");
}

#[actix_web::test]
async fn a_shop_in_a_network_of_ones_own_is_not_called() {
    let (shop, there) = (TestApp::with(|config| config.outgoing_allow.clear()).await, magento());
    let connector = connect(&shop, "magento2", &there, json!({})).await;
    let job = done(&shop, shop.by(&shop.admin).command(&format!("{connector}/run")).await).await;
    assert_eq!((&job["status"], &job["problem"]["code"]), (&json!("failed"), &json!("outside_refused")));
    assert!(there.elsewhere.asked().is_empty());
}

#[actix_web::test]
async fn a_connector_is_run_once_at_a_time_by_however_many_instances() {
    let (shop, there) = (TestApp::open().await, magento());
    let connector = connect(&shop, "magento2", &there, json!({ "schedule": "*/5 * * * *" })).await;
    shop.time_is("2026-03-18T09:05:00Z");
    let admin = shop.again(&shop.admin).await;
    let admin = shop.by(&admin);
    for outcome in all((0..5).map(async |_| workers::run_due(&shop.db).await)).await {
        outcome.expect("a look");
    }
    let jobs = admin.get("/v1/jobs?kind=connectors.run").await.assert_status(200);
    assert_eq!(column(&jobs, "status"), ["queued"]);
    let twice = admin.command(&format!("{connector}/run")).await;
    assert_eq!(twice.problem(409), "conflict");
    assert_eq!(twice.json["job_id"], jobs["data"][0]["id"]);
    // Still not done when it is time again: that time is passed over.
    shop.time_is("2026-03-18T09:11:00Z");
    workers::run_due(&shop.db).await.expect("a look");
    assert_eq!(column(&admin.get("/v1/jobs").await.assert_status(200), "status"), ["queued"]);
    assert_eq!(admin.get(&connector).await.assert_status(200)["next_run_at"], "2026-03-18T09:15:00.000000Z");
    for outcome in
        all((0..3).map(async |_| Runner::new(workers::handlers()).run_until_idle(&shop.services).await)).await
    {
        outcome.expect("an end");
    }
    assert_eq!(column(&admin.get("/v1/jobs").await.assert_status(200), "status"), ["succeeded"]);
    assert_eq!(admin.get("/v1/contacts?counts=true").await.assert_status(200)["counts"]["total"], 3);
    // Cancelled is no failure.
    let job = admin.command(&format!("{connector}/run")).await.assert_status(202);
    admin.command(&format!("/v1/jobs/{}/cancel", text(&job["id"]))).await.assert_status(200);
    assert_eq!(admin.get(&connector).await.assert_status(200)["failures"], 0);
    // One that is put aside is run by nobody.
    let aside = admin.patch(&connector, json!({ "active": false })).await.assert_status(200);
    assert_eq!(aside["next_run_at"], Value::Null);
    assert_eq!(admin.command(&format!("{connector}/run")).await.problem(409), "wrong_status");
    let zoe = contact(&shop, "someone@shop.example").await;
    assert_eq!(admin.command(&format!("{zoe}/sync")).await.problem(409), "conflict");
}

#[actix_web::test]
async fn what_cannot_be_a_connector_is_refused() {
    let (shop, there) = (TestApp::open().await, magento());
    let connector = connect(&shop, "magento2", &there, json!({})).await;
    let admin = shop.by(&shop.admin);
    let new = |more: Value| {
        let mut new = json!({ "kind": "magento2", "name": "Shop", "source": "other",
            "base_url": "https://shop.example" });
        new.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let admin = admin.clone();
        async move { admin.post("/v1/connectors", new).await }
    };
    for (more, broken) in [
        (json!({ "base_url": "ftp://shop.example" }), ("#/base_url", "url")),
        (json!({ "base_url": "https://ana:secret@shop.example" }), ("#/base_url", "url")),
        (json!({ "schedule": "often" }), ("#/schedule", "cron")),
        (json!({ "schedule": "0 0 30 2 *" }), ("#/schedule", "cron")),
        (json!({ "time_zone": "Mars/Olympus" }), ("#/time_zone", "time_zone")),
        (json!({ "source": "Main Shop" }), ("#/source", "key")),
        (json!({ "credentials": {} }), ("#/credentials", "required")),
        (json!({ "credentials": { "username": "ana" } }), ("#/credentials", "required")),
        (json!({ "credentials": { "token": "a b" } }), ("#/credentials/token", "token")),
        (json!({ "map": {} }), ("#/map", "not_applicable")),
        (json!({ "api_version": "2026-10" }), ("#/api_version", "not_applicable")),
        (json!({ "kind": "generic", "map": { "list": "data" } }), ("#/map/list", "pointer")),
        (
            json!({ "kind": "generic", "map": { "customer_path": "https://elsewhere.example" } }),
            ("#/map/customer_path", "path"),
        ),
    ] {
        assert_eq!(new(more.clone()).await.violation_of(422), rules(&[broken]), "{more}");
    }
    assert_eq!(new(json!({ "source": "shop" })).await.problem(409), "already_exists");
    // Whoever may change the address may not have the credentials sent there.
    let moved = admin.patch(&connector, json!({ "base_url": "https://elsewhere.example" })).await;
    assert_eq!(moved.violation_of(422), rules(&[("#/credentials", "required")]));
    admin
        .patch(&connector, json!({ "base_url": "https://elsewhere.example", "credentials": null }))
        .await
        .assert_status(200);
    // Set-up is the administrators'.
    let manager = shop.hire("Claire Martin", "manager").await;
    for path in ["/v1/connectors", &connector] {
        assert_eq!(shop.by(&manager).get(path).await.problem(403), "missing_scope");
    }
    assert_eq!(shop.by(&manager).command(&format!("{connector}/run")).await.problem(403), "missing_scope");
}
