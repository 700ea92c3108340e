//! What others verify tokens with, and what tokens say to them.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::{clock::Clock, jwt::TokenType};
use testkit::{Answer, Client, NOBODY, NOW, Observed, PASSWORD, SIGNING_KEY, Server, not_found};

use super::tokens::{at, decoded};

pub const RS256: &str = include_str!("../../../../shared/src/jwt/rs256.pem");
pub const ES256: &str = include_str!("../../../../shared/src/jwt/es256.pem");
pub const EDDSA: &str = include_str!("../../../../shared/src/jwt/eddsa.pem");
pub const LINK_KEY: &str = "a-link-key-of-the-tests-0123456789abcdefgh";
const CONFIGURATION: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/.well-known/jwks.json";

/// Settings of a service that signs by an RSA key.
pub fn rs256<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let keys = [
        ("ALGORITHM", "RS256"),
        ("SIGNING_KEY", RS256),
        ("LINK_KEY", LINK_KEY),
    ];
    [&keys, more].concat()
}

async fn asked(client: &Client, path: &str, tag: Option<&str>) -> Answer {
    let mut request = client.request(NOBODY, "GET", path);
    if let Some(tag) = tag {
        request = request.header("if-none-match", tag);
    }
    client.send(request, Vec::new()).await
}

#[tokio::test]
async fn the_document_says_where_the_keys_are_and_what_is_there_and_no_more() {
    let server = Server::with(&rs256(&[])).await;
    let base = server.base();
    let answer = asked(&server, CONFIGURATION, None).await;
    let claims = [
        "sub",
        "preferred_username",
        "name",
        "given_name",
        "family_name",
        "email",
    ];
    let document = json!({
        "issuer": base,
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "userinfo_endpoint": format!("{base}/api/auth/userinfo/"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
        "response_types_supported": [],
        "grant_types_supported": [],
        "claims_supported": claims,
    });
    answer.assert(200, document);
    let ann = server.account("ann").await;
    let token = server.log_in("ann", PASSWORD).await;
    assert_eq!(decoded(&token, 1)["iss"], base);
    let keys = asked(&server, KEYS, None).await;
    assert_eq!(keys.body["keys"][0]["kid"], decoded(&token, 0)["kid"]);
    let refresh = decoded(&ann.refresh, 1);
    assert_eq!([&refresh["iss"], &refresh["aud"]], [base, base]);
}

#[tokio::test]
async fn an_issuer_that_is_set_is_the_one_of_tokens_and_of_the_document() {
    for (issuer, address) in [
        ("https://id.example.com", Some("https://id.example.com")),
        ("us", None),
    ] {
        let server = Server::with(&rs256(&[("ISSUER", issuer)])).await;
        let document = asked(&server, CONFIGURATION, None).await.body;
        assert_eq!(document["issuer"], issuer);
        let base = address.unwrap_or(server.base());
        assert_eq!(
            document["jwks_uri"],
            format!("{base}/.well-known/jwks.json")
        );
        server.user("ann").await;
        let token = server.log_in("ann", PASSWORD).await;
        assert_eq!(decoded(&token, 1)["iss"], issuer);
        server.get(&token, "users/me/").await.assert_status(200);
    }
}

#[tokio::test]
async fn documents_may_be_kept_for_their_time_and_are_not_sent_again_to_who_has_them() {
    let server = Server::with(&rs256(&[])).await;
    for path in [KEYS, CONFIGURATION] {
        let first = asked(&server, path, None).await;
        first.assert_status(200);
        let tag = first.header("etag").unwrap().to_owned();
        assert_eq!(first.header("cache-control"), Some("public, max-age=300"));
        for tag in [tag.as_str(), "*", &format!("\"x\", W/{tag}")] {
            let again = asked(&server, path, Some(tag)).await;
            again.assert(304, Value::Null);
            assert_eq!(again.header("etag"), first.header("etag"));
            assert_eq!(again.header("cache-control"), Some("public, max-age=300"));
        }
        let other = asked(&server, path, Some("\"other\"")).await;
        assert_eq!(other.body, first.body);
        let slash = asked(&server, &format!("{path}/"), None).await;
        assert_eq!(slash.body, first.body);
        let refused = json!({"detail": "Method \"POST\" not allowed."});
        server
            .post(NOBODY, path, json!({}))
            .await
            .assert(405, refused);
    }
}

#[tokio::test]
async fn where_hmac_signs_tokens_are_as_they_were_and_nothing_is_published() {
    let server = Server::start().await;
    asked(&server, CONFIGURATION, None)
        .await
        .assert(404, not_found());
    asked(&server, KEYS, None)
        .await
        .assert(200, json!({"keys": []}));
    server.user("ann").await;
    let token = server.log_in("ann", PASSWORD).await;
    assert_eq!(decoded(&token, 0), json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!(decoded(&token, 1).get("iss"), None);
}

#[tokio::test]
async fn userinfo_has_the_standard_claims_and_leaves_out_what_is_empty() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let names = json!({"first_name": "Ann", "last_name": "Lee"});
    let bare =
        json!({"sub": ann.id.to_string(), "preferred_username": "ann", "email": "ann@example.com"});
    server.get(&ann, "userinfo/").await.assert(200, bare);
    let changed = server.ask(&ann, "PATCH", "users/me/", names).await;
    changed.assert_status(200);
    let whole = json!({
        "sub": ann.id.to_string(), "preferred_username": "ann", "name": "Ann Lee",
        "given_name": "Ann", "family_name": "Lee", "email": "ann@example.com",
    });
    server.get(&ann, "userinfo/").await.assert(200, &whole);
    let posted = server.post(&ann, "userinfo/", json!({})).await;
    posted.assert(200, &whole);
    let refused = server.get(NOBODY, "userinfo/").await;
    assert_eq!(
        refused.header("www-authenticate"),
        Some("Bearer realm=\"api\"")
    );
    refused.assert_status(401);
    server
        .get(&ann.refresh, "userinfo/")
        .await
        .assert_status(401);
}

#[tokio::test]
async fn claims_that_are_asked_for_are_those_of_the_user_now_at_every_refresh() {
    for rotate in ["false", "true"] {
        let all = "sub, username,email,is_staff,is_superuser,groups,permissions";
        let settings = [("TOKEN_CLAIMS", all), ("ROTATE_REFRESH_TOKENS", rotate)];
        let server = Server::with(&settings).await;
        let group = server.group("editors", &["auth.view_user"]).await;
        let ann = server.user("ann").joins([&group]).await;
        let tokens = server.login("ann", PASSWORD).await;
        let told = |token: &str| {
            let claims = decoded(token, 1);
            let names = all.split(',').map(str::trim);
            names.map(|name| claims[name].clone()).collect::<Value>()
        };
        let (id, email) = (ann.id.to_string(), "ann@example.com");
        let held = json!([
            id,
            "ann",
            email,
            false,
            false,
            ["editors"],
            ["auth.view_user"]
        ]);
        assert_eq!(told(&tokens.field("access")), held);
        // A refresh token is for nobody else, and says nothing.
        assert_eq!(decoded(&tokens.field("refresh"), 1).get("groups"), None);
        let path = format!("users/{id}/assign_groups/");
        let gone = server
            .ask(&server.admin, "POST", &path, json!({"group_ids": []}))
            .await;
        gone.assert_status(200);
        let renamed = json!({"username": "anna", "email": "a@example.com", "is_staff": true});
        let path = format!("users/{id}/");
        server
            .ask(&server.admin, "PATCH", &path, renamed)
            .await
            .assert_status(200);
        let refresh = json!({"refresh": tokens.field("refresh")});
        let answer = server.post(NOBODY, "token/refresh/", refresh).await;
        let now = json!([id, "anna", "a@example.com", true, false, [], []]);
        assert_eq!(told(&answer.field("access")), now);
    }
}

#[tokio::test]
async fn claims_cost_a_login_no_call_unless_they_are_of_groups_and_permissions() {
    let mut calls = Vec::new();
    for claims in [
        "",
        "sub,username,email,is_staff,is_superuser",
        "groups",
        "groups,permissions",
    ] {
        let site = Observed::with(&[("TOKEN_CLAIMS", claims)]).await;
        let group = site.group("editors", &["auth.view_user"]).await;
        site.user("ann").joins([&group]).await;
        site.proxy.take_calls();
        site.log_in("ann", PASSWORD).await;
        calls.push(site.proxy.take_calls().len());
    }
    let plain = calls[0];
    assert_eq!(calls, [plain, plain, plain + 1, plain + 1]);
}

#[tokio::test]
async fn tokens_of_django_are_taken_until_their_time_and_give_tokens_of_the_new_kind() {
    let server = Server::start().await;
    // As Django made them: no session, no key's name, no issuer and no audience.
    let old_access = server.issue(TokenType::Access, &server.admin);
    let until = decoded(&old_access, 1)["iat"].as_i64().unwrap() + 100;
    let date = Timestamp::from_second(until).unwrap().to_string();
    let time = Arc::new(AtomicI64::new(until - 1));
    for rotate in ["false", "true"] {
        time.store(until - 1, Ordering::SeqCst);
        let settings = [
            ("SIGNING_KEY_FALLBACKS", SIGNING_KEY),
            ("LEGACY_TOKENS_UNTIL", &*date),
            ("AUDIENCE", "shop"),
            ("ISSUER", "https://id.example.com"),
            ("ROTATE_REFRESH_TOKENS", rotate),
        ];
        let moved = server
            .beside(&rs256(&settings), Clock::Fixed(Arc::clone(&time)))
            .await;
        moved.get(&old_access, "users/me/").await.assert_status(200);
        let refresh = json!({"refresh": server.issue(TokenType::Refresh, &server.admin)});
        let answer = moved.post(NOBODY, "token/refresh/", refresh.clone()).await;
        let access = answer.assert_status(200).field("access");
        assert_eq!(decoded(&access, 0)["alg"], "RS256");
        assert_eq!(decoded(&access, 1)["iss"], "https://id.example.com");
        moved.get(&access, "users/me/").await.assert_status(200);
        if rotate == "true" {
            assert_eq!(decoded(&answer.field("refresh"), 0)["alg"], "RS256");
        }
        time.store(until, Ordering::SeqCst);
        moved.get(&old_access, "users/me/").await.assert_status(401);
        moved
            .post(NOBODY, "token/refresh/", refresh)
            .await
            .assert_status(401);
        moved.get(&access, "users/me/").await.assert_status(200);
    }
}

#[tokio::test]
async fn a_token_of_another_services_key_with_the_same_name_is_refused() {
    let server = Server::with(&rs256(&[])).await;
    let es256 = [
        ("ALGORITHM", "ES256"),
        ("SIGNING_KEY", ES256),
        ("LINK_KEY", LINK_KEY),
    ];
    let other = server.beside(&es256, at(NOW)).await;
    server.user("ann").await;
    let token = other.log_in("ann", PASSWORD).await;
    server.get(&token, "users/me/").await.assert_status(401);
}
