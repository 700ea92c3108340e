//! Permissions into groups and out of them.

use serde_json::{Value, json};

use super::client::Api;

struct World {
    api: Api,
    group: u64,
    permission: u64,
}

async fn world() -> World {
    let api = Api::start().await;
    let group = api
        .json(
            "POST",
            "/api/auth/groups/",
            &api.admin,
            json!({"name": "editors"}),
        )
        .await
        .id();
    let body = json!({"name": "May edit", "codename": "edit", "content_type": "auth.user"});
    let permission = api
        .json("POST", "/api/auth/permissions/", &api.admin, body)
        .await
        .id();
    World {
        api,
        group,
        permission,
    }
}

impl World {
    async fn held(&self) -> Value {
        let path = format!("/api/auth/groups/{}/", self.group);
        self.api.get(&path, &self.api.admin).await.body["permissions"].clone()
    }
}

#[tokio::test]
async fn a_fresh_table_holds_djangos_stock_permissions() {
    let api = Api::start().await;
    let answer = api.get("/api/auth/permissions/", &api.admin).await;
    let shown: Vec<String> = answer
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            format!(
                "{} {} {}",
                p["content_type"].as_str().unwrap(),
                p["codename"].as_str().unwrap(),
                p["name"].as_str().unwrap()
            )
        })
        .collect();
    let expected: Vec<String> = ["group", "permission", "user"]
        .iter()
        .flat_map(|model| {
            ["add", "change", "delete", "view"]
                .map(|action| format!("auth.{model} {action}_{model} Can {action} {model}"))
        })
        .collect();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn permissions_are_added_to_and_taken_from_a_groups_set() {
    let world = world().await;
    let (api, group, permission) = (&world.api, world.group, world.permission);
    let assign = format!("/api/auth/groups/{group}/assign_permissions/");
    let remove = format!("/api/auth/groups/{group}/remove_permissions/");
    let assigned = json!({"message": "Permissions assigned successfully"});
    let removed = json!({"message": "Permissions removed successfully"});
    for ids in [json!([permission]), json!([1, permission, 1]), json!([])] {
        let answer = api
            .json(
                "POST",
                &assign,
                &api.admin,
                json!({ "permission_ids": ids }),
            )
            .await;
        assert_eq!(answer.parts(), (200, &assigned));
    }
    assert_eq!(world.held().await, json!([1, permission]));
    for _ in 0..2 {
        let answer = api
            .json("POST", &remove, &api.admin, json!({"permission_ids": [1]}))
            .await;
        assert_eq!(answer.parts(), (200, &removed));
    }
    assert_eq!(world.held().await, json!([permission]));
    for path in [&assign, &remove] {
        let answer = api
            .json(
                "POST",
                path,
                &api.admin,
                json!({"permission_ids": [987_654_321]}),
            )
            .await;
        let text = "Invalid pk \"987654321\" - object does not exist.";
        assert_eq!(answer.parts(), (400, &json!({"permission_ids": [text]})));
        let answer = api.json("POST", path, &api.admin, json!({})).await;
        assert_eq!(
            answer.parts(),
            (400, &json!({"permission_ids": ["This field is required."]}))
        );
    }
    assert_eq!(world.held().await, json!([permission]));
}

#[tokio::test]
async fn a_permission_is_assigned_to_a_group_and_removed_from_it() {
    let world = world().await;
    let (api, group, permission) = (&world.api, world.group, world.permission);
    let assign = format!("/api/auth/permissions/{permission}/assign_to_group/");
    let remove = format!("/api/auth/permissions/{permission}/remove_from_group/");
    for _ in 0..2 {
        let answer = api
            .json(
                "POST",
                &assign,
                &api.admin,
                json!({"group_id": group.to_string()}),
            )
            .await;
        assert_eq!(
            answer.parts(),
            (
                200,
                &json!({"message": "Permission assigned to group successfully"})
            )
        );
        assert_eq!(world.held().await, json!([permission]));
    }
    for _ in 0..2 {
        let answer = api
            .json("POST", &remove, &api.admin, json!({"group_id": group}))
            .await;
        assert_eq!(
            answer.parts(),
            (
                200,
                &json!({"message": "Permission removed from group successfully"})
            )
        );
        assert_eq!(world.held().await, json!([]));
    }
    for (body, text) in [
        (json!({}), "This field is required."),
        (json!({"group_id": null}), "This field may not be null."),
        (json!({"group_id": ""}), "This field may not be null."),
        (
            json!({"group_id": "x"}),
            "Incorrect type. Expected pk value, received str.",
        ),
        (
            json!({"group_id": [group]}),
            "Incorrect type. Expected pk value, received list.",
        ),
        (
            json!({"group_id": 987_654_321}),
            "Invalid pk \"987654321\" - object does not exist.",
        ),
    ] {
        let answer = api.json("POST", &assign, &api.admin, body).await;
        assert_eq!(answer.parts(), (400, &json!({ "group_id": [text] })));
    }
}

#[tokio::test]
async fn actions_are_checked_in_drfs_order() {
    let world = world().await;
    let (api, group, permission) = (&world.api, world.group, world.permission);
    let ann = api.account("ann").await;
    for (here, nowhere) in [
        (
            format!("/api/auth/groups/{group}/assign_permissions/"),
            "/api/auth/groups/99/assign_permissions/",
        ),
        (
            format!("/api/auth/groups/{group}/remove_permissions/"),
            "/api/auth/groups/x/remove_permissions/",
        ),
        (
            format!("/api/auth/permissions/{permission}/assign_to_group/"),
            "/api/auth/permissions/99/assign_to_group/",
        ),
        (
            format!("/api/auth/permissions/{permission}/remove_from_group/"),
            "/api/auth/permissions/0/remove_from_group/",
        ),
    ] {
        let anonymous = json!({"detail": "Authentication credentials were not provided."});
        let forbidden = json!({"detail": "You do not have permission to perform this action."});
        assert_eq!(api.post(&here, json!({})).await.parts(), (401, &anonymous));
        assert_eq!(
            api.json("PUT", &here, &ann.token, json!({})).await.parts(),
            (403, &forbidden)
        );
        let answer = api.get(&here, &api.admin).await;
        assert_eq!(
            answer.parts(),
            (405, &json!({"detail": "Method \"GET\" not allowed."}))
        );
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
        let answer = api.json("POST", nowhere, &api.admin, json!({})).await;
        assert_eq!(answer.parts(), (404, &json!({"detail": "Not found."})));
    }
}

#[tokio::test]
async fn lists_of_permissions_are_read_as_drf_reads_them() {
    let world = world().await;
    let (api, group) = (&world.api, world.group);
    let assign = format!("/api/auth/groups/{group}/assign_permissions/");
    let remove = format!("/api/auth/groups/{group}/remove_permissions/");
    for (value, text) in [
        (json!(null), "This field may not be null."),
        (json!("x"), "Expected a list of items but got type \"str\"."),
        (
            json!([true]),
            "Incorrect type. Expected pk value, received bool.",
        ),
        (
            json!(["x"]),
            "Incorrect type. Expected pk value, received str.",
        ),
        (
            json!([1, [1]]),
            "Incorrect type. Expected pk value, received list.",
        ),
        (
            json!([null]),
            "Invalid pk \"None\" - object does not exist.",
        ),
        (
            json!([1, 987_654_321, "x"]),
            "Invalid pk \"987654321\" - object does not exist.",
        ),
    ] {
        for path in [&assign, &remove] {
            let body = json!({ "permission_ids": value });
            let answer = api.json("POST", path, &api.admin, body).await;
            let expected = json!({ "permission_ids": [text] });
            assert_eq!(answer.parts(), (400, &expected), "{value}");
        }
    }
    assert_eq!(world.held().await, json!([]), "an error changes nothing");
    // A text is an id, a float is cut, and a dictionary is the list of its keys.
    for (value, held) in [
        (json!(["2"]), json!([2])),
        (json!([3.9]), json!([2, 3])),
        (json!({"4": "x"}), json!([2, 3, 4])),
    ] {
        let body = json!({ "permission_ids": value });
        let answer = api.json("POST", &assign, &api.admin, body).await;
        assert_eq!(answer.status, 200, "{value}");
        let (mut held, mut now) = (ids(&held), ids(&world.held().await));
        held.sort_unstable();
        now.sort_unstable();
        assert_eq!(now, held, "{value}");
    }
}

fn ids(list: &Value) -> Vec<u64> {
    let list = list.as_array().unwrap();
    list.iter().map(|id| id.as_u64().unwrap()).collect()
}

#[tokio::test]
async fn actions_take_forms_and_nothing_but_objects() {
    let world = world().await;
    let (api, group, permission) = (&world.api, world.group, world.permission);
    let assign = format!("/api/auth/groups/{group}/assign_permissions/");
    let remove = format!("/api/auth/groups/{group}/remove_permissions/");
    let to_group = format!("/api/auth/permissions/{permission}/assign_to_group/");
    let ones = "permission_ids=1&permission_ids=2&permission_ids=1";
    let answer = api.form("POST", &assign, &api.admin, ones).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = api
        .form("POST", &to_group, &api.admin, &format!("group_id={group}"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // In a form no key is an empty list.
    let answer = api.form("POST", &remove, &api.admin, "x=1").await;
    let message = json!({"message": "Permissions removed successfully"});
    assert_eq!(answer.parts(), (200, &message));
    let mut held = ids(&world.held().await);
    held.sort_unstable();
    assert_eq!(held, [1, 2, permission]);
    let answer = api.form("POST", &to_group, &api.admin, "x=1").await;
    let required = json!({"group_id": ["This field is required."]});
    assert_eq!(answer.parts(), (400, &required));
    for path in [&assign, &remove, &to_group] {
        let answer = api.json("POST", path, &api.admin, json!([1])).await;
        let text = "Invalid data. Expected a dictionary, but got list.";
        assert_eq!(answer.parts(), (400, &json!({"non_field_errors": [text]})));
    }
    api.assert_consistent().await;
}

#[tokio::test]
async fn a_permission_that_is_deleted_leaves_its_groups() {
    let world = world().await;
    let (api, permission) = (&world.api, world.permission);
    let to_group = format!("/api/auth/permissions/{permission}/assign_to_group/");
    let body = json!({"group_id": world.group});
    let answer = api.json("POST", &to_group, &api.admin, body.clone()).await;
    assert_eq!(answer.status, 200);
    let gone = format!("/api/auth/permissions/{permission}/");
    assert_eq!(api.delete(&gone, &api.admin).await.status, 204);
    assert_eq!(world.held().await, json!([]));
    let answer = api.json("POST", &to_group, &api.admin, body).await;
    assert_eq!(answer.parts(), (404, &json!({"detail": "Not found."})));
    api.assert_consistent().await;
}
