//! Signing in through an outside OpenID provider (S4-37), played by a small server of the test's own.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use sea_orm::ConnectionTrait;
use tokio::sync::watch;

use crate::support::{Person, Reply, TestApp, Value, all, column, json, text};

const AUDIENCE: &str = "caseload-desk";
/// Keys for nothing but these tests.
const RSA: &[u8] = include_bytes!("support/keys/rsa.der");
const EC: &[u8] = include_bytes!("support/keys/ec.der");
const ED: &[u8] = include_bytes!("support/keys/ed.der");
/// The start of every test, in seconds.
const NOW: i64 = 1_773_824_400;

/// Seconds that may have a fraction.
fn seconds(whole: i64) -> f64 {
    f64::from(u32::try_from(whole).expect("a time before 2106"))
}

/// A provider whose keys can be changed, and that can be slow or broken.
struct Provider {
    issuer: String,
    keys: Arc<Mutex<Vec<Value>>>,
    mood: Arc<Mood>,
    server: ServerHandle,
}

/// How a provider answers when it is asked for its keys.
#[derive(Default)]
struct Mood {
    asked: AtomicUsize,
    breaks: AtomicBool,
    hangs: watch::Sender<bool>,
}

impl Mood {
    async fn answer(&self, keys: &Mutex<Vec<Value>>) -> HttpResponse {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.hangs.subscribe().wait_for(|hangs| !hangs).await.expect("the mood changes");
        if self.breaks.load(Ordering::SeqCst) {
            return HttpResponse::InternalServerError().finish();
        }
        let set = json!({ "keys": *keys.lock().expect("keys") });
        HttpResponse::Ok().json(set)
    }
}

impl Provider {
    fn start() -> Self {
        let (keys, mood): (Arc<Mutex<Vec<Value>>>, Arc<Mood>) = Default::default();
        let shown = (keys.clone(), mood.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let server = HttpServer::new(move || {
            let (discovery, (keys, mood)) = (discovery.clone(), shown.clone());
            let keys = move || {
                let (keys, mood) = (keys.clone(), mood.clone());
                async move { mood.answer(&keys).await }
            };
            let discover = move || {
                let discovery = discovery.clone();
                async move { HttpResponse::Ok().json(discovery) }
            };
            App::new()
                .route("/.well-known/openid-configuration", web::get().to(discover))
                .route("/keys", web::get().to(keys))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("a server")
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { issuer, keys, mood, server: handle }
    }

    /// A shop that accepts its tokens.
    async fn shop(&self) -> TestApp {
        TestApp::with(|config| config.oidc = Some((self.issuer.clone(), AUDIENCE.into()))).await
    }

    fn publish(&self, kid: &str, algorithm: Algorithm) {
        let mut key =
            serde_json::to_value(Jwk::from_encoding_key(&private(algorithm), algorithm).expect("a key"))
                .expect("JSON");
        key["kid"] = json!(kid);
        key["use"] = json!("sig");
        self.keys.lock().expect("keys").push(key);
    }

    /// What a good token says, with some of it changed; null takes a claim away.
    fn claims(&self, changes: Value) -> Value {
        let mut claims = json!({ "iss": self.issuer, "aud": AUDIENCE, "sub": "1", "exp": NOW + 300 });
        (claims["email"], claims["email_verified"]) = (json!("ana.ruiz@shop.example"), json!(true));
        for (name, value) in changes.as_object().expect("changes") {
            claims[name] = value.clone();
        }
        claims.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        claims
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn private(algorithm: Algorithm) -> EncodingKey {
    match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_der(EC),
        Algorithm::EdDSA => EncodingKey::from_ed_der(ED),
        _ => EncodingKey::from_rsa_der(RSA),
    }
}

fn sign(kid: &str, algorithm: Algorithm, claims: &Value) -> String {
    let header = Header { kid: Some(kid.into()), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &private(algorithm)).expect("a token")
}

/// A token with any head at all, signed with the key of EdDSA.
fn sign_under(head: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(head), part(claims));
    let signature = SigningKey::from_pkcs8_der(ED).expect("a key").sign(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

async fn me(shop: &TestApp, token: &str) -> Reply {
    shop.with_token(token).get("/v1/users/me").await
}

// S4-37: an outside provider says who somebody is; what they may do is said here.
#[actix_web::test]
async fn s4_37_a_token_of_an_outside_provider_opens_the_door() {
    let provider = Provider::start();
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA] {
        provider.publish(&format!("{algorithm:?}"), algorithm);
    }
    let shop = provider.shop().await;
    let ana = shop.hire("Ana Ruiz", "agent").await;
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA] {
        let kid = format!("{algorithm:?}");
        let token = sign(
            &kid,
            algorithm,
            &provider.claims(json!({ "aud": ["else", AUDIENCE], "email_verified": true })),
        );
        let me = me(&shop, &token).await.assert_status(200);
        assert_eq!((&me["id"], &me["role"]), (&json!(ana.id), &json!("agent")), "{algorithm:?}");
    }
    // Signed with the right key, but not in the way that the key is for.
    let other_way = sign("RS256", Algorithm::PS256, &provider.claims(json!({})));
    assert_eq!(me(&shop, &other_way).await.problem(401), "invalid_token");
    // Who leaves here is out, whatever the provider says.
    let token =
        sign("EdDSA", Algorithm::EdDSA, &provider.claims(json!({ "email": "ANA.Ruiz@shop.example" })));
    me(&shop, &token).await.assert_status(200);
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", ana.id), json!({ "active": false }))
        .await
        .assert_status(200);
    assert_eq!(me(&shop, &token).await.problem(401), "invalid_token");
}

// S4-37
#[actix_web::test]
async fn s4_37_a_token_that_does_not_hold_is_refused() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    shop.hire("Ana Ruiz", "agent").await;
    let refused = [
        ("expired", json!({ "exp": NOW - 61 })),
        ("without an end", json!({ "exp": null })),
        ("not yet", json!({ "nbf": NOW + 61 })),
        ("for somebody else", json!({ "aud": "another-desk" })),
        ("for nobody", json!({ "aud": null })),
        ("from somebody else", json!({ "iss": "https://accounts.example" })),
        ("from nobody", json!({ "iss": null })),
        ("of a stranger", json!({ "email": "stranger@shop.example" })),
        ("of nobody", json!({ "email": null })),
        ("not verified", json!({ "email_verified": false })),
        ("not verified, in words", json!({ "email_verified": "false" })),
        ("of a nameless one", json!({ "sub": null })),
        ("of an empty name", json!({ "sub": "" })),
        ("of a blank name", json!({ "sub": " " })),
        ("of a number", json!({ "sub": 1 })),
        ("of several", json!({ "sub": ["1"] })),
        ("of a name too long", json!({ "sub": "x".repeat(256) })),
        ("of a name that is not ASCII", json!({ "sub": "\u{212a}" })),
        ("of a name with NUL", json!({ "sub": "a\0" })),
        ("for several others", json!({ "aud": ["another-desk", "else"] })),
        ("for nobody of a list", json!({ "aud": [] })),
        ("for a number", json!({ "aud": 1 })),
        ("from several", json!({ "iss": [provider.issuer] })),
        ("of an address with space", json!({ "email": "\u{a0}ana.ruiz@shop.example" })),
        ("of an address with NUL", json!({ "email": "ana.ruiz@shop.example\0" })),
        ("of several addresses", json!({ "email": ["ana.ruiz@shop.example"] })),
        ("ending in words", json!({ "exp": (NOW + 300).to_string() })),
        ("ending before time", json!({ "exp": -1 })),
        ("ending never", json!({ "exp": u64::MAX })),
        ("ending beyond numbers", json!({ "exp": 1e300 })),
        ("ending a moment ago", json!({ "exp": seconds(NOW) - 60.5 })),
        ("beginning in words", json!({ "nbf": "0" })),
        ("beginning before time", json!({ "nbf": -1.5 })),
        ("beginning in a moment", json!({ "nbf": seconds(NOW) + 60.5 })),
        ("made beyond time", json!({ "iat": 1e18 })),
    ];
    for (what, changes) in refused {
        let token = sign("one", Algorithm::EdDSA, &provider.claims(changes));
        assert_eq!(me(&shop, &token).await.problem(401), "invalid_token", "{what}");
    }
    let held = [
        json!({ "exp": NOW - 59 }),
        json!({ "nbf": NOW + 59 }),
        json!({ "exp": seconds(NOW) - 59.5, "iat": seconds(NOW) - 400.25, "nbf": 0 }),
        json!({ "nbf": seconds(NOW) + 59.5, "exp": 4e9 }),
        json!({ "aud": ["else", AUDIENCE, "another-desk"], "azp": "a-page" }),
        json!({ "email": "ANA.ruiz@SHOP.example" }),
    ];
    for changes in held {
        me(&shop, &sign("one", Algorithm::EdDSA, &provider.claims(changes))).await.assert_status(200);
    }
    // A shared secret made of the public key, and a token that claims to be ours.
    let public = provider.keys.lock().expect("keys")[0]["x"].clone();
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_base64_secret(public.as_str().expect("text")).or_else(|_| {
        EncodingKey::from_urlsafe_base64_secret(&format!("{}=", public.as_str().expect("text")))
    });
    let shared =
        jsonwebtoken::encode(&header, &provider.claims(json!({})), &key.expect("a key")).expect("a token");
    assert_eq!(me(&shop, &shared).await.problem(401), "invalid_token");
    let ours = sign("one", Algorithm::EdDSA, &provider.claims(json!({ "iss": "caseload" })));
    assert_eq!(me(&shop, &ours).await.problem(401), "invalid_token");
    me(&shop, &sign_under(&json!({ "alg": "EdDSA", "kid": "one" }), &provider.claims(json!({}))))
        .await
        .assert_status(200);
    let heads = [
        json!({ "alg": "EdDSA", "kid": "one", "crit": ["exp"], "exp": 0 }),
        json!({ "alg": "EdDSA", "kid": "one", "crit": ["b64"], "b64": true }),
        json!({ "alg": "EdDSA", "kid": "one", "crit": [] }),
        json!({ "alg": "EdDSA", "kid": "one", "crit": null }),
        json!({ "alg": "EdDSA", "kid": "one", "crit": "exp" }),
        json!({ "alg": "EdDSA", "kid": 1 }),
        json!({ "alg": "none", "kid": "one" }),
        json!({ "alg": "ES256", "kid": "one" }),
        json!({ "kid": "one" }),
        json!([]),
    ];
    for head in heads {
        assert_eq!(
            me(&shop, &sign_under(&head, &provider.claims(json!({})))).await.problem(401),
            "invalid_token",
            "{head}"
        );
    }
    let unsigned = sign_under(&json!({ "alg": "none" }), &provider.claims(json!({})));
    let unsigned = unsigned.rsplit_once('.').expect("a signature").0;
    assert_eq!(me(&shop, &format!("{unsigned}.")).await.problem(401), "invalid_token");
}

// S4-37: the end of a remembered token is looked at every time.
#[actix_web::test]
async fn s4_37_an_outside_token_ends_when_it_says() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    shop.hire("Ana Ruiz", "agent").await;
    let token = sign("one", Algorithm::EdDSA, &provider.claims(json!({})));
    me(&shop, &token).await.assert_status(200);
    shop.time_is("2026-03-18T09:06:00Z");
    assert_eq!(me(&shop, &token).await.problem(401), "invalid_token");
}

// S4-37: the provider may change its keys, and may be away for a while.
#[actix_web::test]
async fn s4_37_new_keys_of_a_provider_are_looked_for_now_and_then() {
    let provider = Provider::start();
    let shop = provider.shop().await;
    shop.hire("Ana Ruiz", "agent").await;
    let far = json!({ "exp": NOW + 1_000_000 });
    let (one, two) = (
        sign("one", Algorithm::EdDSA, &provider.claims(far.clone())),
        sign("two", Algorithm::ES256, &provider.claims(far)),
    );
    let nothing_yet = me(&shop, &one).await;
    assert_eq!(nothing_yet.problem(503), "provider_unavailable");
    assert_eq!(nothing_yet.header("retry-after"), "10");

    provider.publish("one", Algorithm::EdDSA);
    shop.time_is("2026-03-18T09:00:10Z");
    me(&shop, &one).await.assert_status(200);
    provider.publish("two", Algorithm::ES256);
    assert_eq!(me(&shop, &two).await.problem(401), "invalid_token");
    shop.time_is("2026-03-18T09:00:20Z");
    me(&shop, &two).await.assert_status(200);

    // An hour later the keys that were withdrawn are forgotten.
    provider.keys.lock().expect("keys").remove(0);
    shop.time_is("2026-03-18T10:00:20Z");
    let three =
        sign("one", Algorithm::EdDSA, &provider.claims(json!({ "exp": NOW + 1_000_000, "jti": "3" })));
    assert_eq!(me(&shop, &three).await.problem(401), "invalid_token");
}

// S4-37: nobody on the way may put their own keys in.
#[actix_web::test]
async fn s4_37_a_provider_must_be_reached_safely() {
    for issuer in ["http://accounts.example", "ftp://127.0.0.1", "accounts.example"] {
        assert!(
            caseload::access::authenticator::Authenticator::new(Some((issuer.into(), AUDIENCE.into())))
                .is_err(),
            "{issuer}"
        );
    }
}

// S4-37: an address that nobody verified is a claim of whoever made the account at the provider.
#[actix_web::test]
async fn s4_37_an_address_counts_when_the_provider_says_that_it_is_verified() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let strict = provider.shop().await;
    let trusting = TestApp::with(|config| {
        config.oidc = Some((provider.issuer.clone(), AUDIENCE.into()));
        config.oidc_emails_verified = true;
    })
    .await;
    for shop in [&strict, &trusting] {
        shop.hire("Ana Ruiz", "agent").await;
    }
    let said = [(json!(true), true, true), (json!(null), false, true), (json!("true"), false, true)];
    let denied = [
        json!(false),
        json!("false"),
        json!("True"),
        json!("yes"),
        json!(1),
        json!(0),
        json!(""),
        json!([true]),
        json!({}),
    ];
    for (verified, by_itself, by_settings) in
        said.into_iter().chain(denied.map(|denied| (denied, false, false)))
    {
        let token = sign("one", Algorithm::EdDSA, &provider.claims(json!({ "email_verified": verified })));
        for (shop, holds) in [(&strict, by_itself), (&trusting, by_settings)] {
            let reply = me(shop, &token).await;
            assert_eq!(reply.status, if holds { 200 } else { 401 }, "{verified}: {}", reply.text);
        }
    }
}

// S4-37: addresses are given to others, and change; what the provider calls somebody does not.
#[actix_web::test]
async fn s4_37_a_person_is_who_the_provider_called_them_first() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "manager").await);
    let token = |sub: &str, email: &str| {
        sign("one", Algorithm::EdDSA, &provider.claims(json!({ "sub": sub, "email": email })))
    };
    let who =
        async |sub: &str, email: &str| text(&me(&shop, &token(sub, email)).await.assert_status(200)["id"]);
    let refused = async |sub: &str, email: &str| {
        let reply = me(&shop, &token(sub, email)).await;
        assert_eq!(reply.problem(401), "invalid_token");
        text(&reply.json["detail"])
    };
    assert_eq!(who("1", "ana.ruiz@shop.example").await, ana.id);
    let another = refused("2", "ana.ruiz@shop.example").await;
    assert!(another.contains("another subject"), "{another}");
    assert_eq!(who("1", "ana@married.example").await, ana.id);
    assert_eq!(who("1", "ben.okafor@shop.example").await, ana.id, "it is still Ana");
    assert_eq!(who("9", "ben.okafor@shop.example").await, ben.id);

    // Another address here changes nothing; the one that she had is nobody's.
    let admin = shop.by(&shop.admin);
    let path = format!("/v1/users/{}", ana.id);
    admin.patch(&path, json!({ "email": "ana@married.example" })).await.assert_status(200);
    assert_eq!(who("1", "ana.ruiz@shop.example").await, ana.id);
    refused("2", "ana.ruiz@shop.example").await;
    refused("2", "ana@married.example").await;

    let listed = admin.get(&format!("{path}/identities")).await.assert_status(200);
    assert_eq!(
        (column(&listed, "subject"), column(&listed, "issuer")),
        (vec!["1".into()], vec![provider.issuer.clone()])
    );
    assert_eq!(column(&listed, "email"), ["ana.ruiz@shop.example"]);
    let elsewhere =
        admin.get(&format!("{path}/identities?issuer=https%3A%2F%2Felse.example")).await.assert_status(200);
    assert_eq!(column(&elsewhere, "id"), [""; 0]);
    let identity = format!("{path}/identities/{}", text(&listed["data"][0]["id"]));
    assert_eq!(shop.by(&ana).get(&format!("{path}/identities")).await.problem(403), "missing_scope");
    assert_eq!(shop.by(&ana).delete(&identity).await.problem(403), "missing_scope");
    assert_eq!(admin.delete(&identity.replace(&ana.id, &ben.id)).await.problem(404), "not_found");

    // With a new account at the provider she needs an administrator, and only then.
    assert_eq!(admin.delete(&identity).await.status, 204);
    assert_eq!(admin.delete(&identity).await.problem(404), "not_found");
    refused("1", "ana.ruiz@shop.example").await;
    assert_eq!(who("2", "ana@married.example").await, ana.id);
    refused("1", "ana@married.example").await;
    let events = async |by: &Person| {
        let mut events = shop.by(by).get("/v1/events?limit=1000").await.assert_status(200)["data"].take();
        events.as_array_mut().expect("events").retain(|event| event["record"]["kind"] == "identity");
        json!({ "data": events })
    };
    let seen = events(&shop.admin).await;
    assert_eq!(
        column(&seen, "type"),
        ["identity.linked", "identity.linked", "identity.unlinked", "identity.linked"]
    );
    assert_eq!(seen["data"][0]["actor"]["id"], json!(ana.id));
    assert_eq!(events(&ben).await, json!({ "data": [] }));

    // Who leaves stays out, under whichever address.
    admin.patch(&path, json!({ "active": false })).await.assert_status(200);
    for (sub, email) in
        [("2", "ana@married.example"), ("2", "ben.okafor@shop.example"), ("3", "ana@married.example")]
    {
        refused(sub, email).await;
    }
}

// S4-37: what another instance has unlinked does not write here, however lately it was known.
#[actix_web::test]
async fn s4_37_whoever_was_unlinked_elsewhere_changes_nothing_here() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let mut config = None;
    let shop = TestApp::with(|settings| {
        settings.oidc = Some((provider.issuer.clone(), AUDIENCE.into()));
        config = Some(settings.clone());
    })
    .await;
    let other = shop.second_instance(config.expect("settings")).await;
    let ana = shop.hire("Ana Ruiz", "admin").await;
    let token = sign("one", Algorithm::EdDSA, &provider.claims(json!({})));
    let (there, admin) = (other.with_token(&token), shop.by(&shop.admin));
    there.post("/v1/groups", json!({ "name": "Shipping" })).await.assert_status(201);
    let identities = format!("/v1/users/{}/identities", ana.id);
    let identity = text(&admin.get(&identities).await.assert_status(200)["data"][0]["id"]);
    admin.delete(&format!("{identities}/{identity}")).await.assert_status(204);
    assert_eq!(there.post("/v1/groups", json!({ "name": "Sales" })).await.problem(401), "invalid_token");
    let user = json!({ "email": "new@shop.example", "name": "New", "role": "admin" });
    assert_eq!(there.post("/v1/users", user).await.problem(401), "invalid_token");
}

// S4-37: whoever comes first is known from then on, also when several come at once.
#[actix_web::test]
async fn s4_37_of_several_that_come_first_at_once_one_is_the_person() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    let (ana, ben) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Ben Okafor", "agent").await);
    let tokens = |sub: &'static str, email: &str| {
        let claims = provider.claims(json!({ "sub": sub, "email": email }));
        (0..4).map(move |jti| {
            let mut claims = claims.clone();
            claims["jti"] = json!(jti);
            (sub, sign("one", Algorithm::EdDSA, &claims))
        })
    };
    // One name and two addresses.
    let one: Vec<_> =
        tokens("1", "ana.ruiz@shop.example").chain(tokens("1", "ben.okafor@shop.example")).collect();
    let replies = all(one.iter().map(|(_, token)| me(&shop, token))).await;
    let mut found: Vec<String> =
        replies.into_iter().map(|reply| text(&reply.assert_status(200)["id"])).collect();
    found.dedup();
    assert_eq!(found.len(), 1);
    // Two names and one address.
    let (other, email) =
        if found[0] == ana.id { (ben, "ben.okafor@shop.example") } else { (ana, "ana.ruiz@shop.example") };
    let two: Vec<_> = tokens("2", email).chain(tokens("3", email)).collect();
    let replies = all(two.iter().map(|(_, token)| me(&shop, token))).await;
    let mut known: Vec<&str> =
        two.iter().zip(&replies).filter(|(_, reply)| reply.status == 200).map(|((sub, _), _)| *sub).collect();
    assert_eq!(known.len(), 4, "{replies:?}");
    known.dedup();
    assert_eq!(known.len(), 1);
    let refused = replies.iter().filter(|reply| reply.status != 200);
    refused.for_each(|reply| assert_eq!(reply.problem(401), "invalid_token"));
    let listed =
        shop.by(&shop.admin).get(&format!("/v1/users/{}/identities", other.id)).await.assert_status(200);
    assert_eq!(column(&listed, "subject"), known);
}

// S4-37: letters that look alike, or that Unicode writes alike in lower case, are others'.
#[actix_web::test]
async fn s4_37_addresses_are_compared_by_ascii_and_what_domains_mean() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    let katie = shop.hire("Katie Miss", "admin").await;
    let admin = shop.by(&shop.admin);
    for (name, email) in [("Io", "io@bücher.example"), ("Li", "li@strasse.example")] {
        admin.post("/v1/users", json!({ "email": email, "name": name })).await.assert_status(201);
    }
    let taken = json!({ "email": "IO@xn--bcher-kva.example", "name": "Io" });
    assert_eq!(admin.post("/v1/users", taken).await.problem(409), "already_exists");
    let refused = [
        "\u{212a}atie.miss@shop.example",
        "katie.mi\u{df}@shop.example",
        "katie.mi\u{17f}s@shop.example",
        "\u{ff4b}atie.miss@shop.example",
        "\u{130}o@bücher.example",
        "\u{131}o@bücher.example",
        "li@stra\u{df}e.example",
        "katie.miss\u{200b}@shop.example",
    ];
    for email in refused {
        let token = sign(
            "one",
            Algorithm::EdDSA,
            &provider.claims(json!({ "sub": email.len().to_string(), "email": email })),
        );
        assert_eq!(me(&shop, &token).await.problem(401), "invalid_token", "{email}");
        let tried = json!({ "email": email, "password": crate::support::PASSWORD });
        assert_eq!(
            shop.anonymous().post("/v1/auth/token", tried).await.problem(401),
            "invalid_credentials",
            "{email}"
        );
    }
    let same = [
        ("1", "KATIE.miss@Shop.Example", "Katie Miss"),
        ("2", "io@BU\u{308}CHER.example", "Io"),
        ("2", "io@xn--bcher-kva.example", "Io"),
    ];
    for (sub, email, name) in same {
        let token = sign("one", Algorithm::EdDSA, &provider.claims(json!({ "sub": sub, "email": email })));
        assert_eq!(me(&shop, &token).await.assert_status(200)["name"], json!(name), "{email}");
    }
    shop.again(&katie).await;
}

// S4-37: a provider that is slow is waited for by those alone whose key it alone knows.
#[actix_web::test]
async fn s4_37_nobody_whose_key_is_known_waits_for_the_provider() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    shop.hire("Ana Ruiz", "agent").await;
    let far = |jti: usize| provider.claims(json!({ "exp": NOW + 1_000_000, "jti": jti }));
    let (known, unknown) =
        (|jti| sign("one", Algorithm::EdDSA, &far(jti)), |jti| sign("two", Algorithm::ES256, &far(jti)));
    me(&shop, &known(0)).await.assert_status(200);
    assert_eq!(provider.mood.asked.load(Ordering::SeqCst), 1);

    provider.publish("two", Algorithm::ES256);
    provider.mood.hangs.send_replace(true);
    shop.time_is("2026-03-18T09:00:10Z");
    let tokens: Vec<String> = (0..20).map(unknown).collect();
    let mut waiting = std::pin::pin!(all(tokens.iter().map(|token| me(&shop, token))));
    for jti in 1..20 {
        tokio::select! {
            biased;
            replies = &mut waiting => panic!("the provider says nothing: {replies:?}"),
            reply = async { me(&shop, &known(jti)).await } => drop(reply.assert_status(200)),
        }
    }
    provider.mood.hangs.send_replace(false);
    for reply in waiting.await {
        reply.assert_status(200);
    }
    assert_eq!(provider.mood.asked.load(Ordering::SeqCst), 2, "they asked once");

    // While it is away its keys go on holding, and it is asked now and then.
    provider.mood.breaks.store(true, Ordering::SeqCst);
    for (time, asked) in [
        ("2026-03-18T09:50:09Z", 2),
        ("2026-03-18T10:00:10Z", 3),
        ("2026-03-18T10:00:19Z", 3),
        ("2026-03-18T10:00:20Z", 4),
    ] {
        shop.time_is(time);
        for jti in 100..105 {
            me(
                &shop,
                &sign(
                    "one",
                    Algorithm::EdDSA,
                    &provider.claims(json!({ "exp": NOW + 1_000_000, "jti": format!("{time} {jti}") })),
                ),
            )
            .await
            .assert_status(200);
        }
        let strange = sign("three", Algorithm::EdDSA, &far(200));
        if asked > 2 {
            assert_eq!(me(&shop, &strange).await.problem(401), "invalid_token");
        }
        assert_eq!(provider.mood.asked.load(Ordering::SeqCst), asked, "{time}");
    }
}

// RFC 7515, 4.1.11: our own tokens ask for nothing that is not known either.
#[actix_web::test]
async fn a_token_of_ours_with_critical_parts_is_refused() {
    let shop = TestApp::open().await;
    let public = SigningKey::from_pkcs8_der(ED).expect("a key").verifying_key();
    let insert = format!(
        "INSERT INTO signing_keys (id, private_key, public_key, created_at, sealed) VALUES ('known', {}, \
         '{}', {}, FALSE)",
        if crate::support::on_postgres() { "'\\x00'" } else { "X'00'" },
        BASE64_URL_SAFE_NO_PAD.encode(public),
        (NOW - 60) * 1_000_000
    );
    let database = shop.connect().await;
    database.execute_unprepared(&insert).await.expect("a key");
    database.close().await.expect("a closed connection");
    let payload = shop.admin.token.split('.').nth(1).expect("claims");
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON");
    me(&shop, &sign_under(&json!({ "alg": "EdDSA", "kid": "known" }), &claims)).await.assert_status(200);
    for crit in [json!(["exp"]), json!([]), json!(null)] {
        let token = sign_under(&json!({ "alg": "EdDSA", "kid": "known", "crit": crit }), &claims);
        assert_eq!(me(&shop, &token).await.problem(401), "invalid_token", "{crit}");
    }
}
