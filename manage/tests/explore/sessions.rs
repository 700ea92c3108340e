//! Sessions: what goes on with them and what ends them.

use serde_json::{Value, json};
use shared::domain::User;
use testkit::{Account, NOBODY, Observed, PASSWORD, schedule::Race};

use crate::world::{OTHER, credentials, enters, goes_on, logs_in, session, status, token};

const ROTATES: &[(&str, &str)] = &[("ROTATE_REFRESH_TOKENS", "True")];

/// A service that rotates refresh tokens, with a user who has a session.
async fn world() -> (Observed, User, Account) {
    let world = Observed::with(ROTATES).await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    (world, ann, own)
}

/// A refresh of a session, to run against something.
async fn refreshing<'a>(world: &'a Observed, own: &Account) -> Race<'a> {
    let body = json!({"refresh": own.refresh});
    Race::with(world, ROTATES)
        .request(NOBODY, "POST", "token/refresh/", body)
        .await
}

/// Asserts that nothing of a session lets anybody in any more, with what a refresh answered.
async fn assert_ended(world: &Observed, own: &Account, refreshed: &Value) {
    assert!(!enters(world, &json!(own.access)).await);
    assert!(!goes_on(world, &own.refresh).await);
    assert!(!enters(world, &refreshed["body"]["access"]).await);
    if let Some(next) = refreshed["body"]["refresh"].as_str() {
        assert!(!goes_on(world, next).await);
    }
}

#[tokio::test]
async fn a_rotation_and_a_logout() {
    let (world, _, own) = world().await;
    let body = json!({"refresh": own.refresh});
    let race = refreshing(&world, &own).await;
    let race = race.request(NOBODY, "POST", "logout/", body).await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 200);
        assert_ended(&world, &own, &answers[0]).await;
    })
    .await;
}

#[tokio::test]
async fn a_rotation_and_a_blacklisting() {
    let (world, _, own) = world().await;
    let body = json!({"refresh": own.refresh});
    let race = refreshing(&world, &own).await;
    let race = race.request(NOBODY, "POST", "token/blacklist/", body).await;
    race.explore(async |_| assert!(!goes_on(&world, &own.refresh).await))
        .await;
}

#[tokio::test]
async fn two_rotations_of_one_token() {
    let (world, _, own) = world().await;
    let race = refreshing(&world, &own).await;
    let body = json!({"refresh": own.refresh});
    let race = race.request(NOBODY, "POST", "token/refresh/", body).await;
    race.explore(async |answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [200, 200]);
        assert_eq!(answers[0]["body"]["refresh"], answers[1]["body"]["refresh"]);
    })
    .await;
}

#[tokio::test]
async fn a_rotation_and_an_end_of_the_session_by_another() {
    let (world, ann, own) = world().await;
    let other = session(&world, &ann).await;
    let race = refreshing(&world, &own).await;
    let race = race
        .request(other.access.clone(), "DELETE", "sessions/", Value::Null)
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert_ended(&world, &own, &answers[0]).await;
        assert!(enters(&world, &json!(other.access)).await);
    })
    .await;
}

#[tokio::test]
async fn a_rotation_and_an_end_of_all_sessions() {
    let (world, _, own) = world().await;
    let admin = token(&world, &world.admin);
    let race = refreshing(&world, &own).await;
    let race = race
        .request(admin, "DELETE", "users/2/sessions/", Value::Null)
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert_ended(&world, &own, &answers[0]).await;
    })
    .await;
}

#[tokio::test]
async fn a_rotation_and_a_deactivation() {
    let (world, _, own) = world().await;
    let admin = token(&world, &world.admin);
    let race = refreshing(&world, &own).await;
    let off = json!({"is_active": false});
    let race = race.request(admin, "PATCH", "users/2/", off).await;
    race.explore(async |answers| assert_ended(&world, &own, &answers[0]).await)
        .await;
}

#[tokio::test]
async fn a_rotation_and_a_new_password() {
    let (world, ann, own) = world().await;
    let other = session(&world, &ann).await;
    let race = refreshing(&world, &own).await;
    let new = json!({"current_password": PASSWORD, "new_password": OTHER});
    let race = race
        .request(other.access.clone(), "POST", "users/set_password/", new)
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert_ended(&world, &own, &answers[0]).await;
        assert!(enters(&world, &json!(other.access)).await);
    })
    .await;
}

#[tokio::test]
async fn a_login_and_an_end_of_all_sessions() {
    let (world, _, own) = world().await;
    let race = Race::with(&world, ROTATES);
    let login = credentials("ann", PASSWORD);
    let race = race.request(NOBODY, "POST", "login/", login).await;
    let admin = token(&world, &world.admin);
    let race = race
        .request(admin, "DELETE", "users/2/sessions/", Value::Null)
        .await;
    race.explore(async |answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [200, 204]);
        assert!(!enters(&world, &json!(own.access)).await);
    })
    .await;
}

#[tokio::test]
async fn a_login_with_the_old_password_and_a_new_one() {
    let (world, _, own) = world().await;
    let race = Race::with(&world, ROTATES);
    let login = credentials("ann", PASSWORD);
    let race = race.request(NOBODY, "POST", "login/", login).await;
    let new = json!({"current_password": PASSWORD, "new_password": OTHER});
    let race = race
        .request(own.access.clone(), "POST", "users/set_password/", new)
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert!(!enters(&world, &answers[0]["body"]["access"]).await);
        assert!(enters(&world, &json!(own.access)).await);
        assert!(logs_in(&world, "ann", OTHER).await);
    })
    .await;
}

#[tokio::test]
async fn a_login_with_the_new_password_and_that_password() {
    let (world, _, own) = world().await;
    let race = Race::with(&world, ROTATES);
    let login = credentials("ann", OTHER);
    let race = race.request(NOBODY, "POST", "login/", login).await;
    let new = json!({"current_password": PASSWORD, "new_password": OTHER});
    let race = race
        .request(own.access.clone(), "POST", "users/set_password/", new)
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        let begun = status(&answers[0]) == 200;
        assert_eq!(enters(&world, &answers[0]["body"]["access"]).await, begun);
    })
    .await;
}

#[tokio::test]
async fn two_sessions_that_end_each_other() {
    let (world, ann, own) = world().await;
    let other = session(&world, &ann).await;
    let race = Race::with(&world, ROTATES);
    let race = race
        .request(own.access.clone(), "DELETE", "sessions/", Value::Null)
        .await;
    let race = race
        .request(other.access.clone(), "DELETE", "sessions/", Value::Null)
        .await;
    race.explore(async |_| {
        let left = [
            enters(&world, &json!(own.access)).await,
            enters(&world, &json!(other.access)).await,
        ];
        assert!(left == [true, false] || left == [false, true], "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn a_logout_and_an_end_of_the_others() {
    let (world, ann, own) = world().await;
    session(&world, &ann).await;
    let race = Race::with(&world, ROTATES);
    let body = json!({"refresh": own.refresh});
    let race = race.request(NOBODY, "POST", "logout/", body).await;
    let race = race
        .request(own.access.clone(), "DELETE", "sessions/", Value::Null)
        .await;
    race.explore(async |_| assert!(!enters(&world, &json!(own.access)).await))
        .await;
}
