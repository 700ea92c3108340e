//! What keeps a load from beginning, and what does not come alive by it.

use serde_json::{Value, json};
use testkit::process::run;

use super::{Data, group, user};

/// Loads objects that must be refused, for a reason that the report names; nothing is written.
fn refused(data: &Data, objects: &Value, reason: &str) {
    let before = run(&mut data.command("dumpdata")).stdout;
    let ended = data.on("loaddata", objects);
    assert_eq!(ended.status, Some(1), "{objects}: {ended:?}");
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(reason), "{objects}: {ended:?}");
    if !before.is_empty() {
        assert_eq!(run(&mut data.command("dumpdata")).stdout, before);
    }
}

#[test]
fn what_a_dump_gets_wrong_is_named_and_nothing_is_written() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    for (objects, reason) in [
        (json!([user(0, "a", json!({}))]), "no id from 1 to"),
        (json!([user(u64::MAX, "a", json!({}))]), "no id from 1 to"),
        (
            json!([{"model": "auth.user", "pk": "8d1c0b1e-0000-4000-8000-000000000001",
                "fields": {"username": "a"}}]),
            "a UUID",
        ),
        (
            json!([user(5, "a", json!({})), user(5, "b", json!({}))]),
            "have an id that the dump has before",
        ),
        (
            json!([user(5, "a", json!({})), user(6, "a", json!({}))]),
            "users 5 and 6: 'a'",
        ),
        (
            json!([user(5, "a", json!({"groups": [1]}))]),
            "user 5 'a': group 1",
        ),
        (
            json!([user(5, "a", json!({"user_permissions": [13]}))]),
            "user 5 'a': permission 13",
        ),
        // Our permission 1 is another than Django's.
        (
            json!([group(5, "Readers", json!([1]))]),
            "auth.group 5 (Readers): permission 1",
        ),
        (
            json!([user(5, "a", json!({"date_joined": "2024-01-01T10:00:00"}))]),
            "--timezone",
        ),
        (
            json!([user(
                5,
                "a",
                json!({"password": "md5$a$0310e5ae7904d1d9f10915ce0103490d"})
            )]),
            "--allow-weak-hashes",
        ),
        (json!([user(5, "a", json!({"is_active": 7}))]), "is_active"),
        (
            json!([user(5, "admin", json!({}))]),
            "the username is user 1's here",
        ),
        (
            json!([user(1, "joe", json!({}))]),
            "the id is 'admin's here",
        ),
        (
            json!([{"model": "auth.permission", "pk": 9, "fields":
                {"name": "x", "codename": "x", "content_type": 77}}]),
            "77: x",
        ),
    ] {
        refused(data, &objects, reason);
    }
}

#[test]
fn what_django_holds_is_loaded_as_it_is() {
    let data = &Data::new();
    let users = json!([
        user(1, "john smith", json!({"email": "none"})),
        user(2, "ｗｉｄｅ", json!({"email": "bob@intranet"})),
        user(3, "wide", json!({"email": "shared@example.com"})),
        user(4, "", json!({"email": "Shared@example.com"})),
        user(9_999_999_999, "कि", json!({"date_joined": "0001-01-01T00:00:00.000001Z"})),
        {"model": "auth.user", "pk": "7", "fields": {"username": "o'brien", "password": "set-by-hand"}},
    ]);
    data.on("loaddata", &users).succeeded();
    data.on("verifydump", &users).succeeded();
    data.assert_sound();
    for (pk, name) in [(1, "john smith"), (2, "ｗｉｄｅ"), (4, ""), (7, "o'brien")] {
        assert_eq!(data.user(pk)["username"], name);
    }
    assert_eq!(data.user(4)["email"], "Shared@example.com");
    assert_eq!(
        data.user(9_999_999_999)["date_joined"],
        "0001-01-01T00:00:00.000001Z"
    );
    assert_eq!(data.user(7)["is_active"], true);
}

#[tokio::test]
async fn an_address_of_several_users_can_be_given_to_nobody_else() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    let users = json!([
        user(3, "one", json!({"email": "shared@example.com"})),
        user(4, "two", json!({"email": "SHARED@example.com"})),
    ]);
    data.on("loaddata", &users).succeeded();
    let server = data.serve();
    let token = server.log_in("admin", testkit::PASSWORD).await;
    let body = |email: &str| json!({"email": email});
    let answer = server
        .patch(&token, "users/1/", body("shared@example.com"))
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    // Both leave; then it is free.
    for path in ["users/3/", "users/4/"] {
        let answer = server.patch(&token, path, body("shared@example.com")).await;
        assert_eq!(answer.status, 200, "it is theirs: {answer:?}");
        let own = format!(
            "own{}@example.com",
            path.len() + usize::from(path.contains('4'))
        );
        let answer = server.patch(&token, path, body(&own)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let answer = server
        .patch(&token, "users/1/", body("shared@example.com"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(server);
    data.assert_sound();
}

#[tokio::test]
async fn a_group_that_was_deleted_here_does_not_come_alive() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    let server = data.serve();
    let token = server.log_in("admin", testkit::PASSWORD).await;
    let made = server.post(&token, "groups/", json!({"name": "Old"})).await;
    let id = made.body["id"].as_u64().expect("an id");
    let joined = json!({"group_ids": [id]});
    server.post(&token, "users/1/assign_groups/", joined).await;
    server.delete(&token, &format!("groups/{id}/")).await;
    drop(server);
    data.on("loaddata", &json!([group(id, "Contractors", json!([]))]))
        .succeeded();
    assert_eq!(data.user(1)["groups"], json!([]));
    data.assert_sound();
}

#[test]
fn rights_are_what_they_mean_whatever_their_numbers() {
    let data = &Data::new();
    let permission = |pk: u64, codename: &str, about: Value| {
        let name = format!("Can {}", codename.replace('_', " "));
        json!({"model": "auth.permission", "pk": pk,
            "fields": {"name": name, "codename": codename, "content_type": about}})
    };
    // Numbers 1 and 5 are auth.add_user and auth.add_group here.
    let objects = json!([
        user(2, "eve", json!({"groups": [8], "user_permissions": [5]})),
        group(8, "Readers", json!([1, 40])),
        permission(1, "add_logentry", json!(["admin", "logentry"])),
        permission(5, "change_user", json!(["auth", "user"])),
        permission(40, "publish", json!(77)),
        {"model": "contenttypes.contenttype", "pk": 77,
            "fields": {"app_label": "blog", "model": "post"}},
    ]);
    data.on("loaddata", &objects).succeeded();
    let natural =
        |codename: &str, app_label: &str, model: &str| json!([codename, app_label, model]);
    assert_eq!(
        data.user(2)["user_permissions"],
        json!([natural("change_user", "auth", "user")])
    );
    let groups = data.dumped("auth.group");
    assert_eq!(
        groups[0]["fields"]["permissions"],
        json!([
            natural("add_logentry", "admin", "logentry"),
            natural("publish", "blog", "post")
        ])
    );
    data.on("verifydump", &objects).succeeded();
    data.assert_sound();
}

#[test]
fn a_dump_beyond_a_quota_is_refused_before_anything_is_written() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    let groups = |count: u64| -> Vec<Value> {
        let groups = (1..=count).map(|pk| group(pk, &format!("Group {pk}"), json!([])));
        groups.collect()
    };
    let text = "There may be no more than 1000 groups.";
    refused(data, &json!(groups(1001)), text);
    let permission = |pk: u64| {
        let codename = format!("do_{pk}");
        json!({"model": "auth.permission", "pk": pk, "fields": {
            "name": "Can do", "codename": codename, "content_type": ["blog", "post"],
        }})
    };
    // The table has twelve of its own.
    let permissions: Vec<Value> = (1..=1989).map(permission).collect();
    let text = "There may be no more than 2000 permissions.";
    refused(data, &json!(permissions), text);
    let content_type = |pk: u64| {
        let model = format!("model{pk}");
        json!({"model": "contenttypes.contenttype", "pk": pk, "fields": {
            "app_label": "blog", "model": model,
        }})
    };
    let types: Vec<Value> = (1..=998).map(content_type).collect();
    let text = "There may be no more than 1000 content types.";
    refused(data, &json!(types), text);
    let mut objects = groups(201);
    let ids: Vec<u64> = (1..=201).collect();
    objects.push(user(5, "a", json!({ "groups": ids })));
    refused(data, &json!(objects), "user 5 'a': 201 groups, at most 200");
    // One less fits.
    objects[201] = user(5, "a", json!({ "groups": ids[..200] }));
    data.on("loaddata", &json!(objects)).succeeded();
    refused(
        data,
        &json!(groups(1001)),
        "There may be no more than 1000 groups.",
    );
    data.assert_sound();
}
