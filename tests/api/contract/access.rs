//! Who may ask, and what is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use actix_web::{
    App, HttpResponse,
    middleware::from_fn,
    test::{self, TestRequest},
    web::{self, Data},
};
use caseload::{
    access::authenticator::Authenticator,
    kernel::{
        actor::{Role, Scope},
        http::{
            Context, PublicJsonBody,
            auth::{AccessControl, enforce_rules},
            operations::Operations,
            rate_limit::RateLimits,
        },
    },
};

use super::*;

#[actix_web::test]
async fn every_operation_as_nobody_is_401() {
    let shop = TestApp::open().await;
    for operation in Operation::all() {
        let path = operation.nowhere();
        let nobody = operation.ask(&shop.anonymous(), &path, None).await;
        if operation.is_public() {
            assert_ne!(nobody.status, 401, "{}", operation.id);
            continue;
        }
        assert_eq!(nobody.problem(401), "unauthenticated", "{}", operation.id);
        assert_eq!(nobody.header("www-authenticate"), "Bearer");
        let stranger = operation.ask(&shop.with_token("csl_nobody-has-this-key"), &path, None).await;
        assert_eq!(stranger.problem(401), "invalid_token", "{}", operation.id);
        // Nor is anybody told what could be an id.
        for odd in ["nothing", "%00"] {
            let nobody = operation.ask(&shop.anonymous(), &operation.filled(|_| odd.into()), None).await;
            assert_eq!(nobody.problem(401), "unauthenticated", "{} of {odd}", operation.id);
        }
    }
}

// B-13: what names nothing is counted like everything else.
#[actix_web::test]
async fn b_13_a_path_that_names_nothing_takes_from_the_bucket() {
    let shop = TestApp::with(|config| config.rate_limit = 1000).await;
    for operation in Operation::all()
        .into_iter()
        .filter(|operation| operation.scope().is_some() && operation.path.contains('{'))
    {
        let reply = operation.ask(&shop.by(&shop.admin), &operation.filled(|_| "%00".into()), None).await;
        assert_eq!(reply.problem(404), "not_found", "{}", operation.id);
        assert!(
            reply.header("ratelimit").contains("\"default\";r="),
            "{}: {:?}",
            operation.id,
            reply.headers
        );
    }
}

#[actix_web::test]
async fn every_operation_needs_its_scope_and_no_other() {
    let shop = TestApp::open().await;
    let mut by_scopes: BTreeMap<Vec<Scope>, Vec<Operation>> = BTreeMap::new();
    for operation in Operation::all() {
        if operation.scope().is_some() {
            by_scopes.entry(operation.scopes()).or_default().push(operation);
        }
    }
    for (scopes, operations) in by_scopes {
        let with = key(&shop, &format!("only {scopes:?}"), &scopes).await;
        for scope in &scopes {
            let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| other != scope).collect();
            let without = key(&shop, &format!("all but {scope}"), &others).await;
            for operation in &operations {
                let refused = operation.ask_nowhere(&shop.with_token(&without)).await;
                assert_eq!(refused.problem(403), "missing_scope", "{} without {scope}", operation.id);
                assert_eq!(refused.json["scope"], scope.as_str(), "{}", operation.id);
            }
        }
        for operation in operations {
            let allowed = operation.ask_nowhere(&shop.with_token(&with)).await;
            // What a body makes or asks beside that takes its own scope, as the description says.
            let beside = allowed.json["scope"]
                .as_str()
                .is_some_and(|scope| operation.description().contains(&format!("`{scope}`")));
            let stopped = allowed.status == 401 || allowed.json["code"] == "missing_scope" && !beside;
            assert!(!stopped, "{} with {scopes:?} alone: {}", operation.id, allowed.text);
        }
    }
}

// S3-2: whoever reads a page has its publishable key, and can do nothing with it but post to its forms.
#[actix_web::test]
async fn s3_2_a_publishable_key_opens_nothing_but_its_forms() {
    let shop = TestApp::open().await;
    let new = json!({
        "name": "Quiz page", "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz"],
         "origins": ["https://shop.example"] });
    let made = shop.by(&shop.admin).post("/v1/api-keys", new).await.assert_status(201);
    let page = shop.with_token(&text(&made["secret"])).header("origin", "https://shop.example");
    for operation in Operation::all()
        .into_iter()
        .filter(|operation| !operation.is_public() && operation.scope() != Some(Scope::IntakeWrite))
    {
        let reply = operation.ask_nowhere(&page).await;
        let code = reply.problem(403);
        assert!(code == "missing_scope" || code == "not_allowed", "{}: {}", operation.id, reply.text);
    }
    let acting = page.clone().header("x-act-as", &shop.admin.id).get("/v1/users/me").await;
    assert_eq!(acting.problem(403), "not_allowed");
}

// S0-21: three roles, and each operation is for the least of them that holds its scope.
#[actix_web::test]
async fn s0_21_every_operation_is_for_the_roles_that_hold_its_scope() {
    let shop = TestApp::open().await;
    let (agent, manager) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Emi Tanaka", "manager").await);
    for operation in Operation::all() {
        let Some(scope) = operation.scope() else { continue };
        for (role, person) in [(Role::Agent, &agent), (Role::Manager, &manager), (Role::Admin, &shop.admin)] {
            let reply = operation.ask_nowhere(&shop.by(person)).await;
            let refused = reply.status == 403 && reply.json["code"] == "missing_scope";
            assert_eq!(
                refused,
                scope.least_role() > role,
                "{} by {role}: {} {}",
                operation.id,
                reply.status,
                reply.text
            );
        }
    }
}

#[actix_web::test]
async fn what_is_not_there_is_404() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    for operation in Operation::all() {
        let takes_id = operation
            .parameters()
            .any(|parameter| parameter["in"] == "path" && parameter["schema"]["format"] == "uuid");
        if !takes_id {
            continue;
        }
        // Bodies are read first, and their examples name things that are not there either.
        let needs_nothing =
            operation.about["requestBody"]["required"] != true || operation.method == Method::PATCH;
        if needs_nothing {
            let body = operation.body().map(|_| json!({}));
            let unknown = operation.ask(&admin, &operation.nowhere(), body.clone()).await;
            assert_eq!(unknown.problem(404), "not_found", "{}", operation.id);
            let no_id = operation.ask(&admin, &operation.filled(|_| "nothing".into()), body).await;
            assert_eq!(no_id.problem(404), "not_found", "{}", operation.id);
        }
    }
    for path in [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/users/",
        "/nothing/at/all",
        "/v2/users",
        "/V1/users",
        "/problems/nothing",
    ] {
        for caller in [&admin, &shop.anonymous()] {
            assert_eq!(caller.get(path).await.problem(404), "not_found", "{path}");
        }
    }
}

#[actix_web::test]
async fn another_method_is_405_and_allow_names_the_right_ones() {
    let shop = TestApp::open().await;
    let mut methods: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
    for operation in Operation::all() {
        methods.entry(operation.path).or_default().push(operation.method);
    }
    for operation in Operation::all() {
        let path = operation.nowhere();
        // A path of its own, such as /bulk, is no id of the pattern beside it.
        let known = &methods[operation.path];
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if known.contains(&method) {
                continue;
            }
            for caller in [shop.by(&shop.admin), shop.anonymous()] {
                let reply = caller.send(method.clone(), &path, None).await;
                assert_eq!(reply.problem(405), "method_not_allowed", "{method} {path}");
                let allowed: BTreeSet<&str> = reply.header("allow").split(", ").collect();
                let mut right: BTreeSet<&str> = methods[operation.path].iter().map(Method::as_str).collect();
                if right.contains("GET") {
                    right.insert("HEAD");
                }
                assert_eq!(allowed, right, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn an_unknown_query_parameter_is_400_everywhere() {
    let shop = TestApp::open().await;
    for operation in Operation::all() {
        if !operation.path.starts_with("/v1/") {
            continue;
        }
        let path = operation.nowhere();
        // What lists understand is unknown to what is no list.
        let foreign: Vec<&str> = ["cursor", "fields", "nonsense"]
            .into_iter()
            .filter(|name| operation.parameter(name).is_none())
            .collect();
        for name in foreign {
            let reply = operation
                .ask(&shop.by(&shop.admin), &format!("{path}?{name}=1"), operation.body().map(sample))
                .await;
            assert_eq!(
                reply.violation_of(400),
                [(name.to_owned(), "unknown".to_owned())],
                "{}: {}",
                operation.id,
                reply.text
            );
            assert_eq!(reply.json["code"], "bad_query");
            for known in operation.parameters().filter(|parameter| parameter["in"] == "query") {
                assert!(
                    reply.text.contains(known["name"].as_str().expect("a name")),
                    "{} names {}",
                    reply.text,
                    known["name"]
                );
            }
        }
    }
}

#[actix_web::test]
async fn an_encoding_that_nobody_knows_is_406_everywhere() {
    let shop = TestApp::open().await;
    for operation in Operation::all() {
        let asked = operation
            .ask_nowhere(&shop.by(&shop.admin).header("accept-encoding", "compress, identity;q=0"))
            .await;
        assert_eq!(asked.problem(406), "not_acceptable", "{}", operation.id);
    }
}

#[derive(serde::Deserialize, utoipa::ToSchema, validator::Validate)]
struct Anything {}

// A mistake of ours opens nothing: a route that no rule knows, and a handler that does not ask, or asks for
// nobody.
#[actix_web::test]
async fn what_no_rule_has_let_in_does_not_leave() {
    let shop = TestApp::open().await;
    let gate = AccessControl {
        authenticator: Arc::new(Authenticator::new(None).expect("an authenticator")),
        operations: Arc::new(Operations::of(document()).with_public("/page")),
        rate_limits: Arc::new(RateLimits::per_minute(0, 0, 0)),
    };
    let secret = async || HttpResponse::Ok().body("secret");
    let app = App::new()
        .app_data(Data::new(gate))
        .app_data(Data::new(shop.db.clone()))
        .route("/page", web::get().to(secret))
        .route("/v1/unknown", web::get().to(secret))
        .route("/v1/unknown-too", web::get().to(async |_: Context| HttpResponse::Ok().body("secret")))
        .route("/v1/users", web::get().to(secret))
        .route(
            "/v1/users",
            web::post().to(async |_: PublicJsonBody<Anything>| HttpResponse::Ok().body("secret")),
        )
        .route("/v1/users/{id}", web::get().to(async |_: Option<Context>| HttpResponse::Ok().body("secret")))
        .route("/v1/auth/token", web::post().to(async |_: Context| HttpResponse::Ok().body("secret")))
        .wrap(from_fn(enforce_rules));
    let app = test::init_service(app).await;
    for (method, path, status) in [
        ("GET", "/page", 200),
        ("GET", "/v1/unknown", 500),
        ("GET", "/v1/unknown-too", 404),
        ("GET", "/v1/users", 500),
        ("POST", "/v1/users", 500),
        ("GET", "/v1/users/1", 500),
        ("POST", "/v1/auth/token", 500),
    ] {
        let request = TestRequest::default().method(method.parse().expect("a method")).uri(path).to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), status, "{method} {path}");
        let body = test::read_body(response).await;
        assert_eq!(body == "secret", status == 200, "{method} {path}: {body:?}");
    }
}
