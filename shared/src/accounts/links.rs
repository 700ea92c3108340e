//! What the link of a mail does. Who opens it has proven that the address is theirs; any of the links
//! works for each of these, as in Django.

use super::{
    Refused, changes, left_undone, lockout,
    mails::owed,
    sessions::Client,
    users::{ended_by_password, note_password, password_change},
};
use crate::{
    app::App,
    domain::{Actor, FieldError, User, UserName},
    hashing::{Password, PasswordHash},
    input::FieldErrors,
    mail::{
        Kind,
        links::{Link, Subject, read_uid},
    },
    store::{Ends, Expected, StoreError, WriteError},
    telemetry::{Event, note_event, note_user},
};

/// The account that a link names, whether or not its token is good.
///
/// # Errors
/// The table's failure.
pub async fn target(app: &App, link: &Link) -> Result<Option<User>, StoreError> {
    match read_uid(&link.uid) {
        Some(id) => app.store.user(id).await,
        None => Ok(None),
    }
}

/// Whether a link is good for the account that it names.
///
/// # Errors
/// The table's failure.
pub async fn is_good(app: &App, link: &Link) -> Result<bool, StoreError> {
    let Some(id) = read_uid(&link.uid) else {
        return Ok(false);
    };
    match app.store.user_and_hash(id).await? {
        Some((user, hash)) => Ok(proves(app, &user, hash.as_ref(), link).await),
        None => Ok(false),
    }
}

/// Whether a link activates the account that it names, or confirms its new address.
///
/// # Errors
/// The table's failure.
pub async fn activates(app: &App, link: &Link) -> Result<bool, StoreError> {
    let Some(id) = read_uid(&link.uid) else {
        return Ok(false);
    };
    let Some((user, hash)) = app.store.user_and_hash(id).await? else {
        return Ok(false);
    };
    let hash = hash.as_ref();
    Ok(confirms(app, &user, hash, link).await || proves(app, &user, hash, link).await)
}

/// Whether a link is of the new address of an active account, which waits for it.
async fn confirms(app: &App, user: &User, hash: Option<&PasswordHash>, link: &Link) -> bool {
    let Some(email) = user.pending_email.as_ref().filter(|_| user.is_active) else {
        return false;
    };
    let subject = Subject {
        email: email.as_str(),
        ..Subject::of(user, hash)
    };
    is_token(app, subject, &link.token).await
}

async fn proves(app: &App, user: &User, hash: Option<&PasswordHash>, link: &Link) -> bool {
    is_token(app, Subject::of(user, hash), &link.token).await
}

async fn is_token(app: &App, subject: Subject<'_>, token: &str) -> bool {
    let timeout = app.settings.accounts.link_timeout;
    let now = app.clock.now();
    app.keys.is_link_token(subject, token, now, timeout).await
}

/// djoser's words.
fn bad_uid() -> Refused {
    let text = "Invalid user id or user doesn't exist.";
    Refused::Invalid(FieldErrors::one("uid", FieldError::said(text)))
}

/// djoser's words.
fn bad_token() -> Refused {
    let text = "Invalid token for given user.";
    Refused::Invalid(FieldErrors::one("token", FieldError::said(text)))
}

/// Does something for the account of a link, in the loop of every change: with each try the link is
/// looked at again, so that it works once. Returns the account as it is then.
async fn by_link<W>(
    app: &App,
    link: &Link,
    write: impl Fn(User, Option<PasswordHash>) -> W,
) -> Result<User, Refused>
where
    W: Future<Output = Result<Result<User, WriteError>, Refused>>,
{
    let user = target(app, link).await?.ok_or_else(bad_uid)?;
    note_user(user.id);
    let done = changes::write(&app.store, Actor::Registration, &user, |user| {
        let write = &write;
        async move {
            let found = app.store.user_and_hash(user.id).await?;
            let (user, hash) = found.ok_or_else(bad_uid)?;
            write(user, hash).await
        }
    });
    match done.await {
        Err(Refused::NotFound) => Err(bad_uid()),
        done => done,
    }
}

/// Sets the password of a link's account. Says nothing of whether the account is active.
///
/// # Errors
/// The link names nobody or is not good, or the table's failure.
pub async fn reset_password(
    app: &App,
    link: &Link,
    password: &Password,
    client: &Client,
) -> Result<(), Refused> {
    let hash = &app.hasher.hash(password).await;
    let ends = ended_by_password(&app.settings.accounts, None);
    let user = by_link(app, link, |user, old| async move {
        if !proves(app, &user, old.as_ref(), link).await {
            return Err(bad_token());
        }
        let mut change = password_change(&app.store, &user, hash, ends, Some(client))?;
        change.last_login = Some(app.clock.now());
        let (store, actor) = (&app.store, Actor::User(&user));
        Ok(store
            .set_password(&user, Expected::Unchanged, change, actor)
            .await)
    });
    let user = user.await?;
    note_password(user.id, Actor::User(&user));
    if ends == Ends::All {
        left_undone(app.store.end_sessions(user.id, user.epoch).await);
    }
    left_undone(lockout::forget_failures(&app.store, &user.username).await);
    Ok(())
}

/// Sets the username of a link's account.
///
/// # Errors
/// The name is taken, the link names nobody or is not good, or the table's failure.
pub async fn reset_username(
    app: &App,
    link: &Link,
    name: &UserName,
    client: &Client,
) -> Result<(), Refused> {
    let store = &app.store;
    let user = by_link(app, link, |user, hash| async move {
        if !proves(app, &user, hash.as_ref(), link).await {
            return Err(bad_token());
        }
        let mut after = user.clone();
        after.username = name.clone();
        (after.last_login, after.last_login_micros) = (Some(app.clock.now()), 0);
        let mail = owed(store, Kind::UsernameChanged, &user, &user.email, client)?;
        let more = mail.into_iter().collect();
        let actor = Actor::User(&user);
        Ok(store.replace(&user, after, more, actor).await)
    });
    let user = user.await?;
    note_event(Event::UsernameChange.of(user.id).by_oneself());
    Ok(())
}

/// Activates a link's account that was never active, or confirms its new address.
///
/// # Errors
/// The link names nobody or is not good, there is nothing to activate, or the table's failure.
pub async fn activate(app: &App, link: &Link, client: &Client) -> Result<(), Refused> {
    let store = &app.store;
    let user = by_link(app, link, |user, hash| async move {
        let hash = hash.as_ref();
        let mut after = user.clone();
        let mail = if confirms(app, &user, hash, link).await {
            after.email = after.pending_email.take().unwrap_or_default();
            after.shares_email &= after.email.lower() == user.email.lower();
            owed(store, Kind::EmailChanged, &user, &user.email, client)?
        } else if !proves(app, &user, hash, link).await {
            return Err(bad_token());
        } else if user.is_active {
            return Err(Refused::StaleLink);
        } else if !user.awaits_activation {
            // Somebody deactivated it, and a mail does not let it in again.
            return Err(bad_token());
        } else {
            owed(store, Kind::Confirmation, &user, &user.email, client)?
        };
        if user.awaits_activation {
            (after.is_active, after.awaits_activation) = (true, false);
        }
        let more = mail.into_iter().collect();
        let actor = Actor::User(&user);
        match store.replace(&user, after, more, actor).await {
            // Somebody else has the address by now.
            Err(WriteError::Refused(refusals))
                if refusals.contains(&crate::store::Refusal::EmailTaken) =>
            {
                Err(bad_token())
            }
            written => Ok(written),
        }
    });
    let user = user.await?;
    note_event(Event::Activation.of(user.id).by_oneself());
    Ok(())
}
