//! Requests to the router, and answers in one piece.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use manage::{all_routes, check::broken_invariants};
use serde_json::{Value, json};
use shared::app::App;
use tower::ServiceExt;

use crate::support::{ADMIN_PASSWORD, Server};

pub const PASSWORD: &str = "Kq!wz-Mv%Tn#Yp_Gx";

/// A service and the token of its superuser `admin`.
pub struct Api {
    pub server: Server,
    pub router: Router,
    pub admin: String,
}

/// An answer: status, headers, body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn parts(&self) -> (u16, &Value) {
        (self.status.as_u16(), &self.body)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
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
        let server = Server::start().await;
        let router = all_routes(server.app.clone());
        let mut api = Self {
            server,
            router,
            admin: String::new(),
        };
        api.admin = api.login("admin", ADMIN_PASSWORD).await.body["access"]
            .as_str()
            .unwrap()
            .to_owned();
        api
    }

    pub fn app(&self) -> &App {
        &self.server.app
    }

    pub async fn json(&self, method: &str, path: &str, token: &str, body: Value) -> Answer {
        let request = request(method, path, token).header(header::CONTENT_TYPE, "application/json");
        send(
            &self.router,
            request.body(Body::from(body.to_string())).unwrap(),
        )
        .await
    }

    pub async fn form(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        let request = request(method, path, token).header(header::CONTENT_TYPE, kind);
        send(
            &self.router,
            request.body(Body::from(body.to_owned())).unwrap(),
        )
        .await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        send(
            &self.router,
            request("GET", path, token).body(Body::empty()).unwrap(),
        )
        .await
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
        let tokens = self.login(username, PASSWORD).await.body;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Account {
            id,
            token: text("access"),
            refresh: text("refresh"),
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

pub fn request(method: &str, path: &str, token: &str) -> axum::http::request::Builder {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path);
    if token.is_empty() {
        request
    } else {
        request.header(header::AUTHORIZATION, format!("Bearer {token}"))
    }
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body");
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).expect("JSON")
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}
