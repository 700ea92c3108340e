//! Those who change others, and are changed themselves meanwhile.

use serde_json::{Value, json};
use shared::domain::User;
use testkit::{
    Observed,
    schedule::{Race, seen},
    user_path,
};

use crate::world::{status, token};

/// Besides `admin` two superusers, so that none of them is the last.
async fn world() -> (Observed, User, User) {
    let world = Observed::start().await;
    let one = world.user("one").staff().superuser().await;
    let other = world.user("other").staff().superuser().await;
    (world, one, other)
}

/// A request by each of two about the other.
async fn about_each_other(method: &'static str, body: Value) {
    let (world, one, other) = world().await;
    let race = Race::on(&world);
    let path = user_path(other.id);
    let race = race
        .request(token(&world, &one), method, path, body.clone())
        .await;
    let path = user_path(one.id);
    let race = race
        .request(token(&world, &other), method, path, body)
        .await;
    race.explore(async |answers| {
        let done = answers.iter().filter(|answer| status(answer) < 300).count();
        assert_eq!(done, 1, "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn of_two_who_demote_each_other_one_does() {
    about_each_other("PATCH", json!({"is_superuser": false})).await;
}

#[tokio::test]
async fn of_two_who_deactivate_each_other_one_does() {
    about_each_other("PATCH", json!({"is_active": false})).await;
}

#[tokio::test]
async fn of_two_who_delete_each_other_one_does() {
    about_each_other("DELETE", Value::Null).await;
}

#[tokio::test]
async fn of_the_last_two_who_demote_each_other_one_does() {
    let world = Observed::start().await;
    let other = world.user("other").staff().superuser().await;
    let demote = json!({"is_superuser": false});
    let race = Race::on(&world);
    let one = token(&world, &world.admin);
    let race = race
        .request(one, "PATCH", user_path(other.id), demote.clone())
        .await;
    let race = race
        .request(token(&world, &other), "PATCH", "users/1/", demote)
        .await;
    race.explore(async |answers| {
        let done = answers
            .iter()
            .filter(|answer| status(answer) == 200)
            .count();
        assert_eq!(done, 1, "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn the_last_two_who_resign() {
    let world = Observed::start().await;
    let other = world.user("other").staff().superuser().await;
    let resign = json!({"is_superuser": false});
    let race = Race::on(&world);
    let one = token(&world, &world.admin);
    let race = race.request(one, "PATCH", "users/1/", resign.clone()).await;
    let race = race
        .request(token(&world, &other), "PATCH", "users/me/", resign)
        .await;
    race.explore(async |answers| {
        let mut statuses = [status(&answers[0]), status(&answers[1])];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400]);
    })
    .await;
}

/// A change of a user by somebody who is changed by another meanwhile.
async fn while_changed(target: &str, method: &'static str, body: Value) {
    let (world, one, _) = world().await;
    let ann = world.user("ann").await;
    let path = match target {
        "ann" => user_path(ann.id),
        _ => user_path(1),
    };
    let new = json!({"first_name": "New"});
    let race = Race::on(&world)
        .request(token(&world, &one), "PATCH", path, new)
        .await;
    let admin = token(&world, &world.admin);
    let race = race.request(admin, method, user_path(one.id), body).await;
    race.explore(async |answers| assert!(status(&answers[1]) < 300))
        .await;
}

#[tokio::test]
async fn a_change_by_somebody_who_is_demoted() {
    while_changed(
        "ann",
        "PATCH",
        json!({"is_superuser": false, "is_staff": false}),
    )
    .await;
}

#[tokio::test]
async fn a_change_by_somebody_who_is_deleted() {
    while_changed("ann", "DELETE", Value::Null).await;
}

#[tokio::test]
async fn a_change_of_a_superuser_by_somebody_who_is_demoted() {
    while_changed("admin", "PATCH", json!({"is_superuser": false})).await;
}

#[tokio::test]
async fn a_change_of_a_superuser_by_somebody_who_is_deactivated() {
    while_changed("admin", "PATCH", json!({"is_active": false})).await;
}

#[tokio::test]
async fn a_change_of_a_superuser_by_somebody_who_is_deleted() {
    while_changed("admin", "DELETE", Value::Null).await;
}

#[tokio::test]
async fn a_form_about_a_superuser_by_somebody_who_is_deleted() {
    let (world, one, other) = world().await;
    let browser = world.browser_of("one").await;
    let selected = other.id.to_string();
    let race = Race::on(&world).operation(move |service| {
        let mut browser = browser.clone().on(service.client.clone());
        let selected = selected.clone();
        async move {
            let fields = [
                ("action", "deactivate"),
                ("post", "yes"),
                ("_selected_action", selected.as_str()),
            ];
            let mut seen = seen(&browser.post("/admin/auth/user/", &fields).await);
            // Where a login leads afterwards is not the point.
            if let Some(("/admin/login/", _)) = seen["body"].as_str().unwrap_or("").split_once('?')
            {
                seen["body"] = "/admin/login/".into();
            }
            seen
        }
    });
    let admin = token(&world, &world.admin);
    let race = race
        .await
        .request(admin, "DELETE", user_path(one.id), Value::Null)
        .await;
    race.explore(async |answers| assert_eq!(status(&answers[1]), 204))
        .await;
}

#[tokio::test]
async fn a_form_by_somebody_who_leaves_the_staff() {
    let world = Observed::start().await;
    let labels = ["auth.view_user", "auth.change_user"];
    let staff = world.staff("staff", &labels).await;
    world.user("ann").await;
    let browser = world.browser_of("staff").await;
    let race = Race::on(&world).operation(move |service| {
        let mut browser = browser.clone().on(service.client.clone());
        async move {
            let fields = [
                ("action", "deactivate"),
                ("post", "yes"),
                ("_selected_action", "3"),
            ];
            seen(&browser.post("/admin/auth/user/", &fields).await)
        }
    });
    let admin = token(&world, &world.admin);
    let leave = json!({"is_staff": false});
    let race = race
        .await
        .request(admin, "PATCH", user_path(staff.id), leave);
    race.await
        .explore(async |answers| assert_eq!(status(&answers[1]), 200))
        .await;
}
