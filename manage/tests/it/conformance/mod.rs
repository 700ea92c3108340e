//! The recorded answers of the original service, asked for again.
//!
//! `scenarios/` holds conversations with the Django service this workspace replaces: for each scenario one
//! file of HTTP steps, and beside it a golden file of the answers that came. The test starts a server, plays
//! every scenario against it over TCP and compares every answer; nothing below knows how the server is built.
//!
//! - [`scenario`] reads the files,
//! - [`set_up`] makes what a scenario starts from, and [`play`] sends its steps, as [`content`] writes them,
//! - [`variables`] fills in names, ids and tokens, the hand-signed ones from [`token`],
//! - [`normalise`] takes out of an answer what differs from run to run,
//! - [`post`] takes the mails,
//! - [`compare`] says what is left that differs.

mod compare;
mod content;
mod normalise;
mod play;
mod post;
mod scenario;
mod set_up;
mod token;
mod variables;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use mailer::{From, Mailer, Sender};
use manage::outbox::send_all;
use shared::clock::Clock;
use testkit::{Client, Server, SmtpSink, app, serve};

use play::Outcome;
use post::Post;

/// How many steps were recorded. Written down so that a lost file cannot pass for a passed one.
const RECORDED_STEPS: usize = 1329;

/// A server is asked more than once, as nothing may depend on its being new.
const PASSES: usize = 2;

/// The behaviour of djoser and SimpleJWT where ours is stricter, and the links of the recordings. All requests
/// come from one address, so limits by address are off.
const SETTINGS: [(&str, &str); 12] = [
    ("LOGOUT_ON_PASSWORD_CHANGE", "false"),
    ("REFRESH_TOKEN_GRACE", "0"),
    ("REFRESH_TOKEN_REUSE", "refuse"),
    ("THROTTLE_RATE_REGISTER", ""),
    ("THROTTLE_RATE_MAIL", ""),
    ("THROTTLE_RATE_MAIL_ACCOUNT", ""),
    ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
    ("EMAIL_FRONTEND_SITE_NAME", "Example"),
    ("ACTIVATION_URL", "activate/{uid}/{token}"),
    (
        "PASSWORD_RESET_CONFIRM_URL",
        "password/reset/confirm/{uid}/{token}",
    ),
    (
        "USERNAME_RESET_CONFIRM_URL",
        "username/reset/confirm/{uid}/{token}",
    ),
    ("EMAIL_HOST", "127.0.0.1"),
];

/// The settings of a mode.
fn settings_of(mode: &str) -> &'static [&'static str] {
    match mode {
        "activation" => &["SEND_ACTIVATION_EMAIL"],
        "rotation" => &["ROTATE_REFRESH_TOKENS"],
        "retype" => &[
            "SET_PASSWORD_RETYPE",
            "PASSWORD_RESET_CONFIRM_RETYPE",
            "SET_USERNAME_RETYPE",
            "USERNAME_RESET_CONFIRM_RETYPE",
        ],
        "show_not_found" => &["PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND"],
        "confirmation" => &[
            "SEND_CONFIRMATION_EMAIL",
            "PASSWORD_CHANGED_EMAIL_CONFIRMATION",
            "USERNAME_CHANGED_EMAIL_CONFIRMATION",
        ],
        "last_login" => &["UPDATE_LAST_LOGIN"],
        mode => panic!("no mode {mode}"),
    }
}

/// A service in some modes, that sends its mails as `runserver` does.
async fn in_modes(server: &Server, modes: &BTreeSet<String>) -> (Client, Post, Arc<AtomicI64>) {
    let sink = SmtpSink::start().await;
    let port = sink.port().to_string();
    let mut settings = SETTINGS.to_vec();
    settings.push(("EMAIL_PORT", &port));
    for mode in modes {
        match mode.as_str() {
            "short_timeout" => settings.push(("PASSWORD_RESET_TIMEOUT", "2")),
            mode => settings.extend(settings_of(mode).iter().map(|name| (*name, "true"))),
        }
    }
    let time = Arc::new(AtomicI64::new(Clock::System.now()));
    let clock = Clock::Fixed(Arc::clone(&time));
    let app = app(&server.engine.endpoint(), &settings, clock);
    let sender = Sender::smtp(&app.settings.sender).expect("a sender");
    let from = From::parse(&app.settings.sender.from).expect("an address");
    let links = app.settings.accounts.links.clone().expect("links");
    let mailer = Mailer::new(app.clone(), sender, from, links);
    tokio::spawn(send_all(app.clone(), mailer, Arc::default()));
    let store = server.table.clone();
    (serve(app).await, Post { sink, store }, time)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_answer_is_given_again() {
    let all: BTreeSet<BTreeSet<String>> = scenario::all().into_iter().map(|s| s.modes).collect();
    let mut failures = String::new();
    for pass in 1..=PASSES {
        let mut count = 0;
        for modes in &all {
            let server = Server::start().await;
            server
                .set_password(&server.admin, play::ADMIN_PASSWORD)
                .await;
            server.user("inactive").inactive().await;
            server.user("unusable").hash("!nobody").await;
            let (client, post, time) = in_modes(&server, modes).await;
            let outcomes = play::run(&client, &post, &time, modes).await;
            count += outcomes.len();
            failures += &report(pass, &outcomes);
        }
        assert_eq!(
            count, RECORDED_STEPS,
            "pass {pass} did not compare every recorded step"
        );
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_files_hold_every_recorded_step() {
    let steps: usize = scenario::all().iter().map(|s| s.steps.len()).sum();
    assert_eq!(steps, RECORDED_STEPS);
}

#[test]
fn a_report_names_each_differing_step_and_only_those() {
    let outcome = |step: &str, differences: &[&str]| Outcome {
        scenario: "login".to_owned(),
        step: step.to_owned(),
        request: "POST /api/auth/login/".to_owned(),
        differences: differences.iter().map(|&d| d.to_owned()).collect(),
    };
    assert_eq!(report(1, &[outcome("ok", &[])]), "");

    let blank = outcome("blank", &["status: expected 400, got 200"]);
    let text = report(2, &[outcome("ok", &[]), blank]);
    assert!(text.contains("pass 2: 1 of 2 steps differ"), "{text}");
    assert!(
        text.contains("login / blank (POST /api/auth/login/)\n    status: expected 400, got 200"),
        "{text}"
    );
    assert!(!text.contains("login / ok"), "{text}");
}

/// Every step that differs with its differences; empty when none does.
fn report(pass: usize, outcomes: &[Outcome]) -> String {
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|o| !o.differences.is_empty())
        .collect();
    if failed.is_empty() {
        return String::new();
    }
    let (count, all) = (failed.len(), outcomes.len());
    let mut text = format!("\npass {pass}: {count} of {all} steps differ\n");
    for outcome in failed {
        let Outcome {
            scenario,
            step,
            request,
            ..
        } = outcome;
        text += &format!("  {scenario} / {step} ({request})\n");
        for difference in &outcome.differences {
            text += &format!("    {difference}\n");
        }
    }
    text
}
