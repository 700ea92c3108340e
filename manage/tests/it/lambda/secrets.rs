//! AWS Secrets Manager's protocol on loopback, with one secret in it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use aws_sdk_secretsmanager::Client;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};
use shared::aws::{self, LocalEndpoint};
use tokio::net::TcpListener;

/// What the secret holds, or `None` while the service fails; and how often it was asked for.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<(Option<String>, usize)>>);

impl Secrets {
    /// Serves a secret; the client reaches it.
    pub async fn start(current: &str, previous: &str) -> (Self, Client) {
        let secrets = Self::default();
        secrets.put(current, previous);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = endpoint(listener.local_addr().unwrap());
        let router = Router::new()
            .route("/", post(answer))
            .with_state(secrets.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (secrets, aws::secrets_manager(&aws::local(&endpoint)))
    }

    /// Replaces the keys.
    pub fn put(&self, current: &str, previous: &str) {
        self.put_text(json!({"current": current, "previous": previous}).to_string());
    }

    /// Replaces the text.
    pub fn put_text(&self, text: String) {
        self.0.lock().unwrap().0 = Some(text);
    }

    /// Fails from now on.
    pub fn fail(&self) {
        self.0.lock().unwrap().0 = None;
    }

    /// How often the secret was asked for.
    pub fn reads(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

pub fn endpoint(address: SocketAddr) -> LocalEndpoint {
    LocalEndpoint {
        url: format!("http://{address}"),
        access_key: "any".to_owned(),
    }
}

/// A client of a service that takes connections and never answers.
pub fn silent() -> (std::net::TcpListener, Client) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = endpoint(listener.local_addr().unwrap());
    (listener, aws::secrets_manager(&aws::local(&endpoint)))
}

async fn answer(
    State(secrets): State<Secrets>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["SecretId"], "the-secret");
    if headers["x-amz-target"] == "secretsmanager.PutSecretValue" {
        secrets.put_text(request["SecretString"].as_str().unwrap().to_owned());
        return (StatusCode::OK, "{}".to_owned());
    }
    let mut secret = secrets.0.lock().unwrap();
    secret.1 += 1;
    match &secret.0 {
        Some(text) => (StatusCode::OK, json!({ "SecretString": text }).to_string()),
        None => (
            StatusCode::BAD_REQUEST,
            json!({"__type": "AccessDeniedException", "Message": "no"}).to_string(),
        ),
    }
}
