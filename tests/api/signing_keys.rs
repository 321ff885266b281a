//! The private keys of access tokens at rest: encrypted with the server's key, and made anew when that is
//! lost.

use base64::{Engine, prelude::BASE64_STANDARD};
use caseload::{
    access::sessions,
    app::{config::Config, start},
    kernel::{
        secrets::{Key, Keyring},
        services::Services,
    },
};
use sea_orm::{ConnectionTrait, Statement};

use std::{path::Path, sync::Arc};

use crate::support::{Person, SECRET_KEY, TestApp, Value, all, column, folder, json, on_postgres};

/// A private key for nothing but these tests.
const ED: &[u8] = include_bytes!("support/keys/ed.der");
/// Its public one.
fn public() -> String {
    use ed25519_dalek::{SigningKey, pkcs8::DecodePrivateKey};
    base64::prelude::BASE64_URL_SAFE_NO_PAD
        .encode(SigningKey::from_pkcs8_der(ED).expect("a key").verifying_key())
}

/// A shop and the settings it was opened with.
async fn open() -> (TestApp, Config) {
    let mut kept = None;
    let shop = TestApp::with(|config| kept = Some(config.clone())).await;
    (shop, kept.expect("settings"))
}

fn key(byte: u8) -> Key {
    BASE64_STANDARD.encode([byte; 32]).parse().expect("a key")
}

/// The private keys, each with its id and whether it says to be encrypted, newest first.
async fn kept(shop: &TestApp) -> Vec<(String, Vec<u8>, bool)> {
    let database = shop.connect().await;
    let select = "SELECT id, private_key, sealed FROM signing_keys ORDER BY created_at DESC, id DESC";
    let rows = database
        .query_all_raw(Statement::from_string(database.get_database_backend(), select))
        .await
        .expect("rows");
    database.close().await.expect("a closed connection");
    let read = |row: &sea_orm::QueryResult| {
        Ok::<_, sea_orm::DbErr>((
            row.try_get("", "id")?,
            row.try_get("", "private_key")?,
            row.try_get("", "sealed")?,
        ))
    };
    rows.iter().map(|row| read(row).expect("a key")).collect()
}

/// Whether a private key opens with a key alone.
fn opens((id, private, sealed): &(String, Vec<u8>, bool), with: Key) -> bool {
    let text = String::from_utf8(private.clone()).expect("text");
    *sealed && Keyring::new(Some(with), None, None).open(&format!("signing_key:{id}"), &text).is_ok()
}

/// The newest key, as an older release kept it.
async fn insert_plain(shop: &TestApp) {
    let hex = ED.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let bytes = if on_postgres() { format!("'\\x{hex}'") } else { format!("X'{hex}'") };
    let now = shop.db.clock().now().0;
    let insert = format!(
        "INSERT INTO signing_keys (id, private_key, public_key, created_at) VALUES ('plain', {bytes}, '{}', \
         {now})",
        public()
    );
    let database = shop.connect().await;
    database
        .execute_unprepared("UPDATE signing_keys SET created_at = created_at - 1000000")
        .await
        .expect("an older key");
    database.execute_unprepared(&insert).await.expect("a key");
    database.close().await.expect("a closed connection");
}

async fn status(shop: &TestApp, person: &Person) -> u16 {
    shop.by(person).get("/v1/users/me").await.status
}

async fn published(shop: &TestApp) -> Vec<String> {
    let jwks = shop.anonymous().get("/.well-known/jwks.json").await.assert_status(200);
    column(&json!({ "data": jwks["keys"] }), "kid")
}

fn kid(person: &Person) -> String {
    let head = person.token.split('.').next().expect("a head");
    let head: Value =
        serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(head).expect("base64"))
            .expect("JSON");
    head["kid"].as_str().expect("a kid").to_owned()
}

#[actix_web::test]
async fn private_keys_are_encrypted_at_rest() {
    let (shop, _) = open().await;
    let rows = kept(&shop).await;
    assert_eq!(rows.len(), 1);
    assert!(opens(&rows[0], SECRET_KEY.parse().expect("a key")), "{rows:?}");

    // What an older release kept is encrypted at the next start, and goes on signing.
    insert_plain(&shop).await;
    let before = shop.again(&shop.admin).await;
    assert_eq!((kid(&before), kept(&shop).await[0].2), ("plain".into(), false));
    sessions::protect_signing_keys(&shop.services).await.expect("encrypted keys");
    let rows = kept(&shop).await;
    assert!(
        rows.len() == 2 && rows.iter().all(|row| opens(row, SECRET_KEY.parse().expect("a key"))),
        "{rows:?}"
    );
    let after = shop.again(&shop.admin).await;
    assert_eq!(
        (kid(&after), status(&shop, &before).await, status(&shop, &shop.admin).await),
        ("plain".into(), 200, 200)
    );
    sessions::protect_signing_keys(&shop.services).await.expect("nothing to do");
    assert_eq!(kept(&shop).await, rows);
    // Nor does it stay where it was.
    shop.db.close().await;
    if let Some(file) = shop.database.strip_prefix("sqlite://") {
        let bytes = std::fs::read(file).expect("the database");
        let secret = &ED[16..48];
        assert!(!bytes.windows(secret.len()).any(|found| found == secret));
    }
}

#[actix_web::test]
async fn a_new_key_encrypts_them_anew_and_no_session_ends() {
    let (shop, config) = open().await;
    let (old, new) = (config.secret_key.clone(), Some(key(7)));
    let other =
        shop.second_instance(Config { secret_key: new.clone(), secret_key_old: old, ..config.clone() }).await;
    sessions::protect_signing_keys(&other.services).await.expect("encrypted keys");
    let rows = kept(&shop).await;
    assert!(rows.len() == 1 && opens(&rows[0], key(7)), "{rows:?}");
    // An instance that has not been restarted signs with one of its own meanwhile.
    let meanwhile = shop.again(&shop.admin).await;
    let restarted = shop.second_instance(Config { secret_key: new, ..config }).await;
    for person in [&shop.admin, &meanwhile, &other.admin, &restarted.admin] {
        assert_eq!((status(&shop, person).await, status(&restarted, person).await), (200, 200));
    }
}

// A copy of the database is of no use to anybody without the key, and the shop goes on without it.
#[actix_web::test]
async fn a_database_without_its_key_makes_another_and_ends_the_sessions() {
    let (shop, config) = open().await;
    let tokens = shop
        .anonymous()
        .post("/v1/auth/token", json!({ "email": "admin@localhost", "password": crate::support::PASSWORD }))
        .await
        .assert_status(200);
    let lost = kid(&shop.admin);
    let without = shop.second_instance(Config { secret_key: Some(key(7)), ..config.clone() }).await;
    let second = shop.second_instance(Config { secret_key: Some(key(7)), ..config.clone() }).await;
    assert_eq!(status(&without, &shop.admin).await, 200, "until it is noticed");
    for done in all([&without, &second].map(|shop| sessions::protect_signing_keys(&shop.services))).await {
        done.expect("both agree");
    }
    let rows = kept(&shop).await;
    assert!(!rows.is_empty() && rows.iter().all(|row| opens(row, key(7))), "{rows:?}");
    // Who is remembered is so for some seconds; another instance has met nobody yet.
    let third = shop.second_instance(Config { secret_key: Some(key(7)), ..config }).await;
    assert!(!published(&third).await.contains(&lost));
    for person in [&shop.admin, &without.admin, &second.admin] {
        assert_eq!(third.by(person).get("/v1/users/me").await.problem(401), "invalid_token");
    }
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    assert_eq!(third.anonymous().post("/v1/auth/refresh", refresh).await.problem(401), "invalid_token");
    sessions::protect_signing_keys(&third.services).await.expect("nothing to do");
    let admin = without.again(&without.admin).await;
    assert_eq!(
        (status(&third, &third.admin).await, status(&third, &admin).await, status(&second, &admin).await),
        (200, 200, 200)
    );
}

// A key that is there and cannot be read just now is not lost: nothing is thrown away for it.
#[actix_web::test]
async fn a_key_file_that_cannot_be_read_is_not_lost() {
    let (shop, config) = open().await;
    let file = folder().join("caseload.key");
    let with_file = async |file: &Path| {
        let keyring = Arc::new(Keyring::new(None, None, Some(file.to_owned())));
        let services = start::open(&config, shop.clock.clone()).await.expect("a database");
        Services { keyring, ..services }
    };
    let rows = kept(&shop).await;
    let admin: uuid::Uuid = shop.admin.id.parse().expect("an id");
    let short = BASE64_STANDARD.encode([7; 16]);
    for content in [Some("nonsense"), Some(short.as_str()), Some(""), Some("\u{fffd}"), None] {
        match content {
            Some(content) => std::fs::write(&file, content).expect("a file"),
            // What cannot even be opened: a folder stands there.
            None => {
                std::fs::remove_file(&file).expect("no file");
                std::fs::create_dir(&file).expect("a folder");
            }
        }
        let services = with_file(&file).await;
        let refused = sessions::protect_signing_keys(&services).await.expect_err("a refusal").to_string();
        assert!(
            refused.contains("caseload.key") && refused.contains("put back the one of the backup"),
            "{refused}"
        );
        // Nor does whoever signs in without having been at the start.
        let context = shop.db.system_context("sign-in");
        sessions::start(&services, context, admin, 900).await.map(drop).expect_err("no key to sign with");
        assert_eq!(kept(&shop).await, rows, "{content:?}");
        services.db.close().await;
    }
    let fresh = shop.second_instance(config.clone()).await;
    assert_eq!((status(&shop, &shop.admin).await, status(&fresh, &shop.admin).await), (200, 200));
    // It is put right, and everything is as it was.
    std::fs::remove_dir(&file).expect("no folder");
    std::fs::write(&file, SECRET_KEY).expect("the key");
    let services = with_file(&file).await;
    sessions::protect_signing_keys(&services).await.expect("nothing to do");
    services.db.close().await;
    assert_eq!((kept(&shop).await, status(&fresh, &shop.admin).await), (rows, 200));
}
