//! What stops `runserver` at the start: one line each, and status 1.

use std::{fs, net::TcpListener, path::Path};

use testkit::process::run;

use super::process::{Data, IN_MEMORY, manage};

/// The line with which it does not start in a directory.
fn refusal(directory: &Path) -> String {
    let mut command = manage("runserver --bind 127.0.0.1:0");
    run(command.arg("--data").arg(directory)).failed()
}

/// The line with which it does not start with a setting.
fn refused_setting(name: &str, value: &str) -> String {
    run(manage(IN_MEMORY).env(name, value)).failed()
}

#[test]
fn a_malformed_setting_is_named() {
    for (name, value) in [
        ("ACCESS_TOKEN_LIFETIME", "abc"),
        ("REFRESH_TOKEN_LIFETIME", "-1"),
        ("SIGNING_KEY", "too-short"),
        ("SIGNING_KEY_FALLBACKS", "too-short"),
        ("ALGORITHM", "none"),
        ("UPDATE_LAST_LOGIN", "perhaps"),
        ("LEEWAY", "1.5"),
        ("CORS_ALLOWED_ORIGINS", "localhost:3000"),
        ("CORS_ALLOWED_ORIGINS", "http://localhost:3000/"),
    ] {
        let line = refused_setting(name, value);
        assert!(line.starts_with(name), "{name}={value}: {line}");
    }
}

#[test]
fn a_key_is_not_told_when_it_is_refused() {
    assert!(!refused_setting("SIGNING_KEY", "my-short-key").contains("my-short-key"));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let line = format!("runserver --memory --bind {address}");
    let line = run(&mut manage(&line)).failed();
    assert!(line.contains(&address.to_string()), "{line}");

    let line = format!("{IN_MEMORY} --dynamodb-bind {address}");
    let line = run(&mut manage(&line)).failed();
    let told = line.contains("DynamoDB") && line.contains(&address.to_string());
    assert!(told, "{line}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let parent = Data::new();
    let file = parent.path().join("file");
    fs::write(&file, "").expect("a file");
    for directory in [file.join("data"), file] {
        let line = refusal(&directory);
        assert!(line.contains(&directory.display().to_string()), "{line}");
    }
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let data = Data::new();
    let file = data.path().join("dynamodb.sqlite");
    let garbage = "This is no database. ".repeat(1000);
    fs::write(&file, &garbage).expect("a file");
    let line = refusal(data.path());
    assert_eq!(line, format!("{} is no database", file.display()));
    assert_eq!(fs::read_to_string(&file).expect("the file"), garbage);
}

#[test]
fn a_database_that_cannot_be_read_is_named() {
    let data = Data::new();
    let file = data.path().join("dynamodb.sqlite");
    for content in [None, Some(b"SQLite format 3\0 and no more")] {
        match content {
            None => fs::create_dir(&file).expect("a directory in its place"),
            Some(content) => fs::write(&file, content).expect("a file"),
        }
        let line = refusal(data.path());
        assert!(line.contains(&file.display().to_string()), "{line}");
        let _ = fs::remove_dir(&file);
    }
}

#[test]
fn a_signing_key_that_cannot_be_used_is_told() {
    let data = Data::new();
    fs::write(data.path().join("signing-key"), "short").expect("a file");
    assert!(refusal(data.path()).contains("SIGNING_KEY"));
}

#[tokio::test]
async fn a_directory_serves_one_runserver_at_a_time() {
    let data = Data::new();
    let server = data.serve();
    let line = refusal(data.path());
    assert!(line.contains(&data.path().display().to_string()), "{line}");
    assert!(line.contains(&server.dynamodb.url), "{line}");
    // The one at work is not disturbed.
    server.admin_token().await;
}
