//! Passwords: changed, reset, proven.

use serde_json::{Value, json};
use shared::{domain::UserId, mail::links::uid};
use testkit::{NOBODY, Observed, PASSWORD, schedule::Race};

use crate::world::{OTHER, enters, logs_in, session, status, token};

const THIRD: &str = "Vb_4+Zu!mn~Qe";

fn change(current: &str, new: &str) -> Value {
    json!({"current_password": current, "new_password": new})
}

#[tokio::test]
async fn a_new_password_and_a_logout_of_its_session() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let body = json!({"refresh": own.refresh});
    let new = change(PASSWORD, OTHER);
    let race = Race::on(&world).request(own.access.clone(), "POST", "users/set_password/", new);
    let race = race.await.request(NOBODY, "POST", "logout/", body).await;
    race.explore(async |answers| {
        assert!(!enters(&world, &json!(own.access)).await);
        let is_new = status(&answers[0]) == 204;
        assert!(logs_in(&world, "ann", if is_new { OTHER } else { PASSWORD }).await);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_and_an_end_of_all_sessions() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let new = change(PASSWORD, OTHER);
    let race = Race::on(&world).request(own.access.clone(), "POST", "users/set_password/", new);
    let admin = token(&world, &world.admin);
    let race = race
        .await
        .request(admin, "DELETE", "users/2/sessions/", Value::Null)
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert!(!enters(&world, &json!(own.access)).await);
        let is_new = status(&answers[0]) == 204;
        assert!(logs_in(&world, "ann", if is_new { OTHER } else { PASSWORD }).await);
    })
    .await;
}

#[tokio::test]
async fn two_new_passwords_in_one_session() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let race = Race::on(&world);
    let path = "users/set_password/";
    let race = race
        .request(&own.access, "POST", path, change(PASSWORD, OTHER))
        .await;
    let race = race
        .request(&own.access, "POST", path, change(PASSWORD, THIRD))
        .await;
    race.explore(async |answers| {
        let new = [status(&answers[0]) == 204, status(&answers[1]) == 204];
        assert!(new == [true, false] || new == [false, true]);
        assert!(logs_in(&world, "ann", if new[0] { OTHER } else { THIRD }).await);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_and_a_rename() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let new = change(PASSWORD, OTHER);
    let race = Race::on(&world).request(own.access.clone(), "POST", "users/set_password/", new);
    let admin = token(&world, &world.admin);
    let anna = json!({"username": "anna"});
    let race = race.await.request(admin, "PATCH", "users/2/", anna).await;
    race.explore(async |answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [204, 200]);
        assert!(logs_in(&world, "anna", OTHER).await);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_and_a_deactivation() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let new = change(PASSWORD, OTHER);
    let race = Race::on(&world).request(own.access.clone(), "POST", "users/set_password/", new);
    let admin = token(&world, &world.admin);
    let off = json!({"is_active": false});
    let race = race.await.request(admin, "PATCH", "users/2/", off).await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 200);
        assert!(!enters(&world, &json!(own.access)).await);
    })
    .await;
}

/// The link of a mail with a new password for the user 2.
async fn reset(world: &Observed, password: &str) -> Value {
    let id = UserId(2);
    let link = world.link_token(id, None).await;
    json!({"uid": uid(id), "token": link, "new_password": password})
}

#[tokio::test]
async fn two_uses_of_one_link() {
    let world = Observed::start().await;
    world.user("ann").await;
    let path = "users/reset_password_confirm/";
    let race = Race::on(&world);
    let race = race
        .request(NOBODY, "POST", path, reset(&world, OTHER).await)
        .await;
    let race = race
        .request(NOBODY, "POST", path, reset(&world, THIRD).await)
        .await;
    race.explore(async |answers| {
        let new = [status(&answers[0]) == 204, status(&answers[1]) == 204];
        assert!(new == [true, false] || new == [false, true]);
        assert!(logs_in(&world, "ann", if new[0] { OTHER } else { THIRD }).await);
    })
    .await;
}

#[tokio::test]
async fn a_reset_and_a_new_password() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let path = "users/reset_password_confirm/";
    let race = Race::on(&world)
        .request(NOBODY, "POST", path, reset(&world, OTHER).await)
        .await;
    let new = change(PASSWORD, THIRD);
    let race = race
        .request(&own.access, "POST", "users/set_password/", new)
        .await;
    race.explore(async |answers| {
        let new = [status(&answers[0]) == 204, status(&answers[1]) == 204];
        assert!(new == [true, false] || new == [false, true]);
        assert!(logs_in(&world, "ann", if new[0] { OTHER } else { THIRD }).await);
    })
    .await;
}

#[tokio::test]
async fn a_reset_and_a_deletion() {
    let world = Observed::start().await;
    world.user("ann").await;
    let path = "users/reset_password_confirm/";
    let race = Race::on(&world)
        .request(NOBODY, "POST", path, reset(&world, OTHER).await)
        .await;
    let admin = token(&world, &world.admin);
    let race = race.request(admin, "DELETE", "users/2/", Value::Null).await;
    race.explore(async |answers| assert_eq!(status(&answers[1]), 204))
        .await;
}

#[tokio::test]
async fn a_reset_and_a_change_of_the_address() {
    let world = Observed::start().await;
    world.user("ann").await;
    let path = "users/reset_password_confirm/";
    let race = Race::on(&world)
        .request(NOBODY, "POST", path, reset(&world, OTHER).await)
        .await;
    let admin = token(&world, &world.admin);
    let email = json!({"email": "anna@example.com"});
    let race = race.request(admin, "PATCH", "users/2/", email).await;
    race.explore(async |answers| {
        let is_new = status(&answers[0]) == 204;
        assert!(logs_in(&world, "ann", if is_new { OTHER } else { PASSWORD }).await);
    })
    .await;
}
