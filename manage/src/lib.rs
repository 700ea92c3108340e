//! The command line, named after Django's `manage.py`: runs the whole service on one machine and
//! manages accounts in any table.

pub mod check;
mod cors;
pub mod engine;
pub mod init;
pub mod loaddata;
pub mod rotatekey;
pub mod runserver;
pub mod smoketest;
pub mod syncpermissions;
pub mod target;
pub mod users;

use std::{fmt, net::SocketAddr};

use axum::{
    Router,
    extract::{ConnectInfo, Request, connect_info::IntoMakeServiceWithConnectInfo},
    middleware::map_request,
};
use clap::{Parser, Subcommand};
use shared::{
    app::App,
    http::{extract::Peer, service},
};

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
    /// Change a user's password, which ends his tokens: prompts, or --noinput with
    /// DJANGO_SUPERUSER_PASSWORD.
    Changepassword(users::ChangePasswordOptions),
    /// Load a fixture in the form of Django's dumpdata: permissions, groups and users with the ids
    /// and password hashes that it gives them.
    Loaddata(loaddata::Options),
    /// Make a new signing key in AWS Secrets Manager; tokens of the one before it stay valid.
    Rotatekey(rotatekey::Options),
    /// Make the permissions that another application declares in a file be there.
    Syncpermissions(syncpermissions::Options),
    /// Check every invariant of the table and list what is broken.
    Check(check::Options),
    /// Ask every route of a deployment what anybody may ask, and tell what is not wired as it should
    /// be. Needs no account and changes nothing.
    Smoketest(smoketest::Options),
}

/// What ends a command: one line for people.
#[derive(Debug)]
pub struct CommandError(String);

impl CommandError {
    /// An error with that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CommandError {}

impl From<shared::store::StoreError> for CommandError {
    fn from(error: shared::store::StoreError) -> Self {
        Self(format!("the table did not answer: {error}"))
    }
}

impl From<shared::settings::SettingsError> for CommandError {
    fn from(error: shared::settings::SettingsError) -> Self {
        Self(error.to_string())
    }
}

/// An error with its causes, in one line for people.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// 256 random bits as text.
fn random_text() -> String {
    format!(
        "{:032x}{:032x}",
        rand::random::<u128>(),
        rand::random::<u128>()
    )
}

/// Every function's routes as one service.
pub fn all_routes(app: App) -> Router {
    let routes = admin::routes()
        .merge(auth::routes())
        .merge(users_routes())
        .merge(groups::routes())
        .merge(permissions::routes());
    service(routes, app)
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

fn users_routes() -> Router<App> {
    ::users::routes()
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
            Command::Loaddata(options) => loaddata::loaddata(options).await,
            Command::Rotatekey(options) => rotatekey::rotatekey(options).await,
            Command::Syncpermissions(options) => syncpermissions::syncpermissions(options).await,
            Command::Check(options) => check::check(options).await,
            Command::Smoketest(options) => smoketest::smoketest(options).await,
        }
    })
}
