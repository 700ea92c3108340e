//! Who is locked out by their attempts to log in, and how they are let in again.

use std::{collections::BTreeSet, net::IpAddr};

use unicode_normalization::UnicodeNormalization;

use super::{
    Refused, rights,
    throttle::{self, network},
};
use crate::{
    domain::{
        Actor, User, UserName,
        log_entry::{Model, Object},
    },
    store::{
        Store, StoreError, Versioned,
        attempts::{Attempts, Counted},
    },
};

/// What the log of changes calls the counters.
const COUNTERS: &str = "Failed logins";

/// What attempts at a username are counted by. Spellings that mean one account have one count.
pub(super) fn of(username: &str) -> String {
    format!("logins of {}", username.nfkc())
}

/// What attempts from a network are counted by.
pub(super) fn from(network: &str) -> String {
    format!("logins from {network}")
}

/// What a counter counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Count {
    /// Failures of the username from anywhere.
    Username,
    /// Attempts at the username from one network; `None` if it is not among those asked for, since
    /// the table has only its digest.
    UsernameFrom(Option<String>),
    /// Failures of any username from a network.
    From(String),
}

/// The attempts that count against a username now, and against the networks asked for: one read for
/// each.
///
/// # Errors
/// The table's failure.
pub async fn failures(
    store: &Store,
    username: &UserName,
    networks: &BTreeSet<String>,
) -> Result<Vec<(Count, Attempts)>, StoreError> {
    let count = |counted: &Counted| {
        if counted.is_whole() {
            return Count::Username;
        }
        let known = networks.iter().find(|network| counted.is_of(network));
        Count::UsernameFrom(known.cloned())
    };
    let all = store.attempts(&of(username.as_str())).await?;
    let mut found: Vec<_> = all
        .iter()
        .map(|counted| (count(counted), counted.attempts))
        .collect();
    for network in networks {
        for counted in store.attempts(&from(network)).await? {
            found.push((Count::From(network.clone()), counted.attempts));
        }
    }
    Ok(found)
}

/// Sets the counters of a username back: of more than [`COUNTERS`](crate::store::attempts::COUNTERS)
/// that of the username and the latest of networks, and the others end with their windows.
///
/// # Errors
/// The table's failure.
pub async fn forget_failures(store: &Store, username: &UserName) -> Result<(), StoreError> {
    store.forget_attempts_at(&of(username.as_str())).await?;
    Ok(())
}

/// Lets a user try again, from every address. Returns how many counters were set back.
///
/// # Errors
/// The actor may not do it, or the table's failure.
pub async fn unlock(store: &Store, actor: Actor<'_>, user: &User) -> Result<usize, Refused> {
    if !rights::decide_over(store, actor, user).await? {
        return Err(Refused::PermissionDenied);
    }
    let name = user.username.as_str();
    let count = store.forget_attempts_at(&of(name)).await?;
    if count > 0 {
        let (object, name) = (user.object(), name.to_owned());
        store.log_alone(actor, object, name, COUNTERS).await?;
    }
    Ok(count)
}

/// Lets everybody at an address log in and register again, as far as the address is counted alone.
/// Its attempts at one username are counted with the username, and [`unlock`] sets them back. For
/// operators, who may do everything. Returns how many counters were set back.
///
/// # Errors
/// The table's failure.
pub async fn unlock_address(
    store: &Store,
    actor: Actor<'_>,
    address: IpAddr,
) -> Result<usize, Refused> {
    let network = network(Some(address));
    let count = store.forget_attempts_at(&from(&network)).await?
        + throttle::forget(store, &network).await?;
    if count > 0 {
        // No model that older versions know fits an address, so it is logged as the user 0, who does not exist.
        let (model, id) = (Model::User, 0);
        let object = Object { model, id };
        let name = format!("address {network}");
        store.log_alone(actor, object, name, COUNTERS).await?;
    }
    Ok(count)
}
