//! Reads a table of any size a part at a time, each with what it refers to.

use std::collections::{BTreeMap, btree_map::Entry};

use shared::{
    domain::{
        Flag, Group, Permission, User, UserId,
        log_entry::{ActionFlag, Model, Object},
    },
    store::{
        Store, StoreError, catalogue,
        items::{Item, from_item, key_of},
        keys::{self, Entity, Key, NameIndex},
        queries::Scan,
        sessions::Session,
    },
};

use super::{
    contents::{Contents, Items},
    findings::{Finding, Found, Totals, kept_superusers},
    strays::owner_of,
};

/// How many items are looked at together.
const PART: usize = 400;

/// How long a login takes at most, in seconds, with clocks that differ a little.
const LOGIN: i64 = 60;

/// A way through a table.
pub(super) struct Sweep<'a> {
    known: Known<'a>,
    stage: Stage,
    /// How many items have been looked at.
    pub(super) read: u64,
}

/// What is known on the way.
struct Known<'a> {
    store: &'a Store,
    /// What all items refer to.
    common: Items,
    totals: Totals,
}

enum Stage {
    Rights,
    Items(Scan),
    Totals,
    Done,
}

impl<'a> Sweep<'a> {
    /// From the beginning of a table.
    ///
    /// # Errors
    /// The table's failure.
    pub(super) async fn of(store: &'a Store) -> Result<Self, StoreError> {
        let mut common = Items::new();
        for partition in [keys::GROUPS, keys::PERMISSIONS, keys::CONTENT_TYPES] {
            let items = store.table().partition_items(partition).await?;
            common.extend(
                items
                    .into_iter()
                    .filter_map(|item| Some((key_of(&item)?, item))),
            );
        }
        let others = [Entity::Schema, Entity::ActiveSuperusers];
        let sequences = keys::Sequence::ALL.map(Entity::Sequence);
        let others = others
            .into_iter()
            .chain(sequences)
            .chain(catalogue::copies());
        let others: Vec<Key> = others.map(|it| it.key()).collect();
        common.extend(store.table().batch_get(others).await?);
        let totals = Totals::default();
        Ok(Self {
            known: Known {
                store,
                common,
                totals,
            },
            stage: Stage::Rights,
            read: 0,
        })
    }

    /// What the next part of the table contradicts itself in; none at its end.
    ///
    /// # Errors
    /// The table's failure, or an item cannot be read.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Finding>>, StoreError> {
        match &mut self.stage {
            Stage::Rights => {
                self.stage = Stage::Items(self.known.store.table().scan_all());
                self.known.rights().await.map(Some)
            }
            Stage::Items(pages) => {
                let mut items = Items::new();
                while items.len() < PART
                    && let Some(item) = pages.next().await?
                {
                    items.extend(key_of(&item).map(|key| (key, item)));
                }
                if items.is_empty() {
                    self.stage = Stage::Totals;
                }
                self.read += items.len() as u64;
                self.known.part(items).await.map(Some)
            }
            Stage::Totals => {
                self.stage = Stage::Done;
                self.known.totals().await.map(Some)
            }
            Stage::Done => Ok(None),
        }
    }
}

impl Known<'_> {
    async fn around(&self, mut wanted: Vec<Key>) -> Result<Items, StoreError> {
        wanted.retain(|key| !self.common.contains_key(key));
        let found = self.store.table().batch_get(wanted).await?;
        Ok(found.into_iter().collect())
    }

    /// Groups, permissions and the catalogue.
    async fn rights(&self) -> Result<Vec<Finding>, StoreError> {
        let read = |partition: &str| {
            let items = self.common.iter().filter(|(key, _)| key.pk == partition);
            items.map(|(_, item)| item.clone()).collect::<Vec<Item>>()
        };
        let groups: Result<Vec<Group>, _> = read(keys::GROUPS).into_iter().map(from_item).collect();
        let permissions: Result<Vec<Permission>, _> =
            read(keys::PERMISSIONS).into_iter().map(from_item).collect();
        let (groups, permissions) = (groups?, permissions?);
        let names = groups
            .iter()
            .map(|group| Entity::GroupName(&group.name).key());
        let codenames = permissions
            .iter()
            .map(|it| Entity::Codename(&it.content_type, &it.codename).key());
        let contents = Contents {
            items: Items::new(),
            around: self.around(names.chain(codenames).collect()).await?,
            common: &self.common,
        };
        let mut found = Found::of(&contents);
        found.groups(&groups);
        found.permissions(&permissions);
        found.catalogue(&permissions);
        Ok(found.findings)
    }

    async fn part(&mut self, mut items: Items) -> Result<Vec<Finding>, StoreError> {
        let owners = items.iter().flat_map(|(key, item)| owner_of(key, item));
        let is_profile = |key: &Key| key.pk.starts_with("USER#") && key.sk == "PROFILE";
        let profiles = items.iter().filter(|(key, _)| is_profile(key));
        let users: Result<Vec<User>, _> = profiles
            .map(|(_, item)| from_item::<User>(item.clone()))
            .collect();
        let mut wanted: Vec<Key> = owners.chain(users?.iter().flat_map(items_of)).collect();
        wanted.retain(|key| !items.contains_key(key));
        let around = self.around(wanted).await?;
        for key in self.under_way(&items, &around).await? {
            items.remove(&key);
        }
        let contents = Contents {
            around,
            common: &self.common,
            items,
        };
        let mut found = Found::of(&contents);
        found.users(&contents.all("USER#", Some("PROFILE"))?, &mut self.totals);
        found.mails(&contents.all(keys::MAILS, None)?);
        found.strays();
        Ok(found.findings)
    }

    /// Sessions of deleted users that began about when their user was deleted: a login that was under way
    /// then has left them. They let nobody in, and expire.
    async fn under_way(&self, items: &Items, around: &Items) -> Result<Vec<Key>, StoreError> {
        let (mut keys, mut deletions) = (Vec::new(), BTreeMap::new());
        for (key, item) in items {
            let Some(Ok(id)) = key.pk.strip_prefix("SESSION#").map(str::parse) else {
                continue;
            };
            let user = Entity::User(UserId(id)).key();
            let Ok(session) = from_item::<Session>(item.clone()) else {
                continue;
            };
            if items.contains_key(&user) || around.contains_key(&user) {
                continue;
            }
            let deleted = match deletions.entry(id) {
                Entry::Vacant(place) => *place.insert(self.deleted_at(id).await?),
                Entry::Occupied(known) => *known.get(),
            };
            let since = deleted.map(|deleted| session.created - deleted);
            if since.is_some_and(|seconds| seconds.abs() <= LOGIN) {
                keys.push(key.clone());
            }
        }
        Ok(keys)
    }

    /// When a user was deleted, by the last entry of their log: a Unix time in seconds.
    async fn deleted_at(&self, id: u64) -> Result<Option<i64>, StoreError> {
        let user = Object {
            model: Model::User,
            id,
        };
        let history = self.store.history(&user, None, 1).await?;
        let last = history.entries.first();
        let deletion = last.filter(|entry| entry.action_flag == ActionFlag::Deletion);
        Ok(deletion.map(|entry| entry.action_time / 1000))
    }

    async fn totals(&mut self) -> Result<Vec<Finding>, StoreError> {
        // As they are now: users have come since the beginning.
        let again = [
            Entity::ActiveSuperusers.key(),
            Entity::Sequence(keys::Sequence::User).key(),
        ];
        for key in &again {
            self.common.remove(key);
        }
        self.common
            .extend(self.store.table().batch_get(again).await?);
        let set = self.common.get(&Entity::ActiveSuperusers.key());
        let kept = set.map(kept_superusers).unwrap_or_default();
        let differ = &self.totals.superusers ^ &kept;
        let users = differ.into_iter().map(|id| Entity::User(UserId(id)).key());
        let contents = Contents {
            items: Items::new(),
            around: self.around(users.collect()).await?,
            common: &self.common,
        };
        let mut found = Found::of(&contents);
        found.totals(&self.totals);
        Ok(found.findings)
    }
}

/// The items that a user must have, or may not.
fn items_of(user: &User) -> Vec<Key> {
    let id = user.id;
    let mut entities = vec![
        Entity::Credential(id),
        Entity::CredentialBesideProfile(id),
        Entity::UserName(&user.username),
    ];
    if !user.email.is_empty() {
        entities.push(Entity::Email(&user.email));
    }
    if user.shares_email {
        entities.push(Entity::SharedEmail(id));
    }
    let flags = Flag::ALL.into_iter().filter(|flag| user.has(*flag));
    entities.extend(flags.map(|flag| Entity::Flagged(id, flag)));
    let names = NameIndex::ALL
        .into_iter()
        .filter(|index| index.keys(user).is_some());
    entities.extend(names.map(|index| Entity::Named(id, index)));
    entities.extend(
        user.group_ids
            .iter()
            .map(|group| Entity::Membership(id, *group)),
    );
    entities.iter().map(Entity::key).collect()
}
