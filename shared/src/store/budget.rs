//! How long one request may wait for DynamoDB in all, however many calls it makes: where DynamoDB
//! answers slowly, requests that wait for it must not add up to all the functions that an account
//! may run. Outside of a request, as in a command, there is no such limit.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, interceptors::BeforeSerializationInterceptorContextRef,
        timeout::TimeoutConfig,
    },
    error::BoxError,
};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// The part of it that one try of a call may take, so that a lost one is tried again.
const TRY: u32 = 3;

tokio::task_local! {
    static CURRENT: Arc<Budget>;
}

#[derive(Debug)]
struct Budget {
    most: Duration,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// By waits that have ended.
    before: Duration,
    /// How many wait now, and since when there are any.
    waiting: usize,
    since: Option<Instant>,
}

/// Carries out a request that may wait for DynamoDB so long; its calls after that fail at once.
pub async fn within<F: Future>(most: Duration, request: F) -> F::Output {
    let used = Mutex::default();
    CURRENT
        .scope(Arc::new(Budget { most, used }), request)
        .await
}

/// Waits no longer than the request may.
pub(super) async fn sleep(time: Duration) {
    let wait = Wait::begin();
    let time = wait.left().map_or(time, |left| left.min(time));
    tokio::time::sleep(time).await;
}

impl Budget {
    fn used(&self) -> MutexGuard<'_, Used> {
        // Each change is whole, so a panic leaves nothing torn.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self) -> Duration {
        let used = self.used();
        let now = used.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.most.saturating_sub(used.before + now)
    }
}

/// A wait for DynamoDB, which ends when this is dropped. Waits at the same time count once.
#[derive(Debug)]
struct Wait(Option<Arc<Budget>>);

impl Wait {
    fn begin() -> Self {
        let budget = CURRENT.try_with(Arc::clone).ok();
        if let Some(budget) = &budget {
            let mut used = budget.used();
            used.waiting += 1;
            used.since.get_or_insert_with(Instant::now);
        }
        Self(budget)
    }

    /// How long it may last; `None` is without limit.
    fn left(&self) -> Option<Duration> {
        self.0.as_ref().map(|budget| budget.left())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let Some(budget) = &self.0 else { return };
        let mut used = budget.used();
        used.waiting -= 1;
        if used.waiting == 0
            && let Some(since) = used.since.take()
        {
            used.before += since.elapsed();
        }
    }
}

/// It lies in the configuration of a call, which is dropped with the call.
impl Storable for Wait {
    type Storer = StoreReplace<Self>;
}

/// Gives each call of a request what is left of its budget.
#[derive(Debug)]
pub(super) struct KeepBudget;

#[dyn_dispatch_hint]
impl Intercept for KeepBudget {
    fn name(&self) -> &'static str {
        "KeepBudget"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let wait = Wait::begin();
        let Some(left) = wait.left() else {
            return Ok(());
        };
        if left.is_zero() {
            return Err("the request has waited for DynamoDB as long as it may".into());
        }
        let one_try = wait.0.as_ref().map_or(left, |budget| budget.most / TRY);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(one_try)
            .operation_timeout(left)
            .build();
        config.interceptor_state().store_put(timeouts);
        config.interceptor_state().store_put(wait);
        Ok(())
    }
}
