//! No way up: nobody hands out what he does not hold, and nobody decides over whoever holds more
//! than he does. A refusal is a 403, and comes after field errors.

use std::collections::BTreeSet;

use crate::{
    domain::{
        Group, Permission, PermissionId, User,
        permission::{decides, labels},
    },
    error::ApiError,
    store::Store,
};

fn allowed(allowed: bool) -> Result<(), ApiError> {
    allowed.then_some(()).ok_or(ApiError::PermissionDenied)
}

/// Only a superuser changes or deletes a superuser, a deactivated one too.
pub fn may_change(caller: &User, target: &User) -> Result<(), ApiError> {
    allowed(caller.is_superuser || !target.is_superuser)
}

/// Grants labels: only to hold by who holds them himself, or by a superuser.
pub async fn may_grant(
    store: &Store,
    caller: &User,
    granted: &BTreeSet<String>,
) -> Result<(), ApiError> {
    if caller.is_superuser || granted.is_empty() {
        return Ok(());
    }
    allowed(store.held(caller).await?.covers(granted))
}

/// Adds permissions to a group's or a user's own, which are `before`. By label: what is held
/// through another permission of the same label already is not granted anew.
pub async fn may_add<'a>(
    store: &Store,
    caller: &User,
    before: &BTreeSet<PermissionId>,
    after: impl IntoIterator<Item = &'a Permission>,
) -> Result<(), ApiError> {
    if caller.is_superuser {
        return Ok(());
    }
    let is_new = |permission: &&Permission| !before.contains(&permission.id);
    let mut granted = labels(after.into_iter().filter(is_new));
    if granted.is_empty() {
        return Ok(());
    }
    let had = labels(&store.permissions_of(before).await?);
    granted.retain(|label| !had.contains(label));
    may_grant(store, caller, &granted).await
}

/// Puts a user in groups. Whoever joins a group gets its permissions; in the groups that he stays
/// in nothing changes.
pub async fn may_join<'a>(
    store: &Store,
    caller: &User,
    user: &User,
    groups: impl IntoIterator<Item = &'a Group>,
) -> Result<(), ApiError> {
    let is_new = |group: &&Group| !user.group_ids.contains(&group.id);
    let joined = groups.into_iter().filter(is_new);
    let ids: BTreeSet<PermissionId> = joined
        .flat_map(|group| &group.permission_ids)
        .copied()
        .collect();
    if caller.is_superuser || ids.is_empty() {
        return Ok(());
    }
    let granted = labels(&store.permissions_of(&ids).await?);
    may_grant(store, caller, &granted).await
}

/// Gives a permission a label: all who hold the permission hold the label then, so one that
/// decides something here is only for who holds it himself, or a superuser.
pub async fn may_label(store: &Store, caller: &User, label: String) -> Result<(), ApiError> {
    if !decides(&label) {
        return Ok(());
    }
    may_grant(store, caller, &BTreeSet::from([label])).await
}

/// Decides over a user's account: his names, his password, whether he is active, whether he is
/// there at all. Only who holds all that he would hold if he were active.
pub async fn may_decide_over(store: &Store, caller: &User, target: &User) -> Result<(), ApiError> {
    may_change(caller, target)?;
    let holds_nothing = target.group_ids.is_empty() && target.permission_ids.is_empty();
    if caller.is_superuser || caller.id == target.id || holds_nothing {
        return Ok(());
    }
    let (mine, his) = tokio::try_join!(store.held(caller), store.held(target))?;
    allowed(mine.covers_all_of(&his))
}
