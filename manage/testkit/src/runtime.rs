//! The Lambda Runtime API with events to come, and the answers to them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode},
    response::AppendHeaders,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::timeout,
};

/// Far more than anything takes; what hangs must fail rather than stop the run.
const DEADLINE: Duration = Duration::from_secs(60);

/// What the API tells of every request.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        HeaderName::from_static("lambda-runtime-aws-request-id"),
        "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    ),
    (
        HeaderName::from_static("lambda-runtime-deadline-ms"),
        "4102444800000",
    ),
    (
        HeaderName::from_static("lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:eu-west-1:1:function:auth",
    ),
    (
        HeaderName::from_static("lambda-runtime-trace-id"),
        "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
    ),
];

/// The API for one function.
pub struct Runtime {
    /// Where the function reaches it.
    pub address: String,
    events: mpsc::UnboundedSender<Value>,
    answers: mpsc::UnboundedReceiver<Value>,
}

#[derive(Clone)]
struct Queue {
    events: Arc<Mutex<mpsc::UnboundedReceiver<Value>>>,
    answers: mpsc::UnboundedSender<Value>,
}

impl Runtime {
    /// An API on a free port.
    pub async fn start() -> Self {
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
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            events,
            answers,
        }
    }

    /// What the function answers to an event.
    pub async fn ask(&mut self, event: Value) -> Value {
        self.events.send(event).expect("the API runs");
        let answer = timeout(DEADLINE, self.answers.recv()).await;
        answer.expect("in time").expect("an answer")
    }
}

async fn next(
    State(queue): State<Queue>,
) -> (AppendHeaders<[(HeaderName, &'static str); 4]>, String) {
    let event = queue.events.lock().await.recv().await;
    let Some(event) = event else {
        // The test is over: the function waits until it is killed.
        return std::future::pending().await;
    };
    (AppendHeaders(HEADERS), event.to_string())
}

async fn answer(State(queue): State<Queue>, body: String) -> StatusCode {
    let answer = serde_json::from_str(&body).expect("JSON");
    queue.answers.send(answer).expect("a test that waits");
    StatusCode::ACCEPTED
}
