//! The service, somebody's browser at it, and the API beside.

use std::ops::Deref;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    browser::Browser,
    client::{Api, PASSWORD, user},
    driver::{PROGRAMS, Programs},
    support::{ADMIN_PASSWORD, add_user},
};

/// Browsers are heavy: more tests at once only wait for each other, and then for too long.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A service with the superuser `admin`, and a browser that shows it.
pub struct Site {
    pub api: Api,
    browser: Browser,
    programs: &'static Programs,
    _turn: SemaphorePermit<'static>,
}

/// What is done in the browser is done on the site.
impl Deref for Site {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

impl Site {
    /// None where there is no browser.
    pub async fn open() -> Option<Self> {
        let programs = PROGRAMS.as_ref()?;
        let turn = AT_ONCE.acquire().await.expect("a turn");
        let api = Api::start().await;
        let browser = Browser::start(programs, api.server.base()).await;
        Some(Self {
            api,
            browser,
            programs,
            _turn: turn,
        })
    }

    /// With `admin` logged in.
    pub async fn open_as_admin() -> Option<Self> {
        let site = Self::open().await?;
        site.log_in("admin", ADMIN_PASSWORD).await;
        Some(site)
    }

    /// Somebody else's browser.
    pub async fn another_browser(&self) -> Browser {
        Browser::start(self.programs, self.api.server.base()).await
    }

    /// Makes an account that is active, and staff or not; its id.
    pub async fn account(&self, username: &str, is_staff: bool) -> u64 {
        let email = format!("{username}@example.com");
        let change = |new: &mut shared::domain::NewUser| new.is_staff = is_staff;
        let made = add_user(self.api.app(), username, &email, PASSWORD, change);
        made.await.id.0
    }

    /// Makes a group that gives the stock permissions of these names; its id.
    pub async fn group(&self, name: &str, permissions: &[&str]) -> u64 {
        let (api, admin) = (&self.api, &self.api.admin);
        let made = api
            .json("POST", "/api/auth/groups/", admin, json!({ "name": name }))
            .await;
        let all = api.get("/api/auth/permissions/", admin).await;
        let given = all
            .body
            .as_array()
            .expect("permissions")
            .iter()
            .filter(|one| permissions.iter().any(|name| one["codename"] == *name));
        let ids: Vec<&Value> = given.map(|one| &one["id"]).collect();
        assert_eq!(ids.len(), permissions.len());
        let path = format!("/api/auth/groups/{}/assign_permissions/", made.id());
        let answer = api
            .json("POST", &path, admin, json!({ "permission_ids": ids }))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        made.id()
    }

    pub async fn join(&self, id: u64, group: u64) {
        let path = format!("{}assign_groups/", user(id));
        let body = json!({"group_ids": [group]});
        let answer = self.api.json("POST", &path, &self.api.admin, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A user as the API shows him to `admin`.
    pub async fn profile(&self, id: u64) -> Value {
        self.api.get(&user(id), &self.api.admin).await.body
    }

    /// The names of a user's groups as the API has them.
    pub async fn groups_of(&self, id: u64) -> Vec<String> {
        let profile = self.profile(id).await;
        let groups = profile["groups"].as_array().expect("groups").iter();
        groups
            .map(|group| group["name"].as_str().expect("a name").to_owned())
            .collect()
    }
}

impl Browser {
    pub async fn log_in(&self, username: &str, password: &str) {
        self.open("/admin/login/").await;
        self.enter(username, password).await;
        self.sees("Site administration").await;
    }

    /// Fills in the login form that is shown.
    pub async fn enter(&self, username: &str, password: &str) {
        self.fill("Username", username).await;
        self.fill("Password", password).await;
        self.press("Log in").await;
    }
}

/// The address of a user's page.
pub fn page_of(id: u64, page: &str) -> String {
    format!("/admin/auth/user/{id}/{page}/")
}
