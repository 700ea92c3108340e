//! `createsuperuser`, `createuser` and `changepassword`, in the manner of Django's.

use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
};

use clap::Args;
use shared::{
    accounts::{self, Refused},
    clock::Clock,
    domain::{
        Actor, EmailAddress, FieldError, NewUser, Unique, UserName,
        names::TextField,
        password::{PersonalAttributes, validate},
    },
    hashing::{Hasher, Password},
    python,
};

use crate::{CommandError, account, operator::Operator, parsed, target::Target};

const SUPERUSER_PASSWORD: &str = "DJANGO_SUPERUSER_PASSWORD";
/// Django's variable for the address of a superuser.
pub(crate) const SUPERUSER_EMAIL: &str = "DJANGO_SUPERUSER_EMAIL";

/// The variables that stand for what is not asked for.
struct Variables {
    username: &'static str,
    email: &'static str,
    password: &'static str,
}

const OF_SUPERUSER: Variables = Variables {
    username: "DJANGO_SUPERUSER_USERNAME",
    email: SUPERUSER_EMAIL,
    password: SUPERUSER_PASSWORD,
};
const OF_USER: Variables = Variables {
    username: "DJANGO_USER_USERNAME",
    email: "DJANGO_USER_EMAIL",
    password: "DJANGO_USER_PASSWORD",
};

/// Options of a command that makes an account.
#[derive(Args)]
pub struct CreateOptions {
    /// The username; asked for if it is not given.
    #[arg(long)]
    username: Option<String>,
    /// The email address; asked for if it is not given.
    #[arg(long)]
    email: Option<String>,
    /// Ask nothing: the password comes from DJANGO_SUPERUSER_PASSWORD (createuser:
    /// DJANGO_USER_PASSWORD), and what no option gives from …_USERNAME and …_EMAIL.
    #[arg(long, visible_alias = "no-input")]
    noinput: bool,
    #[command(flatten)]
    operator: Operator,
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
    /// Make an account whose password nobody can have.
    #[arg(long)]
    unusable_password: bool,
}

/// Options of `changepassword`.
#[derive(Args)]
pub struct ChangePasswordOptions {
    /// The username of the account.
    username: String,
    /// Ask nothing: the password comes from DJANGO_SUPERUSER_PASSWORD.
    #[arg(long, visible_alias = "no-input")]
    noinput: bool,
    #[command(flatten)]
    operator: Operator,
    #[command(flatten)]
    target: Target,
}

/// What an account about to be made is logged in to with.
#[derive(PartialEq)]
enum Secret {
    Password,
    Unusable,
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
    let secret = Secret::Password;
    create(&options, flags, &OF_SUPERUSER, secret).await?;
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
        unusable_password,
    } = options;
    let flags = Flags {
        is_active: !inactive,
        is_staff: staff,
        is_superuser: false,
    };
    let secret = match unusable_password {
        true => Secret::Unusable,
        false => Secret::Password,
    };
    create(&account, flags, &OF_USER, secret).await?;
    println!("User created successfully.");
    Ok(())
}

async fn create(
    options: &CreateOptions,
    flags: Flags,
    variables: &Variables,
    secret: Secret,
) -> Result<(), CommandError> {
    // Variables count only where nothing is asked for.
    let given = |option: &Option<String>, variable| {
        let variable = || env::var(variable).ok().filter(|_| options.noinput);
        option.clone().or_else(variable)
    };
    let username = given(&options.username, variables.username);
    let username: UserName = field(username, "Username", options.noinput)?;
    let email = email(given(&options.email, variables.email), options.noinput)?;
    let attributes = PersonalAttributes {
        username: username.as_str(),
        email: email.as_str(),
        ..Default::default()
    };
    let password = match secret {
        Secret::Unusable => None,
        Secret::Password => Some(password(options.noinput, variables.password, &attributes)?),
    };
    let operator = options.operator.name()?;
    let open = options.target.open().await?;
    let new = NewUser {
        email,
        is_active: flags.is_active,
        is_staff: flags.is_staff,
        is_superuser: flags.is_superuser,
        ..NewUser::named(username, Clock::System.now())
    };
    let hasher = Hasher::default();
    let (store, actor) = (&open.store, Actor::Command(&operator));
    let made = match &password {
        Some(password) => accounts::new_users::create(store, &hasher, actor, new, password).await,
        None => accounts::new_users::create_without_password(store, actor, new).await,
    };
    open.close().await;
    match made {
        Ok(_) => Ok(()),
        Err(refused) => Err(taken(&refused).unwrap_or_else(|| refused.into())),
    }
}

/// Django's words for a taken name.
fn taken(refused: &Refused) -> Option<CommandError> {
    let Refused::Invalid(errors) = refused else {
        return None;
    };
    let is_taken = |unique| {
        let mut all = errors.iter().flat_map(|(_, errors)| errors);
        all.any(|error| *error == FieldError::Taken(unique))
    };
    if is_taken(Unique::Username) {
        Some(CommandError::new("That username is already taken."))
    } else if is_taken(Unique::Email) {
        Some(CommandError::new("That email address is already taken."))
    } else {
        None
    }
}

/// Changes a user's password.
///
/// # Errors
/// The user does not exist, the password is not valid, or the table's failure.
pub async fn change_password(options: ChangePasswordOptions) -> Result<(), CommandError> {
    let username = &options.username;
    let operator = options.operator.name()?;
    let open = options.target.open_existing().await?;
    let result = async {
        let user = account::named(&open.store, username).await?;
        let password = password(options.noinput, SUPERUSER_PASSWORD, &user.attributes())?;
        let (store, hasher) = (&open.store, Hasher::default());
        let actor = Actor::Command(&operator);
        let set = accounts::users::set_password(store, &hasher, actor, &user, &password);
        match set.await {
            Ok(_) => Ok(()),
            Err(Refused::NotFound) => Err(account::unknown(username)),
            Err(refused) => Err(refused.into()),
        }
    }
    .await;
    open.close().await;
    result?;
    println!("Password changed successfully for user '{username}'.");
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
        parsed(text)
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
        text => parsed::<EmailAddress>(text).map(|email| email.with_lower_domain()),
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
    let present = |text: String| match python::strip(&text) {
        "" => Err(CommandError::new("Blank passwords aren't allowed.")),
        _ => Ok(text),
    };
    if noinput {
        // As in Django, an operator's script is not argued with.
        let text = env::var(variable)
            .map_err(|_| CommandError::new(format!("You must set {variable} with --noinput.")))?;
        return present(text).map(Password::new);
    }
    ask_until(|| {
        let (first, second) = (ask_hidden("Password: ")?, ask_hidden("Password (again): ")?);
        if first != second {
            return Err(CommandError::new("Your passwords didn't match."));
        }
        let text = present(first)?;
        let errors = validate(&text, attributes);
        if errors.is_empty() {
            Ok(Password::new(text))
        } else {
            Err(CommandError::new(errors.join(" ")))
        }
    })
}

/// Asks again after a wrong answer, if standard input is a terminal.
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
