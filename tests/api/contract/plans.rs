//! Query plans: whatever a read asks the database, an index answers, in the order wanted, however many rows
//! there are.
//!
//! The statements are those that really run, heard while the requests of the document are sent, with
//! their values. SQLite, which keeps no statistics, plans by the schema alone. PostgreSQL plans by what
//! is in the tables, so these are filled first; then each statement is run and what it touched is counted.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::*;
use crate::support::{group, on_postgres, public};

/// Tables of people and of what an administrator sets up: they stay in the hundreds, and are read whole.
const SMALL: &[&str] = &[
    "users",
    "identities",
    "groups",
    "picklists",
    "picklist_items",
    "variables",
    "work_item_types",
    "routing_rules",
    "forms",
    "sources",
    "connectors",
    "signing_keys",
];

/// Columns of which most rows have the same value, so that an index of it would find most rows.
const COMMON: &[&str] = &["audience", "active", "merged_into_id"];

/// Rows of every other table, once it is filled.
const MANY: i64 = 20_000;

/// Rows that one step of a statement may look at in vain, read without an index, or sort.
const FEW: f64 = 1_000.0;

/// The lists that people look at all day, besides each list as it is by default.
fn hot(group: &str) -> Vec<String> {
    let mut paths = ["me", "public", &format!("group:{group}")]
        .map(|who| format!("/v1/action-items?assignee={who}"))
        .to_vec();
    for rest in [
        "issues?assignee=me",
        "issues?assignee=public",
        "issues?type=uncategorised",
        "issues?status=closed",
        "interactions?operator=me",
        "interactions?response=unanswered",
        "interactions?response=unanswered&assignee=me",
        "interactions?response=unanswered&assignee=public",
        "interactions?response=answered",
        "interactions?assignee=me",
        "interactions?assignee=public",
    ] {
        paths.push(format!("/v1/{rest}"));
    }
    paths.push("/v1/issues?subject=order:A-1001".into());
    for filter in [
        "assignee=me",
        "assignee=public",
        "assignee=me&status=pending",
        "status=closed",
        "type=support_ticket&status=new",
        "category=support",
        "source=manual&include_inactive=true",
        "include_inactive=true",
        "external_id=quiz:R-1",
        "external_id=quiz:R-1&include_inactive=true&sort=-created_at",
    ] {
        paths.push(format!("/v1/work-items?{filter}"));
    }
    for filter in [
        "state=unread",
        "state=read",
        "entities=work_items",
        "entities=work_items&priority=any",
        "entities=work_items&state=unread",
    ] {
        paths.push(format!("/v1/inbox?{filter}"));
    }
    for queue in ["mine", "public", group] {
        paths.push(format!("/v1/queues/{queue}/items"));
        paths.push(format!("/v1/queues/{queue}/items?view=all"));
    }
    for filter in [
        "kind=vendor",
        "status=active",
        "sort=status",
        "sort=-created_at",
        "sort=updated_at",
        "owner=me",
        "email=zoe@shop.example",
        "phone=15145550123",
        "external_id=shop:C-1",
        "name_prefix=trem",
        "country=CA&postal_code_prefix=H2",
    ] {
        paths.push(format!("/v1/contacts?{filter}"));
    }
    for list in ["interactions", "action-items", "notes"] {
        paths.push(format!("/v1/{list}?work_item_id={NOTHING}"));
    }
    for rest in [
        "action-items?variable=mood:happy",
        "action-items?variable=mood:happy&include_completed=true",
        "action-items?contact_status=active",
        "action-items?contact_status=active&include_completed=true",
        "action-items?subject=order:A-1001",
        "notes?subject=order:A-1001",
        "action-items?status=completed&assignee=me",
        "events?after=5",
        "notes?q=%22called%22",
        "notes?q=nothing",
        "action-items?q=%22look+again%22",
        "action-items?q=%22answer%22&assignee=me",
        "contacts?q=ruiz",
        "search?q=called+-nobody&kind=note",
    ] {
        paths.push(format!("/v1/{rest}"));
    }
    paths
}

/// A shop whose statements are kept until they are asked for.
struct Overheard {
    shop: TestApp,
    heard: Arc<Mutex<Vec<Statement>>>,
}

impl Overheard {
    async fn open() -> Self {
        let heard: Arc<Mutex<Vec<Statement>>> = Arc::default();
        let hear = heard.clone();
        let shop =
            TestApp::with_observer(move |statement| hear.lock().expect("statements").push(statement.clone()))
                .await;
        Self { shop, heard }
    }

    /// The queries since the last time, with what was asked for.
    fn queries(&self, asked: &str) -> Vec<(String, Statement)> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("statements"));
        heard
            .into_iter()
            .filter(|statement| statement.sql.starts_with("SELECT"))
            .map(|statement| (asked.to_owned(), statement))
            .collect()
    }
}

// B-9: no query for each row. The same words and the same owner are read once in a transaction.
#[actix_web::test]
async fn b_9_fifty_items_ask_no_more_than_one() {
    let overheard = Overheard::open().await;
    let admin = overheard.shop.by(&overheard.shop.admin);
    let item = json!({ "title": "Answer", "due_in": "tomorrow", "action": "call" });
    let write = async |items: usize| {
        let note = json!({ "subject": { "type": "order", "id": "A-1001" }, "title": "Called",
            "action_items": vec![item.clone(); items] });
        admin.post("/v1/notes", note).await.assert_status(201);
        overheard.queries("").len()
    };
    write(1).await;
    assert_eq!(write(50).await, write(1).await);
}

// The goal of quality.md: ten million rows cost what ten thousand do.
#[actix_web::test]
async fn every_read_is_served_by_an_index() {
    let overheard = Overheard::open().await;
    let shop = &overheard.shop;
    stock(shop).await;
    let ana = shop.sign_in("ana.ruiz@shop.example", crate::support::PASSWORD).await;
    let shipping = shop.by(&shop.admin).get("/v1/groups?key=shipping").await.assert_status(200);
    let shipping = text(&shipping["data"][0]["id"]);
    for (minute, assignee) in
        [(30, public()), (31, public()), (32, group(&shipping)), (33, group(&shipping)), (34, user(&ana))]
    {
        shop.action_item(&shop.admin, "Answer", &format!("2026-03-18T09:{minute}:00Z"), assignee).await;
    }
    let (admin, agent) = (shop.by(&shop.admin), shop.by(&ana));
    overheard.queries("");

    let mut queries = Vec::new();
    for operation in Operation::all()
        .into_iter()
        .filter(|operation| operation.method == Method::GET && !EMPTY.contains(&operation.id))
    {
        // What there is nothing of here is read in vain, which takes the same plan.
        let path = operation.real(&admin).await.unwrap_or_else(|| operation.nowhere());
        let path = match operation {
            _ if operation.parameter("cursor").is_some() => format!("{path}?limit=1"),
            _ if operation.parameter("include_own_company").is_some() => format!("{path}?from=2026-03-18"),
            _ => path,
        };
        overheard.queries("");
        let reply = admin.get(&path).await;
        queries.extend(overheard.queries(&path));
        if let Some(next) = reply.json["next_cursor"].as_str() {
            let path = format!("{path}&cursor={next}");
            admin.get(&path).await.assert_status(200);
            queries.extend(overheard.queries(&path));
        }
    }
    for path in hot(&shipping) {
        agent.get(&path).await.assert_status(200);
        queries.extend(overheard.queries(&path));
    }
    for queue in ["public", &shipping] {
        let path = format!("/v1/queues/{queue}/claim-next");
        agent.command(&path).await.assert_status(200);
        queries.extend(overheard.queries(&path));
    }
    // A visitor whose id is looked for among those that were claimed before.
    let mut new =
        json!({ "name": "Quiz page", "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz"] });
    new["origins"] = json!(["https://shop.example"]);
    let page = text(&admin.post("/v1/api-keys", new).await.assert_status(201)["secret"]);
    admin.patch("/v1/forms/quiz", json!({ "mapping": { "external_id": "/id" } })).await.assert_status(200);
    for number in 0..3 {
        overheard.queries("");
        let said = json!({ "id": "R-1", "email": format!("visitor{number}@mail.example") });
        shop.with_token(&page)
            .header("origin", "https://shop.example")
            .post("/v1/intake/quiz", said)
            .await
            .assert_status(202);
        queries.extend(
            overheard
                .queries("/v1/intake/quiz")
                .into_iter()
                .filter(|(_, query)| query.sql.contains("claimed_id\" = ")),
        );
    }
    assert!(queries.len() > 50, "only {} queries were heard", queries.len());

    let database = shop.connect().await;
    let mut slow: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    if on_postgres() {
        fill(&database).await;
    }
    for (path, query) in queries {
        let plan =
            if on_postgres() { touched(&database, &query).await } else { planned(&database, &query).await };
        if !plan.is_empty() && seen.insert(query.sql.clone()) {
            slow.insert(format!("{path}\n  {}\n    {}", query.sql, plan.join("\n    ")));
        }
    }
    assert!(slow.is_empty(), "no index serves\n{}", slow.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Whether it counts rows by a key: these must be read, in whatever order, and no others.
fn is_counted(query: &Statement) -> bool {
    query.sql.contains(" GROUP BY ")
}

/// What in SQLite's plan of a query no index serves.
async fn planned(database: &DatabaseConnection, query: &Statement) -> Vec<String> {
    let explain = Statement { sql: format!("EXPLAIN QUERY PLAN {}", query.sql), ..query.clone() };
    let rows = database.query_all_raw(explain).await.expect("a plan");
    let steps: Vec<String> = rows.iter().map(|row| row.try_get_by("detail").expect("a step")).collect();
    // What a subquery made is read as it comes.
    let made: Vec<&str> = steps
        .iter()
        .filter_map(|step| step.strip_prefix("CO-ROUTINE ").or(step.strip_prefix("MATERIALIZE ")))
        .collect();
    let asks_words = |step: &str| step.contains(" VIRTUAL TABLE INDEX ") && step.contains(":M");
    let of = |step: &str, verb: &str| {
        step.strip_prefix(verb).and_then(|rest| rest.split(' ').next()).map(str::to_owned)
    };
    let whole = |step: &str| {
        // FTS5 that is asked for words looks these up.
        let table = of(step, "SCAN ").filter(|_| !step.contains(" USING ") && !asks_words(step));
        table.is_some_and(|table| {
            !made.contains(&table.as_str()) && table != "CONSTANT" && !SMALL.contains(&table.as_str())
        })
    };
    // An index that has none of the values that were asked for looks through all the others.
    let counted = is_counted(query);
    let in_vain = |step: &str| {
        if counted {
            return false;
        }
        let Some(table) = of(step, "SCAN ").or_else(|| of(step, "SEARCH ")) else { return false };
        let asked = equalities(&query.sql, &table);
        !SMALL.contains(&table.as_str())
            && !asked.is_empty()
            && !asked.iter().any(|column| step.contains(&format!("{column}=?")))
    };
    // Sorting costs only where a limit then throws rows away, and these were not named by id.
    let cut = query.sql.contains(" LIMIT ")
        && !counted
        && !steps.first().is_some_and(|step| step.ends_with(" (id=?)"));
    let sorts = |step: &str| step.starts_with("USE TEMP B-TREE FOR") && step.ends_with("ORDER BY") && cut;
    let unserved =
        steps.iter().any(|step| whole(step) || in_vain(step) || sorts(step) || step.contains("AUTOMATIC"));
    if unserved { steps } else { Vec::new() }
}

/// The columns of a table that a query compares with one value or a few.
fn equalities(sql: &str, table: &str) -> Vec<String> {
    let of_table = format!("\"{table}\".\"");
    let columns = sql.split(&of_table).skip(1).filter_map(|rest| rest.split_once("\" "));
    let compared =
        columns.filter(|(_, after)| ["= ?", "IN (?", "IS NULL"].iter().any(|start| after.starts_with(start)));
    compared
        .map(|(column, _)| column.to_owned())
        .filter(|column| !COMMON.contains(&column.as_str()))
        .collect()
}

/// What PostgreSQL touched in vain when it ran a query: read whole, threw away, or sorted.
async fn touched(database: &DatabaseConnection, query: &Statement) -> Vec<String> {
    fn walk(node: &Value, counted: bool, found: &mut Vec<String>) {
        let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
        let loops = number("Actual Loops");
        let kind = node["Node Type"].as_str().unwrap_or_default();
        let removed = number("Rows Removed by Filter")
            + number("Rows Removed by Index Recheck")
            + number("Rows Removed by Join Filter");
        let read = (number("Actual Rows") + removed) * loops;
        let vain = match kind {
            "Seq Scan" | "Sort" | "Incremental Sort" if !counted => read,
            _ => removed * loops,
        };
        if vain > FEW {
            found.push(format!(
                "{kind} of {vain} rows: {}",
                node["Relation Name"].as_str().or(node["Sort Key"][0].as_str()).unwrap_or_default()
            ));
        }
        node["Plans"].as_array().into_iter().flatten().for_each(|inner| walk(inner, counted, found));
    }
    let explain = Statement {
        sql: format!("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {}", query.sql),
        ..query.clone()
    };
    let row = database.query_one_raw(explain).await.expect("a plan").expect("a plan");
    let plan: Value = row.try_get_by_index(0).expect("a plan in JSON");
    let mut found = Vec::new();
    walk(&plan[0]["Plan"], is_counted(query), &mut found);
    found
}

/// Fills the tables with copies of what is in them, spread over time, subjects and people.
async fn fill(database: &DatabaseConnection) {
    let run = async |sql: &str| {
        database.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    };
    let ask = async |sql: &str| -> Vec<(String, String)> {
        let rows =
            database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.expect("rows");
        rows.iter()
            .map(|row| (row.try_get_by_index(0).expect("text"), row.try_get_by_index(1).expect("text")))
            .collect()
    };
    let tables = ask("SELECT table_name::text, '' FROM information_schema.columns WHERE table_schema = \
         'public' AND column_name = 'id' AND data_type = 'uuid'")
    .await;
    for (table, _) in
        tables.iter().filter(|(table, _)| !SMALL.contains(&table.as_str()) && table != "search_index")
    {
        let columns = ask(&format!(
            "SELECT column_name::text, data_type::text FROM information_schema.columns WHERE table_name = \
             '{table}' AND is_identity = 'NO'"
        ))
        .await;
        let keys = ask(&format!(
            "SELECT column_name::text, constraint_type::text FROM information_schema.table_constraints \
             JOIN information_schema.key_column_usage USING (constraint_name, table_name) WHERE table_name = \
             '{table}'"
        ))
        .await;
        let copied = columns.iter().map(|(name, kind)| {
            let key = keys.iter().find(|(column, _)| column == name).map(|(_, kind)| kind.as_str());
            match (name.as_str(), kind.as_str(), key) {
                (_, "uuid", Some("PRIMARY KEY" | "UNIQUE")) => "gen_random_uuid()".to_owned(),
                // What is given once, be it an id that another system gave.
                (_, "text", Some("UNIQUE")) | ("external_id" | "receipt", "text", None) => {
                    format!("{name} || '-' || copy")
                }
                (_, "bigint", Some("UNIQUE")) => format!("{name} + copy * 1000000"),
                (_, _, Some(_)) => name.clone(),
                (name, "bigint", None) if name == "at" || name.ends_with("_at") => {
                    format!("{name} + (copy % 2001 - 1000) * 3600000000")
                }
                (name, "uuid", None) if name.ends_with("_id") => {
                    format!(
                        "CASE WHEN copy % 40 = 0 THEN {name} ELSE md5({name}::text || copy % 200)::uuid END"
                    )
                }
                (name, "text", None) if name.ends_with("_id") => {
                    format!("{name} || CASE WHEN copy % 40 = 0 THEN '' ELSE '-' || copy % 200 END")
                }
                (name, ..) => name.to_owned(),
            }
        });
        let (copied, names): (Vec<String>, Vec<&str>) =
            (copied.collect(), columns.iter().map(|(name, _)| name.as_str()).collect());
        run(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table}, generate_series(1, {MANY} / (SELECT \
             GREATEST(COUNT(*), 1) FROM {table})) AS copy",
            names.join(", "),
            copied.join(", ")
        ))
        .await;
    }
    // Most of what there was to do is done.
    run("UPDATE action_items SET status = 'completed', completed_at = due_at, completed_by_id = \
         created_by_id WHERE md5(id::text) > '2'")
    .await;
    run("UPDATE work_items SET status = 'resolved', active = FALSE WHERE md5(id::text) > '2'").await;
    run("UPDATE issues SET status = 'closed', closed_at = opened_at, closed_by_id = opened_by_id WHERE \
         md5(id::text) > '2'")
    .await;
    run(
        "UPDATE interactions SET response = 'answered' WHERE response = 'unanswered' AND md5(id::text) > '2'",
    )
    .await;
    // One in 2,048 says what it was copied from: what much says, PostgreSQL rightly reads from the newest on,
    // or whole.
    run("CREATE TEMPORARY VIEW said AS SELECT id, title FROM notes UNION ALL SELECT id, title FROM \
         action_items UNION ALL SELECT id, name FROM contacts")
    .await;
    run("INSERT INTO search_index (id, kind, words) \
         SELECT copy.id, kind, CASE WHEN md5(copy.id::text) < '002' THEN words ELSE CAST('''kind:' || kind \
         || ''' ''other'':1' AS tsvector) END \
         FROM said AS copy JOIN (SELECT DISTINCT ON (kind, title) kind, title, words FROM said JOIN \
         search_index USING (id)) AS found USING (title) \
         ORDER BY md5(copy.id::text || 'mixed') ON CONFLICT DO NOTHING")
    .await;
    // What modules know is known of many contacts.
    run("UPDATE facts SET contact_id = COALESCE((SELECT id FROM contacts WHERE id > \
         md5(facts.id::text)::uuid ORDER BY id LIMIT 1), contact_id) \
         WHERE md5(id::text) > '08'")
    .await;
    run("VACUUM ANALYZE").await;
}
