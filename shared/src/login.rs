//! Logging in with a username and a password: the API's login and the admin pages' are one, with
//! one count of failures.

use std::net::IpAddr;

use crate::{
    app::App,
    domain::{User, UserId, UserName},
    error::ApiError,
    hashing::{Password, PasswordHash, Verification},
    http::log::{Event, note_event, note_user},
    store::failures::Failures,
};

/// The active user with that username and password, if `accepts` takes him. The last login is not
/// noted.
///
/// # Errors
/// As [`check`].
pub async fn log_in(
    app: &App,
    username: &str,
    password: &Password,
    address: Option<IpAddr>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, ApiError> {
    let user = check(app, username, password, address, accepts).await?;
    note_event(Event::Login);
    Ok(user)
}

/// Whether somebody knows the password of an active user whom `accepts` takes.
///
/// Failures are counted by username, whoever has it, and by address; past the limits nobody is let
/// in for a while. A success forgets those of the username.
///
/// # Errors
/// Nobody, in the same words and the same time whether or not the account exists; too many
/// failures; or the table's failure.
pub async fn check(
    app: &App,
    username: &str,
    password: &Password,
    address: Option<IpAddr>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, ApiError> {
    let now = app.clock.now();
    let address = address.map(network);
    let name = UserName::stored(username);
    let candidate = app
        .store
        .candidate(username, name.as_ref(), address.as_deref(), now)
        .await?;
    let limits = &app.settings.login_failures;
    refuse_beyond(limits.per_account, candidate.account, now)?;
    refuse_beyond(limits.per_address, candidate.address, now)?;
    // Nobody's id is read for an unknown name, so that both take as long.
    let id = candidate.user.unwrap_or(UserId(0));
    let found = match &name {
        Some(name) => app.store.user_to_log_in(id, name).await?,
        None => None,
    };
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    if let Some(user) = &user {
        note_user(user.id);
    }
    // Hashed even where there is no account, for the same reason.
    let verification = app.hasher.verify(password, stored.as_ref()).await;
    let user =
        user.filter(|user| user.is_active && verification != Verification::Wrong && accepts(user));
    let Some(user) = user else {
        note_event(Event::FailedLogin);
        let address = address.as_deref();
        let counting = app
            .store
            .count_failure(username, address, now, limits.window);
        counting.await?;
        return Err(ApiError::WrongCredentials);
    };
    if candidate.account.count > 0 {
        app.store.forget_failures(username).await?;
    }
    if verification == Verification::CorrectButOutdated {
        rehash(app, &user, password, stored.as_ref()).await?;
    }
    Ok(user)
}

/// A limit of 0 is none.
fn refuse_beyond(limit: u64, failures: Failures, now: i64) -> Result<(), ApiError> {
    if limit == 0 || failures.count < limit {
        return Ok(());
    }
    note_event(Event::ThrottledLogin);
    Err(ApiError::Throttled(failures.until - now))
}

/// Whom an address counts for: itself, but for IPv6 its network, as whoever has one has them all.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// Django's `must_update`: an older hash is replaced while the password is at hand.
async fn rehash(
    app: &App,
    user: &User,
    password: &Password,
    stored: Option<&PasswordHash>,
) -> Result<(), ApiError> {
    let Some(old) = stored else { return Ok(()) };
    let new = app.hasher.hash(password).await;
    Ok(app.store.rehash(user.id, old, &new).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_counts_for_its_network() {
        let network = |address: &str| network(address.parse().unwrap());
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64");
        assert_eq!(network("2001:db8:0:1::9"), "2001:db8:0:1::/64");
    }
}
