//! `createsuperuser`, `createuser` and `changepassword` with `--noinput`.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use super::process::{Process, Runserver, directory, manage_in, run};

const PASSWORD: &str = "a-Long-phrase-1";

/// A command with the password in its variable.
fn command(directory: &Path, variable: &str, arguments: &[&str]) -> Command {
    let mut command = manage_in(directory, &[arguments, &["--noinput"]].concat());
    command.env(variable, PASSWORD);
    command
}

fn createsuperuser(directory: &Path, arguments: &[&str]) -> Command {
    let arguments = [&["createsuperuser"], arguments].concat();
    command(directory, "DJANGO_SUPERUSER_PASSWORD", &arguments)
}

fn createuser(directory: &Path, arguments: &[&str]) -> Command {
    let arguments = [&["createuser"], arguments].concat();
    command(directory, "DJANGO_USER_PASSWORD", &arguments)
}

fn changepassword(directory: &Path, username: &str) -> Command {
    command(
        directory,
        "DJANGO_SUPERUSER_PASSWORD",
        &["changepassword", username],
    )
}

/// The status of a route that admins only may use, and of one that superusers only may use.
fn rights(server: &Runserver, username: &str) -> (u16, u16) {
    let token = server.api.log_in(username, PASSWORD);
    let root = server
        .api
        .ask("GET", "users/?search=root", &token, Value::Null);
    // A superuser's profile is for superusers to change.
    let id = root.body[0]["id"].as_u64().unwrap_or(1);
    let change = server
        .api
        .ask("PATCH", &format!("users/{id}/"), &token, json!({}));
    (root.status, change.status)
}

fn make_one_of_each(directory: &Path) {
    run(&mut createsuperuser(
        directory,
        &["--username", "root", "--email", "Root@EXAMPLE.com"],
    ))
    .succeeded();
    run(&mut createuser(
        directory,
        &["--username", "staff", "--staff"],
    ))
    .succeeded();
    run(&mut createuser(directory, &["--username", "plain"])).succeeded();
    run(&mut createuser(
        directory,
        &["--username", "gone", "--staff", "--inactive"],
    ))
    .succeeded();
}

fn assert_one_of_each(server: &Runserver) {
    assert_eq!(rights(server, "root"), (200, 200));
    assert_eq!(rights(server, "staff"), (200, 403));
    assert_eq!(rights(server, "plain"), (403, 403));
    assert_eq!(server.api.login("gone", PASSWORD).status, 401);
    let token = server.api.log_in("root", PASSWORD);
    let root = server
        .api
        .ask("GET", "users/?search=root", &token, Value::Null);
    assert_eq!(root.body[0]["email"], json!("Root@example.com"));
}

#[test]
fn accounts_made_while_runserver_is_running_log_in_at_once() {
    let data = directory();
    let server = Runserver::start(data.path());
    make_one_of_each(data.path());
    assert_one_of_each(&server);
}

#[test]
fn accounts_made_before_the_first_runserver_are_there_and_no_admin_is_added() {
    let data = directory();
    make_one_of_each(data.path());
    let server = Runserver::start(data.path());
    assert_eq!(server.password, None);
    assert_one_of_each(&server);
    run(&mut manage_in(data.path(), &["check"])).succeeded();
}

#[test]
fn the_commands_tell_what_they_did() {
    let data = directory();
    let made = run(&mut createsuperuser(data.path(), &["--username", "root"])).succeeded();
    assert_eq!(made, "Superuser created successfully.\n");
    let made = run(&mut createuser(data.path(), &["--username", "ann"])).succeeded();
    assert_eq!(made, "User created successfully.\n");
    let changed = run(&mut changepassword(data.path(), "ann")).succeeded();
    assert_eq!(changed, "Password changed successfully for user 'ann'.\n");
}

#[test]
fn commands_started_at_once_take_turns() {
    let data = directory();
    let names = ["ann", "bob", "cid", "dora"];
    let started =
        names.map(|name| Process::start(&mut createuser(data.path(), &["--username", name])));
    for process in started {
        process.end().succeeded();
    }
    let server = Runserver::start(data.path());
    for name in names {
        server.api.log_in(name, PASSWORD);
    }
}

#[test]
fn a_taken_name_or_address_is_refused_without_regard_to_case() {
    let data = directory();
    let ann = ["--username", "ann", "--email", "ann@example.com"];
    run(&mut createuser(data.path(), &ann)).succeeded();
    let again = run(&mut createuser(data.path(), &["--username", "ann"])).failed();
    assert_eq!(again, "That username is already taken.");
    let other = ["--username", "bob", "--email", "Ann@Example.com"];
    let again = run(&mut createsuperuser(data.path(), &other)).failed();
    assert_eq!(again, "That email address is already taken.");
    run(&mut manage_in(data.path(), &["check"])).succeeded();
}

#[test]
fn names_and_addresses_that_are_not_valid_are_refused() {
    let data = directory();
    for (arguments, text) in [
        (
            ["--username", "two words", "--email", ""],
            "Enter a valid username.",
        ),
        (
            ["--username", " ", "--email", ""],
            "Username cannot be blank.",
        ),
        (
            ["--username", "ann", "--email", "not-an-address"],
            "Enter a valid email address.",
        ),
        (
            ["--username", &"x".repeat(151), "--email", ""],
            "no more than 150 characters",
        ),
    ] {
        let line = run(&mut createuser(data.path(), &arguments)).failed();
        assert!(line.contains(text), "{arguments:?}: {line}");
    }
}

#[test]
fn what_is_missing_without_questions_is_named() {
    let data = directory();
    let line = run(&mut createsuperuser(data.path(), &[])).failed();
    assert!(line.contains("--username"), "{line}");
    for (arguments, variable) in [
        (
            ["createsuperuser", "--username", "ann"],
            "DJANGO_SUPERUSER_PASSWORD",
        ),
        (["createuser", "--username", "ann"], "DJANGO_USER_PASSWORD"),
    ] {
        let line = run(manage_in(data.path(), &arguments).arg("--noinput")).failed();
        assert!(line.contains(variable), "{line}");
        let blank = run(manage_in(data.path(), &arguments)
            .arg("--noinput")
            .env(variable, " "));
        assert_eq!(blank.failed(), "Blank passwords aren't allowed.");
    }
    run(&mut createuser(data.path(), &["--username", "ann"])).succeeded();
    let line = run(&mut manage_in(
        data.path(),
        &["changepassword", "--noinput", "ann"],
    ))
    .failed();
    assert!(line.contains("DJANGO_SUPERUSER_PASSWORD"), "{line}");
}

#[test]
fn a_changed_password_ends_the_old_one_and_its_tokens_at_once() {
    let data = directory();
    let server = Runserver::start(data.path());
    let old = "the-Old-phrase-9";
    let ann = server.api.register("ann", old);
    let login = server.api.login("ann", old);
    let access = login.body["access"].as_str().expect("a token");
    let refresh = json!({"refresh": login.body["refresh"]});

    run(&mut changepassword(data.path(), "ann")).succeeded();

    let profile = server
        .api
        .ask("GET", &format!("users/{ann}/"), access, Value::Null);
    assert_eq!(profile.status, 401, "{profile:?}");
    assert_eq!(
        server.api.ask("POST", "token/refresh/", "", refresh).status,
        401
    );
    assert_eq!(server.api.login("ann", old).status, 401);
    let token = server.api.log_in("ann", PASSWORD);
    let profile = server
        .api
        .ask("GET", &format!("users/{ann}/"), &token, Value::Null);
    assert_eq!(profile.status, 200, "{profile:?}");
}

#[test]
fn nobody_changes_the_password_of_a_user_who_is_not_there() {
    let data = directory();
    run(&mut createuser(data.path(), &["--username", "ann"])).succeeded();
    for name in ["nobody", "two words", ""] {
        let line = run(&mut changepassword(data.path(), name)).failed();
        assert_eq!(line, format!("user '{name}' does not exist"));
    }
}
