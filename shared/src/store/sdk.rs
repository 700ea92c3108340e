//! How the SDK talks to DynamoDB here: how long, how often, and what it tells of it.

use std::time::Duration;

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, SharedInterceptor, StalledStreamProtectionConfig,
        interceptors::FinalizerInterceptorContextRef,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use super::{budget::KeepBudget, slow::CountSlow};
use crate::{aws::PATIENT, telemetry::note_throttle};

/// The SDK's settings for this service: quick retries with jitter for throttling, 5xx and lost
/// connections, and time limits: of a request, see [`super::within`]; else those of a command.
pub fn configure(config: &aws_config::SdkConfig) -> aws_sdk_dynamodb::Config {
    let retries = aws_config::retry::RetryConfig::standard()
        .with_max_attempts(5)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1));
    let mut builder = aws_sdk_dynamodb::config::Builder::from(config)
        .retry_config(retries)
        .timeout_config(PATIENT.timeouts())
        // The deadline of a try ends a stalled one too.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    // Permanent ones, which the SDK need not look up at each step of a call whether they are on.
    builder.push_interceptor(SharedInterceptor::permanent(CountThrottles));
    builder.push_interceptor(SharedInterceptor::permanent(CountSlow));
    builder.push_interceptor(SharedInterceptor::permanent(KeepBudget));
    builder.build()
}

/// Notes throttled attempts, which the SDK tries again without a word.
#[derive(Debug)]
struct CountThrottles;

#[dyn_dispatch_hint]
impl Intercept for CountThrottles {
    fn name(&self) -> &'static str {
        "CountThrottles"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let refused = context
            .response()
            .filter(|response| response.status().as_u16() == 400);
        let body = refused.and_then(|response| response.body().bytes());
        // As an error of its own, or as a reason of a cancelled transaction.
        let throttled = body.is_some_and(|body| {
            let text = String::from_utf8_lossy(body);
            ["Throttling", "ThroughputExceeded", "RequestLimitExceeded"]
                .iter()
                .any(|name| text.contains(name))
        });
        if throttled {
            note_throttle();
        }
        Ok(())
    }
}
