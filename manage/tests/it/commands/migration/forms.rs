//! Every form of a dump, and every fact in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testkit::process::run;

use super::{Data, packed, read_recorded, recorded, unpacked, user};

const LOAD: &str = "loaddata --allow-weak-hashes";

#[test]
fn every_form_of_a_dump_gives_the_same_table() {
    let data = &Data::new();
    // The only one of these with microseconds.
    run(data.command(LOAD).arg(recorded("stock-auth-nf.xml.gz"))).succeeded();
    data.assert_sound();
    for form in [
        "stock-auth-nf.xml.gz",
        "stock-auth-nf.yaml.gz",
        "stock-auth-nf.jsonl.gz",
        "stock-all-nf.json.gz",
        "stock-auth-ct.json.gz",
    ] {
        let verified = run(data.command("verifydump").arg(recorded(form))).succeeded();
        assert_eq!(
            verified, "The table has every fact of the dump: 300 user(s).\n",
            "{form}"
        );
        let again = run(data.command(LOAD).arg(recorded(form))).succeeded();
        let last = again.lines().last();
        let nothing = "Installed 0 object(s): 0 permission(s), 0 group(s), 0 user(s). Users changed: \
                       0, as they were: 300, skipped: 0.";
        assert_eq!(last, Some(nothing), "{form}");
    }
}

#[test]
fn a_dump_without_ids_is_refused_by_name_and_utf_16_too() {
    let data = &Data::new();
    let refused = run(data.command(LOAD).arg(recorded("stock-auth-np.json.gz")));
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("320 have no id"), "{refused:?}");
    assert!(refused.stdout.contains("--natural-primary"), "{refused:?}");
    let text = String::from_utf8(unpacked("stock-auth-nf.jsonl.gz")).expect("UTF-8");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = ["\u{feff}", text.as_str()].concat().into_bytes();
    for (name, bytes, status) in [("utf16", utf16, 1), ("bom.gz", packed(&marked), 0)] {
        let path = data.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        let ended = run(data.command(LOAD).arg(path));
        assert_eq!(ended.status, Some(status), "{name}: {ended:?}");
        assert_eq!(ended.stderr.contains("UTF-16"), status == 1, "{ended:?}");
    }
}

/// Compared with what Django itself says, by way of `dumpdata` and not of what reads dumps.
#[test]
fn the_table_holds_what_django_says_of_its_users() {
    let data = &Data::new();
    run(data.command(LOAD).arg(recorded("stock-auth-nf.xml.gz"))).succeeded();
    let expected = read_recorded("expected-stock.json.gz");
    let names = |keys: &Value| -> BTreeSet<String> {
        let keys = keys.as_array().expect("an array").iter();
        keys.map(|key| match key {
            Value::Array(parts) => {
                let part = |place: usize| parts[place].as_str().unwrap_or_default();
                format!("{}.{}.{}", part(1), part(2), part(0))
            }
            text => text.as_str().unwrap_or_default().to_owned(),
        })
        .collect()
    };
    let mut group_names = BTreeMap::new();
    for group in data.dumped("auth.group") {
        let pk = group["pk"].to_string();
        let django = &expected["groups"][&pk];
        assert_eq!(group["fields"]["name"], django["name"]);
        assert_eq!(
            names(&group["fields"]["permissions"]),
            names(&django["permissions"])
        );
        group_names.insert(group["fields"]["name"].clone().to_string(), pk);
    }
    assert_eq!(group_names.len(), 20);
    let users = data.dumped("auth.user");
    let wanted = expected["users"].as_array().expect("an array");
    assert_eq!((users.len(), wanted.len()), (300, 300));
    for django in wanted {
        let here = users
            .iter()
            .find(|user| user["pk"] == django["pk"])
            .expect("the user");
        let fields = &here["fields"];
        for name in "username email first_name last_name is_active is_staff is_superuser".split(' ')
        {
            assert_eq!(fields[name], django[name], "{}", django["username"]);
        }
        let time = |value: &Value| value.as_str().map(|text| text.replace("+00:00", "Z"));
        let seconds = |value: &Value| time(value).map(|text| text[..19].to_owned());
        assert_eq!(
            seconds(&fields["date_joined"]),
            seconds(&django["date_joined"])
        );
        assert_eq!(
            seconds(&fields["last_login"]),
            seconds(&django["last_login"])
        );
        assert_eq!(
            names(&fields["user_permissions"]),
            names(&django["user_permissions"])
        );
        let hash = fields["password"].as_str().expect("a hash");
        if !hash.starts_with("wrapped$") {
            assert_eq!(fields["password"], django["hash"]);
        }
    }
}

#[tokio::test]
async fn each_kind_of_password_logs_in_and_no_weak_hash_rests_in_the_table() {
    let data = &Data::new();
    run(data.command(LOAD).arg(recorded("stock-all-nf.json.gz"))).succeeded();
    let expected = read_recorded("expected-stock.json.gz");
    let passwords = read_recorded("passwords-stock.json.gz");
    let users = expected["users"].as_array().expect("an array");
    let is_active = |name: &str| {
        let mut users = users.iter();
        users.any(|user| user["username"] == name && user["is_active"] == true)
    };
    let mut kinds = BTreeMap::new();
    for (name, known) in passwords.as_object().expect("an object") {
        if let (Some(kind), Some(password)) = (known[0].as_str(), known[1].as_str())
            && is_active(name)
        {
            kinds.insert(kind.to_owned(), (name.clone(), password.to_owned()));
        }
    }
    assert!(kinds.len() > 20, "{}", kinds.len());
    let server = data.serve();
    for (kind, (name, password)) in &kinds {
        // More memory than is given to a hash here.
        let status = if kind.contains("1 GiB") { 401 } else { 200 };
        let answer = server.login(name, password).await;
        assert_eq!(
            answer.status, status,
            "{kind}: {name} {password:?} {}",
            answer.text
        );
        if status == 200 {
            let wrong = server.login(name, &format!("{password}x")).await;
            assert_eq!(wrong.status, 401, "{kind}");
        }
    }
    drop(server);
    for user in data.dumped("auth.user") {
        let hash = user["fields"]["password"].as_str().expect("a hash");
        assert!(
            !hash.starts_with("md5$") && !hash.starts_with("sha1$"),
            "{user}"
        );
        let name = user["fields"]["username"].as_str().expect("a name");
        if kinds
            .values()
            .any(|(one, password)| one == name && password.len() < 100)
        {
            assert!(
                hash.starts_with("argon2$argon2id$v=19$m=19456,t=2,p=1$"),
                "{user}"
            );
        }
    }
    // Replaced hashes are Django's still.
    let verified = run(data
        .command("verifydump")
        .arg(recorded("stock-all-nf.json.gz")));
    assert_eq!(verified.status, Some(0), "{verified:?}");
}

#[test]
fn a_dry_run_reports_everything_and_writes_nothing() {
    let data = &Data::new();
    let report = data.path().join("report.json");
    let mut command = data.command("loaddata --dry-run --log-entries");
    let shown = run(command
        .arg("--report")
        .arg(&report)
        .arg(recorded("stock-all-nf.json.gz")));
    assert_eq!(
        shown.status,
        Some(1),
        "weak hashes are in the way: {shown:?}"
    );
    let report: Value =
        serde_json::from_slice(&std::fs::read(report).expect("the report")).expect("JSON");
    let counts: BTreeMap<&str, &Value> = report["findings"]
        .as_object()
        .expect("an object")
        .iter()
        .map(|(kind, finding)| (kind.as_str(), &finding["count"]))
        .collect();
    assert_eq!(counts["weak-hash"], 18);
    assert_eq!(counts["shared-email"], 4);
    assert_eq!(counts["same-in-nfkc"], 3);
    assert_eq!(counts["not-an-address"], 5);
    assert_eq!(counts["unknown-hash"], 1);
    assert_eq!(counts["costly-hash"], 1);
    assert_eq!(report["left_out"]["blog.post"], 20);
    assert_eq!(report["objects"]["auth.user"], 300);
    assert_eq!(report["users"]["new"], 300);
    assert!(report["suggestions"]["LOGIN_FAILURE_TIME"].as_u64() > Some(0));
    assert_eq!(json!(data.dumped("auth.user")), json!([]));
}

#[test]
fn inactive_users_who_never_logged_in_wait_for_their_activation_where_that_is_asked_for() {
    let data = &Data::new();
    let inactive = |last_login: Value| json!({"is_active": false, "last_login": last_login});
    let users = |first_name: &str| {
        let mut new = inactive(Value::Null);
        new["first_name"] = first_name.into();
        json!([
            user(1, "new", new),
            user(2, "gone", inactive(json!("2024-02-01T00:00:00Z"))),
            user(3, "active", json!({})),
        ])
    };
    let waiting = || {
        let waits = |name: &&str| {
            let shown = run(&mut data.command(&format!("showuser --json {name}"))).succeeded();
            let shown: Value = serde_json::from_str(&shown).expect("JSON");
            shown[0]["awaits_activation"] == true
        };
        let names = ["new", "gone", "active"].into_iter();
        names.filter(waits).collect::<Vec<_>>()
    };
    data.on("loaddata --inactive-await-activation", &users("A"))
        .succeeded();
    assert_eq!(waiting(), ["new"]);
    // What is brought later leaves that as it is.
    data.on("loaddata --update", &users("B")).succeeded();
    assert_eq!(data.user(1)["first_name"], "B");
    assert_eq!(waiting(), ["new"]);
    data.assert_sound();
    let other = &Data::new();
    other.on("loaddata", &users("A")).succeeded();
    let shown = run(&mut other.command("showuser --json new")).succeeded();
    assert!(shown.contains("\"awaits_activation\": false"), "{shown}");
}
