//! The embedded DynamoDB: its file, its loopback endpoint, and the rule that one process at a
//! time has it open while others reach it over that endpoint.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

use dynoxide::Database;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::CommandError;

const DATABASE: &str = "dynamodb.sqlite";
const LOCK: &str = "lock";
/// How long a command waits for another one that has the database to itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Any free port that only this machine reaches.
pub const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A running engine.
pub struct Engine {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    /// Held for as long as the engine runs; its file names the endpoint.
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
    Elsewhere(String),
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

    /// The engine of a directory, which is made if it is not there.
    ///
    /// # Errors
    /// The directory cannot be written, the file is no database, the address cannot be bound.
    pub async fn open(
        directory: &Path,
        bind: SocketAddr,
        access: Access,
    ) -> Result<Opened, CommandError> {
        let at = |what: &str| format!("{what} {}", directory.display());
        fs::create_dir_all(directory).map_err(|error| {
            CommandError::new(format!("{}: {error}", at("cannot make the directory")))
        })?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(directory.join(LOCK))
            .map_err(|error| CommandError::new(format!("{}: {error}", at("cannot write to"))))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(CommandError::new(format!("{}: {error}", at("cannot lock"))));
                }
            }
            if let Some(endpoint) = named_endpoint(&mut lock) {
                return Ok(Opened::Elsewhere(endpoint));
            }
            if Instant::now() > deadline {
                return Err(CommandError::new(at("another command is using")));
            }
            sleep(Duration::from_millis(20)).await;
        }
        // The name that a killed process left there.
        lock.set_len(0)
            .map_err(|error| CommandError::new(format!("{}: {error}", at("cannot write to"))))?;
        let file = directory.join(DATABASE);
        if !is_empty_or_sqlite(&file) {
            // The engine's own words guess at an encryption that is not built in.
            return Err(CommandError::new(format!(
                "{} is no database",
                file.display()
            )));
        }
        let database = Database::new(&file.to_string_lossy()).map_err(|error| {
            CommandError::new(format!(
                "cannot open the database {}: {error}",
                file.display()
            ))
        })?;
        Self::serve(database, bind, Some((lock, access)))
            .await
            .map(Opened::Here)
    }

    async fn serve(
        database: Database,
        bind: SocketAddr,
        lock: Option<(File, Access)>,
    ) -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::new(format!("cannot serve DynamoDB on {bind}: {error}"))
        };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let lock = match lock {
            Some((mut lock, access)) => {
                if access == Access::Shared {
                    lock.write_all(endpoint(address).as_bytes())
                        .map_err(failed)?;
                }
                Some(lock)
            }
            None => None,
        };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let signal = async {
                let _ = stopped.await;
            };
            let _ = dynoxide::server::serve_with_shutdown(listener, database, signal).await;
        });
        Ok(Self {
            address,
            stop,
            served,
            _lock: lock,
        })
    }

    /// Where the engine speaks DynamoDB's protocol.
    pub fn endpoint(&self) -> String {
        endpoint(self.address)
    }

    /// Ends the engine.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        // Connections that clients keep open do not hold up the end.
        let _ = timeout(Duration::from_secs(1), self.served).await;
    }
}

fn endpoint(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Whether a file, if it exists and can be read, begins as SQLite's do.
fn is_empty_or_sqlite(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_err() || start.is_empty() || start == b"SQLite format 3\0"
}

/// The endpoint that the process at work on a directory has named, once it has.
fn named_endpoint(lock: &mut File) -> Option<String> {
    let mut endpoint = String::new();
    lock.rewind().ok()?;
    lock.read_to_string(&mut endpoint).ok()?;
    (!endpoint.is_empty()).then_some(endpoint)
}
