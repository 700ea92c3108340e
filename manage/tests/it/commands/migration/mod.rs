//! Moving in from Django and out again. `data/` has dumps that Django 5.2 wrote of one site with 300
//! synthetic users, what it says of them itself (`expected-stock`), and their passwords.

mod conflicts;
mod cutover;
mod django;
mod forms;
mod interrupted;
mod moves;

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::PathBuf,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use testkit::process::{Ended, run};

use super::process::{Data, Runserver};

const DATA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/commands/migration/data"
);

/// A file of the recorded ones.
fn recorded(name: &str) -> String {
    format!("{DATA}/{name}")
}

/// A recorded file of JSON, unpacked.
fn read_recorded(name: &str) -> Value {
    let file = File::open(recorded(name)).expect("a recorded file");
    serde_json::from_reader(GzDecoder::new(file)).expect("JSON")
}

/// A user of a dump, with some fields of their own.
fn user(pk: u64, username: &str, fields: Value) -> Value {
    let mut all = json!({
        "username": username, "email": "", "first_name": "", "last_name": "", "password": "!",
        "is_active": true, "is_staff": false, "is_superuser": false,
        "date_joined": "2024-01-01T00:00:00Z", "last_login": null, "groups": [],
        "user_permissions": [],
    });
    for (name, value) in fields.as_object().expect("an object") {
        all[name] = value.clone();
    }
    json!({"model": "auth.user", "pk": pk, "fields": all})
}

/// A group of a dump.
fn group(pk: u64, name: &str, permissions: Value) -> Value {
    json!({"model": "auth.group", "pk": pk, "fields": {"name": name, "permissions": permissions}})
}

impl Data {
    /// Writes a dump beside the database.
    fn dump(&self, name: &str, objects: &Value) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, objects.to_string()).expect("a file");
        path
    }

    /// Runs a command on a dump of these objects.
    fn on(&self, line: &str, objects: &Value) -> Ended {
        let path = self.dump("dump.json", objects);
        run(self.command(line).arg(path))
    }

    /// The objects of a model that `dumpdata` writes.
    fn dumped(&self, model: &str) -> Vec<Value> {
        // Wrapped passwords make a note on standard error.
        let ended = run(&mut self.command("dumpdata"));
        let objects: Vec<Value> = serde_json::from_str(&ended.stdout).expect("JSON");
        let of_model = objects
            .into_iter()
            .filter(|object| object["model"] == model);
        of_model.collect()
    }

    /// The fields of the user with an id, as `dumpdata` writes them.
    fn user(&self, pk: u64) -> Value {
        let users = self.dumped("auth.user");
        let mut users = users.into_iter().filter(|user| user["pk"] == pk);
        users
            .next()
            .map_or(Value::Null, |user| user["fields"].clone())
    }
}

/// A packed copy of a file.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// An unpacked copy of a recorded file.
fn unpacked(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = File::open(recorded(name)).expect("a recorded file");
    GzDecoder::new(file).read_to_end(&mut bytes).expect("gzip");
    bytes
}
