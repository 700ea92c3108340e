//! New passwords, names and links, and what a session is worth after them.

use serde_json::{Value, json};
use shared::domain::UserId;
use testkit::{Account, NOBODY, Observed, PASSWORD, SIGNING_KEY, Server, detail};

use super::{MAILS, NEW, bad_token, link, with, works};

#[tokio::test]
async fn a_new_password_ends_all_sessions_but_the_one_that_set_it() {
    let server = Server::start().await;
    let first = server.account("ann").await;
    let login = server.login("ann", PASSWORD).await;
    let second = Account {
        id: first.id,
        access: login.field("access"),
        refresh: login.field("refresh"),
    };
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let answer = server.post(&first, "users/set_password/", body).await;
    answer.assert(204, Value::Null);
    assert!(works(&server, &first).await);
    assert!(!works(&server, &second).await);
    let refresh = json!({"refresh": second.refresh});
    let refused = server.post(NOBODY, "token/refresh/", refresh).await;
    assert_eq!(refused.status, 401);
    server.login("ann", NEW).await.assert_status(200);
    server.assert_sound().await;
}

#[tokio::test]
async fn without_logout_on_password_change_everything_goes_on() {
    let server = Server::with(&[("LOGOUT_ON_PASSWORD_CHANGE", "false")]).await;
    let ann = server.account("ann").await;
    let user = server.read(UserId(ann.id)).await;
    let reset = with(link(&server, &user).await, "new_password", NEW);
    let answer = server
        .post(NOBODY, "users/reset_password_confirm/", reset)
        .await;
    answer.assert(204, Value::Null);
    assert!(works(&server, &ann).await);
    server.login("ann", NEW).await.assert_status(200);
}

#[tokio::test]
async fn a_reset_ends_every_session_and_sets_the_last_login() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let user = server.read(UserId(ann.id)).await;
    assert_eq!(user.last_login, None);
    let reset = with(link(&server, &user).await, "new_password", NEW);
    let path = "users/reset_password_confirm/";
    server
        .post(NOBODY, path, reset.clone())
        .await
        .assert(204, Value::Null);
    assert!(!works(&server, &ann).await);
    assert!(server.read(UserId(ann.id)).await.last_login.is_some());
    server
        .post(NOBODY, path, reset)
        .await
        .assert(400, bad_token());
    server.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_however_many_use_it_at_once() {
    let server = Server::with(&MAILS).await;
    for path in [
        "users/reset_password_confirm/",
        "users/reset_username_confirm/",
    ] {
        let user = server.anybody().await;
        let link = link(&server, &user).await;
        let tries = (0..8).map(|number| {
            let link = with(link.clone(), "new_password", &format!("{NEW}{number}"));
            let name = format!("{}-{number}", user.username.as_str());
            server.post(NOBODY, path, with(link, "new_username", &name))
        });
        let answers = futures_util::future::join_all(tries).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 400, 400, 400, 400, 400, 400, 400], "{path}");
    }
    server.assert_sound().await;
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_is_good_with_an_older_key() {
    let site = Observed::with(&[("PASSWORD_RESET_TIMEOUT", "60")]).await;
    let ann = site.user("ann").await;
    let link = link(&site, &ann).await;
    let keys = [
        ("SIGNING_KEY", "another-signing-key-of-the-tests-0123456789"),
        ("SIGNING_KEY_FALLBACKS", SIGNING_KEY),
    ];
    let newer = site.beside(&keys, site.app.clock.clone()).await;
    site.pass(61);
    let late = with(link.clone(), "new_password", NEW);
    let path = "users/reset_password_confirm/";
    site.post(NOBODY, path, late.clone())
        .await
        .assert(400, bad_token());
    newer
        .post(NOBODY, path, late)
        .await
        .assert(204, Value::Null);
}

#[tokio::test]
async fn a_password_may_not_be_like_the_account_that_gets_it_whoever_asks() {
    let server = Server::start().await;
    let bert = server.user("bertholdine").await;
    let ann = server.anybody().await;
    let reset = with(link(&server, &bert).await, "new_password", "bertholdine1");
    let refused = server
        .post(&ann, "users/reset_password_confirm/", reset)
        .await;
    let like = json!({"new_password": ["The password is too similar to the username."]});
    refused.assert(400, like);
}

#[tokio::test]
async fn a_wrong_current_password_counts_as_a_failed_login() {
    let server = Server::with(&[("LOGIN_FAILURE_LIMIT", "3")]).await;
    let ann = server.user("ann").await;
    let body = json!({"current_password": "wrong", "new_password": NEW});
    for status in [400, 400, 400, 429] {
        let answer = server.post(&ann, "users/set_password/", body.clone()).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(server.login("ann", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn the_last_active_superuser_cannot_delete_themself() {
    let server = Server::start().await;
    let body = json!({"current_password": PASSWORD});
    let answer = server.ask(&server.admin, "DELETE", "users/me/", body).await;
    answer.assert(400, detail("The last active superuser cannot be removed."));
}
