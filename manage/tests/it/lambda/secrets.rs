//! AWS Secrets Manager's protocol on loopback, with one secret in it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
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

/// A secret as Secrets Manager keeps it.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    versions: Vec<Version>,
    tags: Vec<(&'static str, String)>,
    created: i64,
    /// Whether the service answers nobody.
    fails: bool,
    /// How often it was asked for.
    reads: usize,
    /// Is changed by somebody else before the next label is moved.
    is_contested: bool,
}

struct Version {
    id: String,
    text: String,
    labels: Vec<String>,
}

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
        let mut held = self.held();
        held.fails = false;
        let id = format!("version-{}-of-the-secret-01234567", held.versions.len());
        held.add(id, text, &["AWSCURRENT".to_owned()]);
    }

    /// Sets what the template tags the secret with, and when the secret was made.
    pub fn describe(&self, created: i64, tags: &[(&'static str, &str)]) {
        let mut held = self.held();
        held.created = created;
        held.tags = tags
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
    }

    /// The document that functions read.
    pub fn current(&self) -> Value {
        let held = self.held();
        let current = held.labelled("AWSCURRENT").expect("a current version");
        serde_json::from_str(&current.text).expect("JSON")
    }

    /// Somebody else changes the secret before the next label is moved.
    pub fn contest(&self) {
        self.held().is_contested = true;
    }

    /// Fails from now on.
    pub fn fail(&self) {
        self.held().fails = true;
    }

    /// How often the secret was asked for.
    pub fn reads(&self) -> usize {
        self.held().reads
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap()
    }
}

impl Held {
    fn labelled(&self, label: &str) -> Option<&Version> {
        let mut all = self.versions.iter();
        all.find(|version| version.labels.iter().any(|one| one == label))
    }

    fn add(&mut self, id: String, text: String, labels: &[String]) {
        for version in &mut self.versions {
            version.labels.retain(|label| !labels.contains(label));
        }
        let labels = labels.to_vec();
        self.versions.push(Version { id, text, labels });
    }

    fn read(&mut self, request: &Value) -> Result<Value, &'static str> {
        self.reads += 1;
        let label = request["VersionStage"].as_str().unwrap_or("AWSCURRENT");
        let found = self.labelled(label).ok_or("ResourceNotFoundException")?;
        if request["VersionId"]
            .as_str()
            .is_some_and(|id| id != found.id)
        {
            return Err("ResourceNotFoundException");
        }
        Ok(json!({"SecretString": found.text, "VersionId": found.id}))
    }

    fn put(&mut self, request: &Value) -> Result<Value, &'static str> {
        let text = request["SecretString"].as_str().unwrap().to_owned();
        let id = request["ClientRequestToken"].as_str().unwrap().to_owned();
        assert!((32..=64).contains(&id.len()), "{id}");
        if let Some(there) = self.versions.iter().find(|version| version.id == id) {
            return match there.text == text {
                true => Ok(json!({})),
                false => Err("ResourceExistsException"),
            };
        }
        let labels = request["VersionStages"].as_array().unwrap().iter();
        let labels: Vec<String> = labels.map(|it| it.as_str().unwrap().to_owned()).collect();
        self.add(id, text, &labels);
        Ok(json!({}))
    }

    /// A label moves only from the version that it is said to be on.
    fn label(&mut self, request: &Value) -> Result<Value, &'static str> {
        let label = request["VersionStage"].as_str().unwrap();
        if std::mem::take(&mut self.is_contested) {
            let text = self.labelled("AWSCURRENT").unwrap().text.clone();
            self.add(
                "somebody-elses-version-0123456789".to_owned(),
                text,
                &["AWSCURRENT".to_owned()],
            );
        }
        let on = self.labelled(label).map(|version| version.id.clone());
        if on.as_deref() != request["RemoveFromVersionId"].as_str() {
            return Err("InvalidParameterException");
        }
        for version in &mut self.versions {
            version.labels.retain(|one| one != label);
            if request["MoveToVersionId"] == version.id.as_str() {
                version.labels.push(label.to_owned());
            }
        }
        Ok(json!({}))
    }

    fn described(&self) -> Value {
        let tags = self.tags.iter();
        let tags: Vec<Value> = tags
            .map(|(name, value)| json!({"Key": name, "Value": value}))
            .collect();
        json!({"CreatedDate": self.created, "Tags": tags})
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
    let mut held = secrets.held();
    let operation = headers["x-amz-target"].to_str().unwrap();
    let answer = match operation.strip_prefix("secretsmanager.").unwrap() {
        "GetSecretValue" if held.fails => {
            held.reads += 1;
            Err("AccessDeniedException")
        }
        "GetSecretValue" => held.read(&request),
        "PutSecretValue" => held.put(&request),
        "UpdateSecretVersionStage" => held.label(&request),
        "DescribeSecret" => Ok(held.described()),
        other => panic!("{other}"),
    };
    match answer {
        Ok(answer) => (StatusCode::OK, answer.to_string()),
        Err(kind) => (
            StatusCode::BAD_REQUEST,
            json!({"__type": kind, "Message": "no"}).to_string(),
        ),
    }
}
