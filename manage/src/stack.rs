//! A deployed stack: its functions, and the versions behind their alias.

use std::error::Error;

use aws_sdk_cloudformation::{
    Client as CloudFormation, error::ProvideErrorMetadata, types::ResourceStatus,
};
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_lambda::{
    Client as Lambda,
    operation::{get_alias::GetAliasOutput, get_function_configuration as configuration},
};
use aws_smithy_http_client::tls::TrustStore;
use clap::Args;
use shared::{aws::https_client, telemetry::causes};

use crate::CommandError;

/// The alias that the API calls.
pub const LIVE: &str = "live";

/// Which stack to look at.
#[derive(Args)]
pub struct Target {
    /// The stack's name, by the AWS SDK's ordinary environment (region, credentials,
    /// AWS_ENDPOINT_URL).
    #[arg(long, value_name = "NAME")]
    stack: String,
}

/// A stack.
pub struct Stack {
    name: String,
    cloudformation: CloudFormation,
    pub lambda: Lambda,
    pub logs: Logs,
}

/// A function that has the alias.
pub struct Function {
    /// The resource's name in the template.
    pub resource: String,
    /// The function's name.
    pub name: String,
    /// The alias.
    pub alias: GetAliasOutput,
}

/// A failed call in one line.
pub fn failed(what: &str, error: &(dyn Error + 'static)) -> CommandError {
    CommandError::new(format!("cannot {what}: {}", causes(error)))
}

impl Stack {
    /// Prepares the calls.
    ///
    /// # Errors
    /// No certificates to trust.
    pub async fn of(target: &Target) -> Result<Self, CommandError> {
        let config = aws_config::from_env()
            .http_client(https_client(TrustStore::default())?)
            .load()
            .await;
        Ok(Self {
            name: target.stack.clone(),
            cloudformation: CloudFormation::new(&config),
            lambda: Lambda::new(&config),
            logs: Logs::new(&config),
        })
    }

    /// The stack's status in CloudFormation's words, such as `UPDATE_COMPLETE`.
    ///
    /// # Errors
    /// The stack does not exist, or CloudFormation's failure.
    pub async fn status(&self) -> Result<String, CommandError> {
        let call = self.cloudformation.describe_stacks().stack_name(&self.name);
        let answer = call.send().await;
        let missing = || CommandError::new(format!("there is no stack {}", self.name));
        let answer = answer.map_err(|error| match error.code() {
            // What CloudFormation calls a stack that does not exist.
            Some("ValidationError") => missing(),
            _ => failed("read the stack", &error),
        })?;
        let stack = answer.stacks.unwrap_or_default().into_iter().next();
        let status = stack.and_then(|stack| stack.stack_status);
        let status = status.map(|status| status.as_str().to_owned());
        status.ok_or_else(missing)
    }

    /// Its functions that have the alias, in the order of their names in the template.
    ///
    /// # Errors
    /// There are none, or AWS's failure.
    pub async fn functions(&self) -> Result<Vec<Function>, CommandError> {
        let call = self.cloudformation.list_stack_resources();
        let resources = call.stack_name(&self.name).into_paginator().items().send();
        let resources = resources.collect::<Result<Vec<_>, _>>().await;
        let resources = resources.map_err(|error| failed("list the stack's resources", &error))?;
        let mut functions = Vec::new();
        for resource in resources {
            let is_function = resource.resource_type() == Some("AWS::Lambda::Function")
                && resource.resource_status() != Some(&ResourceStatus::DeleteComplete);
            if let (true, Some(name)) = (is_function, resource.physical_resource_id())
                && let Some(alias) = self.alias(name).await?
            {
                functions.push(Function {
                    resource: resource.logical_resource_id().unwrap_or(name).to_owned(),
                    name: name.to_owned(),
                    alias,
                });
            }
        }
        if functions.is_empty() {
            let text = format!("no function of the stack has the alias {LIVE}");
            return Err(CommandError::new(text));
        }
        functions.sort_by(|a, b| a.resource.cmp(&b.resource));
        Ok(functions)
    }

    async fn alias(&self, function: &str) -> Result<Option<GetAliasOutput>, CommandError> {
        let call = self.lambda.get_alias().function_name(function).name(LIVE);
        match call.send().await {
            Ok(alias) => Ok(Some(alias)),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(&format!("read the alias of {function}"), &error)),
        }
    }

    /// A function as a version, an alias or `$LATEST` has it.
    ///
    /// # Errors
    /// Lambda's failure.
    pub async fn configuration(
        &self,
        function: &Function,
        qualifier: &str,
    ) -> Result<configuration::GetFunctionConfigurationOutput, CommandError> {
        let call = self.lambda.get_function_configuration();
        let call = call.function_name(&function.name).qualifier(qualifier);
        let what = || format!("read {} {qualifier}", function.name);
        call.send().await.map_err(|error| failed(&what(), &error))
    }

    /// The numbers of a function's published versions, sorted.
    ///
    /// # Errors
    /// Lambda's failure.
    pub async fn versions(&self, function: &Function) -> Result<Vec<u64>, CommandError> {
        let call = self.lambda.list_versions_by_function();
        let pages = call.function_name(&function.name).into_paginator();
        let versions = pages.items().send().collect::<Result<Vec<_>, _>>().await;
        let what = || format!("list the versions of {}", function.name);
        let versions = versions.map_err(|error| failed(&what(), &error))?;
        // `$LATEST` is no number.
        let numbers = versions
            .iter()
            .filter_map(|one| one.version()?.parse().ok());
        let mut numbers: Vec<u64> = numbers.collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

impl Function {
    /// The version behind the alias.
    pub fn live(&self) -> Option<u64> {
        self.alias.function_version()?.parse().ok()
    }

    /// The version that a gradual deployment is shifting traffic to, with its share.
    pub fn shifting(&self) -> Option<(&str, f64)> {
        let weights = self.alias.routing_config()?.additional_version_weights()?;
        let (version, weight) = weights.iter().next()?;
        Some((version, *weight))
    }
}
