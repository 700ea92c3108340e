//! How `loaddata` grows: ten dumps of a tenth of the users each, loaded one after the other into one
//! embedded database; the rate of each beside the first, and the most memory that was held. `USERS` is
//! how many in all, 100,000 unless told: `USERS=1000000 cargo bench -p manage --bench load`.

use std::{
    env,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use manage::{
    engine::{Access, Engine, LOOPBACK, Opened},
    init,
    loaddata::{Settings, load},
    target::EMBEDDED_TABLE,
};
use serde_json::json;
use shared::store::{Store, connect_to};

const PARTS: u64 = 10;
const GROUPS: u64 = 50;
/// Django's own hash of `lètmein` with the salt `seasalt`.
const HASH: &str = "pbkdf2_sha256$1$seasalt$mJQ8D8xVBAKQGCo0t0n+NSPS2a0gQhVtjuC9LdL9WiM=";

#[tokio::main]
async fn main() {
    let users = env::var("USERS").map_or(100_000, |text| text.parse().expect("a number of users"));
    let directory = tempfile::tempdir().expect("a directory");
    let opened = Engine::open(directory.path(), LOOPBACK, Access::Alone).await;
    let Ok(Opened::Here(engine)) = opened else {
        eprintln!("the database cannot be opened");
        return;
    };
    let client = connect_to(&engine.endpoint());
    let made = init::create_table(&client, EMBEDDED_TABLE).await;
    made.expect("a table");
    let store = Store::new(client, EMBEDDED_TABLE);
    init::stock(&store).await.expect("the stock permissions");
    println!(
        "{:>10} {:>10} {:>8} {:>14}",
        "users", "a second", "ratio", "most memory, MB"
    );
    let (each, mut first) = (users / PARTS, None);
    for part in 0..PARTS {
        let dump = directory.path().join("dump.json");
        write(&dump, part * each + 1, each).expect("a dump");
        let started = Instant::now();
        load(&store, &Settings::of(vec![dump]))
            .await
            .expect("a load");
        let rate = each as f64 / started.elapsed().as_secs_f64();
        let ratio = rate / *first.get_or_insert(rate);
        let (loaded, memory) = ((part + 1) * each, most_memory());
        println!("{loaded:>10} {rate:>10.0} {ratio:>8.2} {memory:>14}");
    }
    engine.stop().await;
}

/// Writes a dump of so many users from an id on, half of them in a group.
fn write(path: &Path, from: u64, count: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for id in 1..=GROUPS {
        let fields = json!({"name": format!("group {id}"), "permissions": []});
        writeln!(
            file,
            "{}",
            json!({"model": "auth.group", "pk": id, "fields": fields})
        )?;
    }
    for id in from..from + count {
        let groups = if id % 2 == 0 {
            vec![id % GROUPS + 1]
        } else {
            vec![]
        };
        let fields = json!({
            "username": format!("user{id}"), "email": format!("user{id}@example.com"),
            "first_name": "Ann", "last_name": "Example", "password": HASH, "is_staff": false,
            "is_active": id % 50 != 0, "is_superuser": id == 1, "groups": groups,
            "user_permissions": [], "date_joined": "2024-01-01T00:00:00Z", "last_login": null,
        });
        writeln!(
            file,
            "{}",
            json!({"model": "auth.user", "pk": id, "fields": fields})
        )?;
    }
    file.flush()
}

/// The most memory that this process has held, in MB; 0 where the system does not tell.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
