//! What operations came to: their answers and what they left in the table, without what chance decides.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use regex_lite::Regex;
use serde_json::Value;
use shared::{
    domain::User,
    store::{
        items::{Item, from_item},
        sessions::Session,
    },
};

use crate::Observed;

/// Answers by the number of the operation, and the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) answers: BTreeMap<usize, Value>,
    /// A line for each item, in order.
    pub(super) table: Vec<String>,
}

/// Recognises what chance decides: what the start does not know.
pub(super) struct Normal {
    known: BTreeSet<String>,
    secret: Regex,
    token: Regex,
    alike: Option<(Regex, String)>,
}

impl Normal {
    /// Of a table that starts with these items. One number may count as another.
    pub(super) fn of(start: &BTreeMap<String, Item>, alike: Option<(u64, u64)>) -> Self {
        let secret = Regex::new("[0-9a-f]{32,64}").expect("a pattern");
        let mut known = BTreeSet::new();
        for (key, item) in start {
            let text = key.clone() + &plain(item);
            known.extend(secret.find_iter(&text).map(|it| it.as_str().to_owned()));
        }
        Self {
            known,
            secret,
            token: Regex::new(r"eyJ[\w-]+\.[\w-]+\.[\w-]+").expect("a pattern"),
            alike: alike.map(|(one, other)| {
                // Keys have zeros before it, attributes of the catalogue a letter.
                let one = Regex::new(&format!(r"\b(p?0*){one}\b")).expect("a pattern");
                (one, format!("${{1}}{other}"))
            }),
        }
    }

    fn text(&self, text: &str) -> String {
        let text = self.token.replace_all(text, "a token");
        let told = |found: &regex_lite::Captures<'_>| match self.known.contains(&found[0]) {
            true => found[0].to_owned(),
            false => "new".to_owned(),
        };
        let text = self.secret.replace_all(&text, told);
        match &self.alike {
            Some((one, other)) => one.replace_all(&text, other.as_str()).into_owned(),
            None => text.into_owned(),
        }
    }

    /// An answer.
    pub(super) fn answer(&self, answer: &Value) -> Value {
        let text = self.text(&answer.to_string());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The table as it is now, and what of it counts: not sessions that let nobody in, nor attempts.
    pub(super) async fn table(&self, world: &Observed) -> [Vec<String>; 2] {
        let state = world.state().await;
        let (mut all, mut counts) = (Vec::new(), Vec::new());
        for (key, item) in &state {
            let is_ended = key.starts_with("SESSION#") && !is_live(world, &state, item);
            let is_left_out = is_ended || key.starts_with("ATTEMPTS#");
            let mut key = key.trim_end_matches('+');
            let mut item = item.clone();
            // Ids of what is gone count for nothing, and the next write drops them.
            if let Some(AttributeValue::Ns(ids)) = item.get_mut("permission_ids") {
                ids.retain(|id| state.contains_key(&format!("PERMISSION / {id:0>10}")));
            }
            if key.starts_with("OUTBOX#") {
                key = "OUTBOX";
                item.retain(|name, _| !["PK", "GSI1SK", "id"].contains(&name.as_str()));
            }
            let line = self.text(&format!("{key}: {}", plain(&item)));
            if !is_left_out {
                counts.push(line.clone());
            }
            all.push(line);
        }
        all.sort();
        counts.sort();
        [all, counts]
    }
}

fn is_live(world: &Observed, state: &BTreeMap<String, Item>, item: &Item) -> bool {
    let session: Session = from_item(item.clone()).expect("a session");
    let user = state.get(&format!("USER#{} / PROFILE", session.user_id));
    let user: Option<User> = user.map(|item| from_item(item.clone()).expect("a user"));
    user.is_some_and(|user| user.is_active && session.is_live(&user, world.app.clock.now()))
}

/// An item as a text that is the same whatever the order of what has none.
fn plain(item: &Item) -> String {
    let mut names: Vec<&String> = item.keys().collect();
    names.sort();
    let attributes = names.into_iter().map(|name| {
        let value = match &item[name] {
            AttributeValue::Ns(numbers) => {
                let mut numbers = numbers.clone();
                numbers.sort();
                format!("{numbers:?}")
            }
            AttributeValue::S(text) => text.clone(),
            AttributeValue::N(number) => number.clone(),
            other => format!("{other:?}"),
        };
        format!("{name}={value}")
    });
    attributes.collect::<Vec<_>>().join(", ")
}

/// How many of the stock permissions are left.
const LEFT: u64 = 3;
/// How many a fresh table holds.
const STOCK: u64 = 12;

/// Takes most of the stock permissions that nobody holds out of a table that is read again and again.
pub(super) fn shrink(items: &mut BTreeMap<String, Item>) {
    let held = items.values().filter_map(|item| item.get("permission_ids"));
    let held = held.filter_map(|ids| ids.as_ns().ok()).flatten();
    let held: BTreeSet<u64> = held.filter_map(|id| id.parse().ok()).collect();
    let goes = |id: u64| id > LEFT && id <= STOCK && !held.contains(&id);
    let of = |name: &str| name.strip_prefix('p').and_then(|id| id.parse().ok());
    items.retain(|key, item| {
        let id = match key.split_once(" / ") {
            Some(("PERMISSION", _)) => "id",
            Some((name, _)) if name.starts_with("CODENAME#") => "permission_id",
            _ => return true,
        };
        let id = item.get(id).and_then(|id| id.as_n().ok()?.parse().ok());
        !id.is_some_and(goes)
    });
    for (_, item) in items
        .iter_mut()
        .filter(|(key, _)| key.starts_with("CATALOGUE#"))
    {
        item.retain(|name, _| !of(name).is_some_and(goes));
    }
}
