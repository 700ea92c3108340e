//! What the calls of a function need: the actions, on which resource, and the keys they write.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::proxy::{Call, is_write};

/// What calls need to be allowed.
#[derive(Debug, Default)]
pub struct Needs {
    /// Resource and action, by IAM's names.
    pub actions: BTreeSet<(String, String)>,
    /// How items are written, by IAM's names of the actions, and their partition keys.
    pub written: BTreeSet<(String, String)>,
}

impl Needs {
    /// Of all these calls. The parts of a transaction are authorised as the writes they are.
    pub fn of(calls: &[Call]) -> Self {
        let mut needs = Self::default();
        for call in calls {
            match call.request["TransactItems"].as_array() {
                Some(items) => items.iter().for_each(|item| needs.add_part(item)),
                None => needs.add(&call.operation, &call.request),
            }
        }
        needs
    }

    fn add_part(&mut self, item: &Value) {
        let (kind, write) = item.as_object().unwrap().iter().next().unwrap();
        let action = match kind.as_str() {
            "ConditionCheck" => "ConditionCheckItem".to_owned(),
            kind => format!("{kind}Item"),
        };
        self.add(&action, write);
    }

    fn add(&mut self, action: &str, request: &Value) {
        let resource = match request["IndexName"].as_str() {
            Some(index) => format!("Table/index/{index}"),
            None => "Table".to_owned(),
        };
        let named = format!("dynamodb:{action}");
        self.actions.insert((resource, named.clone()));
        if is_write(action) {
            let key = match &request["Item"] {
                Value::Null => &request["Key"],
                item => item,
            };
            let partition = key["PK"]["S"].as_str().expect("a partition key");
            self.written.insert((named, partition.to_owned()));
        }
    }
}
