//! Account life, where it departs from djoser, and the pages that links lead to.

use serde_json::{Value, json};
use shared::{
    domain::{User, UserId},
    mail::{
        Kind, Mail,
        links::{Subject, uid},
    },
};
use testkit::{
    Account, NOBODY, Observed, PASSWORD, SIGNING_KEY, Server, detail, not_found, user_path,
};

const NEW: &str = "Zr!ub-Hs%Wd#Lo_Je";
const MAILS: [(&str, &str); 6] = [
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ("USERNAME_RESET_CONFIRM_URL", "rename/{uid}/{token}"),
    ("ACTIVATION_URL", "activate/{uid}/{token}"),
    ("SEND_ACTIVATION_EMAIL", "true"),
    ("ACCOUNT_PAGES", "true"),
];

async fn owed(server: &Server) -> Vec<Mail> {
    server.table.owed_mails(100).await.expect("mails")
}

async fn token(server: &Server, id: UserId, pending: Option<&str>) -> String {
    let found = server.table.user_and_hash(id).await.expect("an answer");
    let (user, hash) = found.expect("a user");
    let mut subject = Subject::of(&user, hash.as_ref());
    if let Some(email) = pending {
        subject.email = email;
    }
    server
        .app
        .keys
        .link_token(subject, server.app.clock.now())
        .await
}

/// A link of a user, as it is sent back.
async fn link(server: &Server, user: &User) -> Value {
    json!({"uid": uid(user.id), "token": token(server, user.id, None).await})
}

fn with(mut link: Value, field: &str, value: &str) -> Value {
    link[field] = value.into();
    link
}

fn bad_token() -> Value {
    json!({"token": ["Invalid token for given user."]})
}

async fn works(server: &Server, account: &Account) -> bool {
    let answer = server.get(account, &user_path(account.id)).await;
    answer.status == 200
}

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
async fn the_page_of_an_activation_confirms_a_new_address_and_the_link_resets_no_password() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let wanted = json!({"email": "new@example.com"});
    server
        .patch(&ann, "users/me/", wanted)
        .await
        .assert_status(200);
    let (id, token) = (
        uid(ann.id),
        token(&server, ann.id, Some("new@example.com")).await,
    );
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

#[tokio::test]
async fn a_mail_is_asked_for_with_the_same_calls_whoever_has_the_address() {
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
