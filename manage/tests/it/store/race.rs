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
use tokio::{
    sync::{Barrier, Notify},
    task::JoinSet,
};

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

/// A call that is held.
pub struct Held {
    turn: Arc<Barrier>,
    came: Arc<Notify>,
}

impl Held {
    /// Waits until it has come.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// Lets it be carried out.
    pub async fn go(&self) {
        self.turn.wait().await;
        self.turn.wait().await;
    }
}

/// Holds the call number `place`, from 0, of those that `which` picks.
pub fn hold(
    world: &World,
    place: usize,
    which: impl Fn(&str, &Value) -> bool + Send + Sync + 'static,
) -> Held {
    let (turn, came) = (Arc::new(Barrier::new(2)), Arc::new(Notify::new()));
    let held = Held {
        turn: Arc::clone(&turn),
        came: Arc::clone(&came),
    };
    let calls = AtomicUsize::new(0);
    world.proxy.inject(move |operation, request| {
        let is_held = which(operation, request) && calls.fetch_add(1, Ordering::SeqCst) == place;
        is_held.then(|| {
            came.notify_one();
            Fault::Turn(Arc::clone(&turn))
        })
    });
    held
}

/// A request by a user.
pub fn by(caller: &User, method: &'static str, path: impl Into<String>, body: Value) -> Sent {
    (Some(caller.clone()), method, path.into(), body)
}
