//! What users may do, as the API tells it, and a group's members.

use serde_json::{Value, json};
use shared::domain::User;

use crate::access::World;

fn path(user: &User) -> String {
    format!("/api/auth/users/{}/permissions/", user.id)
}

async fn listed(world: &World, user: &User) -> Value {
    let answer = world
        .ask(Some(user), "GET", &path(user), &Value::Null)
        .await;
    assert_eq!(answer.status, 200);
    answer.body
}

#[tokio::test]
async fn a_users_permissions_are_his_own_and_his_groups_sorted_and_once() {
    let world = World::start().await;
    let (view, add) = (
        world.id("auth.view_user").await,
        world.id("auth.add_group").await,
    );
    let (one, two) = (world.group([view, add]).await, world.group([view]).await);
    let ann = world
        .user(|user| {
            user.permission_ids = [view].into();
            user.group_ids = [one.id, two.id].into();
        })
        .await;
    let labels = json!(["auth.add_group", "auth.view_user"]);
    let plain = json!({"is_superuser": false, "permissions": labels});
    assert_eq!(listed(&world, &ann).await, plain);
    let shown =
        |group: &shared::domain::Group| json!({"id": group.id.0, "name": group.name.as_str()});
    let explained = json!({
        "is_superuser": false,
        "permissions": labels,
        "explain": {
            "auth.add_group": [shown(&one)],
            "auth.view_user": ["user", shown(&one), shown(&two)],
        },
    });
    let asked = format!("{}?explain=true", path(&ann));
    let answer = world.ask(Some(&ann), "GET", &asked, &Value::Null).await;
    assert_eq!(answer.parts(), (200, &explained));
    let nobody = world.user(|_| {}).await;
    let none = json!({"is_superuser": false, "permissions": []});
    assert_eq!(listed(&world, &nobody).await, none);
}

#[tokio::test]
async fn a_label_of_several_models_is_one_and_what_is_gone_counts_for_nothing() {
    let world = World::start().await;
    let staff = world.user(|user| user.is_superuser = true).await;
    let make = async |content_type: &str| {
        let body = json!({"name": "Can go", "codename": "go", "content_type": content_type});
        let answer = world
            .ask(Some(&staff), "POST", "/api/auth/permissions/", &body)
            .await;
        shared::domain::PermissionId(answer.id())
    };
    let (of_user, of_group) = (make("auth.user").await, make("auth.group").await);
    let group = world.group([of_group]).await;
    let ann = world
        .user(|user| {
            user.permission_ids = [of_user].into();
            user.group_ids = [group.id].into();
        })
        .await;
    let held = json!({"is_superuser": false, "permissions": ["auth.go"]});
    let none = json!({"is_superuser": false, "permissions": []});
    assert_eq!(listed(&world, &ann).await, held);
    let gone = |path: String| world.ask(Some(&staff), "DELETE", &*path.leak(), &Value::Null);
    assert_eq!(
        gone(format!("/api/auth/permissions/{of_user}/"))
            .await
            .status,
        204
    );
    assert_eq!(listed(&world, &ann).await, held);
    assert_eq!(
        gone(format!("/api/auth/groups/{}/", group.id)).await.status,
        204
    );
    assert_eq!(listed(&world, &ann).await, none);
}

#[tokio::test]
async fn a_superuser_has_all_and_an_inactive_user_none() {
    let world = World::start().await;
    let root = world.user(|user| user.is_superuser = true).await;
    let view = world.id("auth.view_user").await;
    let answer = listed(&world, &root).await;
    assert_eq!(answer["is_superuser"], true);
    assert_eq!(answer["permissions"].as_array().unwrap().len(), 12);
    for superuser in [true, false] {
        let off = world
            .user(|user| {
                (user.is_active, user.is_superuser) = (false, superuser);
                user.permission_ids = [view].into();
            })
            .await;
        let answer = world
            .ask(Some(&root), "GET", &path(&off), &Value::Null)
            .await;
        let none = json!({"is_superuser": superuser, "permissions": []});
        assert_eq!(answer.parts(), (200, &none));
    }
}

#[tokio::test]
async fn direct_permissions_are_replaced_as_a_whole() {
    let world = World::start().await;
    let root = world.user(|user| user.is_superuser = true).await;
    let ann = world.user(|_| {}).await;
    for (ids, status, body) in [
        (
            json!([1, "2"]),
            200,
            json!({"is_superuser": false, "permissions": ["auth.add_user", "auth.change_user"]}),
        ),
        (
            json!([4]),
            200,
            json!({"is_superuser": false, "permissions": ["auth.view_user"]}),
        ),
        (
            json!([4, 999]),
            400,
            json!({"permission_ids": ["Invalid pk \"999\" - object does not exist."]}),
        ),
        (
            json!("x"),
            400,
            json!({"permission_ids": ["Expected a list of items but got type \"str\"."]}),
        ),
        (
            json!([]),
            200,
            json!({"is_superuser": false, "permissions": []}),
        ),
    ] {
        let asked = json!({ "permission_ids": ids });
        let answer = world.ask(Some(&root), "PUT", &path(&ann), &asked).await;
        assert_eq!(answer.parts(), (status, &body), "{ids}");
    }
    let answer = world.ask(Some(&root), "PUT", &path(&ann), &json!({})).await;
    let required = json!({"permission_ids": ["This field is required."]});
    assert_eq!(answer.parts(), (400, &required));
}

#[tokio::test]
async fn the_members_of_a_group_come_in_order_of_id_and_in_pages() {
    let world = World::start().await;
    let root = world.user(|user| user.is_superuser = true).await;
    let (group, other) = (world.group([]).await, world.group([]).await);
    let mut members = Vec::new();
    for _ in 0..5 {
        let member = world
            .user(|user| user.group_ids = [group.id, other.id].into())
            .await;
        members.push(member.id.0);
    }
    world.user(|user| user.group_ids = [other.id].into()).await;
    let base = format!("/api/auth/groups/{}/users/", group.id);
    let mut next = Some(format!("{base}?page_size=2"));
    let (mut seen, mut pages) = (Vec::new(), 0);
    while let Some(path) = next {
        let answer = world.ask(Some(&root), "GET", &path, &Value::Null).await;
        assert_eq!(answer.status, 200);
        let page = answer.body.as_array().unwrap();
        seen.extend(page.iter().map(|profile| profile["id"].as_u64().unwrap()));
        pages += 1;
        next = answer.header("link").map(|link| {
            let (path, rest) = link[1..].split_once('>').unwrap();
            assert_eq!(rest, "; rel=\"next\"");
            path.to_owned()
        });
    }
    assert_eq!((seen, pages), (members, 3));
    let answer = world.ask(Some(&root), "GET", &base, &Value::Null).await;
    let profile = &answer.body[0];
    let in_both = json!([
        {"id": group.id.0, "name": group.name.as_str()},
        {"id": other.id.0, "name": other.name.as_str()},
    ]);
    assert_eq!(profile["groups"], in_both);
    for wrong in ["x", "dTE", "bXg", "PG0wMDAwMDAwMDA1"] {
        let path = format!("{base}?cursor={wrong}");
        let answer = world.ask(Some(&root), "GET", &path, &Value::Null).await;
        assert_eq!(
            answer.parts(),
            (404, &json!({"detail": "Invalid cursor"})),
            "{wrong}"
        );
    }
    let missing = "/api/auth/groups/987654321/users/";
    let answer = world.ask(Some(&root), "GET", missing, &Value::Null).await;
    assert_eq!(answer.parts(), (404, &json!({"detail": "Not found."})));
}
