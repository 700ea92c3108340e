//! `runserver`: what it prints, what it keeps, and how it ends.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use shared::store::{connect_to, items::attributes, keys::Entity};
use testkit::{
    NOBODY, PASSWORD,
    process::{DEADLINE, Process, run},
    registration, user_path,
};

use super::process::{Data, IN_MEMORY, INTRODUCED, Runserver, manage};

const KEY: &str = "a-signing-key-of-the-environment-0123456789";

#[tokio::test]
async fn the_first_superuser_has_an_address_so_that_a_put_of_the_profile_succeeds() {
    for (told, address) in [
        (None, "admin@localhost.localdomain"),
        (Some("root@example.com"), "root@example.com"),
    ] {
        let mut command = manage("runserver --memory");
        command.envs(told.map(|address| ("DJANGO_SUPERUSER_EMAIL", address)));
        let server = Runserver::from(&mut command);
        let token = server.admin_token().await;
        let profile = server.get(&token, "users/1/").await;
        assert_eq!(profile.field("email"), address);
        let answer = server.put(&token, "users/1/", profile.body).await;
        answer.assert_status(200);
    }
}

#[tokio::test]
async fn the_first_start_tells_what_is_served_and_the_admins_password_once() {
    let data = Data::new();
    let server = data.serve();
    let endpoint = &server.dynamodb.url;
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    let printed = server.process.stdout.so_far();
    let path = data.path().display().to_string();
    assert!(printed.contains(&path), "{printed}");
    let password = server.password.clone().expect("a password");
    server.log_in("admin", &password).await;
    server.stop();

    let again = data.serve();
    assert_eq!(again.password, None);
    assert!(!again.process.stdout.so_far().contains(&password));
    again.log_in("admin", &password).await;
}

#[tokio::test]
async fn the_first_curl_line_does_what_it_says() {
    let server = Runserver::in_memory();
    let printed = server.process.stdout.so_far();
    let command = printed.split_once("Try it:\n").expect("a first line").1;
    let (command, _) = command.split_once("\n\n").expect("an end");
    let start = format!("curl -X POST {}/api/auth/users/register/ ", server.base());
    assert!(command.trim().starts_with(&start), "{command}");
    let (_, body) = command.split_once("-d '").expect("a body");
    let body = body.strip_suffix('\'').expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let answer = server.post(NOBODY, "users/register/", body).await;
    answer.assert_status(201);
}

#[tokio::test]
async fn a_restart_keeps_the_data_and_the_signing_key() {
    let data = Data::new();
    let server = data.serve();
    let ann = server.register("ann").await.id();
    let token = server.log_in("ann", PASSWORD).await;
    server.stop();

    let server = data.serve();
    let profile = server.get(&token, &user_path(ann)).await;
    assert_eq!(profile.assert_status(200).field("username"), "ann");
}

#[tokio::test]
async fn with_an_algorithm_a_key_pair_is_made_and_kept_and_links_keep_their_key() {
    let data = Data::new();
    // A database that HMAC signed for until now.
    let server = data.serve();
    server.register("ann").await.assert_status(201);
    server.stop();
    let link = run(&mut data.command("passwordresetlink ann --as eve")).succeeded();
    let part = |name: &str| {
        let line = link.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a part of the link").trim().to_owned()
    };
    let mut kids = Vec::new();
    let mut token = None;
    for algorithm in ["RS256", "RS256", "EdDSA"] {
        let mut command = data.command("runserver");
        let server = Runserver::from(command.env("ALGORITHM", algorithm));
        let keys = server.get(NOBODY, "/.well-known/jwks.json").await.body;
        assert_eq!(keys["keys"][0]["alg"], algorithm);
        kids.push(keys["keys"][0]["kid"].clone());
        if let Some(token) = &token {
            let kept = kids[0] == keys["keys"][0]["kid"];
            let status = if kept { 200 } else { 401 };
            server.get(token, "users/me/").await.assert_status(status);
        }
        token = Some(server.log_in("ann", PASSWORD).await);
        run(&mut manage(&format!("smoketest {}", server.base()))).succeeded();
        if algorithm == "EdDSA" {
            let body = json!({"uid": part("uid"), "token": part("token"), "new_password": "Rk-9-Lo.pq_Wx"});
            let path = "users/reset_password_confirm/";
            server.post(NOBODY, path, body).await.assert_status(204);
        }
        server.stop();
    }
    assert_eq!(kids[0], kids[1]);
    assert_ne!(kids[1], kids[2]);
    for name in ["signing-key", "signing-key-rs256", "signing-key-eddsa"] {
        let metadata = std::fs::metadata(data.path().join(name)).expect(name);
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_table_of_an_older_layout_is_served_and_told_with_what_brings_it_up_to_date() {
    let data = Data::new();
    let server = data.serve();
    let told = |server: &Runserver| server.process.stdout.so_far().contains("\nLayout ");
    assert!(!told(&server));
    let client = connect_to(&server.dynamodb);
    let key = attributes(&Entity::Schema.key());
    let delete = client.delete_item().table_name("users").set_key(Some(key));
    delete.send().await.unwrap();
    server.stop();

    let server = data.serve();
    let printed = server.process.stdout.so_far();
    let command = format!("migrate --data {}", data.path().display());
    let line = format!(
        "\nLayout               1, older than 3: run manage {command}, also while this runs\n"
    );
    assert!(printed.contains(&line), "{printed}");
    server.register("ann").await.assert_status(201);
    server.log_in("ann", PASSWORD).await;
    run(&mut data.command("migrate --no-wait")).succeeded();
    server.log_in("ann", PASSWORD).await;
    server.stop();
    assert!(!told(&data.serve()));
    data.assert_sound();
}

#[tokio::test]
async fn the_signing_key_of_the_environment_is_used() {
    let start = |key| Runserver::from(manage("runserver --memory").env("SIGNING_KEY", key));
    let token = start(KEY).admin_token().await;
    let other_key = KEY.replace('0', "1");
    for (server, status) in [
        (start(KEY), 200),
        (start(&other_key), 401),
        (Runserver::in_memory(), 401),
    ] {
        let body = json!({ "token": token });
        let answer = server.post(NOBODY, "token/verify/", body).await;
        answer.assert_status(status);
    }
}

#[tokio::test]
async fn data_in_memory_leave_no_file_and_are_forgotten() {
    let here = Data::new();
    let start = || Runserver::from(manage("runserver --memory").current_dir(here.path()));
    let server = start();
    server.register("ann").await.assert_status(201);
    assert!(server.process.stdout.so_far().contains("in memory only"));
    server.stop().succeeded();
    let files = std::fs::read_dir(here.path()).expect("the directory");
    assert_eq!(files.count(), 0);
    start().login("ann", PASSWORD).await.assert_status(401);
}

#[test]
fn the_data_are_kept_below_the_current_directory_unless_told() {
    let here = Data::new();
    let _server = Runserver::from(manage("runserver").current_dir(here.path()));
    assert!(here.path().join(".data/dynamodb.sqlite").is_file());
}

#[test]
fn the_dynamodb_endpoint_gets_the_address_asked_for() {
    // Another address of the loopback range, as a bridge of containers would be another.
    let port = TcpListener::bind("127.0.0.2:0").expect("a port");
    let free = port.local_addr().expect("an address");
    drop(port);
    let line = format!("runserver --memory --dynamodb-bind {free}");
    let server = Runserver::from(&mut manage(&line));
    assert_eq!(server.dynamodb.url, format!("http://{free}"));
    TcpStream::connect(free).expect("an endpoint");
}

#[test]
fn sigint_and_sigterm_end_it_cleanly_with_connections_open() {
    for signal in [Signal::INT, Signal::TERM] {
        let data = Data::new();
        let server = data.serve();
        // One that has been used and is kept open, and one that never asks anything.
        let mut used = TcpStream::connect(server.address()).expect("a connection");
        used.set_read_timeout(Some(DEADLINE)).expect("a time limit");
        used.write_all(b"GET /api/auth/users/ HTTP/1.1\r\nHost: x\r\n\r\n")
            .expect("a request");
        assert!(used.read(&mut [0; 4096]).expect("an answer") > 0);
        let _silent = TcpStream::connect(server.address()).expect("a connection");

        let started = Instant::now();
        server.process.signal(signal);
        let ended = server.process.end();
        let took = started.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}");
        assert!(ended.succeeded().ends_with("Stopping.\n"));
    }
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_end() {
    let server = Runserver::in_memory();
    let mut stuck = TcpStream::connect(server.address()).expect("a connection");
    let head = "POST /api/auth/login/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{";
    stuck.write_all(head.as_bytes()).expect("half a request");
    // An answer to a later one: the half is with the server by now.
    server.login("nobody", PASSWORD).await.assert_status(401);
    let started = Instant::now();
    server.stop().succeeded();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_signal_at_the_very_first_line_ends_it_cleanly_too() {
    let process = Process::start(&mut manage(IN_MEMORY));
    process.stdout.line("Serving the API at ");
    process.signal(Signal::INT);
    process.end().succeeded();
}

#[tokio::test]
async fn it_goes_on_when_nobody_reads_what_it_prints() {
    let mut command = manage(IN_MEMORY);
    let process = Process::start_and_read_until(Some(INTRODUCED), &mut command);
    let server = Runserver::of(process);
    for _ in 0..2 {
        server.login("nobody", PASSWORD).await.assert_status(401);
    }
    server.stop().succeeded();
}

#[tokio::test]
async fn each_request_is_one_line_without_its_secrets() {
    let server = Runserver::in_memory();
    let token = server.admin_token().await;
    let ann = user_path(server.register("ann").await.id());
    let body = json!({"first_name": "Ann"});
    let path = format!("{ann}?access={token}");
    server.patch(&token, &path, body).await;
    let body = json!({"token": "not-a-token"});
    server.post(NOBODY, "token/verify/", body).await;
    let body = registration("ann", "ann@example.com");
    server.post(NOBODY, "users/register/", body).await;
    let admins = server.password.clone().expect("a password");
    let ended = server.stop();
    let printed = ended.succeeded();
    let log = printed.lines().filter(|line| line.contains("/api/auth/"));
    let log = log.skip(2);
    let (events, log): (Vec<&str>, Vec<&str>) = log.partition(|line| line.contains(" event="));
    let [login, registered] = &events[..] else {
        panic!("{printed}");
    };
    assert!(login.contains("event=\"login\" userId=1"), "{login}");
    assert!(
        registered.contains("event=\"registration\" userId=2"),
        "{registered}"
    );
    for line in &events {
        for secret in [&token, PASSWORD, &admins] {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
    }
    for (line, parts) in log.iter().zip([
        ["POST", "/api/auth/login/", "200"],
        ["POST", "/api/auth/users/register/", "201"],
        ["PATCH", &format!("/api/auth/{ann}"), "200"],
        ["POST", "/api/auth/token/verify/", "401"],
        ["POST", "/api/auth/users/register/", "400"],
    ]) {
        let has_all = parts.iter().all(|part| line.contains(part));
        assert!(has_all, "{parts:?}: {line}");
        for secret in [&token, "not-a-token", PASSWORD, &admins] {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
    }
    assert_eq!(log.len(), 5, "{printed}");
}
