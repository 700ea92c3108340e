//! Many who register one name, or one address, at the same time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    race::at_once,
    world::{Answer, World, registration},
};

/// Asserts that one of the answers is a 201 and the others are this 400.
fn assert_one_made(answers: &[Answer], refusal: &Value) {
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers
        .iter()
        .filter(|answer| answer.seen() == (400, refusal.clone()))
        .count();
    assert_eq!((made, refused), (1, answers.len() - 1), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_registrations_of_one_username_exactly_one_succeeds() {
    let world = Arc::new(World::start().await);
    let requests = (0..64).map(|number| {
        let body = registration("ann", &format!("ann{number}@example.com"));
        (None, "POST", "users/register/".to_owned(), body)
    });
    let answers = at_once(&world, requests).await;
    assert_one_made(
        &answers,
        &json!({"username": ["A user with that username already exists."]}),
    );
    let id = answers
        .iter()
        .find_map(|answer| answer.body["id"].as_u64())
        .expect("an id");
    let email = answers
        .iter()
        .find_map(|answer| answer.body["email"].as_str())
        .expect("an address");
    assert_only_user_beside_admin(&world, id, "ann", email).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_registrations_of_one_email_address_exactly_one_succeeds() {
    let world = Arc::new(World::start().await);
    let requests = (0..64).map(|number| {
        // The case of an address makes no difference.
        let address = if number % 2 == 0 {
            "ann@example.com"
        } else {
            "Ann@example.com"
        };
        (
            None,
            "POST",
            "users/register/".to_owned(),
            registration(&format!("user{number}"), address),
        )
    });
    let answers = at_once(&world, requests).await;
    assert_one_made(&answers, &json!({"email": ["This field must be unique."]}));
    let id = answers
        .iter()
        .find_map(|answer| answer.body["id"].as_u64())
        .expect("an id");
    let name = answers
        .iter()
        .find_map(|answer| answer.body["username"].as_str())
        .expect("a name");
    assert_only_user_beside_admin(&world, id, name, "ann@example.com").await;
}

/// Asserts that the table holds this user with everything that is his, and nothing of anybody else.
async fn assert_only_user_beside_admin(world: &World, id: u64, name: &str, email: &str) {
    let keys = [
        world.keys(&format!("USER#{id} / ")).await,
        world.keys("USERNAME#").await,
        world.keys("EMAIL#").await,
    ];
    let mut names = vec![
        "USERNAME#admin / USERNAME".to_owned(),
        format!("USERNAME#{name} / USERNAME"),
    ];
    let mut emails = vec![
        "EMAIL#admin@example.com / EMAIL".to_owned(),
        format!("EMAIL#{email} / EMAIL"),
    ];
    names.sort();
    emails.sort();
    assert_eq!(
        keys,
        [
            vec![
                format!("USER#{id} / CREDENTIAL"),
                format!("USER#{id} / PROFILE")
            ],
            names,
            emails
        ]
    );
    // The admin has two items more, as staff and as a superuser.
    assert_eq!(world.keys("USER#").await.len(), 6);
    world.assert_sound().await;
}
