//! Whether a service takes tokens of certain keys: the proof that a leaked one is worth nothing.

use std::sync::Arc;

use axum::http::Method;
use rand::random;
use serde_json::json;
use shared::{
    jwt::{Issued, Jwt},
    settings::{Keys, Settings, TokenSettings},
};

use crate::{
    CommandError, random_text,
    smoketest::{Address, Client},
};

const VERIFY: &str = "/api/auth/token/verify/";

/// Asks a service about tokens of a user who does not exist.
pub struct Witness {
    client: Client,
    settings: Arc<TokenSettings>,
}

impl Witness {
    /// A witness at an address. Tokens are as `AUDIENCE` and `ISSUER` of the environment say.
    ///
    /// # Errors
    /// This machine has no root certificates, or a setting is malformed.
    pub fn of(address: Address) -> Result<Self, CommandError> {
        let settings = Settings::from_lookup(|name| match name {
            "AUDIENCE" | "ISSUER" => std::env::var(name).ok(),
            // The keys are those that the service is asked about.
            "SIGNING_KEY" => Some(random_text()),
            "TABLE_NAME" => Some("none".to_owned()),
            _ => None,
        })?;
        Ok(Self {
            client: Client::new(address, None)?,
            settings: Arc::new(settings.tokens),
        })
    }

    /// Whether the service takes a token that the first of these keys signs, issued now (seconds since
    /// 1970).
    ///
    /// # Errors
    /// It does not answer, or neither yes nor no.
    pub async fn takes(&self, keys: &Keys, now: i64) -> Result<bool, CommandError> {
        let jwt = Jwt::new(Arc::clone(&self.settings), keys);
        // No user has such an id.
        let nobody = json!(format!("none-{}", random::<u32>()));
        // The clocks of two machines differ.
        let token = jwt.access(Issued::to(&nobody), now - 60);
        let body = json!({ "token": token });
        let answer = self.client.post(VERIFY, &body).await;
        let failed = |why| CommandError::new(format!("{} {why}", self.client.address()));
        let answer = answer.map_err(failed)?;
        match answer.status.as_u16() {
            200 => Ok(true),
            401 => Ok(false),
            _ => {
                let text = format!("answers {} to {} {VERIFY}", answer.excerpt(), Method::POST);
                Err(failed(text))
            }
        }
    }
}
