//! Mails and their links: owed to who it is about, good once.

use serde_json::{Value, json};
use shared::{domain::UserId, mail::links::uid};
use testkit::{NOBODY, Observed, registration, schedule::Race};

use crate::world::{status, token};

const MAILS: &[(&str, &str)] = &[
    ("SEND_ACTIVATION_EMAIL", "True"),
    ("SEND_CONFIRMATION_EMAIL", "True"),
    ("PASSWORD_CHANGED_EMAIL_CONFIRMATION", "True"),
    ("EMAIL_FRONTEND_DOMAIN", "shop.example"),
    ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ("USERNAME_RESET_CONFIRM_URL", "name/{uid}/{token}"),
    ("ACTIVATION_URL", "activate/{uid}/{token}"),
    ("EMAIL_BACKEND", "smtp"),
    ("DEFAULT_FROM_EMAIL", "shop@shop.example"),
];

/// Somebody who has registered, and the body that activates them.
async fn waiting() -> (Observed, Value) {
    let world = Observed::with(MAILS).await;
    let body = registration("ann", "ann@example.com");
    let made = world.post(NOBODY, "users/register/", body).await;
    made.assert_status(201);
    let id = UserId(made.id());
    let link = world.link_token(id, None).await;
    (world, json!({"uid": uid(id), "token": link}))
}

#[tokio::test]
async fn two_activations_by_one_link() {
    let (world, link) = waiting().await;
    let race = Race::with(&world, MAILS);
    let race = race
        .request(NOBODY, "POST", "users/activation/", link.clone())
        .await;
    let race = race
        .request(NOBODY, "POST", "users/activation/", link)
        .await;
    race.explore(async |answers| {
        let mut statuses = [status(&answers[0]), status(&answers[1])];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 403]);
    })
    .await;
}

#[tokio::test]
async fn an_activation_and_a_deletion() {
    let (world, link) = waiting().await;
    let race = Race::with(&world, MAILS);
    let race = race
        .request(NOBODY, "POST", "users/activation/", link)
        .await;
    let admin = token(&world, &world.admin);
    let race = race.request(admin, "DELETE", "users/2/", Value::Null).await;
    race.explore(async |answers| assert_eq!(status(&answers[1]), 204))
        .await;
}

#[tokio::test]
async fn a_confirmation_of_an_address_and_a_registration_with_it() {
    let world = Observed::with(MAILS).await;
    let ann = world.user("ann").await;
    let own = token(&world, &ann);
    let new = json!({"email": "new@example.com"});
    world.patch(&own, "users/me/", new).await.assert_status(200);
    let link = world.link_token(ann.id, Some("new@example.com")).await;
    let body = json!({"uid": uid(ann.id), "token": link});
    let race = Race::with(&world, MAILS);
    let race = race
        .request(NOBODY, "POST", "users/activation/", body)
        .await;
    let registered = registration("bob", "new@example.com");
    let race = race
        .request(NOBODY, "POST", "users/register/", registered)
        .await;
    race.explore(async |_| {}).await;
}
