//! Moving in and migrating, beside requests.

use std::{fs, path::PathBuf};

use aws_sdk_dynamodb::types::AttributeValue;
use manage::{
    loaddata::{OnConflict, Settings, load},
    migrate::carry_out,
};
use serde_json::{Value, json};
use testkit::{
    NOBODY, Observed, PASSWORD, registration,
    schedule::{Race, Service, seen},
    serve,
};

use crate::world::{OTHER, logs_in, status, token};

/// A dump of the user 2, who is called `ann`.
struct Dump(tempfile::TempDir, PathBuf);

impl Dump {
    fn of(fields: &Value) -> Self {
        let mut all = json!({
            "username": "ann", "email": "", "first_name": "", "last_name": "", "password": "!",
            "is_active": true, "is_staff": false, "is_superuser": false,
            "date_joined": "2024-01-01T00:00:00Z", "last_login": null, "groups": [],
            "user_permissions": [],
        });
        for (name, value) in fields.as_object().unwrap() {
            all[name] = value.clone();
        }
        let objects = json!([{"model": "auth.user", "pk": 2, "fields": all}]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.json");
        fs::write(&path, objects.to_string()).unwrap();
        Self(directory, path)
    }

    /// Its load: what it says that it did.
    fn load(&self, update: bool) -> impl Fn(Service) -> Loading + Send + use<> {
        let path = self.1.clone();
        move |service| {
            let mut settings = Settings::of(vec![path.clone()]);
            if update {
                settings = settings.on_conflict(OnConflict::Update);
            }
            Box::pin(async move {
                match load(&service.app.store, &settings).await {
                    Ok((tally, _)) => {
                        json!({"status": 200, "new": tally.new, "changed": tally.changed,
                        "unchanged": tally.unchanged})
                    }
                    Err(error) => json!({"status": 400, "error": error.to_string()}),
                }
            })
        }
    }
}

type Loading = std::pin::Pin<Box<dyn Future<Output = Value> + Send>>;

#[tokio::test]
async fn a_load_and_a_registration_with_the_name() {
    let world = Observed::start().await;
    let dump = Dump::of(&json!({}));
    let race = Race::on(&world)
        .alike(3, 2)
        .operation(dump.load(false))
        .await;
    let body = registration("ann", "ann@example.com");
    let race = race.request(NOBODY, "POST", "users/register/", body).await;
    race.explore(async |answers| {
        let one = [status(&answers[0]) == 200, status(&answers[1]) == 201];
        assert!(one == [true, false] || one == [false, true], "{answers:?}");
        if let Some(error) = answers[0]["error"].as_str() {
            assert!(
                error.contains("ann") || error.contains("in the way"),
                "{error}"
            );
        }
    })
    .await;
}

/// An update of the user 2 by a load, and something else about them.
async fn against_update(method: &'static str, path: &str, body: Value) {
    let world = Observed::start().await;
    world.user("ann").email("").await;
    let dump = Dump::of(&json!({"first_name": "Ann", "date_joined": "2026-11-25T15:04:00Z"}));
    let race = Race::on(&world).operation(dump.load(true)).await;
    let admin = token(&world, &world.admin);
    let race = race.request(admin, method, path, body).await;
    race.explore(async |answers| {
        assert!(status(&answers[1]) < 300);
        if let Some(error) = answers[0]["error"].as_str() {
            assert!(error.contains("user 2 'ann'"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_update_by_a_load_and_a_change() {
    against_update("PATCH", "users/2/", json!({"last_name": "Smith"})).await;
}

#[tokio::test]
async fn an_update_by_a_load_and_a_deletion() {
    against_update("DELETE", "users/2/", Value::Null).await;
}

/// Makes the table what the first layout was: hashes beside profiles, no catalogue, no `SCHEMA`.
async fn age(world: &Observed) {
    let mut old = world.items().await;
    old.retain(|key, _| !key.starts_with("CATALOGUE#") && !key.starts_with("SCHEMA"));
    let apart: Vec<String> = old
        .keys()
        .filter(|key| key.starts_with("CREDENTIAL#"))
        .cloned()
        .collect();
    for key in apart {
        let mut item = old.remove(&key).unwrap();
        let key = key.replacen("CREDENTIAL#", "USER#", 1);
        let pk = key.split(" / ").next().unwrap().to_owned();
        item.insert("PK".to_owned(), AttributeValue::S(pk));
        old.insert(key, item);
    }
    world.restore(&old).await;
}

/// A migration, and a request to a service that has just started.
async fn against_migration(
    token: impl Fn(&Observed) -> String,
    method: &'static str,
    path: &'static str,
    body: Value,
    holds: impl AsyncFn(&Observed, &[Value]),
) {
    let world = Observed::start().await;
    world.user("ann").await;
    let token = token(&world);
    age(&world).await;
    let race = Race::on(&world)
        .alike(4, 3)
        .operation(|service| async move {
            let done = carry_out(&service.anew().store, 0, None).await;
            // How much there was to do depends on what was there before.
            done.map_or_else(
                |error| json!({"status": 503, "error": error.to_string()}),
                |_| json!({"status": 200}),
            )
        });
    let race = race.await.operation(move |service| {
        let (token, body) = (token.clone(), body.clone());
        async move {
            let client = serve(service.anew()).await;
            seen(&client.ask(&token, method, path, body).await)
        }
    });
    race.await
        .explore(async |answers| holds(&world, answers).await)
        .await;
}

fn admin(world: &Observed) -> String {
    token(world, &world.admin)
}

#[tokio::test]
async fn a_migration_and_a_registration() {
    let body = registration("bob", "bob@example.com");
    let nobody = |_: &Observed| String::new();
    against_migration(
        nobody,
        "POST",
        "users/register/",
        body,
        async |world, answers| {
            assert_eq!([status(&answers[0]), status(&answers[1])], [200, 201]);
            assert!(logs_in(world, "bob", PASSWORD).await);
        },
    )
    .await;
}

#[tokio::test]
async fn a_migration_and_a_deletion() {
    against_migration(
        admin,
        "DELETE",
        "users/2/",
        Value::Null,
        async |_, answers| {
            assert_eq!([status(&answers[0]), status(&answers[1])], [200, 204]);
        },
    )
    .await;
}

#[tokio::test]
async fn a_migration_and_an_end_of_sessions() {
    against_migration(
        admin,
        "DELETE",
        "users/2/sessions/",
        Value::Null,
        async |world, answers| {
            assert_eq!([status(&answers[0]), status(&answers[1])], [200, 204]);
            assert!(logs_in(world, "ann", PASSWORD).await);
        },
    )
    .await;
}

#[tokio::test]
async fn a_migration_and_a_new_permission() {
    let new = json!({"name": "Can go", "codename": "go", "content_type": "auth.user"});
    against_migration(admin, "POST", "permissions/", new, async |_, answers| {
        assert_eq!([status(&answers[0]), status(&answers[1])], [200, 201]);
    })
    .await;
}

#[tokio::test]
async fn a_migration_and_a_new_password() {
    let new = json!({"current_password": PASSWORD, "new_password": OTHER});
    let ann = |world: &Observed| {
        let user = shared::domain::NewUser::named(testkit::parsed("ann"), world.app.clock.now());
        token(world, &user.into_user(shared::domain::UserId(2)))
    };
    against_migration(
        ann,
        "POST",
        "users/set_password/",
        new,
        async |world, answers| {
            assert_eq!([status(&answers[0]), status(&answers[1])], [200, 204]);
            assert!(logs_in(world, "ann", OTHER).await);
        },
    )
    .await;
}
