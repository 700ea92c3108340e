//! Users and their passwords.

use super::{
    Refused,
    changes::{self, Judged, judge},
    rights,
};
use crate::{
    domain::{Actor, NewUser, User, UserChange, UserId},
    hashing::{Hasher, Password},
    input::FieldErrors,
    store::{Expected, Store, StoreError, keys::Sequence},
};

impl Judged for User {
    async fn is_allowed(
        store: &Store,
        actor: Actor<'_>,
        before: Option<&Self>,
        after: Option<&Self>,
    ) -> Result<bool, StoreError> {
        rights::user(store, actor, before, after).await
    }

    async fn taken(&self, store: &Store) -> Result<FieldErrors, StoreError> {
        let (username, email) = (self.username.clone(), self.email.clone());
        store
            .names_taken(Some(username), Some(email), Some(self.id))
            .await
    }
}

/// Makes a user. The id is taken while the password is hashed.
///
/// # Errors
/// Names are taken, the actor may not do it, or the table's failure.
pub async fn create(
    store: &Store,
    hasher: &Hasher,
    actor: Actor<'_>,
    new: NewUser,
    password: &Password,
) -> Result<User, Refused> {
    let mut user = new.into_user(UserId(0));
    judge(store, actor, None, Some(&user)).await?;
    let (id, hash) = tokio::join!(store.next_id(Sequence::User), hasher.hash(password));
    user.id = UserId(id?);
    Ok(store.insert_user(user, &hash, actor).await?)
}

/// Changes a user. A user who is deactivated or leaves the staff loses their sessions of the admin
/// pages.
///
/// # Errors
/// The user is deleted, names are taken, the actor may not do it, no active superuser would remain,
/// or the table's failure.
pub async fn change(
    store: &Store,
    actor: Actor<'_>,
    user: User,
    change: &UserChange,
) -> Result<User, Refused> {
    let now = store.now();
    let apply = |before: &User| {
        let mut after = change.apply(before);
        let may_log_in = |user: &User| user.is_active && user.is_staff;
        if may_log_in(before) && !may_log_in(&after) {
            after.sessions_valid_after = Some(now + 1);
        }
        after
    };
    changes::change(store, actor, user, apply).await
}

/// Deletes a user with everything that is theirs.
///
/// # Errors
/// The user is deleted already, the actor may not do it, no active superuser would remain, or the
/// table's failure.
pub async fn delete(store: &Store, actor: Actor<'_>, user: User) -> Result<(), Refused> {
    changes::delete(store, actor, user).await
}

/// Sets a user's password, which ends their tokens and sessions, and forgets their failed logins: a
/// user who was locked out need not wait with the new one. Returns the user as they are then.
///
/// # Errors
/// The user is deleted, the actor may not do it, or the table's failure.
pub async fn set_password(
    store: &Store,
    hasher: &Hasher,
    actor: Actor<'_>,
    user: &User,
    password: &Password,
) -> Result<User, Refused> {
    let hash = &hasher.hash(password).await;
    // Where the right does not depend on what the user holds, their own changes cannot get in the
    // way.
    let expected = match actor {
        Actor::User(caller) if !caller.is_superuser && caller.id != user.id => Expected::Unchanged,
        _ => Expected::Present,
    };
    changes::write(store, user, |user: User| async move {
        if !rights::decide_over(store, actor, &user).await? {
            return Err(Refused::PermissionDenied);
        }
        Ok(store.set_password(&user, expected, hash, actor).await)
    })
    .await?;
    store.forget_failures(user.username.as_str()).await?;
    store.user(user.id).await?.ok_or(Refused::NotFound)
}
