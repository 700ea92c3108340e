//! The function `rotation`: what Secrets Manager and CloudFormation ask of it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use aws_sdk_secretsmanager::Client;
use axum::{Router, extract::State, routing::put};
use rotation::{Event, Function};
use serde_json::{Value, json};
use shared::{clock::Clock, settings::Settings};
use testkit::{TABLE, samples};
use tokio::net::TcpListener;

use super::{
    keys::{NOW, OLD},
    rotation::{DAY, states},
    secrets::Secrets,
};

/// The function, at a time.
fn function(client: &Client, algorithm: &str, time: &Arc<AtomicI64>) -> Function {
    let settings = Settings::from_lookup(|name| match name {
        "SIGNING_KEY_SECRET_ARN" => Some("the-secret".to_owned()),
        "TABLE_NAME" => Some(TABLE.to_owned()),
        "ALGORITHM" => Some(algorithm.to_owned()),
        _ => None,
    });
    let clock = Clock::Fixed(Arc::clone(time));
    Function::new(settings.unwrap(), client.clone(), clock).unwrap()
}

/// All steps of a rotation of Secrets Manager, each of them twice.
async fn scheduled(function: &Function, number: usize) -> Result<(), String> {
    let token = format!("the-token-of-rotation-{number}-01234567");
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        for _ in 0..2 {
            let event =
                json!({"Step": step, "SecretId": "the-secret", "ClientRequestToken": token});
            let event: Event = serde_json::from_value(event).unwrap();
            function
                .run(event)
                .await
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn secrets_managers_rotation_does_the_same_steps() {
    let (secrets, client) = Secrets::start(OLD, "").await;
    let time = Arc::new(AtomicI64::new(NOW));
    let function = function(&client, "HS256", &time);
    let mut kids = BTreeSet::new();
    for (number, (pass, expected)) in [
        (0, "HS256 current, HS256 next"),
        (299, "HS256 current, HS256 next"),
        (1, "HS256 previous, HS256 current"),
        // That key has no name and goes with its last token.
        (DAY + 300, "HS256 current"),
        (DAY, "HS256 current, HS256 next"),
        (DAY, "HS256 previous, HS256 current"),
        (DAY, "HS256 previous, HS256 current"),
        (300, "HS256 current"),
    ]
    .into_iter()
    .enumerate()
    {
        time.fetch_add(pass, Ordering::SeqCst);
        scheduled(&function, number).await.unwrap();
        assert_eq!(states(&secrets).join(", "), expected, "{number}");
        for key in secrets.current()["keys"].as_array().unwrap() {
            kids.insert(key["kid"].to_string());
        }
    }
    assert_eq!(kids.len(), 3, "{kids:?}");
}

#[tokio::test]
async fn a_rotation_that_somebody_overtook_changes_nothing_and_the_next_one_goes_on() {
    let (secrets, client) = Secrets::start(OLD, "").await;
    let function = function(&client, "HS256", &Arc::new(AtomicI64::new(NOW)));
    secrets.contest();
    let told = scheduled(&function, 1).await.unwrap_err();
    assert!(told.contains("somebody else changed the secret"), "{told}");
    assert_eq!(secrets.current()["current"], OLD);
    scheduled(&function, 2).await.unwrap();
    assert_eq!(states(&secrets), ["HS256 current", "HS256 next"]);
}

/// What CloudFormation is told when a stack with this algorithm is made.
async fn created(client: &Client, algorithm: &str, kind: &str, at: i64) -> Value {
    let told: Arc<Mutex<Option<String>>> = Arc::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/answer?Signature=x",
        listener.local_addr().unwrap()
    );
    let note = async |State(told): State<Arc<Mutex<Option<String>>>>, body: String| {
        *told.lock().unwrap() = Some(body);
    };
    let router = Router::new()
        .route("/answer", put(note))
        .with_state(Arc::clone(&told));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let event = json!({
        "RequestType": kind, "ResponseURL": url, "StackId": "the-stack", "RequestId": "the-request",
        "LogicalResourceId": "FirstKey", "ResourceType": "Custom::FirstKey",
        "ResourceProperties": {"ServiceToken": "arn"},
    });
    let function = function(client, algorithm, &Arc::new(AtomicI64::new(NOW + at)));
    let event: Event = serde_json::from_value(event).unwrap();
    function.run(event).await.unwrap();
    let told = told.lock().unwrap().take().expect("an answer");
    serde_json::from_str(&told).unwrap()
}

#[tokio::test]
async fn a_new_stack_gets_a_key_of_its_algorithm() {
    let (secrets, client) = Secrets::start(OLD, "").await;
    secrets.describe(NOW - 30, &[]);
    let told = created(&client, "RS256", "Create", 0).await;
    let expected = json!({
        "Status": "SUCCESS", "Reason": "", "PhysicalResourceId": "first-key", "StackId": "the-stack",
        "RequestId": "the-request", "LogicalResourceId": "FirstKey",
    });
    assert_eq!(told, expected);
    assert_eq!(states(&secrets), ["RS256 current"]);
    assert_eq!(secrets.current()["link_key"], OLD);
    // What is asked again changes nothing.
    let before = secrets.current();
    created(&client, "RS256", "Create", 10).await;
    created(&client, "RS256", "Update", 10).await;
    created(&client, "RS256", "Delete", 10).await;
    assert_eq!(secrets.current(), before);
}

#[tokio::test]
async fn a_stack_that_is_in_use_keeps_its_key_whatever_its_algorithm() {
    for (made, algorithm, kind) in [
        (NOW - 3600, "RS256", "Create"),
        (NOW - 30, "HS256", "Create"),
        (NOW - 30, "RS256", "Update"),
    ] {
        let (secrets, client) = Secrets::start(OLD, "").await;
        secrets.describe(made, &[]);
        assert_eq!(
            created(&client, algorithm, kind, 0).await["Status"],
            "SUCCESS"
        );
        assert_eq!(secrets.current()["current"], OLD, "{algorithm} {kind}");
    }
    let (secrets, client) = Secrets::start(OLD, "").await;
    secrets.describe(NOW, &[]);
    secrets.fail();
    let told = created(&client, "RS256", "Create", 0).await;
    assert_eq!(told["Status"], "FAILED");
    assert!(!told.to_string().contains(OLD), "{told}");
}

#[tokio::test]
async fn the_sample_is_a_step_of_the_rotation_of_another_secret() {
    let (_, client) = Secrets::start(OLD, "").await;
    let function = function(&client, "HS256", &Arc::new(AtomicI64::new(NOW)));
    let event: Event = serde_json::from_value(samples::read("rotate-keys")).unwrap();
    let told = function.run(event).await.unwrap_err().to_string();
    assert_eq!(told, "this is the rotation of another secret");
}
