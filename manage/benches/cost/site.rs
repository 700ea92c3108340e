//! The table with a user who is logged in, and what another process has to know of it.

use std::env;

use serde_json::{Value, json};
use shared::aws::LocalEndpoint;
use testkit::{Account, Server};

/// The user.
pub const USERNAME: &str = "ann";

/// The variable that holds it for another process.
const VARIABLE: &str = "BENCH_SITE";

/// Where the table is, and who asks.
pub struct Site {
    pub endpoint: LocalEndpoint,
    pub user: Account,
}

impl Site {
    /// A new one, and the server that has its table.
    pub async fn start() -> (Server, Self) {
        // Longer than anything here takes.
        let server = Server::with(&[("ACCESS_TOKEN_LIFETIME", "86400")]).await;
        let site = Self {
            endpoint: server.engine.endpoint(),
            user: server.account(USERNAME).await,
        };
        (server, site)
    }

    /// The one that the process which started this one has made.
    pub fn of_parent() -> Option<Self> {
        let site: Value = serde_json::from_str(&env::var(VARIABLE).ok()?).expect("JSON");
        let text = |name: &str| site[name].as_str().expect("a text").to_owned();
        Some(Self {
            endpoint: LocalEndpoint {
                url: text("url"),
                access_key: text("access_key"),
            },
            user: Account {
                id: site["id"].as_u64().expect("an id"),
                access: text("access"),
                refresh: text("refresh"),
            },
        })
    }

    /// The variable that a process which this one starts finds it in.
    pub fn variable(&self) -> (&'static str, String) {
        let Self { endpoint, user } = self;
        let site = json!({
            "url": endpoint.url,
            "access_key": endpoint.access_key,
            "id": user.id,
            "access": user.access,
            "refresh": user.refresh,
        });
        (VARIABLE, site.to_string())
    }
}
