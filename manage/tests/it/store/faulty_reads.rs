//! Every kind of read under every fault: it is answered in full, or is a 503.

use serde_json::{Value, json};
use shared::jwt::TokenType;

use super::{
    faults::{assert_unavailable, stage},
    proxy::Fault,
    support::{ADMIN_PASSWORD, add_user},
    world::{Answer, World},
};

/// Requests that read only.
fn reads(world: &World) -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "POST",
            "login/",
            json!({"username": "zoe", "password": ADMIN_PASSWORD}),
        ),
        (
            "POST",
            "token/refresh/",
            json!({"refresh": world.token(TokenType::Refresh, &world.admin)}),
        ),
        ("GET", "users/", Value::Null),
        ("GET", "users/2/", Value::Null),
        ("GET", "groups/", Value::Null),
        ("GET", "groups/1/", Value::Null),
        ("GET", "permissions/", Value::Null),
        ("GET", "permissions/1/", Value::Null),
    ]
}

async fn reading_stage() -> World {
    let world = stage().await;
    let assigned = world
        .as_admin(
            "POST",
            "groups/1/assign_permissions/",
            &json!({"permission_ids": [1, 2, 3]}),
        )
        .await;
    assert_eq!(assigned.status, 200);
    add_user(&world.app, "zoe", "zoe@example.com", ADMIN_PASSWORD, |_| {}).await;
    world
}

async fn read(world: &World, (method, path, body): &(&'static str, &'static str, Value)) -> Answer {
    let mut answer = world
        .call(body.is_null().then_some(&world.admin), method, path, body)
        .await;
    // No token is like another.
    for token in ["access", "refresh"] {
        if let Some(token) = answer.body.get_mut(token) {
            *token = "a token".into();
        }
    }
    answer
}

#[tokio::test]
async fn a_read_that_meets_a_fault_once_is_answered_in_full() {
    let world = reading_stage().await;
    let faults = [
        Fault::Refused(400, "ThrottlingException"),
        Fault::Refused(400, "ProvisionedThroughputExceededException"),
        Fault::Refused(500, "InternalServerError"),
        Fault::LostAnswer,
    ];
    for request in reads(&world) {
        let expected = read(&world, &request).await;
        assert_eq!(expected.status, 200, "{request:?}");
        let halves = (Fault::Unprocessed, "BatchGetItem");
        let all = ["GetItem", "BatchGetItem", "Query"];
        let each = faults
            .iter()
            .flat_map(|fault| all.map(|operation| (fault.clone(), operation)));
        for (fault, operation) in each.chain([halves]) {
            let what = format!("{request:?} with {operation} under {fault:?}");
            world
                .proxy
                .inject_once(fault, move |sent, _| sent == operation);
            assert_eq!(
                read(&world, &request).await.seen(),
                expected.seen(),
                "{what}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_meets_a_fault_without_end_is_a_503() {
    let refused = || Fault::Refused(500, "InternalServerError");
    tokio::join!(
        read_without_end(
            "GetItem",
            refused(),
            &["users/2/", "groups/1/", "permissions/1/"]
        ),
        read_without_end(
            "BatchGetItem",
            refused(),
            &["users/", "users/2/", "groups/1/"]
        ),
        // The last key of a batch stays unprocessed for ever.
        read_without_end(
            "BatchGetItem",
            Fault::Unprocessed,
            &["users/2/", "groups/1/"]
        ),
        read_without_end("Query", refused(), &["users/", "groups/", "permissions/"]),
    );
}

async fn read_without_end(operation: &'static str, fault: Fault, paths: &[&str]) {
    let world = reading_stage().await;
    world
        .proxy
        .inject(move |sent, _| (sent == operation).then(|| fault.clone()));
    for path in paths {
        let answer = world.as_admin("GET", path, &Value::Null).await;
        assert_unavailable(&answer, &format!("{path} without {operation}"));
    }
}
