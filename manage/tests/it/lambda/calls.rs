//! What the calls of a function need: the actions, on which resource, and the keys they write.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::proxy::Call;

/// What calls need to be allowed.
#[derive(Debug, Default)]
pub struct Needs {
    /// Resource and action, by IAM's names.
    pub actions: BTreeSet<(String, String)>,
    /// How items of the table are read and written, by IAM's names of the actions, and their partition
    /// keys.
    pub keys: BTreeSet<(String, String)>,
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
        let resource_is_index = request["IndexName"].is_string();
        let named = format!("dynamodb:{action}");
        self.actions.insert((resource, named.clone()));
        if resource_is_index {
            return;
        }
        for key in partition_keys(action, request) {
            self.keys.insert((named.clone(), key));
        }
    }
}

/// The partition keys of a call's items.
fn partition_keys(action: &str, request: &Value) -> Vec<String> {
    let text = |key: &Value| key["S"].as_str().expect("a partition key").to_owned();
    match action {
        "BatchGetItem" => {
            let tables = request["RequestItems"].as_object().expect("tables");
            let keys = tables.values().flat_map(|table| table["Keys"].as_array());
            keys.flatten().map(|key| text(&key["PK"])).collect()
        }
        "Query" => vec![text(&request["ExpressionAttributeValues"][":pk"])],
        _ if request["Item"].is_null() => vec![text(&request["Key"]["PK"])],
        _ => vec![text(&request["Item"]["PK"])],
    }
}
