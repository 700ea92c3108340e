//! What a scenario starts from, made through the API.

use std::time::Instant;

use serde_json::{Value, json};
use testkit::{Answer, NOBODY, PASSWORD, registration};

use super::normalise::{Kind, Normaliser, integer};
use super::play::{ADMIN_LOGIN, ADMIN_PASSWORD, Admin, Run, ServerUnderTest};
use super::scenario::Scenario;
use super::variables::{Variables, plain};

impl ServerUnderTest {
    /// Makes through the API what a scenario starts from; these answers are not what is compared.
    pub async fn set_up(&self, scenario: &Scenario) -> Result<Run, String> {
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
