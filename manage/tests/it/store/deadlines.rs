//! A table that does not answer: a request waits for it so long in all, and no longer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use testkit::{Client, proxy::Fault, serve};
use tokio::sync::Barrier;

use super::{
    faults::{assert_unavailable, stage},
    world::World,
};

const BUDGET: Duration = Duration::from_millis(400);

/// The service with a small budget.
async fn impatient(world: &World) -> Client {
    let mut app = world.app.clone();
    app.database_budget = BUDGET;
    serve(app).await
}

/// Nobody ever comes to meet it.
fn silence() -> Fault {
    Fault::Meet(Arc::new(Barrier::new(1000)))
}

#[tokio::test]
async fn a_request_is_a_503_when_it_has_waited_for_the_table_as_long_as_it_may() {
    let world = stage().await;
    let client = impatient(&world).await;
    world.proxy.take_calls();
    client
        .get(&world.admin, "users/2/")
        .await
        .assert_status(200);
    let reads = world.proxy.take_calls().len();
    assert!(reads > 1, "{reads}");
    for answered in 0..reads {
        let silence = silence();
        let calls = std::sync::atomic::AtomicUsize::new(0);
        world.proxy.inject(move |_, _| {
            let call = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            (call >= answered).then(|| silence.clone())
        });
        let started = Instant::now();
        let answer = client.get(&world.admin, "users/2/").await;
        let took = started.elapsed();
        assert_unavailable(&answer, &format!("after {answered} calls"));
        assert!(took > BUDGET / 2 && took < BUDGET * 4, "{took:?}");
    }
    world.proxy.heal();
    client
        .get(&world.admin, "users/2/")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn pauses_between_tries_count_too() {
    let world = stage().await;
    let client = impatient(&world).await;
    world.proxy.take_calls();
    world.proxy.inject(|operation, _| {
        (operation == "TransactWriteItems").then_some(Fault::Cancelled("TransactionConflict"))
    });
    let started = Instant::now();
    let body = json!({"name": "Board"});
    let answer = client.post(&world.admin, "groups/", body).await;
    assert_unavailable(&answer, "a conflict without end");
    let took = started.elapsed();
    assert!(took < BUDGET * 4, "{took:?}");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_command_may_wait_longer_than_a_request() {
    let world = World::start().await;
    let (client, _) = world.raw();
    let timeouts = client.config().timeout_config().expect("time limits");
    let limits = (
        timeouts.operation_attempt_timeout(),
        timeouts.operation_timeout(),
    );
    let seconds = |number| Some(Duration::from_secs(number));
    assert_eq!(limits, (seconds(3), seconds(10)));
    assert_eq!(shared::app::DATABASE_BUDGET, Duration::from_secs(3));
}
