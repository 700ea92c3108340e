//! Plays the scenarios against a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::client::{Client, Response, bearer, quote};
use super::compare;
use super::normalise::{Kind, Normaliser, integer};
use super::scenario::{self, Body, Scenario, Step};
use super::variables::{PASSWORD, Variables, plain};

/// How many scenarios are played at once; the steps of each are played in order.
const AT_ONCE: usize = 8;

/// How long the administrator's tokens are used. They live longer, but a scenario needs some of it too.
const ADMIN_LOGIN: Duration = Duration::from_secs(120);

/// The accounts a server must already hold.
#[derive(Clone)]
pub struct Accounts {
    /// A superuser.
    pub admin: Account,
    /// Somebody whose account is deactivated.
    pub inactive: Account,
}

/// One account.
#[derive(Clone)]
pub struct Account {
    pub username: String,
    pub password: String,
}

impl Account {
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: password.to_owned(),
        }
    }
}

/// What came of one step.
pub struct Outcome {
    pub scenario: String,
    pub step: String,
    /// The method and the path, before its variables are filled in.
    pub request: String,
    /// What differs from the recorded answer; empty when the step passed.
    pub differences: Vec<String>,
}

/// Plays every scenario against the server at `base`: one outcome for each step, in the order of the files.
///
/// All names carry a suffix of their own, so a server may be used again and again.
pub async fn run(base: &str, accounts: &Accounts, signing_key: &str) -> Vec<Outcome> {
    let server = Arc::new(ServerUnderTest {
        client: Client::new(base),
        accounts: accounts.clone(),
        signing_key: signing_key.to_owned(),
        admin: Mutex::new(None),
    });
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (position, scenario) in scenario::all().into_iter().enumerate() {
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
struct ServerUnderTest {
    client: Client,
    accounts: Accounts,
    signing_key: String,
    admin: Mutex<Option<(Instant, Admin)>>,
}

/// The administrator, logged in, and the ids of the two accounts.
#[derive(Clone)]
struct Admin {
    access: String,
    refresh: String,
    admin_id: i128,
    inactive_id: i128,
}

/// One scenario being played.
struct Run {
    variables: Variables,
    normaliser: Normaliser,
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
        for (name, spec) in &step.mint {
            run.variables.mint(name, spec, &self.signing_key)?;
        }
        let path = run.variables.text(&step.path)?;
        let (headers, body) = content(&run.variables, step)?;
        let response = self
            .client
            .send(&step.method, &path, &headers, body)
            .await?;
        if let Some(json) = &response.json {
            for (name, place) in &step.save {
                run.variables.save(name, &plain(place), json)?;
            }
        }
        Ok(run.normaliser.answer(&step.method, &path, &response))
    }

    /// Makes through the API what a scenario starts from; these answers are not what is compared.
    async fn set_up(&self, scenario: &Scenario) -> Result<Run, String> {
        let variables = Variables::new();
        let normaliser = Normaliser::new(&variables.run, variables.runint);
        let mut run = Run {
            variables,
            normaliser,
        };
        let admin = self.admin().await?;
        run.know("admin", &self.accounts.admin, admin.admin_id);
        run.know("inactive", &self.accounts.inactive, admin.inactive_id);
        run.variables.set("admin.access", admin.access.as_str());
        run.variables.set("admin.refresh", admin.refresh.as_str());

        for name in &scenario.setup.users {
            self.set_up_user(&mut run, name).await?;
        }
        for name in &scenario.setup.groups {
            let full = format!("{name}_{}", run.variables.run);
            let made = self
                .make("groups", &admin.access, &json!({"name": full}))
                .await?;
            run.made(Kind::Group, name, full, made);
        }
        for name in &scenario.setup.permissions {
            let full = format!("{name}_{}", run.variables.run);
            let body = json!({
                "name": format!("May {name} {}", run.variables.run),
                "codename": full,
                "content_type": "auth.user",
            });
            let made = self.make("permissions", &admin.access, &body).await?;
            run.made(Kind::Permission, name, full, made);
        }
        Ok(run)
    }

    async fn set_up_user(&self, run: &mut Run, name: &str) -> Result<(), String> {
        let username = format!("{name}_{}", run.variables.run);
        let email = format!("{username}@example.com");
        let body = json!({
            "username": username,
            "email": email,
            "password": PASSWORD,
            "password2": PASSWORD,
            "first_name": capitalised(name),
            "last_name": "Setup",
        });
        let register = "/api/auth/users/register/";
        let registered = self.client.post(register, None, &body).await?;
        let id = id(&expect(&registered, 201, "register")?)?;
        let login = self.login(&Account::new(&username, PASSWORD)).await?;
        run.variables.set(format!("{name}.email"), email);
        for token in ["access", "refresh"] {
            run.variables
                .set(format!("{name}.{token}"), login[token].clone());
        }
        run.made(Kind::User, name, username, id);
        Ok(())
    }

    /// Makes a group or a permission; its id.
    async fn make(&self, resource: &str, token: &str, body: &Value) -> Result<i128, String> {
        let path = format!("/api/auth/{resource}/");
        let made = self.client.post(&path, Some(token), body).await?;
        id(&expect(&made, 201, &path)?)
    }

    async fn login(&self, account: &Account) -> Result<Value, String> {
        let body = json!({"username": account.username, "password": account.password});
        let response = self.client.post("/api/auth/login/", None, &body).await?;
        expect(&response, 200, &format!("login of {}", account.username))
    }

    /// The administrator, logged in once for many scenarios.
    async fn admin(&self) -> Result<Admin, String> {
        let mut known = self.admin.lock().await;
        if let Some((since, admin)) = known.as_ref()
            && since.elapsed() < ADMIN_LOGIN
        {
            return Ok(admin.clone());
        }
        let login = self.login(&self.accounts.admin).await?;
        let access = plain(&login["access"]);
        let users = self
            .client
            .send("GET", "/api/auth/users/", &[bearer(&access)], None)
            .await?;
        let users = expect(&users, 200, "list of users")?;
        let id_of = |account: &Account| {
            let mut users = users.as_array().into_iter().flatten();
            let user = users.find(|user| user["username"] == account.username.as_str());
            id(user.ok_or_else(|| format!("the server holds no {}", account.username))?)
        };
        let admin = Admin {
            admin_id: id_of(&self.accounts.admin)?,
            inactive_id: id_of(&self.accounts.inactive)?,
            refresh: plain(&login["refresh"]),
            access,
        };
        *known = Some((Instant::now(), admin.clone()));
        Ok(admin)
    }
}

impl Run {
    /// Makes an account that was there before a variable.
    fn know(&mut self, name: &str, account: &Account, id: i128) {
        self.variables
            .set(format!("{name}.password"), account.password.as_str());
        self.made(Kind::User, name, account.username.clone(), id);
    }

    /// Makes what was made a variable, and its id a symbol.
    fn made(&mut self, kind: Kind, name: &str, full: String, id: i128) {
        self.variables.set(name, full);
        self.variables.set(format!("{name}.id"), json!(id));
        self.normaliser.bind(kind, id, name);
    }
}

/// The headers and the body of a step.
fn content(variables: &Variables, step: &Step) -> Result<Request, String> {
    let (kind, body) = match &step.body {
        Body::None => (None, None),
        Body::Json(json) => (
            Some("application/json"),
            Some(variables.json(json)?.into_bytes()),
        ),
        Body::Text(text) => (
            Some("application/json"),
            Some(variables.text(text)?.into_bytes()),
        ),
        Body::Base64(text) => {
            let bytes = STANDARD.decode(text).map_err(|e| e.to_string())?;
            (Some("application/json"), Some(bytes))
        }
        Body::Form(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(name, value)| {
                    let value = plain(&variables.value(value)?);
                    Ok(format!("{}={}", quote(name, ""), quote(&value, "")))
                })
                .collect::<Result<Vec<_>, String>>()?;
            let kind = "application/x-www-form-urlencoded";
            (Some(kind), Some(pairs.join("&").into_bytes()))
        }
    };

    let mut headers = Vec::new();
    let own_kind = step
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("content-type"));
    if let Some(kind) = kind.filter(|_| !own_kind) {
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    for (name, value) in step.headers.iter().filter(|(_, value)| !value.is_null()) {
        headers.push((name.clone(), plain(&variables.value(value)?)));
    }
    if let Some(user) = &step.bearer {
        headers.push(bearer(&plain(
            &variables.lookup(&format!("{user}.access"))?,
        )));
    }
    Ok((headers, body))
}

/// Headers and a body, ready to be sent.
type Request = (Vec<(String, String)>, Option<Vec<u8>>);

/// The JSON of a set-up's answer that has to have this status.
fn expect(response: &Response, status: u16, what: &str) -> Result<Value, String> {
    match &response.json {
        Some(json) if response.status == status => Ok(json.clone()),
        _ => Err(format!(
            "{what}: status {} and {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        )),
    }
}

fn id(made: &Value) -> Result<i128, String> {
    made.get("id")
        .and_then(integer)
        .ok_or_else(|| format!("no integer id in {made}"))
}

/// A set-up's first name: `ann` is Ann.
fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
