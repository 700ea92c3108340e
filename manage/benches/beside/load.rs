//! What is asked, and who asks it.

use std::sync::Arc;

use reqwest::{Client, header};
use serde_json::{Value, json};
use testkit::PASSWORD;
use tokio::task::JoinSet;

use crate::server::Server;

/// A request.
#[derive(Clone)]
pub struct Asked {
    path: &'static str,
    /// The access token, or an empty text.
    token: String,
    /// `Null` for a GET.
    body: Value,
}

impl Asked {
    /// The login of the user.
    pub fn login() -> Self {
        Self::login_of("ann", PASSWORD)
    }

    /// A login.
    pub fn login_of(username: &str, password: &str) -> Self {
        let body = json!({"username": username, "password": password});
        Self::post("login/", "", body)
    }

    /// The user's own profile.
    pub fn profile(server: &Server) -> Self {
        let token = server.access.clone();
        let (path, body) = ("users/2/", Value::Null);
        Self { path, token, body }
    }

    /// All groups, by an admin.
    pub fn groups(server: &Server) -> Self {
        let token = server.admin.clone();
        let (path, body) = ("groups/", Value::Null);
        Self { path, token, body }
    }

    /// A new access token of the user.
    pub fn refresh(server: &Server) -> Self {
        Self::post("token/refresh/", "", json!({ "refresh": server.refresh }))
    }

    /// A POST.
    pub fn post(path: &'static str, token: &str, body: Value) -> Self {
        Self {
            path,
            token: token.to_owned(),
            body,
        }
    }

    /// The answer, which must be a good one.
    pub async fn send(&self, client: &Client, base: &str) -> Value {
        let url = format!("{base}/api/auth/{}", self.path);
        let mut request = match &self.body {
            Value::Null => client.get(url),
            body => client
                .post(url)
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string()),
        };
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a text");
        assert!(status.is_success(), "{}: {status} {text}", self.path);
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Sends a request so many times, over several connections.
pub async fn send(server: &Server, asked: &Asked, times: u32, connections: u32) {
    let shared = Arc::new((asked.clone(), server.base.clone(), Client::new()));
    let mut senders = JoinSet::new();
    for number in 0..connections {
        let shared = Arc::clone(&shared);
        let times = times / connections + u32::from(number < times % connections);
        senders.spawn(async move {
            let (asked, base, client) = &*shared;
            for _ in 0..times {
                asked.send(client, base).await;
            }
        });
    }
    senders.join_all().await;
}
