//! What is measured: calls of the bare SDK, requests to the functions, and the hash alone.

use std::{cell::RefCell, rc::Rc};

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use futures_util::future::LocalBoxFuture;
use lambda_http::{Context, lambda_runtime::LambdaEvent};
use serde_json::{Value, json};
use shared::{
    app::App,
    aws,
    clock::Clock,
    domain::UserId,
    hashing::{Password, Verification},
    http::{Routes, service},
    jwt::TokenType,
    lambda::handler,
    store::{
        items::attributes,
        keys::{Entity, Key},
    },
    telemetry::Reporter,
};
use testkit::{PASSWORD, TABLE, app, events::event, user_path};
use tower::Service;

use crate::site::{Site, USERNAME};

/// One kind of work.
pub struct Kind {
    pub name: &'static str,
    /// Whether it takes a hash.
    pub hashes: bool,
    /// Does it once.
    pub work: Box<dyn Fn() -> LocalBoxFuture<'static, ()>>,
}

impl Kind {
    fn new<F>(name: &'static str, work: impl Fn() -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        Self {
            name,
            hashes: false,
            work: Box::new(move || Box::pin(work())),
        }
    }

    fn hashing(self) -> Self {
        Self {
            hashes: true,
            ..self
        }
    }
}

/// All of them.
pub fn all(site: &Site) -> Vec<Kind> {
    let Site { endpoint, user } = site;
    // What the SDK is by itself, without anything of ours.
    let bare = Client::new(&aws::local(endpoint));
    // With the log and the metrics that a function has.
    let mut app = app(endpoint, &[], Clock::System);
    app.reporter = Reporter::cloudwatch("bench").expect("the first");
    let (keys, now) = (app.keys.at_hand(), app.clock.now());
    let claims = keys.verify(&user.access, TokenType::Access, now);
    let sid = claims.expect("a token").sid.expect("a session");
    let id = UserId(user.id);
    let profile = Entity::User(id).key();
    let session = Entity::Session(id, &sid).key();
    let token = Some(user.access.as_str());
    let path = format!("/api/auth/{}", user_path(user.id));
    let refresh = json!({ "refresh": user.refresh });
    let login = json!({"username": USERNAME, "password": PASSWORD});
    let post = |path, body| event("POST", path, None, body);
    vec![
        get_item(&bare, &profile),
        batch_get_item(&bare, [&profile, &session]),
        request(
            "no route",
            &app,
            users::routes(),
            event("GET", "/none/", None, &Value::Null),
            404,
        ),
        request(
            "profile",
            &app,
            users::routes(),
            event("GET", &path, token, &Value::Null),
            200,
        ),
        request(
            "refresh",
            &app,
            auth::routes(),
            post("/api/auth/token/refresh/", &refresh),
            200,
        ),
        hash(&app).hashing(),
        request(
            "login",
            &app,
            auth::routes(),
            post("/api/auth/login/", &login),
            200,
        )
        .hashing(),
    ]
}

fn get_item(client: &Client, key: &Key) -> Kind {
    let (client, key) = (client.clone(), key.clone());
    Kind::new("GetItem", move || {
        let call = client.get_item().table_name(TABLE).consistent_read(true);
        let call = call.set_key(Some(attributes(&key)));
        async move {
            let answer = call.send().await.expect("an answer");
            assert!(answer.item.is_some());
        }
    })
}

fn batch_get_item(client: &Client, keys: [&Key; 2]) -> Kind {
    let (client, keys) = (client.clone(), keys.map(Key::clone));
    Kind::new("BatchGetItem of two", move || {
        let keys = keys.iter().map(attributes).collect();
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys));
        let wanted = wanted.consistent_read(true).build().expect("keys");
        let call = client.batch_get_item().request_items(TABLE, wanted);
        async move {
            let answer = call.send().await.expect("an answer");
            let found = answer.responses.expect("items");
            assert_eq!(found[TABLE].len(), 2);
        }
    })
}

fn hash(app: &App) -> Kind {
    let hasher = app.hasher.clone();
    let password = Password::new(PASSWORD.to_owned());
    let stored = hasher.hash_blocking(&password);
    Kind::new("Argon2id hash", move || {
        let (hasher, password, stored) = (hasher.clone(), password.clone(), stored.clone());
        async move {
            let verified = hasher.verify(&password, Some(&stored)).await;
            assert_eq!(verified, Verification::Correct);
        }
    })
}

/// From the event's JSON to the answer's, as the Lambda runtime does it.
fn request(name: &'static str, app: &App, routes: Routes, event: Value, status: u16) -> Kind {
    let event = event.to_string();
    let start = format!("{{\"statusCode\":{status},");
    let handler = RefCell::new(handler(service(routes, app.clone())));
    let start: Rc<str> = start.into();
    Kind::new(name, move || {
        let payload = serde_json::from_str(&event).expect("an event");
        let called = LambdaEvent::new(payload, Context::default());
        let answer = handler.borrow_mut().call(called);
        let start = Rc::clone(&start);
        async move {
            let answer = answer.await.unwrap_or_else(|never| match never {});
            let json = serde_json::to_vec(&answer).expect("JSON");
            assert!(
                json.starts_with(start.as_bytes()),
                "{}",
                json.escape_ascii()
            );
        }
    })
}
