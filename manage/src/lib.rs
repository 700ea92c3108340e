//! The command line, named after Django's `manage.py`: runs the whole service on one machine and
//! manages accounts in any table.

pub mod account;
pub mod afterrestore;
pub mod check;
mod cors;
pub mod drill;
pub mod dumpdata;
pub mod engine;
pub mod eraseuser;
pub mod exportuser;
pub mod init;
pub mod leaked;
pub mod loaddata;
pub mod logout;
mod mailing;
pub mod migrate;
pub mod openapi;
pub mod operator;
pub mod outbox;
mod pace;
pub mod passwordresetlink;
mod private;
pub mod rollback;
pub mod rotatekey;
pub mod runserver;
pub mod sendmail;
pub mod sendtestemail;
pub mod setuser;
pub mod showuser;
pub mod smoketest;
mod stack;
pub mod status;
pub mod syncpermissions;
pub mod target;
pub mod terminal;
pub mod unlock;
pub mod users;

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, Request, connect_info::IntoMakeServiceWithConnectInfo},
    middleware::map_request,
};
use clap::{Parser, Subcommand};
use shared::{
    accounts::Refused,
    app::App,
    domain::{FieldError, names::TextField},
    http::{Peer, Routes, service},
    settings::SettingsError,
    store::{StoreError, WriteError},
};
use thiserror::Error;

/// User management: run it on this machine, or manage the accounts of a table.
#[derive(Parser)]
#[command(name = "manage", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the whole API on this machine, with an embedded DynamoDB.
    Runserver(runserver::Options),
    /// Make a superuser: prompts, or --noinput with DJANGO_SUPERUSER_PASSWORD.
    Createsuperuser(users::CreateOptions),
    /// Make a user: prompts, or --noinput with DJANGO_USER_PASSWORD.
    Createuser(users::CreateUserOptions),
    /// Change a user's password, which ends their tokens: prompts, or --noinput with
    /// DJANGO_SUPERUSER_PASSWORD.
    Changepassword(users::ChangePasswordOptions),
    /// Show an account: groups, permissions, sessions, failed logins and the last changes.
    Showuser(showuser::Options),
    /// Change whether a user is active, staff or a superuser, or their groups.
    Setuser(setuser::Options),
    /// Let a user, or everybody at an address, log in again after too many failed logins.
    Unlock(unlock::Options),
    /// End all sessions and tokens of a user.
    Logout(logout::Options),
    /// Print a link with which the password of a user can be set once.
    Passwordresetlink(passwordresetlink::Options),
    /// List the mails that are still owed, and send them.
    Sendmail(sendmail::Options),
    /// Send a mail to see whether mails leave, by EMAIL_BACKEND, or SMTP if EMAIL_HOST is set, else
    /// Amazon SES.
    Sendtestemail(sendtestemail::Options),
    /// Load what Django's dumpdata wrote: users, groups and permissions with their ids and password
    /// hashes. Everything is judged before anything is written.
    Loaddata(loaddata::Options),
    /// Compare every fact of a dump with the table, and list what differs.
    Verifydump(loaddata::verify::Options),
    /// Write users, groups and permissions as Django's loaddata reads them.
    Dumpdata(dumpdata::Options),
    /// Write everything that is kept about one user, as JSON.
    Exportuser(exportuser::Options),
    /// Delete a user, and take them out of the log of changes too.
    Eraseuser(eraseuser::Options),
    /// Do the next step to a new signing key in AWS Secrets Manager: publish it, let it sign, drop the
    /// one before it. Nobody is logged out.
    Rotatekey(rotatekey::Options),
    /// Create the permissions that another application declares in a file.
    Syncpermissions(syncpermissions::Options),
    /// Bring a table of an older layout up to date, beside running functions.
    Migrate(migrate::Options),
    /// Make a restored table safe: ids, sessions, the signing key, expiry and recovery.
    Afterrestore(afterrestore::Options),
    /// Rehearse a restore: back the table up, restore it beside itself, make the copy safe, serve the
    /// API on it, check it, and delete it.
    Drill(drill::Options),
    /// Check every invariant of the table and list what is broken.
    Check(check::Options),
    /// Write the OpenAPI document of the API.
    Openapi(openapi::Options),
    /// Show what runs in a stack: versions, settings, cold starts, errors and slow calls.
    Status(status::Options),
    /// Point the functions of a stack to the versions before.
    Rollback(rollback::Options),
    /// Send every request that needs no account to a deployment, and report what is not wired as it
    /// should be. Changes nothing.
    Smoketest(smoketest::Options),
}

/// What ends a command: one line for people, who may read it in a terminal.
#[derive(Debug, Error)]
#[error("{}", terminal::clean_lines(.0))]
pub struct CommandError(String);

impl CommandError {
    /// An error with that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self(format!("the table did not answer: {error}"))
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        Self(error.to_string())
    }
}

impl From<WriteError> for CommandError {
    fn from(error: WriteError) -> Self {
        Refused::from(error).into()
    }
}

impl From<Refused> for CommandError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(errors) => {
                let errors = errors.iter().flat_map(|(_, errors)| errors);
                Self::from_fields(errors)
            }
            Refused::Unavailable(error) => error.into(),
            Refused::LastSuperuser => Self::new("the last active superuser cannot be removed"),
            Refused::NotFound => Self::new("it was deleted meanwhile"),
            Refused::Conflict => Self::new("others change it at the same time, try again"),
            other => Self(format!("the table refused: {other:?}")),
        }
    }
}

impl CommandError {
    /// What is wrong with values, in the words of Django's forms.
    fn from_fields<'a>(errors: impl IntoIterator<Item = &'a FieldError>) -> Self {
        let texts: Vec<_> = errors.into_iter().map(FieldError::django).collect();
        Self(texts.join(" "))
    }
}

/// A text of a command line or a file, read as a field of a model.
///
/// # Errors
/// What is wrong with it.
pub fn parsed<T: TextField>(text: &str) -> Result<T, CommandError> {
    T::parse(text.into()).map_err(|errors| CommandError::from_fields(&errors))
}

/// 256 random bits as text.
fn random_text() -> String {
    format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    )
}

/// The functions behind API Gateway, by name, with their routes.
pub fn functions() -> [(&'static str, Routes); 7] {
    [
        ("auth", auth::routes()),
        ("users", ::users::routes()),
        ("groups", groups::routes()),
        ("permissions", permissions::routes()),
        ("admin", admin::routes()),
        ("account", ::account::routes()),
        ("docs", docs::routes()),
    ]
}

/// Every function's routes as one service.
pub fn all_routes(app: App) -> Router {
    let routes = functions().into_iter().map(|(_, routes)| routes);
    service(routes.fold(Routes::new(), Routes::merge), app)
}

/// A service for connections of its own, which tells each request's peer.
pub fn with_peers(service: Router) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    let told = |ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request| async move {
        request.extensions_mut().insert(Peer(peer.ip()));
        request
    };
    service
        .layer(map_request(told))
        .into_make_service_with_connect_info()
}

/// Carries out a command.
///
/// # Errors
/// One line that says what went wrong.
pub fn run(arguments: Arguments) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        match arguments.command {
            Command::Runserver(options) => runserver::runserver(options).await,
            Command::Createsuperuser(options) => users::create_superuser(options).await,
            Command::Createuser(options) => users::create_user(options).await,
            Command::Changepassword(options) => users::change_password(options).await,
            Command::Showuser(options) => showuser::showuser(options).await,
            Command::Setuser(options) => setuser::setuser(options).await,
            Command::Unlock(options) => unlock::unlock(options).await,
            Command::Logout(options) => logout::logout(options).await,
            Command::Passwordresetlink(options) => {
                passwordresetlink::passwordresetlink(options).await
            }
            Command::Sendmail(options) => sendmail::sendmail(options).await,
            Command::Sendtestemail(options) => sendtestemail::sendtestemail(options).await,
            Command::Loaddata(options) => loaddata::loaddata(options).await,
            Command::Verifydump(options) => loaddata::verify::verifydump(options).await,
            Command::Dumpdata(options) => dumpdata::dumpdata(options).await,
            Command::Exportuser(options) => exportuser::exportuser(options).await,
            Command::Eraseuser(options) => eraseuser::eraseuser(options).await,
            Command::Rotatekey(options) => rotatekey::rotatekey(options).await,
            Command::Syncpermissions(options) => syncpermissions::syncpermissions(options).await,
            Command::Migrate(options) => migrate::migrate(options).await,
            Command::Afterrestore(options) => afterrestore::afterrestore(options).await,
            Command::Drill(options) => drill::drill(options).await,
            Command::Check(options) => check::check(options).await,
            Command::Openapi(options) => openapi::openapi(options),
            Command::Status(options) => status::status(options).await,
            Command::Rollback(options) => rollback::rollback(options).await,
            Command::Smoketest(options) => smoketest::smoketest(options).await,
        }
    })
}
