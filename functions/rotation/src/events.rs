//! What calls the function: Secrets Manager's rotation, and CloudFormation where a stack is made.

use aws_sdk_secretsmanager::Client;
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use aws_smithy_types::body::SdkBody;
use lambda_http::http::Request;
use serde::Deserialize;
use serde_json::json;
use shared::{
    aws,
    clock::Clock,
    settings::{Algorithm, KeyDocument, KeyEntry, KeySource, KeyState, Settings, SettingsError},
};

use crate::{
    Failure, Secret, generate,
    steps::{Lifetimes, advance},
};

/// Seconds after which a secret is no new stack's: tokens of its key may be about.
const NEW_FOR: i64 = 900;

/// An event.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// A step of a rotation.
    #[serde(rename_all = "PascalCase")]
    Rotation {
        /// `createSecret`, `setSecret`, `testSecret` or `finishSecret`.
        step: String,
        /// The ARN.
        secret_id: String,
        /// The id of the version that the rotation makes.
        client_request_token: String,
    },
    /// A change of the custom resource that stands for the first key.
    #[serde(rename_all = "PascalCase")]
    Resource {
        /// `Create`, `Update` or `Delete`.
        request_type: String,
        /// Where CloudFormation waits for the answer.
        #[serde(rename = "ResponseURL")]
        response_url: String,
        /// The stack, which the answer names.
        stack_id: String,
        /// The request, which the answer names.
        request_id: String,
        /// The resource's name in the template, which the answer has.
        logical_resource_id: String,
    },
}

/// The function, with what it works on.
pub struct Function {
    settings: Settings,
    secret: Secret,
    arn: String,
    clock: Clock,
}

impl Function {
    /// The function with the settings of the process's environment.
    ///
    /// # Errors
    /// A setting is missing or malformed, by its name.
    pub fn from_env() -> Result<Self, SettingsError> {
        let settings = Settings::from_env()?;
        let endpoint = settings.aws.secrets_manager_endpoint.as_deref();
        let config = aws::in_lambda(&settings.aws, endpoint)?.to_builder();
        // Nobody waits for an answer, and a stack is not made without it.
        let config = config.timeout_config(aws::PATIENT.timeouts()).build();
        Self::new(settings, Client::new(&config), Clock::System)
    }

    /// The function with these settings and this client.
    ///
    /// # Errors
    /// The keys are in no secret.
    pub fn new(settings: Settings, client: Client, clock: Clock) -> Result<Self, SettingsError> {
        let KeySource::Secret(arn) = settings.tokens.keys.clone() else {
            return Err(SettingsError::new("SIGNING_KEY_SECRET_ARN is not set"));
        };
        Ok(Self {
            secret: Secret::new(client, &arn),
            settings,
            arn,
            clock,
        })
    }

    /// Does what an event asks for.
    ///
    /// # Errors
    /// Why it is not done, which never shows a key.
    pub async fn run(&self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Rotation {
                step,
                secret_id,
                client_request_token,
            } => {
                if secret_id != self.arn {
                    return Err(Failure::new("this is the rotation of another secret"));
                }
                self.rotate(&step, &client_request_token).await
            }
            Event::Resource {
                request_type,
                response_url,
                stack_id,
                request_id,
                logical_resource_id,
            } => {
                let done = match request_type.as_str() {
                    "Create" => self.make_first_key().await,
                    _ => Ok(()),
                };
                let (status, reason) = match &done {
                    Ok(()) => ("SUCCESS", String::new()),
                    Err(error) => ("FAILED", error.to_string()),
                };
                let answer = json!({
                    "Status": status,
                    "Reason": reason,
                    "PhysicalResourceId": "first-key",
                    "StackId": stack_id,
                    "RequestId": request_id,
                    "LogicalResourceId": logical_resource_id,
                });
                self.tell(&response_url, answer.to_string()).await
            }
        }
    }

    fn algorithm(&self) -> Algorithm {
        self.settings.tokens.algorithm
    }

    /// A step of Secrets Manager's rotation, each of which may come more than once.
    async fn rotate(&self, step: &str, token: &str) -> Result<(), Failure> {
        match step {
            "createSecret" => self.create(token).await,
            // There is no service to tell a new key to.
            "setSecret" => Ok(()),
            // Keys that cannot be used are no version.
            "testSecret" => self.secret.pending(token, self.algorithm()).await.map(drop),
            "finishSecret" => self.finish(token).await,
            step => Err(Failure::new(format!("a rotation has no step {step}"))),
        }
    }

    async fn create(&self, token: &str) -> Result<(), Failure> {
        if self.secret.pending(token, self.algorithm()).await.is_ok() {
            return Ok(());
        }
        let tokens = &self.settings.tokens;
        let lifetimes = Lifetimes {
            refresh: Some(tokens.refresh_lifetime),
            leeway: tokens.leeway,
            legacy_until: tokens.legacy_until,
        };
        let current = self.secret.current(self.algorithm()).await?;
        let mut document = KeyDocument::read(&current.text, self.algorithm())?;
        let now = self.clock.now();
        match advance(&mut document, None, lifetimes, now, false)? {
            Ok(steps) => steps
                .iter()
                .for_each(|step| tracing::info!("in the next version: {step}")),
            // The rotation ends well with the keys as they are.
            Err(early) => tracing::info!(?early, "too early for the next step"),
        }
        self.secret.prepare(token, &current, document).await
    }

    async fn finish(&self, token: &str) -> Result<(), Failure> {
        let pending = self.secret.pending(token, self.algorithm()).await?;
        let before = pending.document.replaces.unwrap_or_default();
        let promoted = self.secret.promote(token, &before).await;
        if let Err(Failure::Conflict) = promoted {
            self.secret.give_up(token).await?;
        }
        promoted
    }

    /// Gives a new stack its first key: CloudFormation has made a random text, which HMAC can sign by,
    /// and which makes links from now on. The secret of a stack that is in use stays as it is, since the
    /// keys decide what signs.
    async fn make_first_key(&self) -> Result<(), Failure> {
        if self.algorithm().is_hmac() {
            return Ok(());
        }
        let now = self.clock.now();
        let made = self.secret.described().await?.created;
        let is_new = made.is_some_and(|made| now - made < NEW_FOR);
        let current = self.secret.current(self.algorithm()).await?;
        let is_untouched = matches!(
            &current.document.keys[..],
            [KeyEntry {
                kid: None,
                alg: Algorithm::Hs256,
                since: 0,
                ..
            }]
        );
        if !is_new || !is_untouched {
            tracing::info!("the keys are in use, and stay");
            return Ok(());
        }
        let document = KeyDocument {
            keys: vec![generate::key(self.algorithm(), KeyState::Current, now)?],
            link_key: current.document.link_key.clone(),
            replaces: None,
        };
        self.secret.replace(&current, document).await
    }

    /// Answers CloudFormation, which waits for a PUT to an address of S3.
    async fn tell(&self, url: &str, answer: String) -> Result<(), Failure> {
        let failed = |error: String| Failure::new(format!("CloudFormation was not told: {error}"));
        let connector = aws::connector(&self.settings.aws, url)?;
        let request = Request::put(url).body(SdkBody::from(answer));
        let request = request.map_err(|error| failed(error.to_string()))?;
        let request = HttpRequest::try_from(request).map_err(|error| failed(error.to_string()))?;
        let told = connector.call(request).await;
        let told = told.map_err(|error| failed(error.to_string()))?;
        match told.status().is_success() {
            true => Ok(()),
            false => Err(failed(told.status().to_string())),
        }
    }
}
