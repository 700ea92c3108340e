//! Mails as Internet messages (RFC 5322), with a text and an HTML part.

use std::str::FromStr;

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use shared::settings::SettingsError;

use crate::Letter;

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
    let parts = MultiPart::alternative_plain_html(text, html);
    builder.multipart(parts).ok()
}
