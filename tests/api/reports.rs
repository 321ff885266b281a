//! Reports.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use uuid::Uuid;

use crate::support::*;

const ORPHANED: &str = "/v1/reports/orphaned-work";

/// Takes a person out of service behind the API's back.
async fn vanish(shop: &TestApp, person: &Person) {
    let id: Uuid = person.id.parse().expect("an id");
    let context = shop.db.system_context("test");
    let update = Query::update()
        .table(Alias::new("users"))
        .value(Alias::new("active"), false)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    shop.db
        .write(context, async move |tx| tx.execute(&update).await)
        .await
        .expect("a change that the API refuses");
}

#[actix_web::test]
async fn s0_16_work_without_a_live_owner_would_be_reported() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let (hers, both) = (shop.group("Shipping", &[&ana]).await, shop.group("Finance", &[&ana, &ben]).await);
    for (title, due, assignee) in [
        ("hers", "2026-03-19T00:00:00Z", user(&ana)),
        ("her group's", "2026-03-18T00:00:00Z", group(&hers)),
        ("both groups'", START, group(&both)),
        ("his", START, user(&ben)),
        ("everyone's", START, public()),
    ] {
        shop.action_item(&shop.admin, title, due, assignee).await;
    }
    let done = shop.action_item(&shop.admin, "done", START, user(&ana)).await;
    let admin = shop.by(&shop.admin);
    admin.command(&format!("/v1/action-items/{}/complete", text(&done["id"]))).await.assert_status(200);
    let empty = admin.get(&format!("{ORPHANED}?counts=true")).await.assert_status(200);
    assert_eq!((&empty["data"], &empty["counts"]["total"]), (&json!([]), &json!(0)));
    vanish(&shop, &ana).await;
    assert_eq!(each(&admin.rows(&format!("{ORPHANED}?limit=1")).await, "title"), ["her group's", "hers"]);
    vanish(&shop, &ben).await;
    let all = admin.get(&format!("{ORPHANED}?counts=true&sort=-due_at")).await.assert_status(200);
    assert_eq!(all["counts"], json!({ "filtered": 4, "total": 4, "exact": true }));
    assert_eq!(text(&all["data"][0]["assignee"]["name"]), "Ana Ruiz");
    assert_eq!(
        admin.get(&format!("{ORPHANED}?assignee=me")).await.violation_of(400),
        rules(&[("assignee", "unknown")])
    );
    let sheet = admin.get(&format!("{ORPHANED}?format=csv&fields=title&limit=2")).await;
    assert_eq!((sheet.status, sheet.text.as_str()), (200, "title\r\nher group's\r\nboth groups'\r\n"));
}

/// A report, every number of which was compared with the rows that it leads to.
async fn figures(by: &Caller<'_>, path: &str) -> Value {
    let report = by.get(&format!("/v1/reports/{path}")).await.assert_status(200);
    let numbers =
        [&report["data"], &report["totals"]].into_iter().flat_map(|rows| rows.as_array().expect("rows"));
    for number in numbers.chain([&report["total"]]) {
        let rows = text(&number["rows"]);
        let list = by.get(&format!("{rows}&counts=true&limit=1")).await.assert_status(200);
        assert_eq!(list["counts"]["filtered"], number["count"], "{path}: {rows}");
    }
    report
}

/// The keys of a report with their counts; what has none is `-`, all others `…`.
fn counts(report: &Value) -> Vec<(String, i64)> {
    let rows = report["data"].as_array().expect("rows").iter();
    let count = |row: &Value| row["count"].as_i64().expect("a count");
    rows.map(|row| {
        let key = match (row["kind"].as_str(), row["key"].as_str()) {
            (Some("all_others"), _) => "…",
            (_, key) => key.unwrap_or("-"),
        };
        (row["group"].as_str().map_or_else(|| key.to_owned(), |group| format!("{key} {group}")), count(row))
    })
    .collect()
}

fn pairs(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

async fn call(by: &Caller<'_>, at: &str, contact: &str, more: Value) {
    let mut new = json!({ "contact_id": contact, "channel": "phone", "direction": "inbound",
        "subject_line": "Called",
        "occurred_at": at, "complete": true });
    new.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    by.post("/v1/interactions", new).await.assert_status(201);
}

async fn contact(by: &Caller<'_>, name: &str, kind: &str) -> String {
    text(&by.post("/v1/contacts", json!({ "last_name": name, "kind": kind })).await.assert_status(201)["id"])
}

// S1-12, S1-13, S1-14, S1-17, S4-28
#[actix_web::test]
async fn s1_12_interactions_are_counted_by_every_category_and_each_number_leads_to_its_rows() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let (admin, by) = (shop.by(&shop.admin), shop.by(&ana));
    let (zoe, max) = (contact(&by, "Tremblay", "customer").await, contact(&by, "Okafor", "prospect").await);
    for (at, who, more) in [
        ("2026-03-02T10:00:00Z", &zoe, json!({ "purpose": "sales", "outcome": "resolved", "mood": "happy" })),
        ("2026-03-03T10:00:00Z", &zoe, json!({ "purpose": "sales", "channel": "email" })),
        ("2026-03-10T10:00:00Z", &max, json!({ "purpose": "customer_service", "outcome": "resolved" })),
        ("2026-03-11T10:00:00Z", &max, json!({ "direction": "outbound" })),
        ("2026-02-01T10:00:00Z", &max, json!({ "purpose": "sales" })),
    ] {
        call(&by, at, who, more).await;
    }
    call(&admin, "2026-03-12T10:00:00Z", &zoe, json!({ "purpose": "sales", "call_result": "answered" }))
        .await;

    let month = "from=2026-03-01&to=2026-03-31";
    let report = figures(&admin, &format!("interactions-by-purpose?{month}")).await;
    assert_eq!(counts(&report), pairs(&[("sales", 3), ("customer_service", 1), ("-", 1)]));
    assert_eq!((&report["total"]["count"], &report["totals"]), (&json!(5), &json!([])));
    assert_eq!(
        (&report["from"], &report["to"]),
        (&json!("2026-03-01T00:00:00.000000Z"), &json!("2026-04-01T00:00:00.000000Z"))
    );
    assert_eq!(report["data"][0]["label"], "Sales");
    let path = format!("/v1/reports/interactions-by-purpose?{month}");
    let french = admin.clone().header("accept-language", "fr").get(&path).await.assert_status(200);
    assert_eq!(french["data"][0]["label"], "Ventes", "S2-26");
    let none = figures(&admin, "interactions-by-purpose").await;
    assert_eq!(none["from"], "2026-02-17T00:00:00.000000Z", "thirty days, unless it is told otherwise");

    let by_operator = figures(&admin, &format!("interactions-by-operator?{month}")).await;
    assert_eq!(counts(&by_operator), pairs(&[(&ana.id, 4), (&shop.admin.id, 1)]));
    assert_eq!(by_operator["data"][0]["label"], "Ana Ruiz");
    let by_contact = figures(&admin, &format!("interactions-by-contact?{month}&top=1")).await;
    assert_eq!(counts(&by_contact), pairs(&[(&zoe, 3), ("…", 2)]));
    assert_eq!(
        counts(&figures(&admin, &format!("interactions-by-originator?{month}")).await),
        pairs(&[("customer", 4), ("rep", 1)])
    );
    let channels =
        figures(&admin, &format!("interactions-by-channel?{month}&sort=key&operator={}", ana.id)).await;
    assert_eq!(counts(&channels), pairs(&[("email", 1), ("phone", 3)]));
    assert_eq!(
        counts(&figures(&admin, &format!("interactions-by-outcome?{month}")).await),
        pairs(&[("resolved", 2), ("-", 3)])
    );
    assert_eq!(
        counts(&figures(&admin, &format!("interactions-by-mood?{month}")).await),
        pairs(&[("happy", 1), ("-", 4)])
    );

    let weeks = figures(&admin, &format!("interactions-by-purpose?{month}&group_by=week&top=1")).await;
    assert_eq!(
        counts(&weeks),
        pairs(&[("sales 2026-W10", 2), ("sales 2026-W11", 1), ("- 2026-W11", 1), ("… 2026-W11", 1)])
    );
    let totals: Vec<i64> = weeks["totals"]
        .as_array()
        .expect("totals")
        .iter()
        .filter_map(|total| total["count"].as_i64())
        .collect();
    assert_eq!(totals, [0, 2, 3, 0, 0, 0]);
    let crossed = figures(&admin, &format!("interactions-by-purpose?{month}&group_by=outcome")).await;
    assert_eq!(
        counts(&crossed),
        pairs(&[("sales resolved", 1), ("sales", 2), ("customer_service resolved", 1), ("-", 1)])
    );
    assert_eq!(crossed["data"][0]["group_label"], "Resolved");

    // The list's own filter, also by what the report counts by.
    for (filter, wanted) in [
        ("purpose=sales", vec![("sales", 3)]),
        ("purpose_not=sales", vec![("customer_service", 1)]),
        ("purpose_exists=false", vec![("-", 1)]),
        ("purpose=sales,customer_service&top=1", vec![("sales", 3), ("…", 1)]),
        ("contact_kind=prospect", vec![("customer_service", 1), ("-", 1)]),
        ("outcome_exists=true&top=1&sort=-label", vec![("customer_service", 1), ("…", 1)]),
        ("operator=me", vec![("sales", 1)]),
        (
            "contact_id_not=00000000-0000-7000-8000-000000000000",
            vec![("sales", 3), ("customer_service", 1), ("-", 1)],
        ),
    ] {
        let report = figures(&admin, &format!("interactions-by-purpose?{month}&{filter}")).await;
        assert_eq!(counts(&report), pairs(&wanted), "{filter}");
    }
    // A merged contact counts as its survivor.
    admin.post(&format!("/v1/contacts/{max}/merge"), json!({ "into": zoe })).await.assert_status(200);
    assert_eq!(
        counts(&figures(&admin, &format!("interactions-by-contact?{month}&group_by=month")).await),
        pairs(&[(&format!("{zoe} 2026-03"), 5)])
    );
}

// S4-27, S4-5
#[actix_web::test]
async fn s4_27_issues_are_counted_by_type_with_the_uncategorised_and_all_others() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let mut closed = Value::Null;
    for types in [
        json!(["billing"]),
        json!(["billing", "shipping"]),
        json!(["website", "shipping"]),
        json!(["other"]),
        json!([]),
        json!([]),
    ] {
        closed =
            by.post("/v1/issues", json!({ "title": "Something", "types": types })).await.assert_status(201);
    }
    by.command(&format!("/v1/issues/{}/close", text(&closed["id"]))).await.assert_status(200);
    let report = figures(&by, "issues-by-type").await;
    assert_eq!(
        counts(&report),
        pairs(&[("billing", 2), ("shipping", 2), ("other", 1), ("website", 1), ("uncategorised", 2)])
    );
    assert_eq!(report["total"]["count"], 6);
    assert_eq!(
        report["applied_defaults"],
        json!({ "own_company": false, "hidden": 0, "status": "open,closed", "origin": "manual" })
    );
    for (query, wanted) in [
        ("top=1", vec![("billing", 2), ("uncategorised", 2), ("…", 3)]),
        ("top=2", vec![("billing", 2), ("shipping", 2), ("uncategorised", 2), ("…", 2)]),
        ("type=billing", vec![("billing", 2)]),
        ("type=billing,shipping&top=1", vec![("billing", 2), ("…", 2)]),
        ("type=shipping,uncategorised", vec![("shipping", 2), ("uncategorised", 2)]),
        ("type_not=billing&top=1", vec![("shipping", 2), ("…", 2)]),
        ("status=open&type=uncategorised", vec![("uncategorised", 1)]),
        (
            "group_by=status&top=1",
            vec![("billing open", 2), ("uncategorised closed", 1), ("uncategorised open", 1), ("… open", 3)],
        ),
        (
            "group_by=day&top=1",
            vec![("billing 2026-03-18", 2), ("uncategorised 2026-03-18", 2), ("… 2026-03-18", 3)],
        ),
        ("from=2026-03-19&to=2026-03-20", vec![]),
    ] {
        assert_eq!(
            counts(&figures(&by, &format!("issues-by-type?{query}")).await),
            pairs(&wanted),
            "{query}"
        );
    }
    let french = figures(&by.clone().header("accept-language", "fr-CA"), "issues-by-type?top=1").await;
    assert_eq!(
        each(french["data"].as_array().expect("rows"), "label"),
        ["Facturation", "Sans catégorie", "Tous les autres"]
    );
    let by_assignee = figures(&by, "issues-by-assignee?top=1").await;
    assert_eq!(by_assignee["data"][0]["count"], 6, "somebody has them all");
    assert!(text(&by_assignee["data"][0]["key"]).starts_with("group:"));
}

// B-11: a day is as long as it is where the shop is.
#[actix_web::test]
async fn s1_12_a_report_over_a_daylight_saving_change_has_days_of_23_and_25_hours() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&by, "Tremblay", "customer").await;
    shop.time_is("2026-12-01T09:00:00Z");
    let admin = shop.again(&shop.admin).await;
    let by = shop.by(&admin);
    for at in [
        "2026-03-28T22:59:59Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:59.999999Z",
        "2026-03-29T22:00:00Z",
        "2026-10-24T21:59:59Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T22:59:59.999999Z",
        "2026-10-25T23:00:00Z",
    ] {
        call(&by, at, &zoe, json!({})).await;
    }
    let zone = "time_zone=Europe/Paris&group_by=day";
    let spring = figures(&by, &format!("interactions-by-channel?from=2026-03-28&to=2026-03-30&{zone}")).await;
    assert_eq!(
        counts(&spring),
        pairs(&[("phone 2026-03-28", 1), ("phone 2026-03-29", 2), ("phone 2026-03-30", 1)])
    );
    assert_eq!(
        (&spring["from"], &spring["to"]),
        (&json!("2026-03-27T23:00:00.000000Z"), &json!("2026-03-30T22:00:00.000000Z"))
    );
    let autumn = figures(&by, &format!("interactions-by-channel?from=2026-10-24&to=2026-10-26&{zone}")).await;
    assert_eq!(
        counts(&autumn),
        pairs(&[("phone 2026-10-24", 1), ("phone 2026-10-25", 2), ("phone 2026-10-26", 1)])
    );
    let months = figures(
        &by,
        "interactions-by-channel?from=2026-01-01&to=2026-12-31&time_zone=Europe/Paris&group_by=quarter",
    )
    .await;
    assert_eq!(counts(&months), pairs(&[("phone 2026-Q1", 4), ("phone 2026-Q4", 4)]));
    assert_eq!(months["totals"].as_array().map(Vec::len), Some(4), "quarters without any are there, too");
}

// S4-29
#[actix_web::test]
async fn s4_29_the_resources_used_most_lead_to_the_actions_that_used_them() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let zoe = contact(&by, "Tremblay", "customer").await;
    let issue = by.post("/v1/issues", json!({ "title": "Late" })).await.assert_status(201);
    let lists = by.get("/v1/picklists/info_used").await.assert_status(200);
    let words = each(lists["items"].as_array().expect("items"), "key");
    let (first, second, third) = (&words[0], &words[1], &words[2]);
    for (at, used) in [
        ("2026-03-10T10:00:00Z", vec![first, second]),
        ("2026-03-11T10:00:00Z", vec![first, third]),
        ("2026-03-12T10:00:00Z", vec![second, third]),
        ("2026-03-13T10:00:00Z", vec![first]),
        ("2026-03-14T10:00:00Z", vec![]),
    ] {
        let actions = json!([{ "issue_id": issue["id"], "info_used": used }]);
        call(&by, at, &zoe, json!({ "complete": false, "actions": actions })).await;
    }
    let report = figures(&by, "resources-used?top=1").await;
    assert_eq!(counts(&report), pairs(&[(first, 3), ("…", 3)]));
    assert_eq!(report["total"]["count"], 5);
    let day =
        figures(&by, "resources-used?occurred_at_gte=2026-03-12T10:00:00Z&group_by=day&to=2026-03-13").await;
    let mut found = counts(&day);
    found.sort();
    let mut wanted = pairs(&[
        (&format!("{first} 2026-03-13"), 1),
        (&format!("{second} 2026-03-12"), 1),
        (&format!("{third} 2026-03-12"), 1),
    ]);
    wanted.sort();
    assert_eq!(found, wanted);
    assert_eq!(day["total"]["count"], 2);
    assert_eq!(
        counts(&figures(&by, &format!("resources-used?info_used={second}")).await),
        pairs(&[(second, 2)])
    );
    assert_eq!(counts(&figures(&by, "resources-used?operator=me&contact_kind=vendor").await), Vec::new());
}

// S4-30
#[actix_web::test]
async fn s4_30_what_is_past_due_is_counted_by_whose_it_is() {
    let shop = TestApp::open().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let shipping = shop.group("Shipping", &[&ana]).await;
    for (due, whose) in [
        ("2026-03-17T00:00:00Z", user(&ana)),
        ("2025-01-01T00:00:00Z", user(&ana)),
        ("2026-03-18T08:59:59Z", group(&shipping)),
        ("2026-03-18T09:00:00Z", user(&ana)),
        ("2026-03-01T00:00:00Z", public()),
        ("2026-03-01T00:00:00Z", user(&ben)),
    ] {
        shop.action_item(&shop.admin, "Answer", due, whose).await;
    }
    let admin = shop.by(&shop.admin);
    let report = figures(&admin, "past-due-by-person?sort=-count").await;
    let wanted = [
        (format!("user:{}", ana.id), 2),
        (format!("user:{}", ben.id), 1),
        (format!("group:{shipping}"), 1),
        ("public".into(), 1),
    ];
    assert_eq!(counts(&report), wanted);
    assert_eq!((&report["from"], &report["to"]), (&Value::Null, &json!("2026-03-18T09:00:00.000000Z")));
    let top = figures(&admin, "past-due-by-person?top=1&from=2026-03-01&group_by=month").await;
    assert_eq!(top["data"].as_array().expect("rows").len(), 3);
    assert_eq!(top["total"]["count"], 4);
    assert_eq!(
        admin.get("/v1/reports/past-due-by-person?group_by=month").await.violation_of(400),
        rules(&[("from", "required")])
    );
    // All of it, and by what is to be done (S1-17).
    let actions = figures(&admin, "action-items-by-action?group_by=status").await;
    assert_eq!(counts(&actions), pairs(&[("- open", 6)]));
    assert_eq!(
        counts(&figures(&admin, "action-items-by-action?assignee_not=me&action_exists=false").await),
        pairs(&[("-", 5)])
    );
}

// S4-30
#[actix_web::test]
async fn s4_30_time_to_close_is_an_average_a_median_and_what_nine_in_ten_took() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let mut ids = Vec::new();
    for number in 0..10 {
        let types = if number == 9 { json!(["billing", "shipping"]) } else { json!(["billing"]) };
        let new = json!({ "title": "Something", "types": types, "assignee": user(&ana) });
        ids.push(text(&shop.by(&shop.admin).post("/v1/issues", new).await.assert_status(201)["id"]));
    }
    shop.by(&shop.admin).post("/v1/issues", json!({ "title": "Stays open" })).await.assert_status(201);
    for (number, id) in ids.iter().enumerate() {
        // After 1, 2, … 10 minutes.
        shop.time_is(&format!("2026-03-18T09:{:02}:00Z", number + 1));
        shop.by(&shop.admin).command(&format!("/v1/issues/{id}/close")).await.assert_status(200);
    }
    let by = shop.by(&shop.admin);
    let report = figures(&by, "time-to-close-by-type?sort=-average_seconds").await;
    let number = |row: &Value| {
        ["count", "average_seconds", "median_seconds", "p90_seconds"].map(|name| row[name].as_i64())
    };
    assert_eq!(counts(&report), pairs(&[("shipping", 1), ("billing", 10)]));
    assert_eq!(number(&report["data"][0]), [Some(1), Some(600), Some(600), Some(600)]);
    assert_eq!(number(&report["data"][1]), [Some(10), Some(330), Some(300), Some(540)]);
    assert_eq!(number(&report["total"]), [Some(10), Some(330), Some(300), Some(540)]);
    let cut = figures(&by, "time-to-close-by-type?top=1&group_by=day").await;
    assert_eq!(counts(&cut), pairs(&[("billing 2026-03-18", 10), ("… 2026-03-18", 1)]));
    let hers = figures(&by, "time-to-close-by-assignee").await;
    assert_eq!(counts(&hers), [(format!("user:{}", ana.id), 10)]);
    let nothing = figures(&by, "time-to-close-by-type?from=2026-01-01&to=2026-01-02").await;
    assert_eq!((number(&nothing["total"]), counts(&nothing)), ([Some(0), None, None, None], Vec::new()));
}

// S2-16, S0-20
#[actix_web::test]
async fn s2_16_reports_leave_out_the_own_company_unless_asked() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let (zoe, own, vendor) = (
        contact(&by, "Tremblay", "customer").await,
        contact(&by, "Us", "own_company").await,
        contact(&by, "Ants Inc.", "vendor").await,
    );
    for who in [&zoe, &own, &own, &vendor] {
        call(&by, "2026-03-10T10:00:00Z", who, json!({})).await;
    }
    call(&by, "2026-03-10T10:00:00Z", &zoe, json!({ "subject": { "type": "vendor", "id": "V-1" } })).await;
    let report = figures(&by, "interactions-by-channel").await;
    assert_eq!(
        (counts(&report), &report["applied_defaults"]),
        (pairs(&[("phone", 3)]), &json!({ "own_company": false, "hidden": 2 }))
    );
    let all = figures(&by, "interactions-by-channel?include_own_company=true").await;
    assert_eq!((counts(&all), &all["applied_defaults"]), (pairs(&[("phone", 5)]), &json!({})));
    assert_eq!(counts(&figures(&by, "interactions-by-contact?own_company=true").await), pairs(&[(&own, 2)]));
    assert_eq!(
        counts(&figures(&by, "interactions-by-channel?contact_kind=vendor").await),
        pairs(&[("phone", 1)])
    );
    assert_eq!(
        counts(&figures(&by, "interactions-by-channel?subject_type=vendor").await),
        pairs(&[("phone", 1)]),
        "S0-20"
    );
    // What is about nobody is not about the shop.
    by.post("/v1/issues", json!({ "title": "Broken link" })).await.assert_status(201);
    by.post("/v1/issues", json!({ "title": "Order paper", "contact_id": own })).await.assert_status(201);
    assert_eq!(counts(&figures(&by, "issues-by-type").await), pairs(&[("uncategorised", 1)]));
    // A contact that was merged into the shop's own is it.
    by.post(&format!("/v1/contacts/{vendor}/merge"), json!({ "into": own })).await.assert_status(200);
    assert_eq!(counts(&figures(&by, "interactions-by-channel").await), pairs(&[("phone", 2)]));
}

// S4-27: every form of a report.
#[actix_web::test]
async fn s4_27_a_report_is_a_table_and_a_chart_too() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    let odd = "<script>alert(\"ant\")</script> & =1+1 é 多";
    by.post("/v1/picklists/issue_types/items", json!({ "key": "odd", "label": odd }))
        .await
        .assert_status(201);
    for types in [json!(["odd"]), json!(["odd"]), json!(["billing"])] {
        by.post("/v1/issues", json!({ "title": "Something", "types": types })).await.assert_status(201);
    }
    let path = "/v1/reports/issues-by-type";
    let sheet = by.get(&format!("{path}?format=csv")).await;
    assert_eq!((sheet.status, sheet.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines: Vec<&str> = sheet.text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("kind,key,label,group,group_label,count,rows", 3));
    assert!(lines[1].starts_with("value,odd,"), "{}", lines[1]);
    let lines = by.get(&format!("{path}?format=ndjson")).await;
    let rows: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(each(&rows, "key"), ["odd", "billing"]);
    let durations = by.get("/v1/reports/time-to-close-by-type?format=csv").await;
    assert_eq!(
        durations.text.trim_end(),
        "kind,key,label,group,group_label,count,rows,average_seconds,median_seconds,p90_seconds"
    );
    for query in [
        "",
        "group_by=day",
        "group_by=status",
        "from=2020-01-01&to=2020-01-02",
        "group_by=month&from=2026-01-01",
    ] {
        let chart = by.clone().header("accept", "image/svg+xml").get(&format!("{path}?{query}")).await;
        assert_eq!((chart.status, chart.header("content-type")), (200, "image/svg+xml"), "{query}");
        let policy = chart.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; sandbox"), "{policy}");
        assert!(chart.text.starts_with("<svg") && chart.text.trim_end().ends_with("</svg>"), "{query}");
        assert!(!chart.text.contains("<script"), "labels are text: {query}");
        assert!(chart.text.contains("Issues by type"), "{query}");
    }
    let chart = by.get(&format!("{path}?format=svg")).await;
    assert!(chart.text.contains("&lt;script&gt;") && chart.text.contains("多"), "{}", chart.text);
    assert_eq!(
        by.get("/v1/issues?format=svg").await.violation_of(400),
        rules(&[("format", "unknown_value")]),
        "a list has no chart"
    );
}

#[actix_web::test]
async fn s4_27_a_report_refuses_what_it_does_not_know() {
    let shop = TestApp::open().await;
    let by = shop.by(&shop.admin);
    for (query, wanted) in [
        ("from=yesterday", ("from", "invalid_value")),
        ("from=2026-03-02&to=2026-02-28", ("from", "range")),
        ("time_zone=Paris", ("time_zone", "time_zone")),
        ("group_by=colour", ("group_by", "unknown_value")),
        ("group_by=type", ("group_by", "unknown_value")),
        ("group_by=day&from=2020-01-01", ("group_by", "too_many")),
        ("sort=-rows", ("sort", "unknown")),
        ("sort=average_seconds", ("sort", "unknown")),
        ("top=0", ("top", "invalid_value")),
        ("top=101", ("top", "invalid_value")),
        ("from=2026-03-01&opened_at_gte=2026-03-01T00:00:00Z", ("from", "ambiguous")),
        ("to=2026-03-01&opened_at_lt=2026-03-01T00:00:00Z", ("to", "ambiguous")),
        ("status=lost", ("status", "invalid_value")),
        ("limit=3", ("limit", "unknown")),
        ("format=pdf", ("format", "unknown_value")),
        ("include_own_company=perhaps", ("include_own_company", "invalid_value")),
    ] {
        assert_eq!(
            by.get(&format!("/v1/reports/issues-by-type?{query}")).await.violation_of(400),
            rules(&[wanted]),
            "{query}"
        );
    }
    let many: Vec<String> = (0..200).map(|number| format!("word_{number}")).collect();
    by.post("/v1/issues", json!({ "title": "One", "types": ["billing"] })).await.assert_status(201);
    by.post("/v1/issues", json!({ "title": "Two", "types": ["shipping"] })).await.assert_status(201);
    let refused = by.get(&format!("/v1/reports/issues-by-type?top=1&type_not={}", many.join(","))).await;
    assert_eq!(refused.violation_of(400), rules(&[("top", "too_many")]));
    assert_eq!(by.get("/v1/reports/issues-by-colour").await.problem(404), "not_found");
    let agent = shop.hire("Ana Ruiz", "agent").await;
    assert_eq!(shop.by(&agent).get("/v1/reports/issues-by-type").await.problem(403), "missing_scope");
}

// B-7
#[actix_web::test]
async fn b_7_lists_are_filtered_by_what_their_contacts_are_like() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let by = shop.by(&shop.admin);
    let new = json!({ "company": "Épicerie Zoé", "kind": "prospect", "country": "CA",
        "postal_code": "h2x 1y4", "owner_id": ana.id });
    let zoe = text(&by.post("/v1/contacts", new).await.assert_status(201)["id"]);
    let max = contact(&by, "Okafor", "customer").await;
    let old = contact(&by, "Zoé, once", "other").await;
    for who in [&zoe, &max, &old] {
        call(
            &by,
            "2026-03-10T10:00:00Z",
            who,
            json!({ "complete": false, "follow_up": { "due_in": "tomorrow" } }),
        )
        .await;
        by.post("/v1/issues", json!({ "title": "Something", "contact_id": who })).await.assert_status(201);
        by.post("/v1/work-items", json!({ "type": "support_ticket", "contact_id": who }))
            .await
            .assert_status(201);
    }
    by.post("/v1/issues", json!({ "title": "About nobody" })).await.assert_status(201);
    by.post(&format!("/v1/contacts/{old}/merge"), json!({ "into": zoe })).await.assert_status(200);
    for (filter, wanted) in [
        ("contact_kind=prospect", 2),
        ("contact_kind=prospect,customer", 3),
        ("contact_kind=other", 0),
        ("contact_country=ca", 2),
        ("contact_postal_code_prefix=H2X", 2),
        ("contact_postal_code_prefix=h3", 0),
        ("contact_postal_code_prefix=h3,h2", 2),
        ("contact_country=CA&contact_postal_code_prefix=H2&contact_kind=customer", 0),
        (&format!("contact_owner=user:{}", ana.id), 2),
        ("contact_owner=none", 1),
        ("own_company=true", 0),
    ] {
        for list in ["interactions", "action-items", "issues", "work-items"] {
            assert_eq!(by.rows(&format!("/v1/{list}?{filter}")).await.len(), wanted, "{list}?{filter}");
        }
    }
    assert_eq!(by.rows("/v1/issues?own_company=false").await.len(), 4);
    let bulk = json!({ "select": { "filter": { "contact_country": "CA" } }, "set": { "priority": "high" } });
    assert_eq!(by.post("/v1/action-items/bulk", bulk).await.assert_status(200)["matched"], 2);
    for (query, name) in [
        ("contact_kind=robot", "contact_kind"),
        ("own_company=ours", "own_company"),
        ("contact_owner=ana", "contact_owner"),
    ] {
        assert!(
            by.get(&format!("/v1/action-items?{query}"))
                .await
                .violation_of(400)
                .iter()
                .any(|(at, _)| at == name),
            "{query}"
        );
    }
}

// S3-32
#[actix_web::test]
async fn s3_32_conversion_is_told_by_type_source_and_rep() {
    let shop = TestApp::open().await;
    let (ana, mia) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Mia Lund", "manager").await);
    let admin = shop.by(&shop.admin);
    for (kind, source, owner, to) in [
        ("body_type_quiz", "quiz", user(&ana), Some(json!({ "to": "sold", "order_id": "A-1" }))),
        ("body_type_quiz", "quiz", user(&ana), Some(json!({ "to": "closed", "reason": "x" }))),
        ("body_type_quiz", "shop", public(), None),
        ("support_ticket", "shop", user(&mia), Some(json!({ "to": "sold", "order_id": "A-2" }))),
    ] {
        let new = json!({ "type": kind, "who": { "last_name": "Roy" }, "source": source, "assignee": owner });
        let made = admin.post("/v1/work-items", new).await.assert_status(201);
        if let Some(to) = to {
            admin
                .post(&format!("/v1/work-items/{}/transition", text(&made["id"])), to)
                .await
                .assert_status(200);
        }
    }
    let by = shop.by(&mia).header("accept-language", "fr");
    let short = |row: &Value| {
        json!([row["key"], row["label"], row["count"], row["active"], row["sold"], row["conversion"]])
    };
    let read = async |query: &str| {
        let report = figures(&by, query).await;
        let rows: Vec<Value> = report["data"].as_array().expect("rows").iter().map(short).collect();
        (rows, short(&report["total"]), report["applied_defaults"].clone())
    };
    let (rows, total, defaults) = read("conversion-by-type").await;
    assert_eq!(rows[0], json!(["body_type_quiz", "Questionnaire de morphologie", 3, 1, 1, 0.3333]));
    assert_eq!(rows[1], json!(["support_ticket", "Demande d'assistance", 1, 0, 1, 1.0]));
    assert_eq!(total, json!([null, "Total", 4, 1, 2, 0.5]));
    assert_eq!(defaults, json!({ "own_company": false, "hidden": 0, "include_inactive": true }));
    let (rows, ..) = read("conversion-by-source").await;
    assert_eq!(rows, [json!(["quiz", "quiz", 2, 0, 1, 0.5]), json!(["shop", "shop", 2, 1, 1, 0.5])]);
    let (rows, ..) = read("conversion-by-rep?type=body_type_quiz").await;
    assert_eq!(rows[0], json!([format!("user:{}", ana.id), "Ana Ruiz", 2, 0, 1, 0.5]));
    assert_eq!(rows[1], json!(["public", "Tout le monde", 1, 1, 0, 0.0]));
    let (rows, ..) = read("conversion-by-rep?top=1&group_by=category").await;
    assert_eq!(rows.len(), 3, "one rep, the public, and all others");
    let (rows, total, _) = read("conversion-by-type?to=2026-03-17").await;
    assert_eq!((rows.len(), total), (0, json!([null, "Total", 0, 0, 0, null])));
    let (_, total, _) = read(&format!("conversion-by-type?assignee=me,user:{}&source=shop", ana.id)).await;
    assert_eq!(total[2], 1);
    for query in [
        "conversion-by-type?type_not=body_type_quiz",
        "conversion-by-source?source_not=quiz&top=1",
        "conversion-by-rep?assignee_not=me&top=1&group_by=day",
    ] {
        read(query).await;
    }
    let sheet = by.get("/v1/reports/conversion-by-source?format=csv").await;
    assert_eq!(
        sheet.text.lines().next(),
        Some("kind,key,label,group,group_label,count,rows,active,sold,conversion")
    );
    assert!(by.get("/v1/reports/conversion-by-type?format=svg&group_by=day").await.text.contains("per cent"));
    assert_eq!(
        shop.by(&ana).get("/v1/reports/conversion-by-type").await.problem(403),
        "missing_scope",
        "reports are the managers'"
    );
}
