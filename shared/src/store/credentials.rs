//! Passwords, and the users they belong to.

use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError, WriteError,
    history::Logged,
    items::{Item, difference, from_item, number, text, to_item},
    keys::Entity,
    versioned::{Versioned, logged},
    writes::{Condition, Write},
};
use crate::{
    domain::{Actor, User, UserId, UserName, log_entry::ActionFlag},
    hashing::PasswordHash,
};

/// A user's password hash, in an item of its own.
#[derive(Serialize, Deserialize)]
struct Credential {
    password: PasswordHash,
}

/// The item of a user's password hash.
pub(super) fn credential(id: UserId, password: &PasswordHash) -> Result<Item, StoreError> {
    let password = password.clone();
    to_item(&Entity::Credential(id).key(), &Credential { password })
}

/// Whether a write goes by what is known of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The user must be as they are known.
    Unchanged,
    /// The user must exist.
    Present,
}

impl Store {
    /// The user with that username: two round trips.
    pub async fn user_by_name(&self, name: &UserName) -> Result<Option<User>, StoreError> {
        match self.owner_of(&Entity::UserName(name)).await? {
            Some(id) => self.user(UserId(id)).await,
            None => Ok(None),
        }
    }

    /// The user with that id and their password hash, if they have that username: one round trip.
    pub async fn user_to_log_in(
        &self,
        user_id: UserId,
        name: &UserName,
    ) -> Result<Option<(User, Option<PasswordHash>)>, StoreError> {
        let (profile, credential) = (
            Entity::User(user_id).key(),
            Entity::Credential(user_id).key(),
        );
        let mut found = self
            .table
            .batch_get([profile.clone(), credential.clone()])
            .await?;
        let Some(user) = found.remove(&profile) else {
            return Ok(None);
        };
        let user: User = from_item(user)?;
        // Between the two reads another user may have taken the name.
        if user.username != *name {
            return Ok(None);
        }
        let credential: Option<Credential> =
            found.remove(&credential).map(from_item).transpose()?;
        Ok(Some((
            user,
            credential.map(|credential| credential.password),
        )))
    }

    /// Replaces a password, and ends the tokens and sessions begun until now.
    ///
    /// # Errors
    /// [`Refusal::Stale`](super::Refusal::Stale) if the user is deleted or not as expected, or the
    /// table's failure.
    pub async fn set_password(
        &self,
        known: &User,
        expected: Expected,
        password: &PasswordHash,
        actor: Actor<'_>,
    ) -> Result<(), WriteError> {
        let valid_after = Item::from([("tokens_valid_after".to_owned(), number(self.now() + 1))]);
        // The version grows in any case, so that a change applied to an older read is read again.
        let mut touched = Write::touch(known.key(), valid_after);
        if expected == Expected::Unchanged {
            touched.condition = Condition::Equals("version", number(known.version));
        }
        let mut writes = vec![touched, Write::put(credential(known.id, password)?)];
        let entry = Logged {
            fields: vec!["password"],
            ..logged(known, ActionFlag::Change)
        };
        writes.extend(self.log(actor, entry)?);
        self.table.write(writes).await
    }

    /// Replaces the hash of an unchanged password by a stronger one, unless the password was
    /// changed meanwhile. Tokens stay valid.
    pub async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let (before, after) = (credential(id, old)?, credential(id, new)?);
        let mut write = Write::set(Entity::Credential(id).key(), difference(&before, &after).0);
        write.condition = Condition::Equals("password", text(old.expose()));
        self.note(write).await
    }

    /// Notes the time of a login, in seconds since 1970. Does not count as a change.
    pub async fn set_last_login(&self, id: UserId, now: i64) -> Result<(), StoreError> {
        let set = Item::from([("last_login".to_owned(), number(now))]);
        self.note(Write::set(Entity::User(id).key(), set)).await
    }
}
