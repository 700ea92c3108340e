//! `manage check`: every invariant of the table, for operators and for the tests.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use clap::Args;
use shared::{
    domain::{Flag, Group, GroupId, Permission, User, UserId},
    store::{
        Store, StoreError, email_owners as owners,
        items::{Item, from_item, number_of},
        keys::{self, Entity, Key, Sequence},
    },
};

use crate::{CommandError, target::Target};

/// Options of `check`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
}

/// Checks a table and lists what is broken.
///
/// # Errors
/// Something is broken, or the table's failure.
pub async fn check(options: Options) -> Result<(), CommandError> {
    let open = options.target.open_existing().await?;
    let broken = broken_invariants(&open.store).await;
    open.close().await;
    let broken = broken?;
    if broken.is_empty() {
        println!("The table is consistent.");
        return Ok(());
    }
    for line in &broken {
        println!("{line}");
    }
    Err(CommandError::new(format!(
        "{} invariants are broken",
        broken.len()
    )))
}

/// Everything in the table that contradicts something else in it, a line each. Reads all of it;
/// on a table in use, an item changed during the read may be reported.
///
/// # Errors
/// The table's failure.
pub async fn broken_invariants(store: &Store) -> Result<Vec<String>, StoreError> {
    let contents = Contents::read(store).await?;
    let mut broken = Broken {
        contents: &contents,
        lines: Vec::new(),
    };
    broken.users()?;
    broken.groups()?;
    broken.permissions()?;
    broken.superusers();
    broken.strays();
    Ok(broken.lines)
}

struct Contents {
    items: BTreeMap<(String, String), Item>,
}

impl Contents {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let (client, name) = store.table().parts();
        let mut items = BTreeMap::new();
        let mut pages = client
            .scan()
            .table_name(name)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| StoreError::from_scan(&error))?;
            let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            if let (Some(pk), Some(sk)) = (text(keys::PK), text(keys::SK)) {
                items.insert((pk, sk), item);
            }
        }
        Ok(Self { items })
    }

    fn get(&self, key: &Key) -> Option<&Item> {
        self.items.get(&(key.pk.clone(), key.sk.clone()))
    }

    fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
        sk: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Item> {
        self.items
            .iter()
            .filter(move |((pk, key), _)| pk.starts_with(prefix) && sk.is_none_or(|sk| key == sk))
            .map(|(_, item)| item)
    }

    fn all<T: serde::de::DeserializeOwned>(
        &self,
        prefix: &str,
        sk: Option<&str>,
    ) -> Result<Vec<T>, StoreError> {
        self.with_prefix(prefix, sk)
            .cloned()
            .map(from_item)
            .collect()
    }
}

struct Broken<'a> {
    contents: &'a Contents,
    lines: Vec<String>,
}

impl Broken<'_> {
    fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    /// A marker must exist and name its owner.
    fn marker(&mut self, entity: &Entity<'_>, attribute: &str, owner: u64) {
        let key = entity.key();
        let named = self
            .contents
            .get(&key)
            .and_then(|item| item.get(attribute))
            .cloned();
        if named != Some(AttributeValue::N(owner.to_string())) {
            self.note(format!("marker {} does not name {owner}", key.pk));
        }
    }

    fn sequence(&mut self, sequence: Sequence, highest: Option<u64>) {
        let Some(highest) = highest else { return };
        let item = self.contents.get(&Entity::Sequence(sequence).key());
        let last = item.and_then(|item| number_of(item, "value")).unwrap_or(0);
        if last < highest {
            self.note(format!(
                "sequence {sequence:?} is at {last}, but {highest} is in use"
            ));
        }
    }

    fn index(&mut self, item: &Key, index: &Key) {
        let found = self.contents.get(item);
        let right = |name: &str, value: &str| {
            found.and_then(|item| item.get(name)) == Some(&AttributeValue::S(value.to_owned()))
        };
        if !right(keys::GSI1PK, &index.pk) || !right(keys::GSI1SK, &index.sk) {
            self.note(format!("{} / {} has wrong index keys", item.pk, item.sk));
        }
    }

    fn users(&mut self) -> Result<(), StoreError> {
        let users: Vec<User> = self.contents.all("USER#", Some("PROFILE"))?;
        self.sequence(Sequence::User, users.iter().map(|user| user.id.0).max());
        for user in &users {
            let profile = Entity::User(user.id).key();
            self.index(&profile, &keys::user_by_name(user));
            self.marker(&Entity::UserName(&user.username), "user_id", user.id.0);
            if user.shares_email && !user.email.is_empty() {
                let row = Entity::SharedEmail(user.id).key();
                self.index(&row, &keys::user_by_email(&user.email, user.id));
                if !self
                    .owners(&Entity::Email(&user.email))
                    .contains(&user.id.0)
                {
                    let address = user.email.lower();
                    self.note(format!("marker EMAIL#{address} does not name {}", user.id));
                }
            } else if !user.email.is_empty() {
                let marker = Entity::Email(&user.email);
                self.marker(&marker, "user_id", user.id.0);
                self.index(&marker.key(), &keys::user_by_email(&user.email, user.id));
            }
            match self.contents.get(&Entity::Credential(user.id).key()) {
                None => self.note(format!("user {} has no credential", user.id)),
                // Versions before sessions write none.
                Some(credential) => match number_of(credential, "epoch") {
                    Some(epoch) if epoch != user.epoch => self.note(format!(
                        "user {} has the epoch {}, but their credential {epoch}",
                        user.id, user.epoch
                    )),
                    _ => {}
                },
            }
            for flag in Flag::ALL.into_iter().filter(|flag| user.has(*flag)) {
                self.index(
                    &Entity::Flagged(user.id, flag).key(),
                    &keys::flagged_user(user, flag),
                );
            }
            for group in &user.group_ids {
                self.index(
                    &Entity::Membership(user.id, *group).key(),
                    &keys::member(*group, user.id),
                );
            }
        }
        Ok(())
    }

    fn groups(&mut self) -> Result<(), StoreError> {
        let groups: Vec<Group> = self
            .contents
            .with_prefix(keys::GROUPS, None)
            .filter(|item| pk(item) == keys::GROUPS)
            .cloned()
            .map(from_item)
            .collect::<Result<_, _>>()?;
        self.sequence(Sequence::Group, groups.iter().map(|group| group.id.0).max());
        for group in &groups {
            self.marker(&Entity::GroupName(&group.name), "group_id", group.id.0);
        }
        Ok(())
    }

    fn permissions(&mut self) -> Result<(), StoreError> {
        let permissions: Vec<Permission> = self.contents.all(keys::PERMISSIONS, None)?;
        self.sequence(
            Sequence::Permission,
            permissions.iter().map(|permission| permission.id.0).max(),
        );
        for permission in &permissions {
            let marker = Entity::Codename(&permission.content_type, &permission.codename);
            self.marker(&marker, "permission_id", permission.id.0);
            if self
                .contents
                .get(&Entity::ContentType(&permission.content_type).key())
                .is_none()
            {
                self.note(format!("permission {} has no content type", permission.id));
            }
        }
        Ok(())
    }

    fn superusers(&mut self) {
        let users: Vec<User> = self
            .contents
            .all("USER#", Some("PROFILE"))
            .unwrap_or_default();
        let active: BTreeSet<u64> = users
            .iter()
            .filter(|user| user.is_active_superuser())
            .map(|user| user.id.0)
            .collect();
        let item = self.contents.get(&Entity::ActiveSuperusers.key());
        let kept: BTreeSet<u64> = item
            .and_then(|item| item.get("ids")?.as_ns().ok())
            .map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect())
            .unwrap_or_default();
        if active != kept {
            self.note(format!(
                "the active superusers are {active:?}, but the set holds {kept:?}"
            ));
        }
    }

    /// Markers, credentials and memberships whose owner does not exist or does not confirm them.
    fn strays(&mut self) {
        let mut strays = Vec::new();
        for ((pk, sk), item) in &self.contents.items {
            let number = |name: &str| number_of(item, name);
            let confirmed = if pk.starts_with("USERNAME#") {
                number("user_id")
                    .and_then(|id| self.user(id))
                    .is_some_and(|user| format!("USERNAME#{}", user.username.as_str()) == *pk)
            } else if pk.starts_with("EMAIL#") {
                // The last of several owners leaves a marker without any.
                owners(item).into_iter().all(|id| {
                    let user = self.user(id);
                    user.is_some_and(|user| format!("EMAIL#{}", user.email.lower()) == *pk)
                })
            } else if pk.starts_with("GROUPNAME#") {
                let group: Option<Group> =
                    number("group_id").and_then(|id| self.read(&Entity::Group(GroupId(id)).key()));
                group.is_some_and(|group| format!("GROUPNAME#{}", group.name.as_str()) == *pk)
            } else if pk.starts_with("CODENAME#") {
                let permission: Option<Permission> = number("permission_id").and_then(|id| {
                    self.read(&Entity::Permission(shared::domain::PermissionId(id)).key())
                });
                permission.is_some_and(|permission| {
                    format!("CODENAME#{}", permission.label()) == *pk
                        && permission.content_type.model == *sk
                })
            } else if let Some(id) = pk.strip_prefix("SESSION#").filter(|_| sk != "SESSION") {
                // Ended sessions may stay until DynamoDB expires them, but not without a user.
                id.parse().ok().and_then(|id| self.user(id)).is_some()
            } else if let Some(id) = pk.strip_prefix("USER#") {
                let user = id.parse().ok().and_then(|id| self.user(id));
                user.is_some_and(|user| confirms(&user, sk))
            } else {
                true
            };
            if !confirmed {
                strays.push(format!("{pk} / {sk} belongs to nobody"));
            }
        }
        self.lines.extend(strays);
    }

    /// The users that an address's marker names.
    fn owners(&self, marker: &Entity<'_>) -> Vec<u64> {
        self.contents
            .get(&marker.key())
            .map(owners)
            .unwrap_or_default()
    }

    fn user(&self, id: u64) -> Option<User> {
        self.read(&Entity::User(UserId(id)).key())
    }

    fn read<T: serde::de::DeserializeOwned>(&self, key: &Key) -> Option<T> {
        from_item(self.contents.get(key)?.clone()).ok()
    }
}

/// Whether a user confirms an item under their key.
fn confirms(user: &User, sk: &str) -> bool {
    match sk.split_once('#') {
        None if sk == "EMAIL" => user.shares_email,
        Some(("GROUP", group)) => {
            let group = group.parse().map(GroupId);
            group.is_ok_and(|group| user.group_ids.contains(&group))
        }
        Some(("FLAG", name)) => {
            let mut flags = Flag::ALL.into_iter().filter(|flag| user.has(*flag));
            flags.any(|flag| flag.name() == name)
        }
        _ => true,
    }
}

fn pk(item: &Item) -> &str {
    item.get(keys::PK)
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str)
}
