//! Many clients do what chance tells them, on a table with faults by chance, beside a model of what must
//! be true: nothing acknowledged is lost, nothing refused is done, no answer is a 500, and what was
//! answered 503 can be sent again.
//!
//! `SECONDS`, `CLIENTS` and `SEED` are read from the environment. With `ONE_AT_A_TIME` the clients take
//! turns, so that a seed does the same again.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

mod account;
mod client;
mod person;
mod rights;
mod sessions;

use std::{
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use testkit::{Server, chaos::Chaos};
use tokio::task::JoinSet;

use client::Client;

/// Groups that nobody changes: some users join more of them than one transaction can hold.
const CROWD: u64 = 130;

fn variable<T: FromStr>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: {text}")),
        Err(_) => usual,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_so_and_what_is_refused_is_not_whatever_the_table_does() {
    let seed = variable("SEED", rand::random_range(0..1_000_000));
    let clients = variable("CLIENTS", 8);
    let takes_turns = std::env::var("ONE_AT_A_TIME").is_ok();
    println!("SEED={seed} CLIENTS={clients}, with ONE_AT_A_TIME=1 the same again");
    let rotates = if seed % 2 == 1 { "true" } else { "false" };
    let settings = [
        ("ROTATE_REFRESH_TOKENS", rotates),
        // No token expires meanwhile.
        ("ACCESS_TOKEN_LIFETIME", "86400"),
        ("REFRESH_TOKEN_LIFETIME", "864000"),
        // A refresh whose answer was lost is sent again.
        ("REFRESH_TOKEN_GRACE", "3600"),
        ("UPDATE_LAST_LOGIN", "true"),
        ("LOGIN_FAILURE_LIMIT", "1000000"),
        ("LOGIN_FAILURE_LIMIT_PER_ACCOUNT", "1000000"),
        ("LOGIN_FAILURE_LIMIT_PER_ADDRESS", "1000000"),
        ("THROTTLE_RATE_MAIL", "1000000/hour"),
        ("THROTTLE_RATE_MAIL_ACCOUNT", "1000000/hour"),
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ];
    let chaos = Chaos::of(seed).harsh();
    let (server, proxy) = Server::under(chaos, &settings).await;
    for number in 1..=CROWD {
        server.group(&format!("crowd {number}"), &[]).await;
    }
    let world = Arc::new(client::World::of(server, &settings).await);
    let end = Instant::now() + Duration::from_secs(variable("SECONDS", 25));
    let clients = (0..clients).map(|number| Client::new(Arc::clone(&world), seed, number));
    let clients = match takes_turns {
        true => take_turns(clients.collect(), end).await,
        false => at_once(clients, end).await,
    };
    let mut sum = client::Counts::default();
    for mut client in clients {
        client.look_at_everything().await;
        sum.add(&client.counts);
    }
    let faults = proxy.chaos().map(Chaos::counts);
    println!("{sum:?}\nfaults: {faults:?}");
    world.server.assert_sound().await;
}

async fn take_turns(mut clients: Vec<Client>, end: Instant) -> Vec<Client> {
    while Instant::now() < end {
        for client in &mut clients {
            client.step().await;
        }
    }
    clients
}

async fn at_once(clients: impl Iterator<Item = Client>, end: Instant) -> Vec<Client> {
    let mut running: JoinSet<Client> = clients
        .map(|mut client| async move {
            while Instant::now() < end {
                client.step().await;
            }
            client
        })
        .collect();
    let mut done = Vec::new();
    while let Some(client) = running.join_next().await {
        done.push(client.expect("a client that sees only what is true"));
    }
    done
}
