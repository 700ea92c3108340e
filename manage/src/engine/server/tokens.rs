//! Transactions that are sent again, as an SDK does whose answer was lost.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use dynoxide::{Database, DynoxideError, actions::transact_write_items::TransactWriteItemsRequest};

use super::{answered, read};

/// How many transactions are remembered: those of some seconds, which is how soon an SDK sends one
/// again.
const REMEMBERED: usize = 4096;
/// The longest token that DynamoDB takes.
const LONGEST: usize = 36;

/// The answers of the last transactions by their `ClientRequestToken`, in place of the engine's own
/// memory of ten minutes, which grows with the rate of writes and is walked through at each of them.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    by_token: HashMap<String, Answer>,
    /// The tokens, the oldest first.
    order: VecDeque<String>,
}

struct Answer {
    /// Of the request.
    digest: u64,
    text: String,
}

impl Tokens {
    /// Carries out a transaction, or gives the answer of the one that had its token.
    ///
    /// # Errors
    /// The engine's; or that its token was another's.
    pub(super) fn transact(
        &self,
        database: &Database,
        body: &str,
    ) -> Result<String, DynoxideError> {
        let mut request: TransactWriteItemsRequest = read(body)?;
        // The engine refuses a longer one.
        let token = request
            .client_request_token
            .take_if(|token| token.len() <= LONGEST);
        let Some(token) = token else {
            return answered(&database.transact_write_items(request)?);
        };
        let digest = digest(body);
        // Held until it is carried out, so that two with one token are never both. A panic leaves
        // nothing half remembered.
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = remembered.by_token.get(&token) {
            if before.digest != digest {
                let text = "the token was that of another transaction";
                return Err(DynoxideError::IdempotentParameterMismatchException(
                    text.to_owned(),
                ));
            }
            return Ok(before.text.clone());
        }
        let text = answered(&database.transact_write_items(request)?)?;
        remembered.keep(
            token,
            Answer {
                digest,
                text: text.clone(),
            },
        );
        Ok(text)
    }
}

impl Remembered {
    fn keep(&mut self, token: String, answer: Answer) {
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_token.remove(&oldest);
        }
        self.order.push_back(token.clone());
        self.by_token.insert(token, answer);
    }
}

fn digest(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(token: &str, name: &str) -> String {
        format!(
            r#"{{"TransactItems": [{{"Put": {{"TableName": "table", "Item": {{"PK": {{"S": "{name}"}}}},
                "ConditionExpression": "attribute_not_exists(PK)"}}}}], "ClientRequestToken": "{token}"}}"#
        )
    }

    fn database() -> Database {
        let database = Database::memory().unwrap();
        let table = r#"{"TableName": "table", "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST"}"#;
        database.create_table(read(table).unwrap()).unwrap();
        database
    }

    #[test]
    fn a_transaction_sent_again_is_carried_out_once_and_answered_alike() {
        let (database, tokens) = (database(), Tokens::default());
        let first = tokens.transact(&database, &put("a", "x")).unwrap();
        assert_eq!(tokens.transact(&database, &put("a", "x")).unwrap(), first);
        let refused = tokens.transact(&database, &put("b", "x")).unwrap_err();
        assert!(refused.to_string().contains("ConditionalCheckFailed"));
        let refused = tokens.transact(&database, &put("a", "y")).unwrap_err();
        assert_eq!(refused.status_code(), 400);
        assert!(refused.to_json().contains("IdempotentParameterMismatch"));
        let long = "l".repeat(LONGEST + 1);
        assert!(tokens.transact(&database, &put(&long, "z")).is_err());
    }

    #[test]
    fn a_bounded_number_of_transactions_is_remembered() {
        let mut remembered = Remembered::default();
        for number in 0..=REMEMBERED {
            let (digest, text) = (0, String::new());
            remembered.keep(number.to_string(), Answer { digest, text });
        }
        assert_eq!(remembered.order.len(), REMEMBERED);
        assert_eq!(remembered.by_token.len(), REMEMBERED);
        assert!(!remembered.by_token.contains_key("0"));
        assert!(remembered.by_token.contains_key("1"));
    }
}
