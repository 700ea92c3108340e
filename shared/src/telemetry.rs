//! One log line for each request: method, route, status, and how long it took; and one for each
//! security event. Never a token, a password, a body or a query.

mod events;

use std::{
    cell::{Cell, RefCell},
    fmt::Display,
    io::Write,
    net::IpAddr,
    time::Duration,
};

use axum::http::{Method, StatusCode};
use lambda_http::{Context, RequestExt, request::RequestContext};
use metrics::{Unit, counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use serde_json::Value;

use crate::{
    clock::{Clock, rfc3339_of_ms},
    domain::UserId,
};
use events::Origin;
pub use events::{Event, Happening};

tokio::task_local! {
    /// What is known of the current request.
    static CURRENT: Notes;
}

#[derive(Default)]
struct Notes {
    user: Cell<Option<UserId>>,
    events: RefCell<Vec<Happening>>,
    throttles: Cell<u64>,
    slow_calls: Cell<u64>,
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
pub fn note_event(event: impl Into<Happening>) {
    note(|notes| notes.events.borrow_mut().push(event.into()));
}

/// Notes the session that began, which a login of this request gets.
pub fn note_session(sid: &str) {
    note(|notes| {
        let mut events = notes.events.borrow_mut();
        let mut logins = events.iter_mut().filter(|one| one.event == Event::Login);
        if let Some(login) = logins.next_back() {
            login.sid = Some(sid.to_owned());
        }
    });
}

/// Notes that DynamoDB throttled a call, which the SDK tries again.
pub fn note_throttle() {
    note(|notes| notes.throttles.set(notes.throttles.get() + 1));
}

/// Notes that DynamoDB took long over a call.
pub fn note_slow_call() {
    note(|notes| notes.slow_calls.set(notes.slow_calls.get() + 1));
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
    address: Option<IpAddr>,
    /// Whether it is another API's, and this service only authorizes it.
    is_of_another_api: bool,
}

/// An error with its causes, in one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// A path as the log shows it: without the token of a link, with which an account can be taken.
fn shown(path: &str) -> String {
    if !path.starts_with("/account/") {
        return path.to_owned();
    }
    let segments = path.split('/').enumerate();
    let shown = segments.map(|(place, segment)| match segment {
        _ if place < 4 => segment,
        "" => "",
        _ => "*",
    });
    shown.collect::<Vec<_>>().join("/")
}

impl RequestInfo {
    /// Of a request to the service, which comes from that address. Takes the Lambda runtime's context
    /// out of it.
    pub fn of<B>(request: &mut axum::http::Request<B>, address: Option<IpAddr>) -> Self {
        Self {
            method: request.method().clone(),
            path: shown(request.uri().path()),
            context: request.extensions_mut().remove(),
            api_request_id: match request.request_context_ref() {
                Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
                _ => None,
            },
            address,
            is_of_another_api: false,
        }
    }

    /// Of a call of the authorizer by API Gateway.
    pub fn by_gateway(
        method: Method,
        context: Context,
        api_request_id: Option<String>,
        address: Option<IpAddr>,
    ) -> Self {
        Self {
            method,
            path: String::new(),
            context: Some(context),
            api_request_id,
            address,
            is_of_another_api: true,
        }
    }

    /// Writes what happened in it, and what its answer tells of it.
    fn write_events(&self, notes: &Notes, status: StatusCode) {
        let refusal = self.refusal(notes, status);
        notes.events.borrow_mut().extend(refusal);
        let route = notes.route.borrow();
        let origin = Origin {
            address: self.address,
            request_id: self.context.as_ref().map(|context| &*context.request_id),
            api_request_id: self.api_request_id.as_deref(),
            method: self.method.as_str(),
            route: route.as_deref().unwrap_or(UNMATCHED),
            status: status.as_u16(),
        };
        for event in notes.events.borrow().iter() {
            event.write(&origin, notes.user.get());
        }
    }

    /// The refusal that an answer is, unless it was noted.
    fn refusal(&self, notes: &Notes, status: StatusCode) -> Option<Happening> {
        let events = notes.events.borrow();
        let was_noted = |event| events.iter().any(|one| one.event == event);
        let event = match status {
            // To another API this is what a missing or expired token gives, too.
            StatusCode::FORBIDDEN if self.is_of_another_api && notes.user.get().is_none() => {
                return None;
            }
            StatusCode::FORBIDDEN => Event::Refusal,
            StatusCode::TOO_MANY_REQUESTS if !was_noted(Event::ThrottledLogin) => Event::Throttled,
            _ => return None,
        };
        (!was_noted(event)).then(|| event.into())
    }
}

/// The route of a path that has none.
const UNMATCHED: &str = "unmatched";

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
        request.write_events(notes, status);
        let milliseconds = (took.as_secs_f64() * 100_000.0).round() / 100.0;
        match self {
            Self::Lines => write_line(request, notes, status, milliseconds),
            // A failure is logged whatever the level.
            Self::CloudWatch(collector)
                if notes.error.borrow().is_some() || tracing::enabled!(tracing::Level::INFO) =>
            {
                write_metrics(collector, request, notes, status, milliseconds);
            }
            Self::CloudWatch(_) => {}
        }
    }
}

fn write_line(request: &RequestInfo, notes: &Notes, status: StatusCode, milliseconds: f64) {
    let RequestInfo { method, path, .. } = request;
    let (status, user) = (status.as_u16(), notes.user.get().map(|id| id.0));
    let throttles = Some(notes.throttles.get()).filter(|count| *count > 0);
    match notes.error.borrow().as_deref() {
        None => {
            tracing::info!(%method, path, status, milliseconds, user, throttles, "request");
        }
        Some(error) => tracing::error!(
            %method, path, status, milliseconds, user, throttles, error, "request"
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
    let timestamp = rfc3339_of_ms(Clock::System.now_in_ms());
    let slow_calls = Some(notes.slow_calls.get()).filter(|count| *count > 0);
    let version = context.map(|context| context.env_config.version.clone());
    let properties: [(&'static str, Option<Value>); 13] = [
        // Without both of these Lambda takes a line for INFO and drops it above.
        ("timestamp", Some(timestamp.into())),
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
        ("version", version.map(Into::into)),
        ("traceId", context.and_then(trace_id).map(Into::into)),
        ("method", Some(request.method.as_str().into())),
        ("route", Some(route.as_deref().unwrap_or(UNMATCHED).into())),
        ("status", Some(status.as_u16().into())),
        ("userId", notes.user.get().map(|id| id.0.into())),
        ("slowCalls", slow_calls.map(Into::into)),
        ("error", error.as_deref().map(Into::into)),
    ];
    for (name, value) in properties {
        match value {
            Some(value) => collector.set_property(name, value),
            None => collector.remove_property(name),
        };
    }
    histogram!("Latency").record(milliseconds);
    let events = notes.events.borrow();
    for metric in events.iter().filter_map(|one| one.event.metric()) {
        counter!(metric).increment(1);
    }
    if notes.throttles.get() > 0 {
        counter!("Throttles").increment(notes.throttles.get());
    }
    // As one piece: standard output looks for the end of a line in each.
    let mut line = Vec::with_capacity(1024);
    // A closed standard output is no reason to fail.
    let _ = collector.flush(&mut line);
    let _ = std::io::stdout().lock().write_all(&line);
}

/// The trace's own part of X-Ray's header: `Root=1-5759e988-…;Parent=…;Sampled=1`.
fn trace_id(context: &Context) -> Option<String> {
    let header = context.xray_trace_id.as_deref()?;
    let root = header
        .split(';')
        .find_map(|part| part.strip_prefix("Root="));
    Some(root.unwrap_or(header).to_owned())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn the_log_shows_no_token_of_a_link() {
        for (path, in_log) in [
            ("/account/reset/MQ/abc-123/", "/account/reset/MQ/*/"),
            ("/account/activate/MQ/abc-123/x", "/account/activate/MQ/*/*"),
            ("/account/reset/", "/account/reset/"),
            ("/api/auth/users/1/", "/api/auth/users/1/"),
        ] {
            assert_eq!(shown(path), in_log);
        }
    }
}
