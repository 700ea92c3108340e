//! Groups: their members, their names, what they give.

use serde_json::{Value, json};
use testkit::{Observed, schedule::Race};

use crate::world::{status, token};

/// A table with the group 1, and the token of somebody who may do everything.
async fn world() -> (Observed, String) {
    let world = Observed::start().await;
    world.group("Readers", &["auth.view_user"]).await;
    let admin = token(&world, &world.admin);
    (world, admin)
}

/// A deletion of the group 1 in every order with something else.
async fn against_deletion(race: Race<'_>, admin: &str) {
    let race = race
        .request(admin, "DELETE", "groups/1/", Value::Null)
        .await;
    race.explore(async |answers| assert_eq!(status(&answers[1]), 204))
        .await;
}

#[tokio::test]
async fn joining_and_a_deletion() {
    let (world, admin) = world().await;
    world.user("ann").await;
    let groups = json!({"group_ids": [1]});
    let race = Race::on(&world).request(&admin, "POST", "users/2/assign_groups/", groups);
    against_deletion(race.await, &admin).await;
}

#[tokio::test]
async fn an_assignment_of_permissions_and_a_deletion() {
    let (world, admin) = world().await;
    let ids = json!({"permission_ids": [1, 2]});
    let race = Race::on(&world).request(&admin, "POST", "groups/1/assign_permissions/", ids);
    against_deletion(race.await, &admin).await;
}

#[tokio::test]
async fn an_assignment_of_one_permission_and_a_deletion() {
    let (world, admin) = world().await;
    let group = json!({"group_id": 1});
    let race = Race::on(&world).request(&admin, "POST", "permissions/1/assign_to_group/", group);
    against_deletion(race.await, &admin).await;
}

#[tokio::test]
async fn a_removal_of_one_permission_and_a_deletion() {
    let (world, admin) = world().await;
    let id = world.id("auth.view_user").await;
    let path = format!("permissions/{id}/remove_from_group/");
    let race = Race::on(&world).request(&admin, "POST", path, json!({"group_id": 1}));
    against_deletion(race.await, &admin).await;
}

#[tokio::test]
async fn a_rename_and_a_deletion() {
    let (world, admin) = world().await;
    let name = json!({"name": "Editors"});
    let race = Race::on(&world).request(&admin, "PATCH", "groups/1/", name);
    against_deletion(race.await, &admin).await;
}

#[tokio::test]
async fn a_new_group_with_the_name_and_a_deletion() {
    let (world, admin) = world().await;
    let name = json!({"name": "Readers"});
    // A refusal takes no id.
    let race = Race::on(&world).request(&admin, "POST", "groups/", name);
    against_deletion(race.await, &admin).await;
}

#[tokio::test]
async fn two_groups_that_take_each_others_names() {
    let (world, admin) = world().await;
    world.group("Editors", &[]).await;
    let name = |name: &str| json!({ "name": name });
    let race = Race::on(&world);
    let race = race
        .request(&admin, "PATCH", "groups/1/", name("Editors"))
        .await;
    let race = race
        .request(&admin, "PATCH", "groups/2/", name("Writers"))
        .await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn three_assignments_to_one_group() {
    let (world, admin) = world().await;
    let race = Race::on(&world);
    let add = |id: u64| json!({"permission_ids": [id]});
    let path = "groups/1/assign_permissions/";
    let race = race.request(&admin, "POST", path, add(1)).await;
    let race = race.request(&admin, "POST", path, add(2)).await;
    let group = json!({"group_id": 1});
    let race = race
        .request(&admin, "POST", "permissions/3/assign_to_group/", group)
        .await;
    race.explore(async |answers| {
        assert!(
            answers.iter().all(|answer| status(answer) == 200),
            "{answers:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn joining_in_a_form_and_a_deletion() {
    let (world, admin) = world().await;
    world.user("ann").await;
    let browser = world.browser_of("admin").await;
    let race = Race::on(&world).operation(move |service| {
        let mut browser = browser.clone().on(service.client.clone());
        async move {
            let fields = [
                ("action", "add_to_group"),
                ("group", "1"),
                ("post", "yes"),
                ("_selected_action", "2"),
            ];
            testkit::schedule::seen(&browser.post("/admin/auth/user/", &fields).await)
        }
    });
    against_deletion(race.await, &admin).await;
}
