//! The round trip with real Django: Django, here, Django, here. Runs where Python has Django with its
//! hashers, and says so where it does not.

use std::{env, process::Command};

use testkit::process::run;

use super::Data;

const SITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/commands/migration/site.py"
);

/// A Python that has what the site needs.
fn python() -> Option<String> {
    let python = env::var("DJANGO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let needs = "import django, argon2, bcrypt, yaml";
    let tried = Command::new(&python).args(["-c", needs]).output();
    tried
        .is_ok_and(|tried| tried.status.success())
        .then_some(python)
}

#[test]
fn a_round_trip_with_real_django_loses_nothing() {
    let Some(python) = python() else {
        eprintln!("skipped: no Python with Django, argon2-cffi, bcrypt and PyYAML (DJANGO_PYTHON)");
        return;
    };
    let data = &Data::new();
    let site = |database: &str, line: &str| {
        let mut command = Command::new(&python);
        let database = data.path().join(database);
        command.arg(SITE).arg(database).args(line.split(' '));
        run(command.current_dir(data.path())).succeeded()
    };
    site("one.db", "migrate -v0");
    site("one.db", "fill");
    for format in ["json", "jsonl", "xml", "yaml"] {
        let output = format!("one.{format}");
        site(
            "one.db",
            &format!("dumpdata --natural-foreign --format {format} -o {output} -v0"),
        );
    }
    let file = |name: &str| data.path().join(name);
    run(data.command("loaddata --log-entries").arg(file("one.xml"))).succeeded();
    for format in ["json", "jsonl", "xml", "yaml"] {
        run(data
            .command("verifydump")
            .arg(file(&format!("one.{format}"))))
        .succeeded();
    }
    data.assert_sound();
    let mut dump = data.command("dumpdata --log-entries");
    run(dump.arg("--output").arg(file("back.json"))).succeeded();
    site("two.db", "migrate -v0");
    site("two.db", "loaddata back.json");
    assert_eq!(site("two.db", "facts"), site("one.db", "facts"));
    site(
        "two.db",
        "dumpdata --natural-foreign --format xml -o two.xml -v0",
    );
    run(data.command("verifydump").arg(file("two.xml"))).succeeded();
}
