//! A whole service for a test: the engine, the table and every function's routes, on loopback.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use std::net::SocketAddr;

use manage::{
    all_routes,
    engine::{Engine, LOOPBACK},
    init, with_peers,
};
use shared::{
    accounts,
    app::App,
    clock::Clock,
    domain::{Actor, NewUser, User, UserName, names::TextField},
    hashing::Password,
    settings::Settings,
    store::connect_to,
};
use tokio::net::TcpListener;

pub const SIGNING_KEY: &str = "a-signing-key-of-the-tests-0123456789abcdef";
pub const TABLE: &str = "users";
pub const ADMIN_PASSWORD: &str = "Adm1n-pass-phrase!";
pub const INACTIVE_PASSWORD: &str = "In4ctive-pass-phrase!";

/// A running service with the accounts `admin` and `inactive`.
pub struct Server {
    pub app: App,
    pub engine: Engine,
    address: SocketAddr,
}

impl Server {
    pub async fn start() -> Self {
        let engine = Engine::memory(LOOPBACK).await.expect("an engine");
        let app = app(&engine.endpoint()).await;
        add_user(&app, "admin", "admin@example.com", ADMIN_PASSWORD, |user| {
            user.is_staff = true;
            user.is_superuser = true;
        })
        .await;
        add_user(
            &app,
            "inactive",
            "inactive@example.com",
            INACTIVE_PASSWORD,
            |user| user.is_active = false,
        )
        .await;
        let address = serve(app.clone()).await;
        Self {
            app,
            engine,
            address,
        }
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn signing_key(&self) -> &'static str {
        SIGNING_KEY
    }
}

/// The service on a table that is made ready at that endpoint.
pub async fn app(endpoint: &str) -> App {
    let app = bare_app(endpoint);
    let (client, _) = app.store.table().parts();
    init::create_table(client, TABLE).await.expect("a table");
    init::stock(&app.store).await.expect("stock permissions");
    app
}

/// The service on a table that is there already.
pub fn bare_app(endpoint: &str) -> App {
    let settings = Settings::from_lookup(|name| match name {
        "SIGNING_KEY" => Some(SIGNING_KEY.to_owned()),
        "TABLE_NAME" => Some(TABLE.to_owned()),
        _ => None,
    })
    .expect("settings");
    App::local(settings, connect_to(endpoint), Clock::System).expect("keys")
}

/// Serves an app on a free port.
pub async fn serve(app: App) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, with_peers(all_routes(app))).await });
    address
}

/// Makes a user in the table itself.
pub async fn add_user(
    app: &App,
    username: &str,
    email: &str,
    password: &str,
    change: impl FnOnce(&mut NewUser),
) -> User {
    let mut new = NewUser::named(parsed::<UserName>(username), app.clock.now());
    if !email.is_empty() {
        new.email = parsed(email);
    }
    change(&mut new);
    let password = Password::new(password.to_owned());
    accounts::users::create(&app.store, &app.hasher, Actor::Command, new, &password)
        .await
        .expect("a user")
}

pub fn parsed<T: TextField>(text: &str) -> T {
    T::parse(text.into()).expect("a valid text")
}
