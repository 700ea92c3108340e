//! Plays the scenarios against a server.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{Answer, Client, NOBODY, PASSWORD, SIGNING_KEY, registration};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::compare;
use super::normalise::{Kind, Normaliser, integer};
use super::post::Post;
use super::scenario::{self, Body, Scenario, Step, Wait};
use super::variables::{Variables, plain};

/// How many scenarios are played at once; the steps of each are played in order.
const AT_ONCE: usize = 8;

/// The administrator's password, which is nobody else's.
pub const ADMIN_PASSWORD: &str = "Adm1n-pass-phrase!";

/// How long the administrator's tokens are used. They live longer, but a scenario needs some of it too.
const ADMIN_LOGIN: Duration = Duration::from_secs(120);

/// Python's list of what a request target may hold as it is.
const SAFE: &str = "/%?&=+:;,@!$'()*~-._[]";

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
struct ServerUnderTest {
    client: Client,
    post: Post,
    time: Arc<AtomicI64>,
    admin: Mutex<Option<(Instant, Admin)>>,
}

/// The administrator, logged in, and the ids of the two accounts that a server must hold: `admin`, and
/// `inactive`, who is deactivated.
#[derive(Clone)]
struct Admin {
    access: String,
    refresh: String,
    admin_id: i128,
    inactive_id: i128,
    unusable_id: i128,
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
    async fn mail(&self, run: &mut Run, address: &str, variable: Option<&str>) -> Value {
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

    /// Makes through the API what a scenario starts from; these answers are not what is compared.
    async fn set_up(&self, scenario: &Scenario) -> Result<Run, String> {
        let variables = Variables::new();
        let normaliser = Normaliser::new(&variables.run, variables.runint);
        let mut run = Run {
            variables,
            normaliser,
        };
        let admin = self.admin().await?;
        run.know("admin", admin.admin_id);
        run.variables.set("admin.password", ADMIN_PASSWORD);
        run.know("inactive", admin.inactive_id);
        run.know("unusable", admin.unusable_id);
        run.variables.set("admin.access", admin.access.as_str());
        run.variables.set("admin.refresh", admin.refresh.as_str());

        let activates = scenario.modes.contains("activation");
        for name in &scenario.setup.users {
            let id = self.register(&mut run, name).await?;
            if activates {
                self.activate(&mut run, name).await?;
            }
            if scenario.modes.contains("confirmation") {
                let address = run.variables.text(&format!("${{{name}.email}}"))?;
                self.mail(&mut run, &address, None).await;
            }
            self.log_in(&mut run, name).await?;
            run.made_user(name, id);
        }
        for name in &scenario.setup.pending {
            let id = self.register(&mut run, name).await?;
            run.made_user(name, id);
            let address = run.variables.text(&format!("${{{name}.email}}"))?;
            self.mail(&mut run, &address, Some(name)).await;
        }
        for name in &scenario.setup.groups {
            let full = format!("{name}_{}", run.variables.run);
            let body = json!({"name": full});
            let made = self.make("groups/", &admin.access, body).await?;
            run.made(Kind::Group, name, full, made);
        }
        for name in &scenario.setup.permissions {
            let full = format!("{name}_{}", run.variables.run);
            let body = json!({
                "name": format!("May {name} {}", run.variables.run),
                "codename": full,
                "content_type": "auth.user",
            });
            let made = self.make("permissions/", &admin.access, body).await?;
            run.made(Kind::Permission, name, full, made);
        }
        Ok(run)
    }

    /// Registers a user; their id.
    async fn register(&self, run: &mut Run, name: &str) -> Result<i128, String> {
        let username = format!("{name}_{}", run.variables.run);
        let email = format!("{username}@example.com");
        let mut body = registration(&username, &email);
        body["first_name"] = capitalised(name).into();
        body["last_name"] = "Setup".into();
        run.variables.set(format!("{name}.email"), email);
        self.make("users/register/", NOBODY, body).await
    }

    /// Activates a user who has registered, through their mail.
    async fn activate(&self, run: &mut Run, name: &str) -> Result<(), String> {
        let address = run.variables.text(&format!("${{{name}.email}}"))?;
        self.mail(run, &address, Some(name)).await;
        let part = |part| {
            plain(
                &run.variables
                    .lookup(&format!("{name}.{part}"))
                    .unwrap_or_default(),
            )
        };
        let link = json!({"uid": part("uid"), "token": part("token")});
        let path = "users/activation/";
        let answer = self.client.try_ask(NOBODY, "POST", path, link).await?;
        match answer.status {
            204 => Ok(()),
            _ => Err(format!("activation of {name}: {answer:?}")),
        }
    }

    async fn log_in(&self, run: &mut Run, name: &str) -> Result<(), String> {
        let username = format!("{name}_{}", run.variables.run);
        let login = self.login(&username, PASSWORD).await?;
        for token in ["access", "refresh"] {
            run.variables
                .set(format!("{name}.{token}"), login[token].clone());
        }
        Ok(())
    }

    /// Makes a user, a group or a permission; its id.
    async fn make(&self, path: &str, token: &str, body: Value) -> Result<i128, String> {
        let made = self.client.try_ask(token, "POST", path, body).await?;
        id(&expect(&made, 201, path)?)
    }

    async fn login(&self, username: &str, password: &str) -> Result<Value, String> {
        let body = json!({"username": username, "password": password});
        let answer = self.client.try_ask(NOBODY, "POST", "login/", body).await?;
        expect(&answer, 200, &format!("login of {username}"))
    }

    /// The administrator, logged in once for many scenarios.
    async fn admin(&self) -> Result<Admin, String> {
        let mut known = self.admin.lock().await;
        if let Some((since, admin)) = known.as_ref()
            && since.elapsed() < ADMIN_LOGIN
        {
            return Ok(admin.clone());
        }
        let login = self.login("admin", ADMIN_PASSWORD).await?;
        let access = plain(&login["access"]);
        let users = self.client.try_ask(&access, "GET", "users/", Value::Null);
        let users = users.await?;
        let users = expect(&users, 200, "list of users")?;
        let id_of = |username: &str| {
            let mut users = users.as_array().into_iter().flatten();
            let user = users.find(|user| user["username"] == username);
            id(user.ok_or_else(|| format!("the server holds no {username}"))?)
        };
        let admin = Admin {
            admin_id: id_of("admin")?,
            inactive_id: id_of("inactive")?,
            unusable_id: id_of("unusable")?,
            refresh: plain(&login["refresh"]),
            access,
        };
        *known = Some((Instant::now(), admin.clone()));
        Ok(admin)
    }
}

impl Run {
    /// Makes an account that was there before a variable.
    fn know(&mut self, name: &str, id: i128) {
        self.variables.set(format!("{name}.password"), PASSWORD);
        self.variables
            .set(format!("{name}.email"), format!("{name}@example.com"));
        self.made(Kind::User, name, name.to_owned(), id);
    }

    fn made_user(&mut self, name: &str, id: i128) {
        let username = format!("{name}_{}", self.variables.run);
        self.made(Kind::User, name, username, id);
    }

    /// Makes what was made a variable, and its id a symbol.
    fn made(&mut self, kind: Kind, name: &str, full: String, id: i128) {
        self.variables.set(name, full);
        self.variables.set(format!("{name}.id"), json!(id));
        self.normaliser.bind(kind, id, name);
    }
}

/// Headers and a body, ready to be sent.
type Content = (HeaderMap, Option<Vec<u8>>);

/// The headers and the body of a step.
fn content(variables: &Variables, step: &Step) -> Result<Content, String> {
    let form = |pairs: &[(String, Value)]| {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = plain(&variables.value(value)?);
            Ok(format!("{}={}", quote(name, ""), quote(&value, "")))
        });
        pairs.collect::<Result<Vec<_>, String>>()
    };
    let body = match &step.body {
        Body::None => None,
        Body::Json(json) => Some(variables.json(json)?.into_bytes()),
        Body::Text(text) => Some(variables.text(text)?.into_bytes()),
        Body::Base64(text) => Some(STANDARD.decode(text).map_err(|e| e.to_string())?),
        Body::Form(pairs) => Some(form(pairs)?.join("&").into_bytes()),
    };
    let mut headers = HeaderMap::new();
    let kind = match &step.body {
        Body::None => None,
        Body::Form(_) => Some("application/x-www-form-urlencoded"),
        _ => Some("application/json"),
    };
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in &step.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| e.to_string())?;
        if value.is_null() {
            headers.remove(name);
        } else {
            headers.insert(name, header(&plain(&variables.value(value)?))?);
        }
    }
    if let Some(user) = &step.bearer {
        let token = plain(&variables.lookup(&format!("{user}.access"))?);
        headers.insert(AUTHORIZATION, header(&format!("Bearer {token}"))?);
    }
    Ok((headers, body))
}

/// From bytes, as a header may hold more than ASCII.
fn header(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|e| e.to_string())
}

/// Percent-encodes every byte of `text` but the unreserved ones and those in `safe`.
fn quote(text: &str, safe: &str) -> String {
    text.bytes()
        .map(|byte| {
            let kept = byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
            if kept || safe.as_bytes().contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The JSON of a set-up's answer that has to have this status.
fn expect(answer: &Answer, status: u16, what: &str) -> Result<Value, String> {
    let json = answer.json().filter(|_| answer.status == status);
    json.ok_or_else(|| format!("{what}: {answer:?}"))
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

#[test]
fn a_path_is_quoted_as_the_recorder_quoted_it() {
    for (path, target) in [
        ("/users/1.5/?a=b&c=[d]%20", "/users/1.5/?a=b&c=[d]%20"),
        (
            "/a b/\u{e9}\"<>#/\u{1f600}",
            "/a%20b/%C3%A9%22%3C%3E%23/%F0%9F%98%80",
        ),
    ] {
        assert_eq!(quote(path, SAFE), target);
    }
    assert_eq!(quote("a/b+c@d ~", ""), "a%2Fb%2Bc%40d%20~");
}
