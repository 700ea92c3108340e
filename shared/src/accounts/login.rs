//! Logging in with a username and a password: one for the API and the admin pages, with one count of
//! attempts.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{
    Gone, Refused,
    changes::Judged,
    left_undone, lockout,
    throttle::{network, refuse_above},
};
use crate::{
    app::App,
    domain::{Actor, User, UserId, UserName},
    hashing::{Password, PasswordHash, Verification},
    settings::LoginSettings,
    store::{Store, StoreError, attempts::Counter},
    telemetry::{Event, note_event, note_user},
};

/// A username and a password, and the address that they come from.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The username as it was typed.
    pub username: &'a str,
    /// The password.
    pub password: &'a Password,
    /// The password with the outer spaces that a serializer of SimpleJWT trims, if it had some: forms
    /// of Django's admin pages keep them.
    pub untrimmed: Option<&'a Password>,
    /// Whether the name is also meant in NFKC, as in the forms of Django's pages. Elsewhere only users
    /// who came from Django are found so.
    pub normalises: bool,
    /// The source address.
    pub address: Option<IpAddr>,
}

/// The active user with that username and password, if `accepts` is true of them. Their
/// `last_login` is not written.
///
/// # Errors
/// As [`check`].
pub async fn log_in(
    app: &App,
    attempt: Attempt<'_>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, Refused> {
    let user = check(app, attempt, accepts).await?;
    note_event(Event::Login.of(user.id).by_oneself());
    Ok(user)
}

/// Checks a username and a password, as [`log_in`] without counting a login.
///
/// An attempt is counted before anything is verified: by username and address together, so that
/// nobody locks another user out. Failures are also counted by address alone, and by username alone,
/// which closes the account to addresses that it has no session from.
///
/// # Errors
/// Wrong credentials, in the same words and the same time whether or not the account exists; too
/// many attempts; or the table's failure.
pub async fn check(
    app: &App,
    attempt: Attempt<'_>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, Refused> {
    let started = Instant::now();
    let checked = verify(app, attempt, accepts).await;
    if let Err(Refused::WrongCredentials) = &checked {
        let least = Duration::from_millis(app.settings.logins.failure_time);
        tokio::time::sleep(least.saturating_sub(started.elapsed())).await;
    }
    checked
}

/// Checks the password of a user who is logged in, as [`check`] does, by an attempt at their name.
///
/// # Errors
/// As [`check`], or what became meanwhile of the user.
pub async fn check_own(app: &App, user: &User, attempt: Attempt<'_>) -> Result<(), Refused> {
    let is_own = |found: &User| found.id == user.id;
    match check(app, attempt, is_own).await {
        Err(Refused::WrongCredentials) => {}
        checked => return checked.map(drop),
    }
    // With another name or password than a moment ago, that says nothing of the user.
    let now = app.store.user(user.id).await?;
    let now = now.ok_or(Refused::Gone(Gone::Deleted))?;
    if let Some(refused) = now.gone(Actor::User(user)) {
        return Err(refused);
    }
    if now.username == user.username {
        return Err(Refused::WrongCredentials);
    }
    let username = now.username.as_str();
    let again = Attempt {
        username,
        ..attempt
    };
    check(app, again, is_own).await.map(drop)
}

/// The counters of an attempt.
struct Counters {
    account: Counter,
    address: Counter,
    both: Counter,
}

impl Counters {
    fn of(username: &str, address: &str, settings: &LoginSettings) -> Self {
        let seconds = settings.failure_window;
        let account = Counter::new(&lockout::of(username), seconds);
        Self {
            both: account.of(address),
            address: Counter::new(&lockout::from(address), seconds),
            account,
        }
    }
}

async fn verify(
    app: &App,
    attempt: Attempt<'_>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, Refused> {
    let (store, limits) = (&app.store, &app.settings.logins);
    let Attempt {
        username, password, ..
    } = attempt;
    let now = store.now();
    let address = network(attempt.address);
    let names = UserName::candidates(username);
    let counters = Counters::of(username, &address, limits);
    let ((owner, [by_account, by_address]), attempts) = tokio::try_join!(
        store.candidate(&names, [&counters.account, &counters.address]),
        store.count_attempt(&counters.both)
    )?;
    let id = owner.as_ref().map(|(id, _)| *id);
    let throttled = |by: &'static str| {
        note_event(Event::ThrottledLogin.because(by).of(id));
    };
    refuse_above(limits.failures_per_account_and_address, attempts, now)
        .inspect_err(|_| throttled("account_and_address"))?;
    // These count what has failed, and the present attempt would be one more.
    let next = |mut failures: crate::store::attempts::Attempts| {
        failures.count += 1;
        failures
    };
    refuse_above(limits.failures_per_address, next(by_address), now)
        .inspect_err(|_| throttled("address"))?;
    let by_account = refuse_above(limits.failures_per_account, next(by_account), now);
    if by_account.is_err() && !has_session_from(store, id, &address).await? {
        by_account.inspect_err(|_| throttled("account"))?;
    }
    // An id that no user has is read for an unknown name, so that both take as long.
    let (id, name) = owner.unwrap_or_default();
    let typed = match attempt.normalises {
        true => name.as_str(),
        false => username,
    };
    let found = store.user_to_log_in(id, &name, typed).await?;
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    if let Some(user) = &user {
        note_user(user.id);
    }
    // Hashed even where no account exists, for the same reason.
    let mut verification = app.hasher.verify(password, stored.as_ref()).await;
    let mut password = password;
    if let (Verification::Wrong, Some(typed)) = (verification, attempt.untrimmed) {
        verification = app.hasher.verify(typed, stored.as_ref()).await;
        password = typed;
    }
    let reason = match &user {
        None => Some("unknown_name"),
        _ if verification == Verification::Wrong => Some("wrong_password"),
        Some(user) if !user.is_active => Some("inactive"),
        Some(user) if !accepts(user) => Some("not_staff"),
        Some(_) => None,
    };
    if let Some(reason) = reason {
        note_event(
            Event::FailedLogin
                .because(reason)
                .of(user.as_ref().map(|user| user.id)),
        );
    }
    let Some(user) = user.filter(|_| reason.is_none()) else {
        tokio::try_join!(
            store.count_attempt(&counters.account),
            store.count_attempt(&counters.address)
        )?;
        return Err(Refused::WrongCredentials);
    };
    if attempts.count > limits.failures_per_account_and_address / 2 {
        left_undone(store.forget_attempts(&counters.both).await);
    }
    if verification == Verification::CorrectButOutdated {
        left_undone(rehash(app, &user, password, stored.as_ref()).await);
    }
    Ok(user)
}

async fn has_session_from(
    store: &Store,
    id: Option<UserId>,
    address: &str,
) -> Result<bool, StoreError> {
    let Some(id) = id else { return Ok(false) };
    // Of very many sessions the first page is enough: an address that is only on others has to wait.
    let (page, user) = tokio::try_join!(store.session_page(id, None), store.user(id))?;
    let Some(user) = user else { return Ok(false) };
    let now = store.now();
    let is_from = |session: &str| network(session.parse().ok()) == address;
    let mut live = page
        .sessions
        .into_iter()
        .filter(|session| session.is_live(&user, now));
    Ok(live.any(|session| session.address.as_deref().is_some_and(is_from)))
}

/// Django's `must_update`: an older hash is replaced while the password is at hand.
async fn rehash(
    app: &App,
    user: &User,
    password: &Password,
    stored: Option<&PasswordHash>,
) -> Result<(), StoreError> {
    let Some(old) = stored else { return Ok(()) };
    let new = app.hasher.hash(password).await;
    app.store.rehash(user.id, old, &new).await
}
