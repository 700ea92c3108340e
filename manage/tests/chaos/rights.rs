//! What a client does with groups and permissions.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::{GroupId, PermissionId, UserId};
use testkit::user_path;

use crate::{
    CROWD,
    client::{Client, Told},
};

/// A group of this client.
#[derive(Clone, Debug)]
pub struct Group {
    name: String,
    permissions: BTreeSet<u64>,
}

/// A permission of this client.
#[derive(Clone, Debug)]
pub struct Permission {
    codename: String,
}

impl Client {
    /// A group's name, if it is there.
    pub fn group_name(&self, id: u64) -> Option<String> {
        if id <= CROWD {
            return Some(format!("crowd {id}"));
        }
        self.groups.get(&id).map(|group| group.name.clone())
    }

    fn some_group(&mut self) -> Option<u64> {
        let count = self.groups.len();
        let place = (count > 0).then(|| self.one_of(count))?;
        self.groups.keys().nth(place).copied()
    }

    pub async fn make_group(&mut self) -> &'static str {
        if self.groups.len() >= 6 {
            return "nothing";
        }
        let name = format!("group {}", self.name());
        let told = self
            .send_as_admin("POST", "groups/", json!({ "name": name }))
            .await;
        let all = self.world.server.table.groups().await.unwrap();
        let found = all.iter().find(|group| group.name.as_str() == name);
        match (told.status(), found) {
            (201, Some(group)) => {
                let expected = json!({"id": group.id, "name": name});
                self.must(told.answer.body == expected, &told);
            }
            (400, Some(_)) if told.again => {}
            (409, None) => {}
            _ if told.is_open() => {}
            _ => self.wrong(&told),
        }
        if let Some(group) = found {
            let permissions = BTreeSet::new();
            self.groups.insert(group.id.0, Group { name, permissions });
        }
        "make group"
    }

    /// The group in truth: it must be as it was before, or if that was not refused, after a request.
    async fn settle_group(&mut self, id: u64, after: Option<Group>, told: &Told) {
        let found = self.world.server.table.group(GroupId(id)).await.unwrap();
        let is = |group: Option<&Group>| match (&found, group) {
            (None, None) => true,
            (Some(found), Some(group)) => {
                let ids: BTreeSet<u64> = found.permission_ids.iter().map(|id| id.0).collect();
                let ids = ids
                    .into_iter()
                    .filter(|id| self.permissions.contains_key(id));
                let known = group.permissions.iter().copied();
                let known = known.filter(|id| self.permissions.contains_key(id));
                found.name.as_str() == group.name && ids.eq(known)
            }
            _ => false,
        };
        let is_done = match told.status() {
            200 | 201 | 204 => true,
            404 if told.again && after.is_none() => true,
            409 if !told.again => false,
            _ if told.is_open() => is(after.as_ref()),
            _ => self.wrong(told),
        };
        let expected = if is_done {
            after
        } else {
            self.groups.get(&id).cloned()
        };
        self.must(is(expected.as_ref()), (told, &found, &expected));
        match expected {
            Some(group) => self.groups.insert(id, group),
            None => self.groups.remove(&id),
        };
    }

    pub async fn change_group(&mut self) -> &'static str {
        let Some(id) = self.some_group() else {
            return self.make_group().await;
        };
        let mut after = self.groups[&id].clone();
        after.name = format!("group {}", self.name());
        let body = json!({ "name": after.name });
        let told = self
            .send_as_admin("PATCH", &format!("groups/{id}/"), body)
            .await;
        self.settle_group(id, Some(after), &told).await;
        "change group"
    }

    /// Gives permissions to a group, or takes them.
    pub async fn fill_group(&mut self) -> &'static str {
        let (Some(id), false) = (self.some_group(), self.permissions.is_empty()) else {
            return self.make_permission().await;
        };
        let mut after = self.groups[&id].clone();
        let place = self.one_of(self.permissions.len());
        let permission = *self.permissions.keys().nth(place).expect("one of them");
        let what = match self.one_of(2) {
            0 => {
                after.permissions.insert(permission);
                "assign_permissions"
            }
            _ => {
                after.permissions.remove(&permission);
                "remove_permissions"
            }
        };
        let body = json!({ "permission_ids": [permission] });
        let told = self
            .send_as_admin("POST", &format!("groups/{id}/{what}/"), body)
            .await;
        self.settle_group(id, Some(after), &told).await;
        "fill group"
    }

    pub async fn delete_group(&mut self) -> &'static str {
        let Some(id) = self.some_group() else {
            return self.make_group().await;
        };
        let path = format!("groups/{id}/");
        let told = self.send_as_admin("DELETE", &path, Value::Null).await;
        self.settle_group(id, None, &told).await;
        "delete group"
    }

    pub async fn make_permission(&mut self) -> &'static str {
        if self.permissions.len() >= 4 {
            return "nothing";
        }
        let codename = self.name();
        let body = json!({"name": codename, "codename": codename, "content_type": "auth.user"});
        let told = self
            .send_as_admin("POST", "permissions/", body.clone())
            .await;
        let all = self.world.server.table.permissions().await.unwrap();
        let found = all.iter().find(|one| one.codename.as_str() == codename);
        match (told.status(), found) {
            (201, Some(one)) => {
                let mut expected = json!({ "id": one.id });
                for (name, value) in body.as_object().expect("an object") {
                    expected[name] = value.clone();
                }
                self.must(told.answer.body == expected, &told);
            }
            (400, Some(_)) if told.again => {}
            (409, None) => {}
            _ if told.is_open() => {}
            _ => self.wrong(&told),
        }
        if let Some(one) = found {
            self.permissions.insert(one.id.0, Permission { codename });
        }
        "make permission"
    }

    pub async fn delete_permission(&mut self) -> &'static str {
        let Some(id) = self.permissions.keys().next().copied() else {
            return self.make_permission().await;
        };
        let path = format!("permissions/{id}/");
        let told = self.send_as_admin("DELETE", &path, Value::Null).await;
        let found = self.world.server.table.permissions().await.unwrap();
        let is_there = found.iter().any(|one| one.id == PermissionId(id));
        match told.status() {
            204 => self.must(!is_there, "a deleted permission"),
            404 if told.again => self.must(!is_there, "a deleted permission"),
            409 if !told.again => self.must(is_there, "a permission"),
            _ if told.is_open() => {}
            _ => self.wrong(&told),
        }
        if !is_there {
            self.permissions.remove(&id);
            for group in self.groups.values_mut() {
                group.permissions.remove(&id);
            }
        }
        "delete permission"
    }

    pub async fn assign_groups(&mut self, place: usize) -> &'static str {
        let mut wanted = BTreeSet::new();
        for id in self.groups.keys().copied().collect::<Vec<_>>() {
            if self.one_of(2) == 0 {
                wanted.insert(id);
            }
        }
        self.assign(place, wanted).await;
        "assign groups"
    }

    /// So many that one transaction cannot hold them.
    pub async fn assign_many_groups(&mut self, place: usize) -> &'static str {
        let most = if self.people[place].groups.len() > 50 {
            2
        } else {
            CROWD
        };
        self.assign(place, (1..=most).collect()).await;
        "assign many groups"
    }

    async fn assign(&mut self, place: usize, wanted: BTreeSet<u64>) {
        let (id, before) = (self.people[place].id, self.people[place].groups.clone());
        let path = format!("{}assign_groups/", user_path(id));
        let body = json!({ "group_ids": wanted });
        let told = self.send_as_admin("POST", &path, body).await;
        let user = self
            .world
            .server
            .table
            .user(UserId(id))
            .await
            .unwrap()
            .unwrap();
        let found: BTreeSet<u64> = user.group_ids.iter().map(|id| id.0).collect();
        let found: BTreeSet<u64> = found
            .into_iter()
            .filter(|id| self.group_name(*id).is_some())
            .collect();
        self.people[place].groups.clone_from(&found);
        match told.status() {
            200 => {
                let expected = self.profile(place);
                self.must(found == wanted, (&found, &wanted));
                self.must(told.answer.body == expected, (&told, &expected));
            }
            409 if !told.again => self.must(same(&found, &before, self), (&told, &found)),
            // A part of a large change may have been done: it goes on when it is sent again.
            _ if told.is_open() => {
                let is_between = found.is_subset(&(&before | &wanted))
                    && found.is_superset(&(&before & &wanted));
                let is_one = same(&found, &before, self) || found == wanted;
                let is_large = (&before ^ &wanted).len() > 80;
                self.must(is_one || is_large && is_between, (&told, &found));
            }
            _ => self.wrong(&told),
        }
    }

    /// Asserts all that is known of groups, and of what their members hold.
    pub async fn look_at_rights(&self) {
        let admin = self.admin();
        for (id, group) in &self.groups {
            let answer = self.world.truth.get(&admin, &format!("groups/{id}/")).await;
            // As Django orders permissions: all of these are of one model, so by codename.
            let mut permissions: Vec<&u64> = group.permissions.iter().collect();
            permissions.sort_by_key(|id| self.permissions.get(id).map(|one| &one.codename));
            let expected = json!({"id": id, "name": group.name, "permissions": permissions});
            self.must(answer.body == expected, (&answer, &expected));
        }
        for person in self
            .people
            .iter()
            .filter(|one| one.is_active && !one.is_superuser)
        {
            let path = format!("{}permissions/", user_path(person.id));
            let answer = self.world.truth.get(&admin, &path).await;
            let held = person.groups.iter().filter_map(|id| self.groups.get(id));
            let held = held.flat_map(|group| &group.permissions);
            let held: BTreeSet<String> = held
                .filter_map(|id| self.permissions.get(id))
                .map(|one| format!("auth.{}", one.codename))
                .collect();
            let expected = json!({"is_superuser": false, "permissions": held});
            self.must(answer.body == expected, (&answer, &expected));
        }
    }
}

/// Whether groups are the same but for those that are gone.
fn same(found: &BTreeSet<u64>, before: &BTreeSet<u64>, client: &Client) -> bool {
    let before = before.iter().filter(|id| client.group_name(**id).is_some());
    found.iter().eq(before)
}
