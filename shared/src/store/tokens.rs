//! The blacklist of refresh tokens.

use serde::Deserialize;

use super::{
    Store, StoreError,
    items::{attributes, from_item, number, text},
    keys::{Entity, TTL},
};
use crate::domain::{User, UserId};

#[derive(Deserialize)]
struct Blacklisted {
    ttl: i64,
}

impl Store {
    /// Whether a token is blacklisted, and the user it names, in one round trip.
    pub async fn token_and_user(
        &self,
        jti: &str,
        user: Option<UserId>,
        now: i64,
    ) -> Result<(bool, Option<User>), StoreError> {
        let token = Entity::Token(jti).key();
        let user = user.map(|id| Entity::User(id).key());
        let mut found = self
            .table
            .batch_get(std::iter::once(token.clone()).chain(user.clone()))
            .await?;
        let entry: Option<Blacklisted> = found.remove(&token).map(from_item).transpose()?;
        let user = user
            .and_then(|key| found.remove(&key))
            .map(from_item)
            .transpose()?;
        // DynamoDB deletes expired items late.
        Ok((entry.is_some_and(|entry| entry.ttl > now), user))
    }

    /// Blacklists a token until it is taken no more; false if it was blacklisted before.
    pub async fn blacklist(&self, jti: &str, until: i64) -> Result<bool, StoreError> {
        // Tells this request's own entry, written by a try whose answer was lost, from another's.
        let entry = format!("{:032x}", rand::random::<u128>());
        let mut item = attributes(&Entity::Token(jti).key());
        item.insert(TTL.to_owned(), number(until));
        item.insert("entry".to_owned(), text(&entry));
        let there = self.table.put_new(item).await?;
        Ok(there.is_none_or(|old| old.get("entry") == Some(&text(&entry))))
    }
}
