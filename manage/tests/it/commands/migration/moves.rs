//! A second load, an account in the way, fields of a custom model, one person's data.

use serde_json::{Value, json};
use testkit::{PASSWORD, process::run};

use super::{Data, group, user};

#[tokio::test]
async fn an_update_brings_what_changed_in_django_since() {
    let data = &Data::new();
    let hash = "pbkdf2_sha256$10000$abcdefghijkl$s0bAh/ZlTGvl1OGnPrPJW/A+zkHiusNi5X3e23aR7zg=";
    let first = json!([
        group(1, "A", json!([])),
        group(2, "B", json!([])),
        user(
            1,
            "boss",
            json!({"is_superuser": true, "email": "boss@example.com"})
        ),
        user(
            2,
            "ann",
            json!({"email": "a@example.com", "groups": [1], "password": hash})
        ),
        user(
            3,
            "ben",
            json!({"email": "b@example.com", "date_joined": "2024-01-02T00:00:00Z"})
        ),
    ]);
    let mut second = first.clone();
    // Ben is renamed and takes Ann's old address; Ann is in the other group; Cem is new and shares
    // the boss's address.
    second[3]["fields"]["email"] = json!("ann@example.com");
    second[3]["fields"]["groups"] = json!([2]);
    second[4]["fields"]["email"] = json!("a@example.com");
    second[4]["fields"]["username"] = json!("benjamin");
    let cem = user(4, "cem", json!({"email": "BOSS@example.com"}));
    second.as_array_mut().expect("an array").insert(0, cem);
    data.on("loaddata", &first).succeeded();
    let refused = data.on("loaddata", &second);
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert!(
        refused
            .stdout
            .contains("user 2 'ann': Email address, Groups"),
        "{refused:?}"
    );
    data.on("verifydump", &first).succeeded();
    let skipped = data.on("loaddata --on-conflict skip", &second).succeeded();
    let last = "1 user(s). Users changed: 0, as they were: 1, skipped: 2.\n";
    assert!(skipped.ends_with(last), "{skipped}");
    let updated = data.on("loaddata --update", &second).succeeded();
    let last = "0 user(s). Users changed: 2, as they were: 2, skipped: 0.\n";
    assert!(updated.ends_with(last), "{updated}");
    data.on("verifydump", &second).succeeded();
    let again = data.on("loaddata", &second).succeeded();
    assert!(
        again.ends_with("Users changed: 0, as they were: 4, skipped: 0.\n"),
        "{again}"
    );
    data.assert_sound();
    let differs = data.on("verifydump", &first);
    assert_eq!(differs.status, Some(1));
    assert!(differs.stdout.contains("user 3 'ben'"), "{differs:?}");
}

#[tokio::test]
async fn the_superuser_made_before_the_load_can_be_moved() {
    let data = &Data::new();
    data.make("createsuperuser --username admin --email admin@example.com");
    let users = json!([user(1, "joe", json!({})), user(2, "ann", json!({}))]);
    data.on("loaddata --move-user admin", &users).succeeded();
    data.assert_sound();
    assert_eq!(data.user(1)["username"], "joe");
    assert_eq!(data.user(1)["is_superuser"], false);
    assert_eq!(data.user(3)["username"], "admin");
    let server = data.serve();
    server.log_in("admin", PASSWORD).await;
    drop(server);
    data.on("loaddata --move-user admin", &users).succeeded();
    assert_eq!(data.dumped("auth.user").len(), 3);
}

#[test]
fn further_fields_of_a_custom_model_are_kept() {
    let data = &Data::new();
    let objects = json!([{
        "model": "accounts.user", "pk": 7, "fields": {
            "email": "ann@example.com", "password": "!", "is_superuser": false, "is_staff": true,
            "is_active": true, "last_login": null, "boss": 7, "phone": "+49 30 1", "birth_date": "1990-01-02", "score": 1.50,
            "flags": {"b": 1, "a": null}, "groups": [], "user_permissions": [],
        },
    }]);
    let left_out = data.on("loaddata", &objects).succeeded();
    assert!(
        left_out.contains("Left out: 1 accounts.user."),
        "{left_out}"
    );
    let options = "--user-model accounts.User --username-field email";
    data.on(&format!("loaddata {options}"), &objects)
        .succeeded();
    data.on(&format!("verifydump {options}"), &objects)
        .succeeded();
    // The model of the load, without the names that it lacks, unless told otherwise.
    for (options, model) in [("", "accounts.user"), (options, "accounts.User")] {
        let line = format!("dumpdata {options} --format jsonl");
        let text = run(&mut data.command(&line)).succeeded();
        let last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        let fields = &objects[0]["fields"];
        assert_eq!(last, json!({"model": model, "pk": 7, "fields": fields}));
    }
    let line = "dumpdata --user-model auth.user --username-field username --format jsonl";
    let text = run(&mut data.command(line)).succeeded();
    assert!(text.contains(r#""first_name":"""#), "{text}");
    data.assert_sound();
}

#[tokio::test]
async fn one_persons_data_is_given_and_erased_from_the_log_too() {
    let data = &Data::new();
    data.make("createsuperuser --username admin");
    data.make("createuser --username ann --email ann@example.com --staff");
    data.make("createuser --username bob --email bob@example.com");
    let server = data.serve();
    let token = server.log_in("admin", PASSWORD).await;
    let answer = server
        .patch(&token, "users/2/", json!({"first_name": "Ann"}))
        .await;
    assert_eq!(answer.status, 200);
    server.log_in("ann", PASSWORD).await;
    let answer = server.delete(&token, "users/3/").await;
    assert_eq!(answer.status, 204);
    drop(server);
    let exported = run(data.command("exportuser").arg("ann")).succeeded();
    let exported: Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!(exported["email"], "ann@example.com");
    assert_eq!(
        exported["changes_of_the_user"][1]["change"],
        "Changed First name."
    );
    assert_eq!(exported["sessions"].as_array().map(Vec::len), Some(1));
    assert!(!exported.to_string().contains("argon2"), "{exported}");
    let erased = run(data.command("eraseuser").arg("ann")).succeeded();
    assert_eq!(
        erased,
        "Erasing user 2. If this is interrupted: eraseuser --id 2\n\
         User 'ann' is erased, with 3 entries of the log of changes.\n"
    );
    // As an erasure leaves it that was interrupted.
    let erased = run(&mut data.command("eraseuser --id 3")).succeeded();
    assert_eq!(
        erased,
        "User '3' is erased, with 2 entries of the log of changes.\n"
    );
    let left = run(&mut data.command("dumpdata --log-entries")).succeeded();
    assert!(!left.contains("ann") && !left.contains("bob"), "{left}");
    let there = run(&mut data.command("eraseuser --id 1"));
    assert_eq!(there.stderr, "Error: user 1 exists: eraseuser admin\n");
    data.assert_sound();
    let last = run(data.command("eraseuser").arg("admin"));
    assert_eq!(last.stderr, "Error: no active superuser would remain\n");
}
