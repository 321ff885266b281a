//! Nobody hands out what they do not have, and what somebody has lost is lost at once, whichever instance
//! they ask.

use std::collections::BTreeMap;

use caseload::kernel::{actor::Role, context::Context, error::Code};
use sea_orm::ConnectionTrait;

use super::*;
use crate::support::{Person, all, each};

/// What takes an administrator to write: set-up, and what gives and takes rights.
fn administrative() -> Vec<Operation> {
    let writes = Operation::all()
        .into_iter()
        .filter(|operation| operation.method != Method::GET && !operation.path.ends_with("/simulate"));
    let writes = writes.filter(|operation| {
        operation
            .scope()
            .is_some_and(|scope| scope.least_role() == Role::Admin || scope == Scope::UsersOffboard)
    });
    writes.collect()
}

/// Two instances on one database.
async fn two() -> (TestApp, TestApp) {
    let mut config = None;
    let shop = TestApp::with(|settings| config = Some(settings.clone())).await;
    let other = shop.second_instance(config.expect("settings")).await;
    (shop, other)
}

/// Has every administrative write asked at an instance that has just heard of the caller, who has lost their
/// rights elsewhere; what each answered.
async fn after(caller: &Caller<'_>, loss: impl Future<Output = ()>) -> Vec<(&'static str, Reply)> {
    let operations = administrative();
    assert!(operations.len() > 30);
    caller.get("/v1/users").await.assert_status(200);
    loss.await;
    all(operations.iter().map(|operation| async { (operation.id, operation.ask_nowhere(caller).await) }))
        .await
}

#[actix_web::test]
async fn what_somebody_has_lost_elsewhere_they_have_lost_here() {
    let (shop, other) = two().await;
    let admin = shop.by(&shop.admin);
    let demoted = shop.hire("Dan Demoted", "admin").await;
    let path = format!("/v1/users/{}", demoted.id);
    let lost = async { drop(admin.patch(&path, json!({ "role": "manager" })).await.assert_status(200)) };
    for (id, reply) in after(&other.by(&demoted), lost).await {
        if id == "offboard_user" {
            // A manager does that, too: there is nobody to offboard.
            assert_eq!(reply.problem(404), "not_found");
        } else {
            assert_eq!(reply.problem(403), "missing_scope", "{id}");
        }
    }
    let gone = shop.hire("Gus Gone", "admin").await;
    let lost = async {
        drop(
            admin
                .patch(&format!("/v1/users/{}", gone.id), json!({ "active": false }))
                .await
                .assert_status(200),
        );
    };
    for (id, reply) in after(&other.by(&gone), lost).await {
        assert_eq!(reply.problem(401), "invalid_token", "{id}");
    }
    let left = shop.hire("Lea Left", "admin").await;
    let lost = async { drop(shop.by(&left).command("/v1/auth/revoke").await.assert_status(204)) };
    for (id, reply) in after(&other.by(&left), lost).await {
        assert_eq!(reply.problem(401), "invalid_token", "{id}");
    }
}

#[actix_web::test]
async fn what_a_key_has_lost_elsewhere_it_has_lost_here() {
    let (shop, other) = two().await;
    let owner = shop.hire("Olga Owner", "admin").await;
    let made = async |name: &str| {
        let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let made = shop
            .by(&owner)
            .post("/v1/api-keys", json!({ "name": name, "scopes": scopes }))
            .await
            .assert_status(201);
        (format!("/v1/api-keys/{}", text(&made["id"])), text(&made["secret"]))
    };
    let admin = shop.by(&shop.admin);
    let (path, secret) = made("revoked").await;
    let lost = async { drop(admin.command(&format!("{path}/revoke")).await.assert_status(200)) };
    for (id, reply) in after(&other.with_token(&secret), lost).await {
        assert_eq!(reply.problem(401), "invalid_token", "{id}");
    }
    let (path, secret) = made("narrowed").await;
    let lost =
        async { drop(admin.patch(&path, json!({ "scopes": ["users:read"] })).await.assert_status(200)) };
    for (id, reply) in after(&other.with_token(&secret), lost).await {
        assert_eq!(reply.problem(403), "missing_scope", "{id}");
    }
    let (_, secret) = made("of somebody who is demoted").await;
    let lost = async {
        drop(
            admin
                .patch(&format!("/v1/users/{}", owner.id), json!({ "role": "agent" }))
                .await
                .assert_status(200),
        );
    };
    for (id, reply) in after(&other.with_token(&secret), lost).await {
        assert_eq!(reply.problem(403), "missing_scope", "{id}");
    }
    // Their own account is no set-up, but it is a user.
    let gone = shop.hire("Gus Gone", "agent").await;
    let caller = other.by(&gone);
    caller.get("/v1/users/me").await.assert_status(200);
    admin.patch(&format!("/v1/users/{}", gone.id), json!({ "active": false })).await.assert_status(200);
    assert_eq!(
        caller.patch("/v1/users/me", json!({ "name": "Still here" })).await.problem(401),
        "invalid_token"
    );
}

// A refusal that is passed over is none for whatever comes after it in the same transaction.
#[actix_web::test]
async fn whoever_was_refused_once_is_refused_again() {
    let shop = TestApp::open().await;
    let boss = shop.hire("Bo Boss", "admin").await;
    let user = users::find(shop.db.read(), boss.id.parse().expect("an id")).await.expect("the person");
    let actor = users::actor(shop.db.read(), &user).await.expect("an actor");
    shop.by(&shop.admin)
        .patch(&format!("/v1/users/{}", boss.id), json!({ "role": "agent" }))
        .await
        .assert_status(200);
    let context =
        Context { actor: actor.into(), scope: Some(Scope::UsersWrite), ..shop.db.system_context("asked") };
    let refused = shop.db.write(context, async |tx| {
        let mut refused = Vec::new();
        for number in 0..3 {
            let new = json!({ "email": format!("new{number}@shop.example"), "name": "New", "role": "admin" });
            let made = tx
                .savepoint(async move |tx| {
                    users::create(tx, serde_json::from_value(new).expect("a user"), None).await.map(drop)
                })
                .await;
            refused.push(made.is_err_and(|error| error.code() == Code::MissingScope));
        }
        Ok(refused)
    });
    assert_eq!(refused.await.expect("refusals"), [true; 3]);
}

// Nobody unlinks a person of a higher role: whoever has their address at the provider would be them.
#[actix_web::test]
async fn nobody_unlinks_somebody_of_a_higher_role() {
    let shop = TestApp::open().await;
    let issuer = "https://login.shop.example";
    let people = [
        shop.hire("Ana Ruiz", "agent").await,
        shop.hire("Mia Lund", "manager").await,
        shop.hire("Bo Boss", "admin").await,
    ];
    let weak = key(&shop, "users alone", &[Scope::UsersWrite, Scope::UsersActAs]).await;
    let strong = key(&shop, "every scope", &Role::Admin.scopes().into_iter().collect::<Vec<_>>()).await;
    for (person, may) in people.iter().zip([true, true, false]) {
        let path =
            async || format!("/v1/users/{}/identities/{}", person.id, link(&shop, &person.id, issuer).await);
        let identity = path().await;
        for caller in [shop.with_token(&weak), shop.with_token(&weak).header("x-act-as", &people[2].id)] {
            let reply = caller.delete(&identity).await;
            if may {
                reply.assert_status(204);
                break;
            }
            assert_eq!(reply.problem(403), "not_allowed");
        }
        if !may {
            shop.with_token(&strong).delete(&identity).await.assert_status(204);
        }
    }
}

// Of two who take each other's rights away at the same time, one comes first, and the other has none any
// more.
#[actix_web::test]
async fn two_administrators_cannot_demote_each_other_at_once() {
    let (shop, other) = two().await;
    for round in 0..5 {
        let (one, two) = (
            shop.hire(&format!("One {round}"), "admin").await,
            shop.hire(&format!("Two {round}"), "admin").await,
        );
        let demote = async |at: &TestApp, by: &Person, whom: &Person| {
            at.by(by).patch(&format!("/v1/users/{}", whom.id), json!({ "role": "agent" })).await
        };
        let (first, second) =
            futures_util::future::join(demote(&shop, &one, &two), demote(&other, &two, &one)).await;
        let mut answers = [first.status, second.status];
        answers.sort_unstable();
        assert_eq!(answers, [200, 403], "{} {}", first.text, second.text);
    }
}

#[actix_web::test]
async fn nobody_gives_a_role_beyond_their_own() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let new = |number: usize, role: &str| {
        json!({ "email": format!("new{number}@shop.example"), "name": "New", "role": role,
        "password": PASSWORD })
    };
    let held = |role: Role, more: &[Scope]| {
        role.scopes().into_iter().chain(more.iter().copied()).collect::<Vec<Scope>>()
    };
    let (ana, mia) = (shop.hire("Ana Ruiz", "agent").await, shop.hire("Mia Lund", "manager").await);
    let boss = shop.hire("Bo Boss", "admin").await;
    let mut number = 0;
    for (scopes, highest) in [
        (vec![Scope::UsersWrite, Scope::UsersRead], None),
        (held(Role::Agent, &[Scope::UsersWrite]), Some(Role::Agent)),
        (held(Role::Manager, &[Scope::UsersWrite]), Some(Role::Manager)),
        (held(Role::Admin, &[]), Some(Role::Admin)),
    ] {
        let scopes: Vec<Scope> = scopes.into_iter().chain([Scope::UsersActAs]).collect();
        let secret = key(&shop, "staff", &scopes).await;
        // Nor does anybody give more for doing it in the name of somebody mightier.
        for caller in [shop.with_token(&secret), shop.with_token(&secret).header("x-act-as", &boss.id)] {
            for role in [Role::Agent, Role::Manager, Role::Admin] {
                number += 1;
                let may = highest.is_some_and(|highest| role <= highest);
                let reply = caller.post("/v1/users", new(number, role.as_str())).await;
                if may {
                    assert_eq!(reply.clone().assert_status(201)["role"], role.as_str());
                } else {
                    assert_eq!(
                        (reply.problem(403), reply.violation_of(403)),
                        ("not_allowed", vec![("#/role".into(), "not_held".into())])
                    );
                }
                let fresh = text(
                    &admin.post("/v1/users", new(1000 + number, "agent")).await.assert_status(201)["id"],
                );
                let raised =
                    caller.patch(&format!("/v1/users/{fresh}"), json!({ "role": role.as_str() })).await;
                let changes = role != Role::Agent;
                assert_eq!(raised.status, if may || !changes { 200 } else { 403 }, "{role}: {}", raised.text);
            }
            // What would take over, or take out, the account of somebody of a role that the caller does not
            // have.
            for (person, role) in [(&ana, Role::Agent), (&mia, Role::Manager), (&boss, Role::Admin)] {
                let path = format!("/v1/users/{}", person.id);
                let may = highest.is_some_and(|highest| role <= highest);
                let taken = caller
                    .patch(&path, json!({ "email": format!("taken{number}.{role}@shop.example") }))
                    .await;
                assert_eq!(taken.status, if may { 200 } else { 403 }, "{role}: {}", taken.text);
                caller
                    .patch(&path, json!({ "language": "fr", "role": role.as_str(), "active": true }))
                    .await
                    .assert_status(200);
                let lowered = caller.patch(&path, json!({ "role": "agent" })).await;
                assert_eq!(
                    lowered.status,
                    if may || role == Role::Agent { 200 } else { 403 },
                    "{role}: {}",
                    lowered.text
                );
                admin
                    .patch(&path, json!({ "email": person.email, "role": role.as_str() }))
                    .await
                    .assert_status(200);
            }
            let taken_out = caller.patch(&format!("/v1/users/{}", boss.id), json!({ "active": false })).await;
            if highest == Some(Role::Admin) {
                taken_out.assert_status(200);
                admin
                    .patch(&format!("/v1/users/{}", boss.id), json!({ "active": true }))
                    .await
                    .assert_status(200);
            } else {
                assert_eq!(taken_out.violation_of(403), [("#/active".to_owned(), "not_held".to_owned())]);
            }
        }
    }
    // Whoever has left comes back only by somebody who could have let them in.
    admin.patch(&format!("/v1/users/{}", mia.id), json!({ "active": false })).await.assert_status(200);
    let staff = key(&shop, "staff", &held(Role::Agent, &[Scope::UsersWrite])).await;
    assert_eq!(
        shop.with_token(&staff)
            .patch(&format!("/v1/users/{}", mia.id), json!({ "active": true }))
            .await
            .problem(403),
        "not_allowed"
    );
}

#[actix_web::test]
async fn a_key_gives_no_key_more_than_it_has() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let end = "2026-04-01T00:00:00.000000Z";
    let make = async |caller: &Caller<'_>, name: &str, scopes: Value, expires_at: Value| {
        caller.post("/v1/api-keys", json!({ "name": name, "scopes": scopes, "expires_at": expires_at })).await
    };
    let maker = make(
        &admin,
        "maker",
        json!(["api_keys:read", "api_keys:write", "notes:read", "intake:write"]),
        json!(end),
    )
    .await
    .assert_status(201);
    let caller = shop.with_token(&text(&maker["secret"]));
    for scope in ["notes:write", "users:act_as", "users:write"] {
        assert_eq!(
            make(&caller, scope, json!([scope]), json!(end)).await.violation_of(403),
            [("#/scopes/0".to_owned(), "not_held".to_owned())]
        );
    }
    for later in [Value::Null, json!("2026-04-01T00:00:00.000001Z")] {
        let reply = make(&caller, "outlives", json!(["notes:read"]), later.clone()).await;
        assert_eq!(reply.violation_of(403), [("#/expires_at".to_owned(), "not_held".to_owned())], "{later}");
        // Itself as little as another.
        let reply = caller
            .patch(&format!("/v1/api-keys/{}", text(&maker["id"])), json!({ "expires_at": later }))
            .await;
        assert_eq!(reply.violation_of(403), [("#/expires_at".to_owned(), "not_held".to_owned())], "{later}");
    }
    let itself = format!("/v1/api-keys/{}", text(&maker["id"]));
    assert_eq!(
        caller.patch(&itself, json!({ "scopes": ["api_keys:write", "notes:write"] })).await.problem(403),
        "not_allowed"
    );
    let child = make(&caller, "child", json!(["notes:read"]), json!(end)).await.assert_status(201);
    assert_eq!(
        (&child["owner"]["id"], &maker["owner"]["id"]),
        (&json!(shop.admin.id), &json!(shop.admin.id))
    );
    caller.patch(&itself, json!({ "expires_at": "2026-03-30T00:00:00Z" })).await.assert_status(200);

    // A mightier key: it can be ended and named otherwise, and made neither to last longer nor somebody
    // else's.
    let mighty = make(&admin, "mighty", json!(["users:write"]), json!("2026-03-20T00:00:00Z"))
        .await
        .assert_status(201);
    let mighty = format!("/v1/api-keys/{}", text(&mighty["id"]));
    let boss = shop.hire("Bo Boss", "admin").await;
    for change in [json!({ "expires_at": "2026-03-21T00:00:00Z" }), json!({ "owner_id": boss.id })] {
        assert_eq!(caller.patch(&mighty, change.clone()).await.problem(403), "not_allowed", "{change}");
    }
    caller
        .patch(&mighty, json!({ "name": "almighty", "expires_at": "2026-03-19T00:00:00Z" }))
        .await
        .assert_status(200);
    caller.command(&format!("{mighty}/revoke")).await.assert_status(200);
}

// Handed over, a key would go on when they leave who answer for it.
#[actix_web::test]
async fn a_key_hands_over_no_key() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let heir = shop.hire("Hana Heir", "admin").await;
    let every: Vec<Scope> = Scope::ALL.to_vec();
    let path_of = async |name: &str| {
        let keys = admin.rows("/v1/api-keys").await;
        let key = keys.iter().find(|key| key["name"] == name).expect("the key");
        format!("/v1/api-keys/{}", text(&key["id"]))
    };
    let secret = key(&shop, "itself", &every).await;
    key(&shop, "another", &[Scope::NotesRead]).await;
    for caller in [shop.with_token(&secret), shop.with_token(&secret).header("x-act-as", &shop.admin.id)] {
        for name in ["itself", "another"] {
            let path = path_of(name).await;
            for owner in [json!(heir.id), json!(shop.admin.id), json!(NOTHING)] {
                let refused = caller.patch(&path, json!({ "name": "Mine", "owner_id": owner })).await;
                assert_eq!(
                    (refused.problem(403), refused.violation_of(403)),
                    ("not_allowed", vec![("#/owner_id".into(), "not_held".into())])
                );
            }
            // To nobody, whoever asks: that is no matter of rights.
            let refused = caller.patch(&path, json!({ "name": "Mine", "owner_id": null })).await;
            assert_eq!(refused.violation_of(422), [("#/owner_id".into(), "required".into())]);
            let read = admin.get(&path).await.assert_status(200);
            assert_eq!(
                (&read["owner"]["id"], &read["version"]),
                (&json!(shop.admin.id), &json!(1)),
                "{name}"
            );
        }
    }
    admin.patch(&path_of("another").await, json!({ "owner_id": heir.id })).await.assert_status(200);
}

// Whoever could not hand a publishable key out opens no more with it; the refusal names what would.
#[actix_web::test]
async fn a_key_is_widened_by_who_has_its_scopes_and_the_refusal_names_the_field() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let mut page = json!({ "name": "Quiz \
         page", "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz", "contact"] });
    page["origins"] = json!(["https://shop.example"]);
    let path =
        format!("/v1/api-keys/{}", text(&admin.post("/v1/api-keys", page).await.assert_status(201)["id"]));
    let secret = key(&shop, "keys alone", &[Scope::ApiKeysRead, Scope::ApiKeysWrite]).await;
    let caller = shop.with_token(&secret);
    let (forms, origins) =
        (json!(["quiz", "callback"]), json!(["https://shop.example", "https://evil.example"]));
    for (change, named) in [
        (json!({ "forms": forms }), vec!["#/forms"]),
        (json!({ "origins": origins }), vec!["#/origins"]),
        (json!({ "forms": forms, "origins": origins }), vec!["#/forms", "#/origins"]),
    ] {
        let refused = caller.patch(&path, change.clone()).await;
        let wanted: Vec<(String, String)> =
            named.into_iter().map(|place| (place.to_owned(), "not_held".to_owned())).collect();
        assert_eq!((refused.problem(403), refused.violation_of(403)), ("not_allowed", wanted), "{change}");
    }
    // What opens less is no more than ending it.
    assert_eq!(
        caller.patch(&path, json!({ "forms": ["contact"] })).await.assert_status(200)["forms"],
        json!(["contact"])
    );
    assert_eq!(
        admin.patch(&path, json!({ "forms": forms, "origins": origins })).await.assert_status(200)["forms"],
        forms
    );
}

#[actix_web::test]
async fn a_key_ends_with_the_person_whose_it_is_and_the_answer_names_it() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let (boss, heir) = (shop.hire("Bo Boss", "admin").await, shop.hire("Hana Heir", "admin").await);
    let make = async |by: &Caller<'_>, name: &str, more: Value| {
        let mut new = json!({ "name": name, "scopes": ["notes:read", "api_keys:write"] });
        new.as_object_mut().expect("a key").extend(more.as_object().expect("more").clone());
        let made = by.post("/v1/api-keys", new).await.assert_status(201);
        (text(&made["id"]), text(&made["secret"]))
    };
    let page = json!({ "kind": "publishable", "scopes": ["intake:write"], "forms": ["quiz"],
        "origins": ["https://shop.example"] });
    let (secret_id, secret) = make(&shop.by(&boss), "Checkout", json!({})).await;
    let (child_id, child) =
        make(&shop.with_token(&secret), "Made by the checkout", json!({ "scopes": ["notes:read"] })).await;
    let (page_id, _) = make(&shop.by(&boss), "Quiz page", page).await;
    let (acting_id, acting) = make(&admin, "Acts for them", json!({ "user_id": boss.id })).await;
    let (given_id, given) = make(&shop.by(&boss), "Must go on", json!({})).await;
    let (_, other) = make(&admin, "Somebody else's", json!({})).await;
    let theirs = admin.rows(&format!("/v1/api-keys?owner={}", boss.id)).await;
    assert_eq!(each(&theirs, "id").len(), 4);
    let handed = admin
        .patch(&format!("/v1/api-keys/{given_id}"), json!({ "owner_id": heir.id }))
        .await
        .assert_status(200);
    assert_eq!(handed["owner"], json!({ "id": heir.id, "name": "Hana Heir" }));
    let agent = shop.hire("Ana Ruiz", "agent").await;
    for (whom, rule) in
        [(json!(agent.id), "not_held"), (json!(NOTHING), "unknown"), (Value::Null, "required")]
    {
        let refused = admin.patch(&format!("/v1/api-keys/{given_id}"), json!({ "owner_id": whom })).await;
        assert_eq!(refused.violation_of(422), [("#/owner_id".to_owned(), rule.to_owned())]);
    }
    let fates = |answer: &Value| {
        let keys = answer["api_keys"].as_array().cloned().unwrap_or_default();
        keys.iter().map(|key| (text(&key["id"]), text(&key["fate"]))).collect::<BTreeMap<_, _>>()
    };
    let all_of_them = BTreeMap::from([
        (secret_id, "ended".to_owned()),
        (child_id, "ended".to_owned()),
        (acting_id, "ended".to_owned()),
        (page_id.clone(), "handed_over".to_owned()),
    ]);
    // Whoever is held back is told as well.
    let held = shop.action_item(&boss, "Call", "2026-03-20T09:00:00Z", user(&boss)).await;
    let refused = admin.patch(&format!("/v1/users/{}", boss.id), json!({ "active": false })).await;
    assert_eq!((refused.problem(409), fates(&refused.json)), ("open_work", all_of_them.clone()));
    shop.with_token(&secret).get("/v1/notes").await.assert_status(200);
    let left = admin
        .post(&format!("/v1/users/{}/offboard", boss.id), json!({ "reassign_to": user(&heir) }))
        .await
        .assert_status(200);
    assert_eq!(fates(&left), all_of_them);
    assert_eq!(left["moved"][0]["items"][0]["id"], held["id"]);
    for ended in [&secret, &child, &acting] {
        assert_eq!(shop.with_token(ended).get("/v1/notes").await.problem(401), "invalid_token");
    }
    for lives in [&given, &other] {
        shop.with_token(lives).get("/v1/notes").await.assert_status(200);
    }
    assert_eq!(
        admin.get(&format!("/v1/api-keys/{page_id}")).await.assert_status(200)["owner"]["id"],
        heir.id.as_str()
    );
    let events = admin.get(&format!("/v1/events?record={page_id}")).await.assert_status(200);
    assert_eq!(crate::support::column(&events, "type"), ["api_key.created", "api_key.handed_over"]);
    // Coming back brings nothing back.
    admin.patch(&format!("/v1/users/{}", boss.id), json!({ "active": true })).await.assert_status(200);
    assert_eq!(shop.with_token(&secret).get("/v1/notes").await.problem(401), "invalid_token");
}

// Before keys had owners they were not ended when somebody left; nor does any of these come back with them.
#[actix_web::test]
async fn a_key_that_outlasted_its_person_ends_when_they_come_back() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let boss = shop.hire("Bo Boss", "admin").await;
    let new = json!({ "name": "Checkout", "scopes": ["notes:read"] });
    let theirs = shop.by(&boss).post("/v1/api-keys", new).await.assert_status(201);
    let acting = json!({ "name": "Acts for them", "scopes": ["notes:read"], "user_id": boss.id });
    let acting = admin.post("/v1/api-keys", acting).await.assert_status(201);
    let other = admin
        .post("/v1/api-keys", json!({ "name": "Somebody else's", "scopes": ["notes:read"] }))
        .await
        .assert_status(201);
    let path = format!("/v1/users/{}", boss.id);
    admin.patch(&path, json!({ "active": false })).await.assert_status(200);
    let database = shop.connect().await;
    database.execute_unprepared("UPDATE api_keys SET revoked_at = NULL").await.expect("keys as they were");
    database.close().await.expect("a closed connection");
    let opens = async |key: &Value| shop.with_token(&text(&key["secret"])).get("/v1/notes").await.status;
    assert_eq!(
        (opens(&theirs).await, opens(&acting).await, opens(&other).await),
        (401, 401, 200),
        "while they are away"
    );
    let back = admin.patch(&path, json!({ "active": true })).await.assert_status(200);
    let mut ended = back["api_keys"].as_array().expect("keys").clone();
    ended.sort_by_key(|key| text(&key["name"]));
    let fate = |key: &Value| json!({ "id": key["id"], "name": key["name"], "fate": "ended" });
    assert_eq!(ended, [fate(&acting), fate(&theirs)]);
    assert_eq!(
        (opens(&theirs).await, opens(&acting).await, opens(&other).await),
        (401, 401, 200),
        "when they are back"
    );
    let made = shop
        .by(&shop.again(&boss).await)
        .post("/v1/api-keys", json!({ "name": "New", "scopes": ["notes:read"] }))
        .await
        .assert_status(201);
    assert_eq!(opens(&made).await, 200);
}

#[actix_web::test]
async fn a_key_loses_what_the_person_loses_whose_it_is_and_the_answer_names_it() {
    let shop = TestApp::open().await;
    let admin = shop.by(&shop.admin);
    let boss = shop.hire("Bo Boss", "admin").await;
    let make = async |name: &str, scopes: Value| {
        let made = shop
            .by(&boss)
            .post("/v1/api-keys", json!({ "name": name, "scopes": scopes }))
            .await
            .assert_status(201);
        (text(&made["id"]), text(&made["secret"]))
    };
    let (wide_id, wide) =
        make("Wide", json!(["notes:read", "users:write", "jobs:read", "reports:read"])).await;
    let (only_id, only) = make("Only administrators", json!(["users:write", "users:act_as"])).await;
    let (_, narrow) = make("Narrow", json!(["notes:read"])).await;
    let path = format!("/v1/users/{}", boss.id);
    let lowered = admin.patch(&path, json!({ "role": "manager" })).await.assert_status(200);
    let mut keys = lowered["api_keys"].as_array().expect("keys").clone();
    keys.sort_by_key(|key| text(&key["name"]));
    assert_eq!(
        keys,
        [
            json!({ "id": only_id, "name": "Only administrators", "fate": "ended" }),
            json!({ "id": wide_id, "name": "Wide", "fate": "narrowed" })
        ]
    );
    assert_eq!(
        admin.get(&format!("/v1/api-keys/{wide_id}")).await.assert_status(200)["scopes"],
        json!(["notes:read", "reports:read", "jobs:read"])
    );
    shop.with_token(&narrow).get("/v1/notes").await.assert_status(200);
    assert_eq!(shop.with_token(&only).get("/v1/users/me").await.problem(401), "invalid_token");
    // What is lost is lost, and what is left sees to no more than the person does.
    shop.job(&shop.admin, "Somebody else's", 9, json!({})).await;
    assert_eq!(shop.with_token(&wide).rows("/v1/jobs").await.len(), 1);
    assert_eq!(
        admin.patch(&path, json!({ "role": "agent" })).await.assert_status(200)["api_keys"][0]["fate"],
        "narrowed"
    );
    assert_eq!(shop.with_token(&wide).rows("/v1/jobs").await, Vec::<Value>::new());
    assert!(
        admin.patch(&path, json!({ "role": "admin" })).await.assert_status(200).get("api_keys").is_none()
    );
    assert_eq!(shop.with_token(&wide).get("/v1/dashboard").await.problem(403), "missing_scope");
}

// A key is sent in the name of somebody mightier, and is no mightier for it.
#[actix_web::test]
async fn acting_for_somebody_mightier_gains_nothing() {
    let shop = TestApp::open().await;
    let boss = shop.hire("Bo Boss", "admin").await;
    let target = shop.hire("Tom Target", "admin").await;
    let secret = key(&shop, "leavers", &[Scope::UsersOffboard, Scope::UsersActAs, Scope::JobsRead]).await;
    let away = json!({ "reassign_to": { "type": "public" } });
    for caller in [shop.with_token(&secret), shop.with_token(&secret).header("x-act-as", &boss.id)] {
        let refused = caller.post(&format!("/v1/users/{}/offboard", target.id), away.clone()).await;
        assert_eq!(refused.problem(403), "not_allowed");
        assert_eq!(caller.get("/v1/users").await.problem(403), "missing_scope");
    }
    let another = shop.hire("Ana Ruiz", "agent").await;
    shop.with_token(&secret)
        .header("x-act-as", &boss.id)
        .post(&format!("/v1/users/{}/offboard", another.id), away)
        .await
        .assert_status(200);
}
