//! Requests at the same time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;
use shared::domain::User;
use testkit::{
    Answer,
    proxy::{Fault, is_write},
};
use tokio::{sync::Barrier, task::JoinSet};

use super::world::World;

/// A request: the caller, the method, the path and the body.
pub type Sent = (Option<User>, &'static str, String, Value);

/// Sends requests at the same time; their answers in the order of the requests.
pub async fn at_once(world: &World, requests: impl IntoIterator<Item = Sent>) -> Vec<Answer> {
    let mut sent = JoinSet::new();
    for (place, (caller, method, path, body)) in requests.into_iter().enumerate() {
        let client = (***world).clone();
        sent.spawn(async move {
            let answer = client.ask(caller.as_ref(), method, &path, body).await;
            (place, answer)
        });
    }
    let mut answers = sent.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Holds the next `count` writes until all of them have been sent, so that each was decided on
/// without knowledge of the others.
pub fn hold_writes(world: &World, count: usize) {
    let (together, sent) = (Arc::new(Barrier::new(count)), AtomicUsize::new(0));
    world.proxy.inject(move |operation, _| {
        let held = is_write(operation) && sent.fetch_add(1, Ordering::SeqCst) < count;
        held.then(|| Fault::Meet(Arc::clone(&together)))
    });
}

/// A request by a user.
pub fn by(caller: &User, method: &'static str, path: impl Into<String>, body: Value) -> Sent {
    (Some(caller.clone()), method, path.into(), body)
}
