//! The keyboard alone.

use testkit::PASSWORD;
use thirtyfour::Key;

use super::{
    site::{as_admin, site},
    window::Browser,
};

/// More than any page has to stop at.
const MOST_TABS: usize = 100;

impl Browser {
    /// Presses Tab until the keyboard is at an element.
    pub async fn tab_to(&self, css: &str) {
        for _ in 0..MOST_TABS {
            self.keys(Key::Tab).await;
            if self.is_at(css).await {
                return;
            }
        }
        panic!("the keyboard does not come to {css}");
    }

    /// Whether the keyboard is at an element.
    pub async fn is_at(&self, css: &str) -> bool {
        let script = format!("return document.activeElement.matches({css:?})");
        self.run(&script).await == true
    }
}

#[tokio::test]
async fn the_keyboard_alone_logs_in_and_out() {
    let Some(site) = site().await else { return };
    site.open("/admin/").await;
    // The cursor is in the first field when the page opens.
    assert!(site.is_at("#id_username").await);
    site.keys("admin" + Key::Tab + PASSWORD + Key::Enter).await;
    site.sees("Welcome, admin").await;
    site.tab_to("form[action='/admin/logout/'] button").await;
    site.keys(Key::Enter).await;
    site.field("Password").await;
}

#[tokio::test]
async fn the_first_tab_offers_to_skip_to_the_content() {
    let Some(site) = as_admin().await else { return };
    site.keys(Key::Tab).await;
    assert!(site.is_at(".skip").await);
    let top = "return document.activeElement.getBoundingClientRect().top >= 0";
    assert_eq!(site.run(top).await, true);
    site.keys(Key::Enter).await;
    site.keys(Key::Tab).await;
    assert!(site.is_at("main a").await);
}

#[tokio::test]
async fn wherever_the_keyboard_is_can_be_seen() {
    let Some(site) = as_admin().await else { return };
    for path in ["/admin/", "/admin/auth/user/", "/admin/auth/user/1/change/"] {
        site.open(path).await;
        let mut stops = Vec::new();
        for _ in 0..MOST_TABS {
            site.keys(Key::Tab).await;
            if site.is_at("body").await {
                break;
            }
            let script = "const at = document.activeElement, style = getComputedStyle(at); \
                          return [at.outerHTML.slice(0, 120), style.outlineStyle]";
            let stop = site.run(script).await;
            assert_eq!(stop[1], "solid", "{path}: {stop}");
            stops.push(stop);
        }
        let count = stops.len();
        assert!(count > 5 && count < MOST_TABS, "{path}: {stops:?}");
    }
}
