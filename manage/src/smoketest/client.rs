//! Requests to a deployment, and its answers.

use std::{
    error::Error,
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header, uri::Scheme},
};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{self, ResponseFuture, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use shared::telemetry::causes;
use tokio::time::timeout;

use crate::CommandError;

/// As long as API Gateway waits for a function.
const LIMIT: Duration = Duration::from_secs(30);
const MAX_BODY: usize = 1 << 20;
/// How much of an unexpected answer is shown.
const EXCERPT: usize = 120;

/// Where `/api/auth/` and `/admin/` are: scheme, host and perhaps a path, without a slash at the end.
#[derive(Clone, Debug)]
pub struct Address {
    text: String,
    is_https: bool,
}

impl FromStr for Address {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        let uri: Uri = text
            .parse()
            .map_err(|error| CommandError::new(format!("it is no URL: {error}")))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(CommandError::new("it has no https:// or http:// and host"));
        };
        if ![&Scheme::HTTPS, &Scheme::HTTP].contains(&scheme) {
            return Err(CommandError::new("it is neither https:// nor http://"));
        }
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(CommandError::new("it has a query or a user's name"));
        }
        let path = uri.path().trim_end_matches('/');
        let path = path.strip_suffix("/api/auth").unwrap_or(path);
        let path = path.trim_end_matches('/');
        Ok(Self {
            text: format!("{scheme}://{authority}{path}"),
            is_https: *scheme == Scheme::HTTPS,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Sends requests to an address, on one connection as long as that is kept open.
pub struct Client {
    address: Address,
    host: Option<HeaderValue>,
    start: Box<dyn Fn(Request<Body>) -> ResponseFuture + Send + Sync>,
}

/// A whole answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// From the start of the request to the last byte.
    pub time: Duration,
    body: Bytes,
}

/// What a browser adds to a request of a page of this origin.
#[derive(Clone, Copy)]
pub enum FromOrigin<'a> {
    /// To ask whether a POST would be allowed.
    Preflight(&'a HeaderValue),
    /// With the request itself.
    Simple(&'a HeaderValue),
}

impl Client {
    /// A client of that address, which has not connected yet.
    ///
    /// # Errors
    /// This machine has no root certificates.
    pub fn new(address: Address, host: Option<HeaderValue>) -> Result<Self, CommandError> {
        let builder = legacy::Client::builder(TokioExecutor::new());
        let start: Box<dyn Fn(_) -> _ + Send + Sync> = if address.is_https {
            let connector = HttpsConnectorBuilder::new()
                .with_native_roots()
                .map_err(|error| CommandError::new(format!("no root certificates: {error}")))?
                .https_only()
                .enable_http1()
                .build();
            let client = builder.build(connector);
            Box::new(move |request| client.request(request))
        } else {
            // A machine without root certificates will do.
            let client = builder.build(HttpConnector::new());
            Box::new(move |request| client.request(request))
        };
        Ok(Self {
            address,
            host,
            start,
        })
    }

    /// The address of all requests.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// One request, with an empty JSON object where the method has a body.
    ///
    /// # Errors
    /// Why no whole answer came, in one line.
    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        origin: Option<FromOrigin<'_>>,
    ) -> Result<Answer, String> {
        self.exchange(self.request(method, path, origin)?).await
    }

    /// A POST of JSON.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let request = self.request(&Method::POST, path, None)?;
        self.exchange(request.map(|_| Body::from(body.to_string())))
            .await
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, String> {
        let started = Instant::now();
        let answer = async {
            let answer = (self.start)(request).await.map_err(|error| {
                // The outermost one only says that the client failed.
                error.source().map_or_else(|| error.to_string(), causes)
            })?;
            let (head, body) = answer.into_parts();
            let body = to_bytes(Body::new(body), MAX_BODY).await;
            let body = body.map_err(|error| format!("half an answer: {}", causes(&error)))?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                time: started.elapsed(),
                body,
            })
        };
        timeout(LIMIT, answer)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())))
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        origin: Option<FromOrigin<'_>>,
    ) -> Result<Request<Body>, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address));
        if let Some(host) = &self.host {
            request = request.header(header::HOST, host);
        }
        request = match origin {
            None => request,
            Some(FromOrigin::Simple(origin)) => request.header(header::ORIGIN, origin),
            Some(FromOrigin::Preflight(origin)) => request
                .header(header::ORIGIN, origin)
                .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
                .header(
                    header::ACCESS_CONTROL_REQUEST_HEADERS,
                    "authorization,content-type,x-csrftoken",
                ),
        };
        let body = if [Method::POST, Method::PUT, Method::PATCH].contains(method) {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from("{}")
        } else {
            Body::empty()
        };
        request.body(body).map_err(|error| error.to_string())
    }
}

impl Answer {
    /// A header's value, if the answer has it once.
    pub fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// `Null` if the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the body has that text.
    pub fn says(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }

    /// The status and the beginning of the body, in one line.
    pub fn excerpt(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let text: String = body
            .chars()
            .map(|char| if char.is_control() { ' ' } else { char })
            .take(EXCERPT)
            .collect();
        format!("{} {text}", self.status.as_u16())
            .trim_end()
            .to_owned()
    }
}
