//! What a page costs: its bytes, and its sequential round trips to the table.

use testkit::{Observed, parsed, proxy::round_trips};

use super::site::user_url;

/// Of every page, with as much on it as there may well be.
#[tokio::test]
async fn a_page_is_under_50_kb_and_three_round_trips_after_the_sessions() {
    let site = Observed::start().await;
    let long = |letter: &str| letter.repeat(100);
    for number in 0..100 {
        let user = site.user(&format!("{}{number}", long("u")));
        let user = user.email(&format!("{}{number}@example.com", "e".repeat(60)));
        let named = user.with(|user| {
            user.first_name = parsed(&long("f"));
            user.last_name = parsed(&long("l"));
        });
        named.await;
    }
    let stock = site.labels().await;
    let stock: Vec<&str> = stock.iter().map(String::as_str).collect();
    for number in 0..288 {
        let name = format!("Can do what number {number} is about");
        site.permission(&format!("do_{number}"), &name).await;
    }
    let group = site.group("Managers", &stock).await;
    let eve = site.staff("eve", &["auth.view_user"]);
    let eve = eve.joins([&group]).await;
    for account in ["admin", "eve"] {
        let mut browser = site.browser_of(account).await;
        for name in ["a", "b", "c"] {
            let name = format!("{name} group of {account}");
            let fields = [("name", name.as_str())];
            let answer = browser.post("/admin/auth/group/add/", &fields).await;
            answer.assert_status(302);
        }
        for path in [
            "/admin/",
            "/admin/auth/user/",
            "/admin/auth/user/?q=uu",
            "/admin/auth/user/?is_staff__exact=1&is_superuser__exact=1",
            "/admin/auth/user/add/",
            "/admin/auth/user/2/change/",
            "/admin/auth/user/2/password/",
            "/admin/auth/user/2/delete/",
            "/admin/auth/user/2/history/",
            "/admin/auth/group/",
            "/admin/auth/group/add/",
            "/admin/auth/group/1/change/",
            "/admin/auth/group/1/delete/",
            "/admin/auth/permission/",
            "/admin/auth/permission/add/",
            "/admin/auth/permission/1/change/",
            "/admin/password_change/",
            &user_url(&eve, "change"),
        ] {
            site.proxy.take_calls();
            let page = browser.get(path).await;
            let calls = site.proxy.take_calls();
            assert_eq!(page.status, 200, "{path}");
            let trips = round_trips(&calls);
            assert!(trips.len() <= 4, "{account} {path}: {trips:?}");
            let size = page.text.len();
            assert!(size < 50_000, "{path}: {size} bytes");
            let trips = trips.len();
            println!("{account:5} {path:60} {size:>6} bytes, {trips} round trips");
        }
    }
}

#[tokio::test]
async fn what_a_page_shows_of_its_own_is_kept_by_browsers_and_changes_its_address() {
    let site = Observed::start().await;
    let mut browser = site.browser();
    let login = browser.get("/admin/login/").await;
    for (pattern, kind) in [
        (
            r#"rel="stylesheet" href="([^"]+)""#,
            "text/css; charset=utf-8",
        ),
        (r#"<script src="([^"]+)""#, "text/javascript; charset=utf-8"),
    ] {
        let url = login.find(pattern).unwrap();
        assert!(
            url.starts_with("/admin/static/") && url.contains("?v="),
            "{url}"
        );
        let answer = browser.get(url).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some(kind))
        );
        let kept = answer.header("cache-control");
        assert_eq!(kept, Some("public, max-age=31536000, immutable"));
    }
}
