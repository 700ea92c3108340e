//! A browser, as far as the admin pages see one: it keeps cookies, says where a form comes from,
//! and sends the token that the page had.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, Request, header, request::Builder},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use regex_lite::Regex;
use tokio::time::timeout;

/// Far more than any answer takes; a server that hangs must fail the test rather than stop it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A browser on a service. A clone goes on with the same cookies, as a second tab would that
/// learns nothing of the first.
#[derive(Clone)]
pub struct Pages {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
    /// By their names.
    pub cookies: BTreeMap<String, String>,
    /// The token of the last page that had one; a form is sent with it.
    pub token: String,
}

/// An answer, whether or not it is a page.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Pages {
    /// A browser without cookies on the service at `http://…`.
    pub fn at(base: impl Into<String>) -> Self {
        // A connection for each request, so that none is one that the server is about to close.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Self {
            base: base.into(),
            client,
            cookies: BTreeMap::new(),
            token: String::new(),
        }
    }

    /// The service's origin.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Loads a page. Redirects are not followed: see [`Self::follow`].
    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path), "").await
    }

    /// Sends a form of the last page. A field may be there more than once.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token.clone();
        let token = [("csrfmiddlewaretoken", token.as_str())];
        let pairs = token.iter().chain(fields);
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let request = Request::post(path)
            .header(header::ORIGIN, &self.base)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, pairs.join("&")).await
    }

    /// Loads the page to which an answer redirects.
    pub async fn follow(&mut self, answer: &Page) -> Page {
        self.get(answer.location()).await
    }

    /// Logs in by the form, and loads the front page, whose token the next form needs. The answer
    /// is that of the form.
    pub async fn log_in(&mut self, username: &str, password: &str) -> Page {
        self.get("/admin/login/").await;
        let fields = [("username", username), ("password", password)];
        let answer = self.post("/admin/login/", &fields).await;
        if answer.status == 302 {
            self.follow(&answer).await;
        }
        answer
    }

    /// Any request, with the cookies.
    pub async fn send(&mut self, request: Builder, body: impl Into<Bytes>) -> Page {
        let pairs = self.cookies.iter();
        let cookies: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = match cookies.is_empty() {
            true => request,
            false => request.header(header::COOKIE, cookies.join("; ")),
        };
        let mut request = request.body(Full::new(body.into())).expect("a request");
        let whole = format!("{}{}", self.base, request.uri());
        *request.uri_mut() = whole.parse().expect("an address");
        let answer = timeout(TIMEOUT, self.client.request(request)).await;
        let (parts, body) = answer.expect("in time").expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let page = Page {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        };
        self.take(&page);
        page
    }

    /// Keeps an answer's cookies and its token.
    fn take(&mut self, page: &Page) {
        for line in page.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a cookie");
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = page.find(r#"name="csrfmiddlewaretoken" value="([^"]+)""#) {
            token.clone_into(&mut self.token);
        }
    }
}

impl Page {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where it redirects to.
    #[track_caller]
    pub fn location(&self) -> &str {
        let location = self.header("location");
        location.unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    /// Whether the page has that text, which is written as it is in HTML.
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// What the pattern's group finds first on the page.
    pub fn find(&self, pattern: &str) -> Option<&str> {
        let found = Regex::new(pattern).expect("a pattern").captures(&self.text);
        found?.get(1).map(|part| part.as_str())
    }
}

/// A field's name or value in a form that is sent.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
