//! Tokens: their claims, their end, and the settings that shape them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::Router;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use manage::all_routes;
use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    domain::UserId,
    hashing::{Password, PasswordHash},
    settings::Settings,
    store::{Actor, connect_to},
};

use super::{
    client::{Answer, Api, PASSWORD, request, send, user},
    support::{SIGNING_KEY, TABLE, parsed},
};

const OTHER_KEY: &str = "another-signing-key-of-the-tests-0123456789";

pub fn decoded(token: &str, part: usize) -> Value {
    let segment = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

fn invalid() -> Value {
    let message = json!({"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid"});
    json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [message],
    })
}

/// The same table under other settings and another clock.
pub fn other_app(api: &Api, settings: &[(&str, &str)], clock: Clock) -> Router {
    let lookup = |name: &str| {
        let set = settings
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned());
        match name {
            "SIGNING_KEY" => set.or(Some(SIGNING_KEY.to_owned())),
            "TABLE_NAME" => Some(TABLE.to_owned()),
            _ => set,
        }
    };
    let settings = Settings::from_lookup(lookup).unwrap();
    let client = connect_to(&api.server.engine.endpoint());
    all_routes(App::local(settings, client, clock).unwrap())
}

async fn read(router: &Router, id: u64, token: &str) -> Answer {
    send(
        router,
        request("GET", &user(id), token)
            .body(axum::body::Body::empty())
            .unwrap(),
    )
    .await
}

pub async fn post(router: &Router, path: &str, body: Value) -> Answer {
    let request = request("POST", path, "").header("content-type", "application/json");
    send(
        router,
        request
            .body(axum::body::Body::from(body.to_string()))
            .unwrap(),
    )
    .await
}

#[tokio::test]
async fn tokens_carry_simplejwts_claims_and_no_others() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    for (token, kind, lifetime) in [
        (&ann.token, "access", 300),
        (&ann.refresh, "refresh", 86_400),
    ] {
        assert_eq!(decoded(token, 0), json!({"alg": "HS256", "typ": "JWT"}));
        let claims = decoded(token, 1);
        let names: BTreeSet<&str> = claims
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            BTreeSet::from(["exp", "iat", "jti", "token_type", "user_id"])
        );
        assert_eq!(
            (&claims["token_type"], &claims["user_id"]),
            (&json!(kind), &json!(ann.id.to_string()))
        );
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            lifetime
        );
        let jti = claims["jti"].as_str().unwrap();
        assert!(
            jti.len() == 32 && jti.bytes().all(|b| b.is_ascii_hexdigit()),
            "{jti}"
        );
    }
    assert_ne!(
        decoded(&ann.token, 1)["jti"],
        decoded(&ann.refresh, 1)["jti"]
    );
}

#[tokio::test]
async fn a_changed_password_ends_all_tokens_at_once_and_new_ones_work() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let hash = api
        .app()
        .hasher
        .hash(&Password::new("another-Long-phrase".to_owned()))
        .await;
    let now = api.app().clock.now();
    let store = &api.app().store;
    let known = store.user(UserId(ann.id)).await.unwrap().unwrap();
    store
        .set_password(&known, false, &hash, now, Actor::Command)
        .await
        .unwrap();

    assert_eq!(
        api.get(&user(ann.id), &ann.token).await.parts(),
        (401, &invalid())
    );
    let answer = api
        .post("/api/auth/token/refresh/", json!({"refresh": ann.refresh}))
        .await;
    let refused = json!({"detail": "Token is invalid", "code": "token_not_valid"});
    assert_eq!(answer.parts(), (401, &refused));
    assert_eq!(api.login("ann", PASSWORD).await.status, 401);

    let tokens = api.login("ann", "another-Long-phrase").await.body;
    assert_eq!(
        api.get(&user(ann.id), tokens["access"].as_str().unwrap())
            .await
            .status,
        200
    );
    let answer = api
        .post(
            "/api/auth/token/refresh/",
            json!({"refresh": tokens["refresh"]}),
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        api.get(&user(ann.id), answer.body["access"].as_str().unwrap())
            .await
            .status,
        200
    );
    api.assert_consistent().await;
}

#[tokio::test]
async fn a_fallback_key_verifies_but_does_not_sign() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let settings = [
        ("SIGNING_KEY", OTHER_KEY),
        ("SIGNING_KEY_FALLBACKS", SIGNING_KEY),
    ];
    let rotated = other_app(&api, &settings, Clock::System);
    assert_eq!(read(&rotated, ann.id, &ann.token).await.status, 200);
    let answer = post(
        &rotated,
        "/api/auth/token/refresh/",
        json!({"refresh": ann.refresh}),
    )
    .await;
    let new = answer.body["access"].as_str().unwrap();
    assert_eq!(read(&rotated, ann.id, new).await.status, 200);
    assert_eq!(api.get(&user(ann.id), new).await.parts(), (401, &invalid()));
}

#[tokio::test]
async fn an_audience_and_an_issuer_are_carried_and_asked_for() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let strict = other_app(
        &api,
        &[("AUDIENCE", "shop"), ("ISSUER", "us")],
        Clock::System,
    );
    assert_eq!(
        read(&strict, ann.id, &ann.token).await.parts(),
        (401, &invalid())
    );
    let login = json!({"username": "ann", "password": PASSWORD});
    let tokens = post(&strict, "/api/auth/login/", login).await.body;
    let access = tokens["access"].as_str().unwrap();
    let claims = decoded(access, 1);
    assert_eq!(
        (&claims["aud"], &claims["iss"]),
        (&json!("shop"), &json!("us"))
    );
    assert_eq!(read(&strict, ann.id, access).await.status, 200);
}

#[tokio::test]
async fn tokens_end_at_their_time_and_a_leeway_puts_it_off() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let exp = decoded(&ann.token, 1)["exp"].as_i64().unwrap();
    let time = Arc::new(AtomicI64::new(exp - 1));
    let sharp = other_app(&api, &[], Clock::Fixed(Arc::clone(&time)));
    let lenient = other_app(&api, &[("LEEWAY", "10")], Clock::Fixed(Arc::clone(&time)));
    assert_eq!(read(&sharp, ann.id, &ann.token).await.status, 200);
    time.store(exp, Ordering::SeqCst);
    let answer = read(&sharp, ann.id, &ann.token).await;
    assert_eq!(
        answer.body["messages"][0]["message"],
        json!("Token is expired")
    );
    assert_eq!(read(&lenient, ann.id, &ann.token).await.status, 200);
    time.store(exp + 10, Ordering::SeqCst);
    assert_eq!(read(&lenient, ann.id, &ann.token).await.status, 401);
}

#[tokio::test]
async fn lifetimes_and_algorithms_are_settings() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let settings = [
        ("ALGORITHM", "HS512"),
        ("ACCESS_TOKEN_LIFETIME", "60"),
        ("REFRESH_TOKEN_LIFETIME", "600"),
    ];
    let other = other_app(
        &api,
        &settings,
        Clock::Fixed(Arc::new(AtomicI64::new(1_900_000_000))),
    );
    let tokens = post(
        &other,
        "/api/auth/login/",
        json!({"username": "ann", "password": PASSWORD}),
    )
    .await
    .body;
    let access = tokens["access"].as_str().unwrap();
    assert_eq!(decoded(access, 0)["alg"], json!("HS512"));
    assert_eq!(decoded(access, 1)["exp"], json!(1_900_000_060));
    assert_eq!(
        decoded(tokens["refresh"].as_str().unwrap(), 1)["exp"],
        json!(1_900_000_600)
    );
    assert_eq!(read(&other, ann.id, access).await.status, 200);
    assert_eq!(read(&other, ann.id, &ann.token).await.status, 401);
}

#[tokio::test]
async fn update_last_login_writes_the_time_and_nothing_else() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let store = &api.app().store;
    let before = store.user(UserId(ann.id)).await.unwrap().unwrap();
    assert_eq!(before.last_login, None);
    let clock = Clock::Fixed(Arc::new(AtomicI64::new(1_900_000_000)));
    let other = other_app(&api, &[("UPDATE_LAST_LOGIN", "true")], clock);
    let login = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(post(&other, "/api/auth/login/", login).await.status, 200);
    let mut after = store.user(UserId(ann.id)).await.unwrap().unwrap();
    assert_eq!(after.last_login.take(), Some(1_900_000_000));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_hash_that_django_made_logs_in_and_is_replaced_by_argon2id() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let now = api.app().clock.now() - 10;
    // Django's own hash of `lètmein` with the salt `seasalt`.
    let django = "pbkdf2_sha256$1$seasalt$mJQ8D8xVBAKQGCo0t0n+NSPS2a0gQhVtjuC9LdL9WiM=";
    let old = PasswordHash::new(django.to_owned());
    let store = &api.app().store;
    let known = store.user(UserId(ann.id)).await.unwrap().unwrap();
    store
        .set_password(&known, false, &old, now, Actor::Command)
        .await
        .unwrap();
    assert_eq!(api.login("ann", "letmein").await.status, 401);
    assert_eq!(api.login("ann", "lètmein").await.status, 200);
    let (_, new) = store.user_by_name(&parsed("ann")).await.unwrap().unwrap();
    let new = new.unwrap();
    assert!(
        new.expose()
            .starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    );
    assert_eq!(api.login("ann", "lètmein").await.status, 200);
    let (_, same) = store.user_by_name(&parsed("ann")).await.unwrap().unwrap();
    assert_eq!(same.unwrap().expose(), new.expose());
}

#[tokio::test]
async fn nobody_logs_in_with_an_unusable_password() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let unusable = PasswordHash::new("!unusable".to_owned());
    let store = &api.app().store;
    let known = store.user(UserId(ann.id)).await.unwrap().unwrap();
    store
        .set_password(&known, false, &unusable, 0, Actor::Command)
        .await
        .unwrap();
    let refused = json!({"detail": "No active account found with the given credentials"});
    for password in [PASSWORD, "!unusable", "unusable"] {
        assert_eq!(api.login("ann", password).await.parts(), (401, &refused));
    }
}

#[tokio::test]
async fn a_blacklist_entry_past_its_time_counts_no_more() {
    let api = Api::start().await;
    let store = &api.app().store;
    assert!(store.blacklist("some-id", 1000).await.unwrap());
    assert!(!store.blacklist("some-id", 1000).await.unwrap());
    assert!(store.token_and_user("some-id", None, 999).await.unwrap().0);
    assert!(!store.token_and_user("some-id", None, 1000).await.unwrap().0);
    assert!(
        !store
            .token_and_user("another-id", None, 999)
            .await
            .unwrap()
            .0
    );
}
