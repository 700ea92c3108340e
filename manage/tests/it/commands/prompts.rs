//! The commands that ask, at a terminal.

use super::{
    process::{Runserver, directory, manage_in, run},
    terminal::Terminal,
};

const PASSWORD: &str = "a-Long-phrase-1";

#[test]
fn createsuperuser_asks_for_everything_and_shows_no_password() {
    let data = directory();
    let mut terminal = Terminal::start(data.path(), &["createsuperuser"]);
    terminal.answer("Username: ", "ann");
    terminal.answer("Email address: ", "ann@example.com");
    terminal.answer_hidden("Password: ", PASSWORD);
    terminal.answer_hidden("Password (again): ", PASSWORD);
    terminal.see("Superuser created successfully.");
    let ended = terminal.end();
    assert_eq!(ended.status, Some(0));
    assert!(!ended.stdout.contains(PASSWORD), "{}", ended.stdout);
    assert!(terminal.echoes());

    let server = Runserver::start(data.path());
    let token = server.api.log_in("ann", PASSWORD);
    assert_eq!(
        server
            .api
            .ask("GET", "users/", &token, serde_json::Value::Null)
            .status,
        200
    );
}

#[test]
fn what_is_given_as_an_option_is_not_asked() {
    let data = directory();
    let options = [
        "createuser",
        "--username",
        "ann",
        "--email",
        "ann@example.com",
    ];
    let mut terminal = Terminal::start(data.path(), &options);
    assert!(!terminal.see("Password: ").contains("Username"));
    terminal.wait_until_hidden();
    terminal.type_keys(&format!("{PASSWORD}\n"));
    terminal.answer_hidden("Password (again): ", PASSWORD);
    terminal.see("User created successfully.");
    assert_eq!(terminal.end().status, Some(0));
}

#[test]
fn a_wrong_answer_is_explained_and_asked_for_again() {
    let data = directory();
    let mut terminal = Terminal::start(data.path(), &["createuser"]);
    terminal.answer("Username: ", "no spaces, please");
    terminal.see("Error: Enter a valid username.");
    terminal.answer("Username: ", "");
    terminal.see("Error: Username cannot be blank.");
    terminal.answer("Username: ", "ann");
    terminal.answer("Email address: ", "not-an-address");
    terminal.see("Error: Enter a valid email address.");
    terminal.answer("Email address: ", "");

    terminal.answer_hidden("Password: ", PASSWORD);
    terminal.answer_hidden("Password (again): ", "a-Long-phrase-2");
    terminal.see("Error: Your passwords didn't match.");
    terminal.answer_hidden("Password: ", " ");
    terminal.answer_hidden("Password (again): ", " ");
    terminal.see("Error: Blank passwords aren't allowed.");
    terminal.answer_hidden("Password: ", "1234");
    terminal.answer_hidden("Password (again): ", "1234");
    terminal.see(
        "This password is too short. It must contain at least 8 characters. \
         This password is too common. This password is entirely numeric.",
    );
    terminal.answer_hidden("Password: ", PASSWORD);
    terminal.answer_hidden("Password (again): ", PASSWORD);
    terminal.see("User created successfully.");
    assert_eq!(terminal.end().status, Some(0));
}

#[test]
fn a_password_like_the_username_is_refused() {
    let data = directory();
    let mut terminal = Terminal::start(data.path(), &["createuser", "--username", "margarethe"]);
    terminal.answer("Email address: ", "");
    terminal.answer_hidden("Password: ", "margarethe1");
    terminal.answer_hidden("Password (again): ", "margarethe1");
    terminal.see("The password is too similar to the username.");
    terminal.see("Password: ");
}

#[test]
fn changepassword_asks_for_the_new_one() {
    let data = directory();
    let mut create = manage_in(
        data.path(),
        &["createuser", "--noinput", "--username", "ann"],
    );
    run(create.env("DJANGO_USER_PASSWORD", PASSWORD)).succeeded();
    let mut terminal = Terminal::start(data.path(), &["changepassword", "ann"]);
    terminal.answer_hidden("Password: ", "another-Phrase-7");
    terminal.answer_hidden("Password (again): ", "another-Phrase-7");
    terminal.see("Password changed successfully for user 'ann'.");
    assert_eq!(terminal.end().status, Some(0));
    let server = Runserver::start(data.path());
    server.api.log_in("ann", "another-Phrase-7");
    assert_eq!(server.api.login("ann", PASSWORD).status, 401);
}

#[test]
fn ctrl_c_ends_it_and_leaves_the_terminal_as_it_was() {
    let data = directory();
    let mut terminal = Terminal::start(data.path(), &["createuser", "--username", "ann"]);
    terminal.see("Email address: ");
    terminal.type_keys("\x03");
    assert_ne!(terminal.end().status, Some(0));
    assert!(terminal.echoes());

    let options = [
        "createuser",
        "--username",
        "ann",
        "--email",
        "ann@example.com",
    ];
    let mut terminal = Terminal::start(data.path(), &options);
    terminal.see("Password: ");
    terminal.wait_until_hidden();
    terminal.type_keys("half\x03");
    terminal.see("Operation cancelled.");
    assert_eq!(terminal.end().status, Some(1));
    assert!(terminal.echoes());
}

#[test]
fn without_a_terminal_there_is_an_error_and_no_endless_question() {
    let data = directory();
    let line = run(&mut manage_in(data.path(), &["createuser"])).failed();
    assert!(line.contains("the input ended"), "{line}");
}
