//! New addresses, and accounts that wait for the link of a mail.

use serde_json::json;
use shared::mail::Kind;
use shared::mail::links::uid;
use testkit::{NOBODY, Server, user_path};

use super::{MAILS, bad_token, link, owed, token};

#[tokio::test]
async fn a_link_lets_no_deactivated_account_back_in() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").inactive().await;
    let link = link(&server, &ann).await;
    let answer = server.post(NOBODY, "users/activation/", link).await;
    answer.assert(400, bad_token());
    assert!(!server.read(ann.id).await.is_active);
}

#[tokio::test]
async fn a_new_address_of_ones_own_waits_for_its_link() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let change = |email: &str| json!({ "email": email });
    for email in ["first@example.com", "new@example.com"] {
        let kept = server.patch(&ann, "users/me/", change(email)).await;
        assert_eq!(kept.body["email"], "ann@example.com", "{kept:?}");
    }
    let list = server.get(&server.admin, "users/").await.text;
    assert!(!list.contains("new@example.com"), "{list}");
    let mails = owed(&server).await;
    let mut to: Vec<_> = mails
        .iter()
        .map(|mail| (mail.kind, mail.to.as_str()))
        .collect();
    to.sort_by_key(|(_, to)| *to);
    let activation = Kind::Activation;
    assert_eq!(
        to,
        [
            (activation, "first@example.com"),
            (activation, "new@example.com")
        ]
    );
    let path = "users/activation/";
    for (email, status) in [("first@example.com", 400), ("new@example.com", 204)] {
        let token = token(&server, ann.id, Some(email)).await;
        let link = json!({"uid": uid(ann.id), "token": token});
        let answer = server.post(NOBODY, path, link).await;
        assert_eq!(answer.status, status, "{email}: {answer:?}");
    }
    assert_eq!(server.read(ann.id).await.email.as_str(), "new@example.com");
    let by_admin = user_path(ann.id);
    let held = server
        .patch(&server.admin, &by_admin, change("by@example.com"))
        .await;
    assert_eq!(held.body["email"], "by@example.com");
    server.assert_sound().await;
}

#[tokio::test]
async fn a_link_to_a_new_address_is_no_good_for_an_account_that_was_deactivated() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let wanted = json!({"email": "new@example.com"});
    server
        .patch(&ann, "users/me/", wanted)
        .await
        .assert_status(200);
    let token = token(&server, ann.id, Some("new@example.com")).await;
    let off = json!({"is_active": false});
    let path = user_path(ann.id);
    server
        .patch(&server.admin, &path, off)
        .await
        .assert_status(200);
    let link = json!({"uid": uid(ann.id), "token": token});
    let answer = server.post(NOBODY, "users/activation/", link).await;
    answer.assert(400, bad_token());
    assert_eq!(server.read(ann.id).await.email.as_str(), "ann@example.com");
}

#[tokio::test]
async fn an_address_that_somebody_takes_meanwhile_is_not_given() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let wanted = json!({"email": "new@example.com"});
    server
        .patch(&ann, "users/me/", wanted.clone())
        .await
        .assert_status(200);
    let link = json!({
        "uid": uid(ann.id),
        "token": token(&server, ann.id, Some("new@example.com")).await,
    });
    let bob = server.user("bob").email("new@example.com").await;
    let answer = server.post(NOBODY, "users/activation/", link).await;
    answer.assert(400, bad_token());
    assert_eq!(server.read(bob.id).await.email.as_str(), "new@example.com");
    let taken = json!({"email": ["This field must be unique."]});
    server
        .patch(&ann, "users/me/", wanted)
        .await
        .assert(400, taken);
}
