//! A load that is killed, and run again.

use serde_json::{Value, json};
use testkit::process::{Process, run};

use super::{Data, group, user};

fn objects(users: u64) -> Value {
    let permission = json!({"model": "auth.permission", "pk": 90, "fields":
        {"name": "P", "codename": "publish", "content_type": ["blog", "post"]}});
    let groups = (1..=20).map(|id| group(id, &format!("Group {id}"), json!([90])));
    let users = (1..=users).map(|id| {
        let fields = json!({
            "email": format!("user{}@example.com", id - u64::from(id % 50 == 0)),
            "groups": [id % 20 + 1],
            "is_staff": id % 10 == 0,
            "is_superuser": id % 400 == 0,
        });
        user(id, &format!("user{id}"), fields)
    });
    [permission]
        .into_iter()
        .chain(groups)
        .chain(users)
        .collect()
}

#[test]
fn a_load_that_is_killed_ends_in_the_same_table_when_it_is_run_again() {
    let (whole, killed, objects) = (&Data::new(), &Data::new(), objects(1500));
    whole.on("loaddata", &objects).succeeded();
    let path = killed.dump("dump.json", &objects);
    let mut load = Process::start(killed.command("loaddata").arg(&path));
    // Printed before the first write: the kill comes somewhere in the middle.
    load.stdout
        .wait("the report", |text| text.contains("Users: ").then_some(()));
    load.kill();
    run(killed.command("loaddata").arg(&path)).succeeded();
    run(killed.command("verifydump").arg(&path)).succeeded();
    let dump = |data: &Data| run(&mut data.command("dumpdata")).succeeded();
    assert_eq!(dump(killed), dump(whole));
    killed.assert_sound();
    let again = run(killed.command("loaddata").arg(&path)).succeeded();
    assert!(again.contains("Installed 0 object(s)"), "{again}");
}
