//! A service over a recording proxy, with what the tests do to it and see of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use aws_sdk_dynamodb::{Client, config::retry::RetryPartition, types::AttributeValue};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::BodyExt;
use manage::{
    all_routes,
    check::broken_invariants,
    engine::{Engine, LOOPBACK},
};
use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    domain::{Group, GroupId, PermissionId, User},
    hashing::PasswordHash,
    jwt::TokenType,
    store::{Actor, Store, connect_to, nothing_forbids, table::Item, users::NewUser},
};
use tower::ServiceExt;

use super::{
    proxy::Proxy,
    support::{self, TABLE, parsed},
};

const NOW: i64 = 1_900_000_000;

/// A service with the superuser `admin`, and the table beneath.
pub struct World {
    pub app: App,
    pub proxy: Proxy,
    /// The table, not through the proxy.
    pub table: Store,
    pub admin: User,
    router: Router,
    _engine: Engine,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Answer {
    /// The status and the whole body.
    pub fn seen(&self) -> (u16, Value) {
        (self.status, self.body.clone())
    }
}

impl World {
    pub async fn start() -> Self {
        let engine = Engine::memory(LOOPBACK).await.expect("an engine");
        let proxy = Proxy::start(engine.endpoint()).await;
        let mut app = support::app(&engine.endpoint()).await;
        let table = app.store.clone();
        app.clock = Clock::Fixed(Arc::new(AtomicI64::new(NOW)));
        app.store = Store::new(client(&proxy), TABLE).with_audit(app.clock.clone(), 365);
        let admin = add(&table, "admin", |user| {
            (user.is_staff, user.is_superuser) = (true, true)
        })
        .await;
        let router = all_routes(app.clone());
        Self {
            app,
            proxy,
            table,
            admin,
            router,
            _engine: engine,
        }
    }

    /// Makes a user whose password is nobody's.
    pub async fn user(&self, name: &str) -> User {
        add(&self.table, name, |_| {}).await
    }

    /// Makes another superuser.
    pub async fn superuser(&self, name: &str) -> User {
        add(&self.table, name, |user| {
            (user.is_staff, user.is_superuser) = (true, true)
        })
        .await
    }

    pub async fn group(&self, name: &str) -> Group {
        self.table
            .create_group(parsed(name), Actor::Command)
            .await
            .expect("a group")
    }

    /// Makes a user a member of exactly these groups.
    pub async fn join(&self, user: &User, groups: impl IntoIterator<Item = GroupId>) -> User {
        let groups: BTreeSet<GroupId> = groups.into_iter().collect();
        let change = |user: &User| {
            let group_ids = groups.clone();
            Ok::<_, std::convert::Infallible>(User {
                group_ids,
                ..user.clone()
            })
        };
        self.table
            .update_user(user.clone(), Actor::Command, nothing_forbids, change)
            .await
            .expect("a member")
    }

    /// The id of a stock permission.
    pub async fn permission(&self, label: &str) -> PermissionId {
        let all = self.table.permissions().await.expect("the permissions");
        let found = all.iter().find(|one| one.label() == label);
        found.expect("a stock permission").id
    }

    /// Gives a user a permission of his own.
    pub async fn grant(&self, user: &User, id: PermissionId) -> User {
        let change = |user: &User| {
            Ok::<_, std::convert::Infallible>(User {
                permission_ids: [id].into(),
                ..user.clone()
            })
        };
        self.table
            .update_user(user.clone(), Actor::Command, nothing_forbids, change)
            .await
            .expect("a holder")
    }

    /// A user's token.
    pub fn token(&self, token_type: TokenType, user: &User) -> String {
        self.app.keys.at_hand().issue(token_type, user, NOW)
    }

    /// Sends a request as a user, or as nobody.
    pub async fn call(
        &self,
        caller: Option<&User>,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/auth/{path}"));
        if let Some(caller) = caller {
            let token = self.token(TokenType::Access, caller);
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).expect("a request"))
            .await;
        let (parts, body) = response.expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        };
        Answer {
            status: parts.status.as_u16(),
            body,
            headers: parts.headers,
        }
    }

    /// Sends a request as the superuser.
    pub async fn as_admin(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call(Some(&self.admin), method, path, body).await
    }

    /// The raw client and the table's name, for what no product code does.
    pub fn raw(&self) -> (&Client, &str) {
        self.table.table().parts()
    }

    pub async fn broken(&self) -> Vec<String> {
        broken_invariants(&self.table).await.expect("a check")
    }

    /// Asserts that every invariant holds.
    pub async fn assert_sound(&self) {
        assert_eq!(self.broken().await, Vec::<String>::new());
    }

    /// All items by `PK / SK`.
    pub async fn items(&self) -> BTreeMap<String, Item> {
        let (client, table) = self.raw();
        let found = client
            .scan()
            .table_name(table)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items = found
            .collect::<Result<Vec<Item>, _>>()
            .await
            .expect("a scan");
        items
            .into_iter()
            .map(|item| {
                (
                    format!("{} / {}", text(&item, "PK"), text(&item, "SK")),
                    item,
                )
            })
            .collect()
    }

    /// Makes the table what it was when these items were read.
    pub async fn restore(&self, items: &BTreeMap<String, Item>) {
        let (client, table) = self.raw();
        let mut now = self.items().await;
        for (key, item) in items {
            if now.remove(key).as_ref() != Some(item) {
                client
                    .put_item()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .send()
                    .await
                    .expect("a put");
            }
        }
        for item in now.into_values() {
            let key = ["PK", "SK"].map(|name| (name.to_owned(), item[name].clone()));
            let delete = client
                .delete_item()
                .table_name(table)
                .set_key(Some(key.into()));
            delete.send().await.expect("a deletion");
        }
    }

    /// All that a request may change, without what chance decides: secrets, the names of tokens,
    /// the places of entries in the log, and ids that were taken and not used.
    pub async fn state(&self) -> BTreeMap<String, Item> {
        let mut state = BTreeMap::new();
        for (mut key, mut item) in self.items().await {
            if key.starts_with("SEQUENCE") {
                continue;
            }
            if key.starts_with("TOKEN#") {
                "TOKEN".clone_into(&mut key);
                item.remove("PK");
                item.remove("entry");
            }
            if let Some((object, _)) = key.split_once(" / ").filter(|_| key.starts_with("LOG#")) {
                key = object.to_owned();
                item.remove("SK");
                item.remove("GSI1SK");
            }
            item.remove("password");
            // Another entry of the same object is one more.
            while state.contains_key(&key) {
                key.push('+');
            }
            state.insert(key, item);
        }
        state
    }

    /// The keys of all items whose key begins so.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        self.items()
            .await
            .into_keys()
            .filter(|key| key.starts_with(prefix))
            .collect()
    }
}

/// A client with a stock of retries of its own: the SDK shares one among all clients of a process,
/// and a test that uses it up would fail the others.
fn client(proxy: &Proxy) -> Client {
    static PARTITIONS: AtomicU64 = AtomicU64::new(0);
    let partition = RetryPartition::new(format!(
        "test-{}",
        PARTITIONS.fetch_add(1, Ordering::Relaxed)
    ));
    let config = connect_to(&proxy.endpoint())
        .config()
        .to_builder()
        .retry_partition(partition)
        .build();
    Client::from_conf(config)
}

async fn add(table: &Store, name: &str, change: impl FnOnce(&mut NewUser)) -> User {
    let mut new = NewUser {
        username: parsed(name),
        email: parsed(&format!("{name}@example.com")),
        first_name: parsed(""),
        last_name: parsed(""),
        is_active: true,
        is_staff: false,
        is_superuser: false,
        date_joined: NOW,
    };
    change(&mut new);
    let id = table.next_user_id().await.expect("an id");
    let unusable = PasswordHash::new("!".to_owned());
    table
        .create_user(id, new, &unusable, Actor::Command)
        .await
        .expect("a user")
}

/// A valid registration.
pub fn registration(username: &str, email: &str) -> Value {
    json!({"username": username, "email": email, "password": "Tr1cky-phrase-9", "password2": "Tr1cky-phrase-9"})
}

/// A text attribute of an item.
pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name)
        .and_then(|value: &AttributeValue| value.as_s().ok())
        .map_or("", String::as_str)
}
