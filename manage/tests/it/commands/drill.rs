//! `drill`: a restore from the backup to the proof, and nothing left behind.

use aws_sdk_dynamodb::Client;
use regex_lite::Regex;
use shared::{
    domain::UserName,
    store::{Store, connect_to, items::attributes, keys::Entity},
};
use testkit::{PASSWORD, process::run};

use super::{
    process::{Data, Runserver},
    table::on_table,
};

/// What is printed, without times and the copy's name.
fn settled(printed: &str) -> String {
    let times = Regex::new(r"\(\d+\.\d s\)").unwrap();
    let name = Regex::new(r"users-drill-\d+").unwrap();
    let printed = times.replace_all(printed, "(time)");
    name.replace_all(&printed, "COPY").into_owned()
}

async fn tables(client: &Client) -> Vec<String> {
    let tables = client.list_tables().send().await.expect("the tables");
    tables.table_names.unwrap_or_default()
}

/// The usernames that begin as those of the drill.
async fn left_behind(server: &Runserver) -> usize {
    let admin = server.admin_token().await;
    let found = server.get(&admin, "users/?search=drill-").await;
    found.body.as_array().expect("a list").len()
}

const STEPS: &str = "\
back up (time): This database has no backups: its items were copied one by one.
restore (time): COPY has all N items.
make safe (time): Sequences are raised, the sessions of 3 users ended. Items expire. This database has \
no point-in-time recovery. Deletion protection is on. The signing key is not replaced, since the table \
in use has the same.
re-point (time): The API answers from the copy. A stack does by: sam deploy --parameter-overrides \
ExistingTableName=COPY
check (time): A user logs in, no token from before is taken, the next user gets an id that nobody had, \
and the copy is consistent.
";

fn assert_told(printed: &str, end: &str) {
    let count = Regex::new(r"all \d+ items").unwrap();
    let printed = settled(printed);
    let printed = count.replace(&printed, "all N items");
    assert_eq!(printed, format!("{STEPS}{end}"));
}

#[tokio::test]
async fn a_drill_proves_the_restore_and_leaves_nothing_behind() {
    let server = Runserver::in_memory();
    server.register("ann").await.assert_status(201);
    let printed = run(&mut on_table(&server.dynamodb, "users", "drill")).succeeded();
    let end = "clean up (time): The accounts of the drill and the copy are deleted.\n\
               The drill succeeded.\n";
    assert_told(&printed, end);
    assert_eq!(tables(&connect_to(&server.dynamodb)).await, ["users"]);
    assert_eq!(left_behind(&server).await, 0);
    server.log_in("ann", PASSWORD).await;
    let check = run(&mut on_table(&server.dynamodb, "users", "check")).succeeded();
    assert_eq!(check, "The table is consistent.\n");
}

#[tokio::test]
async fn a_kept_copy_is_safe_to_use() {
    let server = Runserver::in_memory();
    let ann = server.register("ann").await.id();
    let printed = run(&mut on_table(&server.dynamodb, "users", "drill --keep")).succeeded();
    let end = "clean up (time): The accounts of the drill are deleted. The copy stays: COPY.\n\
               The drill succeeded.\n";
    assert_told(&printed, end);
    assert_eq!(left_behind(&server).await, 0);
    let client = connect_to(&server.dynamodb);
    let tables = tables(&client).await;
    let [_, copy] = tables.as_slice() else {
        panic!("{tables:?}")
    };
    let check = run(&mut on_table(&server.dynamodb, copy, "check")).succeeded();
    assert_eq!(check, "The table is consistent.\n");
    let kept = Store::new(client.clone(), copy);
    let name: UserName = manage::parsed("ann").unwrap();
    let user = kept.user_by_name(&name).await.unwrap().expect("ann");
    assert_eq!((user.id.0, user.epoch), (ann, 1));
    let table = client.describe_table().table_name(copy).send().await;
    let table = table.unwrap().table.expect("a description");
    assert_eq!(table.deletion_protection_enabled, Some(true));
}

#[tokio::test]
async fn a_step_that_fails_is_named_and_all_is_cleaned_up() {
    let server = Runserver::in_memory();
    server.register("ann").await.assert_status(201);
    let client = connect_to(&server.dynamodb);
    let name: UserName = manage::parsed("ann").unwrap();
    let key = attributes(&Entity::UserName(&name).key());
    let delete = client.delete_item().table_name("users").set_key(Some(key));
    delete.send().await.unwrap();
    let ended = run(&mut on_table(&server.dynamodb, "users", "drill"));
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let line = "Error: check failed: the copy is not consistent: ";
    assert!(ended.stderr.starts_with(line), "{ended:?}");
    assert!(ended.stdout.contains("\nclean up ("), "{ended:?}");
    assert_eq!(tables(&client).await, ["users"]);
    assert_eq!(left_behind(&server).await, 0);
}

#[test]
fn a_database_of_this_machine_is_drilled_without_a_server() {
    let data = Data::new();
    data.make("createsuperuser --username root");
    let printed = run(&mut data.command("drill")).succeeded();
    assert!(printed.ends_with("\nThe drill succeeded.\n"), "{printed}");
    data.assert_sound();
}
