//! Requests over TCP, sent as the recorder sent them.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Far more than any answer takes; a server that hangs must fail the test rather than stop it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends requests to one server.
pub struct Client {
    base: String,
    hyper: Hyper<HttpConnector, Full<Bytes>>,
}

/// An answer, read to its end.
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The media type without its parameters, in lower case.
    pub media: Option<String>,
    /// The body, when the media type and the body itself say that it is JSON.
    pub json: Option<Value>,
}

impl Client {
    /// A client of the server at `base`, as in `http://127.0.0.1:8000`.
    pub fn new(base: &str) -> Self {
        // A connection for each request, as the answers were recorded: a connection that the server gives up
        // while it waits for the next request is not what is tested here.
        let hyper = Hyper::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            hyper,
        }
    }

    /// The answer to one request, or why there is none.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Response, String> {
        let request = self.request(method, path, headers, body)?;
        tokio::time::timeout(TIMEOUT, self.exchange(request))
            .await
            .map_err(|_| format!("no response within {} s", TIMEOUT.as_secs()))?
    }

    /// The answer to a JSON body.
    pub async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        json: &Value,
    ) -> Result<Response, String> {
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(bearer));
        let body = json.to_string().into_bytes();
        self.send("POST", path, &headers, Some(body)).await
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Request<Full<Bytes>>, String> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|e| e.to_string())?;
        // Python's list of what a request target may hold as it is.
        let target = quote(path, "/%?&=+:;,@!$'()*~-._[]");
        let takes_a_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);

        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.base))
            .body(Full::default())
            .map_err(|e| format!("request target {target:?}: {e}"))?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
            // From bytes, as a header may hold more than ASCII.
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|e| e.to_string())?;
            request.headers_mut().insert(name, value);
        }
        if body.is_some() || takes_a_body {
            let length = body.as_ref().map_or(0, Vec::len);
            let own = request.headers_mut().entry(CONTENT_LENGTH);
            own.or_insert_with(|| length.into());
        }
        *request.body_mut() = Full::from(body.unwrap_or_default());
        Ok(request)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response, String> {
        let (head, body) = self
            .hyper
            .request(request)
            .await
            .map_err(|e| format!("no response: {}", chain(&e)))?
            .into_parts();
        let body = body
            .collect()
            .await
            .map_err(|e| format!("half a response: {}", chain(&e)))?
            .to_bytes();
        let media = header(&head.headers, CONTENT_TYPE.as_str())
            .map(|value| {
                let media = value.split(';').next().unwrap_or_default();
                media.trim().to_lowercase()
            })
            .filter(|media| !media.is_empty());
        let is_json = media
            .as_deref()
            .is_some_and(|m| m == "application/json" || m.ends_with("+json"));
        Ok(Response {
            status: head.status.as_u16(),
            json: is_json
                .then(|| serde_json::from_slice(&body).ok())
                .flatten(),
            headers: head.headers,
            body,
            media,
        })
    }
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name)
    }
}

/// The header that carries an access token.
pub fn bearer(token: &str) -> (String, String) {
    ("Authorization".to_owned(), format!("Bearer {token}"))
}

/// Percent-encodes every byte of `text` but the unreserved ones and those in `safe`.
pub fn quote(text: &str, safe: &str) -> String {
    text.bytes()
        .map(|byte| {
            let kept = byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
            if kept || safe.as_bytes().contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// All values of a header in one, so that a header sent twice is not taken for one sent once.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// An error with its causes: hyper's own text alone says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn a_path_is_quoted_as_the_recorder_quoted_it() {
    let target = |path| quote(path, "/%?&=+:;,@!$'()*~-._[]");
    assert_eq!(
        target("/users/1.5/?a=b&c=[d]%20"),
        "/users/1.5/?a=b&c=[d]%20"
    );
    assert_eq!(
        target("/a b/\u{e9}\"<>#/\u{1f600}"),
        "/a%20b/%C3%A9%22%3C%3E%23/%F0%9F%98%80"
    );
    assert_eq!(quote("a/b+c@d ~", ""), "a%2Fb%2Bc%40d%20~");
}
