//! Users and their passwords.

use super::{
    Refused,
    changes::{self, Judged, judge},
    lockout, rights,
};
use crate::{
    domain::{Actor, NewUser, User, UserChange, UserId},
    hashing::{Hasher, Password},
    input::FieldErrors,
    store::{Expected, Store, StoreError, keys::Sequence, sessions::keep_session},
    telemetry::{Event, note_event},
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
    // The first user of a table may be the first to come at all.
    store.begin_if_new().await?;
    let mut user = new.into_user(UserId(0));
    judge(store, actor, None, Some(&user)).await?;
    let (id, hash) = tokio::join!(store.next_id(Sequence::User), hasher.hash(password));
    user.id = UserId(id?);
    Ok(store.insert_user(user, &hash, actor).await?)
}

/// Changes a user. A deactivation ends all their sessions, and leaving the staff those of the admin
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
    let (now, epoch, staff_epoch, id) = (store.now(), user.epoch, user.staff_epoch, user.id);
    let apply = |before: &User| {
        let mut after = change.apply(before);
        if before.is_active && !after.is_active {
            after.end_sessions(now);
        }
        if before.is_staff && !after.is_staff {
            after.staff_epoch += 1;
        }
        after
    };
    let changed = changes::change(store, actor, user, apply).await?;
    if changed.epoch != epoch {
        store.end_sessions(id, None).await?;
        note_end(id, actor, "deactivated");
    } else if changed.staff_epoch != staff_epoch {
        note_end(id, actor, "left_staff");
    }
    Ok(changed)
}

fn note_end(id: UserId, actor: Actor<'_>, reason: &'static str) {
    note_event(Event::SessionsEnd.of(id).by(actor).because(reason));
}

/// Ends all sessions and tokens of a user, but for the session `kept`.
///
/// # Errors
/// The user is deleted, the actor may not do it, or the table's failure.
pub async fn end_sessions(
    store: &Store,
    actor: Actor<'_>,
    user: User,
    kept: Option<&str>,
) -> Result<User, Refused> {
    let (now, id) = (store.now(), user.id);
    let apply = |before: &User| {
        let mut after = before.clone();
        after.end_sessions(now);
        after
    };
    let keep = |after: &User| kept.map(|sid| keep_session(after, sid));
    let keep = |after: &User| keep(after).into_iter().collect();
    let changed = changes::change_with(store, actor, user, apply, keep).await?;
    store.end_sessions(id, kept).await?;
    note_end(id, actor, if kept.is_some() { "others" } else { "all" });
    Ok(changed)
}

/// Ends one session of a user.
///
/// # Errors
/// It does not exist, the actor may not do it, or the table's failure.
pub async fn end_session(
    store: &Store,
    actor: Actor<'_>,
    user: &User,
    sid: &str,
) -> Result<(), Refused> {
    if !rights::decide_over(store, actor, user).await? {
        return Err(Refused::PermissionDenied);
    }
    if store.end_session(user.id, sid).await? {
        let ended = Event::SessionEnd.of(user.id).in_session(sid);
        note_event(ended.by(actor).because("ended"));
        Ok(())
    } else {
        Err(Refused::NotFound)
    }
}

/// Deletes a user with everything that is theirs.
///
/// # Errors
/// The user is deleted already, the actor may not do it, no active superuser would remain, or the
/// table's failure.
pub async fn delete(store: &Store, actor: Actor<'_>, user: User) -> Result<(), Refused> {
    let id = user.id;
    changes::delete(store, actor, user).await?;
    store.end_sessions_of_nobody(id).await?;
    note_end(id, actor, "deleted");
    Ok(())
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
        _ => Expected::SameEpoch,
    };
    changes::write(store, user, |user: User| async move {
        if !rights::decide_over(store, actor, &user).await? {
            return Err(Refused::PermissionDenied);
        }
        Ok(store.set_password(&user, expected, hash, actor).await)
    })
    .await?;
    note_event(Event::PasswordChange.of(user.id).by(actor));
    store.end_sessions(user.id, None).await?;
    lockout::forget_failures(store, &user.username).await?;
    store.user(user.id).await?.ok_or(Refused::NotFound)
}
