//! Logging in and out, and when a session ends.

use axum::http::Request;
use testkit::{Answer, Observed, PASSWORD, percent_encoded};

use super::site::{messages, user_url};
use crate::api::tokens::decoded;

const REFUSED: &str = "Please enter the correct username and password for a staff account. Note \
     that both fields may be case-sensitive.";

/// Asserts a redirect.
#[track_caller]
fn assert_led(answer: &Answer, location: &str) {
    answer.assert_status(302);
    assert_eq!(answer.location(), location);
}

#[tokio::test]
async fn a_user_who_is_not_logged_in_is_asked_to_and_led_back() {
    let site = Observed::start().await;
    let mut browser = site.browser();
    for (path, next) in [
        ("/admin/", "/admin/"),
        ("/admin", "/admin/"),
        ("/admin/auth/user/?q=ann", "/admin/auth/user/%3Fq%3Dann"),
        ("/admin/auth/user/1/change/", "/admin/auth/user/1/change/"),
        ("/admin/nothing/", "/admin/nothing/"),
    ] {
        let answer = browser.get(path).await;
        let login = format!("/admin/login/?next={next}");
        assert_led(&answer, &login);
        assert_eq!(answer.text, "");
    }
    let list = "/admin/auth/user/?q=ann";
    let login = "/admin/login/?next=/admin/auth/user/%3Fq%3Dann";
    let form = browser.get(login).await;
    let next = form.find(r#"name="next" value="([^"]*)""#);
    assert_eq!((form.status, next), (200, Some(list)));
    let fields = [
        ("username", "admin"),
        ("password", PASSWORD),
        ("next", list),
    ];
    let answer = browser.post("/admin/login/", &fields).await;
    assert_led(&answer, list);
    let page = browser.follow(&answer).await;
    page.assert_status(200)
        .assert_says("<h1>Select user to change</h1>");
}

#[tokio::test]
async fn nothing_leads_off_the_site_after_a_login() {
    let site = Observed::start().await;
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
            ("password", PASSWORD),
            ("next", next),
        ];
        let answer = browser.post("/admin/login/", &fields).await;
        assert_led(&answer, "/admin/");
        // Nor for a user who is logged in already.
        let path = format!("/admin/login/?next={}", percent_encoded(next));
        assert_led(&browser.get(&path).await, "/admin/");
    }
}

#[tokio::test]
async fn only_active_staff_gets_in_and_all_others_are_told_the_same() {
    let site = Observed::start().await;
    site.user("ann").await;
    site.user("gone").staff().inactive().await;
    for (username, password) in [
        ("admin", "wrong"),
        ("nobody", PASSWORD),
        ("ann", PASSWORD),
        ("gone", PASSWORD),
        ("", ""),
    ] {
        let mut browser = site.browser();
        let page = browser.log_in(username, password).await;
        page.assert_status(200);
        assert_eq!(messages(&page), [REFUSED], "{username}");
        assert!(!browser.cookies.contains_key("sessionid"), "{username}");
        assert!(!page.says(PASSWORD));
    }
}

#[tokio::test]
async fn a_logout_ends_the_session_in_the_table_too() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let mut copy = browser.clone();
    let answer = browser.post("/admin/logout/", &[]).await;
    assert_led(&answer, "/admin/login/");
    assert!(!browser.cookies.contains_key("sessionid"));
    copy.get("/admin/").await.assert_status(302);
    // To log out of what has ended leads to no page that only takes forms.
    let answer = copy.post("/admin/logout/", &[]).await;
    assert_eq!(answer.location(), "/admin/login/?next=/admin/");
    // A link cannot log anybody out.
    let mut browser = site.browser_of("admin").await;
    let page = browser.get("/admin/logout/").await;
    page.assert_status(405)
        .assert_says("<h1>Method not allowed</h1>");
    browser.get("/admin/").await.assert_status(200);
}

#[tokio::test]
async fn a_session_ends_with_the_right_to_have_one() {
    let site = Observed::start().await;
    for change in ["deactivated", "no staff", "password", "deleted"] {
        let eve = site.user("eve").staff().await;
        let mut browser = site.browser_of("eve").await;
        browser.get("/admin/").await.assert_status(200);
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
            "password" => site.set_hash(&eve, "!").await,
            _ => site.remove(&eve).await,
        }
        let answer = browser.get("/admin/").await;
        assert_led(&answer, "/admin/login/?next=/admin/");
        if change != "deleted" {
            site.remove(&eve).await;
        }
    }
}

#[tokio::test]
async fn ones_own_session_goes_on_after_a_change_of_the_password_and_the_others_end() {
    let site = Observed::start().await;
    let eve = site.staff("eve", &["auth.change_user"]).await;
    for by_oneself in [true, false] {
        site.pass(10);
        let (mut here, mut elsewhere) =
            (site.browser_of("eve").await, site.browser_of("eve").await);
        let mut fields = vec![("password1", PASSWORD), ("password2", PASSWORD)];
        let mut path = user_url(&eve, "password");
        if by_oneself {
            fields.push(("old_password", PASSWORD));
            path = "/admin/password_change/".to_owned();
        }
        here.get(&path).await;
        let answer = here.post(&path, &fields).await;
        answer.assert_status(302);
        let page = here.follow(&answer).await;
        assert_eq!((page.status, messages(&page).len()), (200, 1), "{page:?}");
        elsewhere.get("/admin/").await.assert_status(302);
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_at_last() {
    let limits = [("SESSION_IDLE_AGE", "600"), ("SESSION_COOKIE_AGE", "3600")];
    let site = Observed::with(&limits).await;
    let mut browser = site.browser_of("admin").await;
    // It is used every nine minutes, until its hour is over.
    for _ in 0..6 {
        site.pass(9 * 60);
        browser.get("/admin/").await.assert_status(200);
    }
    site.pass(6 * 60);
    browser.get("/admin/").await.assert_status(302);

    let mut browser = site.browser_of("admin").await;
    site.pass(599);
    browser.get("/admin/").await.assert_status(200);
    site.pass(600);
    browser.get("/admin/").await.assert_status(302);
}

#[tokio::test]
async fn a_cookie_that_was_not_made_here_is_none() {
    let site = Observed::start().await;
    let browser = site.browser_of("admin").await;
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
    let site = Observed::start().await;
    let mut browser = site.browser();
    browser
        .cookies
        .insert("sessionid".to_owned(), "1.fixed.tag".to_owned());
    browser.log_in("admin", PASSWORD).await;
    let first = browser.cookies["sessionid"].clone();
    let second = site.browser_of("admin").await.cookies["sessionid"].clone();
    assert!(first != second && first.starts_with("1.") && !first.contains("fixed"));
}

#[tokio::test]
async fn a_login_ends_the_session_before_it() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let mut before = browser.clone();
    browser.cookies.remove("csrftoken");
    let fields = [("username", "admin"), ("password", PASSWORD)];
    browser
        .post("/admin/login/", &fields)
        .await
        .assert_status(302);
    browser.get("/admin/").await.assert_status(200);
    before.get("/admin/").await.assert_status(302);
}

#[tokio::test]
async fn over_https_cookies_are_the_hosts_own() {
    let site = Observed::start().await;
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
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
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

#[tokio::test]
async fn the_page_of_a_user_lists_their_sessions_and_ends_one_or_all_of_them() {
    let site = Observed::start().await;
    let ann = site.user("ann").staff().await;
    let (first, second) = (
        site.log_in("ann", PASSWORD).await,
        site.log_in("ann", PASSWORD).await,
    );
    let mut pages_of_ann = site.browser_of("ann").await;
    let mut browser = site.browser_of("admin").await;
    let url = user_url(&ann, "sessions");
    let change = user_url(&ann, "change");
    let page = browser.get(&change).await;
    page.assert_says(&format!("action=\"{url}\""));
    page.assert_says("<td>API</td><td>127.0.0.1</td>")
        .assert_says("<td>Admin pages</td><td>127.0.0.1</td>");
    let sid = decoded(&first, 1)["sid"].as_str().unwrap().to_owned();
    page.assert_says(&format!("value=\"{sid}\""));
    let answer = browser.post(&url, &[("sid", &sid)]).await;
    assert_led(&answer, &change);
    let page = browser.follow(&answer).await;
    assert_eq!(messages(&page), ["The session was ended."]);
    assert!(!page.says(&sid), "{page:?}");
    site.get(&first, "users/me/").await.assert_status(401);
    site.get(&second, "users/me/").await.assert_status(200);

    let answer = browser.post(&url, &[("all", "1")]).await;
    let page = browser.follow(&answer).await;
    assert_eq!(messages(&page), ["All sessions were ended."]);
    page.assert_says("This user is not logged in anywhere.");
    site.get(&second, "users/me/").await.assert_status(401);
    pages_of_ann.get("/admin/").await.assert_status(302);
}

#[tokio::test]
async fn a_session_of_the_pages_ends_with_the_staff_status_and_does_not_come_back_with_it() {
    let site = Observed::start().await;
    let eve = site.user("eve").staff().await;
    let token = site.log_in("eve", PASSWORD).await;
    let mut browser = site.browser_of("eve").await;
    site.change(&eve, |user| user.is_staff = false).await;
    site.change(&eve, |user| user.is_staff = true).await;
    browser.get("/admin/").await.assert_status(302);
    // Tokens of the API do not depend on it.
    site.get(&token, "users/me/").await.assert_status(200);
}
