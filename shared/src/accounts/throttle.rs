//! Limits of attempts, by source address.

use std::net::IpAddr;

use super::Refused;
use crate::{
    domain::EmailAddress,
    settings::{MailPolicy, Rate},
    store::{
        Store, StoreError,
        attempts::{Attempts, Counter},
    },
};

/// Counts a registration from an address, and refuses it above the rate.
///
/// # Errors
/// Too many of them, or the table's failure.
pub async fn registration(
    store: &Store,
    rate: Option<Rate>,
    address: Option<IpAddr>,
) -> Result<(), Refused> {
    let Some(Rate { count, seconds }) = rate else {
        return Ok(());
    };
    let counter = counter(REGISTRATIONS, &network(address), seconds);
    let attempts = store.count_attempt(&counter).await?;
    refuse_above(count, attempts, store.now())
}

/// Counts a mail that is asked for, by the source address and by the addressee. False above either
/// rate: then it is not sent. One step, with the same writes for every address.
///
/// # Errors
/// The table's failure.
pub(super) async fn mail(
    store: &Store,
    to: &EmailAddress,
    address: Option<IpAddr>,
) -> Result<bool, StoreError> {
    let MailPolicy {
        rate,
        rate_per_addressee,
        ..
    } = store.mails();
    let (from, to) = (network(address), to.lower());
    let (by_source, by_addressee) = tokio::try_join!(
        is_within(store, rate, MAILS, &from),
        is_within(store, rate_per_addressee, MAILS_TO, &to)
    )?;
    Ok(by_source && by_addressee)
}

async fn is_within(
    store: &Store,
    rate: Option<Rate>,
    subject: &str,
    part: &str,
) -> Result<bool, StoreError> {
    let Some(Rate { count, seconds }) = rate else {
        return Ok(true);
    };
    let attempts = store
        .count_attempt(&counter(subject, part, seconds))
        .await?;
    Ok(attempts.count <= count)
}

/// The counter of a part of all attempts at something. It is a subject of its own, since a subject's
/// counters are in one partition.
fn counter(subject: &str, part: &str, seconds: i64) -> Counter {
    Counter::new(&of(subject, part), seconds)
}

fn of(subject: &str, part: &str) -> String {
    format!("{subject} {part}")
}

/// Sets the counters of registrations and mails from a network back. Returns how many.
pub(super) async fn forget(store: &Store, network: &str) -> Result<usize, StoreError> {
    let subjects = [REGISTRATIONS, MAILS].map(|subject| of(subject, network));
    let (registrations, mails) = tokio::try_join!(
        store.forget_attempts_at(&subjects[0]),
        store.forget_attempts_at(&subjects[1])
    )?;
    Ok(registrations + mails)
}

const REGISTRATIONS: &str = "registrations from";
const MAILS: &str = "mails asked for from";
const MAILS_TO: &str = "mails asked for to";

/// Refuses an attempt above a limit; a limit of 0 is none.
pub(super) fn refuse_above(limit: u64, attempts: Attempts, now: i64) -> Result<(), Refused> {
    if limit == 0 || attempts.count <= limit {
        Ok(())
    } else {
        Err(Refused::Throttled(attempts.until - now))
    }
}

/// What attempts from an address are counted by: the address, or for IPv6 its /64 network, since a
/// client that has one address of it has all.
pub fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => String::new(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_counts_for_its_network() {
        let network = |address: &str| network(address.parse().ok());
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64");
        assert_eq!(network("2001:db8:0:1::9"), "2001:db8:0:1::/64");
        assert_eq!(network("none"), "");
    }
}
