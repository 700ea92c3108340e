//! The Lambda function `authorizer`.

use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let app = shared::lambda::start().await?;
    let app = &app;
    lambda_runtime::run(service_fn(
        async |event: LambdaEvent<authorizer::Request>| {
            let answer = authorizer::authorize(app, event.payload, event.context).await;
            answer.map_err(lambda_http::Error::from)
        },
    ))
    .await
}
