//! `runserver`: what it prints, what it keeps, and how it ends.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{
    api::registration,
    process::{DEADLINE, INTRODUCED, Process, Runserver, directory, manage},
};

const PASSWORD: &str = "a-Long-phrase-1";
const KEY: &str = "a-signing-key-of-the-environment-0123456789";

#[test]
fn the_first_start_tells_what_is_served_and_the_admins_password_once() {
    let data = directory();
    let server = Runserver::start(data.path());
    assert!(
        server.dynamodb.starts_with("http://127.0.0.1:"),
        "{}",
        server.dynamodb
    );
    let printed = server.process.stdout.so_far();
    assert!(
        printed.contains(&data.path().display().to_string()),
        "{printed}"
    );
    let password = server.password.clone().expect("a password");
    server.api.log_in("admin", &password);
    server.stop();

    let again = Runserver::start(data.path());
    assert_eq!(again.password, None);
    assert!(!again.process.stdout.so_far().contains(&password));
    again.api.log_in("admin", &password);
}

#[test]
fn the_first_curl_line_does_what_it_says() {
    let server = Runserver::in_memory();
    let printed = server.process.stdout.so_far();
    let command = printed.split_once("Try it:\n").expect("a first line").1;
    let (command, _) = command.split_once("\n\n").expect("an end");
    let url = format!("http://{}/api/auth/users/register/", server.api.address);
    assert!(
        command.trim().starts_with(&format!("curl -X POST {url} ")),
        "{command}"
    );
    let body = command
        .split_once("-d '")
        .and_then(|(_, rest)| rest.strip_suffix('\''));
    let body: Value = serde_json::from_str(body.expect("a body")).expect("JSON");
    let answer = server.api.ask("POST", "users/register/", "", body);
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[test]
fn a_restart_keeps_the_data_and_the_signing_key() {
    let data = directory();
    let server = Runserver::start(data.path());
    let ann = server.api.register("ann", PASSWORD);
    let token = server.api.log_in("ann", PASSWORD);
    server.stop();

    let server = Runserver::start(data.path());
    let profile = server
        .api
        .ask("GET", &format!("users/{ann}/"), &token, Value::Null);
    assert_eq!(
        (profile.status, &profile.body["username"]),
        (200, &json!("ann"))
    );
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_signing_key() {
    use std::os::unix::fs::PermissionsExt;
    let data = directory();
    let _server = Runserver::start(data.path());
    let key = std::fs::metadata(data.path().join("signing-key")).expect("a key");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_signing_key_of_the_environment_is_used() {
    let start = |key| Runserver::from(manage(&["runserver", "--memory"]).env("SIGNING_KEY", key));
    let token = start(KEY).admin_token();
    let verified_by = |server: &Runserver| {
        server
            .api
            .ask("POST", "token/verify/", "", json!({"token": token}))
            .status
    };
    assert_eq!(verified_by(&start(KEY)), 200);
    assert_eq!(verified_by(&start(&KEY.replace('0', "1"))), 401);
    assert_eq!(verified_by(&Runserver::in_memory()), 401);
}

#[test]
fn data_in_memory_leave_no_file_and_are_forgotten() {
    let here = directory();
    let start = || Runserver::from(manage(&["runserver", "--memory"]).current_dir(here.path()));
    let server = start();
    server.api.register("ann", PASSWORD);
    assert!(server.process.stdout.so_far().contains("in memory only"));
    server.stop().succeeded();
    assert_eq!(
        std::fs::read_dir(here.path())
            .expect("the directory")
            .count(),
        0
    );
    assert_eq!(start().api.login("ann", PASSWORD).status, 401);
}

#[test]
fn the_data_are_kept_below_the_current_directory_unless_told() {
    let here = directory();
    let _server = Runserver::from(manage(&["runserver"]).current_dir(here.path()));
    assert!(here.path().join(".data/dynamodb.sqlite").is_file());
}

#[test]
fn the_dynamodb_endpoint_gets_the_address_asked_for() {
    // Another address of the loopback range, as a bridge of containers would be another.
    let free = TcpListener::bind("127.0.0.2:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let server = Runserver::from(&mut manage(&[
        "runserver",
        "--memory",
        "--dynamodb-bind",
        &free.to_string(),
    ]));
    assert_eq!(server.dynamodb, format!("http://{free}"));
    TcpStream::connect(free).expect("an endpoint");
}

#[test]
fn sigint_and_sigterm_end_it_cleanly_with_connections_open() {
    for signal in [Signal::INT, Signal::TERM] {
        let data = directory();
        let server = Runserver::start(data.path());
        // One that has been used and is kept open, and one that never asks anything.
        let mut used = TcpStream::connect(server.api.address).expect("a connection");
        used.set_read_timeout(Some(DEADLINE)).expect("a time limit");
        used.write_all(b"GET /api/auth/users/ HTTP/1.1\r\nHost: x\r\n\r\n")
            .expect("a request");
        assert!(used.read(&mut [0; 4096]).expect("an answer") > 0);
        let _silent = TcpStream::connect(server.api.address).expect("a connection");

        let started = Instant::now();
        server.process.signal(signal);
        let ended = server.process.end();
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{:?}",
            started.elapsed()
        );
        assert!(ended.succeeded().ends_with("Stopping.\n"));
    }
}

#[test]
fn a_request_that_never_ends_does_not_hold_up_the_end() {
    let server = Runserver::in_memory();
    let mut stuck = TcpStream::connect(server.api.address).expect("a connection");
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{";
    stuck.write_all(head.as_bytes()).expect("half a request");
    // An answer to a later one: the half is with the server by now.
    assert_eq!(server.api.login("nobody", PASSWORD).status, 401);
    let started = Instant::now();
    server.stop().succeeded();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_signal_at_the_very_first_line_ends_it_cleanly_too() {
    let process = Process::start(&mut manage(&[
        "runserver",
        "--memory",
        "--bind",
        "127.0.0.1:0",
    ]));
    process.stdout.line("Serving the API at ");
    process.signal(Signal::INT);
    process.end().succeeded();
}

#[test]
fn it_goes_on_when_nobody_reads_what_it_prints() {
    let mut command = manage(&["runserver", "--memory", "--bind", "127.0.0.1:0"]);
    let process = Process::start_and_read_until(Some(INTRODUCED), &mut command);
    let server = Runserver::of(process);
    for _ in 0..2 {
        assert_eq!(server.api.login("nobody", PASSWORD).status, 401);
    }
    server.stop().succeeded();
}

#[test]
fn each_request_is_one_line_without_its_secrets() {
    let server = Runserver::in_memory();
    let token = server.admin_token();
    let ann = server.api.register("ann", PASSWORD);
    let body = json!({"first_name": "Ann"});
    server.api.ask(
        "PATCH",
        &format!("users/{ann}/?access={token}"),
        &token,
        body,
    );
    server
        .api
        .ask("POST", "token/verify/", "", json!({"token": "not-a-token"}));
    server
        .api
        .ask("POST", "users/register/", "", registration("ann", PASSWORD));
    let admins = server.password.clone().expect("a password");
    let ended = server.stop();
    let printed = ended.succeeded();
    let log: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains("/api/auth/"))
        .skip(2)
        .collect();
    for (line, parts) in log.iter().zip([
        ["POST", "/api/auth/login/", "200"],
        ["POST", "/api/auth/users/register/", "201"],
        ["PATCH", &format!("/api/auth/users/{ann}/"), "200"],
        ["POST", "/api/auth/token/verify/", "401"],
        ["POST", "/api/auth/users/register/", "400"],
    ]) {
        assert!(
            parts.iter().all(|part| line.contains(part)),
            "{parts:?}: {line}"
        );
        assert!(
            !line.contains(&token) && !line.contains("not-a-token"),
            "a token: {line}"
        );
        assert!(
            !line.contains(PASSWORD) && !line.contains(&admins),
            "a password: {line}"
        );
    }
    assert_eq!(log.len(), 5, "{printed}");
}
