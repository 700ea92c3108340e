//! No way up: nobody gets, or gives, more than he has.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use shared::domain::{Group, GroupId, PermissionId, User, UserId};

use crate::{access::World, flags::forbidden};

/// The ids of some labels.
async fn ids(world: &World, labels: &[&str]) -> BTreeSet<PermissionId> {
    let mut ids = BTreeSet::new();
    for label in labels {
        ids.insert(world.id(label).await);
    }
    ids
}

async fn refused(world: &World, caller: &User, method: &str, path: String, body: Value) {
    let answer = world.ask(Some(caller), method, &path, &body).await;
    assert_eq!(
        answer.parts(),
        (403, &forbidden()),
        "{method} {path} {body}"
    );
}

async fn done(world: &World, caller: &User, method: &str, path: String, body: Value) {
    let answer = world.ask(Some(caller), method, &path, &body).await;
    assert!(
        answer.status.is_success(),
        "{method} {path} {body}: {answer:?}"
    );
}

#[tokio::test]
async fn nobody_grants_a_label_that_he_does_not_hold_by_any_route() {
    let world = World::start().await;
    let granted = world.id("auth.delete_user").await;
    let all = ids(
        &world,
        &["auth.change_user", "auth.change_group", "auth.delete_user"],
    )
    .await;
    let with = world.group([granted]).await;
    let without = ids(&world, &["auth.change_user", "auth.change_group"]).await;
    let staff = world.user(|user| user.is_staff = true).await;
    let holder = world.user(|user| user.permission_ids = without).await;
    let equal = world.user(|user| user.permission_ids = all).await;
    let root = world.user(|user| user.is_superuser = true).await;
    for (caller, may) in [
        (&staff, false),
        (&holder, false),
        (&equal, true),
        (&root, true),
    ] {
        for target in [world.user(|_| {}).await, caller.clone()] {
            let (group, user) = (
                world.group([]).await,
                format!("/api/auth/users/{}", target.id),
            );
            let at_group = format!("/api/auth/groups/{}", group.id);
            let by_id = json!({"permission_ids": [granted.0]});
            let mut own: BTreeSet<u64> = target.permission_ids.iter().map(|id| id.0).collect();
            own.insert(granted.0);
            for (method, path, body) in [
                (
                    "POST",
                    format!("{user}/assign_groups/"),
                    json!({"group_ids": [with.id.0]}),
                ),
                (
                    "PUT",
                    format!("{user}/permissions/"),
                    json!({ "permission_ids": own }),
                ),
                (
                    "PATCH",
                    format!("{at_group}/"),
                    json!({"permissions": [granted.0]}),
                ),
                (
                    "PUT",
                    format!("{at_group}/"),
                    json!({"name": world.name(), "permissions": [granted.0]}),
                ),
                ("POST", format!("{at_group}/assign_permissions/"), by_id),
                (
                    "POST",
                    format!("/api/auth/permissions/{granted}/assign_to_group/"),
                    json!({"group_id": group.id.0}),
                ),
            ] {
                if may {
                    done(&world, caller, method, path, body).await;
                } else {
                    refused(&world, caller, method, path, body).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_held_already_may_stay_and_taking_away_is_no_grant() {
    let world = World::start().await;
    let (view, delete) = (
        world.id("auth.view_user").await,
        world.id("auth.delete_user").await,
    );
    let staff = world.user(|user| user.is_staff = true).await;
    let (old, new) = (world.group([view, delete]).await, world.group([]).await);
    let member = world
        .user(|user| {
            user.group_ids = [old.id].into();
            user.permission_ids = [view, delete].into();
        })
        .await;
    let user = format!("/api/auth/users/{}", member.id);
    let group = format!("/api/auth/groups/{}", old.id);
    for (method, path, body) in [
        (
            "POST",
            format!("{user}/assign_groups/"),
            json!({"group_ids": [old.id.0, new.id.0]}),
        ),
        (
            "PUT",
            format!("{user}/permissions/"),
            json!({"permission_ids": [delete.0]}),
        ),
        (
            "PATCH",
            format!("{group}/"),
            json!({"permissions": [delete.0]}),
        ),
        (
            "POST",
            format!("{group}/assign_permissions/"),
            json!({"permission_ids": [delete.0]}),
        ),
        (
            "POST",
            format!("/api/auth/permissions/{delete}/assign_to_group/"),
            json!({"group_id": old.id.0}),
        ),
        (
            "POST",
            format!("{group}/remove_permissions/"),
            json!({"permission_ids": [delete.0]}),
        ),
        (
            "POST",
            format!("{user}/assign_groups/"),
            json!({"group_ids": []}),
        ),
    ] {
        done(&world, &staff, method, path, body).await;
    }
    // Once gone, it does not come back by the same hand.
    let again = json!({"group_ids": [old.id.0]});
    done(
        &world,
        &staff,
        "POST",
        format!("{user}/assign_groups/"),
        again,
    )
    .await;
    let back = json!({"permission_ids": [delete.0]});
    refused(
        &world,
        &staff,
        "POST",
        format!("{group}/assign_permissions/"),
        back,
    )
    .await;
}

#[tokio::test]
async fn a_label_that_decides_something_is_only_for_its_holders_to_use() {
    let world = World::start().await;
    let root = world.user(|user| user.is_superuser = true).await;
    let staff = world.user(|user| user.is_staff = true).await;
    let own = world.permission().await;
    let path = format!("/api/auth/permissions/{}/", own.id);
    let list = || "/api/auth/permissions/".to_owned();
    for model in ["user", "group", "permission"] {
        for action in ["view", "add", "change", "delete"] {
            // The model that a permission is about is no part of its label.
            let other = if model == "user" {
                "auth.group"
            } else {
                "auth.user"
            };
            let codename = format!("{action}_{model}");
            let new = json!({"name": "Can", "codename": codename, "content_type": other});
            let change = json!({"codename": codename, "content_type": other});
            refused(&world, &staff, "POST", list(), new).await;
            refused(&world, &staff, "PATCH", path.clone(), change.clone()).await;
            let label = format!("auth.{codename}");
            let held = ids(&world, &[&label]).await;
            let equal = world
                .user(|user| {
                    user.is_staff = true;
                    user.permission_ids = held;
                })
                .await;
            done(&world, &equal, "PATCH", path.clone(), change).await;
            let back = json!({"codename": "own", "content_type": "auth.user"});
            done(&world, &root, "PATCH", path.clone(), back).await;
        }
    }
    // Other labels, and the same label again, are free.
    let new = json!({"name": "Can", "codename": "view_users", "content_type": "auth.user"});
    done(&world, &staff, "POST", list(), new).await;
    let view = world.id("auth.view_user").await;
    let renamed = json!({"name": "See", "codename": "view_user", "content_type": "auth.user"});
    done(
        &world,
        &staff,
        "PUT",
        format!("/api/auth/permissions/{view}/"),
        renamed,
    )
    .await;
}

#[tokio::test]
async fn nobody_decides_over_a_user_who_holds_more() {
    let world = World::start().await;
    let held = ids(&world, &["auth.change_user", "auth.delete_user"]).await;
    let (staff, holder) = (
        world.user(|user| user.is_staff = true).await,
        world.user(|user| user.permission_ids = held.clone()).await,
    );
    let view = world.id("auth.view_group").await;
    let group = world.group([view]).await;
    for active in [true, false] {
        let above = world
            .user(|user| {
                user.is_active = active;
                user.group_ids = [group.id].into();
            })
            .await;
        let path = || format!("/api/auth/users/{}/", above.id);
        for caller in [&staff, &holder] {
            for change in [
                json!({"username": "taken-over"}),
                json!({"email": "me@example.com"}),
            ] {
                refused(&world, caller, "PATCH", path(), change).await;
            }
            refused(&world, caller, "DELETE", path(), Value::Null).await;
            let same = json!({"username": above.username.as_str(), "last_name": "X"});
            done(&world, caller, "PATCH", path(), same).await;
        }
        let switch = json!({"is_active": !active});
        refused(&world, &staff, "PATCH", path(), switch.clone()).await;
        // Who is no admin does not set the flag at all.
        done(&world, &holder, "PATCH", path(), switch).await;
        let user = world.app.store.user(above.id).await.unwrap().unwrap();
        assert_eq!(user.is_active, active);
    }
    let root = world
        .user(|user| (user.is_superuser, user.is_active) = (true, false))
        .await;
    let path = || format!("/api/auth/users/{}/", root.id);
    refused(&world, &staff, "PATCH", path(), json!({"last_name": "X"})).await;
    refused(&world, &holder, "DELETE", path(), Value::Null).await;
    let below = world.user(|user| user.permission_ids = held).await;
    done(
        &world,
        &holder,
        "DELETE",
        format!("/api/auth/users/{}/", below.id),
        Value::Null,
    )
    .await;
}

#[tokio::test]
async fn field_errors_come_before_a_refusal() {
    let world = World::start().await;
    let staff = world.user(|user| user.is_staff = true).await;
    let delete = world.id("auth.delete_user").await;
    let (above, other) = (
        world
            .user(|user| user.permission_ids = [delete].into())
            .await,
        world.user(|_| {}).await,
    );
    let (one, two) = (world.group([]).await, world.group([]).await);
    let taken = "A user with that username already exists.";
    for (method, path, body, errors) in [
        (
            "PATCH",
            format!("/api/auth/users/{}/", above.id),
            json!({"username": other.username.as_str()}),
            json!({"username": [taken]}),
        ),
        (
            "PATCH",
            format!("/api/auth/groups/{}/", one.id),
            json!({"name": two.name.as_str(), "permissions": [delete.0]}),
            json!({"name": ["group with this name already exists."]}),
        ),
        (
            "POST",
            "/api/auth/permissions/".to_owned(),
            json!({"name": "Can", "codename": "delete_user", "content_type": "auth.user"}),
            json!({"non_field_errors": ["The fields content_type, codename must make a unique set."]}),
        ),
    ] {
        let answer = world.ask(Some(&staff), method, &path, &body).await;
        assert_eq!(answer.parts(), (400, &errors), "{method} {path}");
    }
}

const LABELS: [&str; 5] = [
    "auth.view_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.change_group",
    "auth.view_group",
];

/// What somebody tries: the numbers name users, groups and labels.
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

/// The rules in a few lines: whether a caller may do what he tries.
struct Model<'a> {
    users: &'a [User],
    groups: &'a [Group],
    labels: &'a BTreeMap<PermissionId, &'static str>,
}

impl Model<'_> {
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

    fn over(&self, who: &User, target: &User) -> bool {
        who.is_superuser || (!target.is_superuser && self.held(who).is_superset(&self.held(target)))
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
                let joined = groups.iter().map(|group| &self.groups[*group]);
                let joined = joined.filter(|group| !target.group_ids.contains(&group.id));
                let granted = joined
                    .flat_map(|group| group.permission_ids.clone())
                    .collect();
                let allowed = self.may(who, "auth.change_user")
                    && self.grants(who, &BTreeSet::new(), &granted);
                allowed && (who.is_superuser || !target.is_superuser)
            }
            Try::Grant(of, labels) => {
                let target = &self.users[*of];
                let allowed = self.may(who, "auth.change_user")
                    && self.grants(who, &target.permission_ids, &chosen(labels));
                allowed && (who.is_superuser || !target.is_superuser)
            }
            Try::Fill(group, labels) => {
                let before = &self.groups[*group].permission_ids;
                self.may(who, "auth.change_group") && self.grants(who, before, &chosen(labels))
            }
            Try::Delete(of) => {
                self.may(who, "auth.delete_user") && self.over(who, &self.users[*of])
            }
        }
    }
}

async fn ask(
    world: &World,
    caller: &User,
    what: &Try,
    users: &[User],
    groups: &[Group],
    ids: &[PermissionId],
) -> u16 {
    let user = |of: &usize, rest: &str| format!("/api/auth/users/{}/{rest}", users[*of].id);
    let chosen =
        |labels: &BTreeSet<usize>| labels.iter().map(|label| ids[*label].0).collect::<Vec<_>>();
    let (method, path, body) = match what {
        Try::Read(of) => ("GET", user(of, ""), Value::Null),
        Try::Rename(of) => ("PATCH", user(of, ""), json!({"username": world.name()})),
        Try::Join(of, joined) => {
            let joined: Vec<u64> = joined.iter().map(|group| groups[*group].id.0).collect();
            (
                "POST",
                user(of, "assign_groups/"),
                json!({ "group_ids": joined }),
            )
        }
        Try::Grant(of, labels) => (
            "PUT",
            user(of, "permissions/"),
            json!({"permission_ids": chosen(labels)}),
        ),
        Try::Fill(group, labels) => (
            "PATCH",
            format!("/api/auth/groups/{}/", groups[*group].id),
            json!({"permissions": chosen(labels)}),
        ),
        Try::Delete(of) => ("DELETE", user(of, ""), Value::Null),
    };
    world
        .ask(Some(caller), method, &path, &body)
        .await
        .status
        .as_u16()
}

#[test]
fn the_api_decides_as_a_model_of_the_rules_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::start());
    let ids: Vec<PermissionId> = runtime.block_on(async {
        let mut ids = Vec::new();
        for label in LABELS {
            ids.push(world.id(label).await);
        }
        ids
    });
    let labels: BTreeMap<PermissionId, &'static str> = ids.iter().copied().zip(LABELS).collect();
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let flags = [
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.15),
    ];
    let person = (flags, some(3), some(5));
    let people = prop::collection::vec(person, 4);
    let filled = prop::collection::vec(some(5), 3);
    let strategy = (people, filled, prop::collection::vec(tries(), 1..8));
    let mut runner = TestRunner::new(config);
    let ran = runner.run(&strategy, |(people, filled, tries)| {
        runtime.block_on(play(&world, &ids, &labels, &people, &filled, &tries))
    });
    ran.unwrap();
}

async fn play(
    world: &World,
    ids: &[PermissionId],
    labels: &BTreeMap<PermissionId, &'static str>,
    people: &[Person],
    filled: &[BTreeSet<usize>],
    tries: &[(usize, Try)],
) -> Result<(), TestCaseError> {
    let mut groups = Vec::new();
    for labels in filled {
        groups.push(world.group(labels.iter().map(|label| ids[*label])).await);
    }
    let mut users = Vec::new();
    for ([active, staff, superuser], joined, held) in people {
        let user = world.user(|user| {
            (user.is_active, user.is_staff, user.is_superuser) = (*active, *staff, *superuser);
            user.group_ids = joined.iter().map(|group| groups[*group].id).collect();
            user.permission_ids = held.iter().map(|label| ids[*label]).collect();
        });
        users.push(user.await);
    }
    for (who, what) in tries {
        let store = &world.app.store;
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
        let status = ask(world, &caller, what, &users, &groups, ids).await;
        prop_assert!(
            expected.contains(&status),
            "{status}, not {expected:?}: {caller:?} {what:?}\n{users:?}\n{groups:?}"
        );
        if matches!(what, Try::Delete(_)) && status == 204 {
            // Who is gone plays no more.
            return Ok(());
        }
        for user in &mut users {
            let id: UserId = user.id;
            *user = store.user(id).await.unwrap().unwrap();
        }
        for group in &mut groups {
            let id: GroupId = group.id;
            *group = store.group(id).await.unwrap().unwrap();
        }
    }
    Ok(())
}
