//! Items that belong to nobody.

use shared::{
    domain::{Flag, Group, GroupId, Permission, PermissionId, User, UserId},
    store::{
        email_owners,
        items::{Item, from_item, number_of},
        keys::{Entity, Key},
        sessions::Session,
        writes::Write,
    },
};

use super::{
    findings::{Finding, Found},
    mend::{Mend, Owner},
};

/// The item that must confirm another one, if it needs such: its owner.
pub(super) fn owner_of(key: &Key, item: &Item) -> Vec<Key> {
    let Key { pk, sk: _ } = key;
    let user = |id: Option<u64>| Entity::User(UserId(id.unwrap_or_default())).key();
    let number = |name: &str| number_of(item, name);
    let in_key = ["SESSION#", "CREDENTIAL#", "USER#"];
    if pk.starts_with("USERNAME#") {
        vec![user(number("user_id"))]
    } else if pk.starts_with("EMAIL#") {
        let owners = email_owners(item).into_iter();
        owners.map(|id| user(Some(id))).collect()
    } else if let Some(id) = in_key.iter().find_map(|prefix| pk.strip_prefix(prefix)) {
        vec![user(id.parse().ok())]
    } else {
        Vec::new()
    }
}

impl Found<'_> {
    /// Markers, credentials and memberships whose owner does not exist or does not confirm them.
    pub(super) fn strays(&mut self) {
        for (key, item) in &self.contents.items {
            let Some(owner) = self.owner_missing(&key.pk, &key.sk, item) else {
                continue;
            };
            let line = format!("{} / {} belongs to nobody", key.pk, key.sk);
            let mend = Mend::new(owner, Write::delete(key.clone()));
            self.findings.push(Finding {
                line,
                mend: Some(mend),
            });
        }
    }

    /// For an item that belongs to nobody: what must stay true of its owner.
    fn owner_missing(&self, pk: &str, sk: &str, item: &Item) -> Option<Owner> {
        let number = |name: &str| number_of(item, name);
        if pk.starts_with("USERNAME#") {
            let name = |user: &User| format!("USERNAME#{}", user.username.as_str()) == pk;
            self.unless_user(number("user_id"), name)
        } else if pk.starts_with("EMAIL#") {
            // The last of several owners leaves a marker without any.
            let email = |user: &User| format!("EMAIL#{}", user.email.lower()) == pk;
            let mut owners = email_owners(item).into_iter();
            owners.find_map(|id| self.unless_user(Some(id), email))
        } else if pk.starts_with("GROUPNAME#") {
            let id = GroupId(number("group_id").unwrap_or_default());
            let key = Entity::Group(id).key();
            let group: Option<Group> = self.contents.read_one(&key);
            let name = |group: &Group| format!("GROUPNAME#{}", group.name.as_str()) == pk;
            unless(key, group.as_ref(), name, |group| group.version)
        } else if pk.starts_with("CODENAME#") {
            let id = PermissionId(number("permission_id").unwrap_or_default());
            let key = Entity::Permission(id).key();
            let permission: Option<Permission> = self.contents.read_one(&key);
            let label = |one: &Permission| {
                format!("CODENAME#{}", one.label()) == pk && one.content_type.model == sk
            };
            unless(key, permission.as_ref(), label, |one| one.version)
        } else if let Some(id) = pk.strip_prefix("SESSION#") {
            // Ended sessions may stay until DynamoDB expires them; without a user only a trace.
            let session: Option<Session> = from_item(item.clone()).ok();
            let is_trace = session.is_some_and(|session| session.is_trace());
            self.unless_user(id.parse().ok(), |_| true)
                .filter(|_| !is_trace)
        } else if let Some(id) = pk.strip_prefix("CREDENTIAL#") {
            self.unless_user(id.parse().ok(), |_| true)
        } else if let Some(id) = pk.strip_prefix("USER#") {
            self.unless_user(id.parse().ok(), |user| confirms(user, sk))
        } else {
            None
        }
    }

    fn unless_user(&self, id: Option<u64>, confirms: impl Fn(&User) -> bool) -> Option<Owner> {
        let key = Entity::User(UserId(id.unwrap_or_default())).key();
        let user: Option<User> = self.contents.read_one(&key);
        unless(key, user.as_ref(), confirms, |user| user.version)
    }
}

/// None if an owner confirms an item.
fn unless<T>(
    key: Key,
    owner: Option<&T>,
    confirms: impl Fn(&T) -> bool,
    version: impl Fn(&T) -> u64,
) -> Option<Owner> {
    match owner {
        Some(owner) if confirms(owner) => None,
        Some(owner) => Some(Owner::Unchanged(key, version(owner))),
        None => Some(Owner::Gone(key)),
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
