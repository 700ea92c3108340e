//! Tokens: their claims, their end, and the settings that shape them.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use shared::{clock::Clock, domain::UserId};
use testkit::{Client, NOBODY, NOW, Observed, PASSWORD, SIGNING_KEY, Server, detail, user_path};

const OTHER_KEY: &str = "another-signing-key-of-the-tests-0123456789";
/// Django's own hash of `lètmein` with the salt `seasalt`.
const DJANGOS: &str = "pbkdf2_sha256$1$seasalt$mJQ8D8xVBAKQGCo0t0n+NSPS2a0gQhVtjuC9LdL9WiM=";

pub fn decoded(token: &str, part: usize) -> Value {
    let segment = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
}

/// A clock that stands.
pub fn at(time: i64) -> Clock {
    Clock::Fixed(Arc::new(AtomicI64::new(time)))
}

pub fn invalid() -> Value {
    let message = json!({"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid"});
    json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [message],
    })
}

/// The status of a user's profile.
async fn read(client: &Client, id: u64, token: &str) -> u16 {
    client.get(token, &user_path(id)).await.status
}

#[tokio::test]
async fn tokens_carry_simplejwts_claims_and_the_session() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    for (token, kind, lifetime) in [
        (&ann.access, "access", 300),
        (&ann.refresh, "refresh", 86_400),
    ] {
        assert_eq!(decoded(token, 0), json!({"alg": "HS256", "typ": "JWT"}));
        let claims = decoded(token, 1);
        let mut names = Vec::from_iter(claims.as_object().unwrap().keys());
        names.sort_unstable();
        assert_eq!(names, ["exp", "iat", "jti", "sid", "token_type", "user_id"]);
        assert_eq!(claims["token_type"], kind);
        assert_eq!(claims["user_id"], ann.id.to_string());
        let time = |name: &str| claims[name].as_i64().unwrap();
        assert_eq!(time("exp") - time("iat"), lifetime);
        let jti = claims["jti"].as_str().unwrap();
        let is_hex = jti.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(jti.len() == 32 && is_hex, "{jti}");
    }
    let jti = |token: &str| decoded(token, 1)["jti"].clone();
    assert_ne!(jti(&ann.access), jti(&ann.refresh));
}

#[tokio::test]
async fn a_changed_password_ends_all_tokens_at_once_and_new_ones_work() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let (path, new) = (user_path(ann.id), "another-Long-phrase");
    let user = server.read(UserId(ann.id)).await;
    server.set_password(&user, new).await;

    server.get(&ann, &path).await.assert(401, invalid());
    let refresh = async |token: &str| {
        let body = json!({ "refresh": token });
        server.post(NOBODY, "token/refresh/", body).await
    };
    let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    refresh(&ann.refresh).await.assert(401, refused);
    server.login("ann", PASSWORD).await.assert_status(401);

    let tokens = server.login("ann", new).await;
    let access = tokens.field("access");
    server.get(&access, &path).await.assert_status(200);
    let answer = refresh(&tokens.field("refresh")).await;
    let access = answer.assert_status(200).field("access");
    server.get(&access, &path).await.assert_status(200);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_fallback_key_verifies_but_does_not_sign() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let keys = [
        ("SIGNING_KEY", OTHER_KEY),
        ("SIGNING_KEY_FALLBACKS", SIGNING_KEY),
    ];
    let rotated = server.beside(&keys, Clock::System).await;
    assert_eq!(read(&rotated, ann.id, &ann.access).await, 200);
    let body = json!({"refresh": ann.refresh});
    let answer = rotated.post(NOBODY, "token/refresh/", body).await;
    let new = answer.field("access");
    assert_eq!(read(&rotated, ann.id, &new).await, 200);
    let answer = server.get(&new, &user_path(ann.id)).await;
    answer.assert(401, invalid());
}

#[tokio::test]
async fn an_audience_and_an_issuer_are_carried_and_asked_for() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let settings = [("AUDIENCE", "shop"), ("ISSUER", "us")];
    let strict = server.beside(&settings, Clock::System).await;
    let answer = strict.get(&ann, &user_path(ann.id)).await;
    answer.assert(401, invalid());
    let access = strict.log_in("ann", PASSWORD).await;
    let claims = decoded(&access, 1);
    assert_eq!([&claims["aud"], &claims["iss"]], ["shop", "us"]);
    assert_eq!(read(&strict, ann.id, &access).await, 200);
}

#[tokio::test]
async fn tokens_end_at_their_time_and_a_leeway_puts_it_off() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let exp = decoded(&ann.access, 1)["exp"].as_i64().unwrap();
    let time = Arc::new(AtomicI64::new(exp - 1));
    let clock = || Clock::Fixed(Arc::clone(&time));
    let sharp = server.beside(&[], clock()).await;
    let lenient = server.beside(&[("LEEWAY", "10")], clock()).await;
    assert_eq!(read(&sharp, ann.id, &ann.access).await, 200);
    time.store(exp, Ordering::SeqCst);
    let answer = sharp.get(&ann, &user_path(ann.id)).await;
    assert_eq!(answer.body["messages"][0]["message"], "Token is expired");
    assert_eq!(read(&lenient, ann.id, &ann.access).await, 200);
    time.store(exp + 10, Ordering::SeqCst);
    assert_eq!(read(&lenient, ann.id, &ann.access).await, 401);
}

#[tokio::test]
async fn lifetimes_and_algorithms_are_settings() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let settings = [
        ("ALGORITHM", "HS512"),
        ("ACCESS_TOKEN_LIFETIME", "60"),
        ("REFRESH_TOKEN_LIFETIME", "600"),
    ];
    let other = server.beside(&settings, at(NOW)).await;
    let tokens = other.login("ann", PASSWORD).await;
    let (access, refresh) = (tokens.field("access"), tokens.field("refresh"));
    assert_eq!(decoded(&access, 0)["alg"], "HS512");
    assert_eq!(decoded(&access, 1)["exp"], NOW + 60);
    assert_eq!(decoded(&refresh, 1)["exp"], NOW + 600);
    assert_eq!(read(&other, ann.id, &access).await, 200);
    assert_eq!(read(&other, ann.id, &ann.access).await, 401);
}

#[tokio::test]
async fn update_last_login_writes_the_time_and_nothing_else() {
    let server = Server::start().await;
    let before = server.user("ann").await;
    assert_eq!(before.last_login, None);
    let settings = [("UPDATE_LAST_LOGIN", "true")];
    let other = server.beside(&settings, at(NOW)).await;
    other.log_in("ann", PASSWORD).await;
    let mut after = server.read(before.id).await;
    assert_eq!(after.last_login.take(), Some(NOW));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_hash_that_django_made_logs_in_and_is_replaced_by_argon2id() {
    let server = Server::start().await;
    let ann = server.user("ann").hash(DJANGOS).await;
    let stored = async || {
        let found = server
            .table
            .user_to_log_in(ann.id, &ann.username, ann.username.as_str())
            .await;
        let (_, hash) = found.unwrap().unwrap();
        hash.unwrap().expose().to_owned()
    };
    server.login("ann", "letmein").await.assert_status(401);
    server.log_in("ann", "lètmein").await;
    let new = stored().await;
    assert!(new.starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$"));
    server.log_in("ann", "lètmein").await;
    assert_eq!(stored().await, new);
}

#[tokio::test]
async fn nobody_logs_in_with_an_unusable_password() {
    let server = Server::start().await;
    server.user("ann").hash("!unusable").await;
    let refused = detail("No active account found with the given credentials");
    for password in [PASSWORD, "!unusable", "unusable"] {
        server.login("ann", password).await.assert(401, &refused);
    }
}

#[tokio::test]
async fn a_blacklist_entry_past_its_time_counts_no_more() {
    let site = Observed::start().await;
    let store = &site.table;
    assert!(store.blacklist("some-id", NOW + 10).await.unwrap());
    assert!(!store.blacklist("some-id", NOW + 10).await.unwrap());
    for (id, seconds, counts) in [
        ("some-id", 9, true),
        ("another-id", 0, false),
        ("some-id", 1, false),
    ] {
        site.pass(seconds);
        assert_eq!(store.is_blacklisted(id).await.unwrap(), counts, "{id}");
    }
}
