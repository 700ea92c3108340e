//! Forms: which are taken, what is wrong with them, and where they lead.

use axum::http::{Request, header};

use crate::{
    pages::Pages,
    site::{NOW, Site, field_errors, messages, user_url},
    support::ADMIN_PASSWORD,
};

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
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    let host = browser.get("/admin/auth/group/add/").await;
    let token = host
        .find(r#"csrfmiddlewaretoken" value="([^"]+)""#)
        .unwrap()
        .to_owned();
    let other = site.log_in("admin").await.token;
    let base = browser.base().to_owned();
    let here = [("origin", base.as_str())];
    for (headers, token, what) in [
        (here.as_slice(), "", "no token"),
        (&here, "x", "a wrong token"),
        (&here, other.as_str(), "another session's token"),
        (&[], token.as_str(), "no origin"),
        (&[("origin", "https://evil.org")], &token, "another site"),
        (&[("origin", "null")], &token, "an origin that is hidden"),
        (
            &[("referer", "https://evil.org/")],
            &token,
            "a page of another site",
        ),
    ] {
        assert_eq!(send(&mut browser, headers, token).await, 403, "{what}");
    }
    assert!(site.app.store.groups().await.unwrap().is_empty());
    let referer = format!("{base}/admin/auth/group/add/");
    assert_eq!(
        send(&mut browser, &[("referer", &referer)], &token).await,
        302
    );
    assert_eq!(site.app.store.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_trusted_origin_may_send_forms_too() {
    let site = Site::with(|settings| {
        settings.pages.csrf_trusted_origins = vec!["https://users.example.com".to_owned()];
    })
    .await;
    let mut browser = site.log_in("admin").await;
    let token = browser.token.clone();
    let trusted = [("origin", "https://users.example.com")];
    assert_eq!(send(&mut browser, &trusted, &token).await, 302);
}

#[tokio::test]
async fn a_login_needs_the_token_of_its_page_too() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let fields = [("username", "admin"), ("password", ADMIN_PASSWORD)];
    let page = browser.post("/admin/login/", &fields).await;
    assert!(
        page.status == 403 && page.says("<h1>Forbidden</h1>"),
        "{page:?}"
    );
    browser.get("/admin/login/").await;
    browser.cookies.clear();
    assert_eq!(browser.post("/admin/login/", &fields).await.status, 403);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
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
        assert_eq!(page.status, status, "{kind}");
        assert!(page.says("<!doctype html>"), "{page:?}");
    }
}

#[tokio::test]
async fn a_user_is_added_in_two_steps() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    let new = [
        ("password1", "a-Long-phrase-1"),
        ("password2", "a-Long-phrase-1"),
    ];
    browser.get("/admin/auth/user/add/").await;
    let fields = [&[("username", "ann"), ("_save", "1")], new.as_slice()].concat();
    let answer = browser.post("/admin/auth/user/add/", &fields).await;
    assert_eq!(answer.location(), "/admin/auth/user/2/change/");
    let page = browser.follow(&answer).await;
    let told = "The user “ann” was added successfully. You may edit it again below.";
    assert_eq!(messages(&page), [told]);
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
    let answer = browser.post("/admin/auth/user/2/change/", &fields).await;
    assert_eq!(answer.location(), "/admin/auth/user/");
    let page = browser.follow(&answer).await;
    assert_eq!(
        messages(&page),
        ["The user “ann” was changed successfully."]
    );
    let user = site
        .app
        .store
        .user(shared::domain::UserId(2))
        .await
        .unwrap()
        .unwrap();
    let names = (
        user.first_name.as_str(),
        user.last_name.as_str(),
        user.email.as_str(),
    );
    assert_eq!(names, ("Ann", "Lee", "ann@example.com"));
    assert_eq!(
        (user.is_active, user.is_staff, user.permission_ids.len()),
        (true, false, 1)
    );
}

#[tokio::test]
async fn dates_are_changed_too() {
    let site = Site::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.log_in("admin").await;
    let page = browser.get(&user_url(&ann, "change")).await;
    assert!(
        page.says(r#"name="date_joined" value="2026-11-25T15:04:00""#),
        "{page:?}"
    );
    assert!(page.says(r#"name="last_login" value="""#), "{page:?}");
    let mut send = async |last_login, date_joined| {
        let fields = [("last_login", last_login), ("date_joined", date_joined)];
        browser.post(&user_url(&ann, "change"), &fields).await
    };
    let answer = send("2026-11-25T15:05", "2020-01-01T00:00:00").await;
    assert_eq!(answer.status, 302, "{answer:?}");
    let changed = site.read(&ann).await;
    assert_eq!(
        (changed.last_login, changed.date_joined),
        (Some(NOW + 60), 1_577_836_800)
    );
    assert_eq!(send("", "2020-01-01T00:00:00").await.status, 302);
    assert_eq!(site.read(&ann).await.last_login, None);
    let invalid = "Enter a valid date/time.";
    assert_eq!(
        field_errors(&send("tomorrow", "x").await),
        [invalid, invalid]
    );
    assert_eq!(
        field_errors(&send("", "").await),
        ["This field is required."]
    );
}

#[tokio::test]
async fn each_button_leads_where_it_says() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
    let mut send = async |path: &str, name: &str, button: &str| {
        browser
            .post(path, &[("name", name), (button, "1")])
            .await
            .location()
            .to_owned()
    };
    let add = "/admin/auth/group/add/";
    assert_eq!(send(add, "a", "_save").await, "/admin/auth/group/");
    assert_eq!(send(add, "b", "_addanother").await, add);
    assert_eq!(
        send(add, "c", "_continue").await,
        "/admin/auth/group/3/change/"
    );
    let change = "/admin/auth/group/3/change/";
    assert_eq!(send(change, "d", "_save").await, "/admin/auth/group/");
    assert_eq!(send(change, "e", "_addanother").await, add);
    assert_eq!(send(change, "f", "_continue").await, change);
}

#[tokio::test]
async fn errors_stand_beside_their_fields_and_what_was_typed_stays() {
    let site = Site::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.log_in("admin").await;
    let fields = [
        ("username", "admin"),
        ("password1", "12345678"),
        ("password2", "12345678"),
    ];
    let page = browser.post("/admin/auth/user/add/", &fields).await;
    assert_eq!(page.status, 200);
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
    assert!(
        page.says("&lt;script&gt;") || page.says("&#60;script&#62;"),
        "{page:?}"
    );
    assert!(!page.says("<script>alert"));

    let page = browser
        .post(&user_url(&ann, "change"), &[("groups", "77")])
        .await;
    let text = "Select a valid choice. 77 is not one of the available choices.";
    assert_eq!(field_errors(&page), [text]);
}

#[tokio::test]
async fn a_user_without_an_address_stays_so_until_he_gets_one() {
    let site = Site::start().await;
    let admin = site
        .app
        .store
        .user(shared::domain::UserId(1))
        .await
        .unwrap()
        .unwrap();
    let mut browser = site.log_in("admin").await;
    for email in ["", "root@example.com", ""] {
        let fields = [("username", "admin"), ("email", email)];
        let answer = browser.post(&user_url(&admin, "change"), &fields).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        assert_eq!(site.read(&admin).await.email.as_str(), email);
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let site = Site::start().await;
    let mut browser = site.log_in("admin").await;
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
        assert!(
            page.status == 404 && page.says("<h1>Page not found</h1>"),
            "{path}: {page:?}"
        );
    }
}
