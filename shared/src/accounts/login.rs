//! Logging in with a username and a password: one for the API and the admin pages, with one count of
//! failures.

use std::net::IpAddr;

use super::Refused;
use crate::{
    app::App,
    domain::{User, UserId, UserName},
    hashing::{Password, PasswordHash, Verification},
    store::{StoreError, failures::Failures},
    telemetry::{Event, note_event, note_user},
};

/// The active user with that username and password, if `accepts` is true of them. Their
/// `last_login` is not written.
///
/// # Errors
/// As [`check`].
pub async fn log_in(
    app: &App,
    username: &str,
    password: &Password,
    address: Option<IpAddr>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, Refused> {
    let user = check(app, username, password, address, accepts).await?;
    note_event(Event::Login);
    Ok(user)
}

/// Checks a username and a password, as [`log_in`] without counting a login.
///
/// Failures are counted by username, whether an account has it or not, and by address; past the
/// limits every login is refused for a while. A success forgets those of the username.
///
/// # Errors
/// Wrong credentials, in the same words and the same time whether or not the account exists; too
/// many failures; or the table's failure.
pub async fn check(
    app: &App,
    username: &str,
    password: &Password,
    address: Option<IpAddr>,
    accepts: impl Fn(&User) -> bool,
) -> Result<User, Refused> {
    let now = app.clock.now();
    let address = address.map(network);
    let name = UserName::stored(username);
    let candidate = app
        .store
        .candidate(username, name.as_ref(), address.as_deref(), now)
        .await?;
    let limits = &app.settings.logins;
    refuse_beyond(limits.failures_per_account, candidate.account, now)?;
    refuse_beyond(limits.failures_per_address, candidate.address, now)?;
    // An id that no user has is read for an unknown name, so that both take as long.
    let id = candidate.user.unwrap_or(UserId(0));
    let found = match &name {
        Some(name) => app.store.user_to_log_in(id, name).await?,
        None => None,
    };
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    if let Some(user) = &user {
        note_user(user.id);
    }
    // Hashed even where no account exists, for the same reason.
    let verification = app.hasher.verify(password, stored.as_ref()).await;
    let user =
        user.filter(|user| user.is_active && verification != Verification::Wrong && accepts(user));
    let Some(user) = user else {
        note_event(Event::FailedLogin);
        let address = address.as_deref();
        let counting = app
            .store
            .count_failure(username, address, now, limits.failure_window);
        counting.await?;
        return Err(Refused::WrongCredentials);
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
fn refuse_beyond(limit: u64, failures: Failures, now: i64) -> Result<(), Refused> {
    if limit == 0 || failures.count < limit {
        return Ok(());
    }
    note_event(Event::ThrottledLogin);
    Err(Refused::Throttled(failures.until - now))
}

/// What failures from an address are counted by: the address, or for IPv6 its /64 network, since a
/// client that has one address of it has all.
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
) -> Result<(), StoreError> {
    let Some(old) = stored else { return Ok(()) };
    let new = app.hasher.hash(password).await;
    app.store.rehash(user.id, old, &new).await
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
