//! Passwords, and who has which.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

use super::{
    Actor, ChangeError, Store, StoreError, WriteError,
    keys::Entity,
    log::Logged,
    table::{self, Item, from_item, number, to_item},
    users::Marker,
    versioned::Versioned,
    writes::{Condition, Write},
};
use crate::{
    domain::{User, UserId, UserName, log::ActionFlag},
    hashing::PasswordHash,
};

/// A user's password, in an item of its own.
#[derive(Serialize, Deserialize)]
pub(super) struct Credential {
    pub(super) password: PasswordHash,
}

impl Store {
    /// The user with that username and his password hash: two round trips.
    pub async fn user_by_name(
        &self,
        name: &UserName,
    ) -> Result<Option<(User, Option<PasswordHash>)>, StoreError> {
        let marker: Option<Marker> = self.table.get(Entity::UserName(name).key()).await?;
        match marker {
            Some(Marker { user_id }) => self.user_to_log_in(user_id, name).await,
            None => Ok(None),
        }
    }

    /// The user with that id and his password hash, if he has that username: one round trip.
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
        // Between the two reads the name may have gone to somebody else.
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

    /// Replaces a password, and ends the tokens and sessions begun until now (seconds since 1970).
    /// If `unchanged`, only while the user is as he is known: then it was him over whom the caller
    /// may decide.
    ///
    /// # Errors
    /// The user is gone, or changed.
    pub async fn set_password(
        &self,
        known: &User,
        unchanged: bool,
        password: &PasswordHash,
        now: i64,
        actor: Actor,
    ) -> Result<(), ChangeError<Infallible>> {
        let user = known.id;
        let credential = to_item(
            &Entity::Credential(user).key(),
            &Credential {
                password: password.clone(),
            },
        )?;
        let valid_after = Item::from([("tokens_valid_after".to_owned(), number(now + 1))]);
        // The version grows even where none is asked for, so that a change applied to an older read
        // is read again.
        let mut touched = Write::touch(Entity::User(user).key(), valid_after);
        if unchanged {
            touched.condition = Condition::Equals("version", number(known.version));
        }
        let mut writes = vec![touched, Write::put(credential)];
        let logged = Logged {
            fields: vec!["password"],
            ..known.logged(ActionFlag::Change)
        };
        writes.extend(self.log(&actor, logged)?);
        match self.table.write(writes).await {
            Ok(()) => Ok(()),
            Err(WriteError::Refused(refusals)) if unchanged => Err(ChangeError::Refused(refusals)),
            Err(WriteError::Refused(_)) => Err(ChangeError::Gone),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Replaces the hash of an unchanged password by a stronger one, unless the password was
    /// changed meanwhile. Tokens stay valid.
    pub async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let key = Entity::Credential(id).key();
        let item = |hash: &PasswordHash| {
            to_item(
                &key,
                &Credential {
                    password: hash.clone(),
                },
            )
        };
        let (before, after) = (item(old)?, item(new)?);
        let mut write = Write::set(key.clone(), table::difference(&before, &after).0);
        write.condition = Condition::Equals("password", table::text(old.expose()));
        self.note(write).await
    }

    /// Notes the time of a login, in seconds since 1970. Does not count as a change.
    pub async fn set_last_login(&self, id: UserId, now: i64) -> Result<(), StoreError> {
        let set = Item::from([("last_login".to_owned(), number(now))]);
        self.note(Write::set(Entity::User(id).key(), set)).await
    }
}
