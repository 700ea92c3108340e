//! `sendtestemail`, `sendmail`, `passwordresetlink`, and the mails of `runserver`.

use std::{fs, process::Command};

use serde_json::json;
use testkit::{NOBODY, SmtpSink, process::run, smtp::Step};

use super::process::{Data, Runserver, manage};

fn by(command: &mut Command, sink: &SmtpSink) {
    let port = sink.port().to_string();
    command.envs([("EMAIL_HOST", "127.0.0.1"), ("EMAIL_PORT", &port)]);
    command.envs([
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("PASSWORD_RESET_CONFIRM_URL", "reset/{uid}/{token}"),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sendtestemail_sends_by_the_settings_or_says_why_not() {
    let sink = SmtpSink::start().await;
    let command = || {
        let mut command = manage("sendtestemail ann@example.com bob@example.com");
        by(&mut command, &sink);
        command.env("DEFAULT_FROM_EMAIL", "Shop <shop@example.com>");
        command
    };
    let printed = run(&mut command()).succeeded();
    assert_eq!(printed.lines().count(), 2, "{printed}");
    for to in ["ann@example.com", "bob@example.com"] {
        assert_eq!(sink.next(to).await.from, "shop@example.com");
    }
    sink.refuse(Step::Mail, 550);
    let failed = run(&mut command()).failed();
    assert!(
        failed.contains("ann@example.com") && failed.contains("550"),
        "{failed}"
    );
    // What was typed, and what the server says, steers no terminal.
    let typed = "\u{1b}]0;x\u{7}@example.com";
    let mut wrong = manage("sendtestemail");
    by(wrong.arg(typed), &sink);
    let failed = run(&mut wrong).failed();
    let expected = "no mail can be sent to the address \u{fffd}]0;x\u{fffd}@example.com";
    assert_eq!(failed, expected);
    let mut bad = command();
    bad.env("DEFAULT_FROM_EMAIL", "shop");
    assert!(run(&mut bad).failed().contains("DEFAULT_FROM_EMAIL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn runserver_sends_a_mail_at_once_and_after_a_failure() {
    let data = Data::new();
    data.make("createuser --username ann --email ann@example.com");
    let sink = SmtpSink::start().await;
    let mut command = data.command("runserver");
    by(&mut command, &sink);
    let server = Runserver::from(&mut command);
    let ask = || {
        server.post(
            NOBODY,
            "users/reset_password/",
            json!({"email": "ANN@example.com"}),
        )
    };
    ask().await.assert_status(204);
    sink.next("ann@example.com").await;
    // A server that is down changes no answer, and the mail comes when it is up again.
    sink.refuse(Step::Connect, 421);
    ask().await.assert_status(204);
    sink.heal();
    sink.next("ann@example.com").await;
    let ended = server.stop();
    let all = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!all.contains("reset/"), "a link in the log: {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_listed_and_sent_by_a_command() {
    let data = Data::new();
    data.make("createuser --username ann --email ann@example.com");
    let sink = SmtpSink::start().await;
    sink.refuse(Step::Connect, 421);
    let mut command = data.command("runserver");
    by(&mut command, &sink);
    let server = Runserver::from(&mut command);
    let body = json!({"email": "ann@example.com"});
    let asked = server.post(NOBODY, "users/reset_password/", body).await;
    asked.assert_status(204);
    server.stop();
    let sendmail = |line: &str| {
        let mut command = data.command(line);
        by(&mut command, &sink);
        run(&mut command)
    };
    let listed = sendmail("sendmail --pending --dry-run").succeeded();
    for piece in ["password reset", "ann@example.com", "1 mail(s) owed."] {
        assert!(listed.contains(piece), "{listed}");
    }
    assert_eq!(sink.left(), 0);
    let failed = sendmail("sendmail --pending").status;
    assert_eq!(failed, Some(1));
    sink.heal();
    let sent = sendmail("sendmail --pending").succeeded();
    assert!(sent.contains("1 mail(s) done."), "{sent}");
    sink.next("ann@example.com").await;
    let none = sendmail("sendmail --pending").succeeded();
    assert_eq!(none, "0 mail(s) owed.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_settings_mails_are_files_beside_the_database() {
    let data = Data::new();
    data.make("createuser --username ann --email ann@example.com");
    let server = data.serve();
    let body = json!({"email": "ann@example.com"});
    let asked = server.post(NOBODY, "users/reset_password/", body).await;
    asked.assert_status(204);
    let printed = server.process.stdout.wait("the end of the mail", |text| {
        text.contains("-----\r\n").then(|| text.to_owned())
    });
    assert!(printed.contains("To: ann@example.com"), "{printed}");
    server.stop();
    let files = fs::read_dir(data.path().join("mail")).expect("a directory");
    assert_eq!(files.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwordresetlink_makes_a_link_that_sets_a_password_once_and_is_logged() {
    let data = Data::new();
    data.make("createuser --username ann --email ann@example.com");
    let server = data.serve();
    server
        .login("ann", testkit::PASSWORD)
        .await
        .assert_status(200);
    server.stop();
    let line = "passwordresetlink ann --as eve";
    let mut command = data.command(line);
    let sink = SmtpSink::start().await;
    by(&mut command, &sink);
    let link = run(&mut command).succeeded();
    let rest = link.trim().strip_prefix("https://app.example.com/reset/");
    let (uid, token) = rest.and_then(|rest| rest.split_once('/')).expect("a link");
    let parts = run(&mut data.command(line)).succeeded();
    assert!(parts.contains(&format!("uid    {uid}\n")), "{parts}");
    let server = data.serve();
    let body = json!({"uid": uid, "token": token, "new_password": "Rk-9-Lo.pq_Wx"});
    for status in [204, 400] {
        let path = "users/reset_password_confirm/";
        server
            .post(NOBODY, path, body.clone())
            .await
            .assert_status(status);
    }
    server
        .login("ann", "Rk-9-Lo.pq_Wx")
        .await
        .assert_status(200);
    server.stop();
    let shown = run(&mut data.command("showuser ann")).succeeded();
    assert!(shown.contains("Link to set a password"), "{shown}");
    assert!(shown.contains("eve"), "{shown}");
    let unknown = run(&mut data.command("passwordresetlink nobody --as eve")).failed();
    assert!(unknown.contains("nobody"), "{unknown}");
}
