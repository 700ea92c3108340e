//! The words of the mails.

use askama::Template;
use shared::{
    domain::User,
    mail::{Kind, Mail},
    settings::LinkSettings,
};
use time::{OffsetDateTime, macros::format_description};

/// What the words of a mail are about. All texts are one line each.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The site's name.
    pub site: String,
    /// The site's address.
    pub home: String,
    /// The account's username.
    pub username: String,
    /// The link; empty in mails without one.
    pub link: String,
    /// For how long the link works.
    pub lifetime: String,
    /// When it happened.
    pub when: String,
    /// The source address of the request.
    pub address: String,
    /// The browser of the request.
    pub device: String,
}

/// A mail in words.
#[derive(Debug)]
pub struct Letter {
    /// The subject, one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl Facts {
    /// What a mail to a user tells, with a link that works for so many seconds.
    pub fn of(mail: &Mail, user: &User, links: &LinkSettings, link: String, timeout: i64) -> Self {
        let known = |text: &Option<String>| one_line(text.as_deref().unwrap_or("not known"));
        Self {
            site: one_line(&links.site_name),
            home: format!("{}://{}/", links.protocol, links.domain),
            username: one_line(user.username.as_str()),
            link,
            lifetime: duration(timeout),
            when: date(mail.created),
            address: known(&mail.address),
            device: known(&mail.user_agent),
        }
    }
}

macro_rules! letters {
    ($($name:ident($text:literal, $html:literal);)*) => {$(
        mod $name {
            use super::{Facts, Template};

            #[derive(Template)]
            #[template(path = $text, escape = "none")]
            pub struct Text<'a> {
                pub f: &'a Facts,
            }

            #[derive(Template)]
            #[template(path = $html)]
            pub struct Html<'a> {
                pub f: &'a Facts,
                pub subject: &'a str,
            }
        }
    )*};
}

letters! {
    activation("activation.txt", "activation.html");
    new_address("new_address.txt", "new_address.html");
    password_reset("password_reset.txt", "password_reset.html");
    username_reset("username_reset.txt", "username_reset.html");
    invitation("invitation.txt", "invitation.html");
    confirmation("confirmation.txt", "confirmation.html");
    password_changed("password_changed.txt", "password_changed.html");
    username_changed("username_changed.txt", "username_changed.html");
    email_changed("email_changed.txt", "email_changed.html");
    session_ended("session_ended.txt", "session_ended.html");
}

impl Letter {
    /// The words of a mail; `is_new_address` is an activation that confirms one.
    ///
    /// # Errors
    /// None that the templates can have: they are checked when this is compiled.
    pub fn write(kind: Kind, is_new_address: bool, f: &Facts) -> Result<Self, askama::Error> {
        macro_rules! letter {
            ($name:ident, $subject:expr) => {{
                let subject: String = $subject;
                let text = $name::Text { f }.render()?;
                let html = $name::Html {
                    f,
                    subject: &subject,
                };
                let html = html.render()?;
                Ok(Self {
                    subject,
                    text,
                    html,
                })
            }};
        }
        let site = &f.site;
        match kind {
            Kind::Activation if is_new_address => {
                letter!(new_address, format!("Confirm your address at {site}"))
            }
            Kind::Activation => letter!(activation, format!("Activate your account at {site}")),
            Kind::PasswordReset => letter!(password_reset, format!("A new password at {site}")),
            Kind::UsernameReset => letter!(username_reset, format!("A new username at {site}")),
            Kind::Invitation => letter!(invitation, format!("Your account at {site}")),
            Kind::Confirmation => {
                letter!(confirmation, format!("Your account at {site} is ready"))
            }
            Kind::PasswordChanged => {
                letter!(
                    password_changed,
                    format!("Your password at {site} was changed")
                )
            }
            Kind::UsernameChanged => {
                letter!(
                    username_changed,
                    format!("Your username at {site} was changed")
                )
            }
            Kind::EmailChanged => {
                letter!(email_changed, format!("Your address at {site} was changed"))
            }
            Kind::SessionEnded => {
                letter!(session_ended, format!("A session at {site} was ended"))
            }
        }
    }
}

/// Whether some reader of mails begins a new line there.
pub(crate) fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text without what would begin a new line in a header or a text part.
fn one_line(text: &str) -> String {
    let clean = |c| if is_break(c) { ' ' } else { c };
    text.chars().map(clean).collect()
}

/// A date in UTC for people.
fn date(seconds: i64) -> String {
    let format =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let date = date.and_then(|date| date.format(&format).ok());
    date.unwrap_or_default()
}

/// A number of seconds in the largest unit that divides it.
fn duration(seconds: i64) -> String {
    let units = [
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let unit = units.iter().find(|(length, _)| seconds % length == 0);
    let (length, name) = unit.unwrap_or(&(1, "second"));
    let count = seconds / length;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [(Kind, bool); 10] = [
        (Kind::Activation, false),
        (Kind::Activation, true),
        (Kind::PasswordReset, false),
        (Kind::UsernameReset, false),
        (Kind::Invitation, false),
        (Kind::Confirmation, false),
        (Kind::PasswordChanged, false),
        (Kind::UsernameChanged, false),
        (Kind::EmailChanged, false),
        (Kind::SessionEnded, false),
    ];

    fn facts() -> Facts {
        Facts {
            site: "Example & <Sons>".to_owned(),
            home: "https://app.example.com/".to_owned(),
            username: "ann<b>".to_owned(),
            link: "https://app.example.com/x/MQ/abc-123".to_owned(),
            lifetime: "3 days".to_owned(),
            when: "1 May 2026, 09:05 UTC".to_owned(),
            address: "192.0.2.7".to_owned(),
            device: "<script>".to_owned(),
        }
    }

    #[test]
    fn every_mail_names_the_site_as_it_is_in_text_and_escaped_in_html() {
        for (kind, is_new) in KINDS {
            let letter = Letter::write(kind, is_new, &facts()).unwrap();
            assert!(letter.subject.contains("Example & <Sons>"), "{letter:?}");
            assert!(letter.text.contains("Example & <Sons>"), "{letter:?}");
            assert!(
                letter.html.contains("Example &#38; &#60;Sons&#62;"),
                "{letter:?}"
            );
            for raw in ["<Sons>", "ann<b>", "<script>"] {
                assert!(!letter.html.contains(raw), "{kind:?}: {raw}");
            }
            assert!(!letter.html.contains("src="), "{kind:?} loads something");
        }
    }

    #[test]
    fn a_link_stands_alone_on_a_line_and_says_how_long_it_works() {
        for (kind, is_new) in KINDS {
            let letter = Letter::write(kind, is_new, &facts()).unwrap();
            let has_link = matches!(
                kind,
                Kind::Activation | Kind::PasswordReset | Kind::UsernameReset | Kind::Invitation
            );
            let alone = letter.text.lines().filter(|line| *line == facts().link);
            assert_eq!(alone.count(), usize::from(has_link), "{kind:?}");
            assert_eq!(letter.text.contains("3 days"), has_link, "{kind:?}");
            assert_eq!(letter.html.contains(&facts().link), has_link, "{kind:?}");
        }
    }

    #[test]
    fn a_mail_of_a_change_tells_when_and_from_where() {
        for kind in [
            Kind::PasswordChanged,
            Kind::UsernameChanged,
            Kind::EmailChanged,
            Kind::SessionEnded,
        ] {
            let Letter { text, html, .. } = Letter::write(kind, false, &facts()).unwrap();
            for part in [&text, &html] {
                for fact in ["1 May 2026, 09:05 UTC", "192.0.2.7", "script"] {
                    assert!(part.contains(fact), "{kind:?}: {fact}");
                }
            }
        }
    }

    #[test]
    fn texts_of_others_stay_on_one_line() {
        assert_eq!(one_line("a\r\nBcc: x\u{2028}y\u{85}z"), "a  Bcc: x y z");
        assert_eq!(date(1_777_626_300), "1 May 2026, 09:05 UTC");
        for (seconds, text) in [(259_200, "3 days"), (3600, "1 hour"), (90, "90 seconds")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
