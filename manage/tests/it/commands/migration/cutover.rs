//! The way over and back: tokens of the Django site, what changes while it goes on, and a dump of what
//! changed here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{
    NOBODY, PASSWORD,
    process::{Process, run},
};

use super::{Data, Runserver, group, user};

const SECRET_KEY: &str = "django-insecure,of-the-tests-0123456789abcdef";

/// A token as SimpleJWT signs it with the site's key.
fn signed(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let message = format!("{}.{}", part(&header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET_KEY.as_bytes()).expect("any length");
    mac.update(message.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{message}.{signature}")
}

/// A token of user 7, whose id the site writes as a number, with a claim of the site's own.
fn of_the_site(kind: &str, jti: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    signed(&json!({
        "token_type": kind, "exp": now + 3000, "iat": now - 10, "jti": jti, "user_id": 7,
        "tenant": "shop",
    }))
}

fn claims(token: &str) -> Value {
    let segment = token.split('.').nth(1).expect("a token");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).expect("base64")).expect("JSON")
}

fn serve(data: &Data, rotates: &str) -> Runserver {
    let mut command = data.command("runserver");
    command.env("SIGNING_KEY", SECRET_KEY);
    Runserver::from(command.env("ROTATE_REFRESH_TOKENS", rotates))
}

#[tokio::test]
async fn tokens_of_the_site_go_on_here_with_its_claims_and_its_blacklist_holds() {
    let data = &Data::new();
    let outstanding = |pk: u64, jti: &str| {
        json!({"model": "token_blacklist.outstandingtoken", "pk": pk, "fields": {
            "user": 7, "jti": jti, "token": "x", "created_at": null,
            "expires_at": "2199-01-01T00:00:00Z",
        }})
    };
    let objects = json!([
        user(7, "ann", json!({})),
        outstanding(1, "logged-out"),
        outstanding(2, "live"),
        {"model": "token_blacklist.blacklistedtoken", "pk": 9, "fields": {
            "token": 1, "blacklisted_at": "2026-01-01T00:00:00Z",
        }},
    ]);
    let loaded = data.on("loaddata --blacklist", &objects).succeeded();
    let last = "Loaded 0 entries of the log of changes, 1 blacklisted tokens.\n";
    assert!(loaded.ends_with(last), "{loaded}");
    for rotates in ["false", "true"] {
        let server = serve(data, rotates);
        let profile = server.get(&of_the_site("access", "a"), "users/me/").await;
        assert_eq!(profile.assert_status(200).field("username"), "ann");
        let refresh = async |token: &str| {
            let body = json!({ "refresh": token });
            server.post(NOBODY, "token/refresh/", body).await
        };
        let blacklisted = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
        let answer = refresh(&of_the_site("refresh", "logged-out")).await;
        answer.assert(401, blacklisted.clone());
        let mut token = of_the_site("refresh", "live");
        for _ in 0..2 {
            let answer = refresh(&token).await;
            let access = answer.assert_status(200).field("access");
            server.get(&access, "users/me/").await.assert_status(200);
            let mut given = vec![access];
            if rotates == "true" {
                token = answer.field("refresh");
                given.push(token.clone());
            }
            for token in given {
                let claims = claims(&token);
                assert_eq!(claims["tenant"], "shop", "{claims}");
                assert_eq!(claims["user_id"], 7, "{claims}");
            }
        }
        if rotates == "true" {
            // The site's own token began a session, and is used up.
            let answer = refresh(&of_the_site("refresh", "live")).await;
            answer.assert(401, blacklisted);
        }
    }
}

#[tokio::test]
async fn people_register_while_a_load_runs_and_get_ids_beyond_the_dumps() {
    let data = &Data::new();
    let server = data.serve();
    let users = (100..600).map(|id| user(id, &format!("user{id}"), json!({})));
    let path = data.dump("dump.json", &users.collect());
    // Slow enough to meet the registrations.
    let mut load = Process::start(data.command("loaddata --write-rate 300").arg(&path));
    load.stdout
        .wait("the report", |text| text.contains("Users: ").then_some(()));
    let mut before = 0;
    for number in 0..10 {
        let answer = server.register(&format!("ann{number}")).await;
        let id = answer.assert_status(201).id();
        assert!(id > before, "{id}");
        before = id;
    }
    load.kill();
    let after = server.register("ben").await.assert_status(201).id();
    assert!(after >= 600, "{after}");
    run(data.command("loaddata").arg(&path)).succeeded();
    run(data.command("verifydump").arg(&path)).succeeded();
    drop(server);
    data.assert_sound();
}

#[tokio::test]
async fn an_update_renames_groups_and_deletes_what_is_gone_only_if_told() {
    let data = &Data::new();
    data.make("createsuperuser --username operator");
    let boss = |id: u64, name: &str| user(id, name, json!({"is_superuser": true}));
    let first = json!([
        group(1, "Editors", json!([])),
        group(2, "Readers", json!([])),
        group(3, "Guests", json!([])),
        boss(11, "old boss"),
        user(
            12,
            "ann",
            json!({"email": "ann@example.com", "groups": [1, 2]})
        ),
        user(13, "ben", json!({})),
    ]);
    data.on("loaddata", &first).succeeded();
    let server = data.serve();
    let token = server.log_in("operator", PASSWORD).await;
    let own = json!({"name": "Of here"});
    server.post(&token, "groups/", own).await.assert_status(201);
    drop(server);
    // Readers took the name of Editors, who are Authors; Guests and Ann are gone, and another has
    // Ann's name and address.
    let second = json!([
        group(1, "Authors", json!([])),
        group(2, "Editors", json!([])),
        boss(14, "new boss"),
        user(
            15,
            "ann",
            json!({"email": "Ann@example.com", "groups": [2],
            "date_joined": "2025-05-05T00:00:00Z"})
        ),
        user(13, "ben", json!({"groups": [1]})),
    ]);
    let refused = data.on("loaddata", &second);
    assert_eq!(refused.status, Some(1));
    let named = "auth.group 1 'Authors': the name is 'Editors' here";
    assert!(refused.stdout.contains(named), "{refused:?}");
    let kept = data.on("loaddata --update", &second);
    for line in [
        "user 15 'ann': the username is user 12's here",
        "auth.group 3 'Guests'",
        "user 11 'old boss'",
    ] {
        assert!(kept.stdout.contains(line), "{kept:?}");
    }
    assert_eq!(kept.status, Some(1));
    let pruned = data.on("loaddata --update --prune", &second).succeeded();
    let last = "Deleted 3 user(s) and group(s) that the dump does not have.\n";
    assert!(pruned.ends_with(last), "{pruned}");
    data.on("verifydump", &second).succeeded();
    data.assert_sound();
    let names = |model: &str, field: &str| {
        let objects = data.dumped(model);
        let names = objects.iter().map(|object| object["fields"][field].clone());
        names.collect::<Vec<Value>>()
    };
    assert_eq!(
        names("auth.group", "name"),
        ["Authors", "Editors", "Of here"]
    );
    let users = ["operator", "ben", "new boss", "ann"];
    assert_eq!(names("auth.user", "username"), users);
    let again = data.on("loaddata --update --prune", &second).succeeded();
    let last = "Deleted 0 user(s) and group(s) that the dump does not have.\n";
    assert!(again.ends_with(last), "{again}");
    // A dump of groups alone says nothing of users, and the other way round.
    let groups = json!([
        group(1, "Authors", json!([])),
        group(2, "Editors", json!([]))
    ]);
    data.on("loaddata --update --prune", &groups).succeeded();
    let users = json!([boss(14, "new boss")]);
    let pruned = data.on("loaddata --update --prune", &users).succeeded();
    assert!(pruned.ends_with("Deleted 2 user(s) and group(s) that the dump does not have.\n"));
    assert_eq!(names("auth.group", "name").len(), 3);
    data.assert_sound();
}

#[tokio::test]
async fn a_dump_of_what_changed_since_has_it_and_the_deleted_apart() {
    let data = &Data::new();
    data.make("createsuperuser --username operator");
    let joined = json!({"date_joined": "2024-01-02T03:04:05.678901Z"});
    let users = ["ann", "ben", "cem"].iter().zip(11..);
    let users = users.map(|(name, id)| user(id, name, joined.clone()));
    data.on("loaddata", &users.collect()).succeeded();
    let server = data.serve();
    let token = server.log_in("operator", PASSWORD).await;
    drop(server);
    let since = jiff::Timestamp::now().to_string();
    let server = data.serve();
    let name = json!({"first_name": "Ben"});
    server
        .patch(&token, "users/12/", name)
        .await
        .assert_status(200);
    server.delete(&token, "users/13/").await.assert_status(204);
    let dee = server.register("dee").await.assert_status(201).id();
    drop(server);
    let gone = data.path().join("deleted.txt");
    let output = data.path().join("back.json");
    let mut command = data.command("dumpdata --naive --timezone Asia/Kolkata --log-entries");
    command.args(["--since", &since]);
    command
        .arg("--deleted")
        .arg(&gone)
        .arg("--output")
        .arg(&output);
    run(&mut command).succeeded();
    assert_eq!(std::fs::read_to_string(gone).expect("a file"), "13 cem\n");
    let text = std::fs::read_to_string(&output).expect("a file");
    let objects: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let of = |model: &str| {
        let found = objects.iter().filter(|object| object["model"] == model);
        found.collect::<Vec<_>>()
    };
    let users = of("auth.user");
    // Who joined within the second of that time is there too.
    let users: Vec<_> = users.into_iter().filter(|user| user["pk"] != 1).collect();
    let ids = users.iter().map(|user| &user["pk"]);
    assert_eq!(ids.collect::<Vec<_>>(), [&json!(12), &json!(dee)]);
    // Half past eight in the morning there, without an offset.
    let joined = &users[0]["fields"]["date_joined"];
    assert_eq!(joined, "2024-01-02T08:34:05.678901");
    let mut changes: Vec<_> = of("admin.logentry")
        .into_iter()
        .map(|entry| {
            (
                entry["fields"]["object_id"].as_str(),
                &entry["fields"]["action_flag"],
            )
        })
        .collect();
    changes.sort_by_key(|(id, _)| *id);
    let (changed, deleted, joined) = (json!(2), json!(3), json!(1));
    let expected = [
        (Some("12"), &changed),
        (Some("13"), &deleted),
        (Some("14"), &joined),
    ];
    assert_eq!(changes, expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&output)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
