//! What is true of one user, and what a request may have made of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A user as their client knows them.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: u64,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub password: String,
    pub groups: BTreeSet<u64>,
    pub is_active: bool,
    pub is_superuser: bool,
    pub sessions: Vec<Session>,
}

/// What a login gave.
#[derive(Clone, Debug)]
pub struct Session {
    pub sid: String,
    pub access: String,
    pub refresh: String,
    /// Whether it must let its user in.
    pub is_live: bool,
}

impl Person {
    /// The profile as the API shows it, with groups by name.
    pub fn profile(&self, name: impl Fn(u64) -> Option<String>) -> Value {
        let groups = self.groups.iter();
        let groups = groups.filter_map(|id| Some(json!({"id": id, "name": name(*id)?})));
        json!({
            "id": self.id,
            "username": self.username,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": "",
            "groups": groups.collect::<Vec<_>>(),
        })
    }

    /// All sessions but the one at `kept` end.
    pub fn end_sessions(&mut self, kept: Option<usize>) {
        for (place, session) in self.sessions.iter_mut().enumerate() {
            session.is_live &= Some(place) == kept;
        }
    }
}
