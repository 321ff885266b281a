//! Signing in through an outside OpenID provider (S4-37), played by a small server of the test's own.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};

use crate::support::{Reply, Shop, Value, json};

const AUDIENCE: &str = "caseload-desk";
/// Keys for nothing but these tests.
const RSA: &[u8] = include_bytes!("support/keys/rsa.der");
const EC: &[u8] = include_bytes!("support/keys/ec.der");
const ED: &[u8] = include_bytes!("support/keys/ed.der");
/// The start of every test, in seconds.
const NOW: i64 = 1_773_824_400;

/// A provider whose keys can be changed.
struct Provider {
    issuer: String,
    keys: Arc<Mutex<Vec<Value>>>,
    server: ServerHandle,
}

impl Provider {
    fn start() -> Self {
        let keys: Arc<Mutex<Vec<Value>>> = Arc::default();
        let shown = keys.clone();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let discovery = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let server = HttpServer::new(move || {
            let (discovery, shown) = (discovery.clone(), shown.clone());
            let keys = move || {
                let set = json!({ "keys": *shown.lock().expect("keys") });
                async move { HttpResponse::Ok().json(set) }
            };
            let discover = move || {
                let discovery = discovery.clone();
                async move { HttpResponse::Ok().json(discovery) }
            };
            App::new().route("/.well-known/openid-configuration", web::get().to(discover)).route("/keys", web::get().to(keys))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("a server")
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { issuer, keys, server: handle }
    }

    /// A shop that accepts its tokens.
    async fn shop(&self) -> Shop {
        Shop::with(|config| config.oidc = Some((self.issuer.clone(), AUDIENCE.into()))).await
    }

    fn publish(&self, kid: &str, algorithm: Algorithm) {
        let mut key = serde_json::to_value(Jwk::from_encoding_key(&private(algorithm), algorithm).expect("a key")).expect("JSON");
        key["kid"] = json!(kid);
        key["use"] = json!("sig");
        self.keys.lock().expect("keys").push(key);
    }

    /// What a good token says, with some of it changed; null takes a claim away.
    fn claims(&self, changes: Value) -> Value {
        let mut claims = json!({ "iss": self.issuer, "aud": AUDIENCE, "sub": "1", "exp": NOW + 300, "email": "ana.ruiz@shop.example" });
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

async fn me(shop: &Shop, token: &str) -> Reply {
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
        let token = sign(&kid, algorithm, &provider.claims(json!({ "aud": ["else", AUDIENCE], "email_verified": true })));
        let me = me(&shop, &token).await.expect(200);
        assert_eq!((&me["id"], &me["role"]), (&json!(ana.id), &json!("agent")), "{algorithm:?}");
    }
    // Signed with the right key, but not in the way that the key is for.
    let other_way = sign("RS256", Algorithm::PS256, &provider.claims(json!({})));
    assert_eq!(me(&shop, &other_way).await.problem(401), "invalid_token");
    // Who leaves here is out, whatever the provider says.
    let token = sign("EdDSA", Algorithm::EdDSA, &provider.claims(json!({ "email": "ANA.Ruiz@shop.example" })));
    me(&shop, &token).await.expect(200);
    shop.by(&shop.admin).patch(&format!("/v1/users/{}", ana.id), json!({ "active": false })).await.expect(200);
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
    ];
    for (what, changes) in refused {
        let token = sign("one", Algorithm::EdDSA, &provider.claims(changes));
        assert_eq!(me(&shop, &token).await.problem(401), "invalid_token", "{what}");
    }
    for changes in [json!({ "exp": NOW - 59 }), json!({ "nbf": NOW + 59 })] {
        me(&shop, &sign("one", Algorithm::EdDSA, &provider.claims(changes))).await.expect(200);
    }
    // A shared secret made of the public key, and a token that claims to be ours.
    let public = provider.keys.lock().expect("keys")[0]["x"].clone();
    let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_base64_secret(public.as_str().expect("text"))
        .or_else(|_| EncodingKey::from_urlsafe_base64_secret(&format!("{}=", public.as_str().expect("text"))));
    let shared = jsonwebtoken::encode(&header, &provider.claims(json!({})), &key.expect("a key")).expect("a token");
    assert_eq!(me(&shop, &shared).await.problem(401), "invalid_token");
    let ours = sign("one", Algorithm::EdDSA, &provider.claims(json!({ "iss": "caseload" })));
    assert_eq!(me(&shop, &ours).await.problem(401), "invalid_token");
}

// S4-37: the end of a remembered token is looked at every time.
#[actix_web::test]
async fn s4_37_an_outside_token_ends_when_it_says() {
    let provider = Provider::start();
    provider.publish("one", Algorithm::EdDSA);
    let shop = provider.shop().await;
    shop.hire("Ana Ruiz", "agent").await;
    let token = sign("one", Algorithm::EdDSA, &provider.claims(json!({})));
    me(&shop, &token).await.expect(200);
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
    let (one, two) = (sign("one", Algorithm::EdDSA, &provider.claims(far.clone())), sign("two", Algorithm::ES256, &provider.claims(far)));
    let nothing_yet = me(&shop, &one).await;
    assert_eq!(nothing_yet.problem(503), "provider_unavailable");
    assert_eq!(nothing_yet.header("retry-after"), "10");

    provider.publish("one", Algorithm::EdDSA);
    shop.time_is("2026-03-18T09:00:10Z");
    me(&shop, &one).await.expect(200);
    provider.publish("two", Algorithm::ES256);
    assert_eq!(me(&shop, &two).await.problem(401), "invalid_token");
    shop.time_is("2026-03-18T09:00:20Z");
    me(&shop, &two).await.expect(200);

    // An hour later the keys that were withdrawn are forgotten.
    provider.keys.lock().expect("keys").remove(0);
    shop.time_is("2026-03-18T10:00:20Z");
    let three = sign("one", Algorithm::EdDSA, &provider.claims(json!({ "exp": NOW + 1_000_000, "jti": "3" })));
    assert_eq!(me(&shop, &three).await.problem(401), "invalid_token");
}

// S4-37: nobody on the way may put their own keys in.
#[actix_web::test]
async fn s4_37_a_provider_must_be_reached_safely() {
    for issuer in ["http://accounts.example", "ftp://127.0.0.1", "accounts.example"] {
        assert!(caseload::access::authenticator::Authenticator::new(Some((issuer.into(), AUDIENCE.into()))).is_err(), "{issuer}");
    }
}
