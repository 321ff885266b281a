//! Every list: walked, sorted, counted, in every form.

use std::collections::BTreeSet;

use super::*;
use crate::support::{all, column};

/// Every row of a list, `limit` at a time.
async fn walk(by: &Caller<'_>, path: &str, limit: usize) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    for _ in 0..500 {
        let join = if path.contains('?') { '&' } else { '?' };
        let reply = by.get(&format!("{path}{join}limit={limit}{cursor}")).await;
        let link = reply.header("link").to_owned();
        let page = reply.assert_status(200);
        let data = page["data"].as_array().expect("rows");
        assert!(data.len() <= limit, "{path}");
        rows.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(data.len(), limit, "only the last page of {path} is short");
                assert!(link.contains(&format!("cursor={next}>; rel=\"next\"")), "{path}: {link}");
                cursor = format!("&cursor={next}");
            }
            None => {
                assert_eq!(link, "", "the last page of {path} leads nowhere");
                return rows;
            }
        }
    }
    panic!("{path} has no end")
}

#[actix_web::test]
async fn every_list_is_walked_sorted_and_counted() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    for list in Operation::lists() {
        let path = list.real(&admin).await.expect("a path");
        let whole = walk(&admin, &path, 200).await;
        assert!(EMPTY.contains(&list.id) || whole.len() > 1, "give {} a few rows in `stocked`", list.id);
        assert_eq!(walk(&admin, &path, 1).await, whole, "{path} one by one");

        let counted = admin.get(&format!("{path}?counts=true&limit=1")).await.assert_status(200);
        assert_eq!(counted["counts"]["filtered"], whole.len(), "{path}");
        assert!(counted["counts"]["total"].as_u64() >= counted["counts"]["filtered"].as_u64(), "{path}");
        assert_eq!(counted["counts"]["exact"], true, "{path}");
        assert!(
            admin.get(&format!("{path}?counts=false")).await.assert_status(200).get("counts").is_none(),
            "{path}"
        );

        let named = list.named_after("Sorts:");
        let sorts: BTreeSet<&str> = named.iter().map(|name| name.trim_start_matches('-')).collect();
        assert!(!sorts.is_empty(), "{} does not say how it sorts", list.id);
        for sort in &sorts {
            let up = walk(&admin, &format!("{path}?sort={sort}"), 2).await;
            let mut down = walk(&admin, &format!("{path}?sort=-{sort}"), 3).await;
            down.reverse();
            assert_eq!(up, down, "{path} by {sort}");
            assert_eq!(up.len(), whole.len(), "{path} by {sort}");
            if let Some(values) = up.iter().map(|row| row[*sort].as_str()).collect::<Option<Vec<_>>>() {
                // Words are sorted by their weight in the database, not by their letters.
                let by_letters = resolve(&document()["components"]["schemas"]["Priority"])["enum"].is_null()
                    || *sort != "priority";
                assert!(!by_letters || values.is_sorted(), "{path} by {sort}: {values:?}");
            }
        }
        let default = named.iter().find(|name| list.description().contains(&format!("(default `{name}`)")));
        let default = default.or_else(|| {
            named.iter().find(|name| list.description().contains(&format!("`{name}` (default)")))
        });
        let default = default.unwrap_or_else(|| panic!("{} does not say how it sorts by default", list.id));
        assert_eq!(
            walk(&admin, &format!("{path}?sort={default}"), 200).await,
            whole,
            "{path} sorts by {default} unless told"
        );
        let refused = admin.get(&format!("{path}?sort=nonsense")).await;
        assert_eq!(refused.violation_of(400), [("sort".into(), "unknown".into())]);
        let (_, known) = refused.json["detail"]
            .as_str()
            .and_then(|said| said.split_once("sorts by "))
            .expect("the sorts there are");
        let known: BTreeSet<&str> = known.split(", each").next().unwrap_or_default().split(", ").collect();
        assert_eq!(known, sorts, "{} names the sorts it has", list.id);
    }
}

/// Where what is written can be long, the list of it shows the beginning, and says so.
#[test]
fn every_list_cuts_long_texts() {
    let mut long = Vec::new();
    for list in Operation::lists() {
        let posts = Operation::all()
            .into_iter()
            .filter(|operation| operation.method == Method::POST && operation.path == list.path);
        let page = resolve(&list.about["responses"]["200"]["content"]["application/json"]["schema"]);
        let row = resolve(&page["properties"]["data"]["items"]);
        for body in posts.filter_map(|post| post.body()).map(resolve) {
            for (member, schema) in body["properties"].as_object().expect("members") {
                if resolve(schema)["maxLength"].as_u64().is_some_and(|most| most > 4000) {
                    assert!(row["properties"][member].is_object(), "{}: {member}", list.id);
                    assert!(
                        row["properties"]["truncated"].is_object(),
                        "{} shows all of a long {member}",
                        list.id
                    );
                    long.push((list.path, member.as_str()));
                }
            }
        }
    }
    let known = [
        ("/v1/action-items", "details"),
        ("/v1/interactions", "detail"),
        ("/v1/notes", "body"),
        ("/v1/work-items", "description"),
    ];
    for text in known {
        assert!(long.contains(&text), "{long:?}");
    }
}

/// The columns of a CSV file, and how many rows it has.
fn table(text: &str) -> (Vec<String>, usize) {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let columns = reader.headers().expect("a row of names").iter().map(str::to_owned).collect();
    (columns, reader.into_records().collect::<Result<Vec<_>, _>>().expect("RFC 4180").len())
}

#[actix_web::test]
async fn every_list_comes_in_every_form() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    for list in Operation::lists() {
        let path = list.real(&admin).await.expect("a path");
        let whole = admin.get(&path).await.assert_status(200);
        let rows = whole["data"].as_array().expect("rows");

        for asked in [
            admin.clone().header("accept", "text/csv").get(&path).await,
            admin.get(&format!("{path}?format=csv")).await,
        ] {
            assert_eq!(
                (asked.status, asked.header("content-type")),
                (200, "text/csv; charset=utf-8"),
                "{path}"
            );
            let (columns, records) = table(&asked.text);
            assert_eq!(records, rows.len(), "{path}: {}", asked.text);
            // The same columns whatever the rows hold, and none of what they hold is left out.
            for part in [
                format!("{path}?format=csv&limit=1"),
                format!("{path}?format=csv&sort=-{}", list.named_after("Sorts:")[0].trim_start_matches('-')),
            ] {
                assert_eq!(table(&admin.get(&part).await.text).0, columns, "{part}");
            }
            for name in rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys()) {
                let held = columns.iter().any(|column| column.split('.').next() == Some(name));
                assert!(held, "{path} leaves {name} out: {columns:?}");
            }
            let narrow = table(&admin.get(&format!("{path}?format=csv&fields={}", columns[0])).await.text).0;
            assert_eq!(narrow, columns[..1], "{path}");
        }
        let lines = [
            admin.clone().header("accept", "application/x-ndjson").get(&path).await,
            admin.get(&format!("{path}?format=ndjson")).await,
        ];
        for asked in lines {
            assert_eq!((asked.status, asked.header("content-type")), (200, "application/x-ndjson"), "{path}");
            let lines: Vec<Value> =
                asked.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
            assert_eq!(&lines, rows, "{path}");
        }
        let refused = admin.clone().header("accept", "image/png").get(&path).await;
        assert_eq!(refused.problem(406), "not_acceptable", "{path}");

        for name in rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys().take(2)) {
            let narrow = admin.get(&format!("{path}?fields={name}&format=ndjson")).await;
            let lines: Vec<Value> =
                narrow.text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
            assert!(
                lines
                    .iter()
                    .all(|row| row.as_object().is_some_and(|row| row.len() == 1 && row.contains_key(name))),
                "{path} {name}"
            );
        }
        for word in list.named_after("Expands:") {
            assert_eq!(
                admin.get(&format!("{path}?expand={word}")).await.status,
                200,
                "{path} expands {word}"
            );
        }
    }
}

#[actix_web::test]
async fn every_list_refuses_what_it_does_not_know() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let foreign = admin.get("/v1/picklists?limit=1").await.assert_status(200);
    let foreign = foreign["next_cursor"].as_str().expect("a cursor");
    for list in Operation::lists() {
        let path = list.real(&admin).await.expect("a path");
        for limit in ["0", "201", "-1", "1.5", "many", "99999999999999999999"] {
            let reply = admin.get(&format!("{path}?limit={limit}")).await;
            assert_eq!(reply.violation_of(400), [("limit".into(), "range".into())], "{path} {limit}");
        }
        let other_sort = list.named_after("Sorts:")[0].trim_start_matches('-');
        let own = admin.get(&format!("{path}?limit=1&sort=-{other_sort}")).await.assert_status(200);
        let own = own["next_cursor"].as_str().unwrap_or("missing");
        for cursor in ["", "nonsense", "e30", own] {
            let reply = admin.get(&format!("{path}?sort={other_sort}&cursor={cursor}")).await;
            assert_eq!(reply.problem(400), "bad_cursor", "{path} {cursor}");
        }
        if list.id != "list_picklists" {
            assert_eq!(
                admin.get(&format!("{path}?cursor={foreign}")).await.problem(400),
                "bad_cursor",
                "{path}"
            );
        }
        for (query, name) in [
            ("format=xml", "format"),
            ("counts=perhaps", "counts"),
            ("fields=nonsense", "fields"),
            ("expand=nonsense", "expand"),
        ] {
            let reply = admin.get(&format!("{path}?{query}")).await;
            let broken = reply.violation_of(400);
            assert!(broken.iter().any(|(at, _)| at == name), "{path} {query}: {}", reply.text);
        }
        let all_at_once =
            admin.get(&format!("{path}?nonsense=1&limit=0&limit=2&format=xml&counts=perhaps")).await;
        let named: BTreeSet<String> = all_at_once.violation_of(400).into_iter().map(|(at, _)| at).collect();
        assert_eq!(
            named,
            ["counts", "format", "limit", "nonsense"].map(str::to_owned).into(),
            "{path}: {}",
            all_at_once.text
        );
    }
}

// What a list shows is what its rows are, each by its own address.
#[actix_web::test]
async fn every_row_is_read_by_its_own_address() {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    let reads: Vec<Operation> = Operation::all()
        .into_iter()
        .filter(|read| read.method == Method::GET && read.path.ends_with("/{id}"))
        .collect();
    for list in Operation::lists() {
        let Some(read) = reads.iter().find(|read| read.path.strip_suffix("/{id}") == Some(list.path)) else {
            continue;
        };
        let rows = admin.get(list.path).await.assert_status(200);
        let ids = column(&rows, "id");
        let replies = all(ids.iter().map(|id| {
            let path = read.path.replace("{id}", id);
            let admin = admin.clone();
            async move { admin.get(&path).await }
        }))
        .await;
        for (row, reply) in rows["data"].as_array().expect("rows").iter().zip(replies) {
            let etag = reply.header("etag").to_owned();
            let path = read.path.replace("{id}", &text(&row["id"]));
            let mut one = reply.assert_status(200);
            // Who else a contact may be is worked out when one is read.
            if row["match_candidates"].is_null() && one["match_candidates"].is_array() {
                one["match_candidates"] = Value::Null;
            }
            assert_eq!(&one, row, "{path}");
            assert_eq!(etag, format!("\"{}\"", one["version"]), "{path}");
            let held = admin.clone().header("if-none-match", &etag).get(&path).await;
            assert_eq!(
                (held.status, held.header("etag"), held.text.as_str()),
                (304, etag.as_str(), ""),
                "{path}"
            );
            let newer = admin.clone().header("if-none-match", "\"0\"").get(&path).await;
            assert_eq!(newer.status, 200, "{path}");
        }
    }
}

/// Adds a row to every list, before or behind those that are there, and a fact to each of some contacts;
/// changes some rows in what no list sorts by.
async fn go_on(shop: &TestApp, number: usize, contacts: &[String]) {
    let admin = shop.by(&shop.admin);
    let before = number.is_multiple_of(2);
    let (name, due, minute) = if before { ("Aaa", "2020-01-01", 0) } else { ("Zzz", "2030-01-01", 9) };
    shop.time_is(&format!("2026-03-18T09:{minute:02}:{:02}Z", number % 60));
    let name = format!("{name} {number}");
    let new = |kind: &str, body: Value| {
        let (admin, path) = (admin.clone(), format!("/v1/{kind}"));
        async move { admin.post(&path, body).await.assert_status(201) }
    };
    new(
        "users",
        json!({ "email": format!("{}@shop.example", name.replace(' ', "-")), "name": name, "role": "agent" }),
    )
    .await;
    let group = new("groups", json!({ "name": name })).await;
    admin
        .patch(&format!("/v1/groups/{}", text(&group["id"])), json!({ "name": format!("{name}!") }))
        .await
        .assert_status(200);
    new("contacts", json!({ "last_name": name })).await;
    for id in contacts {
        let fact = json!({ "title": name, "occurred_at": format!("{due}T14:00:00Z") });
        admin.put(&format!("/v1/contacts/{id}/facts/orders/{number}"), Some(fact)).await.assert_status(201);
    }
    new("api-keys", json!({ "name": name, "scopes": ["notes:read"] })).await;
    let key = name.to_lowercase().replace(' ', "_");
    let variable = json!({ "key": key, "label": name, "picklist": "moods" });
    // There are not as many variables as there are turns.
    assert!([201, 409].contains(&admin.post("/v1/variables", variable).await.status));
    let key = name.to_lowercase().replace(' ', "_");
    new("forms", json!({ "key": key, "title": name, "work_item_type": "support_ticket" })).await;
    new(
        "connectors",
        json!({ "kind": "generic", "name": name, "source": key, "base_url": "https://shop.example" }),
    )
    .await;
    // Nor as many routing rules.
    let rule = json!({ "name": name, "target": { "type": "contact_owner" } });
    assert!([201, 409].contains(&admin.post("/v1/routing-rules", rule).await.status));
    new("picklists", json!({ "name": name.to_lowercase().replace(' ', "_") })).await;
    let items = json!([{ "title": name, "due_on": due, "priority": if before { "low" } else { "high" } }]);
    new(
        "notes",
        json!({ "subject": { "type": "order", "id": "A-1001" }, "title": name, "action_items": items }),
    )
    .await;
    let contact = text(&admin.get("/v1/contacts?limit=1").await.json["data"][0]["id"]);
    let actions = json!([{ "issue": { "title": name } }]);
    let interaction =
        json!({ "contact_id": contact, "channel": "email", "subject_line": name, "actions": actions });
    new("interactions", interaction).await;
    let kind = json!({ "label": name, "category": "quiz" });
    // Nor as many types.
    assert!([201, 409].contains(&admin.post("/v1/work-item-types", kind).await.status));
    let work =
        new("work-items", json!({ "type": "support_ticket", "contact_id": contact, "description": name }))
            .await;
    let work = format!("/v1/work-items/{}/transition", text(&work["id"]));
    admin.post(&work, json!({ "to": "pending" })).await.assert_status(200);
    shop.job(&shop.admin, "Another", 9, json!({})).await;
    let sort = |kind: &str| match kind {
        "interactions" => "occurred_at",
        "issues" => "number",
        _ => "created_at",
    };
    for (kind, member) in [
        ("notes", "body"),
        ("action-items", "details"),
        ("interactions", "detail"),
        ("issues", "title"),
        ("work-items", "description"),
    ] {
        let rows = admin.get(&format!("/v1/{kind}?sort={}&limit=3", sort(kind))).await.assert_status(200);
        for id in column(&rows, "id") {
            admin.patch(&format!("/v1/{kind}/{id}"), json!({ member: name })).await.assert_status(200);
        }
    }
}

/// Divides what would take too long as one test: a test for each part, which is told its number and how many
/// there are.
macro_rules! in_parts {
    ($whole:ident: $($part:ident)+) => {
        mod $whole {
            const PARTS: &[&str] = &[$(stringify!($part)),+];

            $(#[actix_web::test]
            async fn $part() {
                let number = PARTS.iter().position(|part| *part == stringify!($part)).expect("one of them");
                super::$whole(number, PARTS.len()).await;
            })+
        }
    };
}

// Whoever leafs through a list while others work sees each row once that was there all along. Every list
// grows with every page of any, so all of them in one shop would be walked for longer and longer.
in_parts!(every_list_is_walked_while_it_grows: first second third fourth);

async fn every_list_is_walked_while_it_grows(part: usize, parts: usize) {
    let shop = stocked().await;
    let admin = shop.by(&shop.admin);
    // The `id` of an entry of a timeline is that of what it is about.
    let ids = |rows: &[Value]| -> Vec<String> {
        rows.iter().map(|row| text(row.get("event_id").or(row.get("id")).expect("a row has an id"))).collect()
    };
    let mut number = 0;
    // Whose lists are walked is settled before others come.
    let contacts = column(&admin.get("/v1/contacts?limit=200").await.assert_status(200), "id");
    let mut lists = Vec::new();
    for list in Operation::lists().into_iter().skip(part).step_by(parts) {
        let path = list.real(&admin).await.expect("a path");
        lists.push((list, path));
    }
    for (list, path) in lists {
        let sorts: BTreeSet<&str> =
            list.named_after("Sorts:").into_iter().map(|sort| sort.trim_start_matches('-')).collect();
        for sort in sorts.into_iter().flat_map(|sort| [sort.to_owned(), format!("-{sort}")]) {
            let path = format!("{path}{}sort={sort}", if path.contains('?') { '&' } else { '?' });
            let there = ids(&walk(&admin, &path, 200).await);
            assert!(EMPTY.contains(&list.id) || there.len() > 1, "{path} has nothing to walk");
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            for page in 0.. {
                let reply = admin.get(&format!("{path}&limit=2{cursor}")).await.assert_status(200);
                seen.extend(ids(reply["data"].as_array().expect("rows")));
                let Some(next) = reply["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
                if page < 3 {
                    go_on(&shop, number, &contacts).await;
                    number += 1;
                }
            }
            let once: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(once.len(), seen.len(), "{path} repeats rows");
            let lost: Vec<&String> = there.iter().filter(|id| !once.contains(id)).collect();
            assert!(lost.is_empty(), "{path} loses {lost:?}");
            let counted = admin.get(&format!("{path}&counts=true&limit=1")).await.assert_status(200);
            assert_eq!(counted["counts"]["filtered"], walk(&admin, &path, 200).await.len(), "{path}");
        }
    }
    assert!(number > 30, "the lists grew by only {number} rows");
}
