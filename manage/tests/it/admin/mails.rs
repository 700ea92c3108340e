//! Mails with links that staff send, and accounts that wait for one.

use shared::mail::{Kind, Mail};
use testkit::{Observed, PASSWORD, Server, parsed};

use super::site::{messages, user_url};

const MAILS: [(&str, &str); 4] = [
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ("ACTIVATION_URL", "activate/{uid}/{token}"),
    ("SEND_ACTIVATION_EMAIL", "true"),
];

async fn owed(site: &Server) -> Vec<Mail> {
    site.table.owed_mails(100).await.expect("mails")
}

#[tokio::test]
async fn a_link_to_set_a_password_is_sent_to_the_address_of_a_user_and_logged() {
    let site = Observed::with(&MAILS).await;
    let ann = site.user("ann").await;
    let guest = site.user("guest").hash("!nobody").await;
    let mut browser = site.browser_of("admin").await;
    for (user, kind, label, is_set) in [
        (
            &ann,
            Kind::PasswordReset,
            "Send a link to set a password",
            true,
        ),
        (&guest, Kind::Invitation, "Send an invitation", false),
    ] {
        let page = browser.get(&user_url(user, "change")).await;
        page.assert_says(label);
        assert_eq!(!page.says("No password set."), is_set, "{page:?}");
        let url = user_url(user, "mail");
        let asked = browser.get(&url).await;
        let address = user.email.as_str();
        asked
            .assert_status(200)
            .assert_says(&format!("The mail goes to {address}."));
        let sent = browser.post(&url, &[]).await;
        sent.assert_status(302);
        assert_eq!(sent.location(), user_url(user, "change"));
        let page = browser.follow(&sent).await;
        assert_eq!(
            messages(&page),
            [format!("A mail is on its way to {address}.")]
        );
        let mails = owed(&site).await;
        let mail = mails.last().expect("a mail");
        assert_eq!((mail.kind, mail.user_id), (kind, Some(user.id)));
        let history = browser.get(&user_url(user, "history")).await;
        history.assert_says("Changed Link to set a password.");
        site.table.forget_mail(&mail.id).await.expect("a write");
    }
}

#[tokio::test]
async fn a_user_is_added_by_an_invitation_instead_of_a_password() {
    let site = Observed::with(&MAILS).await;
    let mut browser = site.browser_of("admin").await;
    let add = "/admin/auth/user/add/";
    browser.get(add).await.assert_says("Send an invitation");
    let bad = [("username", "ann"), ("invite", "true"), ("email", "x")];
    let again = browser.post(add, &bad).await;
    again
        .assert_status(200)
        .assert_says("Enter a valid email address.");
    let typed = [
        ("username", "ann"),
        ("invite", "true"),
        ("email", "ann@example.com"),
        ("password1", PASSWORD),
    ];
    let again = browser.post(add, &typed).await;
    again
        .assert_status(200)
        .assert_says("Please correct the error below.")
        .assert_says("Leave this empty: who is invited chooses the password.");
    assert_eq!(owed(&site).await, []);
    let good = [
        ("username", "ann"),
        ("password1", ""),
        ("password2", ""),
        ("invite", "true"),
        ("email", "ann@Example.com"),
    ];
    browser.post(add, &good).await.assert_status(302);
    let ann = site.table.user_typed("ann").await.unwrap().expect("ann");
    assert_eq!(
        (ann.email.as_str(), ann.is_active),
        ("ann@example.com", true)
    );
    let mails = owed(&site).await;
    assert_eq!(
        (mails[0].kind, mails[0].user_id),
        (Kind::Invitation, Some(ann.id))
    );
    let (_, hash) = site
        .table
        .user_and_hash(ann.id)
        .await
        .unwrap()
        .expect("ann");
    assert!(hash.expect("a hash").is_unusable());
    site.assert_sound().await;
}

#[tokio::test]
async fn the_page_of_a_user_who_waits_says_so_and_sends_the_mail_again() {
    let site = Observed::with(&MAILS).await;
    let waits = |user: &mut shared::domain::User| {
        (user.is_active, user.awaits_activation) = (false, true);
    };
    let ann = site.user("ann").with(waits).await;
    let mut browser = site.browser_of("admin").await;
    let page = browser.get(&user_url(&ann, "change")).await;
    page.assert_says("The account was never active: it waits for the link of a mail.");
    page.assert_says("Send the activation mail again");
    let sent = browser.post(&user_url(&ann, "mail"), &[]).await;
    sent.assert_status(302);
    let mails = owed(&site).await;
    assert_eq!(
        (mails[0].kind, mails[0].user_id),
        (Kind::Activation, Some(ann.id))
    );
}

#[tokio::test]
async fn the_mail_to_a_new_address_that_waits_is_sent_again() {
    let site = Observed::with(&MAILS).await;
    let new = || parsed("new@example.com");
    let ann = site.user("ann");
    let ann = ann.with(|user| user.pending_email = Some(new())).await;
    let mut browser = site.browser_of("admin").await;
    let page = browser.get(&user_url(&ann, "change")).await;
    page.assert_says("A new address, new@example.com, waits for the link of a mail to it.")
        .assert_says("Send a link to set a password")
        .assert_says("Send the mail to the new address again");
    let url = format!("{}?to=new_address", user_url(&ann, "mail"));
    let asked = browser.get(&url).await;
    asked
        .assert_status(200)
        .assert_says("The mail goes to new@example.com.")
        .assert_says(&format!("action=\"{url}\""));
    let sent = browser.post(&url, &[]).await;
    sent.assert_status(302);
    let mails = owed(&site).await;
    let found = mails.iter().map(|mail| (mail.kind, mail.user_id, &mail.to));
    let expected = (Kind::Activation, Some(ann.id), &new());
    assert_eq!(found.collect::<Vec<_>>(), [expected]);
    let history = browser.get(&user_url(&ann, "history")).await;
    history.assert_says("Changed Link to confirm the new address.");
    // Who has none that waits is not offered one.
    let bob = site.user("bob").await;
    let page = browser.get(&user_url(&bob, "change")).await;
    assert!(!page.says("new address"), "{page:?}");
    let url = format!("{}?to=new_address", user_url(&bob, "mail"));
    browser.get(&url).await.assert_status(404);
    browser.post(&url, &[]).await.assert_status(404);
}

#[tokio::test]
async fn nobody_sends_a_mail_for_an_account_that_they_do_not_decide_over() {
    let site = Observed::with(&MAILS).await;
    let boss = site.user("boss").superuser().await;
    site.staff("clerk", &["auth.view_user", "auth.change_user"])
        .await;
    let mut browser = site.browser_of("clerk").await;
    let url = user_url(&boss, "mail");
    browser.get(&url).await.assert_status(403);
    browser.post(&url, &[]).await.assert_status(403);
    assert_eq!(owed(&site).await, []);
}

#[tokio::test]
async fn without_mails_nothing_offers_one() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.browser_of("admin").await;
    let page = browser.get(&user_url(&ann, "change")).await;
    assert!(!page.text.contains("Send a link"), "{}", page.text);
    browser
        .get(&user_url(&ann, "mail"))
        .await
        .assert_status(404);
    let add = "/admin/auth/user/add/";
    let form = browser.get(add).await;
    assert!(!form.text.contains("invitation"), "{}", form.text);
    let typed = [
        ("username", "bob"),
        ("invite", "true"),
        ("email", "bob@example.com"),
        ("password1", PASSWORD),
        ("password2", PASSWORD),
    ];
    browser.post(add, &typed).await.assert_status(302);
    assert_eq!(owed(&site).await, []);
}
