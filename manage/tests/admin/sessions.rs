//! Logging in and out, and when a session ends.

use axum::http::Request;
use shared::{accounts, domain::Actor, hashing::Password};

use crate::{
    site::{Site, messages, user_url},
    support::ADMIN_PASSWORD,
};

const REFUSED: &str = "Please enter the correct username and password for a staff account. Note \
     that both fields may be case-sensitive.";

#[tokio::test]
async fn whoever_is_not_logged_in_is_asked_to_and_led_back() {
    let site = Site::start().await;
    let mut browser = site.browser();
    for (path, login) in [
        ("/admin/", "/admin/login/?next=/admin/"),
        ("/admin", "/admin/login/?next=/admin/"),
        (
            "/admin/auth/user/?q=ann",
            "/admin/login/?next=/admin/auth/user/%3Fq%3Dann",
        ),
        (
            "/admin/auth/user/1/change/",
            "/admin/login/?next=/admin/auth/user/1/change/",
        ),
        ("/admin/nothing/", "/admin/login/?next=/admin/nothing/"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status, answer.location(), answer.text.as_str()),
            (302, login, "")
        );
    }
    let form = browser
        .get("/admin/login/?next=/admin/auth/user/%3Fq%3Dann")
        .await;
    let next = form
        .find(r#"name="next" value="([^"]*)""#)
        .unwrap()
        .to_owned();
    assert_eq!(
        (form.status, next.as_str()),
        (200, "/admin/auth/user/?q=ann")
    );
    let fields = [
        ("username", "admin"),
        ("password", ADMIN_PASSWORD),
        ("next", &next),
    ];
    let answer = browser.post("/admin/login/", &fields).await;
    assert_eq!(
        (answer.status, answer.location()),
        (302, "/admin/auth/user/?q=ann")
    );
    let page = browser.follow(&answer).await;
    assert!(
        page.status == 200 && page.says("<h1>Select user to change</h1>"),
        "{page:?}"
    );
}

#[tokio::test]
async fn nothing_leads_off_the_site_after_a_login() {
    let site = Site::start().await;
    for next in [
        "https://evil.org/",
        "//evil.org/",
        "/\\evil.org",
        "javascript:alert(1)",
    ] {
        let mut browser = site.browser();
        browser.get("/admin/login/").await;
        let fields = [
            ("username", "admin"),
            ("password", ADMIN_PASSWORD),
            ("next", next),
        ];
        let answer = browser.post("/admin/login/", &fields).await;
        assert_eq!(
            (answer.status, answer.location()),
            (302, "/admin/"),
            "{next}"
        );
        // Nor for somebody who is logged in already.
        let encoded: String = next.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = browser.get(&format!("/admin/login/?next={encoded}")).await;
        assert_eq!(
            (answer.status, answer.location()),
            (302, "/admin/"),
            "{next}"
        );
    }
}

#[tokio::test]
async fn only_active_staff_gets_in_and_all_others_are_told_the_same() {
    let site = Site::start().await;
    site.user("ann").await;
    site.user_with("gone", |user| {
        (user.is_staff, user.is_active) = (true, false)
    })
    .await;
    for (username, password) in [
        ("admin", "wrong"),
        ("nobody", ADMIN_PASSWORD),
        ("ann", ADMIN_PASSWORD),
        ("gone", ADMIN_PASSWORD),
        ("", ""),
    ] {
        let mut browser = site.browser();
        let page = browser.log_in(username, password).await;
        assert_eq!(
            (page.status, messages(&page)),
            (200, vec![REFUSED.to_owned()]),
            "{username}"
        );
        assert!(!browser.cookies.contains_key("sessionid"), "{username}");
        assert!(!page.says(ADMIN_PASSWORD));
    }
}

#[tokio::test]
async fn a_logout_ends_the_session_in_the_table_too() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    let mut copy = browser.clone();
    let answer = browser.post("/admin/logout/", &[]).await;
    assert_eq!((answer.status, answer.location()), (302, "/admin/login/"));
    assert!(!browser.cookies.contains_key("sessionid"));
    assert_eq!(copy.get("/admin/").await.status, 302);
    // To log out of what has ended leads to no page that only takes forms.
    let answer = copy.post("/admin/logout/", &[]).await;
    assert_eq!(answer.location(), "/admin/login/?next=/admin/");
    // A link cannot log anybody out.
    let mut browser = site.log_in("admin").await;
    let page = browser.get("/admin/logout/").await;
    assert!(
        page.status == 405 && page.says("<h1>Method not allowed</h1>"),
        "{page:?}"
    );
    assert_eq!(browser.get("/admin/").await.status, 200);
}

#[tokio::test]
async fn a_session_ends_with_the_right_to_have_one() {
    let site = Site::start().await;
    for change in ["deactivated", "no staff", "password", "deleted"] {
        let eve = site.user_with("eve", |user| user.is_staff = true).await;
        let mut browser = site.log_in("eve").await;
        assert_eq!(browser.get("/admin/").await.status, 200, "{change}");
        let store = &site.app.store;
        match change {
            // It does not come back with the right.
            "deactivated" => {
                let eve = site.change(&eve, |user| user.is_active = false).await;
                site.change(&eve, |user| user.is_active = true).await;
            }
            "no staff" => {
                let eve = site.change(&eve, |user| user.is_staff = false).await;
                site.change(&eve, |user| user.is_staff = true).await;
            }
            "password" => {
                let (hasher, new) = (&site.app.hasher, Password::new("!".to_owned()));
                let changed =
                    accounts::users::set_password(store, hasher, Actor::Command, &eve, &new);
                changed.await.unwrap();
            }
            _ => {}
        }
        let eve = site.read(&eve).await;
        let deleted = accounts::users::delete(store, Actor::Command, eve);
        let answer = if change == "deleted" {
            deleted.await.unwrap();
            browser.get("/admin/").await
        } else {
            let answer = browser.get("/admin/").await;
            deleted.await.unwrap();
            answer
        };
        assert_eq!(
            (answer.status, answer.location()),
            (302, "/admin/login/?next=/admin/")
        );
    }
}

#[tokio::test]
async fn ones_own_session_goes_on_after_a_change_of_the_password_and_the_others_end() {
    let site = Site::start().await;
    let eve = site.staff("eve", &["auth.change_user"]).await;
    for by_oneself in [true, false] {
        site.pass(10);
        let (mut here, mut elsewhere) = (site.log_in("eve").await, site.log_in("eve").await);
        let own = [("old_password", ADMIN_PASSWORD)];
        let new = [("password1", ADMIN_PASSWORD), ("password2", ADMIN_PASSWORD)];
        let (path, fields) = if by_oneself {
            (
                "/admin/password_change/".to_owned(),
                [own.as_slice(), &new].concat(),
            )
        } else {
            (user_url(&eve, "password"), new.to_vec())
        };
        here.get(&path).await;
        let answer = here.post(&path, &fields).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        let page = here.follow(&answer).await;
        assert_eq!((page.status, messages(&page).len()), (200, 1), "{page:?}");
        assert_eq!(elsewhere.get("/admin/").await.status, 302);
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_at_last() {
    let site = Site::with(|settings| {
        (settings.pages.session_idle_age, settings.pages.session_age) = (600, 3600);
    })
    .await;
    let mut browser = site.log_in("admin").await;
    // It is used every nine minutes, until its hour is over.
    for _ in 0..6 {
        site.pass(9 * 60);
        assert_eq!(browser.get("/admin/").await.status, 200);
    }
    site.pass(6 * 60);
    assert_eq!(browser.get("/admin/").await.status, 302);

    let mut browser = site.log_in("admin").await;
    site.pass(599);
    assert_eq!(browser.get("/admin/").await.status, 200);
    site.pass(600);
    assert_eq!(browser.get("/admin/").await.status, 302);
}

#[tokio::test]
async fn a_cookie_that_was_not_made_here_is_none() {
    let site = Site::start().await;
    let browser = site.log_in("admin").await;
    let genuine = browser.cookies["sessionid"].clone();
    let (text, tag) = genuine.rsplit_once('.').unwrap();
    let other = format!("2{}.{tag}", &text[1..]);
    let cut = &genuine[..genuine.len() - 1];
    for forged in [other.as_str(), text, cut, "", ".", "1", "1..", "%", "1.x.é"] {
        let mut browser = browser.clone();
        browser
            .cookies
            .insert("sessionid".to_owned(), forged.to_owned());
        assert_eq!(browser.get("/admin/").await.status, 302, "{forged}");
    }
}

#[tokio::test]
async fn every_login_is_a_new_session() {
    let site = Site::start().await;
    let mut browser = site.browser();
    browser
        .cookies
        .insert("sessionid".to_owned(), "1.fixed.tag".to_owned());
    browser.log_in("admin", ADMIN_PASSWORD).await;
    let first = browser.cookies["sessionid"].clone();
    let second = site.log_in("admin").await.cookies["sessionid"].clone();
    assert!(first != second && first.starts_with("1.") && !first.contains("fixed"));
}

#[tokio::test]
async fn a_login_ends_the_session_before_it() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    let mut before = browser.clone();
    browser.cookies.remove("csrftoken");
    let fields = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    assert_eq!(browser.post("/admin/login/", &fields).await.status, 302);
    assert_eq!(browser.get("/admin/").await.status, 200);
    assert_eq!(before.get("/admin/").await.status, 302);
}

#[tokio::test]
async fn over_https_cookies_are_the_hosts_own() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let request = Request::get("/admin/login/").header("host", "users.example.com");
    let answer = browser.send(request, "").await;
    let cookie = answer.header("set-cookie").unwrap();
    let (_, attributes) = cookie.split_once(';').unwrap();
    assert!(cookie.starts_with("__Host-csrftoken="), "{cookie}");
    assert_eq!(attributes, " HttpOnly; SameSite=Lax; Secure; Path=/");
}

#[tokio::test]
async fn no_answer_may_be_framed_stored_or_run_scripts_of_others() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    for path in [
        "/admin/",
        "/admin/login/",
        "/admin/nothing/",
        "/admin/auth/user/9/change/",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(
            answer.header("content-security-policy").unwrap(),
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(!answer.says("style=") && !answer.says("onclick"), "{path}");
    }
}
