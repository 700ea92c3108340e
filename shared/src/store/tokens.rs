//! The blacklist of refresh tokens.

use serde::Deserialize;

use super::{
    Refusal, Store, StoreError, WriteError,
    items::{attributes, from_item, number},
    keys::{Entity, Key, TTL},
    sessions::Session,
    writes::Write,
};
use crate::domain::{User, UserId};

#[derive(Deserialize)]
struct Blacklisted {
    ttl: i64,
}

/// What the table knows of a token.
pub struct TokenState {
    /// Whether it is blacklisted.
    pub is_blacklisted: bool,
    /// Its user.
    pub user: Option<User>,
    /// Its session.
    pub session: Option<Session>,
}

impl Store {
    /// Whether a token is blacklisted.
    pub async fn is_blacklisted(&self, jti: &str) -> Result<bool, StoreError> {
        let entry: Option<Blacklisted> = self.table.get(Entity::Token(jti).key()).await?;
        Ok(self.counts(entry))
    }

    /// Whether a token is blacklisted, and the user and the session that it names, as far as they
    /// exist: one round trip.
    pub async fn token_state(
        &self,
        jti: &str,
        user: Option<UserId>,
        sid: Option<&str>,
    ) -> Result<TokenState, StoreError> {
        let token = Entity::Token(jti).key();
        let session = user
            .zip(sid)
            .map(|(id, sid)| Entity::Session(id, sid).key());
        let user = user.map(|id| Entity::User(id).key());
        let wanted = [&token].into_iter().chain(&user).chain(&session).cloned();
        let mut found = self.table.batch_get(wanted).await?;
        let entry = found.remove(&token).map(from_item).transpose()?;
        let mut read = |key: Option<Key>| key.and_then(|key| found.remove(&key));
        Ok(TokenState {
            is_blacklisted: self.counts(entry),
            user: read(user).map(from_item).transpose()?,
            session: read(session).map(from_item).transpose()?,
        })
    }

    /// DynamoDB deletes expired items late.
    fn counts(&self, entry: Option<Blacklisted>) -> bool {
        entry.is_some_and(|entry| entry.ttl > self.now())
    }

    /// Blacklists a token until it is taken no more; false if it was blacklisted before.
    pub async fn blacklist(&self, jti: &str, until: i64) -> Result<bool, WriteError> {
        self.unless_refused(vec![blacklisted(jti, until)]).await
    }
}

/// Blacklists a token that is not blacklisted yet, until it is taken no more.
pub(super) fn blacklisted(jti: &str, until: i64) -> Write {
    let mut item = attributes(&Entity::Token(jti).key());
    item.insert(TTL.to_owned(), number(until));
    Write::create(item, Refusal::Exists)
}
