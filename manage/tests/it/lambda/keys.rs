//! Keys in Secrets Manager: a rotation logs nobody out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use aws_sdk_secretsmanager::Client;
use lambda_http::Context;
use serde_json::{Value, json};
use shared::{
    app::App,
    clock::Clock,
    keyring::{Keyring, NOT_READ},
    settings::Settings,
    store::{Store, connect_to},
    telemetry::Reporter,
};
use testkit::{
    Answer, PASSWORD, Server, TABLE, detail,
    events::{event, invoke},
};

use super::{
    authorizer,
    secrets::{self, Secrets},
    template::Template,
};

pub const OLD: &str = "the-old-key-of-the-tests-0123456789abcdef";
const NEW: &str = "the-new-key-of-the-tests-0123456789abcdef";
pub const NOW: i64 = 1_900_000_000;

/// An instance of the service, with its own look at the secret and its own time.
pub struct Instance {
    pub app: App,
    time: Arc<AtomicI64>,
}

/// The settings of an instance, and the keys that it starts with.
async fn start(client: &Client, more: &[(&str, &str)], now: i64) -> (Settings, Keyring) {
    let usual = [
        ("SIGNING_KEY_SECRET_ARN", "the-secret"),
        ("TABLE_NAME", TABLE),
    ];
    let settings = Settings::from_lookup(|name| {
        let found = usual.iter().chain(more).find(|(one, _)| *one == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    let settings = settings.unwrap();
    let arn = "the-secret".to_owned();
    let keys = Keyring::from_secret(&settings.tokens, client.clone(), arn, now).await;
    (settings, keys.unwrap())
}

/// Why a start has no keys.
async fn refused(client: &Client) -> String {
    let keys = start(client, &[], NOW).await.1;
    keys.ready(NOW).await.unwrap_err().to_string()
}

pub async fn instance(server: &Server, client: &Client) -> Instance {
    instance_with(server, client, &[], NOW).await
}

pub async fn instance_with(
    server: &Server,
    client: &Client,
    settings: &[(&str, &str)],
    now: i64,
) -> Instance {
    let (settings, keys) = start(client, settings, now).await;
    let time = Arc::new(AtomicI64::new(now));
    let app = App::new(
        settings,
        Store::new(connect_to(&server.engine.endpoint()), TABLE),
        keys,
        Clock::Fixed(Arc::clone(&time)),
        Reporter::Lines,
    );
    Instance { app, time }
}

impl Instance {
    pub fn at(&self, seconds: i64) -> &Self {
        self.time.store(NOW + seconds, Ordering::SeqCst);
        self
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let event = event("POST", &format!("/api/auth/{path}"), None, &body);
        invoke("auth", &self.app, &event).await
    }

    /// The access and the refresh token of a login.
    pub async fn log_in(&self) -> (String, String) {
        let body = json!({"username": "admin", "password": PASSWORD});
        let tokens = self.post("login/", body).await;
        tokens.assert_status(200);
        (tokens.field("access"), tokens.field("refresh"))
    }

    pub async fn verify(&self, token: &str) -> u16 {
        let body = json!({ "token": token });
        self.post("token/verify/", body).await.status
    }

    pub async fn read_users(&self, token: &str) -> u16 {
        let event = event("GET", "/api/auth/users/", Some(token), &Value::Null);
        invoke("users", &self.app, &event).await.status
    }
}

#[tokio::test]
async fn a_secret_is_read_at_the_start_and_again_after_five_minutes() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let one = instance(&server, &client).await;
    let (access, _) = one.log_in().await;
    assert_eq!(one.at(299).verify(&access).await, 200);
    assert_eq!(secrets.reads(), 1);
    secrets.put(NEW, OLD);
    one.at(300).log_in().await;
    assert_eq!(secrets.reads(), 2);
    one.at(599).log_in().await;
    assert_eq!(secrets.reads(), 2);
}

#[tokio::test]
async fn a_rotation_logs_nobody_out() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let early = instance(&server, &client).await;
    let (old_access, old_refresh) = early.log_in().await;
    secrets.put(NEW, OLD);
    let late = instance(&server, &client).await;
    // The new key's instance takes the old key's tokens, and the old key's the new one's.
    assert_eq!(late.read_users(&old_access).await, 200);
    let refresh = json!({"refresh": old_refresh});
    let answer = late.post("token/refresh/", refresh).await;
    let new_access = answer.assert_status(200).field("access");
    assert_eq!(early.at(10).read_users(&new_access).await, 200);
    assert_eq!(secrets.reads(), 3);
}

#[tokio::test]
async fn forged_tokens_do_not_make_it_read_the_secret_all_the_time() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let one = instance(&server, &client).await;
    let (access, _) = one.log_in().await;
    let forged = format!("{access}x");
    for second in 0..30 {
        for _ in 0..3 {
            assert_eq!(one.at(second).verify(&forged).await, 401);
        }
    }
    // At the start, and ten and twenty seconds after it.
    assert_eq!(secrets.reads(), 3);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_again_leaves_the_keys_at_hand() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let one = instance(&server, &client).await;
    let (_, refresh) = one.log_in().await;
    secrets.fail();
    for second in [300, 301, 310] {
        assert_eq!(one.at(second).verify(&refresh).await, 200);
    }
    secrets.put_text("no JSON".to_owned());
    assert_eq!(one.at(320).verify(&refresh).await, 200);
    assert_eq!(secrets.reads(), 4);
    secrets.put(NEW, "");
    assert_eq!(one.at(330).verify(&refresh).await, 401);
}

#[tokio::test]
async fn keys_that_cannot_be_read_again_for_an_hour_are_used_no_more() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let one = instance(&server, &client).await;
    let (access, refresh) = one.log_in().await;
    secrets.fail();
    assert_eq!(one.at(3599).verify(&refresh).await, 200);
    let body = json!({ "token": refresh });
    let answer = one.at(3600).post("token/verify/", body).await;
    let text = "Service temporarily unavailable, try again later.";
    answer.assert(503, detail(text));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(one.read_users(&access).await, 503);
    let asked = authorizer::event(Some(&format!("Bearer {access}")));
    let asked = serde_json::from_value(asked).unwrap();
    let refused = ::authorizer::authorize(&one.app, asked, Context::default()).await;
    let text = refused.map(drop).unwrap_err().to_string();
    assert!(text.contains("could not be read again"), "{text}");
    assert!(!text.contains(OLD), "{text}");
    secrets.put(OLD, "");
    assert_eq!(one.at(3610).verify(&refresh).await, 200);
}

#[tokio::test]
async fn a_start_without_secrets_manager_answers_503_until_it_can_read_the_keys() {
    let server = Server::start().await;
    let (secrets, client) = Secrets::start(OLD, "").await;
    let (access, _) = instance(&server, &client).await.log_in().await;
    secrets.fail();
    let cold = instance(&server, &client).await;
    let reads = secrets.reads();
    for path in ["login/", "token/verify/"] {
        let answer = cold.at(5).post(path, json!({ "token": access })).await;
        let text = "Service temporarily unavailable, try again later.";
        answer.assert(503, detail(text));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    // Requests of one second ask once.
    assert_eq!(secrets.reads(), reads + 1);
    assert_eq!(cold.read_users(&access).await, 503);
    let asked = authorizer::event(Some(&format!("Bearer {access}")));
    let asked = serde_json::from_value(asked).unwrap();
    let refused = ::authorizer::authorize(&cold.app, asked, Context::default()).await;
    let text = refused.map(drop).unwrap_err().to_string();
    assert!(text.contains("could not be read yet"), "{text}");
    secrets.put(OLD, "");
    assert_eq!(cold.at(6).read_users(&access).await, 200);
    cold.log_in().await;
}

#[test]
fn the_alarm_looks_in_each_functions_log_for_what_it_says_then() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let pattern = format!("FilterPattern: '{{ $.message = \"{NOT_READ}\" }}'");
    let functions = Template::read().functions().len();
    assert_eq!(text.matches(&pattern).count(), functions);
}

#[tokio::test]
async fn a_start_waits_two_seconds_for_a_service_that_never_answers() {
    let (_listener, client) = secrets::silent();
    let started = Instant::now();
    let text = refused(&client).await;
    let took = started.elapsed();
    assert!(text.contains("timeout"), "{text}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_start_without_usable_keys_says_why_and_shows_none() {
    let (secrets, client) = Secrets::start("short-key", "").await;
    let refused = || refused(&client);
    let text = refused().await;
    assert!(text.contains("SIGNING_KEY_SECRET_ARN"), "{text}");
    assert!(text.contains("shorter than 32 bytes"), "{text}");
    assert!(!text.contains("short-key"), "{text}");
    secrets.put_text(format!("\"{NEW}\""));
    let text = refused().await;
    assert!(text.contains("nor {\"current\""), "{text}");
    assert!(!text.contains(NEW), "{text}");
    secrets.fail();
    let text = refused().await;
    assert!(text.contains("AccessDenied"), "{text}");
}
