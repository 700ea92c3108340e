//! Ways through the account pages and the mailer that make every call that they make.

use shared::{
    app::App,
    clock::Clock,
    domain::UserId,
    mail::{Kind, Mail, links::uid},
};
use testkit::{Pages, Server, SmtpSink, app, parsed, proxy::Proxy, serve, smtp::Step};

use crate::mail::world::mailer_of;

/// Settings with which every mail is sent, and the account pages are there.
const ALL_MAILS: [(&str, &str); 7] = [
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("ACCOUNT_PAGES", "true"),
    ("USERNAME_RESET_CONFIRM_URL", "name/{uid}/{token}"),
    ("SEND_ACTIVATION_EMAIL", "true"),
    ("SEND_CONFIRMATION_EMAIL", "true"),
    ("PASSWORD_CHANGED_EMAIL_CONFIRMATION", "true"),
    ("EMAIL_CHANGED_EMAIL_CONFIRMATION", "true"),
];

/// A way through the account pages that makes every call that they make.
pub async fn visit_account(server: &Server, proxy: &Proxy, clock: Clock) {
    let app = app(&proxy.endpoint(), &ALL_MAILS, clock);
    let mut browser = Pages::of(serve(app).await);
    for page in ["/account/reset/", "/account/activate/"] {
        browser.get(page).await.assert_status(200);
        let asked = [("email", "ann@example.com")];
        browser.post(page, &asked).await.assert_status(302);
    }
    // Attempts and a session end with the password.
    let (ann, _) = (
        server.read(UserId(2)).await,
        server.login("ann", "wrong").await,
    );
    let waiting = server.user("waiting").inactive().superuser();
    let waiting = waiting.with(|user| user.awaits_activation = true).await;
    let moving = server.user("moving");
    let new = parsed("new@example.com");
    let moving = moving.with(|user| user.pending_email = Some(new)).await;
    for (page, user, pending) in [
        ("reset", ann.id, None),
        ("activate", waiting.id, None),
        ("activate", moving.id, Some("new@example.com")),
    ] {
        let token = server.link_token(user, pending).await;
        let link = format!("/account/{page}/{}/{token}/", uid(user));
        let opened = browser.get(&link).await;
        opened.assert_status(302);
        browser.follow(&opened).await.assert_status(200);
        let new = "Zr!ub-Hs%Wd#Lo_Je";
        let fields = [("password1", new), ("password2", new)];
        let done = browser.post(opened.location(), &fields).await;
        done.assert_status(302);
    }
}

/// Sends mails in every way that the mailer has.
pub async fn send_mails(server: &Server, app: App) {
    let sink = SmtpSink::start().await;
    let mailer = mailer_of(&app, sink.port());
    for name in ["bob", "cid"] {
        let user = server.user(name).email("shared@example.com");
        user.with(|user| user.shares_email = true).await;
    }
    let owe = async |id: Option<u64>, to: &str| {
        let id = id.map(UserId);
        let mail = Mail::new(Kind::PasswordReset, id, parsed(to), app.clock.now());
        server.table.owe_mail(&mail).await.expect("a mail");
        mail.id
    };
    let to_ann = owe(Some(2), "ann@example.com").await;
    sink.refuse(Step::Connect, 421);
    mailer.deliver(&to_ann).await.expect_err("a refusal");
    sink.heal();
    for to in ["nobody@example.com", "shared@example.com"] {
        owe(None, to).await;
    }
    for _ in 0..2 {
        mailer.deliver_owed(0).await.expect("sent");
    }
    mailer.deliver(&to_ann).await.expect("nothing to do");
    assert_eq!(sink.left(), 3);
}
