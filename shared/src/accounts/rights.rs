//! Who may do what to users, groups and permissions. A change is judged by its difference: what it
//! gives, and what it decides, that the actor does not hold.
//!
//! - Operators and superusers may do everything.
//! - Only superusers change or delete a superuser, and only they change `is_staff` and
//!   `is_superuser`.
//! - Nobody decides over an account (its username, email address, dates, `is_active`, password or
//!   deletion) that holds more than they do, or would hold it if it were active.
//! - Nobody grants a label that they do not hold: not by the groups that a user joins, nor by a
//!   user's or a group's permissions, nor by giving a permission a label that decides something
//!   here.

use std::collections::BTreeSet;

use crate::{
    domain::{
        Actor, Group, GroupId, Permission, PermissionId, User,
        permission::{Held, decides, labels},
    },
    store::{Store, StoreError},
};

/// Whether a caller may change anything about a user: only a superuser may about a superuser, a
/// deactivated one too.
pub fn may_touch(caller: &User, target: &User) -> bool {
    caller.is_superuser || !target.is_superuser
}

/// The caller whose rights a change needs; operators and superusers need none.
fn judged(actor: Actor<'_>) -> Option<&User> {
    match actor {
        Actor::User(caller) if !caller.is_superuser => Some(caller),
        _ => None,
    }
}

/// Whether an actor may make `after` of a user `before`.
pub async fn user(
    store: &Store,
    actor: Actor<'_>,
    before: Option<&User>,
    after: Option<&User>,
) -> Result<bool, StoreError> {
    let Some(caller) = judged(actor) else {
        return Ok(true);
    };
    if before.is_some_and(|target| !may_touch(caller, target)) {
        return Ok(false);
    }
    let (Some(before), Some(after)) = (before, after) else {
        return match (before, after) {
            (Some(target), _) => decide_over(store, actor, target).await,
            // New users hold nothing but what they are given.
            (None, Some(new)) => grants_user(store, caller, None, new).await,
            (None, None) => Ok(true),
        };
    };
    Ok(
        (!changes_account(before, after) || decide_over(store, actor, before).await?)
            && grants_user(store, caller, Some(before), after).await?,
    )
}

/// Whether a change is of what an account is: its names, its dates, or whether it is active.
fn changes_account(before: &User, after: &User) -> bool {
    before.username != after.username
        || before.email != after.email
        || before.is_active != after.is_active
        || before.last_login != after.last_login
        || before.date_joined != after.date_joined
}

/// Whether an actor may decide over an account: only if they hold all that it would hold if it were
/// active. Everybody may over their own.
pub async fn decide_over(
    store: &Store,
    actor: Actor<'_>,
    target: &User,
) -> Result<bool, StoreError> {
    let Some(caller) = judged(actor) else {
        return Ok(true);
    };
    if !may_touch(caller, target) {
        return Ok(false);
    }
    let holds_nothing = target.group_ids.is_empty() && target.permission_ids.is_empty();
    if caller.id == target.id || holds_nothing {
        return Ok(true);
    }
    let (callers, targets) = tokio::try_join!(store.held(caller), store.held(target))?;
    Ok(decides_over(caller, &callers, target, &targets))
}

/// [`decide_over`] of a caller and an account that hold these labels.
pub fn decides_over(caller: &User, callers: &Held, target: &User, targets: &Held) -> bool {
    let own = caller.id == target.id;
    may_touch(caller, target) && (own || callers.covers_all_of(targets))
}

/// Whether a caller holds what a change of a user gives: flags, the permissions of the groups that
/// the user joins, and the user's own.
async fn grants_user(
    store: &Store,
    caller: &User,
    before: Option<&User>,
    after: &User,
) -> Result<bool, StoreError> {
    let flags = |user: &User| (user.is_staff, user.is_superuser);
    if before.map(flags).unwrap_or_default() != flags(after) {
        return Ok(false);
    }
    let none = (BTreeSet::new(), BTreeSet::new());
    let (groups, permissions) = before.map_or((&none.0, &none.1), |before| {
        (&before.group_ids, &before.permission_ids)
    });
    let joined: BTreeSet<GroupId> = after.group_ids.difference(groups).copied().collect();
    Ok(grants_groups(store, caller, &joined).await?
        && grants_permissions(store, caller, permissions, &after.permission_ids).await?)
}

async fn grants_groups(
    store: &Store,
    caller: &User,
    joined: &BTreeSet<GroupId>,
) -> Result<bool, StoreError> {
    if joined.is_empty() {
        return Ok(true);
    }
    let groups = store.groups_of(joined).await?;
    let ids = groups.iter().flat_map(|group| &group.permission_ids);
    let ids: BTreeSet<PermissionId> = ids.copied().collect();
    if ids.is_empty() {
        return Ok(true);
    }
    let granted = labels(&store.permissions_of(&ids).await?);
    holds_all(store, caller, &granted).await
}

/// By label: a label that is held already through another permission is not granted anew.
async fn grants_permissions(
    store: &Store,
    caller: &User,
    before: &BTreeSet<PermissionId>,
    after: &BTreeSet<PermissionId>,
) -> Result<bool, StoreError> {
    let added: BTreeSet<PermissionId> = after.difference(before).copied().collect();
    if added.is_empty() {
        return Ok(true);
    }
    let (added, present) =
        tokio::try_join!(store.permissions_of(&added), store.permissions_of(before))?;
    let granted = &labels(&added) - &labels(&present);
    holds_all(store, caller, &granted).await
}

async fn holds_all(
    store: &Store,
    caller: &User,
    granted: &BTreeSet<String>,
) -> Result<bool, StoreError> {
    Ok(granted.is_empty() || store.held(caller).await?.covers(granted))
}

/// Whether an actor may make `after` of a group `before`.
pub async fn group(
    store: &Store,
    actor: Actor<'_>,
    before: Option<&Group>,
    after: Option<&Group>,
) -> Result<bool, StoreError> {
    let (Some(caller), Some(after)) = (judged(actor), after) else {
        return Ok(true);
    };
    let none = BTreeSet::new();
    let before = before.map_or(&none, |before| &before.permission_ids);
    grants_permissions(store, caller, before, &after.permission_ids).await
}

/// Whether an actor may make `after` of a permission `before`: all who hold the permission hold its
/// new label then.
pub async fn permission(
    store: &Store,
    actor: Actor<'_>,
    before: Option<&Permission>,
    after: Option<&Permission>,
) -> Result<bool, StoreError> {
    let (Some(caller), Some(after)) = (judged(actor), after) else {
        return Ok(true);
    };
    let label = after.label();
    let is_new = before.is_none_or(|before| before.label() != label);
    if !is_new || !decides(&label) {
        return Ok(true);
    }
    holds_all(store, caller, &BTreeSet::from([label])).await
}
