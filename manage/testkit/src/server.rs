//! A whole service for a test.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client as DynamoDb,
    config::{retry::RetryPartition, timeout::TimeoutConfig},
};
use manage::{
    all_routes,
    check::broken_invariants,
    engine::{Engine, LOOPBACK},
    init, with_peers,
};
use shared::{
    app::App,
    aws::LocalEndpoint,
    clock::Clock,
    domain::User,
    settings::Settings,
    store::{Store, connect_to},
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    Client, Pages,
    accounts::NewAccount,
    chaos::{self, Chaos},
    proxy::Proxy,
};

/// Signs the tokens.
pub const SIGNING_KEY: &str = "a-signing-key-of-the-tests-0123456789abcdef";
/// The table's name.
pub const TABLE: &str = "users";
/// The password of every account that is not given another. It resembles no name of the tests.
pub const PASSWORD: &str = "Kq!wz-Mv%Tn#Yp_Gx";
/// How long a request of the tests may wait for its table: a machine with much to do fails none.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where some calls are never answered: one try waits a third of it.
const UNDER_FAULTS: Duration = chaos::PATIENCE.saturating_mul(3);
/// The time at which an [`Observed`] service begins: Nov. 25, 2026, 3:04 p.m.
pub const NOW: i64 = 1_795_619_040;

/// A running service with the superuser `admin`.
pub struct Server {
    /// The service.
    pub app: App,
    /// Its DynamoDB.
    pub engine: Engine,
    /// The table as the tests reach it, whatever happens to the service's own calls.
    pub table: Store,
    /// The superuser, who has the id 1.
    pub admin: User,
    /// How many names were made up.
    pub(crate) names: AtomicU64,
    client: Client,
}

/// What is asked is asked of the service.
impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Server {
    /// A service on a table of its own.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A service with other settings, by the names of their variables.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let engine = engine().await;
        let table = app(&engine.endpoint(), settings, Clock::System);
        let Some(chaos) = Chaos::of_environment() else {
            return Self::of(engine, table.store.clone(), table).await;
        };
        let proxy = Proxy::with(engine.endpoint(), Some(chaos)).await;
        let mut app = app(&proxy.endpoint(), settings, Clock::System);
        app.database_budget = UNDER_FAULTS;
        Self::of(engine, table.store, app).await.repeating()
    }

    /// The service whose clients send a request again that is answered 503.
    fn repeating(mut self) -> Self {
        self.client = self.client.repeating();
        self
    }

    /// A service whose table has faults by chance; the proxy between them.
    pub async fn under(chaos: Chaos, settings: &[(&str, &str)]) -> (Self, Proxy) {
        let engine = engine().await;
        let proxy = Proxy::with(engine.endpoint(), Some(chaos)).await;
        // What the tests read themselves may take as long as a busy machine needs.
        let patient = client(&engine.endpoint()).config().to_builder();
        let patient = patient.timeout_config(TimeoutConfig::disabled()).build();
        let table = App::local(
            self::settings(settings),
            DynamoDb::from_conf(patient),
            Clock::System,
        );
        let table = table.expect("keys").store;
        let mut app = app(&proxy.endpoint(), settings, Clock::System);
        app.database_budget = UNDER_FAULTS;
        (Self::of(engine, table, app).await, proxy)
    }

    async fn of(engine: Engine, table: Store, app: App) -> Self {
        let admin = NewAccount::new(&table, app.clock.now(), "admin");
        let admin = admin.staff().superuser().await;
        Self {
            client: serve(app.clone()).await,
            app,
            engine,
            table,
            admin,
            names: AtomicU64::new(0),
        }
    }

    /// Another service on the same table.
    pub async fn beside(&self, settings: &[(&str, &str)], clock: Clock) -> Client {
        serve(app(&self.engine.endpoint(), settings, clock)).await
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Pages {
        Pages::of(self.client.clone())
    }

    /// A browser in which a user with the usual password is logged in.
    pub async fn browser_of(&self, username: &str) -> Pages {
        let mut browser = self.browser();
        let answer = browser.log_in(username, PASSWORD).await;
        assert_eq!(answer.status, 302, "{username} does not get in: {answer:?}");
        browser
    }

    /// What contradicts itself in the table.
    pub async fn broken(&self) -> Vec<String> {
        broken_invariants(&self.table).await.expect("a check")
    }

    /// Asserts that every invariant of the table holds.
    pub async fn assert_sound(&self) {
        assert_eq!(self.broken().await, [""; 0]);
    }
}

/// A service whose clock stands and whose calls to the table are recorded.
pub struct Observed {
    /// Between the service and its table.
    pub proxy: Proxy,
    server: Server,
    time: Arc<AtomicI64>,
}

impl Deref for Observed {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Observed {
    /// A service on a table of its own.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A service with other settings, by the names of their variables.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let engine = engine().await;
        let chaos = Chaos::of_environment();
        let has_faults = chaos.is_some();
        let proxy = Proxy::with(engine.endpoint(), chaos).await;
        let time = Arc::new(AtomicI64::new(NOW));
        let clock = Clock::Fixed(Arc::clone(&time));
        let table = app(&engine.endpoint(), settings, clock.clone()).store;
        let mut app = app(&proxy.endpoint(), settings, clock);
        if has_faults {
            app.database_budget = UNDER_FAULTS;
        }
        let mut server = Server::of(engine, table, app).await;
        if has_faults {
            server = server.repeating();
        }
        // Those of its start.
        proxy.take_calls();
        Self {
            proxy,
            server,
            time,
        }
    }

    /// Moves the clock on, in seconds.
    pub fn pass(&self, seconds: i64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// A DynamoDB with an empty table that is made ready.
pub async fn engine() -> Engine {
    let engine = Engine::memory(LOOPBACK).await.expect("an engine");
    let client = connect_to(&engine.endpoint());
    init::create_table(&client, TABLE).await.expect("a table");
    let store = Store::new(client, TABLE);
    init::stock(&store).await.expect("stock permissions");
    engine
}

/// The service on the table at an endpoint.
pub fn app(endpoint: &LocalEndpoint, settings: &[(&str, &str)], clock: Clock) -> App {
    let client = client(endpoint);
    let mut app = App::local(self::settings(settings), client, clock).expect("keys");
    app.database_budget = PATIENCE;
    app
}

/// The settings of the tests, but for these variables.
pub fn settings(changes: &[(&str, &str)]) -> Settings {
    let usual = [
        ("SIGNING_KEY", SIGNING_KEY),
        ("TABLE_NAME", TABLE),
        ("THROTTLE_RATE_REGISTER", ""),
    ];
    let lookup = |name: &str| {
        let mut all = changes.iter().chain(&usual);
        let found = all.find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::from_lookup(lookup).expect("settings")
}

/// A client with a stock of retries of its own: the SDK shares one among all clients of a process,
/// and a test that uses it up would fail the others.
fn client(endpoint: &LocalEndpoint) -> DynamoDb {
    static PARTITIONS: AtomicU64 = AtomicU64::new(0);
    let number = PARTITIONS.fetch_add(1, Ordering::Relaxed);
    let partition = RetryPartition::new(format!("test-{number}"));
    let config = connect_to(endpoint).config().to_builder();
    DynamoDb::from_conf(config.retry_partition(partition).build())
}

/// Serves a service on a free port.
pub async fn serve(app: App) -> Client {
    let (client, mut serving) = serve_meanwhile(app).await;
    serving.detach_all();
    client
}

/// The same, which ends, and gives its memory back, when what is beside the client is dropped.
pub async fn serve_meanwhile(app: App) -> (Client, JoinSet<()>) {
    app.store.refuse_newer_layout().await.expect("a layout");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let routes = with_peers(all_routes(app.clone()));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let _ = axum::serve(listener, routes).await;
    });
    let client = Client::at(format!("http://{address}")).with_tokens_of(app);
    (client, serving)
}
