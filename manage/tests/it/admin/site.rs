//! What the pages show, and what is done on them again and again.

use shared::domain::User;
use testkit::{Answer, Pages};

/// Gives a user another password by the form for it.
pub async fn give_password(browser: &mut Pages, user: &User, password: &str) {
    let fields = [("password1", password), ("password2", password)];
    let answer = browser.post(&user_url(user, "password"), &fields).await;
    answer.assert_status(302);
}

/// Sends a form that leads to a page: what that page tells.
pub async fn done(
    browser: &mut Pages,
    path: &str,
    fields: &[(&str, &str)],
    next: &str,
) -> Vec<String> {
    let answer = browser.post(path, fields).await;
    assert_eq!(answer.location(), next);
    messages(&browser.follow(&answer).await)
}

/// The address of a page of a user.
pub fn user_url(user: &User, page: &str) -> String {
    format!("/admin/auth/user/{}/{page}/", user.id)
}

/// What a page tells at its top, as texts.
pub fn messages(page: &Answer) -> Vec<String> {
    let parts = page.text.split("<p class=\"message ").skip(1);
    let texts = parts.filter_map(|part| Some(part.split_once('>')?.1.split_once("</p>")?.0));
    texts.map(str::to_owned).collect()
}

/// What is wrong with the fields of a form.
pub fn field_errors(page: &Answer) -> Vec<String> {
    let lists = page.text.split("<ul class=\"errors\"").skip(1);
    let texts = lists
        .filter_map(|list| list.split_once("</ul>"))
        .flat_map(|(list, _)| {
            list.split("<li>")
                .skip(1)
                .filter_map(|item| item.split_once("</li>"))
        });
    texts.map(|(text, _)| text.to_owned()).collect()
}
