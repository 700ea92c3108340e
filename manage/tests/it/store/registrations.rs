//! Many who register one name, or one address, at the same time.

use serde_json::{Value, json};
use testkit::{Answer, registration};

use super::{race::at_once, world::World};

/// Registers 64 at once; the one who is made, while all others get this 400.
async fn register(world: &World, refusal: Value, bodies: impl Fn(usize) -> Value) -> Answer {
    let register = |body| (None, "POST", "users/register/".to_owned(), body);
    let mut answers = at_once(world, (0..64).map(bodies).map(register)).await;
    answers.sort_by_key(|answer| answer.status);
    let made = answers.remove(0);
    made.assert_status(201);
    for refused in answers {
        refused.assert(400, &refusal);
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_registrations_of_one_username_exactly_one_succeeds() {
    let world = World::start().await;
    let taken = json!({"username": ["A user with that username already exists."]});
    let made = register(&world, taken, |number| {
        registration("ann", &format!("ann{number}@example.com"))
    });
    let made = made.await;
    assert_only_user_beside_admin(&world, made.id(), "ann", &made.field("email")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_registrations_of_one_email_address_exactly_one_succeeds() {
    let world = World::start().await;
    let taken = json!({"email": ["This field must be unique."]});
    let made = register(&world, taken, |number| {
        // The case of an address makes no difference.
        let name = ["ann", "Ann"][number % 2];
        registration(&format!("user{number}"), &format!("{name}@example.com"))
    });
    let made = made.await;
    let name = made.field("username");
    assert_only_user_beside_admin(&world, made.id(), &name, "ann@example.com").await;
}

/// Asserts that the table holds this user with all that belongs to them, and no other.
async fn assert_only_user_beside_admin(world: &World, id: u64, name: &str, email: &str) {
    for (prefix, keys) in [
        (
            format!("USER#{id} / "),
            vec![format!("USER#{id} / PROFILE")],
        ),
        (
            format!("CREDENTIAL#{id} / "),
            vec![format!("CREDENTIAL#{id} / CREDENTIAL")],
        ),
        (
            "USERNAME#".to_owned(),
            vec![
                "USERNAME#admin / USERNAME".to_owned(),
                format!("USERNAME#{name} / USERNAME"),
            ],
        ),
        (
            "EMAIL#".to_owned(),
            vec![
                "EMAIL#admin@example.com / EMAIL".to_owned(),
                format!("EMAIL#{email} / EMAIL"),
            ],
        ),
    ] {
        assert_eq!(world.keys(&prefix).await, keys);
    }
    // The admin has two items more, as staff and as a superuser.
    assert_eq!(world.keys("USER#").await.len(), 4);
    world.assert_sound().await;
}
