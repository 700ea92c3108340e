//! What the admin pages see of a browser: it keeps cookies, says where a form comes from,
//! and sends the token that the page had.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    http::{Request, header, request::Builder},
};

use crate::{Answer, Client};

/// A browser on a service. A clone goes on with the same cookies, as a second tab would that
/// learns nothing of the first.
#[derive(Clone)]
pub struct Pages {
    client: Client,
    /// By their names.
    pub cookies: BTreeMap<String, String>,
    /// The token of the last page that had one; a form is sent with it.
    pub token: String,
}

impl Pages {
    /// A browser without cookies.
    pub fn of(client: Client) -> Self {
        Self {
            client,
            cookies: BTreeMap::new(),
            token: String::new(),
        }
    }

    /// The same browser on another service.
    #[must_use]
    pub fn on(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    /// The service's origin.
    pub fn base(&self) -> &str {
        self.client.base()
    }

    /// Loads a page. Redirects are not followed: see [`Self::follow`].
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), "").await
    }

    /// Sends a form of the last page. A field may be there more than once.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token.clone();
        let token = [("csrfmiddlewaretoken", token.as_str())];
        let pairs = token.iter().chain(fields).map(|(name, value)| {
            let (name, value) = (percent_encoded(name), percent_encoded(value));
            format!("{name}={value}")
        });
        let body = pairs.collect::<Vec<_>>().join("&");
        let request = Request::post(path)
            .header(header::ORIGIN, self.base())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    /// Loads the page to which an answer redirects.
    pub async fn follow(&mut self, answer: &Answer) -> Answer {
        self.get(answer.location()).await
    }

    /// Logs in by the form, and loads the front page, whose token the next form needs. The answer
    /// is that of the form.
    pub async fn log_in(&mut self, username: &str, password: &str) -> Answer {
        self.get("/admin/login/").await;
        let fields = [("username", username), ("password", password)];
        let answer = self.post("/admin/login/", &fields).await;
        if answer.status == 302 {
            self.follow(&answer).await;
        }
        answer
    }

    /// Any request, with the cookies.
    pub async fn send(&mut self, mut request: Builder, body: impl Into<Bytes>) -> Answer {
        let pairs = self.cookies.iter();
        let cookies: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = self.client.send(request, body).await;
        self.take(&answer);
        answer
    }

    /// Keeps an answer's cookies and its token.
    fn take(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a cookie");
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = answer.find(r#"name="csrfmiddlewaretoken" value="([^"]+)""#) {
            token.clone_into(&mut self.token);
        }
    }
}

/// A text for a query or a form: everything but letters and digits of ASCII is encoded.
pub fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
