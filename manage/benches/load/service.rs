//! The service as it is asked: straight on the table for its time, through a proxy for its calls.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use manage::all_routes;
use serde_json::{Value, json};
use shared::{aws::LocalEndpoint, clock::Clock, http::Peer, store::Store};
use testkit::{Pages, app, proxy::Proxy, serve};
use tower::ServiceExt;

use crate::{
    fill::{PASSWORD, username},
    table::{Cost, Figure},
};

/// A request.
#[derive(Clone)]
pub struct Asked {
    pub method: &'static str,
    pub path: String,
    pub body: Value,
    /// The access token, or a cookie of the admin pages.
    pub who: Who,
    pub status: u16,
}

/// Who asks.
#[derive(Clone)]
pub enum Who {
    Nobody,
    Token(String),
    Cookie(String),
}

/// The service on a table of so many users.
pub struct Service {
    pub users: u64,
    pub store: Store,
    /// The superuser's token and cookies.
    pub root: Who,
    pub root_cookie: Who,
    direct: Router,
    observed: Router,
    proxy: Proxy,
}

impl Service {
    /// The service on the table at an endpoint.
    pub async fn on(endpoint: &LocalEndpoint, users: u64) -> Self {
        let proxy = Proxy::start(endpoint.clone()).await;
        let direct = app(endpoint, &[], Clock::System);
        let observed = app(&proxy.endpoint(), &[], Clock::System);
        let store = direct.store.clone();
        let mut browser = Pages::of(serve(direct.clone()).await);
        let answer = browser.log_in(&username(1), PASSWORD).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        let cookies = browser.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut service = Self {
            users,
            store,
            root: Who::Nobody,
            root_cookie: Who::Cookie(cookies.join("; ")),
            direct: all_routes(direct),
            observed: all_routes(observed),
            proxy,
        };
        service.root = service.log_in(1).await.0;
        service
    }

    /// The access token and the refresh token of a user who logs in.
    pub async fn log_in(&self, id: u64) -> (Who, String) {
        let (_, tokens) = self.ask(Asked::login(id)).await;
        let token = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
        (Who::Token(token("access")), token("refresh"))
    }

    /// How long the answer to a request takes, and the answer.
    pub async fn ask(&self, asked: Asked) -> (Duration, Value) {
        let started = Instant::now();
        let answer = send(&self.direct, asked).await;
        (started.elapsed(), answer)
    }

    /// What a request costs, and how long it takes with the proxy between.
    pub async fn observe(&self, asked: Asked) -> Figure {
        self.proxy.take_calls();
        let started = Instant::now();
        send(&self.observed, asked).await;
        Figure {
            milliseconds: started.elapsed().as_secs_f64() * 1000.0,
            cost: Cost::of(&self.proxy.take_calls()),
        }
    }
}

async fn send(service: &Router, asked: Asked) -> Value {
    let (path, expected) = (asked.path.clone(), asked.status);
    let answer = service.clone().oneshot(asked.request()).await;
    let answer = answer.unwrap_or_else(|never| match never {});
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await;
    let body = body.expect("a body");
    assert_eq!(status, expected, "{path}: {}", body.escape_ascii());
    serde_json::from_slice(&body).unwrap_or_default()
}

impl Asked {
    /// The login of a user.
    pub fn login(id: u64) -> Self {
        let body = json!({"username": username(id), "password": PASSWORD});
        Self::post("/api/auth/login/", body, Who::Nobody, 200)
    }

    /// A GET.
    pub fn get(path: impl Into<String>, who: &Who) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: Value::Null,
            who: who.clone(),
            status: 200,
        }
    }

    /// A POST.
    pub fn post(path: impl Into<String>, body: Value, who: Who, status: u16) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            body,
            who,
            status,
        }
    }

    fn request(self) -> Request<Body> {
        let request = Request::builder().method(self.method).uri(self.path);
        let request = request.header(header::HOST, "localhost");
        let request = request.extension(Peer([127, 0, 0, 1].into()));
        let request = match self.who {
            Who::Nobody => request,
            Who::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Who::Cookie(cookies) => request.header(header::COOKIE, cookies),
        };
        let request = match self.body {
            Value::Null => request.body(Body::empty()),
            body => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
        };
        request.expect("a request")
    }
}
