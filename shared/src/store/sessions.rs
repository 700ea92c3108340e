//! Sessions of the admin pages: an item for each, so that a logout ends it at once.

use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError, WriteError,
    items::{Item, from_item, number, to_item},
    keys::Entity,
    writes::Write,
};
use crate::domain::{User, UserId};

/// A session. The secret that its cookie holds is only part of its key, as a digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The user.
    pub user_id: UserId,
    /// When it began: [`User::session_begins`].
    pub created: i64,
    /// When it was last used, in seconds since 1970.
    pub last_seen: i64,
    /// When it ends at the latest, in seconds since 1970.
    pub ttl: i64,
}

impl Store {
    /// A session and its user, if both exist: one round trip.
    pub async fn session(
        &self,
        secret: &str,
        user: UserId,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let (session, user) = (Entity::Session(secret).key(), Entity::User(user).key());
        let mut found = self
            .table
            .batch_get([session.clone(), user.clone()])
            .await?;
        let (Some(session), Some(user)) = (found.remove(&session), found.remove(&user)) else {
            return Ok(None);
        };
        let (session, user): (Session, User) = (from_item(session)?, from_item(user)?);
        Ok((session.user_id == user.id).then_some((session, user)))
    }

    /// Begins a session.
    pub async fn begin_session(&self, secret: &str, session: &Session) -> Result<(), StoreError> {
        let item = to_item(&Entity::Session(secret).key(), session)?;
        self.note(Write::put(item)).await
    }

    /// Records that a session is used. One that was ended meanwhile stays ended.
    pub async fn touch_session(&self, secret: &str, now: i64) -> Result<(), StoreError> {
        let seen = Item::from([("last_seen".to_owned(), number(now))]);
        self.note(Write::set(Entity::Session(secret).key(), seen))
            .await
    }

    /// Ends a session, if it exists.
    pub async fn end_session(&self, secret: &str) -> Result<(), StoreError> {
        self.note(Write::delete(Entity::Session(secret).key()))
            .await
    }

    /// Writes something whose refusal does not matter.
    pub(super) async fn note(&self, write: Write) -> Result<(), StoreError> {
        match self.table.write(vec![write]).await {
            Ok(()) | Err(WriteError::Refused(_)) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error),
        }
    }
}
