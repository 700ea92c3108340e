//! Who may do what to users, groups and permissions. A change is judged by its difference: what it
//! gives, takes and decides that the actor does not hold. A user *holds* their labels, the names of
//! their groups (staff: of all groups), `is_staff` and `is_superuser`.
//!
//! - Operators and superusers may do everything.
//! - Only superusers change or delete a superuser, and only they change `is_staff` and
//!   `is_superuser`.
//! - Deciding over an account (its username, email address, dates, `is_active`, password, sessions,
//!   deletion) needs all that it would hold if it were active. Everybody decides over their own.
//! - Giving a label, to a user by their groups or permissions, to a group, or to a permission that
//!   others may hold, needs that label. A label is given to a permission freely only if it decides
//!   nothing here and no other permission has it.
//! - Taking a label from others needs that label too. Staff may take anything, but only superusers
//!   give the stock permissions another label or delete them.
//! - A group's name is a right: putting users into a group, taking them out, renaming and deleting it
//!   need its name.

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
    if has_ended(actor, before) {
        return Ok(false);
    }
    let Some(caller) = judged(actor) else {
        return Ok(true);
    };
    if before.is_some_and(|target| !may_touch(caller, target)) {
        return Ok(false);
    }
    let Some(after) = after else {
        return match before {
            Some(target) => decide_over(store, actor, target).await,
            None => Ok(true),
        };
    };
    let flags = |user: &User| (user.is_staff, user.is_superuser);
    if before.map(flags).unwrap_or_default() != flags(after) {
        return Ok(false);
    }
    if let Some(target) = before
        && changes_account(target, after)
        && !decide_over(store, actor, target).await?
    {
        return Ok(false);
    }
    may_give_and_take(store, caller, before, after).await
}

/// Whether the sessions of an actor were ended while they change their own account.
fn has_ended(actor: Actor<'_>, target: Option<&User>) -> bool {
    match (actor, target) {
        (Actor::User(caller), Some(target)) => {
            caller.id == target.id && caller.epoch != target.epoch
        }
        _ => false,
    }
}

/// Whether a change is of what an account is: its names, its dates, or whether it is active.
fn changes_account(before: &User, after: &User) -> bool {
    before.username != after.username
        || before.email != after.email
        || before.is_active != after.is_active
        || before.last_login != after.last_login
        || before.date_joined != after.date_joined
        || before.epoch != after.epoch
}

/// Whether an actor may decide over an account.
pub async fn decide_over(
    store: &Store,
    actor: Actor<'_>,
    target: &User,
) -> Result<bool, StoreError> {
    if has_ended(actor, Some(target)) {
        return Ok(false);
    }
    let Some(caller) = judged(actor) else {
        return Ok(true);
    };
    if !may_touch(caller, target) {
        return Ok(false);
    }
    let holds_nothing =
        target.group_ids.is_empty() && target.permission_ids.is_empty() && !target.is_staff;
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

/// Whether a caller may give a user the groups and permissions that are new, and take those that go.
async fn may_give_and_take(
    store: &Store,
    caller: &User,
    before: Option<&User>,
    after: &User,
) -> Result<bool, StoreError> {
    let none = (BTreeSet::new(), BTreeSet::new());
    let (groups, direct) = before.map_or((&none.0, &none.1), |before| {
        (&before.group_ids, &before.permission_ids)
    });
    let changed: BTreeSet<GroupId> = groups ^ &after.group_ids;
    if changed.is_empty() && *direct == after.permission_ids {
        return Ok(true);
    }
    let (held, changed) = tokio::try_join!(store.held(caller), store.groups_of(&changed))?;
    if !changed.iter().all(|group| held.has_name_of(group.id)) {
        return Ok(false);
    }
    let (joined, left): (Vec<Group>, Vec<Group>) = changed
        .into_iter()
        .partition(|group| after.group_ids.contains(&group.id));
    let of = |groups: &[Group]| -> BTreeSet<PermissionId> {
        let ids = groups.iter().flat_map(|group| &group.permission_ids);
        ids.copied().collect()
    };
    let direct = difference(store, direct, &after.permission_ids);
    let (direct, given, taken) = tokio::try_join!(
        direct,
        labels_of(store, of(&joined)),
        labels_of(store, of(&left))
    )?;
    let is_own = caller.id == after.id;
    Ok(held.covers(&(&direct.given | &given))
        && (is_own || may_take(&held, &(&direct.taken | &taken))))
}

/// What a change of a set of permissions gives and takes, by label: a label that stays through
/// another permission of the set is neither.
struct Difference {
    given: BTreeSet<String>,
    taken: BTreeSet<String>,
}

async fn difference(
    store: &Store,
    before: &BTreeSet<PermissionId>,
    after: &BTreeSet<PermissionId>,
) -> Result<Difference, StoreError> {
    let all = if before == after {
        Vec::new()
    } else {
        store.permissions_of(&(before | after)).await?
    };
    let of = |ids: &BTreeSet<PermissionId>| labels(all.iter().filter(|one| ids.contains(&one.id)));
    let (before, after) = (of(before), of(after));
    Ok(Difference {
        given: &after - &before,
        taken: &before - &after,
    })
}

async fn labels_of(
    store: &Store,
    ids: BTreeSet<PermissionId>,
) -> Result<BTreeSet<String>, StoreError> {
    Ok(labels(&store.permissions_of(&ids).await?))
}

/// Whether labels may be taken from others.
fn may_take(held: &Held, taken: &BTreeSet<String>) -> bool {
    held.may_take_anything() || held.covers(taken)
}

/// Whether an actor may make `after` of a group `before`.
pub async fn group(
    store: &Store,
    actor: Actor<'_>,
    before: Option<&Group>,
    after: Option<&Group>,
) -> Result<bool, StoreError> {
    let Some(caller) = judged(actor) else {
        return Ok(true);
    };
    let none = BTreeSet::new();
    let ids = |group: Option<&Group>| group.map(|group| group.permission_ids.clone());
    let (old, new) = (
        ids(before).unwrap_or_else(|| none.clone()),
        ids(after).unwrap_or(none),
    );
    let is_renamed = before.map(|group| &group.name) != after.map(|group| &group.name);
    if old == new && !(is_renamed && before.is_some()) {
        return Ok(true);
    }
    let (held, change) = tokio::try_join!(store.held(caller), difference(store, &old, &new))?;
    let has_name = before.is_none_or(|group| held.has_name_of(group.id));
    Ok((has_name || !is_renamed) && held.covers(&change.given) && may_take(&held, &change.taken))
}

/// Whether an actor may make `after` of a permission `before`: all who hold the permission get its
/// new label and lose its old one.
pub async fn permission(
    store: &Store,
    actor: Actor<'_>,
    before: Option<&Permission>,
    after: Option<&Permission>,
) -> Result<bool, StoreError> {
    let Some(caller) = judged(actor) else {
        return Ok(true);
    };
    let (old, new) = (before.map(Permission::label), after.map(Permission::label));
    if old == new {
        return Ok(true);
    }
    if old.as_deref().is_some_and(decides) {
        return Ok(false);
    }
    let but = before.map(|permission| permission.id);
    let needed = match &new {
        Some(label) if decides(label) || store.label_exists(label, but).await? => new,
        _ => None,
    };
    if old.is_none() && needed.is_none() {
        return Ok(true);
    }
    let held = store.held(caller).await?;
    Ok(held.covers(&needed) && may_take(&held, &old.into_iter().collect()))
}
