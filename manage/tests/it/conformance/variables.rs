//! The variables of one scenario: `${ann.id}` in a path, a header or a body.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use testkit::PASSWORD;

use super::token;

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| regex(r"\$\{([^${}]+)\}"));
static STRING_LITERAL: LazyLock<Regex> = LazyLock::new(|| regex(r#""(?:[^"\\]|\\.)*"(\s*:)?"#));
static PLACE: LazyLock<Regex> = LazyLock::new(|| regex(r"\[[^\]]+\]|[^.\[\]]+"));
static TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"^now([+-]\d+)$"));

/// What has a value in a scenario.
pub struct Variables {
    /// The suffix that every name made by this run carries.
    pub run: String,
    /// A number of this run, for names that must be numbers.
    pub runint: u64,
    values: HashMap<String, Value>,
}

impl Variables {
    /// The variables that are always there.
    pub fn new() -> Self {
        let (run, runint) = (
            suffix(random()),
            10_u64.pow(14) + random() % (9 * 10_u64.pow(14)),
        );
        let mut variables = Self {
            run,
            runint,
            values: HashMap::new(),
        };
        variables.set("RUN", variables.run.to_uppercase());
        variables.set("run", variables.run.clone());
        variables.set("runint", runint);
        variables.set("pw", PASSWORD);
        variables
    }

    /// Gives a variable a value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), value.into());
    }

    /// The value of a variable, or of a function of one.
    pub fn lookup(&self, name: &str) -> Result<Value, String> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let unknown = || format!("no value for ${{{name}}}");
        let (function, rest) = name.split_once(':').ok_or_else(unknown)?;
        Ok(match function {
            "s" => plain(&self.lookup(rest)?),
            "upper" => plain(&self.lookup(rest)?).to_uppercase(),
            "lower" => plain(&self.lookup(rest)?).to_lowercase(),
            "b64" => token::encoded(rest),
            "uid" => token::encoded(&plain(&self.lookup(rest)?)),
            "flip" => {
                let text = plain(&self.lookup(rest)?);
                let (kept, last) = text.split_at(text.len().saturating_sub(1));
                format!("{kept}{}", if last == "0" { "1" } else { "0" })
            }
            "flip1" => {
                let text = plain(&self.lookup(rest)?);
                let (first, kept) = text.split_at(text.len().min(1));
                format!("{}{kept}", if first == "0" { "1" } else { "0" })
            }
            "rep" => {
                let (text, count) = rest.rsplit_once(':').ok_or_else(unknown)?;
                text.repeat(count.parse().map_err(|_| unknown())?)
            }
            how => token::tamper(how, &plain(&self.lookup(rest)?)).ok_or_else(unknown)?,
        }
        .into())
    }

    /// Text with its variables replaced.
    pub fn text(&self, text: &str) -> Result<String, String> {
        self.string(text).map(|value| plain(&value))
    }

    /// A value with its variables replaced, in keys too.
    pub fn value(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => self.string(text)?,
            Value::Array(items) => items
                .iter()
                .map(|item| self.value(item))
                .collect::<Result<_, _>>()?,
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| Ok((self.text(key)?, self.value(value)?)))
                .collect::<Result<Map<_, _>, String>>()?
                .into(),
            other => other.clone(),
        })
    }

    /// JSON text with its variables replaced and everything else left as it is written.
    pub fn json(&self, raw: &RawValue) -> Result<String, String> {
        replace(&STRING_LITERAL, raw.get(), |found| {
            if !VARIABLE.is_match(&found[0]) {
                return Ok(found[0].to_owned());
            }
            let colon = found.get(1).map(|m| m.as_str());
            let literal = found[0].strip_suffix(colon.unwrap_or_default());
            let text: String =
                serde_json::from_str(literal.unwrap_or_default()).map_err(|e| e.to_string())?;
            Ok(match colon {
                Some(colon) => Value::from(self.text(&text)?).to_string() + colon,
                None => self.string(&text)?.to_string(),
            })
        })
    }

    /// Takes a value out of an answer. Where the answer has no such place, the variable stays as it was; a
    /// step that needs it then says so.
    pub fn save(&mut self, name: &str, place: &str, body: &Value) -> Result<(), String> {
        let place = self.text(place)?;
        let mut value = Some(body);
        for part in PLACE.find_iter(&place).map(|part| part.as_str()) {
            let test = part.strip_prefix('[').and_then(|p| p.strip_suffix(']'));
            value = value.and_then(|value| match (test, value) {
                (Some(test), Value::Array(items)) => {
                    let (key, wanted) = test.split_once('=').unwrap_or((test, ""));
                    items
                        .iter()
                        .find(|item| item.get(key).is_some_and(|v| plain(v) == wanted))
                }
                (None, Value::Array(items)) => items.get(part.parse::<usize>().ok()?),
                (None, Value::Object(members)) => members.get(part),
                _ => None,
            });
        }
        if let Some(value) = value.cloned() {
            self.set(name, value);
        }
        Ok(())
    }

    /// Signs a token by hand and makes it a variable.
    pub fn mint(
        &mut self,
        name: &str,
        spec: &Value,
        signing_key: &str,
        now: i64,
    ) -> Result<(), String> {
        let Value::Object(mut claims) = self.value(&spec["claims"])? else {
            return Err(format!("the claims of {name} are no object"));
        };
        for claim in claims.values_mut() {
            let offset = claim
                .as_str()
                .and_then(|text| TIME.captures(text)?[1].parse::<i64>().ok());
            if let Some(offset) = offset {
                *claim = (now + offset).into();
            }
        }
        let wrong_key = "x".repeat(48);
        let key = match spec.get("key").and_then(Value::as_str) {
            None | Some("good") => signing_key,
            Some("bad") => &wrong_key,
            Some(other) => return Err(format!("{name} asks for an unknown key {other}")),
        };
        let alg = spec.get("alg").and_then(Value::as_str).unwrap_or("HS256");
        let header = spec.get("header").and_then(Value::as_object);
        let token = token::sign(&claims, key, alg, &header.cloned().unwrap_or_default())?;
        self.set(name, token);
        Ok(())
    }

    /// A string that is exactly one variable keeps that variable's JSON type.
    fn string(&self, text: &str) -> Result<Value, String> {
        if let Some(found) = VARIABLE.captures(text).filter(|c| c[0].len() == text.len()) {
            return self.lookup(&found[1]);
        }
        replace(&VARIABLE, text, |found| Ok(plain(&self.lookup(&found[1])?))).map(Value::from)
    }
}

/// A value as text: a string without its quotes, anything else as JSON.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// [`Regex::replace_all`] with a replacement that can fail.
fn replace(
    regex: &Regex,
    text: &str,
    mut replacement: impl FnMut(&Captures) -> Result<String, String>,
) -> Result<String, String> {
    let mut failure = None;
    let replaced = regex.replace_all(text, |found: &Captures| {
        replacement(found).unwrap_or_else(|e| {
            failure.get_or_insert(e);
            String::new()
        })
    });
    match failure {
        Some(failure) => Err(failure),
        None => Ok(replaced.into_owned()),
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

/// Letter, digit, letter, digit ...: its upper and lower case always differ.
fn suffix(mut random: u64) -> String {
    let mut pick = |from: &[u8]| {
        let count = from.len() as u64;
        let picked = from[(random % count) as usize];
        random /= count;
        char::from(picked)
    };
    (0..4)
        .flat_map(|_| [pick(b"abcdef"), pick(b"0123456789")])
        .collect()
}

/// A random number; the keys of a new hasher are the randomness the standard library has to offer.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::new();
        variables.set("ann", "ann_x");
        variables.set("ann.id", 7);
        variables
    }

    #[test]
    fn one_variable_keeps_its_type_and_more_make_text() {
        let variables = variables();
        let filled = variables
            .value(&json!({"${ann}": ["${ann.id}", "${s:ann.id}", "<${ann.id}>", 1, null]}));
        assert_eq!(filled, Ok(json!({"ann_x": [7, "7", "<7>", 1, null]})));
        assert_eq!(
            variables.text("/${ann.id}/${ann}/"),
            Ok("/7/ann_x/".to_owned())
        );
    }

    #[test]
    fn functions_repeat_and_change_case() {
        let variables = variables();
        assert_eq!(variables.text("${rep:ab:3}c"), Ok("abababc".to_owned()));
        assert_eq!(variables.text("${rep:a:b:2}"), Ok("a:ba:b".to_owned()));
        assert_eq!(variables.text("${upper:ann}"), Ok("ANN_X".to_owned()));
        assert_eq!(variables.text("${lower:RUN}"), Ok(variables.run.clone()));
    }

    #[test]
    fn a_variable_without_a_value_is_an_error() {
        for text in [
            "${bob}",
            "x ${bob.id}",
            "${s:bob}",
            "${rep:x}",
            "${badsig:ann}",
        ] {
            assert!(variables().text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn json_text_is_otherwise_sent_as_it_is_written() {
        let written = r#"{"b" : "${ann.id}", "${ann}" : [99999999999999999999, 1.50, "\ud800", "\"${ann}\\"]}"#;
        let raw = RawValue::from_string(written.to_owned()).expect("the text is JSON");
        assert_eq!(
            variables().json(&raw).as_deref(),
            Ok(r#"{"b" : 7, "ann_x" : [99999999999999999999, 1.50, "\ud800", "\"ann_x\\"]}"#)
        );
    }

    #[test]
    fn a_place_in_an_answer_may_be_a_key_an_index_or_a_search() {
        let body = json!({"list": [{"name": "a", "id": 1}, {"name": "ann_x", "id": 2}]});
        let mut variables = variables();
        for (name, place) in [
            ("first", "list.0.id"),
            ("found", "list[name=${ann}].id"),
            ("ann", "nowhere.id"),
        ] {
            assert_eq!(variables.save(name, place, &body), Ok(()));
        }
        assert_eq!(variables.lookup("first"), Ok(json!(1)));
        assert_eq!(variables.lookup("found"), Ok(json!(2)));
        assert_eq!(variables.lookup("ann"), Ok(json!("ann_x")));
    }

    #[test]
    fn a_minted_token_holds_times_relative_to_now() {
        let mut variables = variables();
        let spec = json!({"claims": {"exp": "now+300", "iat": "now-5", "user_id": "${s:ann.id}"}, "alg": "none"});
        assert_eq!(variables.mint("t", &spec, "key", now()), Ok(()));
        let token = plain(&variables.lookup("t").expect("the token was minted"));
        let claims = token::claims(&token).expect("a minted token is a token");
        let time = |name: &str| claims[name].as_i64().expect("a time is an integer");
        assert_eq!(time("exp") - time("iat"), 305);
        assert_eq!(claims["user_id"], "7");
        assert!(token.ends_with('.'));
    }

    fn now() -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("the clock is past 1970");
        i64::try_from(since.as_secs()).expect("the clock is before the year 292277026596")
    }
}
