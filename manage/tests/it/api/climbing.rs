//! No way up: nobody gets, or gives, more than he has.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::{PermissionId, User};

use super::{access::World, flags::forbidden};

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
