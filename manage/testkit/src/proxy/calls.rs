//! The calls that went through the proxy.

use std::time::Instant;

use serde_json::Value;

/// One call over the wire.
#[derive(Clone, Debug)]
pub struct Call {
    /// Such as `GetItem`.
    pub operation: String,
    /// What was asked.
    pub request: Value,
    /// What was answered; `Null` if nothing was.
    pub response: Value,
    /// When it came.
    pub started: Instant,
    /// When its answer went.
    pub ended: Instant,
}

impl Call {
    /// The capacity units it cost.
    pub fn units(&self) -> f64 {
        let consumed = &self.response["ConsumedCapacity"];
        let one = std::slice::from_ref(consumed);
        let parts = consumed.as_array().map_or(one, Vec::as_slice);
        parts
            .iter()
            .filter_map(|part| part["CapacityUnits"].as_f64())
            .sum()
    }

    /// Whether it may write.
    pub fn is_write(&self) -> bool {
        is_write(&self.operation)
    }
}

/// Whether an operation may write.
pub fn is_write(operation: &str) -> bool {
    matches!(
        operation,
        "TransactWriteItems" | "PutItem" | "UpdateItem" | "DeleteItem"
    )
}

/// Whether a call writes something else than the next number of a sequence.
pub fn is_change(operation: &str, request: &Value) -> bool {
    is_write(operation) && request["Key"]["PK"]["S"] != "SEQUENCE"
}

/// The operations of calls, those that ran at the same time together: one round trip each.
pub fn round_trips(calls: &[Call]) -> Vec<Vec<&str>> {
    let mut calls: Vec<&Call> = calls.iter().collect();
    calls.sort_by_key(|call| call.started);
    let mut trips: Vec<Vec<&str>> = Vec::new();
    let mut end = None;
    for call in calls {
        match trips.last_mut() {
            Some(trip) if end > Some(call.started) => trip.push(&call.operation),
            _ => trips.push(vec![&call.operation]),
        }
        end = end.max(Some(call.ended));
    }
    trips
}
