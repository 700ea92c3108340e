//! The embedded DynamoDB with a few users and groups in it.

use std::net::SocketAddr;

use manage::{
    engine::{Engine, LOOPBACK},
    init, users,
};
use shared::{
    app::{App, Clock},
    domain::{
        EmailAddress, GroupName, PersonName, User,
        names::{RawText, TextField},
    },
    hashing::Password,
    settings::Settings,
    store::{Actor, connect_to, users::NewUser},
};

pub const NAME: &str = "users";
pub const SIGNING_KEY: &str = "a-signing-key-of-the-benchmark-0123456789";
pub const PASSWORD: &str = "a-Long-phrase-1";

pub struct Table {
    engine: Engine,
    pub app: App,
    pub admin: User,
    /// In no group.
    pub user: User,
}

impl Table {
    pub async fn start() -> Self {
        let engine = Engine::memory(LOOPBACK).await.expect("an engine");
        let settings = Settings::from_lookup(|name| match name {
            "SIGNING_KEY" => Some(SIGNING_KEY.to_owned()),
            "TABLE_NAME" => Some(NAME.to_owned()),
            _ => None,
        });
        let client = connect_to(&engine.endpoint());
        let app = App::local(settings.expect("settings"), client, Clock::System).expect("keys");
        let (client, _) = app.store.table().parts();
        init::create_table(client, NAME).await.expect("a table");
        init::stock(&app.store).await.expect("stock permissions");
        for name in ["editors", "reviewers", "writers"] {
            let made = app
                .store
                .create_group(parsed::<GroupName>(name), Actor::Command);
            made.await.expect("a group");
        }
        Self {
            engine,
            admin: add_user(&app, "admin", true).await,
            user: add_user(&app, "ann", false).await,
            app,
        }
    }

    pub fn endpoint(&self) -> String {
        self.engine.endpoint()
    }

    pub fn address(&self) -> SocketAddr {
        let endpoint = self.endpoint();
        let address = endpoint.strip_prefix("http://").expect("plain HTTP");
        address.parse().expect("an address")
    }
}

async fn add_user(app: &App, username: &str, is_admin: bool) -> User {
    let new = NewUser {
        username: parsed(username),
        email: parsed::<EmailAddress>(&format!("{username}@example.com")),
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        is_active: true,
        is_staff: is_admin,
        is_superuser: is_admin,
        date_joined: app.clock.now(),
    };
    let password = Password::new(PASSWORD.to_owned());
    let made = users::make(&app.store, new, &password).await;
    made.expect("a user")
}

fn parsed<T: TextField>(text: &str) -> T {
    T::parse(RawText {
        text,
        surrogate: None,
    })
    .expect("a valid text")
}
