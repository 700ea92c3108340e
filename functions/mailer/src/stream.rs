//! The events of the function: new mails of the table's stream, and a schedule.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::{Mailer, NotSent};

/// Seconds that the stream has for a mail before the schedule looks for it.
const LEFT_OVER: i64 = 300;

/// What Lambda calls the function with.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Those of the table's stream, in the order of time; an event without any is the schedule's. One
    /// that cannot be read is an error, so that no mail counts as sent for it.
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
}

/// A record of a DynamoDB stream.
#[derive(Debug, Deserialize)]
pub struct Record {
    dynamodb: Change,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    new_image: Option<serde_dynamo::Item>,
}

/// The records that are to be tried again.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Of the batch.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// A record that is to be tried again.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its sequence number.
    pub item_identifier: String,
}

/// Sends the mails of an event. What is left is in the answer, with which Lambda tries it again: from
/// the first failure on, so that the rest of the batch is tried now all the same, and those that are
/// done are done.
///
/// # Errors
/// A mail of the schedule is still owed.
pub async fn answer(mailer: &Mailer, event: Event) -> Result<Answer, NotSent> {
    let Some(records) = event.records else {
        mailer.deliver_owed(LEFT_OVER).await?;
        return Ok(Answer::default());
    };
    let mut answer = Answer::default();
    for Record { dynamodb } in records {
        // The filter of the template lets nothing else through.
        let Some(id) = dynamodb.new_image.and_then(mail_id) else {
            continue;
        };
        if let Err(error) = mailer.deliver(&id).await {
            tracing::error!(%error, "a mail is still owed");
            answer.batch_item_failures.push(ItemFailure {
                item_identifier: dynamodb.sequence_number,
            });
        }
    }
    Ok(answer)
}

fn mail_id(image: serde_dynamo::Item) -> Option<String> {
    let id = image.get("id").cloned()?;
    match AttributeValue::from(id) {
        AttributeValue::S(id) => Some(id),
        _ => None,
    }
}
