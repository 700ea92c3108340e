//! Every kind of read under every fault: it is answered in full, or is a 503.

use serde_json::{Value, json};
use shared::jwt::TokenType;

use testkit::{Answer, PASSWORD, proxy::Fault};

use super::{
    faults::{assert_unavailable, stage},
    world::World,
};

/// A request that reads only.
type Read = (&'static str, &'static str, Value);

fn reads(world: &World) -> Vec<Read> {
    let login = json!({"username": "zoe", "password": PASSWORD});
    let refresh = json!({"refresh": world.issue(TokenType::Refresh, &world.admin)});
    vec![
        ("POST", "login/", login),
        ("POST", "token/refresh/", refresh),
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
    let ids = json!({"permission_ids": [1, 2, 3]});
    let assigned = world.post(&world.admin, "groups/1/assign_permissions/", ids);
    assigned.await.assert_status(200);
    world.user("zoe").await;
    world
}

async fn read(world: &World, (method, path, body): &Read) -> Answer {
    let caller = body.is_null().then_some(&world.admin);
    let mut answer = world.ask(caller, method, path, body.clone()).await;
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
            let which = move |sent: &str, _: &Value| sent == operation;
            world.proxy.inject_once(fault, which);
            let answer = read(&world, &request).await;
            assert_eq!(answer.parts(), expected.parts(), "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_meets_a_fault_without_end_is_a_503() {
    let refused = || Fault::Refused(500, "InternalServerError");
    let single = "users/2/ groups/1/ permissions/1/";
    tokio::join!(
        read_without_end("GetItem", refused(), single),
        read_without_end("BatchGetItem", refused(), "users/ users/2/ groups/1/"),
        // The last key of a batch stays unprocessed for ever.
        read_without_end("BatchGetItem", Fault::Unprocessed, "users/2/ groups/1/"),
        read_without_end("Query", refused(), "users/ groups/ permissions/"),
    );
}

async fn read_without_end(operation: &'static str, fault: Fault, paths: &str) {
    let world = reading_stage().await;
    world
        .proxy
        .inject(move |sent, _| (sent == operation).then(|| fault.clone()));
    for path in paths.split(' ') {
        let answer = world.get(&world.admin, path).await;
        assert_unavailable(&answer, &format!("{path} without {operation}"));
    }
}
