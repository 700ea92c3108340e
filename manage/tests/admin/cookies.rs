//! The cookies of others.

use axum::http::{HeaderValue, Request, header};

use crate::{site::Site, support::ADMIN_PASSWORD};

#[tokio::test]
async fn a_cookie_of_others_that_is_no_text_logs_nobody_out_and_keeps_nobody_out() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    let session = format!("sessionid={}", browser.cookies["sessionid"]);
    let csrf = {
        let mut fresh = site.browser();
        fresh.get("/admin/login/").await;
        (fresh.cookies["csrftoken"].clone(), fresh.token)
    };
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
        let form = format!(
            "csrfmiddlewaretoken={}&username=admin&password={ADMIN_PASSWORD}",
            csrf.1
        );
        let request = Request::post("/admin/login/")
            .header(header::ORIGIN, browser.base())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, line(&format!("csrftoken={}", csrf.0)));
        assert_eq!(browser.send(request, form).await.status, 302, "{other:?}");
        browser.cookies.clear();
    }
}
