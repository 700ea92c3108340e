//! Failed logins, counted by account and by address.

use std::collections::HashMap;

use serde::Deserialize;

use super::{
    Store, StoreError, WriteError,
    items::{Item, from_item, number},
    keys::{Entity, Key, TTL},
    markers,
    writes::{Condition, Refusal, Write},
};
use crate::domain::{UserId, UserName};

/// How often logins failed of late, and until when that counts, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Failures {
    /// How often.
    pub count: u64,
    /// Until when.
    #[serde(rename = "ttl")]
    pub until: i64,
}

/// What is known of a login attempt.
pub struct Candidate {
    /// The user with that username.
    pub user: Option<UserId>,
    /// The failures of the username.
    pub account: Failures,
    /// The failures of the address.
    pub address: Failures,
}

impl Store {
    /// The user with a username, and how often logins have failed at `now`: one round trip.
    pub async fn candidate(
        &self,
        username: &str,
        name: Option<&UserName>,
        address: Option<&str>,
        now: i64,
    ) -> Result<Candidate, StoreError> {
        let marker = name.map(Entity::UserName);
        let account = Entity::AccountFailures(username).key();
        let address = address.map(|address| Entity::AddressFailures(address).key());
        let counters = [&account].into_iter().chain(&address).cloned();
        let wanted = counters.chain(marker.as_ref().map(Entity::key));
        let mut found = self.table.batch_get(wanted).await?;
        let owner = marker.and_then(|marker| {
            let item = found.remove(&marker.key())?;
            markers::owner(&marker, &item).map(UserId)
        });
        Ok(Candidate {
            user: owner,
            account: failures(&mut found, Some(&account), now)?,
            address: failures(&mut found, address.as_ref(), now)?,
        })
    }

    /// Counts a failed login, by account and by address, for `window` seconds from the first.
    pub async fn count_failure(
        &self,
        username: &str,
        address: Option<&str>,
        now: i64,
        window: i64,
    ) -> Result<(), StoreError> {
        let account = Entity::AccountFailures(username).key();
        let address = address.map(|address| Entity::AddressFailures(address).key());
        let address = async {
            match address {
                Some(key) => self.count_at(key, now, window).await,
                None => Ok(()),
            }
        };
        tokio::try_join!(self.count_at(account, now, window), address).map(drop)
    }

    /// Forgets the failures of an account.
    pub async fn forget_failures(&self, username: &str) -> Result<(), StoreError> {
        self.note(Write::delete(Entity::AccountFailures(username).key()))
            .await
    }

    /// One more, within the window that runs, or as the first of a new one.
    async fn count_at(&self, key: Key, now: i64, window: i64) -> Result<(), StoreError> {
        for _ in 0..2 {
            let first = Item::from([
                ("count".to_owned(), number(1)),
                (TTL.to_owned(), number(now + window)),
            ]);
            let mut more = Write::add_to(key.clone(), "count", 1);
            more.condition = Condition::Above(TTL, number(now));
            match self.table.write(vec![more]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Failed(error)) => return Err(error),
                Err(WriteError::Refused(_)) => {}
            }
            let mut start = Write::set(key.clone(), first);
            // A second attempt adds to what the first has begun.
            start.condition = Condition::AtMost(TTL, number(now));
            start.refusal = Refusal::Exists;
            match self.table.write(vec![start]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Failed(error)) => return Err(error),
                Err(WriteError::Refused(_)) => {}
            }
        }
        Ok(())
    }
}

/// DynamoDB deletes what has ended late.
fn failures(
    found: &mut HashMap<Key, Item>,
    key: Option<&Key>,
    now: i64,
) -> Result<Failures, StoreError> {
    let counted: Option<Failures> = key
        .and_then(|key| found.remove(key))
        .map(from_item)
        .transpose()?;
    Ok(counted
        .filter(|failures| failures.until > now)
        .unwrap_or_default())
}
