//! The recorded answers of the original service, asked for again.
//!
//! `scenarios/` holds conversations with the Django service this workspace replaces: for each scenario one
//! file of HTTP steps, and beside it a golden file of the answers that came. The test starts a server, plays
//! every scenario against it over TCP and compares every answer; nothing below knows how the server is built.
//!
//! - [`scenario`] reads the files,
//! - [`play`] sets a scenario up and sends its steps,
//! - [`variables`] fills in names, ids and tokens, the hand-signed ones from [`token`],
//! - [`normalise`] takes out of an answer what differs from run to run,
//! - [`compare`] says what is left that differs.

mod compare;
mod normalise;
mod play;
mod scenario;
mod token;
mod variables;

use testkit::Server;

use play::Outcome;

/// How many steps were recorded. Written down so that a lost file cannot pass for a passed one.
const RECORDED_STEPS: usize = 605;

/// A server is asked more than once, as nothing may depend on its being new.
const PASSES: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_answer_is_given_again() {
    let server = Server::start().await;
    server.user("inactive").inactive().await;
    let mut failures = String::new();
    for pass in 1..=PASSES {
        let outcomes = play::run(&server).await;
        assert_eq!(
            outcomes.len(),
            RECORDED_STEPS,
            "pass {pass} did not compare every recorded step"
        );
        failures += &report(pass, &outcomes);
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
