//! `manage sendmail --pending`: the mails that are still owed.

use std::collections::BTreeSet;

use clap::Args;
use mailer::{Delivery, Dropped, Mailer};
use shared::{
    mail::{Kind, Mail},
    store::Store,
};

use crate::{
    CommandError,
    mailing::{self, LinkKey},
    target::{OpenTarget, Target},
    terminal::clean,
};

/// Options of `sendmail`.
#[derive(Args)]
pub struct Options {
    /// The mails that are owed and were not sent yet: lists them, and sends them.
    #[arg(long, required = true)]
    pending: bool,
    /// List them only.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: LinkKey,
    #[command(flatten)]
    target: Target,
}

/// Lists the mails that are owed, the oldest first, and sends them.
///
/// # Errors
/// A setting is malformed, the table's failure, or a mail is still owed.
pub async fn sendmail(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    let done = match options.dry_run {
        true => list(&open.store).await,
        false => send(&options, &open).await,
    };
    open.close().await;
    done
}

async fn list(store: &Store) -> Result<(), CommandError> {
    let mut pages = store.owed_pages();
    let mut count = 0;
    while let Some(mails) = pages.next().await? {
        for mail in &mails {
            println!("{}", clean(&line(mail, store.now())));
        }
        count += mails.len();
    }
    println!("{count} mail(s) owed.");
    Ok(())
}

async fn send(options: &Options, open: &OpenTarget) -> Result<(), CommandError> {
    // An empty outbox needs no settings.
    if open.store.owed_mails(1).await?.is_empty() {
        println!("0 mail(s) owed.");
        return Ok(());
    }
    let app = mailing::app(&options.target, open, &options.key).await?;
    let mailer = mailing::mailer(app).await?;
    let (tried, left) = send_all(&open.store, &mailer).await?;
    match left {
        0 => {
            println!("{tried} mail(s) done.");
            Ok(())
        }
        left => Err(CommandError::new(format!(
            "{left} of {tried} mail(s) are still owed"
        ))),
    }
}

/// Tries every mail once, those too that take the place of another. Returns how many there were, and
/// how many are still owed.
async fn send_all(store: &Store, mailer: &Mailer) -> Result<(usize, usize), CommandError> {
    let mut tried = BTreeSet::new();
    let mut left = 0;
    loop {
        let before = tried.len();
        let mut pages = store.owed_pages();
        while let Some(mut mails) = pages.next().await? {
            mails.retain(|mail| tried.insert(mail.id.clone()));
            for mail in &mails {
                let delivery = mailer.deliver(&mail.id).await;
                left += usize::from(delivery.is_err());
                let became = match delivery {
                    Ok(delivery) => words(delivery).to_owned(),
                    Err(error) => format!("still owed: {error}"),
                };
                let line = format!("{}: {became}", line(mail, store.now()));
                println!("{}", clean(&line));
            }
        }
        if tried.len() == before {
            return Ok((before, left));
        }
    }
}

/// A mail in one line: what, to which address, for how long it is owed, and how often it was tried before.
fn line(mail: &Mail, now: i64) -> String {
    let user = match mail.user_id {
        Some(id) => format!("user {id}"),
        None => "all who have it".to_owned(),
    };
    let (kind, to) = (kind(mail.kind), mail.to.as_str());
    let (age, tries) = (now.saturating_sub(mail.created), mail.tries);
    format!("{kind} to {to} ({user}), owed for {age} s, tried {tries} time(s)")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Activation => "activation",
        Kind::PasswordReset => "password reset",
        Kind::UsernameReset => "username reset",
        Kind::Invitation => "invitation",
        Kind::Confirmation => "confirmation",
        Kind::PasswordChanged => "password changed",
        Kind::UsernameChanged => "username changed",
        Kind::EmailChanged => "address changed",
        Kind::SessionEnded => "session ended",
    }
}

fn words(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Sent => "sent",
        Delivery::Split => "owed to each of those who share the address",
        Delivery::Done => "sent by another meanwhile",
        Delivery::Dropped(why) => match why {
            Dropped::Nobody => "dropped, nobody has the address or the account is gone",
            Dropped::OtherAddress => "dropped, the account has another address",
            Dropped::Changed => "dropped, the account gets no such mail any more",
            Dropped::TooLate => "dropped, its link would have ended",
            Dropped::Undeliverable => "dropped, no mail can be sent to such an address",
            Dropped::Refused => "dropped, the mail server has refused it for a day",
        },
    }
}
