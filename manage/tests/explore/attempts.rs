//! Attempts to log in: all are counted, and what is set back stays so.

use serde_json::json;
use testkit::{NOBODY, Observed, PASSWORD, schedule::Race};

use crate::world::{OTHER, credentials, session, status};

#[tokio::test]
async fn two_wrong_logins_are_two() {
    let world = Observed::start().await;
    world.user("ann").await;
    let race = Race::on(&world);
    let wrong = || credentials("ann", "wrong");
    let race = race.request(NOBODY, "POST", "login/", wrong()).await;
    let race = race.request(NOBODY, "POST", "login/", wrong()).await;
    race.explore(async |_| {
        // By account and address, by account, by address.
        let items = world.items().await;
        let counts = items.iter().filter(|(key, _)| key.starts_with("ATTEMPTS#"));
        let counts: Vec<_> = counts
            .map(|(_, item)| item["count"].as_n().unwrap())
            .collect();
        assert_eq!(counts, ["2"; 3]);
    })
    .await;
}

#[tokio::test]
async fn of_two_last_attempts_one_is_refused() {
    const LIMIT: &[(&str, &str)] = &[("LOGIN_FAILURE_LIMIT", "1")];
    let world = Observed::with(LIMIT).await;
    world.user("ann").await;
    let race = Race::with(&world, LIMIT);
    let race = race
        .request(NOBODY, "POST", "login/", credentials("ann", "wrong"))
        .await;
    let race = race
        .request(NOBODY, "POST", "login/", credentials("ann", "wrong"))
        .await;
    race.explore(async |answers| {
        let mut statuses = [status(&answers[0]), status(&answers[1])];
        statuses.sort_unstable();
        assert_eq!(statuses, [401, 429]);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_login_and_a_new_password() {
    let world = Observed::start().await;
    let ann = world.user("ann").await;
    let own = session(&world, &ann).await;
    let race = Race::on(&world);
    let race = race
        .request(NOBODY, "POST", "login/", credentials("ann", "wrong"))
        .await;
    let new = json!({"current_password": PASSWORD, "new_password": OTHER});
    let race = race
        .request(own.access, "POST", "users/set_password/", new)
        .await;
    race.explore(async |answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [401, 204]);
    })
    .await;
}
