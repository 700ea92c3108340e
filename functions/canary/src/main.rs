//! The Lambda function `canary`.

use canary::{Event, Hook};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let lines = shared::lambda::json_lines(tracing::Level::INFO, std::io::stdout);
    tracing::subscriber::set_global_default(lines)?;
    let hook = Hook::from_env()?;
    let hook = &hook;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        hook.run(&event.payload).await.map_err(Error::from)
    }))
    .await
}
