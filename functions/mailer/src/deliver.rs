//! A mail on its way: taken in hand, checked against the account as it is now, sent, and forgotten.

use std::time::Duration;

use shared::{
    app::App,
    domain::{User, UserId},
    hashing::PasswordHash,
    mail::{
        Kind, Mail,
        links::{Subject, uid},
    },
    settings::LinkSettings,
    store::{StoreError, WriteError},
};
use thiserror::Error;
use tokio::time::timeout;

use crate::{Facts, From, Letter, SendError, Sender, compose};

/// Seconds for which a mail is in the hands of one mailer: longer than it may run.
pub const LEASE: i64 = 60;
/// How long a mail may take to leave, whatever `EMAIL_TIMEOUT` says of each answer of the server:
/// less than it is in one's hands, so that no other mailer sends it meanwhile.
const LONGEST: Duration = Duration::from_secs(45);
/// How many mails that are left over are read at once.
const BATCH: usize = 1000;
/// After so many failures one after another the rest waits for the next time: the server is down.
const FAILURES: usize = 3;
/// And after so many mails one after another that it refuses for good: it may refuse all.
const REFUSALS: usize = 100;

/// How long a mail is tried that the server refuses for good, in seconds: a day, in case the mistake is in
/// the server's settings.
const REFUSED_FOR: i64 = 86_400;

/// Sends the mails that are owed.
#[derive(Clone)]
pub struct Mailer {
    app: App,
    sender: Sender,
    from: From,
    links: LinkSettings,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was sent.
    Sent,
    /// It need not be sent any more.
    Dropped(Dropped),
    /// Several have the address: each is owed a mail of their own now.
    Split,
    /// It had been sent, or dropped, before.
    Done,
}

/// Why a mail need not be sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Nobody has the address, or the account is gone.
    Nobody,
    /// The account has another address.
    OtherAddress,
    /// The account is not one that gets such a mail any more.
    Changed,
    /// The link would have ended.
    TooLate,
    /// No mail can be sent to such an address.
    Undeliverable,
    /// The server has refused it for good, for a day.
    Refused,
}

/// Why a mail is still owed.
#[derive(Debug, Error)]
pub enum NotSent {
    /// Another mailer has it in hand.
    #[error("another mailer has it in hand")]
    InHand,
    /// It did not leave.
    #[error("it did not leave: {0}")]
    Refused(#[from] crate::SendError),
    /// The table did not answer.
    #[error("{0}")]
    Unavailable(#[from] StoreError),
    /// It could not be put into words.
    #[error("{0}")]
    Unwritten(String),
}

impl NotSent {
    /// Whether the server refuses this mail, and would again.
    fn is_for_good(&self) -> bool {
        matches!(self, Self::Refused(error) if error.is_for_good())
    }
}

impl Mailer {
    /// A mailer of a service that has links.
    pub fn new(app: App, sender: Sender, from: From, links: LinkSettings) -> Self {
        Self {
            app,
            sender,
            from,
            links,
        }
    }

    /// Sends a mail that is owed, by its id.
    ///
    /// # Errors
    /// It is still owed.
    pub async fn deliver(&self, id: &str) -> Result<Delivery, NotSent> {
        let store = &self.app.store;
        let owed = match store.claim_mail(id, store.now() + LEASE).await? {
            true => store.mail(id).await?,
            false if store.mail(id).await?.is_some() => return Err(NotSent::InHand),
            false => None,
        };
        let Some(mail) = owed else {
            return Ok(Delivery::Done);
        };
        match self.sent_or_refused(&mail).await {
            Ok(delivery) => {
                store.forget_mail(id).await?;
                match delivery {
                    Delivery::Dropped(Dropped::Refused) => {}
                    Delivery::Dropped(why) => {
                        tracing::info!(kind = ?mail.kind, ?why, "mail dropped")
                    }
                    _ => tracing::info!(kind = ?mail.kind, ?delivery, "mail delivered"),
                }
                Ok(delivery)
            }
            Err(error) => {
                // The lease ends of itself where the table does not answer.
                if let Err(error) = store.release_mail(id).await {
                    tracing::error!(%error, "a mail stays in hand");
                }
                Err(error)
            }
        }
    }

    /// Sends what was owed `age` seconds ago and still is, of the oldest [`BATCH`] mails what failed least
    /// often first: mails that a server never takes keep no others waiting. Returns how many were sent
    /// or dropped.
    ///
    /// # Errors
    /// The first failure after which mails are left.
    pub async fn deliver_owed(&self, age: i64) -> Result<usize, NotSent> {
        let (mut done, mut failures, mut refusals) = (0, 0, 0);
        let mut first = None;
        let before = self.app.store.now() - age;
        let mut mails = self.app.store.owed_mails(BATCH).await?;
        mails.retain(|mail| mail.created <= before);
        // Those of the same number stay in the order of time.
        mails.sort_by_key(|mail| mail.tries);
        for mail in mails {
            match self.deliver(&mail.id).await {
                Ok(_) => (done, failures, refusals) = (done + 1, 0, 0),
                Err(NotSent::InHand) => {}
                Err(error) => {
                    // A server that refuses some mails for good is not down.
                    match error.is_for_good() {
                        true => refusals += 1,
                        false => failures += 1,
                    }
                    first = first.or(Some(error));
                    if failures == FAILURES || refusals == REFUSALS {
                        break;
                    }
                }
            }
        }
        match first {
            Some(error) => Err(error),
            None => Ok(done),
        }
    }

    /// [`Self::send`], or the end of a mail that the server never takes.
    async fn sent_or_refused(&self, mail: &Mail) -> Result<Delivery, NotSent> {
        let sent = self.send(mail).await;
        let age = self.app.clock.now().saturating_sub(mail.created);
        match sent {
            Err(NotSent::Refused(error)) if error.is_for_good() && age >= REFUSED_FOR => {
                tracing::error!(kind = ?mail.kind, %error, "a mail was given up");
                Ok(Delivery::Dropped(Dropped::Refused))
            }
            sent => sent,
        }
    }

    async fn send(&self, mail: &Mail) -> Result<Delivery, NotSent> {
        let id = match mail.user_id {
            Some(id) => id,
            None => match self.owners(mail).await?.as_slice() {
                // Nobody is read like somebody, so that the load of a server does not tell.
                [] => UserId(0),
                [id] => *id,
                several => return self.split(mail, several).await,
            },
        };
        let Some((user, hash)) = self.app.store.user_and_hash(id).await? else {
            return Ok(Delivery::Dropped(Dropped::Nobody));
        };
        if let Some(why) = self.unwanted(mail, &user, hash.as_ref()) {
            return Ok(Delivery::Dropped(why));
        }
        let letter = self.write(mail, &user, hash.as_ref()).await?;
        let to = match mail.user_id {
            Some(_) => &mail.to,
            None => &user.email,
        };
        let message = compose(&self.from, to.as_str(), letter);
        let Some(message) = message.filter(|message| self.sender.takes(message)) else {
            return Ok(Delivery::Dropped(Dropped::Undeliverable));
        };
        match timeout(LONGEST, self.sender.send(&message)).await {
            Ok(sent) => sent?,
            Err(_) => return Err(NotSent::Refused(SendError::too_slow())),
        }
        Ok(Delivery::Sent)
    }

    async fn owners(&self, mail: &Mail) -> Result<Vec<UserId>, StoreError> {
        let users = self.app.store.users_by_email(&mail.to).await?;
        Ok(users.into_iter().map(|user| user.id).collect())
    }

    /// Owes a mail to each of those who have an address.
    async fn split(&self, mail: &Mail, owners: &[UserId]) -> Result<Delivery, NotSent> {
        let users = self.app.store.users(owners).await?;
        let each = users.into_iter().map(|user| Mail {
            // The same when it is done again: see `replace_mail`.
            id: format!("{}-{}", mail.id, user.id),
            ttl: mail.ttl,
            ..Mail::new(mail.kind, Some(user.id), user.email, mail.created)
        });
        let each: Vec<Mail> = each.collect();
        match self.app.store.replace_mail(&mail.id, &each).await {
            Ok(()) => Ok(Delivery::Split),
            Err(WriteError::Failed(error)) => Err(error.into()),
            // Somebody else has done it.
            Err(WriteError::Refused(_) | WriteError::Contended) => Err(NotSent::InHand),
        }
    }

    /// Why the account, as it is now, does not get the mail.
    fn unwanted(&self, mail: &Mail, user: &User, hash: Option<&PasswordHash>) -> Option<Dropped> {
        let is_pending = is_pending(mail, user);
        let is_theirs = match mail.user_id {
            Some(_) => user.email == mail.to || is_pending || mail.kind == Kind::EmailChanged,
            None => user.email.lower() == mail.to.lower(),
        };
        if !is_theirs {
            return Some(Dropped::OtherAddress);
        }
        let can_log_in = PasswordHash::is_usable(hash);
        let awaits = user.awaits_activation && !user.is_active;
        let is_fit = match mail.kind {
            // What somebody deactivated gets none; who asks by address needs a password to go on with.
            Kind::Activation => match mail.user_id {
                Some(_) => awaits || is_pending && user.is_active,
                None => awaits && can_log_in,
            },
            Kind::PasswordReset | Kind::UsernameReset => user.is_active && can_log_in,
            Kind::Invitation => user.is_active,
            Kind::Confirmation
            | Kind::PasswordChanged
            | Kind::UsernameChanged
            | Kind::EmailChanged
            | Kind::SessionEnded => true,
        };
        if !is_fit {
            return Some(Dropped::Changed);
        }
        let ends = mail
            .created
            .saturating_add(self.app.settings.accounts.link_timeout);
        let is_late = self.url(mail.kind).is_some() && self.app.clock.now() > ends;
        is_late.then_some(Dropped::TooLate)
    }

    /// Where the link of a mail leads, if it has one.
    fn url(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Activation => self.links.activation.as_deref(),
            Kind::PasswordReset | Kind::Invitation => Some(&self.links.password_reset),
            Kind::UsernameReset => self.links.username_reset.as_deref(),
            _ => None,
        }
    }

    async fn write(
        &self,
        mail: &Mail,
        user: &User,
        hash: Option<&PasswordHash>,
    ) -> Result<Letter, NotSent> {
        let is_pending = is_pending(mail, user);
        let mut subject = Subject::of(user, hash);
        if is_pending {
            subject.email = mail.to.as_str();
        }
        let link = match self.url(mail.kind) {
            Some(url) => {
                let now = self.app.clock.now();
                let ready = self.app.keys.ready(now).await;
                ready.map_err(|error| StoreError::new("GetSecretValue", error))?;
                let token = self.app.keys.link_token(subject, now);
                self.links.link(url, &uid(user.id), &token.await)
            }
            None => String::new(),
        };
        let timeout = self.app.settings.accounts.link_timeout;
        let facts = Facts::of(mail, user, &self.links, link, timeout);
        Letter::write(mail.kind, is_pending, &facts)
            .map_err(|error| NotSent::Unwritten(error.to_string()))
    }
}

/// Whether a mail is to an address that waits to be confirmed.
fn is_pending(mail: &Mail, user: &User) -> bool {
    mail.kind == Kind::Activation && user.pending_email.as_ref() == Some(&mail.to)
}
