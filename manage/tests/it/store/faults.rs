//! Every kind of write under every fault: it succeeds, once, or is a 503 that left nothing behind.

use serde_json::{Value, json};
use shared::jwt::TokenType;
use tokio::task::JoinSet;

use testkit::{
    Answer, NOBODY, detail,
    proxy::{Call, Fault, is_change},
    registration,
};

use super::world::World;

/// Faults of a write that did not happen.
static UNWRITTEN: [Fault; 8] = [
    Fault::Cancelled("TransactionConflict"),
    Fault::Cancelled("ThrottlingError"),
    Fault::Cancelled("ProvisionedThroughputExceeded"),
    Fault::Refused(400, "TransactionInProgressException"),
    Fault::Refused(400, "ThrottlingException"),
    Fault::Refused(400, "ProvisionedThroughputExceededException"),
    Fault::Refused(500, "InternalServerError"),
    Fault::LostRequest,
];

/// One kind of write: the request and its status.
#[derive(Clone, Copy, Debug)]
struct Write {
    method: &'static str,
    path: &'static str,
    body: &'static str,
    status: u16,
}

const fn write(method: &'static str, path: &'static str, body: &'static str, status: u16) -> Write {
    Write {
        method,
        path,
        body,
        status,
    }
}

const WRITES: [Write; 16] = [
    write("POST", "users/register/", REGISTRATION, 201),
    write("PATCH", "users/2/", r#"{"first_name": "Ann"}"#, 200),
    write("PATCH", "users/2/", r#"{"username": "anna"}"#, 200),
    write("PATCH", "users/2/", r#"{"email": "anna@example.com"}"#, 200),
    write("PATCH", "users/2/", r#"{"is_superuser": true}"#, 200),
    write("DELETE", "users/2/", "null", 204),
    write(
        "POST",
        "users/2/assign_groups/",
        r#"{"group_ids": [2]}"#,
        200,
    ),
    write("POST", "groups/", r#"{"name": "Board"}"#, 201),
    write("PATCH", "groups/1/", r#"{"name": "Crew"}"#, 200),
    write("DELETE", "groups/1/", "null", 204),
    write(
        "POST",
        "groups/1/assign_permissions/",
        r#"{"permission_ids": [1, 2]}"#,
        200,
    ),
    write("POST", "permissions/", PERMISSION, 201),
    write(
        "PATCH",
        "permissions/1/",
        r#"{"codename": "join_user"}"#,
        200,
    ),
    write(
        "POST",
        "permissions/1/assign_to_group/",
        r#"{"group_id": 1}"#,
        200,
    ),
    write("DELETE", "permissions/1/", "null", 204),
    write("POST", "token/blacklist/", "null", 200),
];

const REGISTRATION: &str = r#"{"username": "bob", "email": "bob@example.com",
    "password": "Tr1cky-phrase-9", "password2": "Tr1cky-phrase-9"}"#;
const PERMISSION: &str = r#"{"name": "Can go", "codename": "go", "content_type": "auth.user"}"#;

/// Ann, a member of the first of two groups.
pub async fn stage() -> World {
    let world = World::start().await;
    let staff = world.group("Staff", &[]).await;
    world.group("Sales", &[]).await;
    world.user("ann").joins([&staff]).await;
    world
}

impl Write {
    async fn send(self, world: &World) -> Answer {
        let mut body: Value = serde_json::from_str(self.body).expect("JSON");
        if self.path.starts_with("token/") {
            body = json!({"refresh": world.issue(TokenType::Refresh, &world.admin)});
        }
        let open = self.path.starts_with("token/") || self.path == "users/register/";
        let caller = (!open).then_some(&world.admin);
        world.ask(caller, self.method, self.path, body).await
    }
}

pub fn assert_unavailable(answer: &Answer, what: &str) {
    let body = detail("Service temporarily unavailable, try again later.");
    assert_eq!(answer.parts(), (503, &body), "{what}");
    assert_eq!(answer.headers["retry-after"], "1", "{what}");
}

pub fn assert_contended(answer: &Answer, what: &str) {
    let text = "The object is being changed by other requests, try again.";
    assert_eq!(answer.parts(), (409, &detail(text)), "{what}");
}

/// Runs a check of every kind of write at the same time, since most of their time is waiting.
async fn with_every_write<F, C>(check: C)
where
    C: Fn(Write) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut checks: JoinSet<()> = WRITES.into_iter().map(check).collect();
    while let Some(checked) = checks.join_next().await {
        checked.expect("a check that holds");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_meets_a_fault_once_succeeds_all_the_same() {
    with_every_write(|write| async move {
        let world = stage().await;
        let before = world.items().await;
        let expected = write.send(&world).await;
        assert_eq!(expected.status, write.status, "{write:?}");
        let after = world.state().await;
        let faults = UNWRITTEN.iter().chain([&Fault::LostAnswer]);
        for fault in faults {
            let what = format!("{write:?} under {fault:?}");
            world.restore(&before).await;
            world.proxy.inject_once(fault.clone(), is_change);
            let answer = write.send(&world).await;
            assert_eq!(answer.parts(), expected.parts(), "{what}");
            assert!(
                world.state().await == after,
                "{what}: another state than without the fault"
            );
            assert_eq!(world.broken().await, [""; 0], "{what}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_meets_a_fault_without_end_is_a_503_or_a_409_and_changes_nothing() {
    let (some, others) = UNWRITTEN.split_at(UNWRITTEN.len() / 2);
    tokio::join!(
        every_write_without_end(some),
        every_write_without_end(others)
    );
}

async fn every_write_without_end(faults: &'static [Fault]) {
    with_every_write(|write| async move {
        let world = stage().await;
        let before = world.state().await;
        for fault in faults {
            let what = format!("{write:?} under {fault:?}");
            world.proxy.inject(move |operation, request| {
                is_change(operation, request).then(|| fault.clone())
            });
            let answer = write.send(&world).await;
            if matches!(fault, Fault::Cancelled("TransactionConflict")) {
                assert_contended(&answer, &what);
            } else {
                assert_unavailable(&answer, &what);
            }
            assert!(world.state().await == before, "{what}: something changed");
            assert_eq!(world.broken().await, [""; 0], "{what}");
            let calls = world.proxy.take_calls();
            let changes = |call: &&Call| is_change(&call.operation, &call.request);
            let tries = calls.iter().filter(changes).count();
            assert!(tries <= 10, "{what}: {tries} tries");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_every_answer_is_lost_happens_once_and_is_a_503() {
    with_every_write(|write| async move {
        let world = stage().await;
        let before = world.items().await;
        write.send(&world).await;
        let after = world.state().await;
        world.restore(&before).await;
        world.proxy.inject(|operation, request| {
            is_change(operation, request).then_some(Fault::LostAnswer)
        });
        assert_unavailable(&write.send(&world).await, &format!("{write:?}"));
        assert!(
            world.state().await == after,
            "{write:?}: another state than without the fault"
        );
        assert_eq!(world.broken().await, [""; 0], "{write:?}");
    })
    .await;
}

async fn register(world: &World) -> Answer {
    let body = registration("bob", "bob@example.com");
    world.post(NOBODY, "users/register/", body).await
}

#[tokio::test]
async fn a_lost_number_of_a_sequence_is_a_gap_and_nothing_else() {
    let world = stage().await;
    let update = |operation: &str, _: &Value| operation == "UpdateItem";
    world.proxy.inject_once(Fault::LostAnswer, update);
    let body = json!({
        "id": 4, "username": "bob", "email": "bob@example.com", "first_name": "", "last_name": "",
    });
    register(&world).await.assert(201, body);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_sequence_that_gives_no_number_is_a_503_and_makes_nobody() {
    let world = stage().await;
    let before = world.state().await;
    world.proxy.inject(|operation, _| {
        (operation == "UpdateItem").then_some(Fault::Refused(500, "InternalServerError"))
    });
    assert_unavailable(&register(&world).await, "register");
    assert!(world.state().await == before);
}
