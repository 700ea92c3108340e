//! Moving in and migrating, beside requests.

use std::{fs, path::PathBuf};

use aws_sdk_dynamodb::types::AttributeValue;
use manage::{
    loaddata::{OnConflict, Settings, load},
    migrate::{move_page, prepare},
};
use serde_json::{Value, json};
use shared::{
    accounts::permissions,
    domain::{Actor, ContentType, UserId},
    store::{Store, layout::Done},
};
use tempfile::TempDir;
use testkit::{
    NOBODY, Observed, PASSWORD, TABLE, parsed, registration,
    schedule::{Race, Service, seen},
    serve_meanwhile,
};

use crate::world::{OTHER, logs_in, status, token};

/// A dump of the user 2, who is called `ann`, in a directory that goes with it.
struct Dump {
    path: PathBuf,
    _directory: TempDir,
}

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
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("dump.json");
        fs::write(&path, objects.to_string()).unwrap();
        Self {
            path,
            _directory: directory,
        }
    }

    /// Its load: what it says that it did.
    fn load(&self, update: bool) -> impl Fn(Service) -> Loading + Send + use<> {
        let path = self.path.clone();
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
                    Err(error) => refused(&error.to_string()),
                }
            })
        }
    }
}

/// What a load says of the object that is in its way, which is counted before the load has begun, and named
/// since.
fn refused(error: &str) -> Value {
    let names = ["user 2 'ann'", "1 object(s) are in the way"];
    assert!(names.iter().any(|name| error.contains(name)), "{error}");
    json!({"status": 400})
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

/// Makes the table what the first layout was: hashes beside profiles, no catalogue, no `SCHEMA`, and few
/// permissions, so that there are fewer orders.
async fn age(world: &Observed) {
    let mut old = world.items().await;
    let new = ["CATALOGUE#", "SCHEMA", "PERMISSION", "CODENAME#"];
    old.retain(|key, _| !new.iter().any(|prefix| key.starts_with(prefix)));
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

/// A table whose migration has begun: every function knows of it, and nothing is moved.
async fn begun() -> Observed {
    let world = Observed::start().await;
    world.user("ann").await;
    age(&world).await;
    prepare(&Store::new(world.raw().0.clone(), TABLE), 0)
        .await
        .unwrap();
    world
}

/// The moves of a migration, and a request about the user 2 to a service that has just started.
async fn against_moves(
    world: &Observed,
    token: String,
    method: &'static str,
    path: &'static str,
    body: Value,
    holds: impl AsyncFn(&[Value]),
) {
    let moves = |service: Service| async move {
        let (store, mut done) = (service.anew().store, Done::default());
        move_page(&store, &mut done, 1000).await.unwrap();
        json!({"status": 200})
    };
    let race = Race::on(world).alike(4, 3).operation(moves).await;
    let race = race.operation(move |service| {
        let (token, body) = (token.clone(), body.clone());
        async move {
            let (client, _serving) = serve_meanwhile(service.anew()).await;
            seen(&client.ask(&token, method, path, body).await)
        }
    });
    race.await.explore(holds).await;
}

#[tokio::test]
async fn a_move_and_a_registration() {
    let world = begun().await;
    let body = registration("bob", "bob@example.com");
    let path = "users/register/";
    against_moves(&world, String::new(), "POST", path, body, async |answers| {
        assert_eq!(status(&answers[1]), 201);
        assert!(logs_in(&world, "bob", PASSWORD).await);
    })
    .await;
}

#[tokio::test]
async fn a_move_and_a_deletion() {
    let world = begun().await;
    let admin = token(&world, &world.admin);
    let nothing = Value::Null;
    against_moves(
        &world,
        admin,
        "DELETE",
        "users/2/",
        nothing,
        async |answers| {
            assert_eq!(status(&answers[1]), 204);
        },
    )
    .await;
}

#[tokio::test]
async fn a_move_and_an_end_of_sessions() {
    let world = begun().await;
    let admin = token(&world, &world.admin);
    let nothing = Value::Null;
    against_moves(
        &world,
        admin,
        "DELETE",
        "users/2/sessions/",
        nothing,
        async |answers| {
            assert_eq!(status(&answers[1]), 204);
            assert!(logs_in(&world, "ann", PASSWORD).await);
        },
    )
    .await;
}

#[tokio::test]
async fn a_move_and_a_new_password() {
    let world = begun().await;
    let ann = token(&world, &world.read(UserId(2)).await);
    let new = json!({"current_password": PASSWORD, "new_password": OTHER});
    let path = "users/set_password/";
    against_moves(&world, ann, "POST", path, new, async |answers| {
        assert_eq!(status(&answers[1]), 204);
        assert!(logs_in(&world, "ann", OTHER).await);
    })
    .await;
}

#[tokio::test]
async fn the_filling_of_the_catalogue_and_a_change_of_permissions() {
    let world = begun().await;
    let fresh = Store::new(world.raw().0.clone(), TABLE);
    let (name, codename) = (parsed("Can go"), parsed("go"));
    let user = ContentType::parse("auth.user").unwrap();
    let made = permissions::create(&fresh, Actor::Setup, name, codename, user);
    let id = made.await.unwrap().id;
    let race = Race::on(&world).operation(|service| async move {
        prepare(&service.anew().store, 0).await.unwrap();
        json!({"status": 200})
    });
    let admin = token(&world, &world.admin);
    let race = race.await.operation(move |service| {
        let (admin, path) = (admin.clone(), format!("permissions/{id}/"));
        async move {
            let (client, _serving) = serve_meanwhile(service.anew()).await;
            seen(
                &client
                    .patch(&admin, &path, json!({"codename": "come"}))
                    .await,
            )
        }
    });
    race.await
        .explore(async |answers| assert_eq!(status(&answers[1]), 200))
        .await;
}
