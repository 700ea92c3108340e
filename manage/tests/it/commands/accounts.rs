//! `createsuperuser`, `createuser` and `changepassword` with `--noinput`.

use serde_json::json;
use testkit::{
    Client, NOBODY, PASSWORD,
    process::{Process, run},
    registration, user_path,
};

use super::process::Data;

/// The status of a route that admins only may use, and of one that superusers only may use.
async fn rights(server: &Client, username: &str) -> (u16, u16) {
    let token = server.log_in(username, PASSWORD).await;
    let root = server.get(&token, "users/?search=root").await;
    // A superuser's profile is for superusers to change.
    let id = root.body[0]["id"].as_u64().unwrap_or(1);
    let change = server.patch(&token, &user_path(id), json!({})).await;
    (root.status, change.status)
}

fn make_one_of_each(data: &Data) {
    data.make("createsuperuser --username root --email Root@EXAMPLE.com");
    data.make("createuser --username staff --staff");
    data.make("createuser --username plain");
    data.make("createuser --username gone --staff --inactive");
}

async fn assert_one_of_each(server: &Client) {
    assert_eq!(rights(server, "root").await, (200, 200));
    assert_eq!(rights(server, "staff").await, (200, 403));
    assert_eq!(rights(server, "plain").await, (403, 403));
    server.login("gone", PASSWORD).await.assert_status(401);
    let token = server.log_in("root", PASSWORD).await;
    let root = server.get(&token, "users/?search=root").await;
    assert_eq!(root.body[0]["email"], "Root@example.com");
}

#[tokio::test]
async fn accounts_made_while_runserver_is_running_log_in_at_once() {
    let data = Data::new();
    let server = data.serve();
    make_one_of_each(&data);
    assert_one_of_each(&server).await;
}

#[tokio::test]
async fn accounts_made_before_the_first_runserver_are_there_and_no_admin_is_added() {
    let data = Data::new();
    make_one_of_each(&data);
    let server = data.serve();
    assert_eq!(server.password, None);
    assert_one_of_each(&server).await;
    data.assert_sound();
}

#[test]
fn the_commands_tell_what_they_did() {
    let data = Data::new();
    let made = data.make("createsuperuser --username root");
    assert_eq!(made, "Superuser created successfully.\n");
    let made = data.make("createuser --username ann");
    assert_eq!(made, "User created successfully.\n");
    let changed = data.make("changepassword ann");
    assert_eq!(changed, "Password changed successfully for user 'ann'.\n");
}

#[tokio::test]
async fn djangos_variables_name_an_account_and_options_win_over_them() {
    let data = Data::new();
    let make = |line: &str, kind: &str, name: &str| {
        let mut command = data.command(&format!("{line} --no-input"));
        for (variable, value) in [
            ("USERNAME", name.to_owned()),
            ("EMAIL", format!("{name}@example.com")),
            ("PASSWORD", PASSWORD.to_owned()),
        ] {
            command.env(format!("DJANGO_{kind}_{variable}"), value);
        }
        run(&mut command).succeeded()
    };
    make("createsuperuser", "SUPERUSER", "root");
    make("createuser --email other@example.com", "USER", "ann");
    make("createuser --username bob", "USER", "cid");
    let server = data.serve();
    let token = server.log_in("root", PASSWORD).await;
    let users = server.get(&token, "users/").await;
    let shown = users.list().iter();
    let shown: Vec<_> = shown
        .map(|user| json!([user["username"], user["email"]]))
        .collect();
    let expected = [
        json!(["ann", "other@example.com"]),
        json!(["bob", "cid@example.com"]),
        json!(["root", "root@example.com"]),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn without_a_name_by_option_or_variable_noinput_fails() {
    let data = Data::new();
    for command in ["createsuperuser", "createuser"] {
        let line = run(&mut data.unasked(command)).failed();
        assert_eq!(line, "You must use --username with --noinput.");
    }
}

#[tokio::test]
async fn commands_started_at_once_take_turns() {
    let data = Data::new();
    let names = ["ann", "bob", "cid", "dora"];
    let create = |name| data.unasked(&format!("createuser --username {name}"));
    for process in names.map(|name| Process::start(&mut create(name))) {
        process.end().succeeded();
    }
    let server = data.serve();
    for name in names {
        server.log_in(name, PASSWORD).await;
    }
}

#[test]
fn a_taken_name_or_address_is_refused_without_regard_to_case() {
    let data = Data::new();
    let ann = "createuser --username ann --email ann@example.com";
    data.make(ann);
    let again = run(&mut data.unasked("createuser --username ann")).failed();
    assert_eq!(again, "That username is already taken.");
    let other = "createsuperuser --username bob --email Ann@Example.com";
    let again = run(&mut data.unasked(other)).failed();
    assert_eq!(again, "That email address is already taken.");
    data.assert_sound();
}

#[test]
fn names_and_addresses_that_are_not_valid_are_refused() {
    let data = Data::new();
    let long = "x".repeat(151);
    for (username, email, text) in [
        ("two words", "", "Enter a valid username."),
        (" ", "", "Username cannot be blank."),
        ("ann", "not-an-address", "Enter a valid email address."),
        (&long, "", "at most 150 characters (it has 151)"),
    ] {
        let mut command = data.unasked("createuser");
        command.args(["--username", username, "--email", email]);
        let line = run(&mut command).failed();
        assert!(line.contains(text), "{username} {email}: {line}");
    }
}

#[test]
fn what_is_missing_without_questions_is_named() {
    let data = Data::new();
    let line = run(&mut data.unasked("createsuperuser")).failed();
    assert!(line.contains("--username"), "{line}");
    for (line, variable) in [
        (
            "createsuperuser --noinput --username ann",
            "DJANGO_SUPERUSER_PASSWORD",
        ),
        (
            "createuser --noinput --username ann",
            "DJANGO_USER_PASSWORD",
        ),
    ] {
        let missing = run(&mut data.command(line)).failed();
        assert!(missing.contains(variable), "{missing}");
        let blank = run(data.command(line).env(variable, " ")).failed();
        assert_eq!(blank, "Blank passwords aren't allowed.");
    }
    data.make("createuser --username ann");
    let line = run(&mut data.command("changepassword --noinput ann")).failed();
    assert!(line.contains("DJANGO_SUPERUSER_PASSWORD"), "{line}");
}

#[tokio::test]
async fn a_changed_password_ends_the_old_one_and_its_tokens_at_once() {
    let data = Data::new();
    let server = data.serve();
    let old = "the-Old-phrase-9";
    let mut body = registration("ann", "ann@example.com");
    (body["password"], body["password2"]) = (old.into(), old.into());
    let ann = server.post(NOBODY, "users/register/", body).await;
    let path = user_path(ann.id());
    let tokens = server.login("ann", old).await;

    data.make("changepassword ann");

    let profile = server.get(&tokens.field("access"), &path).await;
    profile.assert_status(401);
    let refresh = json!({"refresh": tokens.field("refresh")});
    let answer = server.post(NOBODY, "token/refresh/", refresh).await;
    answer.assert_status(401);
    server.login("ann", old).await.assert_status(401);
    let token = server.log_in("ann", PASSWORD).await;
    server.get(&token, &path).await.assert_status(200);
}

#[test]
fn nobody_changes_the_password_of_a_user_who_is_not_there() {
    let data = Data::new();
    data.make("createuser --username ann");
    for name in ["nobody", "two words", ""] {
        let line = run(data.unasked("changepassword").arg(name)).failed();
        assert_eq!(line, format!("user '{name}' does not exist"));
    }
}
