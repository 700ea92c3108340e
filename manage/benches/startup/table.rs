//! The embedded DynamoDB with a few users and groups in it.

use std::{net::SocketAddr, ops::Deref};

use shared::{aws::LocalEndpoint, domain::User};
use testkit::Server;

pub struct Table {
    server: Server,
    /// In no group.
    pub user: User,
}

impl Deref for Table {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Table {
    pub async fn start() -> Self {
        let server = Server::start().await;
        for name in ["editors", "reviewers", "writers"] {
            server.group(name, &[]).await;
        }
        let user = server.user("ann").await;
        Self { server, user }
    }

    pub fn endpoint(&self) -> LocalEndpoint {
        self.engine.endpoint()
    }

    pub fn address(&self) -> SocketAddr {
        let endpoint = self.endpoint();
        let address = endpoint.url.strip_prefix("http://").expect("plain HTTP");
        address.parse().expect("an address")
    }
}
