//! No name and no address gets a header of its own into a mail.

use mailer::{Facts, From, Letter, compose};
use shared::{
    domain::{NewUser, User, UserId},
    mail::{Kind, Mail},
    settings::LinkSettings,
};
use testkit::{parsed, smtp::Message};

use super::world::header;

/// What would begin a line for some reader of mails.
const BREAKS: [&str; 9] = [
    "\r\n", "\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\0",
];

fn ann() -> User {
    NewUser::named(parsed("ann"), 0).into_user(UserId(7))
}

fn links(site: &str) -> LinkSettings {
    LinkSettings {
        protocol: "https".to_owned(),
        domain: "app.example.com".to_owned(),
        site_name: site.to_owned(),
        password_reset: "reset/{uid}/{token}".to_owned(),
        username_reset: None,
        activation: None,
    }
}

/// A message of a site of that name, to an address, from a device.
fn message(site: &str, to: &str, device: &str) -> Option<Message> {
    let mut mail = Mail::new(Kind::PasswordChanged, None, parsed("ann@example.com"), 0);
    mail.user_agent = Some(device.to_owned());
    let facts = Facts::of(&mail, &ann(), &links(site), String::new(), 60);
    let letter = Letter::write(mail.kind, false, &facts).expect("words");
    let from = From::parse("Shop <shop@example.com>").expect("an address");
    let message = compose(&from, to, letter)?;
    Some(Message {
        from: String::new(),
        to: Vec::new(),
        text: String::from_utf8(message.formatted()).expect("UTF-8"),
    })
}

#[track_caller]
fn assert_headers(message: &Message) {
    let (head, _) = message.text.split_once("\r\n\r\n").expect("a head");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut names: Vec<&str> = unfolded
        .split("\r\n")
        .map(|line| line.split_once(':').expect("a header").0)
        .collect();
    names.sort_unstable();
    let expected = [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ];
    assert_eq!(names, expected, "{head}");
    assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head:?}");
}

#[test]
fn a_sites_name_stays_in_its_line() {
    for brk in BREAKS {
        let site = format!("Shop{brk}Bcc: eve@example.com{brk}{brk}<b>");
        let message = message(&site, "ann@example.com", "Browser").expect("a mail");
        assert_headers(&message);
        assert_eq!(header(&message, "To"), "ann@example.com");
    }
    for site in ["Café, \"Sons\" <x@y.z>", "=?utf-8?q?=0ABcc:?=", "\u{202e}x"] {
        assert_headers(&message(site, "ann@example.com", "Browser").expect("a mail"));
    }
}

#[test]
fn a_device_stays_in_its_line_of_the_text() {
    for brk in BREAKS {
        let device = format!("Browser{brk}https://evil.example/");
        let message = message("Shop", "ann@example.com", &device).expect("a mail");
        assert_headers(&message);
        let [text, _] = super::world::parts(&message);
        let alone = text.lines().any(|line| line.starts_with("https://evil"));
        assert!(!alone, "{brk:?}: {text}");
    }
}

#[test]
fn an_address_is_one_address_or_none() {
    for brk in BREAKS {
        for to in [
            format!("ann@example.com{brk}Bcc: eve@example.com"),
            format!("ann{brk}Bcc:eve@example.com"),
            format!("\"ann{brk}\"@example.com"),
        ] {
            if let Some(message) = message("Shop", &to, "Browser") {
                panic!("{to:?}: {}", message.text);
            }
        }
    }
    for to in [
        "ann@example.com, eve@example.com",
        "ann@example.com,eve@example.com",
        "ann@example.com;eve@example.com",
        "Eve <eve@example.com>",
        "<eve@example.com>",
        "eve@example.com>",
        "eve@example.com (ann)",
        "a:b;@example.com",
        "ann",
        "",
        "@example.com",
    ] {
        assert!(message("Shop", to, "Browser").is_none(), "{to}");
    }
    for (to, shown) in [
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ] {
        let message = message("Shop", to, "Browser").expect(to);
        assert_headers(&message);
        assert_eq!(header(&message, "To"), shown);
    }
    // A local part beyond ASCII is as it is (RFC 6532).
    assert_headers(&message("Shop", "é@example.com", "Browser").expect("a mail"));
}

#[test]
fn whom_mails_are_from_is_an_address_with_or_without_a_name() {
    for good in [
        "shop@example.com",
        "Shop <shop@example.com>",
        "\"A, B\" <s@example.com>",
    ] {
        From::parse(good).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for bad in [
        "",
        "shop",
        "Shop <shop>",
        "a@b.c\r\nBcc: d@e.f",
        "a@b.c, d@e.f",
    ] {
        let error = From::parse(bad).expect_err(bad).to_string();
        assert!(error.starts_with("DEFAULT_FROM_EMAIL"), "{error}");
    }
}
