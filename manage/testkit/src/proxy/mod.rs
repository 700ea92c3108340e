//! A proxy on loopback between the SDK's client and the engine. It records every call as it goes
//! over the wire and injects what the engine never does of itself.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_LENGTH, HOST, HeaderName},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use shared::aws::LocalEndpoint;
use tokio::{net::TcpListener, sync::Barrier, time::sleep};

use crate::chaos::Chaos;

mod calls;

pub use calls::{Call, is_change, is_write, round_trips};

/// The checksum of an answer, which no longer fits one that the proxy changed.
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");

/// What the proxy does to a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The call met another one: a transaction is cancelled by this reason (`TransactionConflict`,
    /// `ThrottlingError`, …), a single write gets a `TransactionConflictException`.
    Cancelled(&'static str),
    /// Refused with this status and this code.
    Refused(u16, &'static str),
    /// Carried out, but the connection closes without an answer.
    LostAnswer,
    /// The connection closes before anything is done.
    LostRequest,
    /// A batch of which the second half stays unprocessed; of a single key, all.
    Unprocessed,
    /// Held until others have come this far too, then carried out.
    Meet(Arc<Barrier>),
    /// Held until another lets it go, then carried out, and answered when the other has learned that.
    Turn(Arc<Barrier>),
    /// Carried out after so long.
    Slow(Duration),
    /// Nothing is done, and nothing answered for so long.
    Silence(Duration),
    /// Carried out, but nothing is answered for so long.
    LateAnswer(Duration),
    /// Carried out after the first time, whether or not anybody waits for it, and nothing answered for
    /// the second.
    LateRequest(Duration, Duration),
    /// Answered with this.
    Again(Bytes),
}

type Rule = Box<dyn Fn(&str, &Value) -> Option<Fault> + Send + Sync>;

/// A running proxy.
#[derive(Clone)]
pub struct Proxy {
    endpoint: LocalEndpoint,
    shared: Arc<Shared>,
}

struct Shared {
    engine: String,
    client: Client<HttpConnector, Full<Bytes>>,
    calls: Mutex<Vec<Call>>,
    rule: Mutex<Rule>,
    chaos: Option<Chaos>,
}

/// Makes hyper close the connection without an answer.
#[derive(Debug)]
struct NoAnswer;

impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is lost on purpose")
    }
}

impl std::error::Error for NoAnswer {}

impl Proxy {
    /// A proxy in front of the engine at that endpoint.
    pub async fn start(engine: LocalEndpoint) -> Self {
        Self::with(engine, None).await
    }

    /// A proxy that besides its rule makes faults by chance.
    pub async fn with(engine: LocalEndpoint, chaos: Option<Chaos>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let endpoint = LocalEndpoint {
            url: format!("http://{address}"),
            access_key: engine.access_key,
        };
        let shared = Arc::new(Shared {
            engine: engine.url,
            client: Client::builder(TokioExecutor::new()).build_http(),
            calls: Mutex::default(),
            rule: Mutex::new(Box::new(|_, _| None)),
            chaos,
        });
        let proxy = Self {
            endpoint,
            shared: Arc::clone(&shared),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| Arc::clone(&shared).pass(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        proxy
    }

    /// Where clients reach the engine through the proxy.
    pub fn endpoint(&self) -> LocalEndpoint {
        self.endpoint.clone()
    }

    /// From now on every call for which `rule` gives a fault has it. The rule sees the operation
    /// and the request.
    pub fn inject(&self, rule: impl Fn(&str, &Value) -> Option<Fault> + Send + Sync + 'static) {
        *self.shared.rule.lock().expect("the rule") = Box::new(rule);
    }

    /// Only the first call that `which` picks has the fault.
    pub fn inject_once(
        &self,
        fault: Fault,
        which: impl Fn(&str, &Value) -> bool + Send + Sync + 'static,
    ) {
        let done = AtomicBool::new(false);
        self.inject(move |operation, request| {
            (which(operation, request) && !done.swap(true, Ordering::SeqCst)).then(|| fault.clone())
        });
    }

    /// The faults that it makes by chance.
    pub fn chaos(&self) -> Option<&Chaos> {
        self.shared.chaos.as_ref()
    }

    /// Passes everything on again.
    pub fn heal(&self) {
        self.inject(|_, _| None);
    }

    /// The calls since the last time, in the order of their ends.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.calls.lock().expect("the calls"))
    }
}

impl Shared {
    async fn pass(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, NoAnswer> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
        let request: Value = serde_json::from_slice(&body).map_err(|_| NoAnswer)?;
        let target = parts
            .headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok());
        let operation = target
            .and_then(|target| target.rsplit('.').next())
            .unwrap_or_default()
            .to_owned();
        let fault = (self.rule.lock().expect("the rule"))(&operation, &request);
        let fault = fault.or_else(|| self.by_chance(&parts, &operation, &request));
        let answer = match fault {
            None => Some(self.forward(&parts, &operation, &request).await),
            Some(Fault::Cancelled(reason)) => Some(cancelled(&operation, &request, reason)),
            Some(Fault::Refused(status, code)) => Some(refused(status, code)),
            Some(Fault::LostRequest) => None,
            Some(Fault::LostAnswer) => {
                self.forward(&parts, &operation, &request).await;
                None
            }
            Some(Fault::Unprocessed) => Some(self.half(&parts, &request).await),
            Some(Fault::Meet(others)) => {
                others.wait().await;
                Some(self.forward(&parts, &operation, &request).await)
            }
            Some(Fault::Turn(other)) => {
                other.wait().await;
                let answer = self.forward(&parts, &operation, &request).await;
                other.wait().await;
                Some(answer)
            }
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                Some(self.forward(&parts, &operation, &request).await)
            }
            Some(Fault::Silence(time)) => {
                sleep(time).await;
                None
            }
            Some(Fault::LateAnswer(time)) => {
                self.forward(&parts, &operation, &request).await;
                sleep(time).await;
                None
            }
            Some(Fault::LateRequest(late, time)) => {
                let (proxy, parts) = (Arc::clone(&self), parts.clone());
                let (operation, request) = (operation.clone(), request.clone());
                tokio::spawn(async move {
                    sleep(late).await;
                    proxy.forward(&parts, &operation, &request).await;
                });
                sleep(time).await;
                None
            }
            Some(Fault::Again(body)) => Some(answered(200, body)),
        };
        let response = answer
            .as_ref()
            .and_then(|answer| serde_json::from_slice(answer.body()).ok());
        let response = response.unwrap_or(Value::Null);
        let call = Call {
            operation,
            request,
            response,
            started,
            ended: Instant::now(),
        };
        self.calls.lock().expect("the calls").push(call);
        answer.map(|answer| answer.map(Full::new)).ok_or(NoAnswer)
    }

    /// What chance does to a call. Its tries have a name in common.
    fn by_chance(&self, parts: &Parts, operation: &str, request: &Value) -> Option<Fault> {
        let header = parts.headers.get("amz-sdk-invocation-id");
        let invocation = header.and_then(|id| id.to_str().ok());
        let token = request["ClientRequestToken"].as_str();
        let name = token.or(invocation).unwrap_or_default();
        self.chaos.as_ref()?.fault(operation, request, name)
    }

    /// Has the engine carry out a call, and say what it costs.
    async fn forward(&self, parts: &Parts, operation: &str, request: &Value) -> Response<Bytes> {
        let asked = request;
        let mut request = request.clone();
        if is_write(operation) || matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan")
        {
            request["ReturnConsumedCapacity"] = "TOTAL".into();
        }
        let mut forwarded = Request::post(&self.engine);
        for (name, value) in &parts.headers {
            if name != HOST && name != CONTENT_LENGTH {
                forwarded = forwarded.header(name, value);
            }
        }
        let body = Full::new(Bytes::from(request.to_string()));
        let answer = self
            .client
            .request(forwarded.body(body).expect("a request"))
            .await
            .expect("an answer");
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove(CRC32);
        let body = body.collect().await.expect("a body").to_bytes();
        if let Some(chaos) = &self.chaos {
            chaos.keep(asked, &body);
        }
        Response::from_parts(parts, body)
    }

    /// Carries out the first half of a batch and leaves the rest unprocessed.
    async fn half(&self, parts: &Parts, request: &Value) -> Response<Bytes> {
        let mut request = request.clone();
        let mut unprocessed = json!({});
        let tables = request["RequestItems"]
            .as_object_mut()
            .expect("a BatchGetItem");
        for (table, wanted) in tables.iter_mut() {
            let keys = wanted["Keys"].as_array_mut().expect("keys");
            let rest = keys.split_off(keys.len() / 2);
            unprocessed[table] = json!({"Keys": rest, "ConsistentRead": true});
        }
        tables.retain(|_, wanted| {
            wanted["Keys"]
                .as_array()
                .is_some_and(|keys| !keys.is_empty())
        });
        let mut found = json!({"Responses": {}});
        if !tables.is_empty() {
            let answer = self.forward(parts, "BatchGetItem", &request).await;
            found = serde_json::from_slice(answer.body()).expect("an answer");
        }
        found["UnprocessedKeys"] = unprocessed;
        answer(200, &found)
    }
}

fn cancelled(operation: &str, request: &Value, reason: &str) -> Response<Bytes> {
    if operation != "TransactWriteItems" {
        return refused(400, "TransactionConflictException");
    }
    // The last of the items met another write.
    let items = request["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({"Code": "None"}); items];
    reasons[items - 1] = json!({"Code": reason, "Message": "Injected."});
    answer(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
            "CancellationReasons": reasons,
        }),
    )
}

fn refused(status: u16, code: &str) -> Response<Bytes> {
    let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
    answer(status, &json!({"__type": code, "message": "Injected."}))
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    answered(status, Bytes::from(body.to_string()))
}

fn answered(status: u16, body: Bytes) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(body)
        .expect("an answer")
}
