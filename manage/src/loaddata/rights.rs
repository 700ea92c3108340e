//! Writes permissions and groups, and moves the account that is in the way.

use std::fmt::Display;

use shared::{
    accounts::{self, Refused},
    domain::{
        Actor, Codename, Group, GroupChange, GroupId, GroupName, Permission, PermissionChange,
        PermissionId, PermissionName, SetChange, UserChange, UserId,
    },
    store::{Refusal, Store, WriteError, keys::Sequence},
};

use super::{
    OnConflict, Settings,
    collecting::Survey,
    plan::{Meaning, Plan},
};
use crate::CommandError;

/// Makes the permissions that the table lacks. One keeps its id where the table has never given it.
pub(super) async fn permissions(
    store: &Store,
    settings: &Settings,
    plan: &mut Plan,
) -> Result<(), CommandError> {
    let mut planned = std::mem::take(&mut plan.permissions);
    // In order of their ids, since each raises the sequence.
    planned.sort_by_key(|(_, permission)| permission.pk.unwrap_or(u64::MAX));
    for (meaning, wanted) in planned {
        let name = PermissionName::held(wanted.name);
        if let Some(here) = plan.existing.get(&meaning) {
            if settings.on_conflict == OnConflict::Update && here.name != name {
                let change = PermissionChange {
                    name: Some(name),
                    ..PermissionChange::default()
                };
                let changed =
                    accounts::permissions::change(store, settings.actor(), here.clone(), &change);
                let label = here.label();
                let changed = changed
                    .await
                    .map_err(|error| of("permission", label, error))?;
                plan.existing.insert(meaning, changed);
            }
            continue;
        }
        let label = format!("{}.{}", meaning.0, meaning.1);
        let made = make_permission(store, settings.actor(), &meaning, name, wanted.pk);
        let made = made.await.map_err(|error| of("permission", label, error))?;
        plan.existing.insert(meaning, made);
    }
    Ok(())
}

async fn make_permission(
    store: &Store,
    actor: Actor<'_>,
    (content_type, codename): &Meaning,
    name: PermissionName,
    pk: Option<u64>,
) -> Result<Permission, CommandError> {
    let permission = |id: u64| Permission {
        id: PermissionId(id),
        name: name.clone(),
        codename: Codename::held(codename.clone()),
        content_type: content_type.clone(),
        version: 1,
    };
    if let Some(pk) = pk
        && pk > store.last_id(Sequence::Permission).await?
    {
        match store.insert_permission_at(permission(pk), actor).await {
            Ok(()) => return Ok(permission(pk)),
            Err(WriteError::Refused(refusals)) if !refusals.contains(&Refusal::CodenameTaken) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // An id that was given before may be named by what has forgotten it since.
    let id = store.next_id(Sequence::Permission).await?;
    let made = store.insert(permission(id), Vec::new(), actor);
    Ok(made.await?)
}

/// Makes the groups that the table lacks, with their ids.
pub(super) async fn groups(
    store: &Store,
    settings: &Settings,
    plan: &mut Plan,
) -> Result<(), CommandError> {
    if settings.on_conflict == OnConflict::Update {
        rename(store, settings, plan).await?;
    }
    for wanted in plan.groups.values() {
        let id = GroupId(wanted.pk);
        let permissions = plan.permissions_of(&wanted.permissions).unwrap_or_default();
        if let Some(here) = plan.existing_groups.get(&id) {
            if settings.on_conflict == OnConflict::Update
                && plan.alive(&here.permission_ids) != permissions
            {
                let change = GroupChange {
                    permissions: Some(SetChange::Replace(permissions)),
                    ..GroupChange::default()
                };
                let changed =
                    accounts::groups::change(store, settings.actor(), here.clone(), &change);
                changed.await.map_err(|error| of("group", id, error))?;
            }
            continue;
        }
        forget_deleted(store, settings.actor(), id).await?;
        let group = Group {
            id,
            name: GroupName::held(wanted.name.clone()),
            permission_ids: permissions,
            from_django: true,
            version: 1,
        };
        match store.insert(group, Vec::new(), settings.actor()).await {
            Ok(_) => {}
            Err(error) => return Err(of("group", id, error)),
        }
    }
    let groups = store.groups().await?;
    plan.existing_groups = groups.into_iter().map(|group| (group.id, group)).collect();
    Ok(())
}

/// Gives groups of an earlier load the names of the dump, in an order in which each is free.
async fn rename(store: &Store, settings: &Settings, plan: &mut Plan) -> Result<(), CommandError> {
    let renamed = |plan: &Plan| {
        let groups = plan.existing_groups.values();
        let renamed = groups.filter(|here| plan.is_renamed(here));
        renamed.cloned().collect::<Vec<Group>>()
    };
    let mut left = renamed(plan);
    while !left.is_empty() {
        for here in &left {
            let name = plan.groups[&here.id.0].name.clone();
            let mut others = plan.existing_groups.values();
            if others.any(|other| other.name.as_str() == name) {
                continue;
            }
            let change = GroupChange {
                name: Some(GroupName::held(name)),
                ..GroupChange::default()
            };
            let actor = settings.actor();
            let changed = accounts::groups::change(store, actor, here.clone(), &change).await;
            let changed = changed.map_err(|error| of("group", here.id, error))?;
            plan.existing_groups.insert(here.id, changed);
        }
        let before = left.len();
        left = renamed(plan);
        if left.len() == before {
            let text = format!(
                "groups have each other's names here, such as group {}",
                left[0].id
            );
            return Err(CommandError::new(text));
        }
    }
    Ok(())
}

/// Deletes what an earlier load made and the dump does not have. The last active superuser stays until
/// the dump's are there: returns those who are left, for another call.
pub(super) async fn prune(
    store: &Store,
    settings: &Settings,
    survey: &mut Survey,
) -> Result<(u64, Vec<UserId>), CommandError> {
    let (mut deleted, mut left) = (0, Vec::new());
    for group in std::mem::take(&mut survey.plan.gone_groups) {
        let id = group.id;
        match accounts::groups::delete(store, settings.actor(), group).await {
            Ok(()) => deleted += 1,
            Err(Refused::NotFound) => {}
            Err(error) => return Err(of("group", id, error)),
        }
    }
    for id in std::mem::take(&mut survey.gone) {
        let Some(user) = store.user(id).await? else {
            continue;
        };
        match accounts::users::delete(store, settings.actor(), user).await {
            Ok(()) => deleted += 1,
            Err(Refused::NotFound) => {}
            Err(Refused::LastSuperuser) => left.push(id),
            Err(error) => return Err(of("user", id, error)),
        }
    }
    Ok((deleted, left))
}

/// Takes a deleted group from those who still name it: they would be in the new one.
async fn forget_deleted(
    store: &Store,
    actor: Actor<'_>,
    group: GroupId,
) -> Result<(), CommandError> {
    for id in store.index_of_members(group).await? {
        let Some(user) = store.user(id).await? else {
            continue;
        };
        if user.group_ids.contains(&group) {
            let change = UserChange {
                groups: Some(SetChange::Remove([group].into())),
                ..UserChange::default()
            };
            match accounts::users::change(store, actor, user, &change).await {
                Ok(_) | Err(Refused::NotFound) => {}
                Err(error) => return Err(of("user", id, error)),
            }
        }
    }
    Ok(())
}

/// An error with the object that it is about.
fn of(model: &str, what: impl Display, error: impl Into<CommandError>) -> CommandError {
    CommandError::new(format!("{model} {what}: {}", error.into()))
}

/// Gives an account that has an id of the dump another one.
pub(super) async fn move_user(
    store: &Store,
    name: &str,
    survey: &Survey,
) -> Result<(), CommandError> {
    let Some(user) = store.user_typed(name).await? else {
        return Err(CommandError::new(format!("user '{name}' does not exist")));
    };
    // Moved by a load that was stopped.
    if !survey.has(user.id.0) {
        return Ok(());
    }
    let id = UserId(store.next_id(Sequence::User).await?);
    match store.move_user(&user, id).await {
        Ok(_) => {}
        Err(WriteError::Refused(_)) => return Err(of("user", user.id, Refused::Conflict)),
        Err(error) => return Err(of("user", user.id, error)),
    }
    println!("User '{name}' had the id {} and has {id} now.", user.id);
    Ok(())
}
