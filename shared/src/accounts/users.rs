//! Users and their passwords. [`super::new_users`] makes them.

use std::collections::BTreeSet;

use super::{
    Gone, Refused,
    changes::{self, Judged},
    left_undone, lockout,
    mails::owed,
    rights,
    sessions::Client,
    throttle,
};
use crate::{
    domain::{Actor, EmailAddress, GroupId, SetChange, User, UserChange, UserId, UserName, quotas},
    hashing::{Hasher, Password, PasswordHash},
    input::FieldErrors,
    jwt::is_sid,
    mail::Kind,
    settings::AccountSettings,
    store::{Ends, Expected, PasswordChange, Store, StoreError, sessions::keep_session},
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

    fn gone(&self, actor: Actor<'_>) -> Option<Refused> {
        match actor {
            Actor::User(caller) if caller.id != self.id => None,
            Actor::User(_) if !self.is_active => Some(Refused::Gone(Gone::Inactive)),
            // Whether their session has ended or goes on, another request finds out.
            Actor::User(caller) if caller.epoch != self.epoch => Some(Refused::Conflict),
            _ => None,
        }
    }

    fn crowded(before: Option<&Self>, after: &Self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        let sizes = |user: &Self| (user.group_ids.len(), user.permission_ids.len());
        let ((groups, permissions), after) = (before.map_or((0, 0), sizes), sizes(after));
        let error = quotas::crowded(groups, after.0, quotas::GROUPS_OF_USER);
        errors.extend_one("groups", error);
        let error = quotas::crowded(permissions, after.1, quotas::PERMISSIONS_OF_USER);
        errors.extend_one("user_permissions", error);
        errors
    }

    async fn taken(&self, store: &Store) -> Result<FieldErrors, StoreError> {
        let (username, email) = (self.username.clone(), self.email.clone());
        store
            .names_taken(Some(username), Some(email), Some(self.id))
            .await
    }
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
    change_from(store, actor, &Client::default(), user, change).await
}

/// [`change`] by a request of a client. With `SEND_ACTIVATION_EMAIL` a new address of one's own waits
/// until the link of a mail to it was opened, and a change of a user who was never active sends them
/// their mail again.
///
/// # Errors
/// As [`change`].
pub async fn change_from(
    store: &Store,
    actor: Actor<'_>,
    client: &Client,
    user: User,
    change: &UserChange,
) -> Result<User, Refused> {
    let (now, epoch, staff_epoch, id) = (store.now(), user.epoch, user.staff_epoch, user.id);
    let is_own = matches!(actor, Actor::User(caller) if caller.id == id);
    let confirms = store.mails().activation;
    let was_theirs = change.email.as_ref() == Some(&user.email);
    let gone = gone_groups(store, &user, change).await?;
    let apply = |before: &User| {
        let mut after = change.apply(before);
        after.group_ids.retain(|id| !gone.contains(id));
        if after.email != before.email {
            after.pending_email = None;
            if is_own && confirms {
                let waits = std::mem::replace(&mut after.email, before.email.clone());
                (after.pending_email, after.shares_email) = (Some(waits), before.shares_email);
            }
        }
        if before.is_active && !after.is_active {
            after.end_sessions(now);
        }
        if before.is_staff && !after.is_staff {
            after.staff_epoch += 1;
        }
        after
    };
    let link_to = link_goes_to(store, client, &user, change, &apply(&user), is_own).await?;
    let link = |user: &User| match &link_to {
        Some(to) => owed(store, Kind::Activation, user, to, client),
        None => Ok(None),
    };
    let more = |before: &User, after: &User| {
        // Planned without a link to it, and without a look at who else has it.
        if was_theirs && after.pending_email == change.email {
            return Err(StoreError::new("a change", "the address changed meanwhile"));
        }
        let told = match before.email != after.email {
            true => owed(store, Kind::EmailChanged, before, &before.email, client)?,
            false => None,
        };
        Ok(told.into_iter().chain(link(after)?).collect())
    };
    let version = user.version;
    let changed = changes::change_with(store, actor, user, apply, more).await?;
    if changed.version == version
        && let Some(mail) = link(&changed)?
    {
        store.owe(mail).await?;
    }
    if changed.epoch != epoch {
        left_undone(store.end_sessions(id, changed.epoch).await);
        note_end(id, actor, "deactivated");
    } else if changed.staff_epoch != staff_epoch {
        note_end(id, actor, "left_staff");
    }
    Ok(changed)
}

/// The ids of deleted groups among a user's own that would count against the quota of a change.
async fn gone_groups(
    store: &Store,
    user: &User,
    change: &UserChange,
) -> Result<BTreeSet<GroupId>, StoreError> {
    match &change.groups {
        Some(SetChange::Add(added))
            if user.group_ids.union(added).count() > quotas::GROUPS_OF_USER =>
        {
            let found = store.groups_of(&user.group_ids).await?;
            let found: BTreeSet<_> = found.into_iter().map(|group| group.id).collect();
            Ok(user.group_ids.difference(&found).copied().collect())
        }
        _ => Ok(BTreeSet::new()),
    }
}

/// The address to which a change of a user, who is `planned` then, owes a mail with a link: a new one
/// of their own, or that of a user who was never active. None above the limits of mails.
async fn link_goes_to(
    store: &Store,
    client: &Client,
    user: &User,
    change: &UserChange,
    planned: &User,
    is_own: bool,
) -> Result<Option<EmailAddress>, Refused> {
    if !store.mails().activation {
        return Ok(None);
    }
    // Asked for again, it is checked and mailed again.
    let asked = change.email.as_ref();
    let waits = asked.filter(|email| is_own && **email != user.email);
    if waits.is_some() {
        let taken = store
            .names_taken(None, waits.cloned(), Some(user.id))
            .await?;
        taken.into_result().map_err(Refused::Invalid)?;
    }
    let again = (!is_own && planned.awaits_activation).then_some(&planned.email);
    Ok(match waits.or(again) {
        Some(to) if throttle::mail(store, to, client.address).await? => Some(to.clone()),
        _ => None,
    })
}

/// Gives a user another name, at their own wish.
///
/// # Errors
/// As [`change`].
pub async fn rename(
    store: &Store,
    user: &User,
    name: &UserName,
    client: &Client,
) -> Result<User, Refused> {
    let apply = |before: &User| {
        let mut after = before.clone();
        after.username = name.clone();
        after
    };
    let more = |before: &User, _: &User| {
        let mail = owed(store, Kind::UsernameChanged, before, &before.email, client)?;
        Ok(mail.into_iter().collect())
    };
    let actor = Actor::User(user);
    let renamed = changes::change_with(store, actor, user.clone(), apply, more).await?;
    note_event(Event::UsernameChange.of(user.id).by(actor));
    Ok(renamed)
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
    let keep = |before: &User, after: &User| {
        let keep = kept.map(|sid| keep_session(before, after, sid));
        Ok(keep.into_iter().collect())
    };
    let changed = changes::change_with(store, actor, user, apply, keep).await?;
    left_undone(store.end_sessions(id, changed.epoch).await);
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
    if is_sid(sid) && store.end_session(user.id, sid).await? {
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
    let ends = store.ends_of_sessions(id).await?;
    changes::delete_with(store, actor, user, ends).await?;
    // Of logins that were under way.
    let begun = async { store.note_all(store.ends_of_sessions(id).await?).await };
    left_undone(begun.await);
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
    replace_password(store, hasher, actor, user, password, Ends::All, None).await
}

/// Which sessions of a user end with a new password of their own choice: not `own`, if they chose it in
/// that.
pub fn ended_by_password<'a>(settings: &AccountSettings, own: Option<&'a str>) -> Ends<'a> {
    match own {
        _ if settings.check_revoke_token => Ends::All,
        _ if !settings.logout_on_password_change => Ends::None,
        Some(sid) => Ends::AllBut(sid),
        None => Ends::All,
    }
}

/// [`set_password`] that ends only some sessions; with the client where the user asks for it.
///
/// # Errors
/// As [`set_password`].
pub async fn replace_password(
    store: &Store,
    hasher: &Hasher,
    actor: Actor<'_>,
    user: &User,
    password: &Password,
    ends: Ends<'_>,
    client: Option<&Client>,
) -> Result<User, Refused> {
    let hash = &hasher.hash(password).await;
    // Where the right does not depend on what the user holds, their own changes cannot get in the
    // way.
    let expected = match actor {
        Actor::User(caller) if !caller.is_superuser && caller.id != user.id => Expected::Unchanged,
        _ => Expected::SameEpoch,
    };
    let changed = changes::write(store, actor, user, |user: User| async move {
        if let Some(refused) = user.gone(actor) {
            return Err(refused);
        }
        if !rights::decide_over(store, actor, &user).await? {
            return Err(Refused::PermissionDenied);
        }
        let change = password_change(store, &user, hash, ends, client)?;
        Ok(store.set_password(&user, expected, change, actor).await)
    })
    .await?;
    note_password(user.id, actor);
    if ends != Ends::None {
        left_undone(store.end_sessions(user.id, changed.epoch).await);
    }
    left_undone(lockout::forget_failures(store, &user.username).await);
    Ok(changed)
}

/// A change of a password; with a client the user is told of it.
pub(super) fn password_change<'a>(
    store: &Store,
    user: &User,
    hash: &'a PasswordHash,
    ends: Ends<'a>,
    client: Option<&Client>,
) -> Result<PasswordChange<'a>, StoreError> {
    let mail = |client| owed(store, Kind::PasswordChanged, user, &user.email, client);
    let mail = client.map(mail).transpose()?.flatten();
    Ok(PasswordChange {
        hash,
        ends,
        last_login: None,
        more: mail.into_iter().collect(),
    })
}

pub(super) fn note_password(id: UserId, actor: Actor<'_>) {
    note_event(Event::PasswordChange.of(id).by(actor));
}
