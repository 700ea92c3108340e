//! The rules of permissions as a model of a few lines, against the API, on what chance brings.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use shared::domain::{Group, PermissionId, User};
use testkit::{Answer, Server};

const LABELS: [&str; 5] = [
    "auth.view_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.change_group",
    "auth.view_group",
];

/// What a user tries: the numbers name users, groups and labels.
#[derive(Clone, Debug)]
enum Try {
    Read(usize),
    Rename(usize),
    Join(usize, BTreeSet<usize>),
    Grant(usize, BTreeSet<usize>),
    Fill(usize, BTreeSet<usize>),
    Delete(usize),
}

type Person = ([bool; 3], BTreeSet<usize>, BTreeSet<usize>);

fn some(of: usize) -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..of, 0..3)
}

fn tries() -> impl Strategy<Value = (usize, Try)> {
    let what = prop_oneof![
        (0..4_usize).prop_map(Try::Read),
        (0..4_usize).prop_map(Try::Rename),
        (0..4_usize, some(3)).prop_map(|(user, groups)| Try::Join(user, groups)),
        (0..4_usize, some(5)).prop_map(|(user, labels)| Try::Grant(user, labels)),
        (0..3_usize, some(5)).prop_map(|(group, labels)| Try::Fill(group, labels)),
        (0..4_usize).prop_map(Try::Delete),
    ];
    (0..4_usize, what)
}

/// The rules in a few lines: whether a caller may do what they try.
struct Model<'a> {
    users: &'a [User],
    groups: &'a [Group],
    labels: &'a BTreeMap<PermissionId, &'static str>,
}

impl Model<'_> {
    /// Labels, the names of groups, and the flag of the staff.
    fn rights(&self, user: &User) -> BTreeSet<String> {
        let labels = self.held(user).into_iter().map(str::to_owned);
        let groups = self.groups.iter().filter(|group| self.names(user, group));
        let groups = groups.map(|group| format!("group {}", group.id));
        let staff = user.is_staff.then(|| "staff".to_owned());
        labels.chain(groups).chain(staff).collect()
    }

    /// Whether a user holds a group's name.
    fn names(&self, user: &User, group: &Group) -> bool {
        user.is_superuser || user.is_staff || user.group_ids.contains(&group.id)
    }

    fn held(&self, user: &User) -> BTreeSet<&str> {
        let groups = self
            .groups
            .iter()
            .filter(|group| user.group_ids.contains(&group.id));
        let ids = groups
            .flat_map(|group| &group.permission_ids)
            .chain(&user.permission_ids);
        ids.map(|id| self.labels[id]).collect()
    }

    fn may(&self, who: &User, label: &str) -> bool {
        who.is_staff || who.is_superuser || self.held(who).contains(label)
    }

    fn grants(
        &self,
        who: &User,
        before: &BTreeSet<PermissionId>,
        after: &BTreeSet<PermissionId>,
    ) -> bool {
        let mut new = after.difference(before).map(|id| self.labels[id]);
        who.is_superuser || new.all(|label| self.held(who).contains(label))
    }

    /// Staff may take anything, others only what they hold.
    fn takes(&self, who: &User, taken: impl IntoIterator<Item = PermissionId>) -> bool {
        let mut taken = taken.into_iter().map(|id| self.labels[&id]);
        who.is_superuser || who.is_staff || taken.all(|label| self.held(who).contains(label))
    }

    fn over(&self, who: &User, target: &User) -> bool {
        who.is_superuser
            || (!target.is_superuser && self.rights(who).is_superset(&self.rights(target)))
    }

    fn allows(&self, who: &User, what: &Try, ids: &[PermissionId]) -> bool {
        let chosen = |labels: &BTreeSet<usize>| labels.iter().map(|label| ids[*label]).collect();
        match what {
            Try::Read(of) => who.id == self.users[*of].id || self.may(who, "auth.view_user"),
            Try::Rename(of) => {
                let target = &self.users[*of];
                who.id == target.id || self.may(who, "auth.change_user") && self.over(who, target)
            }
            Try::Join(of, groups) => {
                let target = &self.users[*of];
                let wanted: BTreeSet<_> = groups.iter().map(|it| self.groups[*it].id).collect();
                let changed = &wanted ^ &target.group_ids;
                let changed = self.groups.iter().filter(|it| changed.contains(&it.id));
                let (joined, left): (Vec<_>, Vec<_>) =
                    changed.partition(|group| wanted.contains(&group.id));
                let labels = |groups: &[&Group]| -> BTreeSet<PermissionId> {
                    groups
                        .iter()
                        .flat_map(|it| it.permission_ids.clone())
                        .collect()
                };
                let mut named = joined.iter().chain(&left);
                let allowed = self.may(who, "auth.change_user")
                    && named.all(|group| self.names(who, group))
                    && self.grants(who, &BTreeSet::new(), &labels(&joined))
                    && (who.id == target.id || self.takes(who, labels(&left)));
                allowed && (who.is_superuser || !target.is_superuser)
            }
            Try::Grant(of, labels) => {
                let target = &self.users[*of];
                let (before, after) = (&target.permission_ids, chosen(labels));
                let allowed = self.may(who, "auth.change_user")
                    && self.grants(who, before, &after)
                    && (who.id == target.id || self.takes(who, before - &after));
                allowed && (who.is_superuser || !target.is_superuser)
            }
            Try::Fill(group, labels) => {
                let before = &self.groups[*group].permission_ids;
                let after = chosen(labels);
                self.may(who, "auth.change_group")
                    && self.grants(who, before, &after)
                    && self.takes(who, before - &after)
            }
            Try::Delete(of) => {
                self.may(who, "auth.delete_user") && self.over(who, &self.users[*of])
            }
        }
    }
}

async fn ask(
    server: &Server,
    caller: &User,
    what: &Try,
    users: &[User],
    groups: &[Group],
    ids: &[PermissionId],
) -> Answer {
    let user = |of: &usize, rest: &str| format!("users/{}/{rest}", users[*of].id);
    let chosen = |labels: &BTreeSet<usize>| Vec::from_iter(labels.iter().map(|label| ids[*label]));
    let by_ids = |labels: &BTreeSet<usize>| json!({ "permission_ids": chosen(labels) });
    let (method, path, body) = match what {
        Try::Read(of) => ("GET", user(of, ""), Value::Null),
        Try::Rename(of) => ("PATCH", user(of, ""), json!({"username": server.name()})),
        Try::Join(of, joined) => {
            let joined = joined.iter().map(|group| groups[*group].id);
            let body = json!({ "group_ids": Vec::from_iter(joined) });
            ("POST", user(of, "assign_groups/"), body)
        }
        Try::Grant(of, labels) => ("PUT", user(of, "permissions/"), by_ids(labels)),
        Try::Fill(group, labels) => {
            let body = json!({ "permissions": chosen(labels) });
            ("PATCH", format!("groups/{}/", groups[*group].id), body)
        }
        Try::Delete(of) => ("DELETE", user(of, ""), Value::Null),
    };
    server.ask(caller, method, &path, body).await
}

#[test]
fn the_api_decides_as_a_model_of_the_rules_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let ids = LABELS.map(|label| runtime.block_on(server.id(label)));
    let labels: BTreeMap<PermissionId, &'static str> = ids.into_iter().zip(LABELS).collect();
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let flags = [0.9, 0.2, 0.15].map(prop::bool::weighted);
    let person = (flags, some(3), some(5));
    let people = prop::collection::vec(person, 4);
    let filled = prop::collection::vec(some(5), 3);
    let strategy = (people, filled, prop::collection::vec(tries(), 1..8));
    let mut runner = TestRunner::new(config);
    let ran = runner.run(&strategy, |(people, filled, tries)| {
        runtime.block_on(play(&server, &ids, &labels, &people, &filled, &tries))
    });
    ran.unwrap();
}

async fn play(
    server: &Server,
    ids: &[PermissionId],
    labels: &BTreeMap<PermissionId, &'static str>,
    people: &[Person],
    filled: &[BTreeSet<usize>],
    tries: &[(usize, Try)],
) -> Result<(), TestCaseError> {
    let chosen =
        |labels: &BTreeSet<usize>| Vec::from_iter(labels.iter().map(|label| LABELS[*label]));
    let mut groups = Vec::new();
    for labels in filled {
        groups.push(server.group(&server.name(), &chosen(labels)).await);
    }
    let mut users = Vec::new();
    for ([active, staff, superuser], joined, held) in people {
        let user = server.anybody().holds(&chosen(held));
        let user = user.joins(joined.iter().map(|group| &groups[*group]));
        let user = user.with(|user| {
            (user.is_active, user.is_staff, user.is_superuser) = (*active, *staff, *superuser);
        });
        users.push(user.await);
    }
    for (who, what) in tries {
        let caller = users[*who].clone();
        let expected = {
            let model = Model {
                users: &users,
                groups: &groups,
                labels,
            };
            match (caller.is_active, model.allows(&caller, what, ids)) {
                (false, _) => [401, 401],
                (true, false) => [403, 403],
                (true, true) => [200, 204],
            }
        };
        let answer = ask(server, &caller, what, &users, &groups, ids).await;
        let status = answer.status;
        let before = (users.clone(), groups.clone());
        if matches!(what, Try::Delete(_)) && expected.contains(&204) {
            // Who is gone plays no more.
            let is_gone = status == 204 || answer.is_again && matches!(status, 401 | 404);
            prop_assert!(
                is_gone,
                "{status}: {caller:?} {what:?}\n{users:?}\n{groups:?}"
            );
            return Ok(());
        }
        for user in &mut users {
            *user = server.read(user.id).await;
        }
        for group in &mut groups {
            let now = server.table.group(group.id).await.unwrap();
            *group = now.unwrap();
        }
        // Who gives away a right that they need for that is refused when they ask again.
        let is_done = answer.is_again && before != (users.clone(), groups.clone());
        prop_assert!(
            expected.contains(&status) || status == 403 && is_done,
            "{status}, not {expected:?}: {caller:?} {what:?}\n{before:?}"
        );
    }
    Ok(())
}
