//! What a call reads or writes, and whether it matters which of two calls comes first.

use serde_json::Value;

use crate::proxy::is_write;

/// The part of the table that a call depends on or changes.
#[derive(Clone, Debug)]
pub(super) struct Footprint {
    writes: bool,
    places: Vec<Place>,
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    Item(String, String),
    Partition(String),
    Everywhere,
}

impl Place {
    fn of(item: &Value) -> Self {
        let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
        match (text("PK"), text("SK")) {
            (Some(pk), Some(sk)) => Self::Item(pk, sk),
            _ => Self::Everywhere,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everywhere, _) | (_, Self::Everywhere) => true,
            (Self::Item(..), Self::Item(..)) => self == other,
            (
                Self::Partition(one) | Self::Item(one, _),
                Self::Partition(other) | Self::Item(other, _),
            ) => one == other,
        }
    }
}

impl Footprint {
    /// That of a call.
    pub(super) fn of(operation: &str, request: &Value) -> Self {
        let places = match operation {
            "PutItem" => vec![Place::of(&request["Item"])],
            "GetItem" | "UpdateItem" | "DeleteItem" => vec![Place::of(&request["Key"])],
            "BatchGetItem" => {
                let tables = request["RequestItems"].as_object();
                let keys = tables.into_iter().flat_map(|tables| tables.values());
                let keys = keys.filter_map(|table| table["Keys"].as_array()).flatten();
                keys.map(Place::of).collect()
            }
            "TransactWriteItems" => {
                let items = request["TransactItems"].as_array().into_iter().flatten();
                let parts = items.filter_map(Value::as_object).flatten();
                let parts = parts.map(|(kind, part)| match kind.as_str() {
                    "Put" => Place::of(&part["Item"]),
                    _ => Place::of(&part["Key"]),
                });
                parts.collect()
            }
            "Query" if request["IndexName"].is_null() => {
                let values = request["ExpressionAttributeValues"].as_object();
                let values = values.into_iter().flat_map(|values| values.values());
                // One of them is the partition; the others are none.
                let texts = values.filter_map(|value| value["S"].as_str());
                texts.map(|pk| Place::Partition(pk.to_owned())).collect()
            }
            _ => vec![Place::Everywhere],
        };
        Self {
            writes: is_write(operation),
            places,
        }
    }

    /// Whether two calls do the same in either order.
    pub(super) fn is_independent_of(&self, other: &Self) -> bool {
        let overlaps = |place: &Place| other.places.iter().any(|there| place.overlaps(there));
        !(self.writes || other.writes) || !self.places.iter().any(overlaps)
    }
}
