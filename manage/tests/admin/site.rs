//! A service with its clock in the test's hand, and the accounts of a test.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use manage::engine::{Engine, LOOPBACK};
use shared::{
    accounts,
    app::App,
    clock::Clock,
    domain::{Actor, Group, NewUser, PermissionId, SetChange, User, UserChange},
    settings::Settings,
    store::{Store, connect_to},
};

use crate::{
    pages::{Page, Pages},
    proxy::Proxy,
    support::{self, ADMIN_PASSWORD, add_user, parsed, serve},
};

/// The time at which a test begins: Nov. 25, 2026, 3:04 p.m.
pub const NOW: i64 = 1_795_619_040;

pub struct Site {
    pub app: App,
    pub proxy: Proxy,
    base: String,
    clock: Arc<AtomicI64>,
    _engine: Engine,
}

impl Site {
    /// A service with the superuser `admin`.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A service with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let engine = Engine::memory(LOOPBACK).await.expect("an engine");
        let mut app = support::app(&engine.endpoint()).await;
        let proxy = Proxy::start(engine.endpoint()).await;
        let clock = Arc::new(AtomicI64::new(NOW));
        let mut settings = Settings::clone(&app.settings);
        change(&mut settings);
        app.settings = Arc::new(settings);
        app.clock = Clock::Fixed(Arc::clone(&clock));
        let client = connect_to(&proxy.endpoint());
        app.store = Store::new(client, support::TABLE).with_audit(app.clock.clone(), 365);
        add_user(&app, "admin", "admin@example.com", ADMIN_PASSWORD, |user| {
            (user.is_staff, user.is_superuser) = (true, true);
        })
        .await;
        let base = format!("http://{}", serve(app.clone()).await);
        Self {
            app,
            proxy,
            base,
            clock,
            _engine: engine,
        }
    }

    /// Time goes on by so many seconds.
    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Pages {
        Pages::at(&self.base)
    }

    /// A browser in which somebody is logged in; all have the same password.
    pub async fn log_in(&self, username: &str) -> Pages {
        let mut browser = self.browser();
        let answer = browser.log_in(username, ADMIN_PASSWORD).await;
        assert_eq!(answer.status, 302, "{username} does not get in");
        browser
    }

    /// Makes a user.
    pub async fn user(&self, username: &str) -> User {
        self.user_with(username, |_| {}).await
    }

    pub async fn user_with(&self, username: &str, change: impl FnOnce(&mut NewUser)) -> User {
        let email = format!("{username}@example.com");
        add_user(&self.app, username, &email, ADMIN_PASSWORD, change).await
    }

    /// Makes a member of the staff who holds these permissions himself.
    pub async fn staff(&self, username: &str, labels: &[&str]) -> User {
        let user = self.user_with(username, |user| user.is_staff = true).await;
        let ids = self.permissions(labels).await;
        self.change(&user, |user| user.permission_ids.clone_from(&ids))
            .await
    }

    /// Makes a group that gives these permissions.
    pub async fn group(&self, name: &str, labels: &[&str]) -> Group {
        let ids = self.permissions(labels).await;
        let made = accounts::groups::create(&self.app.store, Actor::Command, parsed(name), ids);
        made.await.unwrap()
    }

    /// Makes a user a member of a group.
    pub async fn join(&self, user: &User, group: &Group) -> User {
        let join = |user: &mut User| {
            user.group_ids.insert(group.id);
        };
        self.change(user, join).await
    }

    pub async fn change(&self, user: &User, change: impl Fn(&mut User)) -> User {
        let mut after = self.read(user).await;
        change(&mut after);
        let change = UserChange {
            is_active: Some(after.is_active),
            is_staff: Some(after.is_staff),
            is_superuser: Some(after.is_superuser),
            groups: Some(SetChange::Replace(after.group_ids)),
            permissions: Some(SetChange::Replace(after.permission_ids)),
            ..UserChange::default()
        };
        let store = &self.app.store;
        let changed = accounts::users::change(store, Actor::Command, user.clone(), &change);
        changed.await.unwrap()
    }

    /// The ids of stock permissions.
    pub async fn permissions(&self, labels: &[&str]) -> BTreeSet<PermissionId> {
        let all = self.app.store.permissions().await.unwrap();
        let found = all
            .iter()
            .filter(|one| labels.contains(&one.label().as_str()));
        let ids: BTreeSet<PermissionId> = found.map(|one| one.id).collect();
        assert_eq!(ids.len(), labels.len(), "{labels:?}");
        ids
    }

    /// A user as the table has him.
    pub async fn read(&self, user: &User) -> User {
        self.app.store.user(user.id).await.unwrap().unwrap()
    }
}

/// Gives a user another password by the form for it.
pub async fn give_password(browser: &mut Pages, user: &User, password: &str) {
    let fields = [("password1", password), ("password2", password)];
    let answer = browser.post(&user_url(user, "password"), &fields).await;
    assert_eq!(answer.status, 302);
}

/// The address of a page of a user.
pub fn user_url(user: &User, page: &str) -> String {
    format!("/admin/auth/user/{}/{page}/", user.id)
}

/// What a page tells at its top, as texts.
pub fn messages(page: &Page) -> Vec<String> {
    let parts = page.text.split("<p class=\"message ").skip(1);
    let texts = parts.filter_map(|part| Some(part.split_once('>')?.1.split_once("</p>")?.0));
    texts.map(str::to_owned).collect()
}

/// What is wrong with the fields of a form.
pub fn field_errors(page: &Page) -> Vec<String> {
    let lists = page.text.split("<ul class=\"errors\"").skip(1);
    let texts = lists
        .filter_map(|list| list.split_once("</ul>"))
        .flat_map(|(list, _)| {
            list.split("<li>")
                .skip(1)
                .filter_map(|item| item.split_once("</li>"))
        });
    texts.map(|(text, _)| text.to_owned()).collect()
}
