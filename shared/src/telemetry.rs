//! One log line for each request: method, route, status, and how long it took. Never a token, a
//! password, a body or a query.

use std::{
    cell::{Cell, RefCell},
    fmt::Display,
    time::Duration,
};

use axum::http::{Method, StatusCode};
use lambda_http::{Context, RequestExt, request::RequestContext};
use metrics::{Unit, counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use serde_json::Value;

use crate::domain::UserId;

/// The events that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A login that gave tokens.
    Login,
    /// A login that was refused.
    FailedLogin,
    /// A login that was refused unchecked, after too many failed ones.
    ThrottledLogin,
    /// A new account by registration.
    Registration,
    /// A refresh token that gave an access token.
    Refresh,
    /// A refresh token that was replaced and is used again.
    RefreshReuse,
}

impl Event {
    fn metric(self) -> &'static str {
        match self {
            Self::Login => "Logins",
            Self::FailedLogin => "FailedLogins",
            Self::ThrottledLogin => "ThrottledLogins",
            Self::Registration => "Registrations",
            Self::Refresh => "Refreshes",
            Self::RefreshReuse => "RefreshReuse",
        }
    }
}

tokio::task_local! {
    /// What is known of the current request.
    static CURRENT: Notes;
}

#[derive(Default)]
struct Notes {
    user: Cell<Option<UserId>>,
    event: Cell<Option<Event>>,
    throttles: Cell<u64>,
    route: RefCell<Option<String>>,
    error: RefCell<Option<String>>,
}

/// Outside of a request, as in a command, this does nothing.
fn note(write: impl FnOnce(&Notes)) {
    let _ = CURRENT.try_with(write);
}

/// Notes the caller.
pub fn note_user(id: UserId) {
    note(|notes| notes.user.set(Some(id)));
}

/// Notes what happened.
pub fn note_event(event: Event) {
    note(|notes| notes.event.set(Some(event)));
}

/// Notes that DynamoDB throttled a call, which the SDK tries again.
pub fn note_throttle() {
    note(|notes| notes.throttles.set(notes.throttles.get() + 1));
}

/// Notes why a request failed that was not at fault.
pub fn note_error(error: impl Display) {
    note(|notes| *notes.error.borrow_mut() = Some(error.to_string()));
}

/// Notes the route that a path matched.
pub fn note_route(route: &str) {
    note(|notes| *notes.route.borrow_mut() = Some(route.to_owned()));
}

/// What is logged of a request.
pub struct RequestInfo {
    method: Method,
    path: String,
    context: Option<Context>,
    api_request_id: Option<String>,
}

impl RequestInfo {
    /// Of a request to the service.
    pub fn of<B>(request: &axum::http::Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            context: request.lambda_context_ref().cloned(),
            api_request_id: match request.request_context_ref() {
                Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
                _ => None,
            },
        }
    }

    /// Of a call of the authorizer by API Gateway.
    pub fn by_gateway(method: Method, context: Context, api_request_id: Option<String>) -> Self {
        Self {
            method,
            path: String::new(),
            context: Some(context),
            api_request_id,
        }
    }
}

/// Logs requests, in the form that the place where the service runs needs.
#[derive(Clone)]
pub enum Reporter {
    /// A readable line by `tracing`.
    Lines,
    /// A line of JSON in CloudWatch's embedded metric format: the line is the log, and CloudWatch
    /// takes the metrics from it. For a function, which has one request at a time.
    CloudWatch(&'static Collector),
}

impl Reporter {
    /// Metrics in this namespace of CloudWatch. Once in a process.
    ///
    /// # Errors
    /// Another one was made before.
    pub fn cloudwatch(namespace: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let collector = Builder::new()
            .cloudwatch_namespace(namespace.to_owned())
            .init()?;
        describe_histogram!("Latency", Unit::Milliseconds, "");
        Ok(Self::CloudWatch(collector))
    }

    /// Answers a request and logs it: `answer` gives the response, its status, and the time that it
    /// took.
    pub async fn tell<R>(
        &self,
        request: RequestInfo,
        answer: impl Future<Output = (R, StatusCode, Duration)>,
    ) -> R {
        let told = async {
            let (response, status, took) = answer.await;
            CURRENT.with(|notes| self.write(&request, notes, status, took));
            response
        };
        CURRENT.scope(Notes::default(), told).await
    }

    fn write(&self, request: &RequestInfo, notes: &Notes, status: StatusCode, took: Duration) {
        let milliseconds = (took.as_secs_f64() * 100_000.0).round() / 100.0;
        match self {
            Self::Lines => write_line(request, notes, status, milliseconds),
            Self::CloudWatch(collector) if tracing::enabled!(tracing::Level::INFO) => {
                write_metrics(collector, request, notes, status, milliseconds);
            }
            Self::CloudWatch(_) => {}
        }
    }
}

fn write_line(request: &RequestInfo, notes: &Notes, status: StatusCode, milliseconds: f64) {
    let RequestInfo { method, path, .. } = request;
    let (status, user) = (status.as_u16(), notes.user.get().map(|id| id.0));
    let event = notes.event.get().map(Event::metric);
    let throttles = Some(notes.throttles.get()).filter(|count| *count > 0);
    match notes.error.borrow().as_deref() {
        None => {
            tracing::info!(%method, path, status, milliseconds, user, event, throttles, "request");
        }
        Some(error) => tracing::error!(
            %method, path, status, milliseconds, user, event, throttles, error, "request"
        ),
    }
}

/// The path itself is left out, since a client may have put a secret there.
fn write_metrics(
    collector: &Collector,
    request: &RequestInfo,
    notes: &Notes,
    status: StatusCode,
    milliseconds: f64,
) {
    let error = notes.error.borrow();
    let route = notes.route.borrow();
    let context = request.context.as_ref();
    let properties: [(&'static str, Option<Value>); 11] = [
        (
            "level",
            Some(if error.is_some() { "ERROR" } else { "INFO" }.into()),
        ),
        ("message", Some("request".into())),
        (
            "requestId",
            context.map(|context| context.request_id.clone().into()),
        ),
        (
            "apiRequestId",
            request.api_request_id.clone().map(Into::into),
        ),
        ("traceId", context.and_then(trace_id).map(Into::into)),
        // An alarm looks at a new version's lines alone.
        (
            "version",
            context.map(|context| context.env_config.version.clone().into()),
        ),
        ("method", Some(request.method.as_str().into())),
        (
            "route",
            Some(route.as_deref().unwrap_or("unmatched").into()),
        ),
        ("status", Some(status.as_u16().into())),
        ("userId", notes.user.get().map(|id| id.0.into())),
        ("error", error.as_deref().map(Into::into)),
    ];
    for (name, value) in properties {
        match value {
            Some(value) => collector.set_property(name, value),
            None => collector.remove_property(name),
        };
    }
    histogram!("Latency").record(milliseconds);
    if let Some(event) = notes.event.get() {
        counter!(event.metric()).increment(1);
    }
    counter!("Throttles").increment(notes.throttles.get());
    // A closed standard output is no reason to fail.
    let _ = collector.flush(std::io::stdout().lock());
}

/// The trace's own part of X-Ray's header: `Root=1-5759e988-…;Parent=…;Sampled=1`.
fn trace_id(context: &Context) -> Option<String> {
    let header = context.xray_trace_id.as_deref()?;
    let root = header
        .split(';')
        .find_map(|part| part.strip_prefix("Root="));
    Some(root.unwrap_or(header).to_owned())
}
