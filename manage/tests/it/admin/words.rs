//! The admin's forms take what Django 5.2's take, and refuse the rest in its words.

use testkit::{Answer, Observed, PASSWORD, parsed};

use super::site::{field_errors, messages, user_url};

const P: &str = "a-Long-phrase-1";
const P_NULL: &str = "a-Long-phrase-1\0";
const DIGITS: &str = "12345678";
const REQUIRED: &str = "This field is required.";
const NULL: &str = "Null characters are not allowed.";
const TAKEN: &str = "A user with that username already exists.";
const BAD_NAME: &str = "Enter a valid username. This value may contain only letters, numbers, and \
     @/./+/-/_ characters.";
const BAD_EMAIL: &str = "Enter a valid email address.";
const SHORT: &str = "This password is too short. It must contain at least 8 characters.";
const COMMON: &str = "This password is too common.";
const NUMERIC: &str = "This password is entirely numeric.";
const SIMILAR: &str = "The password is too similar to the username.";
const MISMATCH: &str = "The two password fields didn’t match.";

/// What is said above a form whose fields have errors.
fn note(page: &Answer) -> &str {
    page.find("<p>(Please correct the errors? below.)</p>")
        .unwrap_or_default()
}

fn too_long(limit: usize, length: usize) -> String {
    format!("Ensure this value has at most {limit} characters (it has {length}).")
}

#[tokio::test]
async fn a_new_user_is_refused_in_the_words_of_the_user_creation_form() {
    let site = Observed::start().await;
    let mut browser = site.browser_of("admin").await;
    let (long, long_bad) = ("x".repeat(151), "x!".repeat(90));
    let (wide, very_wide) = ("ﬁ".repeat(76), "ﬁ".repeat(151));
    let max = |length| too_long(150, length);
    for (name, password1, password2, expected) in [
        ("", "", "", vec![REQUIRED, REQUIRED, REQUIRED]),
        ("  ", "", "", vec![REQUIRED, REQUIRED, REQUIRED]),
        ("x", P, "", vec![REQUIRED]),
        ("x", "", P, vec![REQUIRED]),
        ("x", P, "other", vec![MISMATCH]),
        (&long, P, P, vec![&max(151)]),
        (&long_bad, P, P, vec![&max(180)]),
        (&wide, P, P, vec![&max(152)]),
        (&very_wide, P, P, vec![&max(151)]),
        ("x\0", P_NULL, P_NULL, vec![NULL, NULL, NULL]),
        ("x y", P, P, vec![BAD_NAME]),
        ("admin", DIGITS, DIGITS, vec![TAKEN, COMMON, NUMERIC]),
        ("ADMIN", P, P, vec![TAKEN]),
        ("ａｄｍｉｎ", P, P, vec![TAKEN]),
        ("verylike", "verylike1", "verylike1", vec![SIMILAR]),
        ("xx", "12345", "12345", vec![SHORT, COMMON, NUMERIC]),
        ("x y", "12345", "12346", vec![BAD_NAME, MISMATCH]),
        ("x", " a-Long-phrase-1", P, vec![MISMATCH]),
    ] {
        let fields = [
            ("username", name),
            ("password1", password1),
            ("password2", password2),
        ];
        let page = browser.post("/admin/auth/user/add/", &fields).await;
        page.assert_status(200);
        assert_eq!(field_errors(&page), expected, "{name:?} {password1:?}");
    }
    let fields = [("username", "x")];
    let page = browser.post("/admin/auth/user/add/", &fields).await;
    assert_eq!(field_errors(&page), [REQUIRED, REQUIRED]);
    assert_eq!(note(&page), "Please correct the errors below.");
    let weak = [
        ("username", "xx"),
        ("password1", "12345"),
        ("password2", "12345"),
    ];
    let page = browser.post("/admin/auth/user/add/", &weak).await;
    assert_eq!(note(&page), "Please correct the error below.");
}

#[tokio::test]
async fn a_changed_user_is_refused_in_the_words_of_the_user_change_form() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.browser_of("admin").await;
    let long = "x".repeat(151);
    let (bad_email, email) = (
        format!("a@{}.com", "b".repeat(260)),
        format!("{}@example.com", "a".repeat(250)),
    );
    let name = too_long(150, 151);
    for (fields, expected) in [
        (vec![("username", "")], vec![REQUIRED]),
        (vec![("username", "admin")], vec![TAKEN]),
        (
            vec![
                ("username", long.as_str()),
                ("first_name", &long),
                ("last_name", &long),
                ("email", &bad_email),
            ],
            vec![name.as_str(), &name, &name, BAD_EMAIL, &too_long(254, 266)],
        ),
        (vec![("email", &email)], vec![&too_long(254, 262)]),
        (
            vec![("username", "a b"), ("email", "<b>")],
            vec![BAD_NAME, BAD_EMAIL],
        ),
        (
            vec![("username", "a\0"), ("first_name", "\0"), ("email", "\0")],
            vec![NULL, NULL, BAD_EMAIL, NULL],
        ),
        (
            vec![("email", "ADMIN@example.com")],
            vec!["User with this Email address already exists."],
        ),
    ] {
        let page = browser.post(&user_url(&ann, "change"), &fields).await;
        page.assert_status(200);
        assert_eq!(field_errors(&page), expected, "{fields:?}");
    }
    assert_eq!(site.read(ann.id).await, ann);
    // A change of a name may differ from another only in case.
    let admin = [("username", "ADMIN")];
    let answer = browser.post(&user_url(&ann, "change"), &admin).await;
    answer.assert_status(302);
}

#[tokio::test]
async fn a_choice_that_does_not_exist_is_an_error_and_changes_nothing() {
    let site = Observed::start().await;
    let editors = site.group("Editors", &["auth.view_user"]).await;
    let ann = site.user("ann").joins([&editors]).await;
    let mut browser = site.browser_of("admin").await;
    let no_value = |text: &str| format!("“{text}” is not a valid value.");
    let no_choice =
        |text: &str| format!("Select a valid choice. {text} is not one of the available choices.");
    let huge = "9".repeat(30);
    for (values, expected) in [
        (vec!["x"], no_value("x")),
        (vec![""], no_value("")),
        (vec!["1.0"], no_value("1.0")),
        (vec!["77", "x", "1"], no_value("x")),
        (vec!["1", "77"], no_choice("77")),
        (vec!["-1"], no_choice("-1")),
        (vec!["0"], no_choice("0")),
        (vec![" 1 "], no_choice(" 1 ")),
        (vec!["01", "1"], no_choice("01")),
        (vec![huge.as_str()], no_choice(&huge)),
    ] {
        for (path, field) in [
            (user_url(&ann, "change"), "groups"),
            (user_url(&ann, "change"), "user_permissions"),
            ("/admin/auth/group/1/change/".to_owned(), "permissions"),
            ("/admin/auth/group/add/".to_owned(), "permissions"),
        ] {
            let mut fields = vec![("name", "Board"), ("first_name", "Ann")];
            fields.extend(values.iter().map(|value| (field, *value)));
            let page = browser.post(&path, &fields).await;
            page.assert_status(200);
            assert_eq!(field_errors(&page), [expected.as_str()], "{path} {field}");
        }
    }
    assert_eq!(site.read(ann.id).await, ann);
    assert_eq!(site.table.groups().await.unwrap(), [editors]);
}

#[tokio::test]
async fn groups_and_permissions_are_refused_in_djangos_words() {
    let site = Observed::start().await;
    site.group("Editors", &[]).await;
    let mut browser = site.browser_of("admin").await;
    let group = "/admin/auth/group/add/";
    let permission = "/admin/auth/permission/add/";
    let (name, codename) = ("x".repeat(256), "x".repeat(101));
    let unknown = "Select a valid choice. That choice is not one of the available choices.";
    for (path, fields, expected) in [
        (group, vec![], vec![REQUIRED]),
        (group, vec![("name", " ")], vec![REQUIRED]),
        (
            group,
            vec![("name", "Editors")],
            vec!["Group with this Name already exists."],
        ),
        (group, vec![("name", &name)], vec![&too_long(150, 256)]),
        (group, vec![("name", "x\0")], vec![NULL]),
        (
            group,
            vec![("name", ""), ("permissions", "x")],
            vec![REQUIRED, "“x” is not a valid value."],
        ),
        (permission, vec![], vec![REQUIRED, REQUIRED, REQUIRED]),
        (
            permission,
            vec![
                ("name", &name),
                ("codename", &codename),
                ("content_type", "auth.user"),
            ],
            vec![&too_long(255, 256), &too_long(100, 101)],
        ),
        (
            permission,
            vec![("name", "n"), ("codename", "c"), ("content_type", "auth.x")],
            vec![unknown],
        ),
        (
            permission,
            vec![
                ("name", ""),
                ("codename", "add_user"),
                ("content_type", "auth.user"),
            ],
            vec![REQUIRED],
        ),
    ] {
        let page = browser.post(path, &fields).await;
        page.assert_status(200);
        assert_eq!(field_errors(&page), expected, "{path} {fields:?}");
    }
    let exists = "Permission with this Content type and Codename already exists.";
    for (name, errors) in [("n", 0), ("", 1)] {
        let fields = [
            ("name", name),
            ("codename", "add_user"),
            ("content_type", "auth.user"),
        ];
        let page = browser.post(permission, &fields).await;
        page.assert_says(exists);
        assert_eq!(field_errors(&page).len(), errors);
    }
    // Group names are unique with regard to case.
    let answer = browser.post(group, &[("name", "editors")]).await;
    answer.assert_status(302);
}

#[tokio::test]
async fn new_passwords_are_refused_in_djangos_words() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut browser = site.browser_of("admin").await;
    let similar = "The password is too similar to the email address.";
    for (password1, password2, expected) in [
        ("", "", vec![REQUIRED, REQUIRED]),
        (P, "", vec![REQUIRED]),
        (P, "other", vec![MISMATCH]),
        ("12345", "12345", vec![SHORT, COMMON, NUMERIC]),
        ("ann@example.com", "ann@example.com", vec![similar]),
        (P_NULL, P_NULL, vec![NULL, NULL]),
    ] {
        let fields = [("password1", password1), ("password2", password2)];
        let page = browser.post(&user_url(&ann, "password"), &fields).await;
        assert_eq!(field_errors(&page), expected, "{password1:?}");
    }
    let padded = format!(" {PASSWORD} ");
    let wrong = "Your old password was entered incorrectly. Please enter it again.";
    for (old, password1, password2, expected) in [
        ("", "", "", vec![REQUIRED, REQUIRED, REQUIRED]),
        ("x", P, P, vec![wrong]),
        ("x", P, "x", vec![wrong, MISMATCH]),
        (&padded, P, P, vec![wrong]),
        (PASSWORD, "12345", "12345", vec![SHORT, COMMON, NUMERIC]),
    ] {
        let fields = [
            ("old_password", old),
            ("password1", password1),
            ("password2", password2),
        ];
        let page = browser.post("/admin/password_change/", &fields).await;
        assert_eq!(field_errors(&page), expected, "{old:?} {password1:?}");
    }
}

#[tokio::test]
async fn a_username_is_normalised_at_the_login() {
    let site = Observed::start().await;
    site.user("wide").staff().await;
    for (typed, status) in [
        ("ｗｉｄｅ", 302),
        (" wide ", 302),
        ("WIDE", 200),
        ("wi de", 200),
    ] {
        let answer = site.browser().log_in(typed, PASSWORD).await;
        assert_eq!(answer.status, status, "{typed:?}");
    }
}

#[tokio::test]
async fn the_spaces_around_a_password_belong_to_it() {
    let site = Observed::start().await;
    let padded = "  a-Long-phrase-1 ";
    // Its hash is imported: no form has trimmed it.
    let old = site.user("old").staff().await;
    site.set_password(&old, padded).await;
    let ann = site.user("ann").staff().await;
    let mut browser = site.browser_of("admin").await;
    let fields = [("password1", padded), ("password2", padded)];
    let answer = browser.post(&user_url(&ann, "password"), &fields).await;
    answer.assert_status(302);
    let new = [&[("username", "new")], fields.as_slice()].concat();
    let answer = browser.post("/admin/auth/user/add/", &new).await;
    answer.assert_status(302);
    let made = site.table.user_by_name(&parsed("new")).await.unwrap();
    site.change(&made.unwrap(), |user| user.is_staff = true)
        .await;
    for username in ["old", "ann", "new"] {
        let refused = site.browser().log_in(username, P).await;
        let seen = (refused.status, messages(&refused).len());
        assert_eq!(seen, (200, 1), "{username}");
        let answer = site.browser().log_in(username, padded).await;
        assert_eq!(answer.status, 302, "{username}");
    }
    let mut browser = site.browser();
    browser.log_in("ann", padded).await;
    let own = [&[("old_password", padded)], fields.as_slice()].concat();
    let answer = browser.post("/admin/password_change/", &own).await;
    answer.assert_status(302);
    let answer = site.browser().log_in("ann", padded).await;
    answer.assert_status(302);
}
