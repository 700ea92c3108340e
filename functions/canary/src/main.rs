//! The Lambda function `canary`.

use canary::{Event, Hook};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    shared::lambda::log_as_json(tracing::Level::INFO);
    let hook = Hook::from_env()?;
    let hook = &hook;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        hook.run(&event.payload).await.map_err(Error::from)
    }))
    .await
}
