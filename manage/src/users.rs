//! `createsuperuser`, `createuser` and `changepassword`, in the manner of Django's.

use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
};

use clap::Args;
use shared::{
    app::Clock,
    domain::{
        EmailAddress, PersonName, User, UserName,
        names::{RawText, TextField},
        password::{PersonalAttributes, validate},
    },
    hashing::{Hasher, Password},
    python,
    store::{Actor, ChangeError, Refusal, Store, WriteError, users::NewUser},
};

use crate::{CommandError, target::Target};

const SUPERUSER_PASSWORD: &str = "DJANGO_SUPERUSER_PASSWORD";
const USER_PASSWORD: &str = "DJANGO_USER_PASSWORD";

/// Options of a command that makes an account.
#[derive(Args)]
pub struct CreateOptions {
    /// The username; asked for if it is not given.
    #[arg(long)]
    username: Option<String>,
    /// The email address; asked for if it is not given.
    #[arg(long)]
    email: Option<String>,
    /// Ask nothing: the username must be given, and the password comes from the environment.
    #[arg(long)]
    noinput: bool,
    #[command(flatten)]
    target: Target,
}

/// Options of `createuser`.
#[derive(Args)]
pub struct CreateUserOptions {
    #[command(flatten)]
    account: CreateOptions,
    /// Make an admin.
    #[arg(long)]
    staff: bool,
    /// Make an account that cannot log in.
    #[arg(long)]
    inactive: bool,
}

/// Options of `changepassword`.
#[derive(Args)]
pub struct ChangePasswordOptions {
    /// The username of the account.
    username: String,
    /// Ask nothing: the password comes from DJANGO_SUPERUSER_PASSWORD.
    #[arg(long)]
    noinput: bool,
    #[command(flatten)]
    target: Target,
}

/// The flags of an account about to be made.
struct Flags {
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
}

/// Makes a superuser.
///
/// # Errors
/// What is wrong with the account, or the table's failure.
pub async fn create_superuser(options: CreateOptions) -> Result<(), CommandError> {
    let flags = Flags {
        is_active: true,
        is_staff: true,
        is_superuser: true,
    };
    create(&options, flags, SUPERUSER_PASSWORD).await?;
    println!("Superuser created successfully.");
    Ok(())
}

/// Makes a user.
///
/// # Errors
/// What is wrong with the account, or the table's failure.
pub async fn create_user(options: CreateUserOptions) -> Result<(), CommandError> {
    let CreateUserOptions {
        account,
        staff,
        inactive,
    } = options;
    let flags = Flags {
        is_active: !inactive,
        is_staff: staff,
        is_superuser: false,
    };
    create(&account, flags, USER_PASSWORD).await?;
    println!("User created successfully.");
    Ok(())
}

async fn create(options: &CreateOptions, flags: Flags, variable: &str) -> Result<(), CommandError> {
    let username: UserName = field(options.username.clone(), "Username", options.noinput)?;
    let email = email(options.email.clone(), options.noinput)?;
    let attributes = PersonalAttributes {
        username: username.as_str(),
        email: email.as_str(),
        ..Default::default()
    };
    let password = password(options.noinput, variable, &attributes)?;
    let open = options.target.open().await?;
    let new = NewUser {
        username,
        email,
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        is_active: flags.is_active,
        is_staff: flags.is_staff,
        is_superuser: flags.is_superuser,
        date_joined: Clock::System.now(),
    };
    let made = make(&open.store, new, &password).await;
    open.close().await;
    made.map(|_| ())
}

/// Makes an account.
///
/// # Errors
/// The username or email address is taken, or the table's failure.
pub async fn make(store: &Store, new: NewUser, password: &Password) -> Result<User, CommandError> {
    let id = store.next_user_id().await?;
    let hash = Hasher::default().hash(password).await;
    store
        .create_user(id, new, &hash, Actor::Command)
        .await
        .map_err(|error| match error {
            WriteError::Refused(refusals) if refusals.contains(&Refusal::UserNameTaken) => {
                CommandError::new("That username is already taken.")
            }
            WriteError::Refused(refusals) if refusals.contains(&Refusal::EmailTaken) => {
                CommandError::new("That email address is already taken.")
            }
            error => crate::init::failed(error),
        })
}

/// Changes a user's password.
///
/// # Errors
/// There is no such user, the password is not valid, or the table's failure.
pub async fn change_password(options: ChangePasswordOptions) -> Result<(), CommandError> {
    let unknown = || CommandError::new(format!("user '{}' does not exist", options.username));
    let name = UserName::stored(&options.username).ok_or_else(unknown)?;
    let open = options.target.open_existing().await?;
    let result = async {
        let (user, _) = open.store.user_by_name(&name).await?.ok_or_else(unknown)?;
        let attributes = user.attributes();
        let password = password(options.noinput, SUPERUSER_PASSWORD, &attributes)?;
        let hash = Hasher::default().hash(&password).await;
        let now = Clock::System.now();
        open.store
            .set_password(&user, false, &hash, now, Actor::Command)
            .await
            .map_err(|error| match error {
                ChangeError::Failed(error) => error.into(),
                _ => unknown(),
            })
    }
    .await;
    open.close().await;
    result?;
    println!(
        "Password changed successfully for user '{}'.",
        options.username
    );
    Ok(())
}

fn field<T: TextField>(
    given: Option<String>,
    label: &str,
    noinput: bool,
) -> Result<T, CommandError> {
    let parse = |text: &str| {
        let text = python::strip(text);
        if text.is_empty() {
            return Err(CommandError::new(format!("{label} cannot be blank.")));
        }
        T::parse(RawText {
            text,
            surrogate: None,
        })
        .map_err(|texts| CommandError::new(texts.join(" ")))
    };
    match given {
        Some(text) => parse(&text),
        None if noinput => Err(CommandError::new(format!(
            "You must use --{} with --noinput.",
            label.to_lowercase()
        ))),
        None => ask_until(|| parse(&ask(label)?)),
    }
}

/// The email address, which may be blank as in Django's `createsuperuser`.
fn email(given: Option<String>, noinput: bool) -> Result<EmailAddress, CommandError> {
    let parse = |text: &str| match python::strip(text) {
        "" => Ok(EmailAddress::default()),
        text => EmailAddress::parse(RawText {
            text,
            surrogate: None,
        })
        .map(|email| email.with_lower_domain())
        .map_err(|texts| CommandError::new(texts.join(" "))),
    };
    match given {
        Some(text) => parse(&text),
        None if noinput => Ok(EmailAddress::default()),
        None => ask_until(|| parse(&ask("Email address")?)),
    }
}

fn password(
    noinput: bool,
    variable: &str,
    attributes: &PersonalAttributes<'_>,
) -> Result<Password, CommandError> {
    // Trimmed as at login, which could not know it otherwise.
    let trimmed = |text: &str| match python::strip(text) {
        "" => Err(CommandError::new("Blank passwords aren't allowed.")),
        text => Ok(text.to_owned()),
    };
    if noinput {
        // As in Django, an operator's script is not argued with.
        let text = env::var(variable)
            .map_err(|_| CommandError::new(format!("You must set {variable} with --noinput.")))?;
        return trimmed(&text).map(Password::new);
    }
    ask_until(|| {
        let (first, second) = (ask_hidden("Password: ")?, ask_hidden("Password (again): ")?);
        if first != second {
            return Err(CommandError::new("Your passwords didn't match."));
        }
        let text = trimmed(&first)?;
        let errors = validate(&text, attributes);
        if errors.is_empty() {
            Ok(Password::new(text))
        } else {
            Err(CommandError::new(errors.join(" ")))
        }
    })
}

/// Asks again after an answer that is wrong, as long as there is somebody to ask.
fn ask_until<T>(mut question: impl FnMut() -> Result<T, CommandError>) -> Result<T, CommandError> {
    let is_final = |error: &CommandError| [NO_ANSWER, CANCELLED].contains(&error.0.as_str());
    loop {
        match question() {
            Err(error) if io::stdin().is_terminal() && !is_final(&error) => {
                eprintln!("Error: {error}");
            }
            answer => return answer,
        }
    }
}

const NO_ANSWER: &str = "no answer: the input ended";
const CANCELLED: &str = "Operation cancelled.";

fn ask(label: &str) -> Result<String, CommandError> {
    print!("{label}: ");
    let _ = io::stdout().flush();
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => Err(CommandError::new(NO_ANSWER)),
        Ok(_) => Ok(line),
    }
}

fn ask_hidden(label: &str) -> Result<String, CommandError> {
    // At Ctrl-C rpassword raises the signal before it makes the terminal echo again: with a
    // handler the process lives long enough for that.
    #[cfg(unix)]
    let _handler = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
    rpassword::prompt_password(label).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => CommandError::new(CANCELLED),
        _ => CommandError::new(NO_ANSWER),
    })
}
