//! Permissions: what names them and who holds them.

use serde_json::{Value, json};
use testkit::{Observed, schedule::Race};

use crate::world::{status, token};

/// A table with the permission `auth.publish` and the group 1, and the token of somebody who may do
/// everything.
async fn world() -> (Observed, String, u64) {
    let world = Observed::start().await;
    let permission = world.permission("publish", "Can publish").await;
    world.group("Readers", &["auth.publish"]).await;
    let admin = token(&world, &world.admin);
    (world, admin, permission.id.0)
}

/// A deletion of the permission in every order with something else.
async fn against_deletion(race: Race<'_>, admin: &str, id: u64) {
    let path = format!("permissions/{id}/");
    let race = race.request(admin, "DELETE", path, Value::Null).await;
    race.explore(async |answers| assert_eq!(status(&answers[1]), 204))
        .await;
}

#[tokio::test]
async fn a_rename_and_a_deletion() {
    let (world, admin, id) = world().await;
    let name = json!({"name": "Can print", "codename": "print"});
    let race = Race::on(&world).request(&admin, "PATCH", format!("permissions/{id}/"), name);
    against_deletion(race.await, &admin, id).await;
}

#[tokio::test]
async fn an_assignment_and_a_deletion() {
    let (world, admin, id) = world().await;
    let ids = json!({"permission_ids": [id, 1]});
    let race = Race::on(&world).request(&admin, "POST", "groups/1/assign_permissions/", ids);
    against_deletion(race.await, &admin, id).await;
}

#[tokio::test]
async fn an_assignment_to_a_group_and_a_deletion() {
    let (world, admin, id) = world().await;
    world.group("Editors", &[]).await;
    let path = format!("permissions/{id}/assign_to_group/");
    let race = Race::on(&world).request(&admin, "POST", path, json!({"group_id": 2}));
    against_deletion(race.await, &admin, id).await;
}

#[tokio::test]
async fn a_new_one_with_the_codename_and_a_deletion() {
    let (world, admin, id) = world().await;
    let new = json!({"name": "New", "codename": "publish", "content_type": "auth.user"});
    let race = Race::on(&world).alike(id + 2, id + 1);
    let race = race.request(&admin, "POST", "permissions/", new);
    against_deletion(race.await, &admin, id).await;
}

#[tokio::test]
async fn two_new_ones_with_one_codename() {
    let (world, admin, id) = world().await;
    let new = |name: &str| json!({"name": name, "codename": "print", "content_type": "auth.user"});
    let race = Race::on(&world).alike(id + 2, id + 1);
    let race = race
        .request(&admin, "POST", "permissions/", new("One"))
        .await;
    let race = race
        .request(&admin, "POST", "permissions/", new("Other"))
        .await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn two_renames() {
    let (world, admin, id) = world().await;
    let path = format!("permissions/{id}/");
    let race = Race::on(&world);
    let race = race
        .request(&admin, "PATCH", &path, json!({"codename": "print"}))
        .await;
    let race = race
        .request(&admin, "PATCH", &path, json!({"name": "Can print"}))
        .await;
    race.explore(async |answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [200, 200]);
    })
    .await;
}
