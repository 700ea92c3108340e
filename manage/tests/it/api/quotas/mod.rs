//! The ends of lists: quotas, and tables that have more already.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::{
    domain::{
        Actor, Codename, ContentType, Group, GroupId, GroupName, Permission, PermissionId,
        PermissionName, User,
    },
    store::{
        catalogue,
        items::{Item, attributes, text, to_item},
        keys::{Entity, Sequence},
        marker,
        writes::Write,
    },
};
use testkit::{Server, user_path};

mod largest;

async fn put(server: &Server, items: Vec<Item>) {
    for items in items.chunks(100) {
        let writes = items.iter().cloned().map(Write::put).collect();
        server.table.table().write(writes).await.unwrap();
    }
}

/// Puts groups into the table, as if there were no quota.
async fn put_groups(server: &Server, count: u64, name: impl Fn(u64) -> String) {
    let item = |id| {
        let group = Group {
            id: GroupId(id),
            name: GroupName::held(name(id)),
            permission_ids: BTreeSet::new(),
            from_django: false,
            version: 1,
        };
        let marker = marker::item(&Entity::GroupName(&group.name), id);
        let group = to_item(&Entity::Group(group.id).key(), &group).unwrap();
        [group, marker]
    };
    put(server, (1..=count).flat_map(item).collect()).await;
    server.table.advance(Sequence::Group, count).await.unwrap();
}

/// Puts permissions into the table beside the stock ones, up to an id, as if there were no quota.
async fn put_permissions(server: &Server, last: u64, codename: &str, name: &str) {
    let user = ContentType::parse("auth.user").unwrap();
    let made: Vec<Permission> = (13..=last)
        .map(|id| Permission {
            id: PermissionId(id),
            name: PermissionName::held(name),
            codename: Codename::held(format!("{codename}{id}")),
            content_type: user.clone(),
            version: 1,
        })
        .collect();
    let item = |one: &Permission| {
        let marker = Entity::Codename(&one.content_type, &one.codename);
        let marker = marker::item(&marker, one.id.0);
        let permission = to_item(&Entity::Permission(one.id).key(), one).unwrap();
        [permission, marker]
    };
    put(server, made.iter().flat_map(item).collect()).await;
    let mut labels: Item = server
        .table
        .permissions()
        .await
        .unwrap()
        .iter()
        .map(|one| (catalogue::attribute(one.id), text(&one.label())))
        .collect();
    labels.insert(
        catalogue::IS_WHOLE.to_owned(),
        aws_sdk_dynamodb::types::AttributeValue::Bool(true),
    );
    for copy in catalogue::copies() {
        let mut item = attributes(&copy.key());
        item.extend(labels.clone());
        put(server, vec![item]).await;
    }
    let store = &server.table;
    store.advance(Sequence::Permission, last).await.unwrap();
}

/// Puts a user into groups, as if there were no quota.
async fn put_into(server: &Server, user: &User, groups: impl IntoIterator<Item = u64>) -> User {
    let mut after = user.clone();
    after.group_ids = groups.into_iter().map(GroupId).collect();
    let replaced = server.table.replace(user, after, Vec::new(), Actor::Setup);
    replaced.await.unwrap()
}

fn error(field: &str, text: &str) -> Value {
    json!({ field: [text] })
}

#[tokio::test]
async fn one_group_too_many_is_an_error_of_its_name_until_another_goes() {
    let server = Server::start().await;
    put_groups(&server, 999, |id| format!("Group {id}")).await;
    let add = async |name: &str| {
        let body = json!({ "name": name });
        server.post(&server.admin, "groups/", body).await
    };
    add("The last")
        .await
        .assert(201, json!({"id": 1000, "name": "The last"}));
    let refused = error("name", "There may be no more than 1000 groups.");
    add("Another").await.assert(400, &refused);
    let mut browser = server.browser_of("admin").await;
    let fields = [("name", "Another"), ("_save", "Save")];
    let page = browser.post("/admin/auth/group/add/", &fields).await;
    page.assert_says("There may be no more than 1000 groups.");
    // Of more than there may be, each may be read, changed and deleted.
    put_groups(&server, 1005, |id| format!("Group {id}")).await;
    let list = server.get(&server.admin, "groups/").await;
    assert_eq!(list.list().len(), 1005);
    let body = json!({"name": "Renamed"});
    let answer = server.patch(&server.admin, "groups/1005/", body).await;
    answer.assert(
        200,
        json!({"id": 1005, "name": "Renamed", "permissions": []}),
    );
    let page = browser.get("/admin/auth/user/").await;
    page.assert_says("Of the 1005 groups the first 1000 can be chosen here.");
    for id in 1000..=1005 {
        add("Another").await.assert(400, &refused);
        let path = format!("groups/{id}/");
        server.delete(&server.admin, &path).await.assert_status(204);
    }
    add("Another").await.assert_status(201);
}

#[tokio::test]
async fn one_permission_too_many_is_an_error_of_its_codename() {
    let server = Server::start().await;
    put_permissions(&server, 1999, "do", "Can do").await;
    let add = async |codename: &str| {
        let body = json!({"name": "Can", "codename": codename, "content_type": "auth.user"});
        server.post(&server.admin, "permissions/", body).await
    };
    let last = add("one").await.assert_status(201).id();
    let refused = error("codename", "There may be no more than 2000 permissions.");
    add("two").await.assert(400, &refused);
    // Another name takes no more room than there is.
    let body = json!({"codename": "three"});
    let path = format!("permissions/{last}/");
    let answer = server.patch(&server.admin, &path, body).await;
    answer.assert_status(200);
    let answer = server.delete(&server.admin, "permissions/1999/").await;
    answer.assert_status(204);
    add("two").await.assert_status(201);
}

#[tokio::test]
async fn labels_that_would_not_fit_into_their_item_are_refused() {
    let server = Server::start().await;
    let long = "é".repeat(96);
    put_permissions(&server, 1500, &long, "Can do").await;
    let refused = error(
        "codename",
        "There may be no more than 250000 bytes of labels of permissions.",
    );
    let body = json!({"name": "Can", "codename": long, "content_type": "auth.user"});
    let answer = server.post(&server.admin, "permissions/", body).await;
    answer.assert(400, &refused);
    let body = json!({"codename": "é".repeat(100)});
    let answer = server.patch(&server.admin, "permissions/1/", body).await;
    answer.assert(400, &refused);
    let body = json!({"codename": "x"});
    let answer = server.patch(&server.admin, "permissions/13/", body).await;
    answer.assert_status(200);
}

#[tokio::test]
async fn a_user_is_in_no_more_than_200_groups_but_who_is_may_leave_some() {
    let server = Server::start().await;
    put_groups(&server, 260, |id| format!("Group {id}")).await;
    let ann = server.user("ann").await;
    let assign = async |ids: Vec<u64>| {
        let path = format!("{}assign_groups/", user_path(ann.id));
        let body = json!({ "group_ids": ids });
        server.post(&server.admin, &path, body).await
    };
    let refused = error(
        "group_ids",
        "Ensure this field has no more than 200 elements.",
    );
    assign((1..=201).collect()).await.assert(400, &refused);
    assign((1..=200).collect()).await.assert_status(200);
    let ann = put_into(&server, &server.read(ann.id).await, 1..=250).await;
    let profile = server.get(&server.admin, &user_path(ann.id)).await;
    assert_eq!(profile.body["groups"].as_array().unwrap().len(), 250);
    assign((1..=251).collect()).await.assert(400, &refused);
    assign((1..=240).collect()).await.assert_status(200);
    // By the admin pages, one user and several.
    let mut browser = server.browser_of("admin").await;
    let url = format!("/admin/auth/user/{}/change/", ann.id);
    let ids: Vec<String> = (1..=241).map(|id| id.to_string()).collect();
    let mut fields = vec![
        ("username", "ann"),
        ("email", "ann@example.com"),
        ("_save", "Save"),
    ];
    fields.extend(ids.iter().map(|id| ("groups", id.as_str())));
    let page = browser.post(&url, &fields).await;
    page.assert_says("Ensure this field has no more than 200 elements.");
    let id = ann.id.to_string();
    let fields = [
        ("action", "add_to_group"),
        ("group", "260"),
        ("post", "yes"),
        ("_selected_action", id.as_str()),
    ];
    let answer = browser.post("/admin/auth/user/", &fields).await;
    let page = browser.follow(&answer).await;
    page.assert_says("ann: Ensure this field has no more than 200 elements.");
    assert_eq!(server.read(ann.id).await.group_ids.len(), 240);
}

#[tokio::test]
async fn a_user_holds_no_more_than_1000_permissions_directly() {
    let server = Server::start().await;
    put_permissions(&server, 1010, "do", "Can do").await;
    let ann = server.user("ann").await;
    let path = format!("{}permissions/", user_path(ann.id));
    let replace = async |last: u64| {
        let ids: Vec<u64> = (1..=last).collect();
        let body = json!({ "permission_ids": ids });
        server.put(&server.admin, &path, body).await
    };
    let text = "Ensure this field has no more than 1000 elements.";
    replace(1001)
        .await
        .assert(400, error("permission_ids", text));
    replace(1000).await.assert_status(200);
}

#[tokio::test]
async fn a_group_gives_no_more_than_2000_permissions_under_whatever_name_a_form_has_for_them() {
    let server = Server::start().await;
    put_permissions(&server, 2005, "do", "Can do").await;
    server.group("All", &[]).await;
    let admin = &server.admin;
    let ids = |last: u64| (1..=last).collect::<Vec<u64>>();
    let refused = |field| error(field, "Ensure this field has no more than 2000 elements.");
    let patch = async |last| {
        let body = json!({ "permissions": ids(last) });
        server.patch(admin, "groups/1/", body).await
    };
    patch(2001).await.assert(400, refused("permissions"));
    let assign = async |last| {
        let body = json!({ "permission_ids": ids(last) });
        let path = "groups/1/assign_permissions/";
        server.post(admin, path, body).await
    };
    assign(2001).await.assert(400, refused("permission_ids"));
    assign(2000).await.assert_status(200);
    let body = json!({"group_id": 1});
    let path = "permissions/2001/assign_to_group/";
    let answer = server.post(admin, path, body.clone()).await;
    answer.assert(400, refused("group_id"));
    let path = "permissions/2000/remove_from_group/";
    let answer = server.post(admin, path, body).await;
    answer.assert_status(200);
    let group = server.get(admin, "groups/1/").await;
    let given = group.body["permissions"].as_array().map(Vec::len);
    assert_eq!(given, Some(1999));
}
