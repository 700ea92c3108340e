//! Faults by chance, for a [`Proxy`](crate::proxy::Proxy): what a table does on a bad day. The same seed
//! makes the same faults, as far as the same calls are made.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Mutex,
    time::Duration,
};

use axum::body::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::proxy::{Fault, is_write};

/// The tests of the API whose faults would tell nothing, by how their names begin, with the reason.
const EXEMPT: [(&str, &str); 9] = [
    (
        "api::account::asking::a_mail_is_asked_for_with_the_same_calls",
        COUNTS_CALLS,
    ),
    (
        "api::account::asking::what_is_above_the_limits_of_mails",
        COUNTS_AGAIN,
    ),
    (
        "api::account::passwords::a_wrong_current_password_counts",
        COUNTS_AGAIN,
    ),
    (
        "api::discovery::claims_cost_a_login_no_call_unless_they_are",
        COUNTS_CALLS,
    ),
    ("api::limits::", COUNTS_AGAIN),
    ("api::quotas::a_group_gives_no_more_than_2000", MANY_CALLS),
    ("api::quotas::largest::", MANY_CALLS),
    ("api::listing::a_page_has_a_hundred_users", MANY_CALLS),
    (
        "api::security_events::",
        "what is sent again is told of again",
    ),
];
const COUNTS_AGAIN: &str = "what is sent again counts again";
const COUNTS_CALLS: &str = "it counts calls";
const MANY_CALLS: &str = "so many calls that with their faults they take longer than a request may";

/// No answer for so long is none for any client.
const FOR_EVER: Duration = Duration::from_secs(20);
/// How long a client waits for an answer at most: a third of what a request may wait.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// Earlier answers of the index that are kept of one question.
const KEPT: usize = 4;

/// The faults of a seed.
pub struct Chaos {
    seed: u64,
    /// Whether the index also gives earlier answers again, and more faults go on for all tries.
    is_harsh: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls so far, by their operation: others that run at the same time shift no faults.
    calls: HashMap<String, u64>,
    /// What goes on for all tries of a call, or that nothing more happens to it.
    settled: HashMap<String, Option<Fault>>,
    /// Earlier answers, by the question.
    answers: HashMap<String, Vec<Bytes>>,
    /// How often each kind of fault was.
    counts: BTreeMap<&'static str, u64>,
}

impl Chaos {
    /// Faults that nearly all end with the next try.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            is_harsh: false,
            state: Mutex::default(),
        }
    }

    /// With earlier answers of the index, as far as DynamoDB may give them, and more faults that go on
    /// for all tries of a call.
    #[must_use]
    pub fn harsh(mut self) -> Self {
        self.is_harsh = true;
        self
    }

    /// Those that the environment asks for with `FAULTS`, a seed, for the tests of the API.
    pub fn of_environment() -> Option<Self> {
        let seed: u64 = std::env::var("FAULTS")
            .ok()?
            .parse()
            .expect("FAULTS is a seed");
        let thread = std::thread::current();
        let test = thread.name().unwrap_or_default();
        let is_exempt = EXEMPT.iter().any(|(name, _)| test.starts_with(name));
        let is_of_api = test.starts_with("api::") && !is_exempt;
        is_of_api.then(|| Self::of(hashed((seed, test))))
    }

    /// How often each kind of fault was.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.state.lock().expect("the state").counts.clone()
    }

    /// What happens to a call. Tries of one call have the same `name`.
    pub(crate) fn fault(&self, operation: &str, request: &Value, name: &str) -> Option<Fault> {
        let mut state = self.state.lock().expect("the state");
        let number = state.calls.entry(operation.to_owned()).or_default();
        *number += 1;
        let mut chance = StdRng::seed_from_u64(hashed((self.seed, operation, *number)));
        if let Some(settled) = state.settled.get(name) {
            return settled.clone();
        }
        let (kind, fault) = drawn(operation, &mut chance)?;
        let fault = match fault {
            Some(fault) => fault,
            None if self.is_harsh => {
                let answers = state.answers.get(&request.to_string())?;
                Fault::Again(answers[chance.random_range(0..answers.len())].clone())
            }
            None => return None,
        };
        if !self.is_harsh && leaves_a_gap(&fault, request) {
            return None;
        }
        *state.counts.entry(kind).or_default() += 1;
        // A call that is carried out late has no other fault: if it failed, it could not be told when it
        // is over.
        match fault {
            Fault::LateRequest(..) | Fault::Slow(_) | Fault::Again(_) => {
                state.settled.insert(name.to_owned(), None);
            }
            Fault::Silence(_) | Fault::LateAnswer(_) => {}
            // Sent again, it would meet what it has done itself.
            Fault::LostAnswer if !self.is_harsh => {}
            _ if chance.random_ratio(1, if self.is_harsh { 3 } else { 8 }) => {
                *state.counts.entry("to the end").or_default() += 1;
                state.settled.insert(name.to_owned(), Some(fault.clone()));
            }
            _ => {}
        }
        Some(fault)
    }

    /// Keeps an answer of the index.
    pub(crate) fn keep(&self, request: &Value, answer: &Bytes) {
        if self.is_harsh && request["IndexName"].is_string() {
            let mut state = self.state.lock().expect("the state");
            let answers = state.answers.entry(request.to_string()).or_default();
            answers.push(answer.clone());
            if answers.len() > KEPT {
                answers.remove(0);
            }
        }
    }
}

/// Whether a number of a sequence is drawn twice: the tests of the API name the ids of what they make.
fn leaves_a_gap(fault: &Fault, request: &Value) -> bool {
    let is_done = matches!(
        fault,
        Fault::LostAnswer | Fault::LateAnswer(_) | Fault::LateRequest(..)
    );
    is_done && request["Key"]["PK"]["S"] == "SEQUENCE"
}

fn hashed(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A fault by its kind: 5 % of all calls fail, others are slow, or answer a part or what was so before.
fn drawn(operation: &str, chance: &mut StdRng) -> Option<(&'static str, Option<Fault>)> {
    let throttled = || match operation {
        "TransactWriteItems" => Fault::Cancelled("ThrottlingError"),
        _ => Fault::Refused(400, "ThrottlingException"),
    };
    let draw = chance.random_range(0..1000);
    let (kind, fault) = match draw {
        0..10 => ("throttled", throttled()),
        10..18 if is_write(operation) => ("conflict", Fault::Cancelled("TransactionConflict")),
        10..18 => ("throttled", throttled()),
        18..26 => ("500", Fault::Refused(500, "InternalServerError")),
        26..34 => ("cut before", Fault::LostRequest),
        34..43 => ("cut after", Fault::LostAnswer),
        43..45 => ("timed out before", Fault::Silence(FOR_EVER)),
        45..47 => ("timed out after", Fault::LateAnswer(FOR_EVER)),
        47..50 => {
            let late = PATIENCE + Duration::from_millis(chance.random_range(50..400));
            ("carried out late", Fault::LateRequest(late, FOR_EVER))
        }
        50..80 => {
            let time = Duration::from_millis(chance.random_range(1..100));
            ("slow", Fault::Slow(time))
        }
        80..95 if operation == "BatchGetItem" => ("half a batch", Fault::Unprocessed),
        80..180 if operation == "Query" => return Some(("stale", None)),
        _ => return None,
    };
    Some((kind, Some(fault)))
}
