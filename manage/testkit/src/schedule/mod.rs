//! Operations at the same time, in every order that their calls to the table can have.
//!
//! Each operation has a service and a proxy of its own, and each of its calls waits there for its
//! turn. All orders are tried, depth first, but for those that differ only in calls of which the order
//! does not matter. The table is put back before each.
//!
//! What an order comes to must be what the operations come to one after another, in some sequence. One
//! that is answered by a conflict must have done nothing.
//!
//! `ORDERS` bounds how many orders are tried; `ORDER=a,b,a` tries one; `ALIKE=1` tries those too of
//! which the differences do not matter.

mod footprint;
mod outcome;
mod run;
mod service;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    pin::Pin,
    time::Instant,
};

use serde_json::{Value, json};
use shared::store::items::Item;
use tokio::sync::Mutex;

use crate::{Answer, Observed, proxy::Proxy};
use footprint::Footprint;
use outcome::{Normal, Outcome};
use run::{Desk, Operation, Waiting};
pub use service::Service;
use service::Settings;

/// How many orders are tried if `ORDERS` does not say it.
const ORDERS: usize = 250;

/// Operations that are run at the same time.
pub struct Race<'a> {
    world: &'a Observed,
    settings: Settings,
    desk: Mutex<Desk>,
    operations: Vec<(Operation, Service)>,
    proxies: Vec<Proxy>,
    alike: Option<(u64, u64)>,
    tries_all: bool,
    checked: Mutex<BTreeSet<Vec<String>>>,
}

/// A place of an order where more than one call could come next.
struct Branch {
    options: Vec<usize>,
    taken: usize,
}

/// Tells which order a test failed in.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

impl<'a> Race<'a> {
    /// Without operations yet, on a table that is as it is to be at their start.
    pub fn on(world: &'a Observed) -> Self {
        Self::with(world, &[])
    }

    /// The same with other settings, by the names of their variables.
    pub fn with(world: &'a Observed, settings: &[(&'static str, &'static str)]) -> Self {
        Self {
            world,
            settings: settings.to_vec(),
            desk: Mutex::new(Desk::new()),
            operations: Vec::new(),
            proxies: Vec::new(),
            alike: None,
            tries_all: env::var("ALIKE").is_ok(),
            checked: Mutex::default(),
        }
    }

    /// Counts a number as another: of a new object, whose id depends on ids that were taken and not
    /// used.
    #[must_use]
    pub fn alike(mut self, one: u64, other: u64) -> Self {
        self.alike = Some((one, other));
        self
    }

    /// One more operation.
    pub async fn operation<F>(mut self, run: impl Fn(Service) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Value> + Send + 'static,
    {
        let proxy = Proxy::start(self.world.engine.endpoint()).await;
        let service = Service::at(
            proxy.endpoint(),
            &self.settings,
            self.world.app.clock.clone(),
        )
        .await;
        let number = self.operations.len();
        self.desk.get_mut().hold(&proxy, number);
        self.proxies.push(proxy);
        let run: Operation = Box::new(move |service| {
            let running: Pin<Box<dyn Future<Output = Value> + Send>> = Box::pin(run(service));
            running
        });
        self.operations.push((run, service));
        self
    }

    /// One more operation: a request with a body in JSON, or without one if it is `Null`.
    pub async fn request(
        self,
        token: impl Into<String>,
        method: &'static str,
        path: impl Into<String>,
        body: Value,
    ) -> Self {
        let (token, path) = (token.into(), path.into());
        self.operation(move |service| {
            let (token, path, body) = (token.clone(), path.clone(), body.clone());
            async move { seen(&service.client.ask(&token, method, &path, body).await) }
        })
        .await
    }

    /// Tries the orders. After each, the table is sound and `holds` has nothing against what was
    /// answered and what is there. Returns how many were tried.
    pub async fn explore(self, holds: impl AsyncFn(&[Value])) -> usize {
        let mut start = self.world.items().await;
        outcome::shrink(&mut start);
        let normal = Normal::of(&start, self.alike);
        let all: Vec<usize> = (0..self.operations.len()).collect();
        let serial = self.serial(&all, &start, &normal).await;
        if let Ok(order) = env::var("ORDER") {
            let order: Vec<usize> = order.split(',').map(number_of).collect();
            let path = order.into_iter().map(|one| Branch {
                options: vec![one],
                taken: 0,
            });
            let mut path: Vec<Branch> = path.collect();
            self.one(&start, &mut path, &normal, &serial, &holds).await;
            return 1;
        }
        let most = env::var("ORDERS").map_or(ORDERS, |most| most.parse().expect("a number"));
        let (mut path, mut tried, began) = (Vec::new(), 0, Instant::now());
        loop {
            let counts = self.one(&start, &mut path, &normal, &serial, &holds).await;
            tried += usize::from(counts);
            // Nobody asks for them, and those of many orders fill the memory.
            for proxy in &self.proxies {
                proxy.take_calls();
            }
            let is_left = backtrack(&mut path);
            if !is_left || tried >= most {
                let all = if is_left { "the first" } else { "all" };
                println!(
                    "{all} {tried} orders, {:.1} s",
                    began.elapsed().as_secs_f64()
                );
                return tried;
            }
        }
    }

    /// What some of the operations come to one after another, in each sequence.
    async fn serial(
        &self,
        some: &[usize],
        start: &BTreeMap<String, Item>,
        normal: &Normal,
    ) -> Vec<Outcome> {
        let mut found: Vec<Outcome> = Vec::new();
        for sequence in sequences(some) {
            self.world.restore(start).await;
            let _told = Told(format!("one after another: {}", letters(&sequence)));
            let mut answers = BTreeMap::new();
            for number in &sequence {
                let (operation, service) = &self.operations[*number];
                let running = [(*number, operation, service.clone())];
                let mut desk = self.desk.lock().await;
                let answer = desk.run(&running, |next| next[0].0).await;
                answers.insert(*number, normal.answer(&answer[0]));
            }
            let table = self.sound(normal).await;
            found.push(Outcome { answers, table });
        }
        found
    }

    /// What counts of the table, which must be sound. One that has been seen before is not checked again.
    async fn sound(&self, normal: &Normal) -> Vec<String> {
        let [all, counts] = normal.table(self.world).await;
        if self.checked.lock().await.insert(all) {
            assert_eq!(self.world.broken().await, [""; 0]);
        }
        counts
    }

    /// Tries one order, which begins with a path; what it branches into is added to that. False if it
    /// is like another one.
    async fn one(
        &self,
        start: &BTreeMap<String, Item>,
        path: &mut Vec<Branch>,
        normal: &Normal,
        serial: &[Outcome],
        holds: &impl AsyncFn(&[Value]),
    ) -> bool {
        self.world.restore(start).await;
        let (mut order, mut calls, mut is_new) = (Vec::new(), Vec::new(), true);
        let mut last: Option<(usize, Footprint)> = None;
        let choose = |next: &[(usize, &Waiting)]| {
            let place = order.len();
            if place >= path.len() {
                let mut options: Vec<usize> = match is_new {
                    true if self.tries_all => next.iter().map(|it| it.0).collect(),
                    true => next
                        .iter()
                        .filter(|it| !is_late(last.as_ref(), it))
                        .map(|it| it.0)
                        .collect(),
                    false => Vec::new(),
                };
                if options.is_empty() {
                    is_new = false;
                    options.push(next[0].0);
                }
                path.push(Branch { options, taken: 0 });
            }
            let wanted = path[place].options[path[place].taken];
            let (chosen, call) = *next.iter().find(|it| it.0 == wanted).unwrap_or(&next[0]);
            order.push(chosen);
            calls.push(format!("{}: {}", letter(chosen), call.name));
            last = Some((chosen, call.footprint.clone()));
            chosen
        };
        let operations = self.operations.iter().enumerate();
        let operations: Vec<_> = operations
            .map(|(number, (operation, service))| (number, operation, service.clone()))
            .collect();
        let answers = self.desk.lock().await.run(&operations, choose).await;
        if !is_new {
            return false;
        }
        let _told = Told(format!(
            "after ORDER={}: {}\nanswers: {}",
            letters(&order),
            calls.join(", "),
            json!(answers)
        ));
        let table = self.sound(normal).await;
        let normalised = answers.iter().map(|answer| normal.answer(answer));
        let mut seen = Outcome {
            answers: normalised.enumerate().collect(),
            table,
        };
        holds(&answers).await;
        // As if those who met a conflict had not been there.
        let asked = seen.answers.len();
        seen.answers.retain(|_, answer| !is_conflict(answer));
        if seen.answers.len() == asked {
            assert_explained(&seen, serial);
        } else {
            assert!(!seen.answers.is_empty(), "nobody gets anywhere");
            let others: Vec<usize> = seen.answers.keys().copied().collect();
            assert_explained(&seen, &self.serial(&others, start, normal).await);
        }
        true
    }
}

/// The parts of an answer that count.
pub fn seen(answer: &Answer) -> Value {
    let body = match answer.json() {
        Some(body) => body,
        None => answer.header("location").map_or(Value::Null, Value::from),
    };
    json!({"status": answer.status, "body": body})
}

/// Whether a call could have come before the last one as well, in an order that is tried anyway: of
/// orders that are alike only the first in the alphabet is tried.
fn is_late(last: Option<&(usize, Footprint)>, (number, call): &(usize, &Waiting)) -> bool {
    last.is_some_and(|(before, footprint)| {
        number < before && footprint.is_independent_of(&call.footprint)
    })
}

/// Leads on to the next order; false if there is none.
fn backtrack(path: &mut Vec<Branch>) -> bool {
    while let Some(branch) = path.last_mut() {
        branch.taken += 1;
        if branch.taken < branch.options.len() {
            return true;
        }
        path.pop();
    }
    false
}

/// Every sequence of numbers.
fn sequences(numbers: &[usize]) -> Vec<Vec<usize>> {
    if numbers.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in numbers {
        let others: Vec<usize> = numbers.iter().copied().filter(|one| one != first).collect();
        let others = sequences(&others).into_iter();
        all.extend(others.map(|others| [&[*first], others.as_slice()].concat()));
    }
    all
}

/// Whether nothing was done that was asked for.
fn is_conflict(answer: &Value) -> bool {
    [409, 503].contains(&answer["status"].as_u64().unwrap_or(0))
}

fn assert_explained(seen: &Outcome, serial: &[Outcome]) {
    let alike: Vec<&Outcome> = serial
        .iter()
        .filter(|one| one.answers == seen.answers)
        .collect();
    if alike.iter().any(|one| one.table == seen.table) {
        return;
    }
    let tables = alike.iter().map(|one| difference(&one.table, &seen.table));
    let tables: Vec<String> = tables.collect();
    let all = serial.iter().map(|one| json!(one.answers).to_string());
    let all: Vec<String> = all.collect();
    match tables.is_empty() {
        true => panic!("no sequence has these answers:\n{}", all.join("\n")),
        false => panic!("no sequence leaves that table:\n{}", tables.join("or\n")),
    }
}

fn difference(one: &[String], other: &[String]) -> String {
    let only = |here: &[String], there: &[String], name: &str| {
        let lines = here.iter().filter(|line| !there.contains(line));
        lines
            .map(|line| format!("  {name} {line}\n"))
            .collect::<String>()
    };
    only(one, other, "in sequence:") + &only(other, one, "seen:")
}

fn letter(number: usize) -> char {
    char::from(b'a' + u8::try_from(number).unwrap_or(25))
}

fn letters(order: &[usize]) -> String {
    let letters: Vec<String> = order
        .iter()
        .map(|number| letter(*number).to_string())
        .collect();
    letters.join(",")
}

fn number_of(letter: &str) -> usize {
    let first = letter.trim().bytes().next().expect("a letter");
    usize::from(first - b'a')
}
