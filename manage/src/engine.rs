//! The embedded DynamoDB: its file, its loopback endpoint, and the rule that one process at a
//! time has it open while others reach it over that endpoint. All of it is its owner's alone: the
//! directory, the files, and the endpoint by an access key that only they can read.

mod server;

use std::{
    fmt::Write,
    fs::{self, File, TryLockError},
    io::{self, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, RuntimeComponents,
        auth::{Params, ResolveAuthScheme},
    },
};
use aws_smithy_runtime_api::client::{
    auth::{AuthSchemeId, AuthSchemeOption, AuthSchemeOptionsFuture},
    http::{SharedHttpConnector, http_client_fn},
};
use dynoxide::Database;
use server::Served;
use shared::{
    aws::{self, LOCAL_REGION, LocalEndpoint},
    store,
};
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{CommandError, private, random_text, target::EMBEDDED_TABLE};

const DATABASE: &str = "dynamodb.sqlite";
/// What SQLite keeps beside the database while it is open.
const BESIDE: [&str; 2] = ["dynamodb.sqlite-shm", "dynamodb.sqlite-wal"];
const LOCK: &str = "lock";
/// The endpoint of the process at work, as lines of an environment that a shell can read, for the
/// AWS CLI and other tools.
const ENDPOINT: &str = "dynamodb.env";
const URL: &str = "AWS_ENDPOINT_URL_DYNAMODB";
const ACCESS_KEY: &str = "AWS_ACCESS_KEY_ID";
/// How long a command waits for another one that has the database to itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Any free port that only this machine reaches.
pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A running engine.
pub struct Engine {
    served: Served,
    endpoint: LocalEndpoint,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    /// Held for as long as the engine runs.
    _lock: Option<File>,
}

/// Whether other processes may use an engine for as long as it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// They find its endpoint and use it: `runserver`.
    Shared,
    /// They wait for its end, which comes soon: every other command.
    Alone,
}

/// The engine of a directory: opened here, or run by another process already.
pub enum Opened {
    /// Opened here.
    Here(Engine),
    /// Another process has it open, and serves it at this endpoint.
    Elsewhere(LocalEndpoint),
}

impl Engine {
    /// An engine that forgets everything at its end.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn memory(bind: SocketAddr) -> Result<Self, CommandError> {
        let database = Database::memory().map_err(|error| CommandError::new(error.to_string()))?;
        Self::serve(database, bind, None).await
    }

    /// Whether a directory holds an engine's data.
    pub fn has_database(directory: &Path) -> bool {
        directory.join(DATABASE).exists()
    }

    /// The engine of a directory, which is made if it is not there, and closed to other users of the
    /// machine with what is in it.
    ///
    /// # Errors
    /// The directory cannot be written or is somebody else's, the file is no database, the address
    /// cannot be bound.
    pub async fn open(
        directory: &Path,
        bind: SocketAddr,
        access: Access,
    ) -> Result<Opened, CommandError> {
        let failed = |what: &str, error: io::Error| {
            CommandError::new(format!("{what} {}: {error}", directory.display()))
        };
        private::directory(directory)
            .map_err(|error| failed("cannot make the directory", error))?;
        let lock = private::file(&directory.join(LOCK))
            .map_err(|error| failed("cannot write to", error))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed("cannot lock", error)),
            }
            if let Some(endpoint) = named_endpoint(directory) {
                return Ok(Opened::Elsewhere(endpoint));
            }
            if Instant::now() > deadline {
                let directory = directory.display();
                return Err(CommandError::new(format!(
                    "another command is using {directory}"
                )));
            }
            sleep(Duration::from_millis(20)).await;
        }
        // What a killed process left there.
        match fs::remove_file(directory.join(ENDPOINT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("cannot write to", error));
            }
            _ => {}
        }
        let engine = Self::serve(open_database(directory)?, bind, Some(lock)).await?;
        if access == Access::Shared {
            private::write(&directory.join(ENDPOINT), &environment(&engine.endpoint))
                .map_err(|error| failed("cannot write to", error))?;
        }
        Ok(Opened::Here(engine))
    }

    async fn serve(
        database: Database,
        bind: SocketAddr,
        lock: Option<File>,
    ) -> Result<Self, CommandError> {
        let failed = |error: io::Error| {
            CommandError::new(format!("cannot serve DynamoDB on {bind}: {error}"))
        };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let endpoint = LocalEndpoint {
            url: format!("http://{}", listener.local_addr().map_err(failed)?),
            access_key: random_text(),
        };
        let served = Served::new(database);
        let router = server::router(served.clone(), &endpoint.access_key);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let signal = async {
                let _ = stopped.await;
            };
            let _ = axum::serve(listener, router)
                .with_graceful_shutdown(signal)
                .await;
        });
        Ok(Self {
            served,
            endpoint,
            stop,
            serving,
            _lock: lock,
        })
    }

    /// A client that calls the engine within this process, which costs a fraction of a call over
    /// [`Self::endpoint`].
    pub fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.served.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        let config = aws::local(&self.endpoint).into_builder();
        let config = store::configure(&config.http_client(http).build());
        Client::from_conf(config.to_builder().auth_scheme_resolver(Unsigned).build())
    }

    /// Where the engine speaks DynamoDB's protocol.
    pub fn endpoint(&self) -> LocalEndpoint {
        self.endpoint.clone()
    }

    /// Ends the engine.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        // Connections that clients keep open do not hold up the end.
        let _ = timeout(Duration::from_secs(1), self.serving).await;
    }
}

/// Requests within the process need no signature, which takes time to make and nobody would look at.
#[derive(Debug)]
struct Unsigned;

impl ResolveAuthScheme for Unsigned {
    fn resolve_auth_scheme<'a>(
        &'a self,
        _: &'a Params,
        _: &'a ConfigBag,
        _: &'a RuntimeComponents,
    ) -> AuthSchemeOptionsFuture<'a> {
        let unsigned = AuthSchemeOption::from(AuthSchemeId::from("noAuth"));
        AuthSchemeOptionsFuture::ready(Ok(vec![unsigned]))
    }
}

fn open_database(directory: &Path) -> Result<Database, CommandError> {
    let file = directory.join(DATABASE);
    let failed = |error: &dyn std::fmt::Display| {
        let file = file.display();
        CommandError::new(format!("cannot open the database {file}: {error}"))
    };
    if !is_empty_or_sqlite(&file) {
        // The engine's own words guess at an encryption that is not built in.
        return Err(CommandError::new(format!(
            "{} is no database",
            file.display()
        )));
    }
    // Made here, since SQLite lets others read it; what it puts beside it gets the same permissions.
    private::file(&file).map_err(|error| failed(&error))?;
    for name in BESIDE {
        private::close(&directory.join(name), 0o600).map_err(|error| failed(&error))?;
    }
    Database::new(&file.to_string_lossy()).map_err(|error| failed(&error))
}

/// Whether a file, if it exists and can be read, begins as SQLite's do.
fn is_empty_or_sqlite(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_err() || start.is_empty() || start == b"SQLite format 3\0"
}

/// The environment in which the AWS SDKs and tools reach an endpoint.
fn environment(endpoint: &LocalEndpoint) -> String {
    let mut text = String::new();
    for (name, value) in [
        (URL, endpoint.url.as_str()),
        (ACCESS_KEY, &endpoint.access_key),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", LOCAL_REGION),
        // The name that the AWS CLI reads.
        ("AWS_DEFAULT_REGION", LOCAL_REGION),
        ("TABLE_NAME", EMBEDDED_TABLE),
    ] {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name}={value}");
    }
    text
}

/// The endpoint that the process at work on a directory has named, once it has.
fn named_endpoint(directory: &Path) -> Option<LocalEndpoint> {
    let text = fs::read_to_string(directory.join(ENDPOINT)).ok()?;
    let value = |name| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        let (_, value) = lines.find(|(key, _)| *key == name)?;
        Some(value.to_owned())
    };
    Some(LocalEndpoint {
        url: value(URL)?,
        access_key: value(ACCESS_KEY)?,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    use shared::store::{
        connect_to,
        items::{attributes, text},
        keys::Entity,
    };

    use super::*;
    use crate::init;

    #[tokio::test]
    async fn a_client_within_the_process_and_one_of_the_endpoint_share_the_engine() {
        let engine = Engine::memory(LOOPBACK).await.unwrap();
        let (inside, outside) = (engine.client(), connect_to(&engine.endpoint()));
        init::create_table(&inside, EMBEDDED_TABLE).await.unwrap();
        let key = attributes(&Entity::ActiveSuperusers.key());
        let put = |client: &Client| {
            let mut item = key.clone();
            item.insert("name".to_owned(), text("Zoë"));
            let put = client.put_item().table_name(EMBEDDED_TABLE);
            let put = put.condition_expression("attribute_not_exists(PK)");
            put.set_item(Some(item)).send()
        };
        put(&inside).await.unwrap();
        let read = outside.get_item().table_name(EMBEDDED_TABLE);
        let read = read.set_key(Some(key.clone())).send().await.unwrap();
        assert_eq!(read.item.unwrap()["name"], text("Zoë"));
        for client in [&inside, &outside] {
            let refused = put(client).await.unwrap_err();
            assert_eq!(refused.code(), Some("ConditionalCheckFailedException"));
        }
        // The engine has no such operation.
        for client in [&inside, &outside] {
            let refused = client.describe_limits().send().await.unwrap_err();
            assert_eq!(refused.code(), Some("UnknownOperationException"));
        }
        engine.stop().await;
    }
}
