//! A site of any size, loaded as a dump.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    time::Instant,
};

use manage::{
    engine::{Access, Engine, LOOPBACK, Opened},
    init,
    loaddata::{Settings, load},
};
use serde_json::json;
use shared::store::{Store, connect_to};
use tempfile::TempDir;
use testkit::TABLE;

/// Django's own hash of [`PASSWORD`] with the salt `seasalt`.
const HASH: &str = "pbkdf2_sha256$1$seasalt$mJQ8D8xVBAKQGCo0t0n+NSPS2a0gQhVtjuC9LdL9WiM=";
/// The password of everybody.
pub const PASSWORD: &str = "lètmein";
/// The groups: half of all users are in the first one, and all in one of the others.
const GROUPS: u64 = 5;
/// One user of so many is deactivated, one of so many staff.
const INACTIVE: u64 = 7;
const STAFF: u64 = 5;

/// An embedded database with users.
pub struct Site {
    pub engine: Engine,
    _directory: TempDir,
}

/// Makes and loads a database, and tells how fast that was and with how much memory.
pub async fn fill(users: u64) -> Site {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = Engine::open(directory.path(), LOOPBACK, Access::Alone).await;
    let Ok(Opened::Here(engine)) = opened else {
        panic!("the database cannot be opened");
    };
    let client = connect_to(&engine.endpoint());
    let made = init::create_table(&client, TABLE).await;
    made.expect("a table");
    let store = Store::new(client, TABLE);
    init::stock(&store).await.expect("the stock permissions");
    let dump = directory.path().join("dump.json");
    write(&dump, users).expect("a dump");
    let started = Instant::now();
    let loaded = load(&store, &Settings::of(vec![dump])).await;
    loaded.expect("a load");
    let rate = users as f64 / started.elapsed().as_secs_f64();
    println!(
        "{users} users: loaded at {rate:.0} a second, most memory so far {} MB",
        most_memory()
    );
    Site {
        engine,
        _directory: directory,
    }
}

/// Writes a dump of users who all hold one permission.
fn write(path: &Path, users: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for id in 1..=GROUPS + 1 {
        let fields = json!({"name": format!("group {id}"), "permissions": []});
        let group = json!({"model": "auth.group", "pk": id, "fields": fields});
        writeln!(file, "{group}")?;
    }
    for id in 1..=users {
        let mut groups = vec![id % GROUPS + 2];
        if id % 2 == 0 {
            groups.push(1);
        }
        // The last ones are the only ones of their name.
        let first_name = if id > users - 5 { "Zoë" } else { "Ann" };
        let fields = json!({
            "username": username(id), "email": format!("mail{id}@example.com"),
            "first_name": first_name, "last_name": "Example", "password": HASH,
            "is_staff": id % STAFF == 1, "is_active": id % INACTIVE != 0, "is_superuser": id == 1,
            "groups": groups, "user_permissions": [["view_permission", "auth", "permission"]],
            "date_joined": "2024-01-01T00:00:00Z", "last_login": null,
        });
        writeln!(
            file,
            "{}",
            json!({"model": "auth.user", "pk": id, "fields": fields})
        )?;
    }
    file.flush()
}

/// The username of an id. The first one is the superuser.
pub fn username(id: u64) -> String {
    format!("user{id}")
}

/// Whether the user of an id can log in.
pub fn is_active(id: u64) -> bool {
    !id.is_multiple_of(INACTIVE)
}

/// The most memory that this process has held, in MB; 0 where the system does not tell.
pub fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
