//! Permissions into groups and out of them.

use std::ops::Deref;

use serde_json::{Value, json};
use testkit::{Answer, NOBODY, Server, detail, forbidden, not_found, unauthenticated};

/// A group and a permission, and the paths of what is done with them.
struct World {
    server: Server,
    group: u64,
    permission: u64,
    assign: String,
    remove: String,
    to_group: String,
    from_group: String,
}

impl Deref for World {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl World {
    async fn start() -> Self {
        let server = Server::start().await;
        let group = server.group("editors", &[]).await.id.0;
        let permission = server.permission("edit", "May edit").await.id.0;
        Self {
            server,
            group,
            permission,
            assign: format!("groups/{group}/assign_permissions/"),
            remove: format!("groups/{group}/remove_permissions/"),
            to_group: format!("permissions/{permission}/assign_to_group/"),
            from_group: format!("permissions/{permission}/remove_from_group/"),
        }
    }

    /// What the superuser is answered.
    async fn send(&self, path: &str, body: Value) -> Answer {
        self.post(&self.admin, path, body).await
    }

    async fn held(&self) -> Value {
        let path = format!("groups/{}/", self.group);
        self.get(&self.admin, &path).await.body["permissions"].clone()
    }

    /// The ids of what the group gives, in their order.
    async fn held_ids(&self) -> Vec<u64> {
        let held = self.held().await;
        let ids = held.as_array().unwrap().iter();
        let mut ids: Vec<u64> = ids.map(|id| id.as_u64().unwrap()).collect();
        ids.sort_unstable();
        ids
    }
}

fn message(text: &str) -> Value {
    json!({ "message": text })
}

#[tokio::test]
async fn a_fresh_table_holds_djangos_stock_permissions() {
    let server = Server::start().await;
    let answer = server.get(&server.admin, "permissions/").await;
    let shown = |one: &Value| {
        let field = |name: &str| one[name].as_str().unwrap().to_owned();
        ["content_type", "codename", "name"].map(field).join(" ")
    };
    let shown: Vec<String> = answer.list().iter().map(shown).collect();
    let stock = |model| {
        ["add", "change", "delete", "view"]
            .map(|action| format!("auth.{model} {action}_{model} Can {action} {model}"))
    };
    assert_eq!(shown, ["group", "permission", "user"].map(stock).concat());
}

#[tokio::test]
async fn permissions_are_added_to_and_taken_from_a_groups_set() {
    let world = World::start().await;
    let permission = world.permission;
    for ids in [json!([permission]), json!([1, permission, 1]), json!([])] {
        let answer = world.send(&world.assign, json!({ "permission_ids": ids }));
        answer
            .await
            .assert(200, message("Permissions assigned successfully"));
    }
    assert_eq!(world.held().await, json!([1, permission]));
    for _ in 0..2 {
        let answer = world.send(&world.remove, json!({"permission_ids": [1]}));
        answer
            .await
            .assert(200, message("Permissions removed successfully"));
    }
    assert_eq!(world.held().await, json!([permission]));
    for path in [&world.assign, &world.remove] {
        let answer = world
            .send(path, json!({"permission_ids": [987_654_321]}))
            .await;
        let text = "Invalid pk \"987654321\" - object does not exist.";
        answer.assert(400, json!({"permission_ids": [text]}));
        let answer = world.send(path, json!({})).await;
        answer.assert(400, json!({"permission_ids": ["This field is required."]}));
    }
    assert_eq!(world.held().await, json!([permission]));
}

#[tokio::test]
async fn a_permission_is_assigned_to_a_group_and_removed_from_it() {
    let world = World::start().await;
    let (group, permission) = (world.group, world.permission);
    for _ in 0..2 {
        let body = json!({"group_id": group.to_string()});
        let answer = world.send(&world.to_group, body).await;
        answer.assert(200, message("Permission assigned to group successfully"));
        assert_eq!(world.held().await, json!([permission]));
    }
    for _ in 0..2 {
        let answer = world
            .send(&world.from_group, json!({"group_id": group}))
            .await;
        answer.assert(200, message("Permission removed from group successfully"));
        assert_eq!(world.held().await, json!([]));
    }
    let no_pk = |of: &str| format!("Incorrect type. Expected pk value, received {of}.");
    let missing = "Invalid pk \"987654321\" - object does not exist.";
    for (body, text) in [
        (json!({}), "This field is required."),
        (json!({"group_id": null}), "This field may not be null."),
        (json!({"group_id": ""}), "This field may not be null."),
        (json!({"group_id": "x"}), &no_pk("str")),
        (json!({"group_id": [group]}), &no_pk("list")),
        (json!({"group_id": 987_654_321}), missing),
    ] {
        let answer = world.send(&world.to_group, body).await;
        answer.assert(400, json!({ "group_id": [text] }));
    }
}

#[tokio::test]
async fn actions_are_checked_in_drfs_order() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    for (here, nowhere) in [
        (&world.assign, "groups/99/assign_permissions/"),
        (&world.remove, "groups/x/remove_permissions/"),
        (&world.to_group, "permissions/99/assign_to_group/"),
        (&world.from_group, "permissions/0/remove_from_group/"),
    ] {
        let answer = world.post(NOBODY, here, json!({})).await;
        answer.assert(401, unauthenticated());
        let answer = world.put(&ann, here, json!({})).await;
        answer.assert(403, forbidden());
        let answer = world.get(&world.admin, here).await;
        answer.assert(405, detail("Method \"GET\" not allowed."));
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
        let answer = world.send(nowhere, json!({})).await;
        answer.assert(404, not_found());
    }
}

#[tokio::test]
async fn lists_of_permissions_are_read_as_drf_reads_them() {
    let world = World::start().await;
    let no_pk = |of: &str| format!("Incorrect type. Expected pk value, received {of}.");
    let missing = |pk: &str| format!("Invalid pk \"{pk}\" - object does not exist.");
    for (value, text) in [
        (json!(null), "This field may not be null."),
        (json!("x"), "Expected a list of items but got type \"str\"."),
        (json!([true]), &no_pk("bool")),
        (json!(["x"]), &no_pk("str")),
        (json!([1, [1]]), &no_pk("list")),
        (json!([null]), &missing("None")),
        (json!([1, 987_654_321, "x"]), &missing("987654321")),
    ] {
        for path in [&world.assign, &world.remove] {
            let answer = world.send(path, json!({ "permission_ids": value })).await;
            let expected = json!({ "permission_ids": [text] });
            assert_eq!(answer.parts(), (400, &expected), "{value}");
        }
    }
    assert_eq!(world.held().await, json!([]), "an error changes nothing");
    // A text is an id, a float is cut, and a dictionary is the list of its keys.
    for (value, held) in [
        (json!(["2"]), &[2][..]),
        (json!([3.9]), &[2, 3]),
        (json!({"4": "x"}), &[2, 3, 4]),
    ] {
        let answer = world
            .send(&world.assign, json!({ "permission_ids": value }))
            .await;
        assert_eq!(answer.status, 200, "{value}");
        assert_eq!(world.held_ids().await, held, "{value}");
    }
}

#[tokio::test]
async fn actions_take_forms_and_nothing_but_objects() {
    let world = World::start().await;
    let form = async |path: &str, form: &str| world.form(&world.admin, "POST", path, form).await;
    let ones = "permission_ids=1&permission_ids=2&permission_ids=1";
    form(&world.assign, ones).await.assert_status(200);
    let group = format!("group_id={}", world.group);
    form(&world.to_group, &group).await.assert_status(200);
    // In a form no key is an empty list.
    let answer = form(&world.remove, "x=1").await;
    answer.assert(200, message("Permissions removed successfully"));
    assert_eq!(world.held_ids().await, [1, 2, world.permission]);
    let answer = form(&world.to_group, "x=1").await;
    answer.assert(400, json!({"group_id": ["This field is required."]}));
    for path in [&world.assign, &world.remove, &world.to_group] {
        let text = "Invalid data. Expected a dictionary, but got list.";
        let answer = world.send(path, json!([1])).await;
        answer.assert(400, json!({"non_field_errors": [text]}));
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_permission_that_is_deleted_leaves_its_groups() {
    let world = World::start().await;
    let body = json!({"group_id": world.group});
    let answer = world.send(&world.to_group, body.clone()).await;
    answer.assert_status(200);
    let gone = format!("permissions/{}/", world.permission);
    let answer = world.delete(&world.admin, &gone).await;
    answer.assert_status(204);
    assert_eq!(world.held().await, json!([]));
    let answer = world.send(&world.to_group, body).await;
    answer.assert(404, not_found());
    world.assert_sound().await;
}
