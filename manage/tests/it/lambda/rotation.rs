//! A rotation of the keys by the command: nobody is logged out, and nobody overwrites what somebody else
//! did.

use aws_sdk_secretsmanager::Client;
use manage::{
    leaked::Witness,
    rotatekey::{accept_all, replace_all, rotate},
};
use rotation::{
    Described, Secret,
    steps::{Lifetimes, PUBLISHED_FOR},
};
use serde_json::{Value, json};
use shared::{
    clock::Clock,
    settings::{Algorithm, Keys},
};
use testkit::{SIGNING_KEY, Server};

use super::{
    keys::{Instance, NOW, OLD, instance, instance_with},
    secrets::Secrets,
};

pub const DAY: i64 = 86_400;
pub const KNOWN: Described = Described {
    algorithm: Algorithm::Hs256,
    lifetimes: Lifetimes {
        refresh: Some(DAY),
        leeway: 0,
        legacy_until: None,
    },
    created: None,
};

async fn step(client: &Client, at: i64, is_forced: bool) -> Result<String, String> {
    let secret = Secret::new(client.clone(), "the-secret");
    let done = rotate(&secret, Some(Algorithm::Es256), KNOWN, NOW + at, is_forced).await;
    done.map(|lines| lines.join(" "))
        .map_err(|error| error.to_string())
}

/// The states of the keys in the secret, by algorithm.
pub fn states(secrets: &Secrets) -> Vec<String> {
    let current = secrets.current();
    let keys = current["keys"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    keys.map(|key| format!("{} {}", text(&key["alg"]), text(&key["state"])))
        .collect()
}

fn algorithm(token: &str) -> Value {
    crate::api::tokens::decoded(token, 0)["alg"].clone()
}

async fn refreshed(instance: &Instance, refresh: &str) -> String {
    let answer = instance
        .post("token/refresh/", json!({"refresh": refresh}))
        .await;
    answer.assert_status(200).field("access")
}

#[tokio::test]
async fn through_all_steps_of_a_rotation_every_token_is_taken_by_every_instance() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let early = instance(&server, &client).await;
    let (old_access, old_refresh) = early.log_in().await;

    let told = step(&client, 0, false).await.unwrap();
    assert!(told.contains("is published"), "{told}");
    assert_eq!(states(&secrets), ["HS256 current", "ES256 next"]);
    let early_step = step(&client, PUBLISHED_FOR - 1, false).await.unwrap_err();
    assert!(early_step.contains("can know key"), "{early_step}");
    assert!(early_step.contains("2030-03-17T19:51:40Z"), "{early_step}");
    let told = step(&client, PUBLISHED_FOR, false).await.unwrap();
    assert!(told.contains("signs from now on"), "{told}");
    assert_eq!(states(&secrets), ["HS256 previous", "ES256 current"]);

    // One has read the secret and one has not: each takes the tokens of the other.
    let late = instance(&server, &client).await;
    let (new_access, new_refresh) = late.log_in().await;
    assert_eq!(algorithm(&old_access), "HS256");
    assert_eq!(algorithm(&new_access), "ES256");
    assert_eq!(late.read_users(&old_access).await, 200);
    assert_eq!(algorithm(&refreshed(&late, &old_refresh).await), "ES256");
    assert_eq!(early.at(10).read_users(&new_access).await, 200);
    assert_eq!(early.verify(&new_refresh).await, 200);
    assert_eq!(early.verify(&old_access).await, 200);

    let gone = PUBLISHED_FOR + 300 + DAY;
    let told = step(&client, gone, false).await.unwrap();
    assert!(told.contains("is dropped"), "{told}");
    assert_eq!(states(&secrets), ["ES256 current"]);
    let last = instance(&server, &client).await;
    assert_eq!(last.verify(&old_refresh).await, 401);
    assert_eq!(last.verify(&new_refresh).await, 200);
}

#[tokio::test]
async fn under_load_no_instance_refuses_a_token_of_another_while_the_keys_are_rotated() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    // Each reads the secret again at other times.
    let mut instances = Vec::new();
    for number in 0..4 {
        let begin = NOW - 80 * number;
        instances.push(instance_with(&server, &client, &[], begin).await);
    }
    let (_, refresh) = instances[0].log_in().await;
    let (publish, promote) = (700, 700 + PUBLISHED_FOR);
    let mut algorithms = Vec::new();
    for time in (0..promote + 800).step_by(100) {
        if time == publish || time == promote {
            step(&client, time, false).await.expect("a step");
        }
        let mut tokens = Vec::new();
        for one in &instances {
            tokens.push(refreshed(one.at(time), &refresh).await);
        }
        for token in &tokens {
            algorithms.push(algorithm(token));
            for one in &instances {
                assert_eq!(one.verify(token).await, 200, "after {time} s");
            }
        }
    }
    algorithms.dedup();
    assert_eq!(states(&secrets), ["HS256 previous", "ES256 current"]);
    assert_eq!(algorithms.first().unwrap(), "HS256");
    assert_eq!(algorithms.last().unwrap(), "ES256");
}

#[tokio::test]
async fn of_two_operators_at_once_the_second_is_told_and_overwrites_nothing() {
    let (secrets, client) = Secrets::start(OLD, "").await;
    secrets.contest();
    let before = secrets.current();
    let told = step(&client, 0, false).await.unwrap_err();
    assert!(told.contains("somebody else changed the secret"), "{told}");
    assert_eq!(secrets.current(), before);
    step(&client, 0, false).await.unwrap();
    assert_eq!(states(&secrets), ["HS256 current", "ES256 next"]);
}

#[tokio::test]
async fn parallel_steps_from_the_same_version_make_one_key() {
    let (secrets, client) = Secrets::start(OLD, "").await;
    let steps = (0..8).map(|_| step(&client, 0, false));
    let done = futures_util::future::join_all(steps).await;
    let (good, bad): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!(good.len(), 1, "{bad:?}");
    assert_eq!(states(&secrets), ["HS256 current", "ES256 next"]);
}

#[tokio::test]
async fn after_a_leak_nothing_that_was_signed_before_is_good() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let before = instance(&server, &client).await;
    let (access, refresh) = before.log_in().await;
    let tag = before.app.keys.tags(NOW).await.tag("session", "7");
    let secret = Secret::new(client.clone(), "the-secret");
    replace_all(&secret, None, NOW).await.unwrap();
    assert_eq!(states(&secrets), ["HS256 current"]);
    let after = instance(&server, &client).await;
    for instance in [&after, before.at(300)] {
        assert_eq!(instance.verify(&access).await, 401);
        assert_eq!(instance.verify(&refresh).await, 401);
        assert!(
            !instance
                .app
                .keys
                .is_tag("session", "7", &tag, NOW + 300)
                .await
        );
    }
    let (access, _) = after.at(300).log_in().await;
    assert_eq!(before.read_users(&access).await, 200);
}

#[tokio::test]
async fn tokens_of_another_services_key_are_accepted_beside_ones_own() {
    const DJANGOS: &str = "djangos-secret-key-of-the-tests-0123456789";
    let server = Server::start().await;
    let (_, client) = Secrets::start(DJANGOS, "").await;
    let (_, refresh) = instance(&server, &client).await.log_in().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let one = instance(&server, &client).await;
    assert_eq!(one.verify(&refresh).await, 401);
    let secret = Secret::new(client.clone(), "the-secret");
    let short = accept_all(&secret, vec!["short".to_owned()])
        .await
        .unwrap_err()
        .to_string();
    assert!(short.contains("shorter than 32 bytes"), "{short}");
    accept_all(&secret, vec![DJANGOS.to_owned()]).await.unwrap();
    assert_eq!(states(&secrets), ["HS256 current", "HS256 previous"]);
    assert_eq!(one.at(20).verify(&refresh).await, 200);
}

#[tokio::test]
async fn a_secret_tells_how_long_tokens_are_good() {
    let (secrets, client) = Secrets::start(OLD, "").await;
    let tags = [
        ("Algorithm", "HS512"),
        ("RefreshTokenLifetime", "600"),
        ("Leeway", "5"),
        ("LegacyTokensUntil", "2030-01-01"),
    ];
    secrets.describe(NOW, &tags);
    let secret = Secret::new(client, "the-secret");
    let Described {
        algorithm,
        lifetimes,
        created,
    } = secret.described().await.unwrap();
    assert_eq!((algorithm, created), (Algorithm::Hs512, Some(NOW)));
    assert_eq!((lifetimes.refresh, lifetimes.leeway), (Some(600), 5));
    assert_eq!(lifetimes.legacy_until, Some(1_893_456_000));
}

#[tokio::test]
async fn a_witness_proves_at_a_service_which_keys_it_takes() {
    let server = Server::start().await;
    let witness = Witness::of(server.base().parse().unwrap()).unwrap();
    let now = Clock::System.now();
    let keys = |key: &str| Keys::hmac(key, &[]).unwrap();
    assert!(witness.takes(&keys(SIGNING_KEY), now).await.unwrap());
    assert!(!witness.takes(&keys(OLD), now).await.unwrap());
    let nowhere = Witness::of("http://127.0.0.1:1".parse().unwrap()).unwrap();
    let told = nowhere
        .takes(&keys(OLD), now)
        .await
        .unwrap_err()
        .to_string();
    assert!(told.starts_with("http://127.0.0.1:1 "), "{told}");
    assert!(!told.contains(OLD), "{told}");
}

#[tokio::test]
async fn keys_of_the_older_form_sign_by_the_stacks_algorithm_after_the_first_step_too() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    secrets.describe(
        NOW,
        &[("Algorithm", "HS512"), ("RefreshTokenLifetime", "86400")],
    );
    let settings = [("ALGORITHM", "HS512")];
    let before = instance_with(&server, &client, &settings, NOW).await;
    let (access, _) = before.log_in().await;
    assert_eq!(algorithm(&access), "HS512");
    let secret = Secret::new(client.clone(), "the-secret");
    let described = secret.described().await.unwrap();
    let done = rotate(&secret, None, described, NOW, false).await;
    done.unwrap();
    assert_eq!(states(&secrets), ["HS512 current", "HS512 next"]);
    let after = instance_with(&server, &client, &settings, NOW).await;
    assert_eq!(after.read_users(&access).await, 200);
}
