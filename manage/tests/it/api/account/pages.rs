//! The pages that the links of mails lead to.

use shared::mail::{Kind, links::uid};
use testkit::Server;

use super::{MAILS, NEW, owed, token, waiting};

#[tokio::test]
async fn the_page_of_an_activation_confirms_a_new_address_and_the_link_resets_no_password() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let (id, token) = waiting(&server, &ann, "new@example.com").await;
    let mut browser = server.browser();
    let reset = browser.get(&format!("/account/reset/{id}/{token}/")).await;
    reset
        .assert_status(400)
        .assert_says("This link does not work any more");
    let opened = browser
        .get(&format!("/account/activate/{id}/{token}/"))
        .await;
    opened.assert_status(302);
    browser.follow(&opened).await.assert_status(200);
    let forged = server.browser().post(opened.location(), &[]).await;
    forged.assert_status(403);
    browser
        .post(opened.location(), &[])
        .await
        .assert_status(302);
    assert_eq!(server.read(ann.id).await.email.as_str(), "new@example.com");
    server.assert_sound().await;
}

#[tokio::test]
async fn the_page_of_a_reset_takes_the_token_out_of_the_address() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let token = token(&server, ann.id, None).await;
    let id = uid(ann.id);
    let mut browser = server.browser();
    let opened = browser.get(&format!("/account/reset/{id}/{token}/")).await;
    opened.assert_status(302);
    let form = format!("/account/reset/{id}/set-password/");
    assert_eq!(opened.location(), form);
    let page = browser.follow(&opened).await;
    page.assert_status(200)
        .assert_says("New password confirmation");
    assert!(!page.text.contains(&token), "{}", page.text);
    let weak = [("password1", "ann"), ("password2", "ann")];
    browser
        .post(&form, &weak)
        .await
        .assert_status(200)
        .assert_says("This password is too short");
    let new = [("password1", NEW), ("password2", NEW)];
    server.browser().post(&form, &new).await.assert_status(403);
    let set = browser.post(&form, &new).await;
    set.assert_status(302);
    browser
        .follow(&set)
        .await
        .assert_says("Your password is set");
    server.login("ann", NEW).await.assert_status(200);
    for path in [format!("/account/reset/{id}/{token}/"), form] {
        let page = browser.get(&path).await;
        page.assert_status(400)
            .assert_says("This link does not work any more");
    }
}

#[tokio::test]
async fn the_page_that_asks_for_a_mail_answers_the_same_for_every_address() {
    let server = Server::with(&MAILS).await;
    server.user("ann").await;
    let mut pages = Vec::new();
    for address in ["ann@example.com", "nobody@example.com"] {
        let mut browser = server.browser();
        browser.get("/account/reset/").await.assert_status(200);
        let sent = browser.post("/account/reset/", &[("email", address)]).await;
        sent.assert_status(302);
        pages.push(browser.follow(&sent).await.text);
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(owed(&server).await.len(), 2);
    let mut browser = server.browser();
    browser.get("/account/reset/").await;
    let wrong = browser.post("/account/reset/", &[("email", "x")]).await;
    wrong
        .assert_status(200)
        .assert_says("Enter a valid email address.");
}

#[tokio::test]
async fn the_page_of_an_activation_activates_by_its_button() {
    let server = Server::with(&MAILS).await;
    server.register("ann").await.assert_status(201);
    let mails = owed(&server).await;
    let id = mails[0].user_id.expect("a user");
    let token = token(&server, id, None).await;
    let id_text = uid(id);
    let mut browser = server.browser();
    let opened = browser
        .get(&format!("/account/activate/{id_text}/{token}/"))
        .await;
    opened.assert_status(302);
    browser.follow(&opened).await.assert_status(200);
    assert!(!server.read(id).await.is_active);
    let done = browser.post(opened.location(), &[]).await;
    done.assert_status(302);
    browser
        .follow(&done)
        .await
        .assert_says("your account is active");
    assert!(server.read(id).await.is_active);
    server.assert_sound().await;
}

#[tokio::test]
async fn the_page_of_an_ended_activation_leads_to_another_mail() {
    let server = Server::with(&MAILS).await;
    server.register("ann").await.assert_status(201);
    let first = owed(&server).await.remove(0);
    let mut browser = server.browser();
    let ended = browser.get("/account/activate/MQ/x-y/").await;
    ended
        .assert_status(400)
        .assert_says("href=\"/account/activate/\">Ask for a new link");
    let ask = "/account/activate/";
    browser
        .get(ask)
        .await
        .assert_status(200)
        .assert_says("action=\"/account/activate/\"");
    let wrong = browser.post(ask, &[("email", "x")]).await;
    wrong
        .assert_status(200)
        .assert_says("Enter a valid email address.");
    let mut pages = Vec::new();
    for address in ["ANN@example.com", "nobody@example.com"] {
        let sent = browser.post(ask, &[("email", address)]).await;
        sent.assert_status(302);
        assert_eq!(sent.location(), "/account/activate/sent/");
        pages.push(browser.follow(&sent).await.text);
        browser.get(ask).await;
    }
    assert_eq!(pages[0], pages[1]);
    let mut mails = owed(&server).await;
    mails.retain(|mail| mail.id != first.id);
    let asked = mails.iter().map(|mail| (mail.kind, mail.user_id));
    assert_eq!(asked.collect::<Vec<_>>(), [(Kind::Activation, None); 2]);
}

#[tokio::test]
async fn without_mails_of_activation_there_is_no_page_to_ask_for_one() {
    let on = |(name, _): &&(&str, &str)| *name != "SEND_ACTIVATION_EMAIL";
    let settings: Vec<_> = MAILS.iter().filter(on).copied().collect();
    let server = Server::with(&settings).await;
    let mut browser = server.browser();
    let ended = browser.get("/account/activate/MQ/x-y/").await;
    ended.assert_status(400);
    assert!(!ended.says("Ask for a new link"), "{ended:?}");
    browser.get("/account/reset/").await.assert_status(200);
    for path in ["/account/activate/", "/account/activate/sent/"] {
        browser.get(path).await.assert_status(404);
    }
    let posted = browser.post("/account/activate/", &[("email", "a@b.org")]);
    posted.await.assert_status(404);
    assert_eq!(owed(&server).await, []);
}
