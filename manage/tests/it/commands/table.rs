//! `--table`: a DynamoDB table by the AWS SDK's ordinary environment.

use std::{
    net::TcpListener,
    process::Command,
    time::{Duration, Instant},
};

use shared::aws::LocalEndpoint;
use testkit::{PASSWORD, process::run};

use super::process::{Runserver, manage};

/// A command on a table at an endpoint.
pub fn on_table(endpoint: &LocalEndpoint, table: &str, line: &str) -> Command {
    let mut command = manage(line);
    command
        .args(["--table", table])
        .env("AWS_ENDPOINT_URL", &endpoint.url)
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", &endpoint.access_key)
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("DJANGO_USER_PASSWORD", PASSWORD)
        .env("DJANGO_SUPERUSER_PASSWORD", "another-Phrase-7");
    command
}

fn at(address: &str) -> LocalEndpoint {
    LocalEndpoint {
        url: format!("http://{address}"),
        access_key: "any".to_owned(),
    }
}

#[tokio::test]
async fn accounts_of_a_table_are_managed_by_the_ordinary_environment() {
    let server = Runserver::in_memory();
    let manage = |line| run(&mut on_table(&server.dynamodb, "users", line)).succeeded();
    manage("createuser --noinput --username ann");
    server.log_in("ann", PASSWORD).await;
    manage("changepassword --noinput ann");
    server.log_in("ann", "another-Phrase-7").await;
    manage("createsuperuser --noinput --username root");
    assert_eq!(manage("check"), "The table is consistent.\n");
}

#[test]
fn a_table_that_is_not_there_is_told_at_once() {
    let server = Runserver::in_memory();
    for line in [
        "createuser --noinput --username ann",
        "changepassword --noinput ann",
        "check",
    ] {
        let started = Instant::now();
        let line = run(&mut on_table(&server.dynamodb, "elsewhere", line)).failed();
        assert_eq!(line, "there is no table elsewhere");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn an_endpoint_that_does_not_answer_is_told_in_a_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("a port");
    drop(nobody);
    let line = run(&mut on_table(&at(&address.to_string()), "users", "check")).failed();
    assert!(line.starts_with("cannot read the table users: "), "{line}");
}

#[test]
fn a_region_that_is_not_set_is_named() {
    let mut command = on_table(&at("127.0.0.1:9"), "users", "check");
    let line = run(command.env_remove("AWS_REGION")).failed();
    assert!(line.to_lowercase().contains("region"), "{line}");
}
