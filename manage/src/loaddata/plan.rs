//! Rights by what they mean: which content types, permissions and groups a dump and the table have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::{
    domain::{
        ContentType, Group, GroupId, Permission, PermissionId, User,
        quotas::{self, Taken},
    },
    store::Store,
};

use super::{
    objects::{DumpGroup, DumpPermission, DumpUser, Reference},
    report::{Kind, Report},
};
use crate::CommandError;

/// A permission by what it means: what it is about, and its codename.
pub type Meaning = (ContentType, String);

/// What a dump says of rights beside what the table has.
#[derive(Default)]
pub struct Plan {
    /// The content types of the dump, by number.
    pub content_types: HashMap<u64, ContentType>,
    /// All content types of the dump.
    pub declared: BTreeSet<ContentType>,
    /// The permissions of the dump, in its order, each meaning once.
    pub permissions: Vec<(Meaning, DumpPermission)>,
    /// The groups of the dump.
    pub groups: BTreeMap<u64, DumpGroup>,
    /// Whether references to what is nowhere are left out.
    pub drops_missing: bool,
    by_pk: HashMap<u64, Meaning>,
    group_names: HashMap<String, GroupId>,
    /// The permissions of the table; those of the dump are added when they are made.
    pub existing: HashMap<Meaning, Permission>,
    /// The groups of the table.
    pub existing_groups: HashMap<GroupId, Group>,
    /// The groups of the table that came from Django and that the dump does not have.
    pub gone_groups: Vec<Group>,
    /// The content types of the table.
    existing_types: BTreeSet<ContentType>,
    is_planned: BTreeSet<Meaning>,
}

/// What a permission of the table means.
pub fn meaning(permission: &Permission) -> Meaning {
    let codename = permission.codename.as_str().to_owned();
    (permission.content_type.clone(), codename)
}

impl Plan {
    /// Reads what the table has.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn read(&mut self, store: &Store) -> Result<(), CommandError> {
        let (permissions, groups, types) =
            tokio::try_join!(store.permissions(), store.groups(), store.content_types())?;
        self.existing_types = types.into_iter().collect();
        for permission in permissions {
            self.existing.insert(meaning(&permission), permission);
        }
        for group in groups {
            let name = group.name.as_str().to_owned();
            self.group_names.entry(name).or_insert(group.id);
            self.existing_groups.insert(group.id, group);
        }
        Ok(())
    }

    /// Works out what the permissions and groups of the dump mean, and notes what cannot be.
    pub fn resolve(
        &mut self,
        permissions: Vec<DumpPermission>,
        groups: Vec<DumpGroup>,
        report: &mut Report,
    ) {
        self.explain_auth(&permissions);
        let mut unexplained: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for permission in permissions {
            let Some(content_type) = self.content_type(&permission.content_type) else {
                let number = permission.content_type.to_string();
                unexplained
                    .entry(number)
                    .or_default()
                    .push(permission.codename);
                continue;
            };
            self.declared.insert(content_type.clone());
            let meaning = (content_type, permission.codename.clone());
            if let Some(pk) = permission.pk
                && let Some(before) = self.by_pk.insert(pk, meaning.clone())
                && before != meaning
            {
                report.note(Kind::IdTwice, format!("auth.permission {pk}"));
            }
            if self.is_planned.insert(meaning.clone()) {
                self.permissions.push((meaning, permission));
            }
        }
        for (number, codenames) in unexplained {
            if !self.drops_missing {
                let example = format!("{number}: {}", codenames.join(", "));
                report.note(Kind::UnknownContentType, example);
            }
        }
        let mut names: HashMap<String, u64> = HashMap::new();
        for group in groups {
            let (pk, name) = (group.pk, group.name.clone());
            if let Some(other) = names.insert(name.clone(), pk).filter(|other| *other != pk) {
                report.note(
                    Kind::NameTwice,
                    format!("auth.group {other} and {pk}: {name}"),
                );
            }
            self.group_names.insert(name, GroupId(pk));
            if self.groups.insert(pk, group).is_some() {
                report.note(Kind::IdTwice, format!("auth.group {pk}"));
            }
        }
        for group in self.groups.values() {
            for permission in &group.permissions {
                if self.permission(permission).is_none() && !self.drops_missing {
                    let example = format!("auth.group {} ({}): ", group.pk, group.name);
                    report.note(
                        Kind::UnknownReference,
                        example + &of("permission", permission),
                    );
                }
            }
        }
    }

    /// Finds the groups of an earlier load that the dump does not have; if they are to be deleted,
    /// nothing refers to them any more. A dump without groups says nothing of them.
    pub fn find_gone(&mut self, prunes: bool) {
        if self.groups.is_empty() {
            return;
        }
        let is_gone = |group: &&Group| group.from_django && !self.groups.contains_key(&group.id.0);
        self.gone_groups = self
            .existing_groups
            .values()
            .filter(is_gone)
            .cloned()
            .collect();
        self.gone_groups.sort_by_key(|group| group.id);
        if prunes {
            for group in &self.gone_groups {
                self.existing_groups.remove(&group.id);
                if self.group_names.get(group.name.as_str()) == Some(&group.id) {
                    self.group_names.remove(group.name.as_str());
                }
            }
        }
    }

    /// What is more than there may be when the dump is loaded: see [`quotas`]. It is known which groups
    /// are gone.
    pub fn excess(&self) -> Vec<String> {
        let new = self.groups.keys().map(|pk| GroupId(*pk));
        let new = new.filter(|id| !self.existing_groups.contains_key(id));
        let (here, new) = (self.existing_groups.len(), new.count());
        let groups = quotas::full(here, here + new, quotas::GROUPS, "groups");
        let labels = self.existing.values().map(Permission::label);
        let mut labels: Vec<String> = labels.collect();
        let taken = Taken::by(labels.iter().map(String::as_str));
        let planned = self.permissions.iter().map(|(meaning, _)| meaning);
        let new = planned.filter(|meaning| !self.existing.contains_key(*meaning));
        labels.extend(new.map(|(of, codename)| format!("{}.{codename}", of.app_label)));
        let permissions = taken.refuses(Taken::by(labels.iter().map(String::as_str)));
        let (here, new) = (
            self.existing_types.len(),
            self.declared.difference(&self.existing_types).count(),
        );
        let what = "content types";
        let types = quotas::full(here, here + new, quotas::CONTENT_TYPES, what);
        let all = [groups, permissions, types].into_iter().flatten();
        all.map(|error| error.drf().into_owned()).collect()
    }

    /// What a user, who may be here already, has too much of.
    pub fn excess_of(&self, wanted: &DumpUser, here: Option<&User>) -> Option<String> {
        let (groups, permissions) = here.map_or((0, 0), |user| {
            (user.group_ids.len(), user.permission_ids.len())
        });
        let meant = wanted.permissions.iter();
        let meant: BTreeSet<Meaning> = meant.filter_map(|one| self.permission(one)).collect();
        let new = (self.groups_of(&wanted.groups).len(), meant.len());
        let of = |what: &str, before, after, most| {
            let error = quotas::crowded(before, after, most);
            error.map(|_| format!("{after} {what}, at most {most}"))
        };
        of("groups", groups, new.0, quotas::GROUPS_OF_USER).or_else(|| {
            let most = quotas::PERMISSIONS_OF_USER;
            of("permissions", permissions, new.1, most)
        })
    }

    /// Whether a group of the table has become one of the dump's that has its id and another name.
    pub fn is_renamed(&self, here: &Group) -> bool {
        let wanted = self.groups.get(&here.id.0);
        here.from_django && wanted.is_some_and(|wanted| wanted.name != here.name.as_str())
    }

    /// The numbers of the models of `auth` itself, where the dump does not have its content types:
    /// they have every stock permission, and no second number has.
    fn explain_auth(&mut self, permissions: &[DumpPermission]) {
        for model in ["user", "group", "permission"] {
            let adds = format!("add_{model}");
            let adding = permissions.iter().filter(|one| one.codename == adds);
            let numbers: BTreeSet<&Reference> = adding.map(|one| &one.content_type).collect();
            let content_type = ContentType {
                app_label: "auth".to_owned(),
                model: model.to_owned(),
            };
            let mut numbers = numbers.into_iter();
            if let (Some(Reference::Id(number)), None) = (numbers.next(), numbers.next()) {
                self.content_types.entry(*number).or_insert(content_type);
            }
        }
    }

    /// The content type that a reference names.
    pub fn content_type(&self, reference: &Reference) -> Option<ContentType> {
        match reference {
            Reference::Id(number) => self.content_types.get(number).cloned(),
            Reference::Natural(key) => match key.as_slice() {
                [app_label, model] => Some(ContentType {
                    app_label: app_label.clone(),
                    model: model.clone(),
                }),
                _ => None,
            },
        }
    }

    /// What a reference to a permission means, if the dump or the table has it.
    pub fn permission(&self, reference: &Reference) -> Option<Meaning> {
        match reference {
            Reference::Id(pk) => self.by_pk.get(pk).cloned(),
            Reference::Natural(key) => match key.as_slice() {
                [codename, app_label, model] => {
                    let content_type = ContentType {
                        app_label: app_label.clone(),
                        model: model.clone(),
                    };
                    let meaning = (content_type, codename.clone());
                    let is_known =
                        self.is_planned.contains(&meaning) || self.existing.contains_key(&meaning);
                    is_known.then_some(meaning)
                }
                _ => None,
            },
        }
    }

    /// The group that a reference names, if the dump or the table has it.
    pub fn group(&self, reference: &Reference) -> Option<GroupId> {
        match reference {
            Reference::Id(pk) => {
                let id = GroupId(*pk);
                let is_known =
                    self.groups.contains_key(pk) || self.existing_groups.contains_key(&id);
                is_known.then_some(id)
            }
            Reference::Natural(key) => match key.as_slice() {
                [name] => self.group_names.get(name).copied(),
                _ => None,
            },
        }
    }

    /// The groups of references; those that are nowhere are left out.
    pub fn groups_of(&self, references: &[Reference]) -> BTreeSet<GroupId> {
        references
            .iter()
            .filter_map(|one| self.group(one))
            .collect()
    }

    /// The ids here of references to permissions; none if one of them is not made yet.
    pub fn permissions_of(&self, references: &[Reference]) -> Option<BTreeSet<PermissionId>> {
        let meanings = references.iter().filter_map(|one| self.permission(one));
        let id = |meaning: Meaning| self.existing.get(&meaning).map(|permission| permission.id);
        meanings.map(id).collect()
    }

    /// Those of a set of permissions that exist.
    pub fn alive(&self, ids: &BTreeSet<PermissionId>) -> BTreeSet<PermissionId> {
        let existing: BTreeSet<_> = self.existing.values().map(|one| one.id).collect();
        ids.intersection(&existing).copied().collect()
    }

    /// The references that are nowhere, in words.
    pub fn missing(&self, groups: &[Reference], permissions: &[Reference]) -> Vec<String> {
        let groups = groups.iter().filter(|one| self.group(one).is_none());
        let permissions = permissions
            .iter()
            .filter(|one| self.permission(one).is_none());
        groups
            .map(|one| of("group", one))
            .chain(permissions.map(|one| of("permission", one)))
            .collect()
    }
}

fn of(what: &str, reference: &Reference) -> String {
    format!("{what} {reference}")
}
