//! Rotation of refresh tokens: who holds which token of a session, and what a replaced one does.

use std::collections::BTreeSet;

use serde_json::json;
use shared::{domain::UserId, jwt::TokenType};
use testkit::{NOBODY, NOW, Observed, PASSWORD, Server, detail};

use super::{
    sessions::{ROTATION, blacklisted, refresh},
    tokens::decoded,
};

#[tokio::test]
async fn parallel_uses_of_one_token_give_one_successor() {
    let server = Server::with(&[ROTATION]).await;
    for round in 0..5 {
        let account = server.account(&format!("ann{round}")).await;
        let one = || {
            let (client, token) = ((*server).clone(), account.refresh.clone());
            tokio::spawn(async move { refresh(&client, &token).await })
        };
        let uses: Vec<_> = (0..16).map(|_| one()).collect();
        let mut successors = BTreeSet::new();
        for one in uses {
            successors.insert(one.await.unwrap().assert_status(200).field("refresh"));
        }
        assert_eq!(successors.len(), 1);
        for successor in successors {
            refresh(&server, &successor).await.assert_status(200);
        }
    }
}

#[tokio::test]
async fn without_grace_one_of_parallel_uses_gets_a_successor() {
    let settings = [
        ROTATION,
        ("REFRESH_TOKEN_GRACE", "0"),
        ("REFRESH_TOKEN_REUSE", "refuse"),
    ];
    let server = Server::with(&settings).await;
    let account = server.account("ann").await;
    let one = || {
        let (client, token) = ((*server).clone(), account.refresh.clone());
        tokio::spawn(async move { refresh(&client, &token).await })
    };
    let uses: Vec<_> = (0..16).map(|_| one()).collect();
    let mut successors = Vec::new();
    for one in uses {
        let answer = one.await.unwrap();
        match answer.status {
            200 => successors.push(answer.field("refresh")),
            _ => answer.assert(401, blacklisted()),
        }
    }
    assert_eq!(successors.len(), 1);
    // Refusing is all that `refuse` does.
    refresh(&server, &successors[0]).await.assert_status(200);
}

#[tokio::test]
async fn a_replaced_token_gives_its_successor_for_the_grace_and_then_ends_the_session() {
    let site = Observed::with(&[ROTATION]).await;
    site.user("ann").await;
    let login = site.login("ann", PASSWORD).await;
    let (access, first) = (login.field("access"), login.field("refresh"));
    let second = refresh(&site, &first).await.field("refresh");
    assert_ne!(first, second);
    site.pass(9);
    assert_eq!(refresh(&site, &first).await.field("refresh"), second);
    site.get(&access, "users/me/").await.assert_status(200);
    site.pass(1);
    refresh(&site, &first).await.assert(401, blacklisted());
    refresh(&site, &second).await.assert(401, blacklisted());
    site.get(&access, "users/me/").await.assert_status(401);
}

#[tokio::test]
async fn without_blacklist_after_rotation_every_refresh_token_of_a_session_goes_on() {
    let settings = [
        ROTATION,
        ("BLACKLIST_AFTER_ROTATION", "false"),
        ("REFRESH_TOKEN_GRACE", "0"),
    ];
    let site = Observed::with(&settings).await;
    let user = site.user("ann").await;
    let first = site.login("ann", PASSWORD).await.field("refresh");
    site.pass(60);
    let second = refresh(&site, &first).await.field("refresh");
    assert_eq!(decoded(&second, 1)["exp"], NOW + 60 + 86_400);
    let third = refresh(&site, &first).await.field("refresh");
    let all = BTreeSet::from([&first, &second, &third]);
    assert_eq!(all.len(), 3);
    for token in all {
        refresh(&site, token).await.assert_status(200);
    }
    // One that is blacklisted is, and the others are not; to verify it, the blacklist is not read.
    let body = json!({ "refresh": first });
    let gone = site.post(NOBODY, "token/blacklist/", body).await;
    gone.assert(200, json!({}));
    refresh(&site, &first).await.assert(401, blacklisted());
    let verified = site.post(NOBODY, "token/verify/", json!({ "token": first }));
    verified.await.assert(200, json!({}));
    refresh(&site, &second).await.assert_status(200);
    // A token of Django goes on too, beside the session that it begins.
    let foreign = site.issue(TokenType::Refresh, &user);
    for _ in 0..2 {
        refresh(&site, &foreign).await.assert_status(200);
    }
    let body = json!({ "refresh": second });
    site.post(NOBODY, "logout/", body).await.assert_status(200);
    refresh(&site, &third).await.assert(401, blacklisted());
    site.assert_sound().await;
}

#[tokio::test]
async fn blacklist_after_rotation_alone_looks_for_blacklisted_tokens_where_they_are_verified() {
    let server = Server::with(&[("BLACKLIST_AFTER_ROTATION", "true")]).await;
    let ann = server.account("ann").await;
    let body = json!({"refresh": ann.refresh});
    let answer = refresh(&server, &ann.refresh).await;
    answer.assert_status(200);
    assert_eq!(answer.body.get("refresh"), None);
    let gone = server.post(NOBODY, "token/blacklist/", body).await;
    gone.assert(200, json!({}));
    let told = json!({"non_field_errors": ["Token is blacklisted"]});
    let verified = server.post(NOBODY, "token/verify/", json!({"token": ann.refresh}));
    verified.await.assert(400, told);
}

#[tokio::test]
async fn a_session_of_rotated_tokens_ends_at_its_greatest_age() {
    let settings = [ROTATION, ("SESSION_MAX_AGE", "100000")];
    let site = Observed::with(&settings).await;
    site.user("ann").await;
    let mut token = site.login("ann", PASSWORD).await.field("refresh");
    for expires in [NOW + 86_400, NOW + 100_000, NOW + 100_000] {
        assert_eq!(decoded(&token, 1)["exp"], expires);
        site.pass(40_000);
        let answer = refresh(&site, &token).await;
        if answer.status == 401 {
            let expired = json!({"detail": "Token is expired", "code": "token_not_valid"});
            answer.assert(401, expired);
            return;
        }
        token = answer.field("refresh");
    }
    panic!("a session without end");
}

#[tokio::test]
async fn of_a_deleted_user_a_replaced_token_is_blacklisted_and_the_last_one_names_no_account() {
    let settings = [
        ("ROTATE_REFRESH_TOKENS", "true"),
        ("REFRESH_TOKEN_GRACE", "0"),
        ("REFRESH_TOKEN_REUSE", "refuse"),
    ];
    let server = Server::with(&settings).await;
    let ann = server.account("ann").await;
    let last: String = refresh(&server, &ann.refresh).await.field("refresh");
    let user = server.read(UserId(ann.id)).await;
    server.remove(&user).await;
    refresh(&server, &ann.refresh)
        .await
        .assert(401, blacklisted());
    let nobody = detail("No active account found for the given token.");
    refresh(&server, &last).await.assert(401, nobody);
    let verified = |token: String| server.post(NOBODY, "token/verify/", json!({"token": token}));
    let replaced = json!({"non_field_errors": ["Token is blacklisted"]});
    verified(ann.refresh).await.assert(400, replaced);
    verified(last).await.assert(200, json!({}));
    server.assert_sound().await;
}
