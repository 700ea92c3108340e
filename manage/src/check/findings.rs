//! What a table contradicts itself in.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{
    domain::{Flag, Group, Permission, PermissionId, User, UserId},
    mail::Mail,
    store::{
        Refusal, catalogue, email_owners, flag_row,
        items::{Item, attributes, indexed, number, number_of},
        keys::{self, Entity, Key, Sequence},
        layout::{Layout, Schema},
        marker::{self, OWNERS},
        membership, shared_email,
        writes::{Condition, Write},
    },
};

use super::{
    contents::Contents,
    mend::{Mend, Owner, index, own_index},
};

/// A contradiction, and how to mend it if the rest of the table tells.
pub struct Finding {
    /// For people.
    pub line: String,
    /// None where something is lost for good.
    pub mend: Option<Mend>,
}

/// What was found so far.
pub(super) struct Found<'a> {
    pub(super) contents: &'a Contents<'a>,
    pub(super) findings: Vec<Finding>,
}

/// What is known of all users once each has been looked at.
#[derive(Default)]
pub(super) struct Totals {
    highest: Option<u64>,
    /// The active superusers.
    pub(super) superusers: BTreeSet<u64>,
}

/// The ids in the set of active superusers.
pub(super) fn kept_superusers(set: &Item) -> BTreeSet<u64> {
    let ids = set.get("ids").and_then(|ids| ids.as_ns().ok());
    let ids = ids.into_iter().flatten();
    ids.filter_map(|id| id.parse().ok()).collect()
}

fn of_user(user: &User) -> Owner {
    Owner::Unchanged(Entity::User(user.id).key(), user.version)
}

impl<'a> Found<'a> {
    pub(super) fn of(contents: &'a Contents<'a>) -> Self {
        let findings = Vec::new();
        Self { contents, findings }
    }

    fn note(&mut self, line: String, mend: Option<Mend>) {
        self.findings.push(Finding { line, mend });
    }

    /// A marker must exist and name its owner. One that is lost is made again.
    fn marker(&mut self, entity: &Entity<'_>, id: u64, item: Item, owner: Owner) {
        let key = entity.key();
        let there = self.contents.get(&key);
        let names = |item: &Item| marker::owner(entity, item);
        if there.and_then(names) != Some(id) {
            let make = || Mend::new(owner, Write::create(item, Refusal::Exists));
            let mend = there.is_none().then(make);
            self.note(format!("marker {} does not name {id}", key.pk), mend);
        }
    }

    fn sequence(&mut self, sequence: Sequence, highest: Option<u64>) {
        let Some(highest) = highest else { return };
        let key = Entity::Sequence(sequence).key();
        let item = self.contents.get(&key);
        let last = item.and_then(|item| number_of(item, "value")).unwrap_or(0);
        if last < highest {
            let line = format!("sequence {sequence:?} is at {last}, but {highest} is in use");
            let raise = Write::raise(key, "value", highest);
            self.note(line, Some(Mend::new(Owner::Nobody, raise)));
        }
    }

    /// An item must have these index keys.
    fn index(&mut self, item: &Key, keys: &Key, mend: Mend) {
        let found = self.contents.get(item);
        let right = |name: &str, value: &str| {
            found.and_then(|item| item.get(name)) == Some(&AttributeValue::S(value.to_owned()))
        };
        if !right(keys::GSI1PK, &keys.pk) || !right(keys::GSI1SK, &keys.sk) {
            let line = format!("{} / {} has wrong index keys", item.pk, item.sk);
            self.note(line, Some(mend));
        }
    }

    pub(super) fn users(&mut self, users: &[User], totals: &mut Totals) {
        for user in users {
            totals.highest = totals.highest.max(Some(user.id.0));
            if user.is_active_superuser() {
                totals.superusers.insert(user.id.0);
            }
            self.names(user);
            self.credential(user);
            if user.is_active && user.awaits_activation {
                let line = format!("user {} is active, but waits to be activated", user.id);
                let mut write = Write::remove(Entity::User(user.id).key(), "awaits_activation");
                write.condition = Condition::Equals("version", number(user.version));
                self.note(line, Some(Mend::new(Owner::Nobody, write)));
            }
            for flag in Flag::ALL.into_iter().filter(|flag| user.has(*flag)) {
                let key = Entity::Flagged(user.id, flag).key();
                let mend = Mend::new(of_user(user), Write::put(flag_row(user, flag)));
                self.index(&key, &keys::flagged_user(user, flag), mend);
            }
            for group in &user.group_ids {
                let key = Entity::Membership(user.id, *group).key();
                let mend = Mend::new(of_user(user), Write::put(membership(user.id, *group)));
                self.index(&key, &keys::member(*group, user.id), mend);
            }
        }
    }

    fn names(&mut self, user: &User) {
        let (profile, by_name) = (Entity::User(user.id).key(), keys::user_by_name(user));
        let write = own_index(profile.clone(), user.version, &by_name);
        self.index(&profile, &by_name, Mend::new(Owner::Nobody, write));
        let name = Entity::UserName(&user.username);
        self.marker(
            &name,
            user.id.0,
            marker::item(&name, user.id.0),
            of_user(user),
        );
        if user.email.is_empty() {
            return;
        }
        let email = Entity::Email(&user.email);
        let by_email = keys::user_by_email(&user.email, user.id);
        if user.shares_email {
            let row = Entity::SharedEmail(user.id).key();
            let mend = Mend::new(of_user(user), Write::put(shared_email(user)));
            self.index(&row, &by_email, mend);
            let owners = self.contents.get(&email.key()).map(email_owners);
            if !owners.is_some_and(|owners| owners.contains(&user.id.0)) {
                let line = format!("marker {} does not name {}", email.key().pk, user.id);
                let join = Write::add_to_set(email.key(), OWNERS, user.id.0);
                self.note(line, Some(Mend::new(of_user(user), join)));
            }
            return;
        }
        let item = indexed(marker::item(&email, user.id.0), &by_email);
        self.marker(&email, user.id.0, item, of_user(user));
        let mend = Mend::new(of_user(user), index(email.key(), &by_email));
        if self.contents.get(&email.key()).is_some() {
            self.index(&email.key(), &by_email, mend);
        }
    }

    pub(super) fn mails(&mut self, mails: &[Mail]) {
        for mail in mails {
            let (key, place) = (Entity::Mail(&mail.id).key(), keys::owed(&mail.id));
            let mend = Mend::new(Owner::Nobody, index(key.clone(), &place));
            self.index(&key, &place, mend);
        }
    }

    fn credential(&mut self, user: &User) {
        let places = [
            Entity::Credential(user.id).key(),
            Entity::CredentialBesideProfile(user.id).key(),
        ];
        if self.layout() >= Layout::APART && self.contents.get(&places[1]).is_some() {
            let line = format!(
                "user {} has a password hash where an older version wrote it: run manage migrate --again",
                user.id
            );
            self.note(line, None);
        }
        let there = places
            .into_iter()
            .find(|key| self.contents.get(key).is_some());
        let Some(key) = there else {
            return self.note(format!("user {} has no credential", user.id), None);
        };
        // Versions before sessions write none.
        let epoch = self
            .contents
            .get(&key)
            .and_then(|it| number_of(it, "epoch"));
        let Some(epoch) = epoch.filter(|epoch| *epoch != user.epoch) else {
            return;
        };
        let line = format!(
            "user {} has the epoch {}, but their credential {epoch}",
            user.id, user.epoch
        );
        // Higher than both, so that no session goes on.
        let set = || Item::from([("epoch".to_owned(), number(epoch.max(user.epoch) + 1))]);
        let mut profile = Write::touch(Entity::User(user.id).key(), set());
        profile.condition = Condition::Equals("version", number(user.version));
        let mut credential = Write::set(key, set());
        credential.condition = Condition::Equals("epoch", number(epoch));
        let mend = Mend {
            writes: vec![profile, credential],
            owners: Vec::new(),
        };
        self.note(line, Some(mend));
    }

    pub(super) fn groups(&mut self, groups: &[Group]) {
        self.sequence(Sequence::Group, groups.iter().map(|group| group.id.0).max());
        for group in groups {
            let name = Entity::GroupName(&group.name);
            let owner = Owner::Unchanged(Entity::Group(group.id).key(), group.version);
            self.marker(&name, group.id.0, marker::item(&name, group.id.0), owner);
        }
    }

    pub(super) fn permissions(&mut self, permissions: &[Permission]) {
        let highest = permissions.iter().map(|permission| permission.id.0).max();
        self.sequence(Sequence::Permission, highest);
        for permission in permissions {
            let codename = Entity::Codename(&permission.content_type, &permission.codename);
            let owner =
                Owner::Unchanged(Entity::Permission(permission.id).key(), permission.version);
            let item = marker::item(&codename, permission.id.0);
            self.marker(&codename, permission.id.0, item, owner);
            let content_type = Entity::ContentType(&permission.content_type).key();
            if self.contents.get(&content_type).is_none() {
                let line = format!("permission {} has no content type", permission.id);
                let item = shared::store::items::to_item(&content_type, &permission.content_type);
                let declare = |item| Mend::new(Owner::Nobody, Write::put(item));
                self.note(line, item.ok().map(declare));
            }
        }
    }

    fn layout(&self) -> Layout {
        let schema: Option<Schema> = self.contents.read_one(&Entity::Schema.key());
        schema.unwrap_or(Schema::FIRST).layout
    }

    /// Each copy of the catalogue must have the label of every permission, and no other.
    pub(super) fn catalogue(&mut self, permissions: &[Permission]) {
        if self.layout() < Layout::APART {
            return;
        }
        let named: BTreeMap<String, &Permission> = permissions
            .iter()
            .map(|permission| (catalogue::attribute(permission.id), permission))
            .collect();
        for copy in catalogue::copies() {
            let key = copy.key();
            let empty = Item::new();
            let there = self.contents.get(&key).unwrap_or(&empty);
            for (name, permission) in &named {
                let label = AttributeValue::S(permission.label());
                if there.get(name) != Some(&label) {
                    let line = format!("{} does not have the label of {}", key.pk, permission.id);
                    let mut write = Write::set(key.clone(), Item::from([(name.clone(), label)]));
                    write.condition = Condition::None;
                    let id = Entity::Permission(permission.id).key();
                    let owner = Owner::Unchanged(id, permission.version);
                    self.note(line, Some(Mend::new(owner, write)));
                }
            }
            let mut names: Vec<&String> = there.keys().collect();
            names.sort();
            for name in names {
                let id = name.strip_prefix('p').and_then(|id| id.parse().ok());
                let Some(id) = id.filter(|_| !named.contains_key(name)) else {
                    continue;
                };
                let line = format!("{} has the label of {id}, which does not exist", key.pk);
                let gone = Owner::Gone(Entity::Permission(PermissionId(id)).key());
                let write = Write::remove(key.clone(), name);
                self.note(line, Some(Mend::new(gone, write)));
            }
            if !there.contains_key(catalogue::IS_WHOLE) {
                let line = format!("{} is not marked as whole", key.pk);
                self.note(
                    line,
                    Some(Mend::new(Owner::Nobody, catalogue::whole(&copy))),
                );
            }
        }
    }

    /// What can be told once every user has been looked at.
    pub(super) fn totals(&mut self, totals: &Totals) {
        self.sequence(Sequence::User, totals.highest);
        let key = Entity::ActiveSuperusers.key();
        let item = self.contents.get(&key);
        let set = item.and_then(|item| item.get("ids"));
        let kept = item.map(kept_superusers).unwrap_or_default();
        let mut active = totals.superusers.clone();
        let mut owners = Vec::new();
        // Those who differ have been read again.
        for id in &active ^ &kept {
            let key = Entity::User(UserId(id)).key();
            let user: Option<User> = self.contents.read_one(&key);
            if user.as_ref().is_some_and(User::is_active_superuser) {
                active.insert(id);
            } else {
                active.remove(&id);
            }
            owners.push(user.as_ref().map_or(Owner::Gone(key), of_user));
        }
        if active == kept {
            return;
        }
        let line = format!("the active superusers are {active:?}, but the set holds {kept:?}");
        let mut write = if active.is_empty() {
            Write::delete(key)
        } else {
            let mut item = attributes(&key);
            let ids = active.iter().map(u64::to_string).collect();
            item.insert("ids".to_owned(), AttributeValue::Ns(ids));
            Write::put(item)
        };
        write.condition = match set {
            Some(set) => Condition::Equals("ids", set.clone()),
            None => Condition::Lacks("ids"),
        };
        let writes = vec![write];
        self.note(line, Some(Mend { writes, owners }));
    }
}
