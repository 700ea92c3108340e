//! Calls of the new versions, past API Gateway.

use aws_config::SdkConfig;
use aws_sdk_lambda::{Client, error::DisplayErrorContext, primitives::Blob};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    events::{question, request},
    journey::Differs,
    settings::{Settings, Versions},
};

/// The functions at their new versions.
pub(crate) struct Functions {
    client: Client,
    versions: Versions,
    origin_secret: Option<SecretString>,
}

/// An answer of a route. It may hold tokens, so it is not printed.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    status_code: u16,
    body: Option<String>,
}

impl Functions {
    pub(crate) fn new(config: &SdkConfig, settings: &Settings) -> Self {
        Self {
            client: Client::new(config),
            versions: settings.versions.clone(),
            origin_secret: settings.origin_secret.clone(),
        }
    }

    /// What the function of a path answers to a request.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &'static str,
        access: Option<&str>,
        body: &Value,
    ) -> Result<Answer, Differs> {
        let event = request(method, path, access, self.origin_secret.as_ref(), body);
        let payload = self.invoke(path, self.version_of(path), &event).await?;
        let Payload { status_code, body } = serde_json::from_value(payload)
            .map_err(|_| Differs::new(path, "the answer is none of payload format 2.0"))?;
        let body = body.unwrap_or_default();
        Ok(Answer {
            status: status_code,
            // A page stays a text.
            body: serde_json::from_str(&body).unwrap_or(Value::String(body)),
        })
    }

    /// What the authorizer answers to an access token.
    pub(crate) async fn authorize(&self, access: &str) -> Result<Value, Differs> {
        let version = &self.versions.authorizer;
        self.invoke("the authorizer", version, &question(access))
            .await
    }

    fn version_of(&self, path: &str) -> &str {
        let versions = &self.versions;
        let prefixes = [
            ("/admin/", &versions.admin),
            ("/api/auth/users/", &versions.users),
            ("/api/auth/groups/", &versions.groups),
            ("/api/auth/permissions/", &versions.permissions),
        ];
        let found = prefixes.iter().find(|(prefix, _)| path.starts_with(prefix));
        found.map_or(&versions.auth, |(_, version)| version)
    }

    async fn invoke(
        &self,
        step: &'static str,
        version: &str,
        event: &Value,
    ) -> Result<Value, Differs> {
        let call = self.client.invoke().function_name(version);
        let answer = call.payload(Blob::new(event.to_string())).send().await;
        let answer =
            answer.map_err(|error| Differs::new(step, DisplayErrorContext(error).to_string()))?;
        if let Some(error) = answer.function_error() {
            return Err(Differs::new(step, format!("the function failed: {error}")));
        }
        let payload = answer.payload().map(AsRef::as_ref).unwrap_or_default();
        serde_json::from_slice(payload).map_err(|_| Differs::new(step, "the answer is no JSON"))
    }
}
