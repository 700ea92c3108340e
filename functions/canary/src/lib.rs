//! What CodeDeploy calls before a new version gets traffic: an account logs in to the new versions
//! of the functions, reads its profile, refreshes and logs out. If an answer differs from what it
//! should be, the deployment stops.

mod events;
mod functions;
mod journey;
mod settings;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_codedeploy::{Client as CodeDeploy, types::LifecycleEventStatus};
use aws_sdk_secretsmanager::{Client as SecretsManager, error::DisplayErrorContext};
use serde::Deserialize;
use shared::{aws, settings::SettingsError};
use thiserror::Error;
use tokio::time::timeout;

use functions::Functions;
use journey::{Account, Differs, walk};
pub use settings::Settings;

/// Below the function's own time limit: CodeDeploy waits an hour for a hook that does not report.
const DEADLINE: Duration = Duration::from_secs(45);

/// What CodeDeploy sends to a hook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    deployment_id: String,
    lifecycle_event_hook_execution_id: String,
}

/// The hook, with its clients.
pub struct Hook {
    settings: Settings,
    functions: Functions,
    secrets: SecretsManager,
    deployments: CodeDeploy,
}

/// CodeDeploy could not be told.
#[derive(Debug, Error)]
#[error("CodeDeploy was not told the result: {0}")]
pub struct Untold(String);

impl Hook {
    /// The hook with the settings of the process's environment.
    ///
    /// # Errors
    /// The first setting that is missing or malformed, by its name.
    pub fn from_env() -> Result<Self, SettingsError> {
        let settings = Settings::from_lookup(|name| std::env::var(name).ok())?;
        let config = aws::in_lambda(&settings.aws, settings.endpoint.as_deref())?;
        Ok(Self::new(settings, &config))
    }

    /// The hook with these settings, and AWS where the configuration says.
    pub fn new(settings: Settings, config: &SdkConfig) -> Self {
        Self {
            functions: Functions::new(config, &settings),
            secrets: SecretsManager::new(config),
            deployments: CodeDeploy::new(config),
            settings,
        }
    }

    /// Tries the new versions and tells CodeDeploy whether the deployment may go on.
    ///
    /// # Errors
    /// CodeDeploy could not be told, so that it waits until it gives up.
    pub async fn run(&self, event: &Event) -> Result<(), Untold> {
        let tried = timeout(DEADLINE, self.try_versions()).await;
        let tried = tried.unwrap_or_else(|_| Err(Differs::new("the whole", "took too long")));
        let status = match tried {
            Ok(()) => {
                tracing::info!(deployment = event.deployment_id, "the new versions passed");
                LifecycleEventStatus::Succeeded
            }
            Err(error) => {
                tracing::error!(deployment = event.deployment_id, %error, "the deployment is stopped");
                LifecycleEventStatus::Failed
            }
        };
        let told = self
            .deployments
            .put_lifecycle_event_hook_execution_status()
            .deployment_id(&event.deployment_id)
            .lifecycle_event_hook_execution_id(&event.lifecycle_event_hook_execution_id)
            .status(status)
            .send()
            .await;
        told.map_err(|error| Untold(DisplayErrorContext(error).to_string()))?;
        Ok(())
    }

    async fn try_versions(&self) -> Result<(), Differs> {
        let account = self.account().await?;
        walk(&self.functions, &account, self.settings.asks_permissions).await
    }

    /// The account, out of its secret. An error never shows the text.
    async fn account(&self) -> Result<Account, Differs> {
        let unreadable = |what: String| Differs::new("the secret of CANARY_SECRET_ARN", what);
        let request = self.secrets.get_secret_value();
        let answer = request.secret_id(&self.settings.secret).send().await;
        let answer = answer.map_err(|error| unreadable(DisplayErrorContext(error).to_string()))?;
        let text = answer.secret_string().unwrap_or_default();
        serde_json::from_str(text)
            .map_err(|_| unreadable(r#"is not {"username": "…", "password": "…"}"#.to_owned()))
    }
}
