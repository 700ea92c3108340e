//! Takes out of an answer what differs from run to run, leaving what can be compared with a golden file.
//!
//! An id becomes a symbol that stays the same through a scenario, a token the names and types of its claims, a
//! time `<timestamp>`, and the suffix of this run's names `${run}`.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde_json::{Map, Value, json};

use testkit::Answer;

use super::post::Link;
use super::token;
use super::variables::plain;

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| regex(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"));
static INVALID_PK: LazyLock<Regex> = LazyLock::new(|| regex(r#"Invalid pk "(-?\d+)""#));
static ID_IN_PATH: LazyLock<Regex> = LazyLock::new(|| regex(r"/(user|group|permission)s/(\d+)"));

/// What an id is the id of: each kind counts for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    User,
    Group,
    Permission,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Permission => "permission",
        }
    }

    /// What a path is about.
    fn of_path(path: &str) -> Self {
        if path.trim_end_matches('/').ends_with("assign_groups") {
            Self::User
        } else if path.contains("/groups/") {
            Self::Group
        } else if path.contains("/permissions/") {
            Self::Permission
        } else {
            Self::User
        }
    }

    /// The kind of the ids in a member of an object, where it differs from the object's.
    fn of_member(key: &str) -> Option<Self> {
        match key {
            "groups" | "group_ids" => Some(Self::Group),
            "permissions" => Some(Self::Permission),
            _ => None,
        }
    }
}

/// What is known of one run of one scenario.
pub struct Normaliser {
    run: String,
    upper_run: String,
    runint: String,
    symbols: HashMap<(Kind, i128), String>,
    counts: HashMap<Kind, usize>,
}

impl Normaliser {
    pub fn new(run: &str, runint: u64) -> Self {
        Self {
            run: run.to_owned(),
            upper_run: run.to_uppercase(),
            runint: runint.to_string(),
            symbols: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// Gives an id that a set-up made its symbol.
    pub fn bind(&mut self, kind: Kind, id: i128, name: &str) {
        self.symbols
            .insert((kind, id), format!("<{}:{name}>", kind.name()));
    }

    /// A mail in the form of the golden files: the addresses that it reached, and its link.
    pub fn mail(&mut self, to: &[String], link: Option<&Link>) -> Value {
        let to: Vec<String> = to.iter().map(|to| self.text(to)).collect();
        let mut mail = json!({ "to": to });
        if let Some(Link { before, uid, .. }) = link {
            let id = token::decoded(uid).and_then(|id| id.parse().ok());
            let whose = match id {
                Some(id) => self.symbol(Kind::User, id),
                None => "?".to_owned(),
            };
            mail["link"] = format!("{before}<uid of {whose}>/<token>").into();
        }
        mail
    }

    /// An answer in the form of the golden files.
    pub fn answer(&mut self, method: &str, path: &str, response: &Answer) -> Value {
        let says_its_type = !response.text.is_empty() || method == "HEAD";
        let mut answer = json!({
            "status": response.status,
            "content_type": response.media().filter(|_| says_its_type),
        });
        match response.status {
            401 => answer["www_authenticate"] = whole(response, "www-authenticate").into(),
            405 => answer["allow"] = whole(response, "allow").into(),
            300..=399 => {
                let location = whole(response, "location").unwrap_or_default();
                answer["location"] = self.location(&location).into();
            }
            _ => {}
        }
        answer["body"] = self.body(Kind::of_path(path), response);
        answer
    }

    fn body(&mut self, kind: Kind, response: &Answer) -> Value {
        if response.text.is_empty() {
            return json!({"$empty": true});
        }
        match &response.json() {
            None => json!({"$not_json": response.media()}),
            // A live server holds other things too: only those of this run are looked at, in their order.
            Some(Value::Array(items)) if items.iter().all(Value::is_object) => {
                let mut mine = Vec::new();
                for item in items {
                    if self.is_of_this_run(item) {
                        mine.push(self.value(item, kind, None));
                    }
                }
                json!({"$mine": mine})
            }
            Some(body) => self.value(body, kind, None),
        }
    }

    fn is_of_this_run(&self, item: &Value) -> bool {
        item.as_object().is_some_and(|members| {
            members
                .values()
                .filter_map(Value::as_str)
                .any(|text| text.to_lowercase().contains(&self.run))
        })
    }

    fn value(&mut self, value: &Value, kind: Kind, key: Option<&str>) -> Value {
        match value {
            Value::Object(members) => {
                let mut normal = Map::new();
                for (key, value) in members {
                    let kind = Kind::of_member(key).unwrap_or(kind);
                    normal.insert(self.text(key), self.value(value, kind, Some(key)));
                }
                normal.into()
            }
            Value::Array(items) => items
                .iter()
                .map(|item| self.value(item, kind, key))
                .collect(),
            Value::Number(_) => {
                let is_id = key.is_some_and(|key| key == "id" || Kind::of_member(key).is_some());
                match integer(value).filter(|_| is_id) {
                    Some(id) => self.symbol(kind, id).into(),
                    None => value.clone(),
                }
            }
            Value::String(text) => self.string(text, kind),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn string(&mut self, text: &str, kind: Kind) -> Value {
        if let Some(claims) = token::claims(text) {
            return self.token(&claims);
        }
        if TIMESTAMP.is_match(text) {
            return "<timestamp>".into();
        }
        // An id nobody has seen is the scenario's own, and stays.
        let text = INVALID_PK.replace_all(text, |found: &Captures| {
            let id = found[1].parse().ok();
            match id.and_then(|id: i128| self.symbols.get(&(kind, id))) {
                Some(symbol) => format!("Invalid pk \"{symbol}\""),
                None => found[0].to_owned(),
            }
        });
        self.text(&text).into()
    }

    fn token(&mut self, claims: &Map<String, Value>) -> Value {
        let mut normal = Map::new();
        // SimpleJWT has no sessions.
        for (key, value) in claims.iter().filter(|(key, _)| *key != "sid") {
            let name = type_name(value);
            let id = plain(value);
            let claim = match key.as_str() {
                "token_type" => value.clone(),
                "user_id" if id.bytes().all(|b| b.is_ascii_digit()) && !id.is_empty() => {
                    match id.parse() {
                        Ok(id) => format!("{name} {}", self.symbol(Kind::User, id)).into(),
                        Err(_) => name.into(),
                    }
                }
                _ => name.into(),
            };
            normal.insert(key.clone(), claim);
        }
        let time = |key| claims.get(key).and_then(integer);
        let lifetime = time("exp").zip(time("iat")).map(|(exp, iat)| exp - iat);
        json!({"$jwt": normal, "$lifetime": lifetime.and_then(|s| i64::try_from(s).ok())})
    }

    /// A redirect's path and query.
    fn location(&mut self, location: &str) -> String {
        let location = location.split('#').next().unwrap_or_default();
        let place = match location.split_once("//") {
            Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => {
                rest.find('/').map_or("", |start| &rest[start..])
            }
            _ => location,
        };
        let (path, query) = place.split_once('?').unwrap_or((place, ""));
        let path = ID_IN_PATH.replace_all(path, |found: &Captures| {
            let kind = match &found[1] {
                "group" => Kind::Group,
                "permission" => Kind::Permission,
                _ => Kind::User,
            };
            match found[2].parse() {
                Ok(id) => format!("/{}s/{}", &found[1], self.symbol(kind, id)),
                Err(_) => found[0].to_owned(),
            }
        });
        let mark = if query.is_empty() { "" } else { "?" };
        self.text(&format!("{path}{mark}{query}"))
    }

    fn symbol(&mut self, kind: Kind, id: i128) -> String {
        let symbol = self.symbols.entry((kind, id)).or_insert_with(|| {
            let count = self.counts.entry(kind).or_default();
            *count += 1;
            format!("<{}#{count}>", kind.name())
        });
        symbol.clone()
    }

    fn text(&self, text: &str) -> String {
        text.replace(&self.run, "${run}")
            .replace(&self.upper_run, "${RUN}")
            .replace(&self.runint, "${runint}")
    }
}

/// All values of a header in one, so that a header sent twice is not taken for one sent once.
fn whole(answer: &Answer, header: &str) -> Option<String> {
    let values = answer.headers.get_all(header).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// The value of a JSON integer.
pub fn integer(value: &Value) -> Option<i128> {
    let signed = value.as_i64().map(i128::from);
    signed.or_else(|| value.as_u64().map(i128::from))
}

/// The golden files were written by Python, and name what JSON has no one word for as Python does.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "boolean",
        Value::Number(_) if integer(value).is_some() => "integer",
        Value::Number(_) => "float",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

#[cfg(test)]
mod tests;
