//! Whether the time of an answer tells who has an account: the median of 200 requests for a mail to a
//! known, an unknown and an inactive account, and one whose password is unusable, in turns, while the
//! mailer sends what is owed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mailer::{From, Mailer, Sender};
use manage::outbox::send_all;
use serde_json::json;
use testkit::{NOBODY, Server, SmtpSink};

/// Requests for each account.
const TRIES: usize = 200;
const ACCOUNTS: [&str; 4] = ["known", "unknown", "inactive", "unusable"];

#[tokio::main]
async fn main() {
    let sink = SmtpSink::start().await;
    let port = sink.port().to_string();
    let server = Server::with(&[
        ("THROTTLE_RATE_MAIL", "1000000/hour"),
        ("THROTTLE_RATE_MAIL_ACCOUNT", "1000000/hour"),
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
        ("USERNAME_RESET_CONFIRM_URL", "rename/{uid}/{token}"),
        ("ACTIVATION_URL", "activate/{uid}/{token}"),
        ("SEND_ACTIVATION_EMAIL", "true"),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", &port),
    ])
    .await;
    server.user("known").await;
    server.user("inactive").inactive().await;
    server.user("unusable").hash("!nobody").await;
    let app = server.app.clone();
    let sender = Sender::smtp(&app.settings.sender).expect("a sender");
    let from = From::parse(&app.settings.sender.from).expect("an address");
    let links = app.settings.accounts.links.clone().expect("links");
    let mailer = Mailer::new(app.clone(), sender, from, links);
    tokio::spawn(send_all(app, mailer, Arc::default()));
    println!(
        "{:<20} {:>10} {:>12} {:>10}",
        "route", "account", "median, ms", "ratio"
    );
    for route in ["reset_password", "reset_username", "resend_activation"] {
        let path = format!("users/{route}/");
        let mut times = vec![Vec::with_capacity(TRIES); ACCOUNTS.len()];
        for _ in 0..TRIES {
            for (account, times) in ACCOUNTS.iter().zip(&mut times) {
                let body = json!({"email": format!("{account}@example.com")});
                let started = Instant::now();
                let answer = server.post(NOBODY, &path, body).await;
                times.push(started.elapsed());
                assert_eq!(answer.status, 204, "{answer:?}");
            }
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        for (account, median) in ACCOUNTS.iter().zip(&medians) {
            let ratio = median / medians[0];
            println!("{route:<20} {account:>10} {median:>12.2} {ratio:>10.3}");
        }
    }
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
