//! A service that sends mails, a mail server on loopback, and what is read from mails.

use std::ops::Deref;

use mailer::{From, Mailer, Sender};
use shared::{
    app::App,
    domain::{User, UserId},
    mail::{Kind, Mail},
};
use testkit::{Observed, SmtpSink, parsed, smtp::Message};

/// Settings with which every mail is on.
pub const LINKS: [(&str, &str); 7] = [
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("EMAIL_FRONTEND_SITE_NAME", "Example & <Sons>"),
    ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ("USERNAME_RESET_CONFIRM_URL", "name/{uid}/{token}"),
    ("ACTIVATION_URL", "activate/{uid}/{token}"),
    ("DEFAULT_FROM_EMAIL", "Shop <shop@example.com>"),
    ("EMAIL_BACKEND", "smtp"),
];

/// A service, its mailer, and the mail server that gets its mails.
pub struct World {
    pub server: Observed,
    pub sink: SmtpSink,
    pub mailer: Mailer,
}

impl Deref for World {
    type Target = Observed;

    fn deref(&self) -> &Observed {
        &self.server
    }
}

/// A mailer of a service that sends to a port of loopback.
pub fn mailer_of(app: &App, port: u16) -> Mailer {
    let mut settings = app.settings.sender.clone();
    (settings.host, settings.port) = ("127.0.0.1".to_owned(), port);
    let sender = Sender::smtp(&settings).expect("a sender");
    mailer_by(app, sender)
}

/// A mailer of a service that sends in some way.
pub fn mailer_by(app: &App, sender: Sender) -> Mailer {
    let from = From::parse(&app.settings.sender.from).expect("an address");
    let links = app.settings.accounts.links.clone().expect("links");
    Mailer::new(app.clone(), sender, from, links)
}

impl World {
    pub async fn start() -> Self {
        let server = Observed::with(&LINKS).await;
        let sink = SmtpSink::start().await;
        let mailer = mailer_of(&server.app, sink.port());
        Self {
            server,
            sink,
            mailer,
        }
    }

    /// Owes a mail; its id.
    pub async fn owe(&self, kind: Kind, user: Option<UserId>, to: &str) -> String {
        self.owe_as(kind, user, to, |_| ()).await
    }

    /// Owes a mail after a change of it; its id.
    pub async fn owe_as(
        &self,
        kind: Kind,
        user: Option<UserId>,
        to: &str,
        change: impl FnOnce(&mut Mail),
    ) -> String {
        let mut mail = Mail::new(kind, user, parsed(to), self.app.clock.now());
        change(&mut mail);
        self.table.owe_mail(&mail).await.expect("a mail");
        mail.id
    }

    /// A user who waits for their activation.
    pub async fn waiting(&self, name: &str) -> User {
        let user = self.user(name).inactive();
        user.with(|user| user.awaits_activation = true).await
    }

    /// A user without a password.
    pub async fn without_password(&self, name: &str) -> User {
        self.user(name).hash("!unusable").await
    }

    /// How many mails are owed.
    pub async fn owed(&self) -> usize {
        let owed = self.table.owed_mails(usize::MAX).await;
        owed.expect("the outbox").len()
    }
}

/// A header, unfolded; there must be exactly one of that name.
#[track_caller]
pub fn header(message: &Message, name: &str) -> String {
    let (head, _) = message.text.split_once("\r\n\r\n").expect("a head");
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut found = head.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    });
    let value = found.next().unwrap_or_else(|| panic!("no {name}: {head}"));
    assert_eq!(found.next(), None, "{name} twice");
    value
}

/// The text part and the HTML part, decoded.
pub fn parts(message: &Message) -> [String; 2] {
    let kind = header(message, "Content-Type");
    let (_, boundary) = kind.split_once("boundary=\"").expect("a boundary");
    let boundary = format!("--{}", boundary.trim_end_matches('"'));
    let mut parts = message.text.split(&boundary).skip(1);
    let mut next = |kind: &str| {
        let part = parts.next().expect("a part");
        let (head, body) = part.trim_start().split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(kind), "{head}");
        let body = body.strip_suffix("\r\n").unwrap_or(body);
        decoded(head, body).replace("\r\n", "\n")
    };
    [next("text/plain"), next("text/html")]
}

fn decoded(head: &str, body: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    if head.contains("base64") {
        let text: String = body.split_whitespace().collect();
        return String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
    }
    if !head.contains("quoted-printable") {
        return body.to_owned();
    }
    let body = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_str();
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).expect("two digits"));
        rest = &after[2..];
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).expect("UTF-8")
}

/// The uid and the token of the link that stands alone on a line of the text part.
pub fn link(message: &Message, path: &str) -> (String, String) {
    let start = format!("https://app.example.com/{path}/");
    let [text, html] = parts(message);
    let line = text.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("no {start}: {text}"));
    assert!(html.contains(line), "{html}");
    let (uid, token) = line[start.len()..].split_once('/').expect("a token");
    (uid.to_owned(), token.to_owned())
}
