//! `syncpermissions`: permissions that another application declares.

use std::fs;

use serde_json::{Value, json};
use testkit::{
    PASSWORD,
    process::{Ended, run},
};

use super::process::Data;

const FIRST: &str = r#"[
    {"content_type": "blog.post", "codename": "publish_post", "name": "Can publish post"},
    {"content_type": "blog.post", "codename": "view_post", "name": "Can view post"}
]"#;
const SECOND: &str = r#"
[[permissions]]
content_type = "blog.post"
codename = "publish_post"
name = "May publish posts"

[[permissions]]
content_type = "blog.comment"
codename = "hide_comment"
name = "Can hide comment"
"#;

fn sync(data: &Data, name: &str, text: &str, options: &str) -> Ended {
    let file = data.path().join(name);
    fs::write(&file, text).expect("a file");
    let mut command = data.command(&format!("syncpermissions {options}"));
    run(command.arg(&file))
}

/// The permissions of the application `blog`, as the API lists them.
async fn listed(data: &Data) -> Value {
    let server = data.serve();
    let token = server.log_in("admin", PASSWORD).await;
    let all = server.get(&token, "permissions/").await;
    assert!(all.list().len() >= 12, "the stock permissions stay");
    let shown = |one: &Value| json!([one["content_type"], one["codename"], one["name"]]);
    let of_blog = |one: &&Value| {
        let of = one["content_type"].as_str().unwrap_or_default();
        of.starts_with("blog.")
    };
    all.list().iter().filter(of_blog).map(shown).collect()
}

#[tokio::test]
async fn what_is_missing_is_added_what_differs_renamed_and_only_with_prune_removed() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    let plan = "declare blog.post\n\
                add blog.post publish_post (Can publish post)\n\
                add blog.post view_post (Can view post)\n";
    let shown = sync(data, "a.json", FIRST, "--dry-run").succeeded();
    assert_eq!(shown, format!("{plan}3 change(s) to make.\n"));
    assert_eq!(listed(data).await, json!([]), "a dry run does nothing");
    let done = sync(data, "a.json", FIRST, "").succeeded();
    assert_eq!(done, format!("{plan}3 change(s) made.\n"));
    let first = json!([
        ["blog.post", "publish_post", "Can publish post"],
        ["blog.post", "view_post", "Can view post"],
    ]);
    assert_eq!(listed(data).await, first);
    let again = sync(data, "a.json", FIRST, "--prune").succeeded();
    assert_eq!(again, "Nothing to do.\n");

    let done = sync(data, "a.toml", SECOND, "").succeeded();
    let changes = "declare blog.comment\n\
                   add blog.comment hide_comment (Can hide comment)\n\
                   rename blog.post publish_post to May publish posts\n";
    assert_eq!(done, format!("{changes}3 change(s) made.\n"));
    let done = sync(data, "a.toml", SECOND, "--prune").succeeded();
    assert_eq!(done, "remove blog.post view_post\n1 change(s) made.\n");
    let second = json!([
        ["blog.comment", "hide_comment", "Can hide comment"],
        ["blog.post", "publish_post", "May publish posts"],
    ]);
    assert_eq!(listed(data).await, second);
    data.assert_sound();
}

#[test]
fn a_file_that_declares_no_permissions_changes_nothing_and_says_why() {
    let data = Data::new();
    let twice = FIRST.replace("view_post", "publish_post");
    for (name, text, reason) in [
        ("a.json", "{", "expected a sequence"),
        (
            "a.json",
            r#"[{"codename": "x", "name": "X"}]"#,
            "content_type",
        ),
        (
            "a.json",
            r#"[{"content_type": "blog", "codename": "x", "name": "X"}]"#,
            "'blog' is no app_label.model",
        ),
        (
            "a.json",
            r#"[{"content_type": "b.c", "codename": "", "name": "X"}]"#,
            "a codename is empty",
        ),
        ("a.toml", "[[permission]]", "permission"),
        ("a.json", &twice, "declared twice"),
    ] {
        let line = sync(&data, name, text, "").failed();
        assert!(line.contains(name) && line.contains(reason), "{line}");
    }
}

#[tokio::test]
async fn more_permissions_than_there_may_be_are_refused_before_anything_is_written() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    let declared = |count: usize| -> String {
        let one = |number: usize| {
            let codename = format!("do_{number}");
            json!({"content_type": "blog.post", "codename": codename, "name": "Can do"})
        };
        let all: Value = (0..count).map(one).collect();
        all.to_string()
    };
    // The table has twelve of its own.
    let line = sync(data, "a.json", &declared(1989), "").failed();
    let text = "nothing was written: There may be no more than 2000 permissions.";
    assert!(line.contains(text), "{line}");
    assert_eq!(listed(data).await, json!([]));
}
