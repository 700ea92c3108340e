//! The service, and a browser that shows it.

use std::ops::Deref;

use serde_json::Value;
use shared::domain::{User, UserId};
use testkit::{PASSWORD, Server, user_path};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    driver::{PROGRAMS, Programs},
    window::Browser,
};

/// Browsers are heavy: more tests at once only wait for each other, and then for too long.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A service with the superuser `admin`, and a browser that shows it.
pub struct Site {
    pub server: Server,
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

/// None where there is no browser.
pub async fn site() -> Option<Site> {
    let programs = PROGRAMS.as_ref()?;
    let turn = AT_ONCE.acquire().await.expect("a turn");
    let mails = [
        ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
        ("ACCOUNT_PAGES", "true"),
        ("SEND_ACTIVATION_EMAIL", "true"),
    ];
    let server = Server::with(&mails).await;
    Some(Site {
        browser: Browser::start(programs, server.base()).await,
        server,
        programs,
        _turn: turn,
    })
}

/// A site with `admin` logged in.
pub async fn as_admin() -> Option<Site> {
    let site = site().await?;
    site.log_in("admin").await;
    Some(site)
}

impl Site {
    /// Another user's browser.
    pub async fn another_browser(&self) -> Browser {
        Browser::start(self.programs, self.server.base()).await
    }

    /// A user as the API shows them to `admin`.
    pub async fn profile(&self, user: &User) -> Value {
        let path = user_path(user.id);
        self.server.get(&self.server.admin, &path).await.body
    }

    /// The names of a user's groups as the API has them.
    pub async fn groups_of(&self, user: &User) -> Vec<String> {
        let profile = self.profile(user).await;
        let groups = profile["groups"].as_array().expect("groups").iter();
        let names = groups.map(|group| group["name"].as_str().expect("a name").to_owned());
        names.collect()
    }
}

impl Browser {
    pub async fn log_in(&self, username: &str) {
        self.open("/admin/login/").await;
        self.enter(username, PASSWORD).await;
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
pub fn page_of(id: UserId, page: &str) -> String {
    format!("/admin/auth/user/{id}/{page}/")
}
