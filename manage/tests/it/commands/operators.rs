//! `showuser`, `setuser`, `unlock` and `logout`: looking into accounts, and acting.

use serde_json::{Value, json};
use testkit::{Client, PASSWORD, process::run};

use super::process::{Data, Runserver};

/// A database with a superuser `root`, and a server on it.
fn site() -> (Data, Runserver) {
    let data = Data::new();
    data.make("createsuperuser --username root --email root@example.com --as eve");
    let server = data.serve();
    (data, server)
}

fn succeed(data: &Data, line: &str) -> String {
    run(&mut data.command(line)).succeeded()
}

fn fail(data: &Data, line: &str) -> String {
    run(&mut data.command(line)).failed()
}

/// What `showuser --json` tells of the one account.
fn shown(data: &Data, user: &str) -> Value {
    let text = succeed(data, &format!("showuser --json {user}"));
    let mut all: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

/// Who changed an account and what, the oldest first.
fn changes(data: &Data, user: &str) -> Vec<(String, String)> {
    let account = shown(data, user);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let entries = account["changes"].as_array().expect("changes").iter();
    let told = entries.map(|entry| (text(&entry["by"]), text(&entry["message"])));
    told.rev().collect()
}

#[track_caller]
fn assert_changes(data: &Data, user: &str, expected: &[(&str, &str)]) {
    let told = changes(data, user);
    let told: Vec<_> = told.iter().map(|(by, what)| (&**by, &**what)).collect();
    assert_eq!(told, expected);
}

async fn fail_logins(server: &Client, username: &str, count: usize) {
    for _ in 0..count {
        let answer = server.login(username, "a-wrong-password").await;
        answer.assert_status(401);
    }
}

#[tokio::test]
async fn showuser_tells_all_that_decides_what_a_user_may_do() {
    let (data, server) = site();
    let root = server.log_in("root", PASSWORD).await;
    let made = server.register("ann").await.assert_status(201).id();
    server
        .post(&root, "groups/", json!({"name": "Editors"}))
        .await
        .assert_status(201);
    for (path, body) in [
        (
            "groups/1/assign_permissions/",
            json!({"permission_ids": [1]}),
        ),
        (
            &format!("users/{made}/assign_groups/"),
            json!({"group_ids": [1]}),
        ),
    ] {
        server.post(&root, path, body).await.assert_status(200);
    }
    let tokens = server.login("ann", PASSWORD).await;
    fail_logins(&server, "ann", 2).await;

    let account = shown(&data, "ann");
    for (key, expected) in [
        ("id", json!(made)),
        ("username", json!("ann")),
        ("email", json!("ann@example.com")),
        ("is_active", json!(true)),
        ("is_staff", json!(false)),
        ("is_superuser", json!(false)),
        ("last_login", Value::Null),
        ("groups", json!(["Editors"])),
        ("permissions", json!({"auth.add_user": ["group Editors"]})),
    ] {
        assert_eq!(account[key], expected, "{key}");
    }
    let sessions = account["sessions"].as_array().expect("sessions");
    assert_eq!(sessions.len(), 1);
    assert_eq!(
        (&sessions[0]["kind"], &sessions[0]["address"]),
        (&json!("api"), &json!("127.0.0.1"))
    );
    let failures = account["failed_logins"].as_array().expect("failures");
    let told: Vec<_> = failures
        .iter()
        .map(|one| {
            (
                one["counted"].as_str().expect("a text"),
                one["attempts"].as_u64(),
            )
        })
        .collect();
    let expected = [
        ("the username", Some(2)),
        // The login itself counted as an attempt.
        ("the username from 127.0.0.1", Some(3)),
        ("any username from 127.0.0.1", Some(2)),
    ];
    for line in expected {
        assert!(told.contains(&line), "{told:?}");
    }
    assert_changes(
        &data,
        "ann",
        &[("ann", "Added."), ("root", "Changed Groups.")],
    );

    let text = succeed(&data, "showuser ann@EXAMPLE.com");
    let lines = [
        format!("ann (user {made})\n"),
        "  active         yes\n".to_owned(),
        "  auth.add_user  by group Editors\n".to_owned(),
        "  2 of the username, until ".to_owned(),
        "  root  Changed Groups.\n".to_owned(),
    ];
    for line in lines {
        assert!(text.contains(&line), "{line:?}\n{text}");
    }
    let json = account.to_string();
    for secret in [
        &tokens.field("access"),
        &tokens.field("refresh"),
        "argon2",
        PASSWORD,
    ] {
        assert!(!text.contains(secret) && !json.contains(secret), "{secret}");
    }
    assert_eq!(shown(&data, &made.to_string())["username"], "ann");
    assert_eq!(
        fail(&data, "showuser nobody"),
        "user 'nobody' does not exist"
    );
}

#[tokio::test]
async fn showuser_shows_every_account_that_a_text_may_mean() {
    let (data, server) = site();
    server.register("1").await.assert_status(201);
    let text = succeed(&data, "showuser --json 1");
    let all: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let names: Vec<_> = all.iter().map(|one| &one["username"]).collect();
    assert_eq!(names, ["root", "1"]);
}

#[tokio::test]
async fn setuser_changes_flags_and_groups_and_is_logged() {
    let (data, server) = site();
    let root = server.log_in("root", PASSWORD).await;
    server.register("ann").await.assert_status(201);
    for name in ["Editors", "Readers"] {
        let made = server.post(&root, "groups/", json!({ "name": name })).await;
        made.assert_status(201);
    }
    let told = succeed(
        &data,
        "setuser ann --staff --groups Editors Readers --as eve",
    );
    assert_eq!(told, "User 'ann' changed.\n");
    let account = shown(&data, "ann");
    assert_eq!(account["is_staff"], true);
    assert_eq!(account["groups"], json!(["Editors", "Readers"]));
    let told = succeed(&data, "setuser ann --staff --as eve");
    assert_eq!(told, "Nothing to do: user 'ann' is so already.\n");

    let ann = server.log_in("ann", PASSWORD).await;
    succeed(&data, "setuser ann --inactive --no-staff --groups --as eve");
    server.get(&ann, "users/me/").await.assert_status(401);
    succeed(&data, "setuser ann --active --as eve");
    // The tokens from before stay dead.
    server.get(&ann, "users/me/").await.assert_status(401);
    let eve = "command (eve)";
    assert_changes(
        &data,
        "ann",
        &[
            ("ann", "Added."),
            (eve, "Changed Staff status and Groups."),
            (eve, "Changed Active, Staff status and Groups."),
            (eve, "Changed Active."),
        ],
    );
    for (line, error) in [
        (
            "setuser ann --groups Writers",
            "group 'Writers' does not exist",
        ),
        ("setuser nobody --staff", "user 'nobody' does not exist"),
        (
            "setuser root --no-superuser",
            "the last active superuser cannot be removed",
        ),
        (
            "setuser root --inactive",
            "the last active superuser cannot be removed",
        ),
    ] {
        assert_eq!(fail(&data, line), error, "{line}");
    }
    data.assert_sound();
}

#[tokio::test]
async fn unlock_lets_a_user_in_again_and_is_logged() {
    let (data, server) = site();
    server.register("ann").await.assert_status(201);
    fail_logins(&server, "ann", 30).await;
    server.login("ann", PASSWORD).await.assert_status(429);
    let told = succeed(&data, "unlock ann --as eve");
    assert_eq!(told, "Unlocked ann: 2 counter(s) set back.\n");
    server.login("ann", PASSWORD).await.assert_status(200);
    let expected = [
        ("ann", "Added."),
        ("command (eve)", "Changed Failed logins."),
    ];
    assert_changes(&data, "ann", &expected);

    let told = succeed(&data, "unlock 127.0.0.1 --as eve");
    // The failures from there, and the registration.
    assert_eq!(told, "Unlocked 127.0.0.1: 2 counter(s) set back.\n");
    let told = succeed(&data, "unlock 127.0.0.1 --as eve");
    assert_eq!(
        told,
        "Nothing to do: no attempts of 127.0.0.1 are counted.\n"
    );
    assert_eq!(fail(&data, "unlock nobody"), "user 'nobody' does not exist");
}

#[tokio::test]
async fn logout_ends_every_session_and_is_logged() {
    let (data, server) = site();
    server.register("ann").await.assert_status(201);
    let tokens = server.login("ann", PASSWORD).await;
    let told = succeed(&data, "logout ann --as eve");
    assert_eq!(told, "All sessions of user 'ann' have ended.\n");
    server
        .get(&tokens.field("access"), "users/me/")
        .await
        .assert_status(401);
    assert_eq!(shown(&data, "ann")["sessions"], json!([]));
    let expected = [("ann", "Added."), ("command (eve)", "Changed Sessions.")];
    assert_changes(&data, "ann", &expected);
}

#[tokio::test]
async fn logout_of_all_ends_everybodys_sessions() {
    let (data, server) = site();
    let ann = server.account("ann").await;
    let root = server.log_in("root", PASSWORD).await;
    let told = succeed(&data, "logout --all --write-rate 1000 --as eve");
    assert_eq!(told, "Ended the sessions and tokens of 2 users.\n");
    for token in [&ann.access, &root] {
        server.get(token, "users/me/").await.assert_status(401);
    }
    let told = succeed(&data, "logout --all --from-id 3");
    assert_eq!(told, "Ended the sessions and tokens of 0 users.\n");
    let neither = run(&mut data.command("logout --as eve"));
    assert_eq!(neither.status, Some(2), "{neither:?}");
    assert!(neither.stderr.contains("<USERNAME>"), "{neither:?}");
    let both = run(&mut data.command("logout ann --from-id 3"));
    assert_eq!(both.status, Some(2), "{both:?}");
    assert!(both.stderr.contains("cannot be used with"), "{both:?}");
}

#[test]
fn the_commands_that_make_accounts_are_logged_with_the_systems_user_unless_told() {
    let data = Data::new();
    data.make("createsuperuser --username root --as eve");
    data.make("changepassword root");
    let told = changes(&data, "root");
    let [(maker, added), (changer, changed)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (&**maker, &**added, &**changed),
        ("command (eve)", "Added.", "Changed password.")
    );
    let own = changer.strip_prefix("command (").expect("an operator");
    assert!(own.len() > 1 && own != "eve)", "{told:?}");
    let line = run(data.command("logout root").args(["--as", "a\nb"]));
    assert!(
        line.stderr
            .contains("a name is a text of up to 150 characters"),
        "{line:?}"
    );
}
