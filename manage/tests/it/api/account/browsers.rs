//! What browsers are told by the pages of account life: headers and cookies.

use axum::http::{Request, header};
use shared::{domain::UserId, mail::links::uid};
use testkit::{Answer, Observed, Pages, Server};

use super::{MAILS, NEW, token};

const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=63072000"),
    ("cache-control", "no-store"),
];

#[track_caller]
fn assert_headers(answer: &Answer, path: &str) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), Some(value), "{name} of {path}");
    }
}

/// The link of a mail to a user, as its page's address.
async fn address(server: &Server, page: &str, id: UserId) -> String {
    let token = token(server, id, None).await;
    format!("/account/{page}/{}/{token}/", uid(id))
}

#[tokio::test]
async fn every_answer_has_every_header_that_keeps_pages_to_this_site() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let (id, link) = (uid(ann.id), address(&server, "reset", ann.id).await);
    let form = format!("/account/reset/{id}/set-password/");
    let mut browser = server.browser();
    for (path, status) in [
        ("/account/reset/", 200),
        ("/account/reset/sent/", 200),
        ("/account/reset/done/", 200),
        (&form, 400),
        (&link, 302),
        (&form, 200),
        ("/account/activate/", 200),
        ("/account/activate/sent/", 200),
        ("/account/activate/done/", 200),
        ("/account/activate/x/y/", 400),
        ("/account/nothing/", 404),
        ("/account/static/other.css", 404),
    ] {
        let answer = browser.get(path).await;
        answer.assert_status(status);
        assert_headers(&answer, path);
    }
    let forged = server.browser().post("/account/reset/", &[]).await;
    forged.assert_status(403);
    assert_headers(&forged, "a form of another site");
    let deleted = browser.send(Request::delete("/account/reset/"), "").await;
    deleted.assert_status(405);
    assert_headers(&deleted, "another method");
    let long = "a".repeat(2 << 20);
    let large = browser.post("/account/reset/", &[("email", &long)]).await;
    large.assert_status(413);
    assert_headers(&large, "a large form");
    let set = browser.post(&form, &[("password1", NEW), ("password2", NEW)]);
    let set = set.await;
    set.assert_status(302);
    assert_headers(&set, "a new password");
    let off = Server::start().await;
    let nothing = off.browser().get("/account/reset/").await;
    nothing.assert_status(404);
    assert_headers(&nothing, "pages that are off");
}

#[tokio::test]
async fn the_stylesheet_has_an_address_of_its_content_and_may_be_kept() {
    let server = Server::with(&MAILS).await;
    let mut browser = server.browser();
    let page = browser.get("/account/reset/").await;
    let css = page
        .find("href=\"(/account/static/[^\"]+)\"")
        .expect("a stylesheet");
    let answer = browser.get(css).await;
    answer.assert_status(200);
    assert_eq!(answer.media().as_deref(), Some("text/css"));
    let kept = "public, max-age=31536000, immutable";
    assert_eq!(answer.header("cache-control"), Some(kept));
    assert!(!page.says("<script"), "{page:?}");
}

/// The cookies that an answer to a request for a host sets, without their values.
async fn cookies(browser: &mut Pages, host: &str, path: &str) -> Vec<String> {
    let request = Request::get(path).header(header::HOST, host);
    let answer = browser.send(request, "").await;
    let lines = answer.headers.get_all(header::SET_COOKIE).into_iter();
    lines
        .map(|line| {
            let line = line.to_str().expect("a cookie");
            let (name, rest) = line.split_once('=').expect("a name");
            let (_, attributes) = rest.split_once("; ").expect("attributes");
            format!("{name}; {attributes}")
        })
        .collect()
}

#[tokio::test]
async fn cookies_are_the_hosts_own_and_no_script_reads_them() {
    let server = Server::with(&MAILS).await;
    let ann = server.user("ann").await;
    let link = address(&server, "reset", ann.id).await;
    let form = format!("/account/reset/{}/set-password/", uid(ann.id));
    let local = "; HttpOnly; SameSite=Lax; Path=/";
    let secure = "; HttpOnly; SameSite=Lax; Secure; Path=/";
    for (host, prefix, attributes) in [
        ("localhost", "", local),
        ("accounts.example.com", "__Host-", secure),
    ] {
        let mut browser = server.browser();
        let named = |name: &str| [format!("{prefix}{name}{attributes}")];
        assert_eq!(cookies(&mut browser, host, &link).await, named("link"));
        assert_eq!(cookies(&mut browser, host, &form).await, named("csrftoken"));
    }
    let mut browser = server.browser();
    for path in [&link, &form] {
        browser.get(path).await;
    }
    let fields = [("password1", NEW), ("password2", NEW)];
    let set = browser.post(&form, &fields).await;
    set.assert_status(302);
    let ended = "link=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0";
    assert_eq!(set.header("set-cookie"), Some(ended));
}

#[tokio::test]
async fn a_cookie_of_a_link_is_good_for_its_account_for_an_hour_as_it_was_given() {
    let site = Observed::with(&MAILS).await;
    let (ann, bob) = (site.user("ann").await, site.user("bob").await);
    let link = address(&site, "reset", ann.id).await;
    let form = |id: UserId| format!("/account/reset/{}/set-password/", uid(id));
    let mut browser = site.browser();
    browser.get(&link).await.assert_status(302);
    let mut forged = browser.clone();
    let cookie = forged.cookies.get_mut("link").expect("a cookie");
    *cookie = cookie.replace(&uid(ann.id), &uid(bob.id));
    forged.get(&form(bob.id)).await.assert_status(400);
    browser.get(&form(bob.id)).await.assert_status(400);
    site.pass(3599);
    browser.get(&form(ann.id)).await.assert_status(200);
    site.pass(1);
    let late = browser.get(&form(ann.id)).await;
    late.assert_status(400)
        .assert_says("href=\"/account/reset/\">Ask for a new link");
}
