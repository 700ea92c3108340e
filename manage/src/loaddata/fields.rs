//! The values of an object of a dump: keys, relations, texts, flags and dates, in each form that a dump
//! may have them in.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value};

use super::{reading::Object, report::Kind};

/// What is wrong with an object.
pub type Wrong = (Kind, String);

/// A relation, as a dump has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// By primary key.
    Id(u64),
    /// By natural key.
    Natural(Vec<String>),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Natural(key) => write!(f, "{key:?}"),
        }
    }
}

/// A primary key.
///
/// # Errors
/// It is absent or no id.
pub fn id(object: &Object) -> Result<u64, Wrong> {
    let described = || format!("{} {}", object.model, shown(object));
    match &object.pk {
        None | Some(Value::Null) => Err((Kind::NoId, described())),
        Some(pk) => number(pk).ok_or_else(|| {
            let uuid = pk.as_str().is_some_and(|pk| pk.len() >= 32);
            let why = if uuid {
                ": a UUID; tokens and groups name users by numbers here"
            } else {
                ""
            };
            (Kind::BadId, format!("{} {pk}{why}", object.model))
        }),
    }
}

/// An id in a dump: a number, or its digits as text.
pub(super) fn number(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0)?;
            // Beyond, a float no longer tells one number from the next.
            (1.0..=9_007_199_254_740_992.0)
                .contains(&whole)
                .then_some(whole as u64)
        })?,
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        _ => return None,
    };
    (1..=i64::MAX as u64).contains(&number).then_some(number)
}

/// What tells an object from others, for messages.
pub(super) fn shown(object: &Object) -> String {
    let names = ["username", "name", "codename", "email"];
    let name = names
        .iter()
        .find_map(|name| object.fields.get(*name)?.as_str());
    match (&object.pk, name) {
        (Some(pk), Some(name)) => format!("{pk} ({name})"),
        (Some(pk), None) => pk.to_string(),
        (None, name) => name.unwrap_or("without a name").to_owned(),
    }
}

/// The fields of an object, each taken once.
pub(super) struct Fields<'a> {
    object: &'a Object,
    pub(super) left: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(object: &'a Object) -> Self {
        Self {
            object,
            left: object.fields.clone(),
        }
    }

    pub(super) fn wrong(&self, name: &str, kind: Kind) -> Wrong {
        let Object { model, .. } = self.object;
        (kind, format!("{model} {}: {name}", shown(self.object)))
    }

    pub(super) fn take(&mut self, name: &str) -> Value {
        self.left.shift_remove(name).unwrap_or_default()
    }

    /// A text; `null` and an absent field are `default`.
    pub(super) fn text(&mut self, name: &str, default: Option<&str>) -> Result<String, Wrong> {
        match (self.take(name), default) {
            (Value::String(text), _) => Ok(text),
            (Value::Number(number), _) => Ok(number.to_string()),
            (Value::Null, Some(default)) => Ok(default.to_owned()),
            _ => Err(self.wrong(name, Kind::Malformed)),
        }
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> Result<bool, Wrong> {
        match self.take(name) {
            Value::Null => Ok(default),
            Value::Bool(flag) => Ok(flag),
            Value::Number(number) if number.as_u64().is_some_and(|n| n < 2) => {
                Ok(number.as_u64() == Some(1))
            }
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Ok(true),
                "false" | "f" | "0" => Ok(false),
                _ => Err(self.wrong(name, Kind::Malformed)),
            },
            _ => Err(self.wrong(name, Kind::Malformed)),
        }
    }

    /// A date in seconds since 1970, and the microseconds beyond.
    pub(super) fn date(
        &mut self,
        name: &str,
        zone: Option<&TimeZone>,
    ) -> Result<Option<(i64, u32)>, Wrong> {
        match self.take(name) {
            Value::Null => Ok(None),
            Value::String(text) => match date(&text, zone) {
                Ok(date) => Ok(Some(date)),
                Err(kind) => Err(self.wrong(name, kind)),
            },
            _ => Err(self.wrong(name, Kind::Malformed)),
        }
    }

    pub(super) fn references(&mut self, name: &str) -> Result<Vec<Reference>, Wrong> {
        let references = match self.take(name) {
            Value::Null => Some(Vec::new()),
            Value::Array(keys) => keys.iter().map(reference).collect(),
            _ => None,
        };
        references.ok_or_else(|| self.wrong(name, Kind::Malformed))
    }
}

/// A relation; none if it is no key.
pub(super) fn reference(key: &Value) -> Option<Reference> {
    match key {
        Value::Array(parts) => {
            let text = |part: &Value| part.as_str().map(str::to_owned);
            parts
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .map(Reference::Natural)
        }
        id => number(id).map(Reference::Id),
    }
}

/// A date as Django writes and reads it.
///
/// # Errors
/// It is none, or has no offset and no zone is known.
fn date(text: &str, zone: Option<&TimeZone>) -> Result<(i64, u32), Kind> {
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => {
            let local: civil::DateTime = text.parse().map_err(|_| Kind::Malformed)?;
            let zone = zone.ok_or(Kind::NaiveDate)?;
            let zoned = local.to_zoned(zone.clone());
            zoned.map_err(|_| Kind::Malformed)?.timestamp()
        }
    };
    let micros = time.as_microsecond();
    // The remainder of a million is below 2^32.
    Ok((
        micros.div_euclid(1_000_000),
        micros.rem_euclid(1_000_000) as u32,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_django_writes_them() {
        let utc = Some(TimeZone::UTC);
        for (text, seconds, micros) in [
            ("2024-01-01T10:00:00Z", 1_704_103_200, 0),
            ("2024-01-01T10:00:00.123Z", 1_704_103_200, 123_000),
            ("2024-01-01T10:00:00.123456+00:00", 1_704_103_200, 123_456),
            ("2024-01-01T15:45:00+05:45", 1_704_103_200, 0),
            ("2024-01-01 10:00:00+00:00", 1_704_103_200, 0),
            ("2024-01-01T10:00Z", 1_704_103_200, 0),
            ("1969-07-20T20:17:40.500Z", -14_182_940, 500_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("2024-01-01T10:00:00", 1_704_103_200, 0),
            ("2024-01-01", 1_704_067_200, 0),
        ] {
            assert_eq!(
                date(text, utc.as_ref()).ok(),
                Some((seconds, micros)),
                "{text}"
            );
        }
        assert_eq!(date("2024-01-01T10:00:00", None), Err(Kind::NaiveDate));
        assert_eq!(date("yesterday", utc.as_ref()), Err(Kind::Malformed));
    }

    #[test]
    fn ids_are_whole_numbers_from_one_on() {
        for (pk, expected) in [
            (Value::from(7), Some(7)),
            (Value::from("7"), Some(7)),
            (Value::from(7.0), Some(7)),
            (Value::from(i64::MAX), Some(i64::MAX as u64)),
            (Value::from(i64::MAX as u64 + 1), None),
            (Value::from(0), None),
            (Value::from(-1), None),
            (Value::from(7.5), None),
            (Value::from("8d1c0b1e-0000-4000-8000-000000000001"), None),
        ] {
            assert_eq!(number(&pk), expected, "{pk}");
        }
    }
}
