//! `manage runserver`: the whole service on one machine.

use std::{
    fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_sdk_dynamodb::Client;
use axum::{Router, middleware::from_fn};
use clap::Args;
use shared::{
    accounts,
    app::App,
    clock::Clock,
    domain::{Actor, NewUser},
    hashing::Password,
    settings::{Algorithm, KeyState, Settings},
    store::{layout::Layout, pager::Filter},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, oneshot},
    time::{sleep, timeout},
};

use crate::{
    CommandError, all_routes, cors,
    engine::{Access, Engine, LOOPBACK, Opened},
    init, outbox, parsed, private, random_text,
    target::EMBEDDED_TABLE,
    users::SUPERUSER_EMAIL,
    with_peers,
};

const SIGNING_KEY: &str = "signing-key";
/// How long requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(2);

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
    /// The address to serve the embedded DynamoDB on; port 0 is any free one. Who knows the access
    /// key of this start reads and writes everything, so leave it on loopback, or on the bridge of
    /// containers that use it.
    #[arg(long, value_name = "ADDR:PORT", default_value_t = LOOPBACK)]
    dynamodb_bind: SocketAddr,
}

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// One line: a port in use, a directory that cannot be written, a file that is no database, a
/// malformed setting.
pub async fn runserver(options: Options) -> Result<(), CommandError> {
    log_to_terminal();
    // From here on, so that a signal during the start ends it cleanly too.
    let stop = stop_signal()?;
    let listener = TcpListener::bind(options.bind)
        .await
        .map_err(|error| CommandError::new(format!("cannot serve on {}: {error}", options.bind)))?;
    let address = listener
        .local_addr()
        .map_err(|error| CommandError::new(format!("no address: {error}")))?;
    let engine = open(&options).await?;
    let served = serve(&options, listener, address, &engine, stop).await;
    engine.stop().await;
    served
}

async fn open(options: &Options) -> Result<Engine, CommandError> {
    if options.memory {
        return Engine::memory(options.dynamodb_bind).await;
    }
    match Engine::open(&options.data, options.dynamodb_bind, Access::Shared).await? {
        Opened::Here(engine) => Ok(engine),
        Opened::Elsewhere(endpoint) => Err(CommandError::new(format!(
            "{} is in use by another process, which serves DynamoDB at {}",
            options.data.display(),
            endpoint.url
        ))),
    }
}

async fn serve(
    options: &Options,
    listener: TcpListener,
    address: SocketAddr,
    engine: &Engine,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CommandError> {
    let directory = (!options.memory).then_some(options.data.as_path());
    let client = engine.client();
    let (app, password) = prepare(client, directory, address, Clock::System).await?;
    let sends = Arc::new(Mutex::new(()));
    let mailer = outbox::mailer(&app, directory, &engine.endpoint())?;
    let sending = mailer.map(|mailer| {
        let sends = Arc::clone(&sends);
        tokio::spawn(outbox::send_all(app.clone(), mailer, sends))
    });
    let layout = app.store.schema().await?.layout;
    let origins = app.settings.cors_allowed_origins.clone();
    let mut router: Router = all_routes(app);
    if !origins.is_empty() {
        router = router
            .layer(cors::layer(&origins)?)
            .layer(from_fn(cors::log_preflight));
    }
    let superuser = password.map(|password| {
        format!("Superuser            admin, with the password {password} (shown this once)\n")
    });
    let older = (layout < Layout::CURRENT).then(|| older_layout(options, layout));
    let more = superuser.unwrap_or_default() + &older.unwrap_or_default();
    print(&introduction(options, address, engine, &more));
    let (tell, told) = oneshot::channel();
    let stopped = async move {
        stop.await;
        print("Stopping.\n");
        let _ = tell.send(());
    };
    let served = axum::serve(listener, with_peers(router)).with_graceful_shutdown(stopped);
    let ended = tokio::select! {
        result = served => {
            result.map_err(|error| CommandError::new(format!("the server ended: {error}")))
        }
        // Connections that clients keep open do not hold up the end.
        () = async { let _ = told.await; sleep(GRACE).await } => Ok(()),
    };
    if let Some(sending) = sending {
        // While nothing is sent.
        let _idle = timeout(GRACE, sends.lock()).await;
        sending.abort();
    }
    ended
}

/// A table ready to use, and the app on it, served at an address; with the password of `admin` if the table was empty.
///
/// # Errors
/// A malformed setting, or the table's failure.
pub async fn prepare(
    client: Client,
    directory: Option<&Path>,
    address: SocketAddr,
    clock: Clock,
) -> Result<(App, Option<String>), CommandError> {
    init::create_table(&client, EMBEDDED_TABLE).await?;
    let (signing_key, link_key) = keys(directory)?;
    let has_front_end = given("EMAIL_FRONTEND_DOMAIN").or(given("DOMAIN")).is_some();
    let has_pages = given("ACCOUNT_PAGES").is_none_or(|flag| flag.eq_ignore_ascii_case("true"));
    let is_front_end = has_pages && !has_front_end;
    let settings = Settings::from_lookup(|name| match name {
        "SIGNING_KEY" => Some(signing_key.clone()),
        "LINK_KEY" => link_key.clone().or_else(|| given(name)),
        "TABLE_NAME" => Some(EMBEDDED_TABLE.to_owned()),
        // Links lead to the pages of this service unless a front end has its own.
        "EMAIL_FRONTEND_DOMAIN" if is_front_end => Some(address.to_string()),
        "EMAIL_FRONTEND_PROTOCOL" if is_front_end => {
            given(name).or_else(|| Some("http".to_owned()))
        }
        "ACCOUNT_PAGES" if is_front_end => Some("true".to_owned()),
        name => std::env::var(name).ok(),
    })?;
    let app = App::local(settings, client, clock)?;
    init::stock(&app.store).await?;
    let password = first_superuser(&app).await?;
    Ok((app, password))
}

/// The keys of tokens and of links: those of the environment, else the ones beside the data, else new
/// ones. Where HMAC signs, one key is both.
fn keys(directory: Option<&Path>) -> Result<(String, Option<String>), CommandError> {
    let name = given("ALGORITHM").unwrap_or_default();
    // What is no algorithm is refused with all other settings.
    let algorithm = Algorithm::named(&name).filter(|algorithm| !algorithm.is_hmac());
    let text = || kept(directory, SIGNING_KEY, || Ok(random_text()));
    let Some(algorithm) = algorithm else {
        return Ok((given("SIGNING_KEY").map_or_else(text, Ok)?, None));
    };
    let private = || {
        let file = format!("{SIGNING_KEY}-{}", algorithm.name().to_lowercase());
        let new = || rotation::generate::key(algorithm, KeyState::Current, 0);
        kept(directory, &file, || Ok(new()?.key))
    };
    let signing_key = given("SIGNING_KEY").map_or_else(private, Ok)?;
    let link_key = given("LINK_KEY").map_or_else(text, Ok)?;
    Ok((signing_key, Some(link_key)))
}

/// A variable; an empty one counts as not set.
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The key in a file beside the data, else a new one that is kept there.
fn kept(
    directory: Option<&Path>,
    file: &str,
    new: impl FnOnce() -> Result<String, CommandError>,
) -> Result<String, CommandError> {
    let Some(directory) = directory else {
        return new();
    };
    let path = directory.join(file);
    let closed = private::close(&path, 0o600);
    match closed.and_then(|()| fs::read_to_string(&path)) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let new = new()?;
            private::write(&path, &new).map_err(|error| {
                CommandError::new(format!("cannot write {}: {error}", path.display()))
            })?;
            Ok(new)
        }
        Err(error) => Err(CommandError::new(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

/// The address of the first superuser unless `DJANGO_SUPERUSER_EMAIL` is set: a PUT of the profile
/// asks for one.
const FIRST_EMAIL: &str = "admin@localhost.localdomain";

/// On a table without users, makes the superuser `admin`; the password is shown this once.
async fn first_superuser(app: &App) -> Result<Option<String>, CommandError> {
    let first = app.store.user_page(&Filter::default(), None, 1).await?;
    if !first.users.is_empty() {
        return Ok(None);
    }
    let email = std::env::var(SUPERUSER_EMAIL).ok();
    let email = email.filter(|email| !email.is_empty());
    let admin = NewUser {
        email: parsed(email.as_deref().unwrap_or(FIRST_EMAIL))?,
        is_staff: true,
        is_superuser: true,
        ..NewUser::named(parsed("admin")?, app.clock.now())
    };
    let text = random_text()[..20].to_owned();
    let password = Password::new(text.clone());
    accounts::new_users::create(&app.store, &app.hasher, Actor::Setup, admin, &password).await?;
    Ok(Some(text))
}

/// Says that the table works as it is, and what brings it up to date.
fn older_layout(options: &Options, layout: Layout) -> String {
    let data = options.data.display();
    format!(
        "Layout               {layout}, older than {}: run manage migrate --data {data}, also while this runs\n",
        Layout::CURRENT
    )
}

fn introduction(options: &Options, address: SocketAddr, engine: &Engine, more: &str) -> String {
    let data = if options.memory {
        "in memory only".to_owned()
    } else {
        options.data.display().to_string()
    };
    let endpoint = engine.endpoint();
    format!(
        "Serving the API at   http://{address}/api/auth/\n\
         Admin pages at       http://{address}/admin/\n\
         API document at      http://{address}/api/schema/swagger-ui/\n\
         DynamoDB endpoint    {} (table {EMBEDDED_TABLE})\n\
         DynamoDB access key  {} (of this start, with any secret key)\n\
         Data                 {data}\n\
         {more}\n\
         Try it:\n  \
           curl -X POST http://{address}/api/auth/users/register/ \
         -H 'Content-Type: application/json' \\\n       \
         -d '{{\"username\": \"ann\", \"email\": \"ann@example.com\", \
         \"password\": \"a-Long-phrase-1\", \"password2\": \"a-Long-phrase-1\"}}'\n\n\
         Stop with Ctrl-C.\n",
        endpoint.url, endpoint.access_key
    )
}

/// Writes to standard output; serving goes on when nobody reads it any more.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One readable line for each request and each security event; `RUST_LOG` changes what is shown.
fn log_to_terminal() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("error,manage=info,security=info,shared=info"));
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .log_internal_errors(false)
        .with_target(false)
        .compact()
        .try_init();
}

/// Listens for Ctrl-C and SIGTERM from now on; the future ends at the first.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, CommandError> {
    let failed = |error| CommandError::new(format!("cannot listen for signals: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(windows)]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(failed)?;
        Ok(async move {
            interrupt.recv().await;
        })
    }
}
