//! Tokens that are taken back before their time.

use serde_json::json;
use testkit::{NOBODY, Server, user_path};

use super::tokens::{at, decoded};

#[tokio::test]
async fn a_blacklisted_refresh_token_is_refused_but_its_access_token_lives_on() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let body = json!({"refresh": ann.refresh});
    let answer = server.post(NOBODY, "token/blacklist/", body.clone()).await;
    answer.assert(200, json!({}));
    let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    for path in ["token/refresh/", "token/blacklist/"] {
        let answer = server.post(NOBODY, path, body.clone()).await;
        assert_eq!(answer.parts(), (401, &refused), "{path}");
    }
    let answer = server.get(&ann, &user_path(ann.id)).await;
    answer.assert_status(200);
}

#[tokio::test]
async fn a_leeway_does_not_bring_a_blacklisted_token_back() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let exp = decoded(&ann.refresh, 1)["exp"].as_i64().unwrap();
    let post = async |path: &str, time: i64| {
        let lenient = server.beside(&[("LEEWAY", "10")], at(time)).await;
        let body = json!({"refresh": ann.refresh});
        lenient.post(NOBODY, path, body).await
    };
    let answer = post("token/blacklist/", exp - 1).await;
    answer.assert(200, json!({}));
    let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
    // The token is genuine for ten seconds more, so its entry must count as long.
    for time in [exp, exp + 9] {
        let answer = post("token/refresh/", time).await;
        assert_eq!(answer.parts(), (401, &refused), "{}", time - exp);
    }
    let expired = json!({"detail": "Token is expired", "code": "token_not_valid"});
    let answer = post("token/refresh/", exp + 10).await;
    answer.assert(401, expired);
}
