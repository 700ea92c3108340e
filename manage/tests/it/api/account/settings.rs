//! Settings of account life that decide how a request is answered.

use serde_json::{Value, json};
use shared::domain::UserId;
use testkit::{Account, Client, NOBODY, PASSWORD, Server, forbidden, not_found, user_path};

use super::{NEW, link, with, works};

/// Everything that a user without rights may ask of others.
async fn asked_of_others(client: &Client, ann: &Account, id: u64) -> Vec<(u16, Value)> {
    let (one, body) = (user_path(id), json!({"first_name": "Eve"}));
    let answers = [
        client.get(ann, "users/").await,
        client.get(ann, &one).await,
        client.put(ann, &one, body.clone()).await,
        client.patch(ann, &one, body).await,
        client.get(ann, &format!("{one}permissions/")).await,
        client.delete(ann, &one).await,
    ];
    let parts = answers.into_iter();
    parts.map(|answer| (answer.status, answer.body)).collect()
}

#[tokio::test]
async fn hide_users_lets_nobody_tell_a_user_whom_they_may_not_see_from_none() {
    let server = Server::with(&[("HIDE_USERS", "true")]).await;
    let ann = server.account("ann").await;
    let hidden = || (404, not_found());
    let expected = [
        hidden(),
        hidden(),
        hidden(),
        hidden(),
        hidden(),
        // As in djoser, a deletion is refused, whomever it is of.
        (403, forbidden()),
    ];
    for id in [server.admin.id.0, 99] {
        assert_eq!(asked_of_others(&server, &ann, id).await, expected, "{id}");
    }
    assert!(works(&server, &ann).await);
    let seen = server.get(&server.admin, &user_path(ann.id)).await;
    seen.assert_status(200);
    server.get(&server.admin, "users/").await.assert_status(200);
}

#[tokio::test]
async fn without_hide_users_a_user_is_told_that_they_may_not() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let refused = asked_of_others(&server, &ann, server.admin.id.0).await;
    assert!(
        refused.iter().all(|one| *one == (403, forbidden())),
        "{refused:?}"
    );
}

#[tokio::test]
async fn without_user_create_password_retype_a_registration_asks_for_one_password() {
    let server = Server::with(&[("USER_CREATE_PASSWORD_RETYPE", "false")]).await;
    let register = async |more: Value| {
        let mut body = json!({"username": "ann", "email": "ann@example.com"});
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().cloned().expect("an object"));
        server.post(NOBODY, "users/register/", body).await
    };
    let missing = json!({"password": ["This field is required."]});
    register(json!({})).await.assert(400, missing);
    let short = json!({"password": "Zr!ub"});
    let text = "This password is too short. It must contain at least 8 characters.";
    register(short)
        .await
        .assert(400, json!({"password": [text]}));
    // What is not asked for is not read.
    let other = json!({"password": PASSWORD, "password2": ["another"]});
    register(other).await.assert_status(201);
    server.login("ann", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn check_revoke_token_ends_the_session_that_set_the_password_too() {
    let settings = [
        ("CHECK_REVOKE_TOKEN", "true"),
        ("LOGOUT_ON_PASSWORD_CHANGE", "false"),
    ];
    let server = Server::with(&settings).await;
    let ann = server.account("ann").await;
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let answer = server.post(&ann, "users/set_password/", body).await;
    answer.assert(204, Value::Null);
    assert!(!works(&server, &ann).await);
    let again = server.login("ann", NEW).await;
    let again = Account {
        access: again.field("access"),
        refresh: again.field("refresh"),
        ..ann
    };
    let user = server.read(UserId(again.id)).await;
    let reset = with(link(&server, &user).await, "new_password", PASSWORD);
    let path = "users/reset_password_confirm/";
    server
        .post(NOBODY, path, reset)
        .await
        .assert(204, Value::Null);
    assert!(!works(&server, &again).await);
    server.assert_sound().await;
}

#[tokio::test]
async fn where_no_such_mail_is_sent_asking_for_one_is_not_found_whatever_is_asked() {
    let server = Server::start().await;
    for body in [json!({}), json!({"email": "x"}), json!([1])] {
        for path in ["users/reset_password/", "users/reset_username/"] {
            let answer = server.post(NOBODY, path, body.clone()).await;
            answer.assert(404, not_found());
        }
    }
    // djoser's has its own answer to that, and after the field errors.
    let path = "users/resend_activation/";
    let invalid = json!({"email": ["Enter a valid email address."]});
    let answer = server.post(NOBODY, path, json!({"email": "x"})).await;
    answer.assert(400, invalid);
    let body = json!({"email": "ann@example.com"});
    server
        .post(NOBODY, path, body)
        .await
        .assert(400, Value::Null);
}
