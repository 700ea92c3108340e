//! Mails: which a change is followed by, and those that people ask for.

use super::{Refused, rights, sessions::Client, throttle};
use crate::{
    app::App,
    domain::{Actor, EmailAddress, User},
    hashing::PasswordHash,
    mail::{Kind, Mail},
    store::{Store, StoreError, Versioned, outbox, writes::Write},
    telemetry::{Event, note_event},
};

/// The write that owes a user a mail, if such mails are on and there is an address. What follows a
/// change tells of the client that made it.
pub(super) fn owed(
    store: &Store,
    kind: Kind,
    user: &User,
    to: &EmailAddress,
    client: &Client,
) -> Result<Option<Write>, StoreError> {
    if !is_on(store, kind) || to.is_empty() {
        return Ok(None);
    }
    let mut mail = Mail::new(kind, Some(user.id), to.clone(), store.now());
    mail.address = client.address.map(|address| address.to_string());
    mail.user_agent.clone_from(&client.user_agent);
    outbox::owe(&mail).map(Some)
}

fn is_on(store: &Store, kind: Kind) -> bool {
    let policy = store.mails();
    match kind {
        Kind::Activation => policy.activation,
        Kind::Confirmation => policy.confirmation,
        Kind::PasswordChanged => policy.password_changed,
        Kind::UsernameChanged => policy.username_changed,
        Kind::EmailChanged => policy.email_changed,
        Kind::SessionEnded => policy.session_ended,
        Kind::PasswordReset | Kind::UsernameReset | Kind::Invitation => true,
    }
}

/// Asks for a mail to those who have an address. Nobody learns whether anybody has it: the same is read
/// and written for every address, and what is above the limits is left out silently.
///
/// # Errors
/// The table's failure.
pub async fn ask(
    app: &App,
    kind: Kind,
    to: EmailAddress,
    client: &Client,
) -> Result<(), StoreError> {
    if throttle::mail(&app.store, &to, client.address).await? {
        let mail = Mail::new(kind, None, to, app.store.now());
        app.store.owe_mail(&mail).await?;
    }
    note_event(Event::MailAsked);
    Ok(())
}

/// Sends a user a mail with a link to an address of theirs, at the wish of somebody who decides over the
/// account, and notes it in the log of changes.
///
/// # Errors
/// The actor may not do it, or the table's failure.
pub async fn send(
    store: &Store,
    actor: Actor<'_>,
    kind: Kind,
    user: &User,
    to: &EmailAddress,
) -> Result<(), Refused> {
    if !rights::decide_over(store, actor, user).await? {
        return Err(Refused::PermissionDenied);
    }
    let mail = Mail::new(kind, Some(user.id), to.clone(), store.now());
    store.owe_mail(&mail).await?;
    let sent = match kind {
        Kind::Activation if user.is_active => "Link to confirm the new address",
        Kind::Activation => "Link to activate the account",
        _ => "Link to set a password",
    };
    let name = user.username.as_str().to_owned();
    store.log_alone(actor, user.object(), name, sent).await?;
    Ok(())
}

/// How many accounts of one address are looked at whether they have a password.
const MOST_ASKED: usize = 100;

/// Whether anybody would get a mail that is asked for: of more than [`MOST_ASKED`] accounts it is taken
/// for granted. Only where people may be told.
///
/// # Errors
/// The table's failure.
pub async fn reaches_somebody(
    app: &App,
    kind: Kind,
    to: &EmailAddress,
) -> Result<bool, StoreError> {
    let has_state = |user: &User| user.is_active != (kind == Kind::Activation);
    let mut owners = app.store.users_by_email(to).await?;
    owners.retain(has_state);
    if owners.len() > MOST_ASKED {
        return Ok(true);
    }
    for user in owners {
        let found = app.store.user_and_hash(user.id).await?;
        let usable =
            found.filter(|(user, hash)| has_state(user) && PasswordHash::is_usable(hash.as_ref()));
        if usable.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
