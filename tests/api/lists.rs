//! Lists that tell the truth, shown on notes and action items (B-1).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::support::*;

const ITEMS: &str = "/v1/action-items";

/// Items of three priorities, due at few different times, so that every sort has ties.
async fn stock(shop: &TestApp, count: usize) {
    all((0..count).map(|n| async move {
        let new = json!({
            "subject": { "type": "order", "id": "A-1001" }, "title": format!("{n:03}"), "assignee": public(),
            "priority": (["low", "high", "normal"][n % 3]), "due_at": format!("2026-03-2{}T12:00:00Z", n % 4),
        });
        shop.by(&shop.admin).post(ITEMS, new).await.assert_status(201)
    }))
    .await;
}

fn rank(item: &Value) -> u8 {
    match text(&item["priority"]).as_str() {
        "low" => 1,
        "normal" => 2,
        _ => 3,
    }
}

#[actix_web::test]
async fn b_1_pages_lose_and_repeat_nothing_while_rows_are_added() {
    let shop = TestApp::open().await;
    stock(&shop, 24).await;
    let caller = shop.by(&shop.admin);
    let first = each(&caller.rows(ITEMS).await, "id");
    for sort in [
        "due_at",
        "-due_at",
        "priority,due_at",
        "-priority,-due_at",
        "-priority,due_at",
        "priority,-due_at",
        "-created_at",
    ] {
        let mut seen: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = caller.get(&format!("{ITEMS}?sort={sort}&limit=5{cursor}")).await.assert_status(200);
            seen.extend(page["data"].as_array().expect("rows").iter().cloned());
            stock(&shop, 3).await;
            match page["next_cursor"].as_str() {
                Some(next) if seen.len() < 200 => cursor = format!("&cursor={next}"),
                Some(_) => panic!("{sort} goes on for ever"),
                None => break,
            }
        }
        let ids = each(&seen, "id");
        let mut once = ids.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "{sort} repeats nothing");
        assert!(first.iter().all(|id| ids.contains(id)), "{sort} loses nothing");
        let key = |item: &Value| {
            sort.split(',')
                .map(|part| {
                    let (name, down) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
                    let key = if name == "priority" { rank(item).to_string() } else { text(&item[name]) };
                    (key, down)
                })
                .collect::<Vec<_>>()
        };
        let ordered = seen.is_sorted_by(|a, b| {
            let (a_key, b_key) = (key(a), key(b));
            let by_keys = a_key
                .iter()
                .zip(&b_key)
                .map(|(a, b)| if a.1 { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) })
                .find(|order| order.is_ne());
            let by_id = text(&a["id"]).cmp(&text(&b["id"]));
            let last_down = a_key.last().is_some_and(|(_, down)| *down);
            by_keys.unwrap_or(if last_down { by_id.reverse() } else { by_id }).is_lt()
        });
        assert!(ordered, "{sort}: {:?}", each(&seen, "due_at"));
        // Close what was added, so that the next sort ends too.
        for item in caller
            .rows(&format!("{ITEMS}?limit=200"))
            .await
            .iter()
            .filter(|item| !first.contains(&text(&item["id"])))
        {
            caller.command(&format!("{ITEMS}/{}/cancel", text(&item["id"]))).await.assert_status(200);
        }
    }
}

#[actix_web::test]
async fn b_1_a_cursor_belongs_to_its_query() {
    let shop = TestApp::open().await;
    stock(&shop, 6).await;
    let caller = shop.by(&shop.admin);
    let page = caller.get(&format!("{ITEMS}?limit=2&assignee=public")).await.assert_status(200);
    let cursor = text(&page["next_cursor"]);
    let mut forged: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&cursor).expect("base64")).expect("JSON");
    forged["after"] = json!([{ "Text": "soon" }]);
    let forged = BASE64_URL_SAFE_NO_PAD.encode(forged.to_string());
    let shorter = &cursor[..cursor.len() - 3];
    for foreign in [
        format!("{ITEMS}?limit=2&cursor={cursor}"),
        format!("{ITEMS}?limit=2&assignee=me&cursor={cursor}"),
        format!("{ITEMS}?limit=2&assignee=public&sort=-due_at&cursor={cursor}"),
        format!("{ITEMS}?limit=2&assignee=public&include_completed=true&cursor={cursor}"),
        format!("/v1/notes?cursor={cursor}"),
        format!("/v1/queues/public/items?cursor={cursor}"),
        format!("{ITEMS}?assignee=public&cursor={shorter}"),
        format!("{ITEMS}?assignee=public&cursor={forged}"),
        format!("{ITEMS}?assignee=public&cursor="),
        format!("{ITEMS}?assignee=public&cursor=next"),
        format!("{ITEMS}?assignee=public&cursor={}", "A".repeat(4000)),
    ] {
        let refused = caller.get(&foreign).await;
        assert_eq!(refused.problem(400), "bad_cursor", "{foreign}");
        assert_eq!(refused.violation_of(400), rules(&[("cursor", "foreign")]));
    }
    // The size of the page and what is shown of a row are the caller's to change on the way.
    let next = caller
        .get(&format!("{ITEMS}?limit=200&assignee=public&fields=id&cursor={cursor}"))
        .await
        .assert_status(200);
    assert_eq!((next["data"].as_array().map(Vec::len), &next["next_cursor"]), (Some(4), &Value::Null));
}

#[actix_web::test]
async fn b_1_what_a_list_does_not_know_is_refused_and_what_it_knows_is_named() {
    let shop = TestApp::open().await;
    let caller = shop.by(&shop.admin);
    let refused = caller.get(&format!("{ITEMS}?assigned_to=me&limit=0&statsu=open")).await;
    let mut broken = refused.violation_of(400);
    broken.sort();
    assert_eq!(broken, rules(&[("assigned_to", "unknown"), ("limit", "range"), ("statsu", "unknown")]));
    for known in ["assignee", "status", "include_completed", "due_at_gte", "limit", "cursor"] {
        assert!(text(&refused.json["detail"]).contains(known), "{known} in {}", refused.json["detail"]);
    }
    for limit in ["0", "201", "-1", "1.5", "ten", "", "99999999999999999999"] {
        assert_eq!(
            caller.get(&format!("{ITEMS}?limit={limit}")).await.violation_of(400),
            rules(&[("limit", "range")]),
            "{limit}"
        );
    }
    for (query, place, rule) in [
        ("sort=title", "sort", "unknown"),
        ("sort=", "sort", "unknown"),
        ("sort=due_at,-due_at", "sort", "repeated"),
        ("counts=perhaps", "counts", "invalid_value"),
        ("format=xml", "format", "unknown_value"),
        ("fields=id,secret", "fields", "unknown_value"),
        ("expand=labels,everything", "expand", "unknown_value"),
        ("status=open,done", "status", "invalid_value"),
        ("status=open&status=completed", "status", "repeated"),
        ("include_completed=maybe", "include_completed", "invalid_value"),
        ("assignee=ana", "assignee", "invalid_value"),
        ("assignee=user:7", "assignee", "invalid_value"),
        ("bucket=late", "bucket", "invalid_value"),
        ("priority=urgent", "priority", "invalid_value"),
        ("subject=order:", "subject", "invalid_value"),
        ("note_id=7", "note_id", "invalid_value"),
        ("due_at_lt=2026-03-18", "due_at_lt", "invalid_value"),
        ("action=a%00b", "action", "nul"),
    ] {
        assert_eq!(
            caller.get(&format!("{ITEMS}?{query}")).await.violation_of(400),
            rules(&[(place, rule)]),
            "{query}"
        );
    }
    assert_eq!(caller.get(&format!("{ITEMS}?action=%FF")).await.problem(400), "bad_query");
    assert_eq!(caller.clone().header("accept", "image/png").get(ITEMS).await.problem(406), "not_acceptable");
}

#[actix_web::test]
async fn s2_3_open_items_are_shown_unless_asked_otherwise_and_the_list_says_what_it_hides() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    let shipping = shop.group("Shipping", &[&ana]).await;
    let caller = shop.by(&shop.admin);
    let new = |title: &str, subject: &str, assignee: Value, more: Value| {
        let mut item = json!({ "subject": { "type": subject, "id": "7" }, "title": title,
            "assignee": assignee, "due_at": START });
        item.as_object_mut().expect("an item").extend(more.as_object().expect("members").clone());
        item
    };
    for item in [
        new("a", "order", public(), json!({ "action": "call", "due_at": "2026-03-18T08:00:00Z" })),
        new("b", "vendor", user(&ana), json!({ "priority": "high" })),
        new("c", "vendor", group(&shipping), json!({ "action": "visit" })),
        new("d", "order", user(&shop.admin), json!({ "due_at": "2026-04-01T00:00:00Z" })),
    ] {
        caller.post(ITEMS, item).await.assert_status(201);
    }
    shop.time_is("2026-03-18T09:01:00Z");
    let done = shop.by(&ana).post(ITEMS, new("e", "vendor", user(&ana), json!({}))).await.assert_status(201);
    shop.by(&ana).command(&format!("{ITEMS}/{}/complete", text(&done["id"]))).await.assert_status(200);
    let list = caller.get(&format!("{ITEMS}?counts=true&subject_type=vendor")).await.assert_status(200);
    assert_eq!(list["counts"], json!({ "filtered": 2, "total": 5, "exact": true }));
    assert_eq!(list["applied_defaults"], json!({ "status": "open", "hidden": 1 }));
    assert_eq!(caller.get(ITEMS).await.assert_status(200)["applied_defaults"], json!({ "status": "open" }));
    // S2-20: also what is completed, when asked for.
    // A flag as other people's programs write it.
    for (flag, counts) in
        [("1", true), ("True", true), ("on", true), ("yes", true), ("0", false), ("No", false)]
    {
        let list = caller.get(&format!("{ITEMS}?counts={flag}")).await.assert_status(200);
        assert_eq!(list["counts"].is_object(), counts, "{flag}");
    }
    let all = caller.get(&format!("{ITEMS}?include_completed=true&counts=true")).await.assert_status(200);
    assert_eq!((all.get("applied_defaults"), &all["counts"]["filtered"]), (None, &json!(5)));
    let me = format!("assignee=user:{}", ana.id);
    for (query, found) in [
        ("", "abcd"),
        ("include_completed=true", "abced"),
        ("include_completed=false", "abcd"),
        ("status=completed", "e"),
        ("status=open,completed", "abced"),
        ("status=cancelled", ""),
        ("assignee=me", "d"),
        ("assignee=public", "a"),
        ("assignee=none", ""),
        ("assignee=me,public", "ad"),
        (me.as_str(), "b"),
        (&format!("assignee=group:{shipping}"), "c"),
        ("subject=vendor:7", "bc"),
        ("subject=vendor:8", ""),
        ("subject_type=vendor&include_completed=true", "bce"),
        ("action=call,visit", "ac"),
        ("priority=high", "b"),
        ("priority=low,normal", "acd"),
        ("due_at_gte=2026-03-18T09:00:00Z&due_at_lt=2026-04-01T00:00:00Z", "bc"),
        ("created_at_gte=2026-03-18T09:01:00Z&include_completed=true", "e"),
        ("created_at_lt=2026-03-18T09:01:00Z&bucket=overdue", "abc"),
        (&format!("created_by={}&include_completed=true", ana.id), "e"),
    ] {
        assert_eq!(each(&caller.rows(&format!("{ITEMS}?{query}")).await, "title").join(""), found, "{query}");
    }
}

#[actix_web::test]
async fn b_1_the_next_page_is_also_a_link_and_rows_are_as_narrow_as_asked() {
    let shop = TestApp::open().await;
    stock(&shop, 5).await;
    let caller = shop.by(&shop.admin);
    let mut path = format!("{ITEMS}?limit=2&fields=title,due_at&counts=true&sort=-created_at");
    let mut titles = Vec::new();
    for rows in [2, 2, 1] {
        let reply = caller.get(&path).await;
        let link = reply.header("link").to_owned();
        let page = reply.assert_status(200);
        assert_eq!(page["data"].as_array().map(Vec::len), Some(rows));
        assert!(
            page["data"]
                .as_array()
                .expect("rows")
                .iter()
                .all(|row| row.as_object().is_some_and(|row| row.keys().eq(["title", "due_at"])))
        );
        assert_eq!(page["counts"]["total"], 5);
        titles.extend(column(&page, "title"));
        match page["next_cursor"].as_str() {
            Some(cursor) => {
                path = link
                    .strip_prefix('<')
                    .and_then(|link| link.strip_suffix(">; rel=\"next\""))
                    .expect("a link")
                    .to_owned();
                assert!(
                    path.ends_with(&format!("cursor={cursor}"))
                        && path.starts_with(&format!("{ITEMS}?limit=2&fields=title")),
                    "{path}"
                );
            }
            None => assert_eq!(link, ""),
        }
    }
    titles.sort();
    assert_eq!(titles, ["000", "001", "002", "003", "004"]);
}

#[actix_web::test]
async fn b_1_a_list_is_a_table_or_lines_of_json_too_and_no_cell_is_a_formula() {
    let shop = TestApp::open().await;
    let caller = shop.by(&shop.admin);
    let titles =
        ["=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "plain, with \"quotes\"", "two lines — 注文"];
    for (n, title) in titles.iter().enumerate() {
        let new = json!({ "subject": { "type": "order", "id": "=1+1" }, "title": title,
            "due_at": format!("2026-03-18T1{n}:00:00Z") });
        caller.post(ITEMS, new).await.assert_status(201);
    }
    let table = caller.get(&format!("{ITEMS}?format=csv&fields=title,subject,due_on")).await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let expected = [
        "subject.type,subject.id,title,due_on",
        "order,'=1+1,\"'=HYPERLINK(\"\"http://evil\"\")\",",
        "order,'=1+1,+1,",
        "order,'=1+1,-1,",
        "order,'=1+1,'@SUM(A1),",
        "order,'=1+1,\"plain, with \"\"quotes\"\"\",",
        "order,'=1+1,two lines — 注文,",
        "",
    ];
    assert_eq!(table.text, expected.join("\r\n"));
    let by_header = caller
        .clone()
        .header("accept", "text/csv")
        .get(&format!("{ITEMS}?fields=title,subject,due_on"))
        .await;
    assert_eq!(by_header.text, table.text);
    let lines = caller.get(&format!("{ITEMS}?format=ndjson&limit=4")).await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert!(
        lines.header("link").contains("format=ndjson"),
        "pages of tables are linked too: {}",
        lines.header("link")
    );
    let rows: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        rows,
        caller.get(&format!("{ITEMS}?limit=4")).await.assert_status(200)["data"]
            .as_array()
            .expect("rows")
            .clone()
    );
    assert!(lines.text.ends_with('\n'));
    let none = caller.get(&format!("{ITEMS}?format=ndjson&assignee=none")).await;
    assert_eq!((none.status, none.text.as_str()), (200, ""));
}

#[actix_web::test]
async fn s2_26_labels_and_colours_come_in_the_callers_language() {
    let shop = TestApp::open().await;
    let caller = shop.by(&shop.admin);
    caller.patch("/v1/picklists/actions/items/call", json!({ "color": "#d9480f" })).await.assert_status(200);
    caller
        .post("/v1/picklists/actions/items", json!({ "key": "pray", "label": "Pray" }))
        .await
        .assert_status(201);
    for (title, action) in [("a", json!("call")), ("b", json!("pray")), ("c", Value::Null)] {
        let new = json!({ "subject": { "type": "order", "id": "1" }, "title": title, "action": action,
            "due_in": "today" });
        caller.post(ITEMS, new).await.assert_status(201);
    }
    // What is retired has a name still.
    caller.command("/v1/picklists/actions/items/call/retire").await.assert_status(200);
    let labels = async |languages: &str, path: &str| {
        let page = caller.clone().header("accept-language", languages).get(path).await.assert_status(200);
        page["data"].as_array().expect("rows").iter().map(|row| row["labels"].clone()).collect::<Vec<_>>()
    };
    let call = |label: &str| json!({ "label": label, "color": "#d9480f" });
    let plain = |label: &str| json!({ "label": label, "color": null });
    for languages in ["fr", "fr-CA", "de;q=0.9, fr;q=0.8, en;q=0.1", "FR"] {
        for path in [format!("{ITEMS}?expand=labels"), "/v1/queues/mine/items?expand=labels".into()] {
            let found = labels(languages, &path).await;
            assert_eq!(
                found[0],
                json!({ "subject.type": plain("Commande"), "action": call("Appeler") }),
                "{languages}"
            );
            assert_eq!(found[1]["action"], plain("Pray"), "a value without a French label is read as it is");
            assert_eq!(found[2], json!({ "subject.type": plain("Commande") }));
        }
    }
    for languages in ["en", "de", "", "*"] {
        assert_eq!(
            labels(languages, &format!("{ITEMS}?expand=labels")).await[0]["action"],
            call("Call"),
            "{languages}"
        );
    }
    let keys = caller.clone().header("accept-language", "fr").rows(ITEMS).await;
    assert_eq!(
        (&keys[0]["action"], keys[0].get("labels")),
        (&json!("call"), None),
        "keys are never translated"
    );
}

#[actix_web::test]
async fn the_words_that_a_list_names_are_those_that_it_takes() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let contact =
        text(&admin.post("/v1/contacts", json!({ "last_name": "Roy" })).await.assert_status(201)["id"]);
    let work = json!({ "type": "support_ticket", "contact_id": contact });
    let work = text(&admin.post("/v1/work-items", work).await.assert_status(201)["id"]);
    let source = json!({ "name": "Quizzes", "url": "https://shop.example/quizzes.json",
        "work_item_type": "support_ticket",
        "mapping": { "external_id": "/id" } });
    let source = text(&admin.post("/v1/sources", source).await.assert_status(201)["id"]);
    let mut lists = 0;
    for (path, item) in document()["paths"].as_object().expect("paths") {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let parameters: Vec<&Value> = parameters.map(resolve).collect();
        if !parameters.iter().any(|parameter| parameter["name"] == "cursor") {
            continue;
        }
        lists += 1;
        let path = path.replace("{queue}", "public").replace("{type}", "order");
        let ids = [
            ("/v1/contacts/", &contact),
            ("/v1/work-items/", &work),
            ("/v1/sources/", &source),
            ("/v1/users/", &shop.admin.id),
        ];
        let id =
            ids.iter().find(|(start, _)| path.starts_with(start)).map_or("A-1001", |(_, id)| id.as_str());
        let path = path.replace("{id}", id);
        for name in ["sort", "fields", "expand"] {
            let named = parameters.iter().find(|parameter| parameter["name"] == name);
            let pattern = named.map(|parameter| text(&parameter["schema"]["pattern"])).unwrap_or_default();
            // The first half of `^(a|b)(,(a|b))*$`.
            let words = pattern
                .split(")(,")
                .next()
                .unwrap_or_default()
                .trim_matches(|c| "^-?()".contains(c))
                .to_owned();
            for word in words.split('|').filter(|word| !word.is_empty()) {
                admin.get(&format!("{path}?{name}={word}")).await.assert_status(200);
            }
            assert_eq!(words.is_empty(), name == "expand" && named.is_none(), "{path} {name}");
            let nonsense = admin.get(&format!("{path}?{name}=nonsense")).await;
            assert_eq!(nonsense.violation_of(400)[0].0, name, "{path}");
        }
    }
    assert!(lists >= 10, "only {lists} lists were found");
}
