//! The Lambda function `rotation`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use rotation::{Event, Function};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let lines = shared::lambda::json_lines(tracing::Level::INFO, std::io::stdout);
    tracing::subscriber::set_global_default(lines)?;
    let function = Function::from_env()?;
    let function = &function;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        function.run(event.payload).await.map_err(Error::from)
    }))
    .await
}
