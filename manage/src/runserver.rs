//! `manage runserver`: the whole service on one machine.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::Client;
use axum::Router;
use clap::Args;
use shared::{
    app::{App, Clock},
    domain::{
        EmailAddress, PersonName, UserName,
        names::{RawText, TextField},
    },
    hashing::Password,
    settings::Settings,
    store::{Store, connect_to, users::NewUser},
};
use tokio::{net::TcpListener, signal};

use crate::{
    CommandError, all_routes,
    engine::{Engine, Opened},
    init,
    target::EMBEDDED_TABLE,
    users,
};

const SIGNING_KEY: &str = "signing-key";

/// Options of `runserver`.
#[derive(Args)]
pub struct Options {
    /// The address to serve the API on.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// The directory to keep the data in.
    #[arg(long, value_name = "DIR", default_value = ".data")]
    data: PathBuf,
    /// Keep the data in memory only, and forget it at the end.
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// The port of the embedded DynamoDB on 127.0.0.1; any free one unless told.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    dynamodb_port: u16,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// One line: a port in use, a directory that cannot be written, a file that is no database, a
/// malformed setting.
pub async fn runserver(options: Options) -> Result<(), CommandError> {
    log_to_terminal();
    let listener = TcpListener::bind(options.bind)
        .await
        .map_err(|error| CommandError::new(format!("cannot serve on {}: {error}", options.bind)))?;
    let address =
        listener.local_addr().map_err(|error| CommandError::new(format!("no address: {error}")))?;
    let engine = open(&options).await?;
    let served = serve(&options, listener, address, &engine).await;
    engine.stop().await;
    served
}

async fn open(options: &Options) -> Result<Engine, CommandError> {
    if options.memory {
        return Engine::memory(options.dynamodb_port).await;
    }
    match Engine::open(&options.data, options.dynamodb_port).await? {
        Opened::Here(engine) => Ok(engine),
        Opened::Elsewhere(endpoint) => Err(CommandError::new(format!(
            "{} is in use by another process, which serves DynamoDB at {endpoint}",
            options.data.display()
        ))),
    }
}

async fn serve(
    options: &Options,
    listener: TcpListener,
    address: SocketAddr,
    engine: &Engine,
) -> Result<(), CommandError> {
    let directory = (!options.memory).then_some(options.data.as_path());
    let (app, password) = prepare(connect_to(&engine.endpoint()), directory, Clock::System).await?;
    introduce(options, address, engine, password.as_deref());
    let stopped = async {
        stop_signal().await;
        println!("Stopping.");
    };
    let router: Router = all_routes(app);
    let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
    tokio::select! {
        result = served => result.map_err(|error| CommandError::new(format!("the server ended: {error}"))),
        // Idle connections do not hold up the end.
        () = async { stop_signal().await; tokio::time::sleep(std::time::Duration::from_secs(2)).await } => Ok(()),
    }
}

/// A table ready to use, and the app on it; with the password of `admin` if the table was empty.
///
/// # Errors
/// A malformed setting, or the table's failure.
pub async fn prepare(
    client: Client,
    directory: Option<&Path>,
    clock: Clock,
) -> Result<(App, Option<String>), CommandError> {
    init::create_table(&client, EMBEDDED_TABLE).await?;
    let key = signing_key(directory)?;
    let settings = Settings::from_lookup(|name| match name {
        "SIGNING_KEY" => Some(key.clone()),
        "TABLE_NAME" => Some(EMBEDDED_TABLE.to_owned()),
        name => std::env::var(name).ok(),
    })?;
    let app = App::new(settings, client, clock);
    init::stock(&app.store).await?;
    let password = first_superuser(&app.store, app.clock.now()).await?;
    Ok((app, password))
}

/// `SIGNING_KEY` of the environment, else the one beside the data, else a new random one.
fn signing_key(directory: Option<&Path>) -> Result<String, CommandError> {
    if let Some(key) = std::env::var("SIGNING_KEY").ok().filter(|key| !key.is_empty()) {
        return Ok(key);
    }
    let new = random_text();
    let Some(directory) = directory else { return Ok(new) };
    let path = directory.join(SIGNING_KEY);
    match fs::read_to_string(&path) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            write_secret(&path, &new)
                .map_err(|error| CommandError::new(format!("cannot write {}: {error}", path.display())))?;
            Ok(new)
        }
        Err(error) => Err(CommandError::new(format!("cannot read {}: {error}", path.display()))),
    }
}

/// Writes a file that only its owner can read.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// 256 random bits as text.
fn random_text() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}

/// On a table without users, makes the superuser `admin`; his password is told this once.
async fn first_superuser(store: &Store, now: i64) -> Result<Option<String>, CommandError> {
    if !store.user_page("", None, 1).await?.users.is_empty() {
        return Ok(None);
    }
    let password = random_text()[..20].to_owned();
    let username = UserName::parse(RawText { text: "admin", surrogate: None })
        .map_err(|texts| CommandError::new(texts.join(" ")))?;
    let admin = NewUser {
        username,
        email: EmailAddress::default(),
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        is_active: true,
        is_staff: true,
        is_superuser: true,
        date_joined: now,
    };
    users::make(store, admin, &Password::new(password.clone())).await?;
    Ok(Some(password))
}

fn introduce(options: &Options, address: SocketAddr, engine: &Engine, password: Option<&str>) {
    println!("Serving the API at   http://{address}/api/auth/");
    println!("DynamoDB endpoint    {} (table {EMBEDDED_TABLE})", engine.endpoint());
    if options.memory {
        println!("Data                 in memory only");
    } else {
        println!("Data                 {}", options.data.display());
    }
    if let Some(password) = password {
        println!("Superuser            admin, with the password {password} (shown this once)");
    }
    println!();
    println!("Try it:");
    println!(
        "  curl -X POST http://{address}/api/auth/users/register/ -H 'Content-Type: application/json' \\\n       \
         -d '{{\"username\": \"ann\", \"email\": \"ann@example.com\", \"password\": \"a-Long-phrase-1\", \
         \"password2\": \"a-Long-phrase-1\"}}'"
    );
    println!();
    println!("Stop with Ctrl-C.");
}

/// One readable line for each request; `RUST_LOG` changes what is shown.
fn log_to_terminal() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error,shared=info"));
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).compact().try_init();
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = signal::ctrl_c().await;
}
