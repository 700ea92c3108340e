//! The commands that ask, at a terminal.

use testkit::{PASSWORD, process::run};

use super::{process::Data, terminal::Terminal};

const NAMED: &str = "createuser --username ann --email ann@example.com";

#[tokio::test]
async fn createsuperuser_asks_for_everything_and_shows_no_password() {
    let data = Data::new();
    let mut terminal = Terminal::start(&data, "createsuperuser");
    terminal.answer("Username: ", "ann");
    terminal.answer("Email address: ", "ann@example.com");
    terminal.answer_hidden("Password: ", PASSWORD);
    terminal.answer_hidden("Password (again): ", PASSWORD);
    terminal.see("Superuser created successfully.");
    let ended = terminal.end();
    assert_eq!(ended.status, Some(0));
    assert!(!ended.stdout.contains(PASSWORD), "{}", ended.stdout);
    assert!(terminal.echoes());

    let server = data.serve();
    let token = server.log_in("ann", PASSWORD).await;
    server.get(&token, "users/").await.assert_status(200);
}

#[test]
fn what_is_given_as_an_option_is_not_asked() {
    let data = Data::new();
    let mut terminal = Terminal::start(&data, NAMED);
    assert!(!terminal.see("Password: ").contains("Username"));
    terminal.wait_until_hidden();
    terminal.type_keys(&format!("{PASSWORD}\n"));
    terminal.answer_hidden("Password (again): ", PASSWORD);
    terminal.see("User created successfully.");
    assert_eq!(terminal.end().status, Some(0));
}

#[test]
fn a_wrong_answer_is_explained_and_asked_for_again() {
    let data = Data::new();
    let mut terminal = Terminal::start(&data, "createuser");
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
    let data = Data::new();
    let mut terminal = Terminal::start(&data, "createuser --username margarethe");
    terminal.answer("Email address: ", "");
    terminal.answer_hidden("Password: ", "margarethe1");
    terminal.answer_hidden("Password (again): ", "margarethe1");
    terminal.see("The password is too similar to the username.");
    terminal.see("Password: ");
}

#[tokio::test]
async fn changepassword_asks_for_the_new_one() {
    let data = Data::new();
    data.make("createuser --username ann");
    let mut terminal = Terminal::start(&data, "changepassword ann");
    let new = "another-Phrase-7";
    terminal.answer_hidden("Password: ", new);
    terminal.answer_hidden("Password (again): ", new);
    terminal.see("Password changed successfully for user 'ann'.");
    assert_eq!(terminal.end().status, Some(0));
    let server = data.serve();
    server.log_in("ann", new).await;
    server.login("ann", PASSWORD).await.assert_status(401);
}

#[test]
fn ctrl_c_ends_it_and_leaves_the_terminal_as_it_was() {
    let data = Data::new();
    let mut terminal = Terminal::start(&data, "createuser --username ann");
    terminal.see("Email address: ");
    terminal.type_keys("\x03");
    assert_ne!(terminal.end().status, Some(0));
    assert!(terminal.echoes());

    let mut terminal = Terminal::start(&data, NAMED);
    terminal.see("Password: ");
    terminal.wait_until_hidden();
    terminal.type_keys("half\x03");
    terminal.see("Operation cancelled.");
    assert_eq!(terminal.end().status, Some(1));
    assert!(terminal.echoes());
}

#[test]
fn without_a_terminal_there_is_an_error_and_no_endless_question() {
    let data = Data::new();
    let line = run(&mut data.command("createuser")).failed();
    assert!(line.contains("the input ended"), "{line}");
}
