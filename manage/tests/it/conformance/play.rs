//! Plays the scenarios against a server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::http::header::CONTENT_LENGTH;
use serde_json::{Value, json};
use testkit::{Answer, Client, NOBODY, SIGNING_KEY};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::compare;
use super::content::{Content, SAFE, content, quote};
use super::normalise::Normaliser;
use super::post::Post;
use super::scenario::{self, Scenario, Step, Wait};
use super::variables::{Variables, plain};

/// How many scenarios are played at once; the steps of each are played in order.
const AT_ONCE: usize = 8;

/// The administrator's password, which is nobody else's.
pub const ADMIN_PASSWORD: &str = "Adm1n-pass-phrase!";

/// How long the administrator's tokens are used. They live longer, but a scenario needs some of it too.
pub const ADMIN_LOGIN: Duration = Duration::from_secs(120);

/// What came of one step.
pub struct Outcome {
    pub scenario: String,
    pub step: String,
    /// The method and the path, before its variables are filled in.
    pub request: String,
    /// What differs from the recorded answer; empty when the step passed.
    pub differences: Vec<String>,
}

/// Plays every scenario of these modes against a server, whose clock stands: one outcome for each step, in the order of the files.
///
/// All names carry a suffix of their own, so a server may be used again and again.
pub async fn run(
    client: &Client,
    post: &Post,
    time: &Arc<AtomicI64>,
    modes: &BTreeSet<String>,
) -> Vec<Outcome> {
    let server = Arc::new(ServerUnderTest {
        client: client.clone(),
        post: post.clone(),
        time: Arc::clone(time),
        admin: Mutex::new(None),
    });
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    let mut scenarios = scenario::all();
    scenarios.retain(|scenario| scenario.modes == *modes);
    for (position, scenario) in scenarios.into_iter().enumerate() {
        let (server, at_once) = (Arc::clone(&server), Arc::clone(&at_once));
        tasks.spawn(async move {
            let _turn = at_once
                .acquire()
                .await
                .expect("nobody closes the semaphore");
            (position, server.play(&scenario).await)
        });
    }
    let mut played = tasks.join_all().await;
    played.sort_by_key(|(position, _)| *position);
    played
        .into_iter()
        .flat_map(|(_, outcomes)| outcomes)
        .collect()
}

/// The server, and what is needed to speak to it.
pub struct ServerUnderTest {
    pub client: Client,
    pub post: Post,
    pub time: Arc<AtomicI64>,
    pub admin: Mutex<Option<(Instant, Admin)>>,
}

/// The administrator, logged in, and the ids of the two accounts that a server must hold: `admin`, and
/// `inactive`, who is deactivated.
#[derive(Clone)]
pub struct Admin {
    pub access: String,
    pub refresh: String,
    pub admin_id: i128,
    pub inactive_id: i128,
    pub unusable_id: i128,
}

/// One scenario being played.
pub struct Run {
    pub variables: Variables,
    pub normaliser: Normaliser,
}

impl ServerUnderTest {
    async fn play(&self, scenario: &Scenario) -> Vec<Outcome> {
        let mut run = self.set_up(scenario).await;
        let mut outcomes = Vec::with_capacity(scenario.steps.len());
        for step in &scenario.steps {
            let differences = match &mut run {
                Ok(run) => match self.step(run, step).await {
                    Ok(got) => compare::differences(&scenario.golden[&step.id], &got),
                    Err(reason) => vec![reason],
                },
                Err(reason) => vec![format!("set-up failed: {reason}")],
            };
            outcomes.push(Outcome {
                scenario: scenario.name.clone(),
                step: step.id.clone(),
                request: format!("{} {}", step.method, step.path),
                differences,
            });
        }
        outcomes
    }

    /// Sends one request; its answer, normalised, or why there is none.
    async fn step(&self, run: &mut Run, step: &Step) -> Result<Value, String> {
        if let Some(wait) = &step.wait {
            return self.wait(run, wait).await;
        }
        for (name, spec) in &step.mint {
            let now = self.time.load(Ordering::SeqCst);
            run.variables.mint(name, spec, SIGNING_KEY, now)?;
        }
        let path = run.variables.text(&step.path)?;
        let content = content(&run.variables, step)?;
        let answer = self.send(&step.method, &path, content).await?;
        if let Some(json) = answer.json() {
            for (name, place) in &step.save {
                run.variables.save(name, &plain(place), &json)?;
            }
        }
        Ok(run.normaliser.answer(&step.method, &path, &answer))
    }

    /// Waits for what a step waits for.
    async fn wait(&self, run: &mut Run, wait: &Wait) -> Result<Value, String> {
        Ok(match wait {
            Wait::Mail(address, variable) => {
                let address = run.variables.text(address)?;
                let mail = self.mail(run, &address, variable.as_deref()).await;
                json!({ "mail": mail })
            }
            Wait::NoMail(address) => {
                let address = run.variables.text(address)?;
                json!({"no_mail": self.post.is_empty_for(&address).await?})
            }
            Wait::Time(seconds) => {
                // The clock stands: it is moved.
                self.time.fetch_add(seconds.ceil() as i64, Ordering::SeqCst);
                json!({"slept": seconds})
            }
        })
    }

    /// The next mail to an address; the variable gets the parts of its link.
    pub async fn mail(&self, run: &mut Run, address: &str, variable: Option<&str>) -> Value {
        let (message, link) = self.post.next(address).await;
        if let (Some(variable), Some(link)) = (variable, &link) {
            for (part, value) in [("uid", &link.uid), ("token", &link.token)] {
                run.variables
                    .set(format!("{variable}.{part}"), value.as_str());
            }
        }
        run.normaliser.mail(&message.to, link.as_ref())
    }

    /// The answer to one request, sent as the recorder sent it.
    async fn send(
        &self,
        method: &str,
        path: &str,
        (mut headers, body): Content,
    ) -> Result<Answer, String> {
        let target = quote(path, SAFE);
        if body.is_some() || ["POST", "PUT", "PATCH"].contains(&method) {
            let length = body.as_ref().map_or(0, Vec::len);
            let own = headers.entry(CONTENT_LENGTH);
            own.or_insert_with(|| length.into());
        }
        let mut request = self.client.request(NOBODY, method, &target);
        if let Some(sent) = request.headers_mut() {
            *sent = headers;
        }
        self.client
            .try_send(request, body.unwrap_or_default())
            .await
    }
}
