//! Users: their names, their end, what is changed of them.

use serde_json::{Value, json};
use testkit::{NOBODY, Observed, PASSWORD, registration, schedule::Race};

use crate::world::{credentials, enters, logs_in, session, status, token};

/// That a request for a user and a deletion of the user 2 at the same time are as if one came first.
async fn against_deletion(world: &Observed, race: Race<'_>) {
    let admin = token(world, &world.admin);
    let race = race.request(admin, "DELETE", "users/2/", Value::Null).await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert!(
            world
                .table
                .user(shared::domain::UserId(2))
                .await
                .unwrap()
                .is_none()
        );
        assert!(!enters(world, &answers[0]["body"]["access"]).await);
        assert!(!logs_in(world, "ann", PASSWORD).await);
    })
    .await;
}

#[tokio::test]
async fn a_rename_and_a_deletion() {
    let world = Observed::start().await;
    world.user("ann").await;
    let new = json!({"username": "anna", "email": "anna@example.com"});
    let admin = token(&world, &world.admin);
    let race = Race::on(&world).request(admin, "PATCH", "users/2/", new);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn a_change_of_oneself_and_a_deletion() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let new = json!({"username": "anna", "email": "anna@example.com"});
    let race = Race::on(&world).request(own.access, "PATCH", "users/me/", new);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn a_login_and_a_deletion() {
    let world = Observed::start().await;
    world.user("ann").await;
    let login = credentials("ann", PASSWORD);
    let race = Race::with(&world, &[("UPDATE_LAST_LOGIN", "True")]);
    let race = race.request(NOBODY, "POST", "login/", login);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn a_refresh_with_rotation_and_a_deletion() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let race = Race::with(&world, &[("ROTATE_REFRESH_TOKENS", "True")]);
    let refresh = json!({"refresh": own.refresh});
    let race = race.request(NOBODY, "POST", "token/refresh/", refresh);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn a_note_of_use_and_a_deletion() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    world.pass(2 * 3600);
    let refresh = json!({"refresh": own.refresh});
    let race = Race::on(&world).request(NOBODY, "POST", "token/refresh/", refresh);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn an_assignment_of_groups_and_a_deletion() {
    let world = Observed::start().await;
    world.user("ann").await;
    world.group("Readers", &["auth.view_user"]).await;
    let admin = token(&world, &world.admin);
    let groups = json!({"group_ids": [1]});
    let race = Race::on(&world).request(admin, "POST", "users/2/assign_groups/", groups);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn a_new_password_and_a_deletion() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let new = json!({"current_password": PASSWORD, "new_password": crate::world::OTHER});
    let race = Race::on(&world).request(own.access, "POST", "users/set_password/", new);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn an_end_of_sessions_and_a_deletion() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    session(&world, &ann).await;
    let admin = token(&world, &world.admin);
    let race = Race::on(&world).request(admin, "DELETE", "users/2/sessions/", Value::Null);
    against_deletion(&world, race.await).await;
}

#[tokio::test]
async fn two_deletions() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    session(&world, &ann).await;
    let admin = token(&world, &world.admin);
    let race = Race::on(&world)
        .request(&admin, "DELETE", "users/2/", Value::Null)
        .await;
    let race = race.request(admin, "DELETE", "users/2/", Value::Null).await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn a_deletion_and_the_deletion_of_oneself() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let proof = json!({"current_password": PASSWORD});
    let admin = token(&world, &world.admin);
    let race = Race::on(&world)
        .request(own.access, "DELETE", "users/me/", proof)
        .await;
    let race = race.request(admin, "DELETE", "users/2/", Value::Null).await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn two_registrations_with_one_name() {
    let world = Observed::start().await;
    let body = |email: &str| registration("ann", email);
    let race = Race::on(&world).alike(3, 2);
    let race = race
        .request(NOBODY, "POST", "users/register/", body("a@example.com"))
        .await;
    let race = race
        .request(NOBODY, "POST", "users/register/", body("b@example.com"))
        .await;
    race.explore(async |answers| {
        let mut statuses = [status(&answers[0]), status(&answers[1])];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400]);
    })
    .await;
}

#[tokio::test]
async fn two_registrations_with_one_address() {
    let world = Observed::start().await;
    let race = Race::on(&world).alike(3, 2);
    let one = registration("ann", "Ann@example.com");
    let race = race.request(NOBODY, "POST", "users/register/", one).await;
    let other = registration("bob", "ann@example.com");
    let race = race.request(NOBODY, "POST", "users/register/", other).await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn a_registration_and_a_rename_to_the_same_name() {
    let world = Observed::start().await;
    world.user("ann").await;
    let admin = token(&world, &world.admin);
    let anna = json!({"username": "anna"});
    let race = Race::on(&world)
        .request(admin, "PATCH", "users/2/", anna)
        .await;
    let body = registration("anna", "anna@example.com");
    let race = race.request(NOBODY, "POST", "users/register/", body).await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn two_who_take_each_others_names() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let bob = world.user("bob").await;
    let name = |name: &str| json!({ "username": name });
    let race = Race::on(&world);
    let race = race
        .request(token(&world, &ann), "PATCH", "users/2/", name("bob"))
        .await;
    let race = race
        .request(token(&world, &bob), "PATCH", "users/3/", name("bert"))
        .await;
    let admin = token(&world, &world.admin);
    let race = race
        .request(admin, "PATCH", "users/2/", json!({"last_name": "Smith"}))
        .await;
    race.explore(async |_| {}).await;
}

#[tokio::test]
async fn two_changes_of_one_user() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    world.group("Readers", &[]).await;
    let admin = token(&world, &world.admin);
    let own = json!({"username": "anna", "first_name": "Anna"});
    let race = Race::on(&world)
        .request(token(&world, &ann), "PATCH", "users/me/", own)
        .await;
    let groups = json!({"group_ids": [1]});
    let race = race
        .request(admin, "POST", "users/2/assign_groups/", groups)
        .await;
    race.explore(async |answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [200, 200]);
    })
    .await;
}

#[tokio::test]
async fn a_login_and_a_deactivation() {
    let world = Observed::start().await;
    world.user("ann").await;
    let login = credentials("ann", PASSWORD);
    let race = Race::on(&world)
        .request(NOBODY, "POST", "login/", login)
        .await;
    let admin = token(&world, &world.admin);
    let race = race
        .request(admin, "PATCH", "users/2/", json!({"is_active": false}))
        .await;
    race.explore(async |answers| {
        assert_eq!(status(&answers[1]), 200);
        assert!(!enters(&world, &answers[0]["body"]["access"]).await);
        // Nor do they once they are active again.
        let admin = token(&world, &world.admin);
        let again = world
            .patch(&admin, "users/2/", json!({"is_active": true}))
            .await;
        again.assert_status(200);
        assert!(!enters(&world, &answers[0]["body"]["access"]).await);
    })
    .await;
}

#[tokio::test]
async fn a_change_of_oneself_and_a_deactivation() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let new = json!({"username": "anna"});
    let race = Race::on(&world)
        .request(own.access, "PATCH", "users/me/", new)
        .await;
    let admin = token(&world, &world.admin);
    let race = race
        .request(admin, "PATCH", "users/2/", json!({"is_active": false}))
        .await;
    race.explore(async |answers| assert_eq!(status(&answers[1]), 200))
        .await;
}

#[tokio::test]
async fn a_login_and_a_rename() {
    let world = Observed::start().await;
    world.user("ann").await;
    let race = Race::on(&world);
    let login = credentials("ann", PASSWORD);
    let race = race.request(NOBODY, "POST", "login/", login).await;
    let admin = token(&world, &world.admin);
    let anna = json!({"username": "anna"});
    let race = race.request(admin, "PATCH", "users/2/", anna).await;
    race.explore(async |answers| {
        let begun = status(&answers[0]) == 200;
        assert_eq!(enters(&world, &answers[0]["body"]["access"]).await, begun);
    })
    .await;
}

#[tokio::test]
async fn a_registration_and_a_deletion_that_frees_the_name() {
    let world = Observed::start().await;
    world.user("ann").await;
    let body = registration("ann", "ann@example.com");
    let race = Race::on(&world).request(NOBODY, "POST", "users/register/", body);
    let admin = token(&world, &world.admin);
    let race = race.await.request(admin, "DELETE", "users/2/", Value::Null);
    race.await
        .explore(async |answers| assert_eq!(status(&answers[1]), 204))
        .await;
}
