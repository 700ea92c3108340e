//! The Lambda function `auth`.

use lambda_http::{Error, run, tracing};
use shared::{app::App, http::service};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let app = App::from_env()?;
    run(service(auth::routes(), app)).await
}
