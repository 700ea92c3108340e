//! Requests over TCP or to a router itself, and answers in one piece.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, Uri, header, request::Builder},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use manage::check::broken_invariants;
use serde_json::{Value, json};
use shared::app::App;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tower::ServiceExt;

use crate::server::{ADMIN_PASSWORD, Server};

pub const PASSWORD: &str = "Kq!wz-Mv%Tn#Yp_Gx";

/// Far more than any answer takes; a server that hangs must fail the test rather than stop it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A service and the token of its superuser `admin`.
pub struct Api {
    pub server: Server,
    pub admin: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer: status, headers, body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    fn new(status: StatusCode, headers: HeaderMap, bytes: &[u8]) -> Self {
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(bytes).expect("JSON")
        };
        Self {
            status,
            headers,
            body,
        }
    }

    pub fn parts(&self) -> (u16, &Value) {
        (self.status.as_u16(), &self.body)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> String {
        self.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .to_owned()
    }

    pub fn id(&self) -> u64 {
        self.body["id"]
            .as_u64()
            .unwrap_or_else(|| panic!("no id in {self:?}"))
    }
}

/// A user who has logged in.
pub struct Account {
    pub id: u64,
    pub token: String,
    pub refresh: String,
}

impl Api {
    pub async fn start() -> Self {
        // A connection for each request: one that the server closes while it waits for the next
        // request is not what is tested here.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        let mut api = Self {
            server: Server::start().await,
            admin: String::new(),
            client,
        };
        let tokens = api.login("admin", ADMIN_PASSWORD).await;
        api.admin = tokens.text("access");
        api
    }

    pub fn app(&self) -> &App {
        &self.server.app
    }

    /// The answer to any request, over TCP.
    pub async fn send(&self, request: Builder, body: impl Into<Bytes>) -> Answer {
        let mut request = request.body(Full::new(body.into())).unwrap();
        let path = request.uri().path_and_query().unwrap().as_str();
        let whole: Uri = format!("{}{path}", self.server.base()).parse().unwrap();
        *request.uri_mut() = whole;
        let answer = timeout(TIMEOUT, self.client.request(request)).await;
        let (parts, body) = answer.expect("in time").expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        Answer::new(parts.status, parts.headers, &bytes)
    }

    /// What the server writes when it is sent these bytes, until it closes the connection: what a
    /// client library would tidy up on either way.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let address = self.server.base().replace("http://", "");
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(bytes).await.expect("written");
        let mut answer = Vec::new();
        let end = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await;
        end.expect("in time").expect("an answer");
        String::from_utf8(answer).expect("UTF-8")
    }

    pub async fn json(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let request = request(method, path, token).header(header::CONTENT_TYPE, "application/json");
        self.send(request, body.to_string()).await
    }

    pub async fn form(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        let request = request(method, path, token).header(header::CONTENT_TYPE, kind);
        self.send(request, body.to_owned()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request("GET", path, token), "").await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(request("DELETE", path, token), "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, "", body).await
    }

    pub async fn login(&self, username: &str, password: &str) -> Answer {
        self.post(
            "/api/auth/login/",
            json!({"username": username, "password": password}),
        )
        .await
    }

    pub async fn register(&self, username: &str) -> Answer {
        let email = format!("{username}@example.com");
        let body = json!({"username": username, "email": email, "password": PASSWORD, "password2": PASSWORD});
        self.post("/api/auth/users/register/", body).await
    }

    /// Registers a user and logs him in.
    pub async fn account(&self, username: &str) -> Account {
        let id = self.register(username).await.id();
        let tokens = self.login(username, PASSWORD).await;
        Account {
            id,
            token: tokens.text("access"),
            refresh: tokens.text("refresh"),
        }
    }

    /// An account whose flags the superuser has set.
    pub async fn account_with(&self, username: &str, flags: Value) -> Account {
        let account = self.account(username).await;
        let answer = self
            .json("PATCH", &user(account.id), &self.admin, flags)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        account
    }

    pub async fn assert_consistent(&self) {
        let broken = broken_invariants(&self.app().store)
            .await
            .expect("the table");
        assert_eq!(broken, Vec::<String>::new());
    }
}

pub fn user(id: u64) -> String {
    format!("/api/auth/users/{id}/")
}

pub fn request(method: &str, path: &str, token: &str) -> Builder {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path);
    if token.is_empty() {
        request
    } else {
        request.header(header::AUTHORIZATION, format!("Bearer {token}"))
    }
}

/// The answer of a router, without a connection.
pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body");
    Answer::new(parts.status, parts.headers, &bytes)
}
