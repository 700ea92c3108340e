//! Which calls DynamoDB took long over.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef},
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

use crate::telemetry::note_slow_call;

/// A call usually takes a few milliseconds.
const SLOW: Duration = Duration::from_millis(100);

/// Notes attempts that take long, answered or not.
#[derive(Debug)]
pub(super) struct CountSlow;

#[derive(Debug)]
struct Started(Instant);

impl Storable for Started {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for CountSlow {
    fn name(&self) -> &'static str {
        "CountSlow"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Started(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let started = bag.load::<Started>();
        if started.is_some_and(|Started(at)| at.elapsed() >= SLOW) {
            note_slow_call();
        }
        Ok(())
    }
}
