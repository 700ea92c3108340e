//! `check`: whether a table contradicts itself.

use shared::{
    domain::UserId,
    store::{Store, connect_to, items::attributes, keys::Entity},
};
use testkit::{TABLE, process::run};

use super::process::{Data, manage};

#[tokio::test]
async fn a_table_in_order_passes_with_and_without_runserver() {
    let data = Data::new();
    let server = data.serve();
    server.register("ann").await.assert_status(201);
    data.assert_sound();
    server.stop();
    data.assert_sound();
}

#[tokio::test]
async fn what_is_broken_is_listed_a_line_each() {
    let data = Data::new();
    let server = data.serve();
    let ann = server.register("ann").await.id();
    let store = Store::new(connect_to(&server.dynamodb), TABLE);
    let (client, table) = store.table().parts();
    for entity in [Entity::Credential(UserId(ann)), Entity::ActiveSuperusers] {
        let delete = client.delete_item().table_name(table);
        let delete = delete.set_key(Some(attributes(&entity.key())));
        delete.send().await.expect("an item less");
    }

    let ended = run(&mut data.command("check"));
    let mut lines: Vec<&str> = ended.stdout.lines().collect();
    lines.sort_unstable();
    let [superusers, credential] = lines[..] else {
        panic!("{ended:?}");
    };
    assert!(
        superusers.starts_with("the active superusers are"),
        "{ended:?}"
    );
    assert_eq!(credential, format!("user {ann} has no credential"));
    assert!(ended.failed().contains("2 invariants are broken"));
}

#[test]
fn a_directory_without_a_database_is_no_consistent_table() {
    let data = Data::new();
    let nowhere = data.path().join("nowhere");
    for line in ["check", "changepassword --noinput ann"] {
        let line = run(manage(line).arg("--data").arg(&nowhere)).failed();
        let expected = format!("there is no database in {}", nowhere.display());
        assert_eq!(line, expected);
    }
    assert!(!nowhere.exists());
}
