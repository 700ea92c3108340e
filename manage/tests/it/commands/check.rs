//! `check`: whether a table contradicts itself.

use shared::store::{Store, connect_to, keys::Entity, table::attributes};

use super::process::{Runserver, directory, manage_in, run};

const PASSWORD: &str = "a-Long-phrase-1";

#[test]
fn a_table_in_order_passes_with_and_without_runserver() {
    let data = directory();
    let server = Runserver::start(data.path());
    server.api.register("ann", PASSWORD);
    let check = || run(&mut manage_in(data.path(), &["check"])).succeeded();
    assert_eq!(check(), "The table is consistent.\n");
    server.stop();
    assert_eq!(check(), "The table is consistent.\n");
}

#[tokio::test]
async fn what_is_broken_is_listed_a_line_each() {
    let data = directory();
    let server = Runserver::start(data.path());
    let ann = server.api.register("ann", PASSWORD);
    let client = connect_to(&server.dynamodb);
    let store = Store::new(client, "users");
    let (client, table) = store.table().parts();
    let user = shared::domain::UserId(ann);
    for entity in [Entity::Credential(user), Entity::ActiveSuperusers] {
        client
            .delete_item()
            .table_name(table)
            .set_key(Some(attributes(&entity.key())))
            .send()
            .await
            .expect("an item less");
    }

    let ended = run(&mut manage_in(data.path(), &["check"]));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{ended:?}");
    assert!(
        lines.contains(&format!("user {ann} has no credential").as_str()),
        "{ended:?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("the active superusers are")),
        "{ended:?}"
    );
    assert!(ended.failed().contains("2 invariants are broken"));
}

#[test]
fn a_directory_without_a_database_is_no_consistent_table() {
    let data = directory();
    let nowhere = data.path().join("nowhere");
    for arguments in [&["check"][..], &["changepassword", "--noinput", "ann"]] {
        let line = run(&mut manage_in(&nowhere, arguments)).failed();
        assert_eq!(
            line,
            format!("there is no database in {}", nowhere.display())
        );
    }
    assert!(!nowhere.exists());
}
