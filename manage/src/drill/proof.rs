//! The service on a table, in this process, and what it must answer after a restore.

use aws_sdk_dynamodb::Client;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, header},
};
use serde_json::{Value, json};
use shared::{
    accounts::{self, Refused},
    app::App,
    clock::Clock,
    domain::{Actor, NewUser, UserId},
    hashing::Password,
    settings::Settings,
};
use tower::ServiceExt;

use crate::{CommandError, all_routes, parsed, random_text};

const MAX_BODY: usize = 1 << 20;

/// An account that the drill makes, with the refresh token of its session.
#[derive(Clone)]
pub(super) struct Witness {
    id: UserId,
    name: String,
    password: String,
    refresh: String,
}

/// The service's own routes on a table. All services of a drill sign with one key, so that nothing but
/// the table refuses a token.
pub(super) struct Service {
    app: App,
    router: Router,
}

impl Service {
    pub(super) fn on(client: &Client, table: &str, key: &str) -> Result<Self, CommandError> {
        let settings = Settings::from_lookup(|name| match name {
            "SIGNING_KEY" => Some(key.to_owned()),
            "TABLE_NAME" => Some(table.to_owned()),
            _ => None,
        })?;
        let app = App::local(settings, client.clone(), Clock::System)?;
        let router = all_routes(app.clone());
        Ok(Self { app, router })
    }

    /// Makes an account without rights.
    pub(super) async fn account(
        &self,
        actor: Actor<'_>,
        name: &str,
    ) -> Result<Witness, CommandError> {
        let name = format!("drill-{name}-{:08x}", rand::random::<u32>());
        let password = random_text();
        let new = NewUser::named(parsed(&name)?, self.app.clock.now());
        let (store, hasher) = (&self.app.store, &self.app.hasher);
        let typed = Password::new(password.clone());
        let user = accounts::new_users::create(store, hasher, actor, new, &typed).await?;
        Ok(Witness {
            id: user.id,
            name,
            password,
            refresh: String::new(),
        })
    }

    /// Begins a session, and keeps its refresh token, which works.
    pub(super) async fn log_in(&self, witness: &mut Witness) -> Result<(), CommandError> {
        let body = json!({"username": witness.name, "password": witness.password});
        let answer = self.post("login/", &body, 200).await?;
        let refresh = answer["refresh"].as_str().unwrap_or_default();
        refresh.clone_into(&mut witness.refresh);
        self.refreshes(witness, 200).await
    }

    async fn refreshes(&self, witness: &Witness, status: u16) -> Result<(), CommandError> {
        let body = json!({"refresh": witness.refresh});
        self.post("token/refresh/", &body, status).await.map(drop)
    }

    /// Deletes an account, if it still exists.
    pub(super) async fn delete(
        &self,
        actor: Actor<'_>,
        witness: &Witness,
    ) -> Result<(), CommandError> {
        let store = &self.app.store;
        let Some(user) = store.user(witness.id).await? else {
            return Ok(());
        };
        match accounts::users::delete(store, actor, user).await {
            Ok(()) | Err(Refused::NotFound) => Ok(()),
            Err(refused) => Err(refused.into()),
        }
    }

    /// Makes sure that a request arrives at the table.
    pub(super) async fn answers(&self) -> Result<(), CommandError> {
        let nobody = format!("drill-nobody-{:08x}", rand::random::<u32>());
        let nobody = json!({"username": nobody, "password": random_text()});
        self.post("login/", &nobody, 401).await?;
        Ok(())
    }

    /// Makes sure of what a restored table must do: one account is from before the backup, the other
    /// from after it.
    pub(super) async fn proves(&self, kept: &Witness, lost: &Witness) -> Result<(), CommandError> {
        for witness in [kept, lost] {
            self.refreshes(witness, 401).await?;
        }
        self.log_in(&mut kept.clone()).await?;
        let gone = json!({"username": lost.name, "password": lost.password});
        self.post("login/", &gone, 401).await?;

        let name = format!("drill-next-{:08x}", rand::random::<u32>());
        let password = random_text();
        let next = json!({
            "username": name,
            "email": format!("{name}@example.com"),
            "password": password,
            "password2": password,
        });
        let next = self.post("users/register/", &next, 201).await?;
        let id = next["id"].as_u64().unwrap_or_default();
        if id <= lost.id.0 {
            let text = format!(
                "the next user got the id {id}, and {} was given before",
                lost.id
            );
            return Err(CommandError::new(text));
        }
        self.refreshes(lost, 401).await
    }

    /// The body of an answer with this status. An error never shows the request, nor a token.
    async fn post(&self, path: &str, body: &Value, status: u16) -> Result<Value, CommandError> {
        let request = Request::post(format!("/api/auth/{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .map_err(|error| CommandError::new(error.to_string()))?;
        let answer = match self.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let got = answer.status().as_u16();
        let read = to_bytes(answer.into_body(), MAX_BODY).await;
        let read = read.map_err(|error| CommandError::new(error.to_string()))?;
        let body: Value = serde_json::from_slice(&read).unwrap_or_default();
        if got != status {
            let detail = body["detail"].as_str().unwrap_or("no detail");
            let text = format!("{path} answered {got} instead of {status}: {detail}");
            return Err(CommandError::new(text));
        }
        Ok(body)
    }
}
