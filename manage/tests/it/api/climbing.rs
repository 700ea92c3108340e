//! No way up: no user gets, or gives, more than they have.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::{PermissionId, User};
use testkit::{Server, forbidden, user_path};

/// A request: the method, the path and the body.
type Sent = (&'static str, String, Value);

async fn refused(server: &Server, caller: &User, (method, path, body): Sent) {
    let answer = server.ask(caller, method, &path, body.clone()).await;
    let expected = (403, &forbidden());
    assert_eq!(answer.parts(), expected, "{method} {path} {body}");
}

async fn done(server: &Server, caller: &User, (method, path, body): Sent) {
    let answer = server.ask(caller, method, &path, body.clone()).await;
    let done = [200, 201, 204].contains(&answer.status);
    assert!(done, "{method} {path} {body}: {answer:?}");
}

fn by_ids(ids: &[PermissionId]) -> Value {
    json!({ "permission_ids": ids })
}

#[tokio::test]
async fn no_user_grants_a_label_that_they_do_not_hold_by_any_route() {
    let server = Server::start().await;
    let granted = server.id("auth.delete_user").await;
    let all = ["auth.change_user", "auth.change_group", "auth.delete_user"];
    let with = server.group("with", &all[2..]).await;
    let staff = server.anybody().staff().await;
    let holder = server.anybody().holds(&all[..2]).await;
    // Only its members hold a group's name.
    let equal = server.anybody().holds(&all).joins([&with]).await;
    let root = server.anybody().superuser().await;
    for (caller, may) in [
        (&staff, false),
        (&holder, false),
        (&equal, true),
        (&root, true),
    ] {
        for target in [server.anybody().await, server.read(caller.id).await] {
            let group = server.group(&server.name(), &[]).await;
            let mut own: BTreeSet<PermissionId> = target.permission_ids.clone();
            own.insert(granted);
            let (user, at_group) = (user_path(target.id), format!("groups/{}/", group.id));
            let named = json!({"name": group.name.as_str(), "permissions": [granted]});
            let to_group = format!("permissions/{granted}/assign_to_group/");
            for sent in [
                (
                    "POST",
                    format!("{user}assign_groups/"),
                    json!({"group_ids": [with.id]}),
                ),
                (
                    "PUT",
                    format!("{user}permissions/"),
                    json!({ "permission_ids": own }),
                ),
                ("PATCH", at_group.clone(), json!({"permissions": [granted]})),
                ("PUT", at_group.clone(), named),
                (
                    "POST",
                    format!("{at_group}assign_permissions/"),
                    by_ids(&[granted]),
                ),
                ("POST", to_group, json!({ "group_id": group.id })),
            ] {
                if may {
                    done(&server, caller, sent).await;
                } else {
                    refused(&server, caller, sent).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_held_already_may_stay_and_taking_away_is_no_grant() {
    let server = Server::start().await;
    let labels = ["auth.view_user", "auth.delete_user"];
    let delete = server.id("auth.delete_user").await;
    let staff = server.anybody().staff().await;
    let old = server.group("old", &labels).await;
    let new = server.group("new", &[]).await;
    let member = server.anybody().holds(&labels).joins([&old]).await;
    let (user, group) = (user_path(member.id), format!("groups/{}/", old.id));
    let (join, assign) = (
        format!("{user}assign_groups/"),
        format!("{group}assign_permissions/"),
    );
    let to_group = format!("permissions/{delete}/assign_to_group/");
    let groups = |ids: Value| ("POST", join.clone(), json!({ "group_ids": ids }));
    for sent in [
        groups(json!([old.id, new.id])),
        ("PUT", format!("{user}permissions/"), by_ids(&[delete])),
        ("PATCH", group.clone(), json!({"permissions": [delete]})),
        ("POST", assign.clone(), by_ids(&[delete])),
        ("POST", to_group, json!({"group_id": old.id})),
        (
            "POST",
            format!("{group}remove_permissions/"),
            by_ids(&[delete]),
        ),
        groups(json!([])),
        groups(json!([old.id])),
    ] {
        done(&server, &staff, sent).await;
    }
    // Once gone, it does not come back by the same hand.
    refused(&server, &staff, ("POST", assign, by_ids(&[delete]))).await;
}

#[tokio::test]
async fn a_label_that_decides_something_is_only_for_its_holders_to_use() {
    let server = Server::start().await;
    let root = server.anybody().superuser().await;
    let staff = server.anybody().staff().await;
    let own = server.permission("own", "Own").await;
    let patch = |change: Value| ("PATCH", format!("permissions/{}/", own.id), change);
    let post = |new: Value| ("POST", "permissions/".to_owned(), new);
    for model in ["user", "group", "permission"] {
        for action in ["view", "add", "change", "delete"] {
            // The model that a permission is about is no part of its label.
            let other = match model {
                "user" => "auth.group",
                _ => "auth.user",
            };
            let codename = format!("{action}_{model}");
            let mut change = json!({"codename": codename, "content_type": other});
            let label = format!("auth.{codename}");
            let equal = server.anybody().staff().holds(&[&label]).await;
            refused(&server, &staff, patch(change.clone())).await;
            done(&server, &equal, patch(change.clone())).await;
            let back = json!({"codename": "own", "content_type": "auth.user"});
            done(&server, &root, patch(back)).await;
            change["name"] = "Can".into();
            refused(&server, &staff, post(change)).await;
        }
    }
    // Other labels, and the same label again, are free.
    let new = json!({"name": "Can", "codename": "view_users", "content_type": "auth.user"});
    done(&server, &staff, post(new)).await;
    let view = format!("permissions/{}/", server.id("auth.view_user").await);
    let renamed = json!({"name": "See", "codename": "view_user", "content_type": "auth.user"});
    done(&server, &staff, ("PUT", view, renamed)).await;
}

#[tokio::test]
async fn nobody_decides_over_a_user_who_holds_more() {
    let server = Server::start().await;
    let held = ["auth.change_user", "auth.delete_user"];
    let staff = server.anybody().staff().await;
    let holder = server.anybody().holds(&held).await;
    let group = server.group("viewers", &["auth.view_group"]).await;
    let patch = |user: &User, change: Value| ("PATCH", user_path(user.id), change);
    let delete = |user: &User| ("DELETE", user_path(user.id), Value::Null);
    for active in [true, false] {
        let above = server.anybody().joins([&group]);
        let above = above.with(|user| user.is_active = active).await;
        for caller in [&staff, &holder] {
            let taken_over = json!({"username": "taken-over"});
            refused(&server, caller, patch(&above, taken_over)).await;
            let mine = json!({"email": "me@example.com"});
            refused(&server, caller, patch(&above, mine)).await;
            refused(&server, caller, delete(&above)).await;
            let same = json!({"username": above.username.as_str(), "last_name": "X"});
            done(&server, caller, patch(&above, same)).await;
        }
        let switch = json!({"is_active": !active});
        refused(&server, &staff, patch(&above, switch.clone())).await;
        // Who is no admin does not set the flag at all.
        done(&server, &holder, patch(&above, switch)).await;
        assert_eq!(server.read(above.id).await.is_active, active);
    }
    let root = server.anybody().superuser().inactive().await;
    refused(&server, &staff, patch(&root, json!({"last_name": "X"}))).await;
    refused(&server, &holder, delete(&root)).await;
    let below = server.anybody().holds(&held).await;
    done(&server, &holder, delete(&below)).await;
}

#[tokio::test]
async fn a_groups_name_is_for_its_members_and_staff_to_give_take_and_change() {
    let server = Server::start().await;
    let held = ["auth.change_user", "auth.change_group", "auth.delete_group"];
    let own = server.group("own", &[]).await;
    let other = server.group("other", &[]).await;
    let delegate = server.anybody().holds(&held).joins([&own]).await;
    let staff = server.anybody().staff().await;
    let target = server.anybody().joins([&other]).await;
    let join = |user: &User, ids: Value| {
        let path = format!("{}assign_groups/", user_path(user.id));
        ("POST", path, json!({ "group_ids": ids }))
    };
    let rename = |id, name: &str| ("PATCH", format!("groups/{id}/"), json!({ "name": name }));
    for sent in [
        join(&delegate, json!([own.id, other.id])),
        join(&target, json!([])),
        rename(other.id, "away"),
        ("DELETE", format!("groups/{}/", other.id), Value::Null),
    ] {
        refused(&server, &delegate, sent).await;
    }
    done(&server, &delegate, join(&target, json!([own.id, other.id]))).await;
    done(&server, &delegate, rename(own.id, "mine")).await;
    done(&server, &staff, join(&target, json!([]))).await;
    done(&server, &staff, rename(other.id, "away")).await;
    let own = ("DELETE", format!("groups/{}/", own.id), Value::Null);
    done(&server, &delegate, own).await;
}

#[tokio::test]
async fn who_is_no_staff_takes_from_others_only_what_they_hold() {
    let server = Server::start().await;
    let held = [
        "auth.change_user",
        "auth.change_group",
        "auth.change_permission",
        "auth.delete_permission",
    ];
    let own = server.permission("go", "Can go").await;
    let label = own.label();
    let group = server.group("goers", &[&label]).await;
    let delegate = server.anybody().holds(&held).await;
    let goer = server.anybody().holds(&[&label]).await;
    let none = || by_ids(&[]);
    let path = format!("permissions/{}/", own.id);
    let from_group = format!("permissions/{}/remove_from_group/", own.id);
    let take = || {
        [
            ("PUT", format!("{}permissions/", user_path(goer.id)), none()),
            (
                "PATCH",
                format!("groups/{}/", group.id),
                json!({"permissions": []}),
            ),
            ("POST", from_group.clone(), json!({"group_id": group.id})),
            ("PATCH", path.clone(), json!({"codename": "gone"})),
            ("DELETE", path.clone(), Value::Null),
        ]
    };
    for sent in take() {
        refused(&server, &delegate, sent).await;
    }
    let staff = server.anybody().staff().await;
    for sent in take() {
        done(&server, &staff, sent).await;
    }
    // The stock permissions are for superusers.
    let stock = format!("permissions/{}/", server.id("auth.view_user").await);
    for sent in [
        ("PATCH", stock.clone(), json!({"codename": "seen"})),
        ("DELETE", stock, Value::Null),
    ] {
        refused(&server, &staff, sent).await;
    }
}

#[tokio::test]
async fn a_label_that_exists_is_given_to_another_permission_only_by_its_holders() {
    let server = Server::start().await;
    let label = server.permission("go", "Can go").await.label();
    let other = server.permission("other", "Other").await;
    let rename = |content_type: &str| {
        let change = json!({"codename": "go", "content_type": content_type});
        ("PATCH", format!("permissions/{}/", other.id), change)
    };
    let staff = server.anybody().staff().await;
    refused(&server, &staff, rename("auth.group")).await;
    let holder = server.anybody().staff().holds(&[&label]).await;
    done(&server, &holder, rename("auth.group")).await;
}

#[tokio::test]
async fn nobody_decides_over_staff_or_members_without_being_that_too() {
    let server = Server::start().await;
    let held = ["auth.change_user", "auth.delete_user"];
    let delegate = server.anybody().holds(&held).await;
    let group = server.group("named", &[]).await;
    for target in [
        server.anybody().staff().await,
        server.anybody().joins([&group]).await,
    ] {
        let path = || user_path(target.id);
        for sent in [
            ("PATCH", path(), json!({"username": "taken-over"})),
            ("DELETE", path(), Value::Null),
            ("DELETE", format!("{}sessions/", path()), Value::Null),
        ] {
            refused(&server, &delegate, sent).await;
        }
    }
}

#[tokio::test]
async fn field_errors_come_before_a_refusal() {
    let server = Server::start().await;
    let staff = server.anybody().staff().await;
    let delete = server.id("auth.delete_user").await;
    let above = server.anybody().holds(&["auth.delete_user"]).await;
    let other = server.anybody().await.username;
    let one = server.group("one", &[]).await;
    server.group("two", &[]).await;
    let group = json!({"name": "two", "permissions": [delete]});
    let label = json!({"name": "Can", "codename": "delete_user", "content_type": "auth.user"});
    let unique = "The fields content_type, codename must make a unique set.";
    for (method, path, body, field, error) in [
        (
            "PATCH",
            user_path(above.id),
            json!({"username": other.as_str()}),
            "username",
            "A user with that username already exists.",
        ),
        (
            "PATCH",
            format!("groups/{}/", one.id),
            group,
            "name",
            "group with this name already exists.",
        ),
        (
            "POST",
            "permissions/".to_owned(),
            label,
            "non_field_errors",
            unique,
        ),
    ] {
        let answer = server.ask(&staff, method, &path, body).await;
        answer.assert(400, json!({ field: [error] }));
    }
}
