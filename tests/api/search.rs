//! Search: over everything that people wrote, and `q` in their lists.

use caseload::kernel::db::Db;
use migration::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;

use crate::support::*;

fn note(title: &str, body: &str) -> Value {
    json!({ "subject": { "type": "order", "id": "A-1001" }, "title": title, "body": body })
}

/// Writes notes with these titles, a minute apart.
async fn notes(shop: &TestApp, titles: &[&str]) {
    for (minute, title) in titles.iter().enumerate() {
        shop.time_is(&format!("2026-03-18T09:{minute:02}:00Z"));
        shop.by(&shop.admin).post("/v1/notes", note(title, "")).await.assert_status(201);
    }
}

/// The titles of what is found.
async fn found(by: &Caller<'_>, q: &str) -> Vec<String> {
    let found = by.get(&format!("/v1/search?q={}", encoded(q))).await.assert_status(200);
    let mut titles = column(&found, "title");
    titles.sort();
    // The list of notes finds the same.
    let mut listed =
        column(&by.get(&format!("/v1/notes?q={}", encoded(q))).await.assert_status(200), "title");
    listed.sort();
    assert_eq!(titles, listed, "{q}");
    titles
}

// S2-1: people type without accents and without capitals, in English and in French.
#[actix_web::test]
async fn s2_1_case_and_accents_do_not_matter() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    notes(
        &shop,
        &["Crème brûlée pour l'été", "The Œuvre of Ångström", "STRASSE and straße", "Ёлка и ель", "Οδυσσεύς"],
    )
    .await;
    for (q, title) in [
        ("creme", "Crème brûlée pour l'été"),
        ("BRÛLÉE", "Crème brûlée pour l'été"),
        ("cre\u{300}me brulee ete", "Crème brûlée pour l'été"),
        ("l'ete", "Crème brûlée pour l'été"),
        ("oeuvre angstrom", "The Œuvre of Ångström"),
        ("Strasse", "STRASSE and straße"),
        ("елка", "Ёлка и ель"),
        ("ΟΔΥΣΣΕΥΣ", "Οδυσσεύς"),
    ] {
        assert_eq!(found(&admin, q).await, [title], "{q}");
    }
}

#[actix_web::test]
async fn s2_1_every_script_and_emoji_are_found() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let titles = [
        "東京タワーの写真",
        "महंगा सामान",
        "ราคาแพง",
        "שָׁלוֹם עולם",
        "مُحَمَّد سأل",
        "배송 지연",
        "Sent 🚚 today",
        "Family 👩‍👧",
    ];
    notes(&shop, &titles).await;
    for (q, title) in ["東京", "सामान", "ราคา", "שלום", "محمد", "배송", "🚚", "👧"].into_iter().zip(titles)
    {
        assert_eq!(found(&admin, q).await, [title], "{q}");
    }
    assert_eq!(found(&admin, "京東").await, [""; 0], "signs stand in their order");
    assert_eq!(found(&admin, "✈").await, [""; 0]);
}

#[actix_web::test]
async fn words_are_all_wanted_and_phrases_stand_in_a_row() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    notes(
        &shop,
        &["Credit card expired", "The card of his credit union", "Shipping A-1001 by express", "Ship it"],
    )
    .await;
    for (q, titles) in [
        ("credit card", &["Credit card expired", "The card of his credit union"][..]),
        ("card credit", &["Credit card expired", "The card of his credit union"]),
        ("\"credit card\"", &["Credit card expired"]),
        ("\"CREDIT  CARD", &["Credit card expired"]),
        ("\"credit ca\"*", &["Credit card expired"]),
        ("credit -union", &["Credit card expired"]),
        ("-\"credit card\" credit", &["The card of his credit union"]),
        ("credit -card", &[]),
        ("expres", &["Shipping A-1001 by express"]),
        ("expres by", &[]),
        ("expres* by", &["Shipping A-1001 by express"]),
        ("ship", &["Ship it", "Shipping A-1001 by express"]),
        ("ship it", &["Ship it"]),
        ("\"ship\"", &["Ship it"]),
        ("a-1001", &["Shipping A-1001 by express"]),
        ("1001-a", &[]),
        ("sh", &[]),
        ("nothing like it", &[]),
    ] {
        assert_eq!(found(&admin, q).await, titles, "{q}");
    }
}

// Whatever is typed is words: no grammar, and no way into the statement.
#[actix_web::test]
async fn nothing_that_is_typed_is_an_error_of_grammar() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    notes(&shop, &["Drop table of notes", "title x"]).await;
    for q in [
        "'; DROP TABLE notes; --",
        "table') OR 1=1",
        "\"table\" OR \"x",
        "table AND",
        "NOT table",
        "table*)",
        "(table",
        "title:x",
        "{title}: x",
        "^table",
        "table & ! | <->",
        "table:*A",
        "NEAR(table notes, 2)",
        "table \\",
        "table'",
        "''table",
        "table%",
        "table_",
        "$1 table",
        "? table",
        "table \u{202e}\u{200b}",
        "table \u{1}",
        "*table*",
        "--table x",
        "rowid:1",
        "+table",
        "table\u{fffd}",
    ] {
        admin.get(&format!("/v1/search?q={}", encoded(q))).await.assert_status(200);
        admin.get(&format!("/v1/notes?q={}", encoded(q))).await.assert_status(200);
        admin.get(&format!("/v1/action-items?q={}", encoded(q))).await.assert_status(200);
        admin.get(&format!("/v1/contacts?q={}", encoded(q))).await.assert_status(200);
        admin.get(&format!("/v1/queues/public/items?q={}", encoded(q))).await.assert_status(200);
    }
    assert_eq!(found(&admin, "table'").await, ["Drop table of notes"]);
    assert_eq!(found(&admin, "title:x").await, ["title x"]);
    assert_eq!(found(&admin, "table OR notes").await, [""; 0], "OR is a word");
}

#[actix_web::test]
async fn a_search_for_nothing_is_refused() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let longest = "é".repeat(200);
    for path in ["search", "notes", "action-items", "contacts", "queues/mine/items"] {
        for q in ["", " ", "-", "!?…", "\"\"", "*", "-paid", "\u{300}", &format!("{longest}x")] {
            let reply = admin.get(&format!("/v1/{path}?q={}", encoded(q))).await;
            assert_eq!(reply.violation_of(400), rules(&[("q", "invalid_value")]), "{path} {q:?}");
            assert_eq!(reply.json["code"], "bad_query");
        }
        admin.get(&format!("/v1/{path}?q={}", encoded(&longest))).await.assert_status(200);
        assert_eq!(
            admin.get(&format!("/v1/{path}?q=a%00b")).await.violation_of(400),
            rules(&[("q", "nul")]),
            "{path}"
        );
    }
    assert_eq!(admin.get("/v1/search").await.violation_of(400), rules(&[("q", "required")]));
    let all = admin.get("/v1/search?q=!&kind=order,note&limit=201&cursor=x").await;
    assert_eq!(all.violation_of(400).len(), 4, "{}", all.text);
    let bulk = json!({ "select": { "filter": { "q": "?" } }, "command": "complete" });
    assert_eq!(
        admin.post("/v1/action-items/bulk", bulk).await.violation_of(422),
        rules(&[("#/select/filter/q", "invalid_value")])
    );
}

// What was just written is found, what it said before is not.
#[actix_web::test]
async fn a_change_is_found_at_once() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let written = admin.post("/v1/notes", note("Rush shipping", "By Friday")).await.assert_status(201);
    let path = format!("/v1/notes/{}", text(&written["id"]));
    assert_eq!(found(&admin, "rush friday").await, ["Rush shipping"]);
    admin.patch(&path, json!({ "body": "By Monday" })).await.assert_status(200);
    assert_eq!(found(&admin, "rush friday").await, [""; 0]);
    assert_eq!(found(&admin, "rush monday").await, ["Rush shipping"]);
    admin.patch(&path, json!({ "title": "Slow shipping" })).await.assert_status(200);
    assert_eq!(found(&admin, "rush").await, [""; 0]);
    assert_eq!(found(&admin, "slow monday").await, ["Slow shipping"]);
    // A refusal leaves nothing behind, nor does a dry run.
    let refused = json!({ "subject": { "type": "order", "id": "A-1" }, "title": "Refused",
        "action_items": [{ "title": "Never" }] });
    assert_eq!(admin.post("/v1/notes", refused).await.status, 422);
    assert_eq!(found(&admin, "refused").await, [""; 0]);
    let item = shop.action_item(&shop.admin, "Answer her", "2026-03-18T10:00:00Z", public()).await;
    let bulk = |dry_run: bool| {
        json!({ "select": { "filter": { "q": "answer" } }, "set": {
            "title": "Call her" }, "dry_run": dry_run })
    };
    for (dry_run, q) in [(true, "answer"), (false, "call")] {
        let report = admin.post("/v1/action-items/bulk", bulk(dry_run)).await.assert_status(200);
        assert_eq!(report["succeeded"], 1, "{report}");
        let shown = admin.get(&format!("/v1/search?q={q}&kind=action_item")).await.assert_status(200);
        assert_eq!(column(&shown, "id"), [text(&item["id"])]);
    }
    assert_eq!(admin.get("/v1/search?q=answer").await.assert_status(200)["data"], json!([]));
}

#[actix_web::test]
async fn many_write_at_once_and_everything_is_found() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    all((0..30).map(|number| {
        let admin = admin.clone();
        async move {
            let title = format!("Pallet number{number}");
            let written = admin.post("/v1/notes", note(&title, "")).await.assert_status(201);
            assert_eq!(found(&admin, &format!("pallet \"number{number}\"")).await, [title]);
            admin
                .patch(&format!("/v1/notes/{}", text(&written["id"])), json!({ "body": "crate" }))
                .await
                .assert_status(200);
        }
    }))
    .await;
    let shown = admin.get("/v1/search?q=crate&limit=200").await.assert_status(200);
    assert_eq!((shown["found"].clone(), shown["complete"].clone()), (json!(30), json!(true)));
}

// S2-1: one question over everything; what fits best comes first.
#[actix_web::test]
async fn s2_1_everything_is_searched_and_the_best_comes_first() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let contact = json!({ "first_names": "Zoé", "last_name": "Tremblay",
        "company": "Épicerie Rush", "emails": ["zoe@epicerie.example"] });
    let contact = admin.post("/v1/contacts", contact).await.assert_status(201);
    let items = json!([{ "title": "Call about the rush", "due_in": "today" }]);
    let mut first = note(
        "Order for Friday",
        "She is in a hurry; there is no rush, they said, and many other words follow on this line of text.",
    );
    first["action_items"] = items;
    let first = admin.post("/v1/notes", first).await.assert_status(201);
    shop.time_is("2026-03-18T09:10:00Z");
    let second = admin.post("/v1/notes", note("Rush", "")).await.assert_status(201);

    let shown = admin.get("/v1/search?q=rush").await.assert_status(200);
    let ids = column(&shown, "id");
    assert_eq!(ids[0], text(&second["id"]), "a title that says nothing else: {shown}");
    assert_eq!(ids[3], text(&first["id"]), "a text that says much else: {shown}");
    let scores: Vec<f64> = shown["data"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["score"].as_f64().expect("a score"))
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| *score > 0.0), "{scores:?}");
    let item = shown["data"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["kind"] == "action_item")
        .expect("an item");
    assert_eq!(item["url"], format!("/v1/action-items/{}", text(&first["action_items"][0]["id"])));
    assert_eq!(item["subject"], json!({ "type": "order", "id": "A-1001" }));
    assert_eq!(item["highlights"], json!(["Call about the <mark>rush</mark>"]));
    let read = admin.get(item["url"].as_str().expect("a path")).await.assert_status(200);
    assert_eq!((&read["title"], &read["created_at"]), (&item["title"], &item["at"]));
    for row in shown["data"].as_array().expect("rows") {
        assert_eq!(admin.get(row["url"].as_str().expect("a path")).await.assert_status(200)["id"], row["id"]);
    }

    for (query, kinds) in [
        ("q=rush&kind=note", &["note", "note"][..]),
        ("q=rush&kind=action_item,contact", &["action_item", "contact"]),
        ("q=zoe", &["contact"]),
        ("q=zoe%40epicerie.example", &["contact"]),
        ("q=tremblay+zoe", &["contact"]),
        ("q=rush&limit=1", &["note"]),
    ] {
        let shown = admin.get(&format!("/v1/search?{query}")).await.assert_status(200);
        let mut found = column(&shown, "kind");
        found.sort();
        assert_eq!(found, kinds, "{query}");
    }
    assert_eq!(
        admin.get("/v1/search?q=zoe").await.assert_status(200)["data"][0]["contact_id"],
        contact["id"]
    );
    assert_eq!(
        column(&admin.get("/v1/contacts?q=epicerie+rush").await.assert_status(200), "id"),
        [text(&contact["id"])]
    );
    for kind in ["order", "notes", "note,", ""] {
        assert_eq!(
            admin.get(&format!("/v1/search?q=rush&kind={kind}")).await.violation_of(400),
            rules(&[("kind", "invalid_value")]),
            "{kind}"
        );
    }
    for limit in ["0", "201", "many"] {
        assert_eq!(
            admin.get(&format!("/v1/search?q=rush&limit={limit}")).await.violation_of(400),
            rules(&[("limit", "invalid_value")]),
            "{limit}"
        );
    }
}

// A contact that was merged is found by what it was known by: the list shows its survivor.
#[actix_web::test]
async fn s2_1_a_merged_contact_leads_to_its_survivor() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let gone = admin
        .post("/v1/contacts", json!({ "last_name": "Tremblay", "emails": ["old@shop.example"] }))
        .await
        .assert_status(201);
    let stays = admin.post("/v1/contacts", json!({ "last_name": "Gagnon" })).await.assert_status(201);
    admin
        .post(&format!("/v1/contacts/{}/merge", text(&gone["id"])), json!({ "into": stays["id"] }))
        .await
        .assert_status(200);
    for q in ["tremblay", "old", "gagnon"] {
        assert_eq!(
            column(&admin.get(&format!("/v1/contacts?q={q}")).await.assert_status(200), "id"),
            [text(&stays["id"])],
            "{q}"
        );
    }
}

// Highlights can be put into a page as they are, whatever the note says.
#[actix_web::test]
async fn highlights_are_harmless() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let body = format!(
        "{}<img src=x onerror='alert(1)'> &amp; \"café\"\r\n\r\n<mark>not</mark> {}",
        "before ".repeat(100),
        "after ".repeat(100)
    );
    admin.post("/v1/notes", note("<script>alert(1)</script>", &body)).await.assert_status(201);
    let shown = admin.get("/v1/search?q=alert+cafe").await.assert_status(200);
    let highlights: Vec<&str> = shown["data"][0]["highlights"]
        .as_array()
        .expect("excerpts")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(highlights[0], "&lt;script&gt;<mark>alert</mark>(1)&lt;/script&gt;");
    assert!(
        highlights[1].contains(
            "onerror=&#39;<mark>alert</mark>(1)&#39;&gt; &amp;amp; \
             &quot;<mark>café</mark>&quot; &lt;mark&gt;not"
        ),
        "{highlights:?}"
    );
    assert!(
        highlights[1].starts_with('…') && highlights[1].ends_with('…') && highlights[1].len() < 400,
        "{highlights:?}"
    );
    for html in highlights {
        let rest = html.replace("<mark>", "").replace("</mark>", "");
        assert!(!rest.contains(['<', '>', '"', '\'']), "{html}");
    }
    assert_eq!(shown["data"][0]["title"], "<script>alert(1)</script>", "a title is text");
}

// S0-21: everybody on staff may search; a key finds only what it may read.
#[actix_web::test]
async fn s0_21_a_credential_finds_what_it_may_read() {
    let shop = TestApp::open().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    notes(&shop, &["Rush shipping"]).await;
    shop.action_item(&shop.admin, "Rush it", "2026-03-18T10:00:00Z", public()).await;
    assert_eq!(shop.by(&ana).get("/v1/search?q=rush").await.assert_status(200)["found"], 2);
    let admin = shop.by(&shop.admin);
    for (scopes, kinds) in [
        (json!(["search:read"]), &[][..]),
        (json!(["search:read", "notes:read"]), &["note"]),
        (json!(["search:read", "action_items:read"]), &["action_item"]),
    ] {
        let key =
            admin.post("/v1/api-keys", json!({ "name": "Till", "scopes": scopes })).await.assert_status(201);
        let key = shop.with_token(key["secret"].as_str().expect("a secret"));
        assert_eq!(column(&key.get("/v1/search?q=rush").await.assert_status(200), "kind"), kinds);
        assert_eq!(key.get("/v1/search?q=rush&kind=contact").await.assert_status(200)["data"], json!([]));
    }
}

// S1-11, S2-3: words narrow a list beside everything else, in its own order, and are counted.
#[actix_web::test]
async fn s2_3_words_narrow_lists_and_queues() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for (hour, title, assignee) in [
        (12, "Call Zoé", public()),
        (11, "Call Ana", public()),
        (10, "Write to Zoé", public()),
        (13, "Call zoe again", user(&shop.admin)),
    ] {
        shop.action_item(&shop.admin, title, &format!("2026-03-18T{hour}:00:00Z"), assignee).await;
    }
    let titles = async |path: &str| each(&admin.rows(path).await, "title");
    assert_eq!(titles("/v1/action-items?q=call").await, ["Call Ana", "Call Zoé", "Call zoe again"]);
    assert_eq!(
        titles("/v1/action-items?q=call&limit=1&sort=-due_at").await,
        ["Call zoe again", "Call Zoé", "Call Ana"]
    );
    assert_eq!(titles("/v1/action-items?q=call&assignee=public").await, ["Call Ana", "Call Zoé"]);
    assert_eq!(titles("/v1/action-items?q=zoe&assignee=me").await, ["Call zoe again"]);
    assert_eq!(titles("/v1/queues/public/items?q=zoe").await, ["Write to Zoé", "Call Zoé"]);
    let counted = admin.get("/v1/action-items?q=zoe&counts=true&limit=1").await.assert_status(200);
    assert_eq!(counted["counts"], json!({ "filtered": 3, "total": 4, "exact": true }));
    let done = column(&admin.get("/v1/action-items?q=ana").await.assert_status(200), "id");
    admin.command(&format!("/v1/action-items/{}/complete", done[0])).await.assert_status(200);
    assert_eq!(titles("/v1/action-items?q=ana").await, [""; 0]);
    assert_eq!(titles("/v1/action-items?q=ana&status=completed").await, ["Call Ana"]);
    // A cursor belongs to its words.
    let page = admin.get("/v1/action-items?q=zoe&limit=1").await.assert_status(200);
    let other = format!("/v1/action-items?q=call&limit=1&cursor={}", text(&page["next_cursor"]));
    assert_eq!(admin.get(&other).await.problem(400), "bad_cursor");
}

// A mebibyte of pasted e-mail is found by its first words and its last.
#[actix_web::test]
async fn s0_19_the_longest_text_is_found() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let common = format!("{} zebra", "order ".repeat(174_000));
    admin.post("/v1/notes", note("Common", &common)).await.assert_status(201);
    let numbers: Vec<String> = (0..90_000).map(|number| format!("n{number:06}")).collect();
    admin.post("/v1/notes", note("Different", &numbers.join(" "))).await.assert_status(201);
    admin.post("/v1/notes", note("One word", &"é".repeat(1_048_576))).await.assert_status(201);
    assert_eq!(found(&admin, "order").await, ["Common"]);
    assert_eq!(found(&admin, "n000001").await, ["Different"]);
    assert_eq!(found(&admin, &"e".repeat(60)).await, ["One word"]);
    assert_eq!(found(&admin, &"É".repeat(199)).await, ["One word"]);
}

// What was there before there was a search is found as well.
#[actix_web::test]
async fn what_was_there_before_is_found() {
    let url = empty_database(&folder()).await;
    let database = Db::connect_once(&url).await.expect("a database");
    Migrator::up(&database, Some(6)).await.expect("the schema before");
    let nil = if on_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
    let many = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 450)";
    for sql in [
        format!(
            "{many} INSERT INTO notes (id, subject_type, subject_id, title, body, author_id, created_at, \
             updated_at, version) \
             SELECT {nil}, 'order', 'A-1001', 'Été ' || n, 'Crème', {nil}, 1700000000000000 + n / 7, \
             1700000000000000, 1 FROM numbers"
        ),
        format!(
            "INSERT INTO action_items (id, subject_type, subject_id, title, details, priority, \
             assignee_type, status, due_at, created_by_id, \
             created_at, updated_at, version) \
             VALUES ({nil}, 'order', 'A-1001', 'Answer', 'L''œuvre', 2, 'public', 'open', 1700000000000000, \
             {nil}, 1700000000000000, 1700000000000000, 1)"
        ),
    ] {
        database.execute_unprepared(&sql).await.expect("rows");
    }
    prepare_database(&url).await;
    let shop = TestApp::with(|config| config.database_url = url).await;
    let admin = shop.by(&shop.admin);
    assert_eq!(admin.get("/v1/search?q=creme&limit=1").await.assert_status(200)["found"], 450);
    assert_eq!(column(&admin.get("/v1/notes?q=ete+447").await.assert_status(200), "title"), ["Été 447"]);
    assert_eq!(column(&admin.get("/v1/search?q=oeuvre").await.assert_status(200), "title"), ["Answer"]);
    let id = column(&admin.get("/v1/notes?q=447").await.assert_status(200), "id").remove(0);
    admin.patch(&format!("/v1/notes/{id}"), json!({ "title": "Hiver" })).await.assert_status(200);
    assert_eq!(admin.get("/v1/search?q=447").await.assert_status(200)["found"], 0);
    assert_eq!(column(&admin.get("/v1/search?q=hiver").await.assert_status(200), "id"), [id]);
}

// B-1: of a word that is everywhere the newest thousand are ranked, and the answer says so.
#[actix_web::test]
async fn b_1_a_common_word_says_what_it_left_out() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let items: Vec<Value> = (0..50).map(|_| json!({ "title": "Answer", "due_in": "today" })).collect();
    for number in 0..21 {
        let mut new = note(&format!("Stocktaking {number}"), "");
        new["action_items"] = items.clone().into();
        admin.post("/v1/notes", new).await.assert_status(201);
    }
    let shown = admin.get("/v1/search?q=answer&limit=200").await.assert_status(200);
    assert_eq!(
        (shown["data"].as_array().map(Vec::len), &shown["found"], &shown["complete"]),
        (Some(200), &json!(1000), &json!(false))
    );
    let counted = admin.get("/v1/action-items?q=answer&counts=true&limit=1").await.assert_status(200);
    assert_eq!(counted["counts"]["filtered"], 1050, "a list leaves nothing out");
}

// S1-11, S4-6: what was said and what is open are found by their words as well.
#[actix_web::test]
async fn s1_11_interactions_and_issues_are_found() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let issue = json!({ "title": "Colis endommagé", "subject": { "type": "order", "id": "A-1001" } });
    let issue = admin.post("/v1/issues", issue).await.assert_status(201);
    let call = json!({
        "who": { "email": "zoe@epicerie.example" }, "channel": "phone", "subject_line": "Paiement",
        "complete": true,
        "detail": "Elle a payé d'avance par carte de crédit, avant le colis.",
    });
    let call = admin.post("/v1/interactions", call).await.assert_status(201);
    for (path, found) in [
        ("issues?q=endommage", &issue),
        ("search?q=COLIS&kind=issue", &issue),
        ("interactions?q=%22carte+de+credit%22", &call),
        ("search?q=avance+paiement&kind=issue,interaction", &call),
    ] {
        assert_eq!(
            column(&admin.get(&format!("/v1/{path}")).await.assert_status(200), "id"),
            [text(&found["id"])],
            "{path}"
        );
    }
}
