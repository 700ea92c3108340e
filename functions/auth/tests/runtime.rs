//! The binary under the Lambda Runtime API: what it answers, and the one line that it logs for
//! each request.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

use std::process::Command;

use serde_json::{Value, json};
use testkit::{
    Answer, SIGNING_KEY, TABLE,
    events::{answer_of, event},
    process::{Ended, Process, run},
    runtime::Runtime,
    samples,
};

const PASSWORD: &str = "sample-Pass-phrase-1";

fn binary(runtime: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth"));
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime)
        .env("AWS_LAMBDA_FUNCTION_NAME", "auth")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "7")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "sample")
        .env("AWS_SECRET_ACCESS_KEY", "sample");
    command
}

/// The answers to some events, and everything that the function printed.
async fn answers(level: &str, events: &[Value]) -> (Vec<Answer>, Ended) {
    let (engine, _) = samples::service().await;
    let endpoint = engine.endpoint();
    let mut runtime = Runtime::start().await;
    let mut function = Process::start(
        binary(&runtime.address)
            .env("TABLE_NAME", TABLE)
            .env("SIGNING_KEY", SIGNING_KEY)
            .env("METRICS_NAMESPACE", "tests")
            .env("AWS_LAMBDA_LOG_LEVEL", level)
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint.url)
            .env("AWS_ACCESS_KEY_ID", endpoint.access_key),
    );
    let mut answers = Vec::new();
    for event in events {
        answers.push(answer_of(&runtime.ask(event.clone()).await));
    }
    function.kill();
    (answers, function.end())
}

fn login(password: &str) -> Value {
    let body = json!({"username": "sample-ann", "password": password});
    event("POST", "/api/auth/login/?token=in-the-query", None, &body)
}

/// A line without its timestamp.
fn stamped(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    let timestamp = line.as_object_mut().unwrap().shift_remove("timestamp");
    let timestamp = timestamp.unwrap().as_str().unwrap().to_owned();
    assert!(
        timestamp.starts_with("20") && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    assert_eq!(timestamp.find('T'), Some(10), "{timestamp}");
    line
}

/// The line of a request with its latency and its time taken out, which are numbers, and its metrics
/// in order.
fn parsed(line: &str) -> Value {
    let mut line = stamped(line);
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array_mut();
    metrics
        .unwrap()
        .sort_by_key(|metric| metric["Name"].to_string());
    let latency = line["Latency"].take();
    assert!(latency[0].as_f64().unwrap() > 0.0, "{latency}");
    assert!(line["_aws"]["Timestamp"].take().as_u64().unwrap() > 1_700_000_000_000);
    line
}

#[tokio::test]
async fn each_request_is_one_line_with_its_metrics_and_without_its_secrets() {
    let lost = event("GET", "/api/auth/secret-in-the-path/", None, &Value::Null);
    let events = [login(PASSWORD), login("a-wrong-password"), lost];
    let (answers, Ended { stdout, stderr, .. }) = answers("INFO", &events).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 401, 404]);
    let line = |metric: Option<&str>, route: &str, method: &str, status: u16| {
        let latency = json!({"Name": "Latency", "Unit": "Milliseconds"});
        let mut metrics = vec![latency];
        metrics.extend(metric.map(|name| json!({ "Name": name })));
        metrics.sort_by_key(|metric| metric["Name"].to_string());
        let mut line = json!({
            "_aws": {
                "Timestamp": null,
                "CloudWatchMetrics": [
                    {"Namespace": "tests", "Dimensions": [[]], "Metrics": metrics},
                ],
            },
            "Latency": null,
            "level": "INFO",
            "message": "request",
            "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "apiRequestId": "Wxyz=",
            "version": "7",
            "traceId": "1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "method": method,
            "route": route,
            "status": status,
        });
        if let Some(name) = metric {
            line[name] = 1.into();
            line["userId"] = 1002.into();
        }
        line
    };
    let (requests, security): (Vec<&str>, Vec<&str>) =
        stdout.lines().partition(|line| line.contains("_aws"));
    let printed: Vec<Value> = requests.into_iter().map(parsed).collect();
    let expected = [
        line(Some("Logins"), "/api/auth/login/", "POST", 200),
        line(Some("FailedLogins"), "/api/auth/login/", "POST", 401),
        line(None, "unmatched", "GET", 404),
    ];
    for (printed, expected) in printed.iter().zip(&expected) {
        assert_eq!(printed, expected);
    }
    assert_eq!((printed.len(), stderr.as_str()), (3, ""));
    let event = |level: &str, event: &str, message: &str, status: u16| {
        json!({
            "level": level,
            "message": message,
            "event": event,
            "userId": 1002,
            "actor": "anonymous",
            "address": "192.0.2.1",
            "method": "POST",
            "route": "/api/auth/login/",
            "status": status,
            "requestId": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "apiRequestId": "Wxyz=",
            "target": "security",
        })
    };
    let mut good = event("INFO", "login", "a user logged in", 200);
    good["actor"] = "user 1002".into();
    let mut bad = event("WARN", "login.failed", "a login failed", 401);
    bad["reason"] = "wrong_password".into();
    let mut security: Vec<Value> = security.into_iter().map(stamped).collect();
    for line in &mut security {
        // The runtime's, with the same id.
        line.as_object_mut().unwrap().shift_remove("span");
    }
    let sid = security[0].as_object_mut().unwrap().shift_remove("sid");
    assert_eq!(sid.unwrap().as_str().unwrap().len(), 32);
    assert_eq!(security, [good, bad]);
    let secrets = [
        &answers[0].field("access"),
        &answers[0].field("refresh"),
        PASSWORD,
        "a-wrong-password",
        "in-the-query",
        "secret-in-the-path",
        SIGNING_KEY,
    ];
    for secret in secrets {
        assert!(!stdout.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn above_info_the_lines_of_requests_and_of_what_is_no_attack_are_left_out() {
    let (answers, ended) = answers("WARN", &[login(PASSWORD)]).await;
    assert_eq!(answers[0].status, 200);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[tokio::test]
async fn a_failure_is_logged_at_error_whatever_the_level() {
    let mut runtime = Runtime::start().await;
    let mut function = Process::start(
        binary(&runtime.address)
            .env("TABLE_NAME", TABLE)
            .env("SIGNING_KEY", SIGNING_KEY)
            .env("METRICS_NAMESPACE", "tests")
            .env("AWS_LAMBDA_LOG_LEVEL", "ERROR")
            // Where nobody listens.
            .env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    );
    let answer = answer_of(&runtime.ask(login(PASSWORD)).await);
    function.kill();
    let Ended { stdout, stderr, .. } = function.end();
    assert_eq!((answer.status, stderr.as_str()), (503, ""));
    let lines: Vec<Value> = stdout.lines().map(parsed).collect();
    let [line] = &lines[..] else {
        panic!("{stdout}");
    };
    assert_eq!(
        (&line["level"], &line["status"]),
        (&json!("ERROR"), &json!(503))
    );
    assert!(
        line["error"]
            .as_str()
            .unwrap()
            .contains("Connection refused"),
        "{line}"
    );
}

#[test]
fn a_start_without_a_setting_ends_and_names_it() {
    let ended = run(binary("127.0.0.1:9").env("SIGNING_KEY", SIGNING_KEY));
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let stderr = &ended.stderr;
    assert!(stderr.contains("TABLE_NAME is not set"), "{stderr}");
    assert!(!stderr.contains(SIGNING_KEY), "{stderr}");
}
