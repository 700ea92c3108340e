//! What the function makes of its events.

use mailer::stream::{Event, answer};
use serde_json::{Value, json};
use shared::mail::{Kind, Mail};
use testkit::{samples, smtp::Step};

use super::world::World;

/// A record of the table's stream, as DynamoDB makes it of a new mail.
fn record(number: usize, id: &str) -> Value {
    let key = json!({"PK": {"S": format!("OUTBOX#{id}")}, "SK": {"S": "MAIL"}});
    let mut image = key.clone();
    image["id"] = json!({"S": id});
    image["created"] = json!({"N": "1795619040"});
    json!({
        "eventID": "1",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_619_040.0,
            "Keys": key,
            "NewImage": image,
            "SequenceNumber": format!("{number}00"),
            "SizeBytes": 300,
            "StreamViewType": "NEW_IMAGE",
        },
    })
}

async fn answered(world: &World, event: Value) -> Value {
    let event: Event = serde_json::from_value(event).expect("an event");
    let answer = answer(&world.mailer, event).await.expect("an answer");
    serde_json::to_value(answer).expect("JSON")
}

#[tokio::test]
async fn records_that_failed_are_named_and_the_others_are_done() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let to = "ann@example.com";
        ids.push(world.owe(Kind::Confirmation, Some(ann.id), to).await);
    }
    let until = world.app.clock.now() + mailer::LEASE;
    // The second is in the hands of another.
    assert!(world.table.claim_mail(&ids[1], until).await.unwrap());
    let records: Vec<Value> = (0..).zip(&ids).map(|(at, id)| record(at, id)).collect();
    let event = json!({ "Records": records });
    let failed = json!({"batchItemFailures": [{"itemIdentifier": "100"}]});
    assert_eq!(answered(&world, event.clone()).await, failed);
    assert_eq!((world.sink.left(), world.owed().await), (2, 1));
    world.pass(mailer::LEASE + 1);
    let none = json!({"batchItemFailures": []});
    assert_eq!(answered(&world, event.clone()).await, none);
    // Brought once more, all are done.
    assert_eq!(answered(&world, event).await, none);
    assert_eq!((world.sink.left(), world.owed().await), (3, 0));
}

#[tokio::test]
async fn the_sample_event_sends_its_mail_where_that_is_owed() {
    let world = World::start().await;
    world.user("sample-ann").id(1002).await;
    let event = samples::read("send-mails");
    let none = json!({"batchItemFailures": []});
    assert_eq!(answered(&world, event.clone()).await, none);
    assert_eq!(world.sink.left(), 0);
    let image = event["Records"][0]["dynamodb"]["NewImage"].as_object();
    let plain = image.expect("an item").iter().map(|(name, value)| {
        let number = value["N"].as_str().map(|number| number.parse().unwrap());
        let number = number.map(|number: i64| json!(number));
        (name.clone(), number.unwrap_or_else(|| value["S"].clone()))
    });
    let mail: Mail = serde_json::from_value(plain.collect()).expect("a mail");
    // Its link would have ended by now.
    world.pass(mail.created - world.app.clock.now());
    world.table.owe_mail(&mail).await.expect("a write");
    assert_eq!(answered(&world, event).await, none);
    assert_eq!((world.sink.left(), world.owed().await), (1, 0));
}

#[tokio::test]
async fn the_schedule_sends_what_was_left_over_and_fails_while_it_cannot() {
    let world = World::start().await;
    let ann = world.user("ann").await;
    world
        .owe(Kind::Confirmation, Some(ann.id), "ann@example.com")
        .await;
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event"});
    let none = json!({"batchItemFailures": []});
    // The stream still has it.
    assert_eq!(answered(&world, schedule.clone()).await, none);
    assert_eq!(world.owed().await, 1);
    world.pass(300);
    world.sink.refuse(Step::Connect, 421);
    let event: Event = serde_json::from_value(schedule.clone()).expect("an event");
    assert!(answer(&world.mailer, event).await.is_err());
    world.sink.heal();
    assert_eq!(answered(&world, schedule).await, none);
    assert_eq!((world.sink.left(), world.owed().await), (1, 0));
}

#[test]
fn an_event_that_cannot_be_read_is_an_error() {
    for event in [
        json!({"Records": [{"dynamodb": {"NewImage": {}}}]}),
        json!({"Records": [{"eventName": "INSERT"}]}),
        json!({"Records": "none"}),
    ] {
        assert!(
            serde_json::from_value::<Event>(event.clone()).is_err(),
            "{event}"
        );
    }
}
