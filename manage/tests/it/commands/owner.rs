//! The embedded database is its owner's alone: no web page, no other program and no other user of
//! the machine reads it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::json;
use shared::aws::LocalEndpoint;
use testkit::{Answer, Client, process::run};

use super::process::{Data, Runserver};

/// The answer to a scan of the table, with further headers.
async fn scan(endpoint: &LocalEndpoint, headers: &[(&str, &str)]) -> Answer {
    let client = Client::at(&endpoint.url);
    let credential = format!(
        "{}/20260131/us-east-1/dynamodb/aws4_request",
        endpoint.access_key
    );
    let signed =
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
    let mut request = client
        .request("", "POST", "/")
        .header("x-amz-target", "DynamoDB_20120810.Scan")
        .header("content-type", "application/x-amz-json-1.0");
    if !endpoint.access_key.is_empty() {
        request = request.header("authorization", signed);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request, r#"{"TableName": "users"}"#).await
}

/// A refusal in the form that AWS's SDKs read.
fn refusal(code: &str, message: &str) -> String {
    let code = format!("com.amazon.coral.service#{code}");
    json!({"__type": code, "message": message}).to_string()
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, refusal: &str) {
    assert_eq!((answer.status, answer.text.as_str()), (status, refusal));
}

#[tokio::test]
async fn only_who_knows_the_access_key_of_this_start_reads_the_database() {
    let data = Data::new();
    let server = data.serve();
    let endpoint = server.dynamodb.clone();
    scan(&endpoint, &[]).await.assert_status(200);
    let other = Runserver::in_memory();
    let text = "The access key is not the one of this start of the embedded database.";
    let unknown = refusal("UnrecognizedClientException", text);
    for access_key in ["", "local", &other.dynamodb.access_key] {
        let guessed = LocalEndpoint {
            access_key: access_key.to_owned(),
            ..endpoint.clone()
        };
        assert_refused(&scan(&guessed, &[]).await, 400, &unknown);
    }
    server.stop();
    let again = data.serve();
    let old_key = LocalEndpoint {
        access_key: endpoint.access_key,
        ..again.dynamodb.clone()
    };
    assert_refused(&scan(&old_key, &[]).await, 400, &unknown);
}

#[tokio::test]
async fn a_web_page_is_refused_even_with_the_access_key() {
    let server = Runserver::in_memory();
    let text = "The embedded database answers no web page.";
    let refused = refusal("AccessDeniedException", text);
    for origin in ["https://evil.example", "null", server.base()] {
        let answer = scan(&server.dynamodb, &[("origin", origin)]).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        assert_refused(&answer, 403, &refused);
    }
    let client = Client::at(&server.dynamodb.url);
    let preflight = client
        .request("", "OPTIONS", "/")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,x-amz-target",
        );
    let answer = client.send(preflight, "").await;
    assert_refused(&answer, 403, &refused);
}

#[tokio::test]
async fn the_environment_beside_the_data_is_that_of_the_endpoint() {
    let data = Data::new();
    let server = data.serve();
    let text = fs::read_to_string(data.path().join("dynamodb.env")).expect("the environment");
    let LocalEndpoint { url, access_key } = &server.dynamodb;
    let expected = format!(
        "AWS_ENDPOINT_URL_DYNAMODB={url}\nAWS_ACCESS_KEY_ID={access_key}\n\
         AWS_SECRET_ACCESS_KEY=local\nAWS_REGION=us-east-1\nAWS_DEFAULT_REGION=us-east-1\n\
         TABLE_NAME=users\n"
    );
    assert_eq!(text, expected);
    // A command reaches the table by it alone.
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let mut command = super::process::manage("check --table users");
    let printed = run(command.envs(lines)).succeeded();
    assert_eq!(printed, "The table is consistent.\n");
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("a file");
    metadata.permissions().mode() & 0o777
}

/// The files in a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("a file").path()).collect()
}

fn assert_closed(data: &Data) {
    assert_eq!(mode(data.path()), 0o700);
    for file in files(data.path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_new_directory_and_its_files_are_closed_to_others() {
    let data = Data::new();
    fs::set_permissions(data.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    let _server = data.serve();
    assert!(files(data.path()).len() >= 4, "{:?}", files(data.path()));
    assert_closed(&data);
}

#[test]
fn what_others_could_read_before_is_closed_by_the_next_command() {
    let data = Data::new();
    data.serve().stop();
    let open = |mode_of_files| {
        for file in files(data.path()) {
            fs::set_permissions(file, fs::Permissions::from_mode(mode_of_files)).expect("set");
        }
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o755)).expect("set");
    };
    open(0o644);
    let server = data.serve();
    assert_closed(&data);
    server.stop();
    open(0o666);
    run(&mut data.command("check")).succeeded();
    assert_eq!(mode(data.path()), 0o700);
    assert_eq!(mode(&data.path().join("dynamodb.sqlite")), 0o600);
}
