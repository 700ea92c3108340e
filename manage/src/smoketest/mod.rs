//! `manage smoketest`: whether a new deployment is wired as it should be. Sends requests that need no
//! account and requests that every function must refuse, and changes nothing.

mod client;
mod cors;
mod probes;

use std::{io::Write, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method};
use clap::Args;

use crate::{CommandError, cors::parse_origin};
pub use client::{Address, Client};
use probes::{Expected, Function, functions};

/// What API Gateway may call `WWW-Authenticate` in the answers of a function.
const RENAMED_CHALLENGE: HeaderName = HeaderName::from_static("x-amzn-remapped-www-authenticate");

/// Options of `smoketest`.
#[derive(Args)]
pub struct Options {
    /// Where the service is, from https:// or http:// on; /api/auth/ at the end may be left out.
    #[arg(value_name = "URL")]
    address: Address,
    /// The Host header to send instead of the address's own, for emulators of API Gateway.
    #[arg(long, value_name = "HOST")]
    host: Option<HeaderValue>,
    /// An origin that must be allowed, or * for any; may be repeated. Others must not be allowed.
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = origin)]
    origins: Vec<HeaderValue>,
    /// Expect the pages of account life, which are there with ACCOUNT_PAGES.
    #[arg(long)]
    account_pages: bool,
    /// Expect no OpenAPI document, as with DisableDocs.
    #[arg(long)]
    no_docs: bool,
}

fn origin(text: &str) -> Result<HeaderValue, CommandError> {
    if text == "*" {
        return Ok(HeaderValue::from_static("*"));
    }
    parse_origin(text)
        .ok_or_else(|| CommandError::new("it is no origin such as https://app.example.com"))
}

/// Asks every route and prints what is wrong, how long the answers took, and the count of checks.
///
/// # Errors
/// A check failed, or nothing answers at that address.
pub async fn smoketest(options: Options) -> Result<(), CommandError> {
    let client = Client::new(options.address, options.host)?;
    // Makes the connection as well, so that its time is not taken for a function's.
    client.send(&Method::GET, "/", None).await.map_err(|why| {
        CommandError::new(format!("nothing answers at {}: {why}", client.address()))
    })?;
    let mut report = Report::default();
    let mut times = Vec::new();
    let functions = functions(options.account_pages, !options.no_docs);
    for function in &functions {
        times.push((function.name, ask(&client, function, &mut report).await));
    }
    cors::check(&client, &functions, &options.origins, &mut report).await;
    print_times(&times);
    if report.is_challenge_renamed {
        print(&format!(
            "\nNote: the gateway renames WWW-Authenticate to {RENAMED_CHALLENGE}."
        ));
    }
    let Report { passed, failed, .. } = report;
    print(&format!("\n{passed} checks passed, {failed} failed"));
    if failed > 0 {
        let checks = passed + failed;
        return Err(CommandError::new(format!(
            "{failed} of {checks} checks failed"
        )));
    }
    Ok(())
}

/// How long a function's answers took, in order; `None` where there was none.
type Times = Vec<Option<Duration>>;

/// Asks all of a function's routes with and without their last slash, which are different routes
/// to API Gateway, and tells how long each answer took.
async fn ask(client: &Client, function: &Function, report: &mut Report) -> Times {
    let mut times = Vec::new();
    for probe in &function.probes {
        let (whole, answers) = (probe.path.as_str(), &probe.answers);
        let moved = Expected::Moved(whole.to_owned());
        for path in [whole, whole.trim_end_matches('/')] {
            for (method, expected) in answers {
                let expected = match probe.redirects && path != whole {
                    true => &moved,
                    false => expected,
                };
                let answer = client.send(method, path, None).await;
                times.push(answer.as_ref().ok().map(|answer| answer.time));
                if let Ok(answer) = &answer {
                    report.is_challenge_renamed |= answer.headers.contains_key(RENAMED_CHALLENGE);
                }
                let checked = answer.and_then(|answer| expected.check(method, &answer));
                report.note(&format!("{method} {path}"), checked);
            }
        }
    }
    times
}

/// How the checks ended so far.
#[derive(Default)]
struct Report {
    passed: usize,
    failed: usize,
    is_challenge_renamed: bool,
}

impl Report {
    /// Counts a check, and prints it if it failed.
    fn note(&mut self, request: &str, checked: Result<(), String>) {
        match checked {
            Ok(()) => self.passed += 1,
            Err(why) => {
                self.failed += 1;
                print(&format!("FAIL {request}: {why}"));
            }
        }
    }
}

/// Prints a line; the exit status still counts when nobody reads it.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The first answer of a function is of a cold one, unless it was called not long before.
fn print_times(times: &[(&str, Times)]) {
    print(&format!(
        "{:<12} {:>13} {:>13}",
        "function", "cold call, ms", "warm call, ms"
    ));
    for (name, times) in times {
        let first = milliseconds(times.first().copied().flatten());
        let later = milliseconds(median(times.get(1..).unwrap_or_default()));
        print(&format!("{name:<12} {first:>13} {later:>13}"));
    }
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| format!("{:.1}", time.as_secs_f64() * 1000.0),
    )
}

fn median(times: &[Option<Duration>]) -> Option<Duration> {
    let mut times: Vec<Duration> = times.iter().flatten().copied().collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
