//! What the account does, and what it must be answered.

use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::functions::{Answer, Functions};

/// The account of the journey: active, with no rights at all.
#[derive(Deserialize)]
pub(crate) struct Account {
    username: String,
    password: SecretString,
}

/// An answer that is not as it should be: the step, and what was answered. Never a token.
#[derive(Debug, Error)]
#[error("{step}: {what}")]
pub(crate) struct Differs {
    step: &'static str,
    what: String,
}

impl Differs {
    pub(crate) fn new(step: &'static str, what: impl Display) -> Self {
        let what = what.to_string();
        Self { step, what }
    }
}

const LOGIN: &str = "/api/auth/login/";
const PROFILE: &str = "/api/auth/users/me/";
const REFRESH: &str = "/api/auth/token/refresh/";
const LOGOUT: &str = "/api/auth/logout/";
const ADMIN: &str = "/admin/login/";
/// What only staff may see.
const CLOSED: [&str; 2] = ["/api/auth/groups/", "/api/auth/permissions/"];

/// Logs in, reads, refreshes, logs out.
pub(crate) async fn walk(
    functions: &Functions,
    account: &Account,
    asks_permissions: bool,
) -> Result<(), Differs> {
    let mut visit = Visit::begin(functions, account).await?;
    let seen = visit.look_around(&account.username, asks_permissions).await;
    // The session ends whatever was seen.
    let ended = visit.end().await;
    seen.and(ended)
}

/// A session with its tokens, which are never printed.
struct Visit<'a> {
    functions: &'a Functions,
    access: String,
    refresh: String,
}

impl<'a> Visit<'a> {
    async fn begin(functions: &'a Functions, account: &Account) -> Result<Self, Differs> {
        let password = account.password.expose_secret();
        let body = json!({"username": account.username, "password": password});
        let answer = functions.ask("POST", LOGIN, None, &body).await?;
        let answer = expect(LOGIN, 200, answer)?;
        Ok(Self {
            functions,
            access: token(LOGIN, &answer, "access")?,
            refresh: token(LOGIN, &answer, "refresh")?,
        })
    }

    async fn look_around(&mut self, username: &str, asks_permissions: bool) -> Result<(), Differs> {
        let profile = self.get(PROFILE, 200).await?;
        if profile["username"] != username || !profile["id"].is_u64() {
            return Err(Differs::new(PROFILE, "another profile than the account's"));
        }
        for path in CLOSED {
            let answer = self.get(path, 403).await?;
            let refusal = "You do not have permission to perform this action.";
            if answer != json!({ "detail": refusal }) {
                return Err(Differs::new(path, "another refusal than Django's"));
            }
        }
        self.authorize(username, asks_permissions).await?;
        // The pages may be switched off or closed to this address.
        let page = self.functions.ask("GET", ADMIN, None, &Value::Null).await?;
        if ![200, 403, 404].contains(&page.status) {
            return Err(Differs::new(ADMIN, format!("status {}", page.status)));
        }
        self.refresh().await?;
        if self.get(PROFILE, 200).await? != profile {
            let what = "another profile than before the refresh";
            return Err(Differs::new(PROFILE, what));
        }
        Ok(())
    }

    async fn refresh(&mut self) -> Result<(), Differs> {
        let body = json!({ "refresh": self.refresh });
        let answer = self.functions.ask("POST", REFRESH, None, &body).await?;
        let answer = expect(REFRESH, 200, answer)?;
        self.access = token(REFRESH, &answer, "access")?;
        // With rotation the token is replaced too.
        if answer.get("refresh").is_some() {
            self.refresh = token(REFRESH, &answer, "refresh")?;
        }
        Ok(())
    }

    async fn authorize(&self, username: &str, asks_permissions: bool) -> Result<(), Differs> {
        let answer = self.functions.authorize(&self.access).await?;
        let is_let_in = answer["isAuthorized"] == true && answer["context"]["username"] == username;
        let is_refused = asks_permissions && answer["isAuthorized"] == false;
        if !is_let_in && !is_refused {
            let what = "it does not know the account";
            return Err(Differs::new("the authorizer", what));
        }
        Ok(())
    }

    /// Logs out and makes sure that neither token is good for anything.
    async fn end(&self) -> Result<(), Differs> {
        let body = json!({ "refresh": self.refresh });
        let answer = self.functions.ask("POST", LOGOUT, None, &body).await?;
        expect(LOGOUT, 200, answer)?;
        self.get(PROFILE, 401).await?;
        let answer = self.functions.ask("POST", REFRESH, None, &body).await?;
        expect(REFRESH, 401, answer)?;
        Ok(())
    }

    async fn get(&self, path: &'static str, status: u16) -> Result<Value, Differs> {
        let answer = self
            .functions
            .ask("GET", path, Some(&self.access), &Value::Null);
        expect(path, status, answer.await?)
    }
}

/// The body of an answer with this status. What the service says of another one is shown: it holds
/// no token.
fn expect(step: &'static str, status: u16, answer: Answer) -> Result<Value, Differs> {
    if answer.status == status {
        return Ok(answer.body);
    }
    let detail = answer.body["detail"].as_str().unwrap_or("no detail");
    let what = format!("status {} instead of {status}: {detail}", answer.status);
    Err(Differs::new(step, what))
}

fn token(step: &'static str, body: &Value, name: &str) -> Result<String, Differs> {
    let token = body[name].as_str().filter(|text| !text.is_empty());
    let absent = || Differs::new(step, format!("no {name} token"));
    token.map(str::to_owned).ok_or_else(absent)
}
