//! What users may do, as the API tells it, and a group's members.

use serde_json::{Value, json};
use shared::domain::{Group, PermissionId, User};
use testkit::{Server, detail, not_found};

fn path(user: &User) -> String {
    format!("users/{}/permissions/", user.id)
}

/// The answer about a user without a flag.
fn told(labels: &[&str]) -> Value {
    json!({"is_superuser": false, "permissions": labels})
}

fn shown(group: &Group) -> Value {
    json!({"id": group.id, "name": group.name.as_str()})
}

#[tokio::test]
async fn a_users_permissions_are_their_own_and_their_groups_sorted_and_once() {
    let server = Server::start().await;
    let labels = ["auth.add_group", "auth.view_user"];
    let one = server.group("one", &labels).await;
    let two = server.group("two", &labels[1..]).await;
    let ann = server.user("ann").holds(&labels[1..]);
    let ann = ann.joins([&one, &two]).await;
    let answer = server.get(&ann, &path(&ann)).await;
    answer.assert(200, told(&labels));
    let mut explained = told(&labels);
    explained["explain"] = json!({
        "auth.add_group": [shown(&one)],
        "auth.view_user": ["user", shown(&one), shown(&two)],
    });
    let asked = format!("{}?explain=true", path(&ann));
    server.get(&ann, &asked).await.assert(200, &explained);
    // Given twice, the last counts.
    let twice = format!("{}?explain=false&explain=TRUE", path(&ann));
    server.get(&ann, &twice).await.assert(200, &explained);
    let not = format!("{}?explain=true&explain=", path(&ann));
    server.get(&ann, &not).await.assert(200, told(&labels));
    let nobody = server.anybody().await;
    let answer = server.get(&nobody, &path(&nobody)).await;
    answer.assert(200, told(&[]));
}

#[tokio::test]
async fn a_label_of_several_models_is_one_and_what_is_gone_counts_for_nothing() {
    let server = Server::start().await;
    let admin = &server.admin;
    let make = async |content_type: &str| {
        let body = json!({"name": "Can go", "codename": "go", "content_type": content_type});
        let made = server.post(admin, "permissions/", body).await;
        PermissionId(made.id())
    };
    let (of_user, of_group) = (make("auth.user").await, make("auth.group").await);
    let group = server.group("goers", &[]).await;
    let at_group = format!("groups/{}/", group.id);
    let fill = json!({"permissions": [of_group]});
    server
        .patch(admin, &at_group, fill)
        .await
        .assert_status(200);
    let ann = server.user("ann").joins([&group]);
    let ann = ann
        .with(|user| user.permission_ids = [of_user].into())
        .await;
    for (gone, held) in [
        (format!("permissions/{of_user}/"), &["auth.go"][..]),
        (at_group, &["auth.go"]),
    ] {
        let answer = server.get(&ann, &path(&ann)).await;
        answer.assert(200, told(held));
        server.delete(admin, &gone).await.assert_status(204);
    }
    let answer = server.get(&ann, &path(&ann)).await;
    answer.assert(200, told(&[]));
}

#[tokio::test]
async fn a_superuser_has_all_and_an_inactive_user_none() {
    let server = Server::start().await;
    let root = server.anybody().superuser().await;
    let answer = server.get(&root, &path(&root)).await;
    answer.assert_status(200);
    assert_eq!(answer.body["is_superuser"], true);
    assert_eq!(answer.body["permissions"].as_array().unwrap().len(), 12);
    for superuser in [true, false] {
        let off = server.anybody().inactive().holds(&["auth.view_user"]);
        let off = off.with(|user| user.is_superuser = superuser).await;
        let answer = server.get(&root, &path(&off)).await;
        answer.assert(200, json!({"is_superuser": superuser, "permissions": []}));
    }
}

#[tokio::test]
async fn direct_permissions_are_replaced_as_a_whole() {
    let server = Server::start().await;
    let ann = server.anybody().await;
    let refused = |text: &str| json!({ "permission_ids": [text] });
    let both = told(&["auth.add_user", "auth.change_user"]);
    let missing = refused("Invalid pk \"999\" - object does not exist.");
    let no_list = refused("Expected a list of items but got type \"str\".");
    for (ids, status, body) in [
        (json!([1, "2"]), 200, both),
        (json!([4]), 200, told(&["auth.view_user"])),
        (json!([4, 999]), 400, missing),
        (json!("x"), 400, no_list),
        (json!([]), 200, told(&[])),
    ] {
        let asked = json!({ "permission_ids": ids });
        let answer = server.put(&server.admin, &path(&ann), asked).await;
        assert_eq!(answer.parts(), (status, &body), "{ids}");
    }
    let answer = server.put(&server.admin, &path(&ann), json!({})).await;
    answer.assert(400, refused("This field is required."));
}

#[tokio::test]
async fn the_members_of_a_group_come_in_order_of_id_and_in_pages() {
    let server = Server::start().await;
    let admin = &server.admin;
    let group = server.group("one", &[]).await;
    let other = server.group("other", &[]).await;
    let mut members = Vec::new();
    for _ in 0..5 {
        let member = server.anybody().joins([&group, &other]).await;
        members.push(member.id.0);
    }
    server.anybody().joins([&other]).await;
    let base = format!("groups/{}/users/", group.id);
    let mut next = Some(format!("{base}?page_size=2"));
    let (mut seen, mut pages) = (Vec::new(), 0);
    while let Some(path) = next {
        let answer = server.get(admin, &path).await;
        answer.assert_status(200);
        let ids = answer.list().iter().map(|one| one["id"].as_u64().unwrap());
        seen.extend(ids);
        pages += 1;
        next = super::listing::next(&answer);
    }
    assert_eq!((seen, pages), (members, 3));
    let answer = server.get(admin, &base).await;
    let in_both = json!([shown(&group), shown(&other)]);
    assert_eq!(answer.body[0]["groups"], in_both);
    for wrong in ["x", "dTE", "bXg", "PG0wMDAwMDAwMDA1"] {
        let answer = server.get(admin, &format!("{base}?cursor={wrong}")).await;
        assert_eq!(answer.parts(), (404, &detail("Invalid cursor")), "{wrong}");
    }
    let answer = server.get(admin, "groups/987654321/users/").await;
    answer.assert(404, not_found());
}
