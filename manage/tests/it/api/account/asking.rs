//! Asking for a mail: nobody learns who has an account.

use serde_json::{Value, json};
use testkit::{NOBODY, Observed, Server, not_found};

use super::{MAILS, owed};

#[tokio::test]
async fn a_mail_is_asked_for_with_the_same_calls_for_every_address() {
    let site = Observed::with(&MAILS).await;
    site.user("ann").await;
    site.user("gone").inactive().await;
    site.user("guest").hash("!nobody").await;
    let mut all = Vec::new();
    for name in ["ANN", "nobody", "gone", "guest"] {
        let body = json!({"email": format!("{name}@example.com")});
        site.proxy.take_calls();
        let answer = site.post(NOBODY, "users/reset_password/", body).await;
        answer.assert(204, Value::Null);
        let calls = site.proxy.take_calls();
        let mut names: Vec<String> = calls.iter().map(|call| call.operation.clone()).collect();
        names.sort();
        all.push(names);
    }
    assert_eq!(all[0], ["PutItem", "UpdateItem", "UpdateItem"]);
    assert!(all.iter().all(|calls| *calls == all[0]), "{all:?}");
    let mails = owed(&site).await;
    assert!(mails.iter().all(|mail| mail.user_id.is_none()), "{mails:?}");
    assert_eq!(mails.len(), 4);
}

#[tokio::test]
async fn what_is_above_the_limits_of_mails_is_left_out_silently() {
    let limits = [
        ("THROTTLE_RATE_MAIL", "4/hour"),
        ("THROTTLE_RATE_MAIL_ACCOUNT", "2/hour"),
    ];
    let server = Server::with(&[&MAILS[..], &limits].concat()).await;
    // Two to ann; then two more in other letters, which are to ann as well; then two above the rate of
    // the source.
    for address in ["ann", "ann", "ANN", "ANN", "bob", "bob"] {
        let body = json!({"email": format!("{address}@example.com")});
        let answer = server.post(NOBODY, "users/reset_password/", body).await;
        answer.assert(204, Value::Null);
    }
    assert_eq!(owed(&server).await.len(), 2);
}

#[tokio::test]
async fn without_links_there_is_no_mail_to_ask_for_and_no_page() {
    let server = Server::start().await;
    let body = json!({"email": "ann@example.com"});
    for path in ["users/reset_password/", "users/reset_username/"] {
        server
            .post(NOBODY, path, body.clone())
            .await
            .assert(404, not_found());
    }
    server
        .browser()
        .get("/account/reset/")
        .await
        .assert_status(404);
    assert_eq!(owed(&server).await, []);
}
