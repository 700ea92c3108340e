//! Failed logins are counted, for the API and the admin pages together.

use axum::http::Request;
use serde_json::json;
use testkit::{Answer, Observed, PASSWORD, detail};

use super::site::{field_errors, give_password, messages};

#[track_caller]
fn assert_refused(answer: &Answer) {
    answer.assert(
        401,
        detail("No active account found with the given credentials"),
    );
    assert_eq!(answer.header("retry-after"), None);
}

/// Asserts a 429, and returns how long to wait, in seconds.
#[track_caller]
fn throttled(answer: &Answer) -> i64 {
    let wait = answer.header("retry-after").expect("a time to wait");
    let unit = if wait == "1" { "second" } else { "seconds" };
    let text = format!("Request was throttled. Expected available in {wait} {unit}.");
    answer.assert(429, detail(&text));
    let wait = wait.parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    wait
}

#[tokio::test]
async fn after_thirty_attempts_in_a_window_nothing_is_verified_whether_the_account_exists_or_not() {
    let site = Observed::start().await;
    site.user("ann").await;
    for username in ["admin", "nobody"] {
        for _ in 0..30 {
            assert_refused(&site.login(username, "wrong").await);
        }
        let wait = throttled(&site.login(username, "wrong").await);
        // The right password gets nobody in now, nor do the pages.
        assert_eq!(throttled(&site.login(username, PASSWORD).await), wait);
        let page = site.browser().log_in(username, PASSWORD).await;
        page.assert_status(429);
        assert!(messages(&page)[0].starts_with("Too many failed logins. Please try again in "));
        let seconds = wait.to_string();
        assert_eq!(page.header("retry-after"), Some(seconds.as_str()));
        // Others are not kept out meanwhile, and it is over with the window.
        site.log_in("ann", PASSWORD).await;
        site.pass(wait - 1);
        assert_eq!(throttled(&site.login(username, PASSWORD).await), 1);
        site.pass(1);
        match username {
            "admin" => site.login(username, PASSWORD).await.assert_status(200),
            _ => site.login(username, PASSWORD).await.assert_status(401),
        };
    }
}

#[tokio::test]
async fn both_doors_count_together_and_a_success_begins_anew() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT", "3")]).await;
    let mut browser = site.browser();
    for _ in 0..4 {
        assert_refused(&site.login("admin", "wrong").await);
        browser.log_in("admin", "wrong").await.assert_status(200);
        // Above half of the limit, a success sets the counter back.
        site.log_in("admin", PASSWORD).await;
    }
    browser.log_in("admin", "wrong").await.assert_status(200);
    browser.log_in("admin", "wrong").await.assert_status(200);
    assert_refused(&site.login("admin", "wrong").await);
    browser.log_in("admin", "wrong").await.assert_status(429);
    throttled(&site.login("admin", "wrong").await);
}

#[tokio::test]
async fn an_empty_form_is_no_failed_login() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT", "1")]).await;
    let mut browser = site.browser();
    for (username, password) in [("", ""), ("admin", ""), (" ", "x"), ("", "x")] {
        for _ in 0..3 {
            browser.log_in(username, password).await.assert_status(200);
        }
    }
    browser.log_in("admin", PASSWORD).await.assert_status(302);
}

#[tokio::test]
async fn a_user_who_gets_a_new_password_need_not_wait() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT", "1")]).await;
    let ann = site.user("ann").await;
    assert_refused(&site.login("ann", "wrong").await);
    site.login("ann", "wrong").await.assert_status(429);
    let mut browser = site.browser_of("admin").await;
    let new = "a-Long-phrase-1";
    give_password(&mut browser, &ann, new).await;
    site.log_in("ann", new).await;
}

#[tokio::test]
async fn an_old_password_is_guessed_no_more_often() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT", "2")]).await;
    let mut browser = site.browser_of("admin").await;
    let new = "another-Long-1";
    let wrong = "Your old password was entered incorrectly. Please enter it again.";
    let closed = "Too many failed logins. Please try again in ";
    // The login of this browser was the first attempt.
    for (old, told) in [("a", wrong), ("b", closed), (PASSWORD, closed)] {
        let fields = [
            ("password1", new),
            ("password2", new),
            ("old_password", old),
        ];
        let page = browser.post("/admin/password_change/", &fields).await;
        assert!(field_errors(&page)[0].starts_with(told), "{old}: {page:?}");
    }
}

#[tokio::test]
async fn an_address_is_closed_after_its_failures_whatever_the_names_and_the_headers() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT_PER_ADDRESS", "5")]).await;
    for number in 0..5 {
        assert_refused(&site.login(&format!("name{number}"), "wrong").await);
    }
    throttled(&site.login("admin", PASSWORD).await);
    let body = json!({"username": "admin", "password": PASSWORD}).to_string();
    let request = Request::post("/api/auth/login/")
        .header("content-type", "application/json")
        .header("x-forwarded-for", "192.0.2.7")
        .header("forwarded", "for=192.0.2.7");
    site.send(request, body).await.assert_status(429);
}

#[tokio::test]
async fn spaces_around_a_username_do_not_make_it_another() {
    let site = Observed::with(&[("LOGIN_FAILURE_LIMIT", "2")]).await;
    assert_refused(&site.login(" admin ", "wrong").await);
    let page = site.browser().log_in("admin  ", "wrong").await;
    page.assert_status(200);
    throttled(&site.login("admin", "wrong").await);
}

#[tokio::test]
async fn a_limit_of_none_keeps_nobody_out() {
    let (account, address) = ("LOGIN_FAILURE_LIMIT", "LOGIN_FAILURE_LIMIT_PER_ADDRESS");
    let site = Observed::with(&[(account, "0"), (address, "0")]).await;
    for _ in 0..40 {
        assert_refused(&site.login("admin", "wrong").await);
    }
    site.log_in("admin", PASSWORD).await;
}

#[tokio::test]
async fn failures_of_the_same_moment_are_all_counted() {
    let site = Observed::start().await;
    let one = || {
        let client = (**site).clone();
        tokio::spawn(async move { client.login("admin", "wrong").await })
    };
    let tries: Vec<_> = (0..20).map(|_| one()).collect();
    for one in tries {
        assert_refused(&one.await.unwrap());
    }
    for _ in 0..10 {
        assert_refused(&site.login("admin", "wrong").await);
    }
    throttled(&site.login("admin", "wrong").await);
}
