//! The cookies of others.

use axum::http::{HeaderValue, Request, header};
use testkit::{Observed, PASSWORD, percent_encoded};

#[tokio::test]
async fn a_cookie_of_others_that_is_no_text_logs_nobody_out_and_keeps_nobody_out() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let session = format!("sessionid={}", browser.cookies["sessionid"]);
    let mut fresh = site.browser();
    fresh.get("/admin/login/").await;
    let csrf = format!("csrftoken={}", fresh.cookies["csrftoken"]);
    let password = percent_encoded(PASSWORD);
    let token = fresh.token;
    let form = format!("csrfmiddlewaretoken={token}&username=admin&password={password}");
    browser.cookies.clear();
    for other in [
        &b"a=\xe9"[..],
        b"\xff=\xfe",
        b"a=\xe2\x82",
        "a=é".as_bytes(),
    ] {
        let line = |ours: &str| {
            let line = [other, b"; ", ours.as_bytes(), b"; ", other].concat();
            HeaderValue::from_bytes(&line).unwrap()
        };
        let request = Request::get("/admin/").header(header::COOKIE, line(&session));
        assert_eq!(browser.send(request, "").await.status, 200, "{other:?}");
        let request = Request::post("/admin/login/")
            .header(header::ORIGIN, browser.base())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, line(&csrf));
        let answer = browser.send(request, form.clone()).await;
        assert_eq!(answer.status, 302, "{other:?}");
        browser.cookies.clear();
    }
}
