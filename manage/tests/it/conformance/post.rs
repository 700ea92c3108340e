//! The mails that a scenario waits for, as a mail server gets them.

use std::sync::LazyLock;
use std::time::Duration;

use regex_lite::Regex;
use shared::store::Store;
use testkit::{SmtpSink, smtp::Message};
use tokio::time::sleep;

static LINK: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?m)^(\S+://\S*/)([A-Za-z0-9_=-]+)/([^/\s]+)/?\s*$";
    Regex::new(pattern).expect("a pattern")
});

/// How often the outbox is looked at.
const LOOKS: Duration = Duration::from_millis(10);

/// A mail server, and the table with what is owed.
#[derive(Clone)]
pub struct Post {
    pub sink: SmtpSink,
    pub store: Store,
}

/// The link of a mail.
pub struct Link {
    /// What stands before the uid.
    pub before: String,
    pub uid: String,
    pub token: String,
}

impl Post {
    /// The next mail to an address, with its link if it has one.
    pub async fn next(&self, address: &str) -> (Message, Option<Link>) {
        let message = self.sink.next(address).await;
        let link = link(&message);
        (message, link)
    }

    /// Whether no mail to an address has come, and none is owed.
    pub async fn is_empty_for(&self, address: &str) -> Result<bool, String> {
        loop {
            let owed = self.store.owed_mails(1000).await;
            let owed = owed.map_err(|error| error.to_string())?;
            let is_owed = |to: &str| to.to_lowercase() == address.to_lowercase();
            if !owed.iter().any(|mail| is_owed(mail.to.as_str())) {
                return Ok(self.sink.taken(address).is_none());
            }
            sleep(LOOKS).await;
        }
    }
}

/// The link of a text part, which stands alone on a line. The mails of the scenarios are ASCII, and as such not
/// encoded.
fn link(message: &Message) -> Option<Link> {
    let text = message.text.replace("\r\n", "\n");
    let (text, _) = text.split_once("text/html")?;
    let found = LINK.captures(text)?;
    Some(Link {
        before: found[1].to_owned(),
        uid: found[2].to_owned(),
        token: found[3].to_owned(),
    })
}
