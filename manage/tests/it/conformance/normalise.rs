//! Takes out of an answer what differs from run to run, leaving what can be compared with a golden file.
//!
//! An id becomes a symbol that stays the same through a scenario, a token the names and types of its claims, a
//! time `<timestamp>`, and the suffix of this run's names `${run}`.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde_json::{Map, Value, json};

use testkit::Answer;

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
        for (key, value) in claims {
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
mod tests {
    use axum::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const JSON: (&str, &str) = ("content-type", "application/json");

    fn response(status: u16, headers: &[(&'static str, &'static str)], text: String) -> Answer {
        let headers = headers.iter().map(|&(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        Answer::new(status, HeaderMap::from_iter(headers), text)
    }

    fn normaliser() -> Normaliser {
        let mut normaliser = Normaliser::new("a1b2c3d4", 123_456_789_012_345);
        normaliser.bind(Kind::User, 7, "ann");
        normaliser
    }

    fn body(normaliser: &mut Normaliser, path: &str, body: &Value) -> Value {
        let response = response(200, &[JSON], body.to_string());
        normaliser.answer("GET", path, &response)["body"].take()
    }

    #[test]
    fn an_id_has_one_symbol_for_as_long_as_it_stays_the_same() {
        let mut normaliser = normaliser();
        let user = |id: u64| json!({"id": id, "groups": [{"id": 7}, {"id": 9}], "age": 7});
        assert_eq!(
            body(&mut normaliser, "/users/7/", &user(7)),
            json!({"id": "<user:ann>", "groups": [{"id": "<group#1>"}, {"id": "<group#2>"}], "age": 7})
        );
        assert_eq!(
            body(&mut normaliser, "/users/8/", &user(8))["id"],
            "<user#1>"
        );
        assert_eq!(
            body(&mut normaliser, "/groups/9/", &json!({"id": 9})),
            json!({"id": "<group#2>"})
        );
        assert_eq!(
            body(&mut normaliser, "/groups/9/", &json!({"id": "9"})),
            json!({"id": "9"})
        );
        assert_eq!(
            body(
                &mut normaliser,
                "/users/7/assign_groups/",
                &json!({"group_ids": ["Invalid pk \"9\" - no.", "Invalid pk \"5\" - no."]})
            ),
            json!({"group_ids": ["Invalid pk \"<group#2>\" - no.", "Invalid pk \"5\" - no."]})
        );
    }

    #[test]
    fn a_list_is_cut_down_to_what_this_run_made() {
        let list = json!([
            {"id": 1, "name": "other"},
            {"id": 3, "name": "Z_A1B2C3D4"},
            {"id": 2, "name": "a_a1b2c3d4 123456789012345"},
        ]);
        assert_eq!(
            body(&mut normaliser(), "/groups/", &list),
            json!({"$mine": [
                {"id": "<group#1>", "name": "Z_${RUN}"},
                {"id": "<group#2>", "name": "a_${run} ${runint}"},
            ]})
        );
        assert_eq!(
            body(&mut normaliser(), "/groups/", &json!([1, "a"])),
            json!([1, "a"])
        );
    }

    #[test]
    fn a_token_is_its_claims_names_and_types() {
        let claims =
            json!({"token_type": "access", "exp": 400, "iat": 100, "jti": "x", "user_id": "7"});
        let claims = claims.as_object().expect("an object was written");
        let token = token::sign(claims, "key", "HS256", &Map::new()).expect("HS256 is known");
        assert_eq!(
            body(
                &mut normaliser(),
                "/login/",
                &json!({"access": token, "at": "2026-01-01T00:00:00Z"})
            ),
            json!({
                "access": {
                    "$jwt": {
                        "token_type": "access", "exp": "integer", "iat": "integer", "jti": "string",
                        "user_id": "string <user:ann>",
                    },
                    "$lifetime": 300,
                },
                "at": "<timestamp>",
            })
        );
    }

    #[test]
    fn headers_are_kept_where_they_mean_something() {
        let headers = [
            JSON,
            ("www-authenticate", "Bearer"),
            ("allow", "GET, PUT"),
            ("location", "http://host/users/7/?next=/a1b2c3d4"),
        ];
        let answer =
            |status| normaliser().answer("GET", "/", &response(status, &headers, "{}".to_owned()));
        assert_eq!(answer(401)["www_authenticate"], "Bearer");
        assert_eq!(answer(405)["allow"], "GET, PUT");
        assert_eq!(answer(301)["location"], "/users/<user:ann>/?next=/${run}");
        assert_eq!(
            answer(200),
            json!({"status": 200, "content_type": "application/json", "body": {}})
        );
    }

    #[test]
    fn a_body_that_is_no_json_is_told_from_none() {
        let html = [("content-type", "text/html; charset=utf-8")];
        let page = response(404, &html, "{}".to_owned());
        let answer = normaliser().answer("GET", "/", &page);
        assert_eq!(answer["body"], json!({"$not_json": "text/html"}));
        let page = response(404, &html, String::new());
        let answer = normaliser().answer("GET", "/", &page);
        assert_eq!(answer["body"], json!({"$empty": true}));
        assert_eq!(answer["content_type"], Value::Null);
        let answer = normaliser().answer("HEAD", "/", &page);
        assert_eq!(answer["content_type"], "text/html");
    }
}
