//! How e-mail addresses are compared: everywhere alike, and what was kept before is kept anew.

use caseload::kernel::db::Db;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::support::{
    TestApp, column, empty_database, encoded, folder, json, on_postgres, prepare_database, text,
};

/// A short id, as both databases write it.
fn id(number: u8) -> String {
    if on_postgres() {
        format!("'00000000-0000-7000-8000-0000000000{number:02x}'::uuid")
    } else {
        format!("X'000000000000700080000000000000{number:02x}'")
    }
}

async fn texts(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = database
        .query_all_raw(Statement::from_string(database.get_database_backend(), sql))
        .await
        .expect("rows");
    rows.iter().map(|row| row.try_get("", "found").expect("text")).collect()
}

// What is beyond ASCII was folded in another way; two accounts may turn out to have one address.
#[actix_web::test]
async fn keys_that_were_kept_are_kept_anew() {
    let url = empty_database(&folder()).await;
    let database = Db::connect_once(&url).await.expect("a database");
    let before = Migrator::migrations()
        .iter()
        .position(|migration| migration.name() == "m0021_address_keys")
        .expect("the migration");
    Migrator::up(&database, Some(u32::try_from(before).expect("a number"))).await.expect("the schema before");
    let people = [
        (1, "ana@bu\u{308}cher.example", "ana@bu\u{308}cher.example", false),
        (2, "ana@bücher.example", "ana@bücher.example", true),
        (3, "Ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example", true),
        (4, "\u{212a}atie@shop.example", "katie@shop.example", true),
        (5, "Zoe@shop.example", "zoe@shop.example", true),
    ];
    for (number, email, key, active) in people {
        let insert = format!(
            "INSERT INTO users (id, email, email_key, name, role, active, time_zone, created_at, updated_at, \
             version) \
             VALUES ({}, '{email}', '{key}', 'Ana', 'admin', {active}, 'UTC', {number}, 1, 1)",
            id(number)
        );
        database.execute_unprepared(&insert).await.expect("a user");
    }
    for (number, emails) in [
        (1, r#"["ÉLO+tea@shop.example","éLO+tea@shop.example","Zoe+tea@BÜCHER.example"]"#),
        (2, r#"["Zoe@shop.example"]"#),
    ] {
        let insert = format!(
            "INSERT INTO contacts (id, root_id, absorbed, kind, registered, first_names, last_name, company, \
             name, sort_name, emails, phones, \
             postal_key, other, external_ids, status, variables, marketing, created_at, updated_at, version) \
             VALUES ({0}, {0}, 0, 'customer', FALSE, '', '', '', 'Zoe', 'zoe', '{emails}', '[]', '', '', \
             '{{}}', '', '{{}}', '{{}}', 1, 1, 1)",
            id(number)
        );
        database.execute_unprepared(&insert).await.expect("a contact");
    }
    for (number, kind, key) in [
        (1, "email", "élo+tea@shop.example"),
        (1, "mailbox", "élo@shop.example"),
        (1, "email", "zoe+tea@bücher.example"),
        (1, "mailbox", "zoe@bücher.example"),
        (1, "name", "zoé"),
        (2, "email", "zoe@shop.example"),
    ] {
        let insert = format!(
            "INSERT INTO contact_keys (kind, key, contact_id) VALUES ('{kind}', '{key}', {})",
            id(number)
        );
        database.execute_unprepared(&insert).await.expect("a key");
    }
    prepare_database(&url).await;

    let users = texts(&database, "SELECT email_key AS found FROM users ORDER BY created_at").await;
    assert_eq!(users[1], "ana@xn--bcher-kva.example", "who is active and was there first has the address");
    for (place, end) in [(0, "01 ana@xn--bcher-kva.example"), (2, "03 ana@xn--bcher-kva.example")] {
        assert!(
            users[place].starts_with(" 00000000-0000-7000-8000-") && users[place].ends_with(end),
            "{users:?}"
        );
    }
    assert_eq!(users[3..], ["\u{212a}atie@shop.example", "zoe@shop.example"]);
    let keys = texts(
        &database,
        "SELECT kind || ' ' || key AS found FROM contact_keys ORDER BY contact_id, kind, key",
    )
    .await;
    let wanted = [
        "email zoe+tea@xn--bcher-kva.example",
        "email Élo+tea@shop.example",
        "email élo+tea@shop.example",
        "mailbox zoe@xn--bcher-kva.example",
        "mailbox Élo@shop.example",
        "mailbox élo@shop.example",
        "name zoé",
        "email zoe@shop.example",
    ];
    assert_eq!(keys, wanted);
    database.close().await.expect("a closed connection");
}

// S4-11: a contact is found by its address in whichever way it is written, and by nobody else's.
#[actix_web::test]
async fn s4_11_contacts_are_found_by_the_same_rule() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let known = admin
        .post("/v1/contacts", json!({ "emails": ["katie@Bücher.example", "KATIE@xn--bcher-kva.example"] }))
        .await
        .assert_status(201);
    assert_eq!(known["emails"].as_array().map(Vec::len), Some(1), "{known}");
    let found = async |email: &str| {
        let who = json!({ "who": { "email": email }, "channel": "phone", "subject_line": "Called",
            "complete": true });
        text(&admin.post("/v1/interactions", who).await.assert_status(201)["match"]["contact_id"])
    };
    assert_eq!(found("KATIE@xn--bcher-kva.example").await, text(&known["id"]));
    assert_ne!(found("katie+tea@xn--bcher-kva.example").await, text(&known["id"]));
    let by_email = async |email: &str| {
        let listed = admin.get(&format!("/v1/contacts?email={}", encoded(email))).await.assert_status(200);
        column(&listed, "id")
    };
    for same in ["KATIE@bücher.example", "katie@BU\u{308}CHER.example", " Katie@xn--bcher-kva.example"] {
        assert_eq!(by_email(same).await, [text(&known["id"])], "{same}");
    }
    for other in ["\u{212a}atie@bücher.example", "\u{ff4b}atie@bücher.example", "katie@bucher.example"] {
        assert_eq!(by_email(other).await, [""; 0], "{other}");
    }
}
