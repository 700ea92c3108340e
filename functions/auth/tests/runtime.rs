//! The binary under the Lambda Runtime API: what it answers, and the one line that it logs for
//! each request.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

use std::{
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use manage::{
    engine::{Engine, LOOPBACK},
    init, loaddata,
};
use serde_json::{Value, json};
use shared::store::{Store, connect_to};
use tokio::{
    net::TcpListener,
    process::Command,
    sync::{Mutex, mpsc},
    time::timeout,
};

const KEY: &str = "a-signing-key-of-the-tests-0123456789abcdef";
const PASSWORD: &str = "sample-Pass-phrase-1";
/// Far more than anything takes; what hangs must fail rather than stop the run.
const DEADLINE: Duration = Duration::from_secs(60);

/// The Lambda Runtime API with events to come, and the answers to them.
struct Runtime {
    address: String,
    events: mpsc::UnboundedSender<Value>,
    answers: mpsc::UnboundedReceiver<Value>,
}

#[derive(Clone)]
struct Queue {
    events: Arc<Mutex<mpsc::UnboundedReceiver<Value>>>,
    answers: mpsc::UnboundedSender<Value>,
}

impl Runtime {
    async fn start() -> Self {
        let (events, coming) = mpsc::unbounded_channel();
        let (given, answers) = mpsc::unbounded_channel();
        let queue = Queue {
            events: Arc::new(Mutex::new(coming)),
            answers: given,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .with_state(queue);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            events,
            answers,
        }
    }

    async fn ask(&mut self, event: Value) -> Value {
        self.events.send(event).unwrap();
        let answer = timeout(DEADLINE, self.answers.recv()).await;
        answer.expect("in time").expect("an answer")
    }
}

async fn next(State(queue): State<Queue>) -> (HeaderMap, String) {
    let event = queue.events.lock().await.recv().await;
    let Some(event) = event else {
        // The test is over: the function waits until it is killed.
        return std::future::pending().await;
    };
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        ),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:1:function:auth",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        ),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    (headers, event.to_string())
}

async fn answer(State(queue): State<Queue>, body: String) -> StatusCode {
    queue
        .answers
        .send(serde_json::from_str(&body).unwrap())
        .unwrap();
    StatusCode::ACCEPTED
}

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
        .env("AWS_SECRET_ACCESS_KEY", "sample")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A table with the sample users.
async fn table() -> Engine {
    let engine = Engine::memory(LOOPBACK).await.expect("an engine");
    let client = connect_to(&engine.endpoint());
    init::create_table(&client, "users").await.expect("a table");
    let samples = include_str!("../../../events/fixtures/samples.json");
    let store = Store::new(client, "users");
    loaddata::load(&store, samples)
        .await
        .expect("the sample users");
    engine
}

fn event(method: &str, path: &str, body: &Value) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "token=in-the-query",
        "headers": {"content-type": "application/json", "host": "x.example"},
        "requestContext": {
            "http": {"method": method, "path": path},
            "requestId": "KdIsxyz=",
            "stage": "$default",
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    })
}

/// The answers to some events, and everything that the function printed.
async fn run(level: &str, events: &[Value]) -> (Vec<Value>, String, String) {
    let engine = table().await;
    let mut runtime = Runtime::start().await;
    let mut child = binary(&runtime.address)
        .env("TABLE_NAME", "users")
        .env("SIGNING_KEY", KEY)
        .env("METRICS_NAMESPACE", "tests")
        .env("AWS_LAMBDA_LOG_LEVEL", level)
        .env("AWS_ENDPOINT_URL_DYNAMODB", engine.endpoint())
        .spawn()
        .expect("the binary starts");
    let mut answers = Vec::new();
    for event in events {
        answers.push(runtime.ask(event.clone()).await);
    }
    child.start_kill().unwrap();
    let Output { stdout, stderr, .. } = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (answers, text(stdout), text(stderr))
}

fn login(password: &str) -> Value {
    let body = json!({"username": "sample-ann", "password": password});
    event("POST", "/api/auth/login/", &body)
}

/// A line with its latency and its time taken out, which are numbers, and its metrics in order.
fn parsed(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
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
    let lost = event("GET", "/api/auth/secret-in-the-path/", &Value::Null);
    let events = [login(PASSWORD), login("a-wrong-password"), lost];
    let (answers, stdout, stderr) = run("INFO", &events).await;
    let statuses: Vec<_> = answers.iter().map(|answer| &answer["statusCode"]).collect();
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
            "apiRequestId": "KdIsxyz=",
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
    let printed: Vec<Value> = stdout.lines().map(parsed).collect();
    let expected = [
        line(Some("Logins"), "/api/auth/login/", "POST", 200),
        line(Some("FailedLogins"), "/api/auth/login/", "POST", 401),
        line(None, "unmatched", "GET", 404),
    ];
    for (printed, expected) in printed.iter().zip(&expected) {
        assert_eq!(printed, expected);
    }
    assert_eq!((printed.len(), stderr.as_str()), (3, ""));
    let body: Value = serde_json::from_str(answers[0]["body"].as_str().unwrap()).unwrap();
    let secrets = [
        body["access"].as_str().unwrap(),
        body["refresh"].as_str().unwrap(),
        PASSWORD,
        "a-wrong-password",
        "in-the-query",
        "secret-in-the-path",
        KEY,
    ];
    for secret in secrets {
        assert!(!stdout.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn above_info_the_line_of_a_request_is_left_out() {
    let (answers, stdout, stderr) = run("WARN", &[login(PASSWORD)]).await;
    assert_eq!(answers[0]["statusCode"], 200);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""));
}

#[tokio::test]
async fn a_start_without_a_setting_ends_and_names_it() {
    let ended = binary("127.0.0.1:9").env("SIGNING_KEY", KEY).output();
    let ended = timeout(DEADLINE, ended).await.expect("in time").unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("TABLE_NAME is not set"), "{stderr}");
    assert!(!stderr.contains(KEY), "{stderr}");
}
