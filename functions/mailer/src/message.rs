//! Mails as Internet messages (RFC 5322), with a text and an HTML part.

use std::str::FromStr;

use lettre::{
    Address, Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{self, Header, HeaderName, HeaderValue},
    },
};
use shared::settings::SettingsError;

use crate::letter::{Letter, is_break};

/// `DEFAULT_FROM_EMAIL`, checked.
#[derive(Clone, Debug)]
pub struct From(Mailbox);

impl From {
    /// Reads an address, or a name and an address.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let malformed = |_| {
            let text = "DEFAULT_FROM_EMAIL is neither an address nor `Name <address>`";
            SettingsError::new(text)
        };
        Mailbox::from_str(text).map(Self).map_err(malformed)
    }

    /// The address alone.
    pub fn address(&self) -> String {
        self.0.email.to_string()
    }
}

/// RFC 3834: no mail program answers that its owner is on holiday.
#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// An address with its domain in ASCII, as Django's `sanitize_address` has it: few servers know other
/// domains.
fn address(text: &str) -> Option<Address> {
    // lettre takes some of them between quotation marks.
    if text.contains(is_break) {
        return None;
    }
    let address = Address::from_str(text).ok()?;
    if address.domain().is_ascii() {
        return Some(address);
    }
    let domain = idna::domain_to_ascii(address.domain()).ok()?;
    Address::new(address.user(), domain).ok()
}

/// A message to one address, dated now. None if no mail can be sent to that address: Django takes
/// some that Internet mail does not.
pub fn compose(from: &From, to: &str, letter: Letter) -> Option<Message> {
    let to = Mailbox::new(None, address(to)?);
    let id = format!(
        "<{:032x}@{}>",
        rand::random::<u128>(),
        from.0.email.domain()
    );
    let Letter {
        subject,
        text,
        html,
    } = letter;
    let builder = Message::builder()
        .from(from.0.clone())
        .to(to)
        .subject(subject)
        .date_now()
        .message_id(Some(id))
        .header(AutoSubmitted);
    let text = plain(&wrapped(&text), header::ContentType::TEXT_PLAIN);
    let html = SinglePart::html(html);
    let parts = MultiPart::alternative().singlepart(text).singlepart(html);
    builder.multipart(parts).ok()
}

/// A part as it is where mail takes it so, that people can read it, and copy the link, in a file or a
/// terminal too; else in quoted-printable.
fn plain(text: &str, kind: header::ContentType) -> SinglePart {
    let part = SinglePart::builder().header(kind);
    let is_plain = |line: &str| line.len() <= LONGEST_LINE && !line.contains('\0');
    if !text.is_ascii() || !text.lines().all(is_plain) {
        return part.body(text.to_owned());
    }
    let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
    let encoding = header::ContentTransferEncoding::SevenBit;
    part.body(Body::dangerous_pre_encoded(lines.into_bytes(), encoding))
}

/// The longest line of a message (RFC 5322, section 2.1.1).
const LONGEST_LINE: usize = 998;

/// The columns of a text part.
const WIDTH: usize = 72;

/// A text with its paragraphs broken into lines. A link has no spaces and stays whole.
fn wrapped(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len() + 16);
    for line in text.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            let width = word.chars().count();
            if column > 0 && column + 1 + width > WIDTH {
                wrapped.push('\n');
                column = 0;
            } else if column > 0 {
                wrapped.push(' ');
                column += 1;
            }
            wrapped.push_str(word);
            column += width;
        }
        wrapped.push('\n');
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, text: &str) -> Letter {
        Letter {
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: format!("<p>{text}</p>"),
        }
    }

    fn composed(to: &str, letter: Letter) -> Option<String> {
        let from = From::parse("Example <noreply@example.com>").expect("an address");
        let message = compose(&from, to, letter)?;
        Some(String::from_utf8(message.formatted()).expect("ASCII"))
    }

    #[test]
    fn a_link_is_whole_in_the_text_part_and_paragraphs_are_wrapped() {
        let link = format!("https://example.com/{}", "x".repeat(100));
        let text = format!("{}\n\n{link}\n", "word ".repeat(30).trim());
        let mail = composed("ann@example.com", letter("Hello", &text)).expect("a mail");
        assert!(mail.lines().any(|line| line == link), "{mail}");
        let (head, _) = mail.split_once("text/html").expect("two parts");
        assert!(
            head.lines().all(|line| line.len() <= 72 || line == link),
            "{head}"
        );
        for header in [
            "From: Example <noreply@example.com>\r\n",
            "To: ann@example.com\r\n",
            "Subject: Hello\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "@example.com>\r\n",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(mail.contains(header), "{header} is not in {mail}");
        }
    }

    #[test]
    fn no_text_begins_a_header_of_its_own() {
        for subject in [
            "Hi\r\nBcc: eve@example.org",
            "Hi\nBcc: eve@example.org",
            "Hé\r\nBcc: e",
        ] {
            let mail = composed("ann@example.com", letter(subject, "Text")).expect("a mail");
            let (head, _) = mail.split_once("\r\n\r\n").expect("a head");
            assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        }
        for to in [
            "ann@example.com\r\nBcc: eve@example.org",
            "ann@example.com, eve@example.org",
            "Ann <ann@example.com>",
            "ann@example.com\nX: y",
            "",
            "ann",
        ] {
            assert_eq!(composed(to, letter("Hi", "Text")), None, "{to:?}");
        }
        for from in ["", "Example", "Example <a@b", "a@b.c\r\nX: y"] {
            assert!(From::parse(from).is_err(), "{from:?}");
        }
    }

    #[test]
    fn a_text_beyond_ascii_arrives_as_it_is() {
        let mail = composed("ann@example.com", letter("Grüße", "Zoë")).expect("a mail");
        assert!(
            mail.contains("Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n"),
            "{mail}"
        );
        assert!(mail.contains("Zo=C3=AB"), "{mail}");
    }
}
