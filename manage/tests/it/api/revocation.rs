//! Tokens that are taken back before their time.

use std::sync::{Arc, atomic::AtomicI64};

use serde_json::json;
use shared::app::Clock;

use super::{
    client::{Api, user},
    tokens::{decoded, other_app, post},
};

#[tokio::test]
async fn a_blacklisted_refresh_token_is_refused_but_its_access_token_lives_on() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let body = json!({"refresh": ann.refresh});
    let answer = api.post("/api/auth/token/blacklist/", body.clone()).await;
    assert_eq!(answer.parts(), (200, &json!({})));
    let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    for path in ["/api/auth/token/refresh/", "/api/auth/token/blacklist/"] {
        let answer = api.post(path, body.clone()).await;
        assert_eq!(answer.parts(), (401, &refused), "{path}");
    }
    assert_eq!(api.get(&user(ann.id), &ann.token).await.status, 200);
}

#[tokio::test]
async fn a_leeway_does_not_bring_a_blacklisted_token_back() {
    let api = Api::start().await;
    let ann = api.account("ann").await;
    let exp = decoded(&ann.refresh, 1)["exp"].as_i64().unwrap();
    let body = json!({"refresh": ann.refresh});
    let at = |time: i64| {
        let clock = Clock::Fixed(Arc::new(AtomicI64::new(time)));
        other_app(&api, &[("LEEWAY", "10")], clock)
    };
    let answer = post(&at(exp - 1), "/api/auth/token/blacklist/", body.clone()).await;
    assert_eq!(answer.parts(), (200, &json!({})));
    let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    // The token is genuine for ten seconds more, so its entry must count as long.
    for time in [exp, exp + 9] {
        let answer = post(&at(time), "/api/auth/token/refresh/", body.clone()).await;
        assert_eq!(answer.parts(), (401, &refused), "{}", time - exp);
    }
    let expired = json!({"detail": "Token is expired", "code": "token_not_valid"});
    let answer = post(&at(exp + 10), "/api/auth/token/refresh/", body).await;
    assert_eq!(answer.parts(), (401, &expired));
}
