//! Operations that run at the same time, of which each call to the table waits for its turn.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::{Barrier, mpsc},
    time::timeout,
};

use super::{Service, footprint::Footprint};
use crate::proxy::{Fault, Proxy};

/// Far more than anything takes between two calls.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than a call takes that somebody still waits for.
const GIVEN_UP: Duration = Duration::from_secs(10);

/// What an operation does, by a service of its own: its answer.
pub(super) type Operation =
    Box<dyn Fn(Service) -> Pin<Box<dyn Future<Output = Value> + Send>> + Send>;

/// What becomes of an operation.
enum Happened {
    /// A call waits for its turn.
    Waits(usize, Waiting),
    /// It ended with this answer.
    Ended(usize, Value),
}

/// A call that waits for its turn.
pub(super) struct Waiting {
    pub(super) name: String,
    pub(super) footprint: Footprint,
    turn: Arc<Barrier>,
}

/// Where the operations say what becomes of them.
pub(super) struct Desk {
    tell: mpsc::UnboundedSender<Happened>,
    told: mpsc::UnboundedReceiver<Happened>,
}

impl Desk {
    pub(super) fn new() -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        Self { tell, told }
    }

    /// Has every call through that proxy, which belongs to the operation of that number, wait.
    pub(super) fn hold(&self, proxy: &Proxy, number: usize) {
        let tell = self.tell.clone();
        proxy.inject(move |operation, request| {
            let turn = Arc::new(Barrier::new(2));
            let waiting = Waiting {
                name: operation.to_owned(),
                footprint: Footprint::of(operation, request),
                turn: Arc::clone(&turn),
            };
            let told = tell.send(Happened::Waits(number, waiting));
            told.is_ok().then_some(Fault::Turn(turn))
        });
    }

    /// Runs operations to their ends. Each time when all that have not ended wait, `choose` says whose
    /// call is next. Their answers, in order of their numbers.
    pub(super) async fn run(
        &mut self,
        operations: &[(usize, &Operation, Service)],
        mut choose: impl FnMut(&[(usize, &Waiting)]) -> usize,
    ) -> Vec<Value> {
        for (number, operation, service) in operations {
            let (number, tell) = (*number, self.tell.clone());
            let running = tokio::spawn(operation(service.clone()));
            tokio::spawn(async move {
                let ended = running.await;
                let answer = ended.unwrap_or_else(|error| json!(error.to_string()));
                // Nobody is told any more after a failure.
                let _ = tell.send(Happened::Ended(number, answer));
            });
        }
        let places = 1 + operations
            .iter()
            .map(|(number, ..)| *number)
            .max()
            .unwrap_or(0);
        let mut waiting: Vec<VecDeque<Waiting>> = (0..places).map(|_| VecDeque::new()).collect();
        let mut answers: Vec<Option<Value>> = vec![None; places];
        loop {
            let all = operations.iter().map(|(number, ..)| *number);
            while all
                .clone()
                .any(|number| answers[number].is_none() && waiting[number].is_empty())
            {
                let happened = timeout(PATIENCE, self.told.recv()).await;
                match happened.expect("an operation stands").expect("a sender") {
                    Happened::Waits(number, call) => waiting[number].push_back(call),
                    Happened::Ended(number, answer) => answers[number] = Some(answer),
                }
            }
            let next: Vec<(usize, &Waiting)> = all
                .filter_map(|number| Some((number, waiting[number].front()?)))
                .collect();
            if next.is_empty() {
                break;
            }
            let chosen = choose(&next);
            let call = waiting[chosen].pop_front().expect("one that waits");
            // It goes, and has been carried out. One that its client has given up on a slow machine goes
            // nowhere: the client sends another.
            for _ in 0..2 {
                if timeout(GIVEN_UP, call.turn.wait()).await.is_err() {
                    break;
                }
            }
        }
        answers.into_iter().flatten().collect()
    }
}
