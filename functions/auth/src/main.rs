//! The Lambda function `auth`.

use lambda_http::{Error, run};
use shared::{
    app::App,
    http::{log_as_json, service},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log_as_json();
    let app = App::from_env()?;
    run(service(auth::routes(), app)).await
}
