//! `manage status`: what runs behind the alias of every function of a stack.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use aws_sdk_cloudwatchlogs::types::{QueryStatus, ResultField};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput as Configuration;
use clap::Args;
use futures_util::future::try_join_all;
use shared::clock::Clock;

use crate::{
    CommandError,
    stack::{Function, LIVE, Stack, Target, failed},
};

/// What the functions' logs are asked. A line of a request with `error`, and a call that Lambda had to
/// end, are errors.
const QUERY: &str = r#"fields strcontains(level, "ERROR") as failed,
    strcontains(record.status, "error") as crashed, strcontains(record.status, "timeout") as late
| stats count(record.metrics.initDurationMs) as starts, sum(failed) as failures,
    sum(crashed) as crashes, sum(late) as timeouts, sum(slowCalls) as slow"#;
/// How far back the logs are read, in seconds.
const BACK: i64 = 3600;
/// How often, and how many times, the answer of the logs is asked for.
const PAUSE: Duration = Duration::from_millis(500);
const LOOKS: u32 = 60;

/// Options of `status`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
}

/// What the logs tell of a function.
#[derive(Clone, Copy, Default)]
struct Hour {
    starts: u64,
    errors: u64,
    slow: u64,
}

/// Shows what runs.
///
/// # Errors
/// The stack does not exist, or AWS's failure.
pub async fn status(options: Options) -> Result<(), CommandError> {
    let stack = Stack::of(&options.target).await?;
    println!("The stack is {}.", stack.status().await?);
    let mut shown = Vec::new();
    for function in stack.functions().await? {
        let (live, latest) = tokio::try_join!(
            stack.configuration(&function, LIVE),
            stack.configuration(&function, "$LATEST")
        )?;
        shown.push((function, live, latest));
    }
    let groups: BTreeSet<String> = shown
        .iter()
        .map(|(function, live, _)| log_group(function, live))
        .collect();
    let hours = last_hour(&stack, groups).await;
    for (function, live, latest) in &shown {
        println!("{}", heading(function, live));
        for line in differences(live, latest) {
            println!("  {line}");
        }
        if let Ok(hours) = &hours {
            let hour = hours.get(&log_group(function, live)).copied().flatten();
            let told = hour.map_or_else(
                || "no log group".to_owned(),
                |Hour {
                     starts,
                     errors,
                     slow,
                 }| {
                    format!(
                        "{starts} cold start(s), {errors} error(s), {slow} slow DynamoDB call(s)"
                    )
                },
            );
            println!("  last hour: {told}");
        }
    }
    hours.map(drop)
}

fn heading(function: &Function, live: &Configuration) -> String {
    let version = live.version().unwrap_or_default();
    let since = live.last_modified().unwrap_or_default();
    let shifting = function.shifting().map(|(version, weight)| {
        format!(
            ", {:.0} % of requests go to version {version}",
            weight * 100.0
        )
    });
    let shifting = shifting.unwrap_or_default();
    format!(
        "{}: version {version}, published {since}{shifting}",
        function.resource
    )
}

/// What the version behind the alias runs with and what is configured, where they differ.
fn differences(live: &Configuration, latest: &Configuration) -> Vec<String> {
    let variables = |of: &Configuration| {
        let variables = of.environment().and_then(|all| all.variables());
        let mut variables = variables.cloned().unwrap_or_default();
        variables.remove(OF_SAM);
        variables
    };
    let (runs, configured) = (variables(live), variables(latest));
    let names: BTreeSet<&String> = runs.keys().chain(configured.keys()).collect();
    let pairs = names.into_iter().map(|name| {
        let value = |of: &HashMap<String, String>| of.get(name).map(|value| safe(name, value));
        (
            name.as_str(),
            value(&runs),
            value(&configured),
            runs.get(name) != configured.get(name),
        )
    });
    let number = |value: Option<i32>| value.map(|value| value.to_string());
    let others = [
        (
            "memory (MiB)",
            number(live.memory_size),
            number(latest.memory_size),
        ),
        ("timeout (s)", number(live.timeout), number(latest.timeout)),
    ];
    let others = others.map(|(name, runs, wanted)| {
        let differs = runs != wanted;
        (name, runs, wanted, differs)
    });
    let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    let mut lines: Vec<String> = pairs
        .chain(others)
        .filter(|(.., differs)| *differs)
        .map(|(name, runs, wanted, _)| {
            format!(
                "{name}: runs with {}, configured {}",
                shown(runs),
                shown(wanted)
            )
        })
        .collect();
    if live.code_sha256() != latest.code_sha256() {
        lines.push("code: another than the last one deployed".to_owned());
    }
    lines
}

/// By this variable SAM sees that a parameter changed; what a function reads has variables of its own.
const OF_SAM: &str = "PARAMETERS";

/// A variable's value, unless it may be a secret itself.
fn safe(name: &str, value: &str) -> String {
    let is_secret = ["KEY", "SECRET"].iter().any(|part| name.contains(part));
    if is_secret && !name.ends_with("_ARN") {
        "(not shown)".to_owned()
    } else {
        format!("\"{value}\"")
    }
}

fn log_group(function: &Function, configuration: &Configuration) -> String {
    let logging = configuration.logging_config();
    let group = logging.and_then(|logging| logging.log_group());
    group.map_or_else(|| format!("/aws/lambda/{}", function.name), str::to_owned)
}

/// What the logs of the last hour tell of each function; none without a log group.
async fn last_hour(
    stack: &Stack,
    groups: BTreeSet<String>,
) -> Result<HashMap<String, Option<Hour>>, CommandError> {
    let hours = try_join_all(groups.iter().map(|group| hour_of(stack, group))).await?;
    Ok(groups.into_iter().zip(hours).collect())
}

async fn hour_of(stack: &Stack, group: &str) -> Result<Option<Hour>, CommandError> {
    let now = Clock::System.now();
    let query = stack.logs.start_query().log_group_name(group);
    let started = query
        .start_time(now - BACK)
        .end_time(now)
        .query_string(QUERY)
        .send()
        .await;
    let started = match started {
        Ok(started) => started,
        // A function that was never called may have none yet.
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed("query the logs", &error)),
    };
    let id = started.query_id.unwrap_or_default();
    for _ in 0..LOOKS {
        let answer = stack.logs.get_query_results().query_id(&id).send().await;
        let answer = answer.map_err(|error| failed("read the logs", &error))?;
        match answer.status() {
            Some(QueryStatus::Complete) => {
                let row = answer.results.unwrap_or_default().into_iter().next();
                return Ok(Some(row.map(|row| hour(&row)).unwrap_or_default()));
            }
            Some(QueryStatus::Scheduled | QueryStatus::Running) => {}
            other => {
                let status = other.map_or("without a status", QueryStatus::as_str);
                return Err(CommandError::new(format!(
                    "the query of the logs is {status}"
                )));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(CommandError::new("the query of the logs takes too long"))
}

fn hour(row: &[ResultField]) -> Hour {
    let value = |name: &str| {
        let field = row.iter().find(|field| field.field() == Some(name))?;
        field.value()
    };
    let count = |name: &str| value(name).and_then(|text| text.parse::<f64>().ok());
    // The counts are whole numbers, which a sum writes as 3 or as 3.0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = |name: &str| count(name).unwrap_or_default() as u64;
    Hour {
        starts: count("starts"),
        errors: count("failures") + count("crashes") + count("timeouts"),
        slow: count("slow"),
    }
}
