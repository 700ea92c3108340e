//! Which table a command works on.

use std::path::PathBuf;

use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_smithy_http_client::tls::TrustStore;
use clap::Args;
use shared::{
    aws::https_client,
    store::{Store, client, connect_to, items::attributes, keys::Entity, layout::Layout},
    telemetry::causes,
};

use crate::{
    CommandError,
    engine::{Access, Engine, LOOPBACK, Opened},
    init,
};

/// The table's name in an embedded database.
pub const EMBEDDED_TABLE: &str = "users";

/// The signing key's file beside an embedded database.
const SIGNING_KEY: &str = "signing-key";

/// Which table to work on.
#[derive(Args)]
pub struct Target {
    /// The directory of an embedded database, whether runserver is running on it or not.
    #[arg(long, value_name = "DIR", default_value = ".data")]
    data: PathBuf,
    /// A DynamoDB table instead, by the AWS SDK's ordinary environment (region, credentials,
    /// AWS_ENDPOINT_URL).
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    table: Option<String>,
}

/// An open table, and the engine beneath it if this process runs one.
pub struct OpenTarget {
    /// The table.
    pub store: Store,
    engine: Option<Engine>,
}

impl Target {
    /// Opens a table that must exist, for a command that does not make one. Writes nothing.
    ///
    /// # Errors
    /// The table does not exist, or cannot be opened or reached.
    pub async fn open_existing(&self) -> Result<OpenTarget, CommandError> {
        if self.table.is_none() && !Engine::has_database(&self.data) {
            let directory = self.data.display();
            return Err(CommandError::new(format!(
                "there is no database in {directory}"
            )));
        }
        let open = self.reach().await?;
        let layout = open.store.refuse_newer_layout().await;
        layout.map_err(|error| CommandError::new(error.to_string()))?;
        Ok(open)
    }

    /// Opens the table for a command that may be its first: an embedded one is made if it does not
    /// exist, and either gets Django's stock permissions.
    ///
    /// # Errors
    /// The database cannot be opened or reached.
    pub async fn open(&self) -> Result<OpenTarget, CommandError> {
        let open = self.reach().await?;
        init::stock(&open.store).await?;
        Ok(open)
    }

    /// Whether it is an embedded database.
    pub fn is_embedded(&self) -> bool {
        self.table.is_none()
    }

    /// Where the signing key beside an embedded database is, if there is one.
    pub fn key_file(&self) -> Option<PathBuf> {
        self.is_embedded().then(|| self.data.join(SIGNING_KEY))
    }

    async fn reach(&self) -> Result<OpenTarget, CommandError> {
        if let Some(table) = &self.table {
            let config = aws_config::from_env()
                .http_client(https_client(TrustStore::default())?)
                .load()
                .await;
            let store = Store::new(client(&config), table);
            ensure_table(&store).await?;
            return Ok(OpenTarget {
                store,
                engine: None,
            });
        }
        let (endpoint, engine) = match Engine::open(&self.data, LOOPBACK, Access::Alone).await? {
            Opened::Elsewhere(endpoint) => (endpoint, None),
            Opened::Here(engine) => (engine.endpoint(), Some(engine)),
        };
        let client = connect_to(&endpoint);
        init::create_table(&client, EMBEDDED_TABLE).await?;
        let store = Store::new(client, EMBEDDED_TABLE);
        Ok(OpenTarget { store, engine })
    }
}

impl OpenTarget {
    /// Refuses a table of an older layout, for commands that move whole accounts.
    ///
    /// # Errors
    /// The layout is older, or the table's failure.
    pub async fn require_current_layout(&self) -> Result<(), CommandError> {
        let layout = self.store.schema().await?.layout;
        if layout < Layout::CURRENT {
            let text = format!("the table has layout {layout}: run manage migrate first");
            return Err(CommandError::new(text));
        }
        Ok(())
    }

    /// Whether no other process uses the table, as far as that can be known.
    pub fn is_alone(&self) -> bool {
        self.engine.is_some()
    }

    /// Ends the engine, if this process runs it.
    pub async fn close(self) {
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// Fails at once, before any prompt, if a table does not exist. Finds out by a read, which every role
/// that manages accounts may do.
async fn ensure_table(store: &Store) -> Result<(), CommandError> {
    let (client, name) = store.table().parts();
    let key = Entity::ActiveSuperusers.key();
    let read = client
        .get_item()
        .table_name(name)
        .set_key(Some(attributes(&key)))
        .send()
        .await;
    let Err(error) = read else { return Ok(()) };
    let is_missing = error
        .as_service_error()
        .is_some_and(GetItemError::is_resource_not_found_exception);
    Err(CommandError::new(if is_missing {
        format!("there is no table {name}")
    } else {
        format!("cannot read the table {name}: {}", causes(&error))
    }))
}
