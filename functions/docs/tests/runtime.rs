//! The binary under the Lambda Runtime API, with no more settings than the template gives it.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends so"
)]

use std::process::Command;

use serde_json::Value;
use testkit::{
    events::{answer_of, event},
    process::Process,
    runtime::Runtime,
};

#[tokio::test]
async fn it_serves_the_document_without_a_table_and_a_key() {
    let mut runtime = Runtime::start().await;
    let mut function = Process::start(
        Command::new(env!("CARGO_BIN_EXE_docs"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &runtime.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "docs")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_REGION", "eu-west-1")
            .env("METRICS_NAMESPACE", "tests")
            .env("ORIGIN_SECRET", "")
            .env("ORIGIN_SECRET_FALLBACKS", ""),
    );
    for (path, text) in [
        ("/api/schema/", "openapi: 3.1.0"),
        ("/api/schema/?format=json", "\"openapi\":\"3.1.0\""),
        ("/api/schema/swagger-ui/", "<div id=\"swagger-ui\">"),
    ] {
        let event = event("GET", path, None, &Value::Null);
        let answer = answer_of(&runtime.ask(event).await);
        answer.assert_status(200).assert_says(text);
    }
    function.kill();
    let ended = function.end();
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    assert!(
        ended
            .stdout
            .contains("\"route\":\"/api/schema/swagger-ui/\"")
    );
}
