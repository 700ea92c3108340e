//! Failed logins are counted, for the API and the admin pages together.

use axum::http::Request;
use serde_json::{Value, json};

use crate::{
    pages::Pages,
    site::{Site, field_errors, give_password, messages},
    support::ADMIN_PASSWORD,
};

/// A login by the API.
async fn api_login(
    browser: &mut Pages,
    username: &str,
    password: &str,
) -> (u16, Value, Option<String>) {
    let body = json!({"username": username, "password": password}).to_string();
    let request = Request::post("/api/auth/login/").header("content-type", "application/json");
    let answer = browser.send(request, body).await;
    let wait = answer.header("retry-after").map(str::to_owned);
    (
        answer.status,
        serde_json::from_str(&answer.text).unwrap(),
        wait,
    )
}

fn refused() -> (u16, Value, Option<String>) {
    let body = json!({"detail": "No active account found with the given credentials"});
    (401, body, None)
}

fn throttled(seconds: i64) -> (u16, Value, Option<String>) {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let text = format!("Request was throttled. Expected available in {seconds} {unit}.");
    (429, json!({"detail": text}), Some(seconds.to_string()))
}

#[tokio::test]
async fn after_thirty_failures_in_fifteen_minutes_an_account_is_closed_whether_it_exists_or_not() {
    let site = Site::start().await;
    for username in ["admin", "nobody"] {
        let mut browser = site.browser();
        for _ in 0..30 {
            assert_eq!(api_login(&mut browser, username, "wrong").await, refused());
        }
        site.pass(1);
        assert_eq!(
            api_login(&mut browser, username, "wrong").await,
            throttled(899)
        );
        // The right password gets nobody in now, nor does the other door.
        assert_eq!(
            api_login(&mut browser, username, ADMIN_PASSWORD).await,
            throttled(899)
        );
        let page = browser.log_in(username, ADMIN_PASSWORD).await;
        let text = "Too many failed logins. Please try again in 15 minutes.";
        assert_eq!((page.status, messages(&page)), (429, vec![text.to_owned()]));
        assert_eq!(page.header("retry-after"), Some("899"));
        site.pass(898);
        assert_eq!(
            api_login(&mut browser, username, ADMIN_PASSWORD).await,
            throttled(1)
        );
    }
    // Others are not kept out meanwhile, and it is over after a quarter of an hour.
    site.user("ann").await;
    assert_eq!(
        api_login(&mut site.browser(), "ann", ADMIN_PASSWORD)
            .await
            .0,
        200
    );
    site.pass(1);
    assert_eq!(
        api_login(&mut site.browser(), "admin", ADMIN_PASSWORD)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn both_doors_count_together_and_a_success_begins_anew() {
    let site = Site::with(|settings| settings.logins.failures_per_account = 3).await;
    let mut browser = site.browser();
    for _ in 0..4 {
        assert_eq!(api_login(&mut browser, "admin", "wrong").await, refused());
        assert_eq!(browser.log_in("admin", "wrong").await.status, 200);
        assert_eq!(
            api_login(&mut browser, "admin", ADMIN_PASSWORD).await.0,
            200
        );
    }
    assert_eq!(browser.log_in("admin", "wrong").await.status, 200);
    assert_eq!(browser.log_in("admin", "wrong").await.status, 200);
    assert_eq!(api_login(&mut browser, "admin", "wrong").await, refused());
    assert_eq!(browser.log_in("admin", "wrong").await.status, 429);
    assert_eq!(
        api_login(&mut browser, "admin", "wrong").await,
        throttled(900)
    );
}

#[tokio::test]
async fn an_empty_form_is_no_failed_login() {
    let site = Site::with(|settings| settings.logins.failures_per_account = 1).await;
    let mut browser = site.browser();
    for (username, password) in [("", ""), ("admin", ""), (" ", "x"), ("", "x")] {
        for _ in 0..3 {
            assert_eq!(browser.log_in(username, password).await.status, 200);
        }
    }
    assert_eq!(browser.log_in("admin", ADMIN_PASSWORD).await.status, 302);
}

#[tokio::test]
async fn whoever_gets_a_new_password_need_not_wait() {
    let site = Site::with(|settings| settings.logins.failures_per_account = 1).await;
    let ann = site.user("ann").await;
    assert_eq!(
        api_login(&mut site.browser(), "ann", "wrong").await,
        refused()
    );
    assert_eq!(api_login(&mut site.browser(), "ann", "wrong").await.0, 429);
    let mut browser = site.log_in("admin").await;
    let new = "a-Long-phrase-1";
    give_password(&mut browser, &ann, new).await;
    assert_eq!(api_login(&mut site.browser(), "ann", new).await.0, 200);
}

#[tokio::test]
async fn an_old_password_is_guessed_no_more_often() {
    let site = Site::with(|settings| settings.logins.failures_per_account = 2).await;
    let mut browser = site.log_in("admin").await;
    let new = [
        ("password1", "another-Long-1"),
        ("password2", "another-Long-1"),
    ];
    let wrong = "Your old password was entered incorrectly. Please enter it again.";
    let closed = "Too many failed logins. Please try again in 15 minutes.";
    for (old, told) in [
        ("a", wrong),
        ("b", wrong),
        ("c", closed),
        (ADMIN_PASSWORD, closed),
    ] {
        let fields = [new.as_slice(), &[("old_password", old)]].concat();
        let page = browser.post("/admin/password_change/", &fields).await;
        assert_eq!(field_errors(&page), [told], "{old}");
    }
}

#[tokio::test]
async fn an_address_is_closed_after_its_failures_whatever_the_names_and_the_headers() {
    let site = Site::with(|settings| settings.logins.failures_per_address = 5).await;
    let mut browser = site.browser();
    for number in 0..5 {
        let name = format!("name{number}");
        assert_eq!(api_login(&mut browser, &name, "wrong").await, refused());
    }
    assert_eq!(
        api_login(&mut browser, "admin", ADMIN_PASSWORD).await,
        throttled(900)
    );
    let body = json!({"username": "admin", "password": ADMIN_PASSWORD}).to_string();
    let request = Request::post("/api/auth/login/")
        .header("content-type", "application/json")
        .header("x-forwarded-for", "192.0.2.7")
        .header("forwarded", "for=192.0.2.7");
    assert_eq!(browser.send(request, body).await.status, 429);
}

#[tokio::test]
async fn spaces_around_a_username_do_not_make_it_another() {
    let site = Site::with(|settings| settings.logins.failures_per_account = 2).await;
    let mut browser = site.browser();
    assert_eq!(api_login(&mut browser, " admin ", "wrong").await, refused());
    assert_eq!(browser.log_in("admin  ", "wrong").await.status, 200);
    assert_eq!(
        api_login(&mut browser, "admin", "wrong").await,
        throttled(900)
    );
}

#[tokio::test]
async fn a_limit_of_none_keeps_nobody_out() {
    let site = Site::with(|settings| {
        (
            settings.logins.failures_per_account,
            settings.logins.failures_per_address,
        ) = (0, 0);
    })
    .await;
    let mut browser = site.browser();
    for _ in 0..40 {
        assert_eq!(api_login(&mut browser, "admin", "wrong").await, refused());
    }
    assert_eq!(
        api_login(&mut browser, "admin", ADMIN_PASSWORD).await.0,
        200
    );
}

#[tokio::test]
async fn failures_of_the_same_moment_are_all_counted() {
    let site = Site::start().await;
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let mut browser = site.browser();
            tokio::spawn(async move { api_login(&mut browser, "admin", "wrong").await })
        })
        .collect();
    for one in tries {
        assert_eq!(one.await.unwrap(), refused());
    }
    let candidate = site
        .app
        .store
        .candidate("admin", None, Some("127.0.0.1"), crate::site::NOW);
    let candidate = candidate.await.unwrap();
    assert_eq!((candidate.account.count, candidate.address.count), (20, 20));
}
