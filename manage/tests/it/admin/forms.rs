//! Forms: which are taken, what is wrong with them, and where they lead.

use axum::http::{Request, header};
use shared::domain::UserId;
use testkit::{NOW, Observed, PASSWORD, Pages};

use super::site::{done, field_errors, messages, user_url};

/// Sends a form with these headers and this token.
async fn send(browser: &mut Pages, headers: &[(&str, &str)], token: &str) -> u16 {
    let mut request = Request::post("/admin/auth/group/add/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = format!("name=Editors&csrfmiddlewaretoken={token}");
    browser.send(request, body).await.status
}

#[tokio::test]
async fn a_form_is_taken_only_from_this_site_and_with_the_sessions_token() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    browser.get("/admin/auth/group/add/").await;
    let token = browser.token.clone();
    let other = site.browser_of("admin").await.token;
    let base = browser.base().to_owned();
    let here = [("origin", base.as_str())];
    for (headers, token, what) in [
        (here.as_slice(), "", "no token"),
        (&here, "x", "a wrong token"),
        (&here, other.as_str(), "another session's token"),
        (&[], token.as_str(), "no origin"),
        (&[("origin", "https://evil.org")], &token, "another site"),
        (&[("origin", "null")], &token, "an origin that is hidden"),
        (&[("referer", "https://evil.org/")], &token, "another page"),
    ] {
        assert_eq!(send(&mut browser, headers, token).await, 403, "{what}");
    }
    assert!(site.table.groups().await.unwrap().is_empty());
    let referer = format!("{base}/admin/auth/group/add/");
    let here = [("referer", referer.as_str())];
    assert_eq!(send(&mut browser, &here, &token).await, 302);
    assert_eq!(site.table.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_trusted_origin_may_send_forms_too() {
    let trusted = ("CSRF_TRUSTED_ORIGINS", "https://users.example.com");
    let site = Observed::with(&[trusted]).await;
    let mut browser = site.browser_of("admin").await;
    let token = browser.token.clone();
    let trusted = [("origin", "https://users.example.com")];
    assert_eq!(send(&mut browser, &trusted, &token).await, 302);
}

#[tokio::test]
async fn a_login_needs_the_token_of_its_page_too() {
    let site = Observed::start().await;
    let mut browser = site.browser();
    let fields = [("username", "admin"), ("password", PASSWORD)];
    let page = browser.post("/admin/login/", &fields).await;
    page.assert_status(403).assert_says("<h1>Forbidden</h1>");
    browser.get("/admin/login/").await;
    browser.cookies.clear();
    browser
        .post("/admin/login/", &fields)
        .await
        .assert_status(403);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let base = browser.base().to_owned();
    for (kind, body, status) in [
        ("application/json", "{}", 403),
        ("application/json", "{", 400),
        ("text/plain", "name=x", 415),
    ] {
        let request = Request::post("/admin/auth/group/add/")
            .header(header::ORIGIN, &base)
            .header(header::CONTENT_TYPE, kind);
        let page = browser.send(request, body).await;
        page.assert_status(status).assert_says("<!doctype html>");
    }
}

#[tokio::test]
async fn a_user_is_added_in_two_steps() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let (add, change) = ("/admin/auth/user/add/", "/admin/auth/user/2/change/");
    browser.get(add).await;
    let fields = [
        ("username", "ann"),
        ("_save", "1"),
        ("password1", "a-Long-phrase-1"),
        ("password2", "a-Long-phrase-1"),
    ];
    let told = "The user “ann” was added successfully. You may edit it again below.";
    assert_eq!(done(&mut browser, add, &fields, change).await, [told]);
    // It is told once.
    assert!(messages(&browser.get("/admin/").await).is_empty());
    let fields = [
        ("username", "ann"),
        ("email", "ann@example.com"),
        ("first_name", "Ann"),
        ("last_name", "Lee"),
        ("is_active", "false"),
        ("is_active", "true"),
        ("is_staff", "false"),
        ("is_superuser", "false"),
        ("user_permissions", "1"),
    ];
    let told = "The user “ann” was changed successfully.";
    let list = "/admin/auth/user/";
    assert_eq!(done(&mut browser, change, &fields, list).await, [told]);
    let user = site.read(UserId(2)).await;
    let names = [user.first_name.as_str(), user.last_name.as_str()];
    assert_eq!(
        (names, user.email.as_str()),
        (["Ann", "Lee"], "ann@example.com")
    );
    let seen = (user.is_active, user.is_staff, user.permission_ids.len());
    assert_eq!(seen, (true, false, 1));
}

#[tokio::test]
async fn dates_are_changed_too() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.browser_of("admin").await;
    let page = browser.get(&user_url(&ann, "change")).await;
    page.assert_says(r#"name="date_joined" value="2026-11-25T15:04:00""#);
    page.assert_says(r#"name="last_login" value="""#);
    let mut send = async |last_login, date_joined| {
        let fields = [("last_login", last_login), ("date_joined", date_joined)];
        browser.post(&user_url(&ann, "change"), &fields).await
    };
    let answer = send("2026-11-25T15:05", "2020-01-01T00:00:00").await;
    answer.assert_status(302);
    let changed = site.read(ann.id).await;
    let dates = (changed.last_login, changed.date_joined);
    assert_eq!(dates, (Some(NOW + 60), 1_577_836_800));
    send("", "2020-01-01T00:00:00").await.assert_status(302);
    assert_eq!(site.read(ann.id).await.last_login, None);
    let errors = field_errors(&send("tomorrow", "x").await);
    assert_eq!(errors, ["Enter a valid date/time."; 2]);
    let errors = field_errors(&send("", "").await);
    assert_eq!(errors, ["This field is required."]);
}

#[tokio::test]
async fn each_button_leads_where_it_says() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let (list, add) = ("/admin/auth/group/", "/admin/auth/group/add/");
    let change = "/admin/auth/group/3/change/";
    for (path, name, button, next) in [
        (add, "a", "_save", list),
        (add, "b", "_addanother", add),
        (add, "c", "_continue", change),
        (change, "d", "_save", list),
        (change, "e", "_addanother", add),
        (change, "f", "_continue", change),
    ] {
        let answer = browser.post(path, &[("name", name), (button, "1")]).await;
        assert_eq!(answer.location(), next, "{name}");
    }
}

#[tokio::test]
async fn errors_stand_beside_their_fields_and_what_was_typed_stays() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.browser_of("admin").await;
    let fields = [
        ("username", "admin"),
        ("password1", "12345678"),
        ("password2", "12345678"),
    ];
    let page = browser.post("/admin/auth/user/add/", &fields).await;
    page.assert_status(200);
    let texts = [
        "A user with that username already exists.",
        "This password is too common.",
        "This password is entirely numeric.",
    ];
    assert_eq!(field_errors(&page), texts);
    assert!(page.says(r#"name="username" value="admin""#) && !page.says("12345678"));

    let fields = [
        ("username", "an n"),
        ("email", "<b>"),
        ("first_name", "<script>alert(1)</script>"),
        ("groups", "77"),
    ];
    let page = browser.post(&user_url(&ann, "change"), &fields).await;
    let texts = [
        "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        "Enter a valid email address.",
        "Select a valid choice. 77 is not one of the available choices.",
    ];
    assert_eq!(field_errors(&page), texts);
    let escaped = page.says("&lt;script&gt;") || page.says("&#60;script&#62;");
    assert!(escaped, "{page:?}");
    assert!(!page.says("<script>alert"));

    let url = user_url(&ann, "change");
    let page = browser.post(&url, &[("groups", "77")]).await;
    assert_eq!(field_errors(&page), texts[2..]);
}

#[tokio::test]
async fn a_user_without_an_address_stays_so_until_they_get_one() {
    let site = Observed::start().await;
    let admin = &site.admin;
    let mut browser = site.browser_of("admin").await;
    for email in ["", "root@example.com", ""] {
        let fields = [("username", "admin"), ("email", email)];
        let answer = browser.post(&user_url(admin, "change"), &fields).await;
        answer.assert_status(302);
        assert_eq!(site.read(admin.id).await.email.as_str(), email);
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    for path in [
        "/admin/nothing/",
        "/admin/auth/user/99/change/",
        "/admin/auth/user/x/change/",
        "/admin/auth/group/99/delete/",
        "/admin/auth/permission/99/change/",
        "/admin/static/other.css",
        "/admin/static/%FF",
        "/admin/auth/user/%FF/change/",
        "/admin/auth/group/%FF/history/",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        page.assert_says("<h1>Page not found</h1>");
    }
}
