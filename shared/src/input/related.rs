//! Primary keys in bodies and paths, read as Django reads them: by Python's `int()`.

use super::value::Value;
use crate::python;

/// A value given as a primary key.
#[derive(Clone, Debug, PartialEq)]
pub enum Pk {
    /// A number that an object may have, and the value as Python prints it.
    Id(u64, String),
    /// A value that no object can have, as Python prints it: null, a negative, a huge one.
    Nobody(String),
    /// A value that is no number: the name of its type in Python.
    NotANumber(&'static str),
}

/// Reads a value as `PrimaryKeyRelatedField` does.
pub fn pk(value: &Value) -> Pk {
    let shown = value.to_python_str();
    let digits = match value {
        Value::Null => return Pk::Nobody(shown),
        Value::Int(digits) => Some(digits.clone()),
        Value::Float(number) if number.is_finite() => Some(format!("{:.0}", number.trunc())),
        Value::Str(text) if text.first_surrogate().is_none() => python::int(text.as_str()),
        _ => None,
    };
    match digits {
        None => Pk::NotANumber(value.type_name()),
        Some(digits) => match id(&digits) {
            Some(id) => Pk::Id(id, shown),
            None => Pk::Nobody(shown),
        },
    }
}

/// The id that a segment of a path names, if it can name one.
pub fn path_id(segment: &str) -> Option<u64> {
    id(&python::int(segment)?)
}

/// Ids are positive and, as in the recorded database, at most 64 bits with a sign.
fn id(digits: &str) -> Option<u64> {
    digits
        .parse::<i64>()
        .ok()
        .and_then(|id| u64::try_from(id).ok())
        .filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_are_read_by_pythons_int() {
        for seven in ["7", "007", " 7 ", "+7", "0_7", "٧"] {
            assert_eq!(path_id(seven), Some(7), "{seven:?}");
        }
        for nobody in [
            "",
            "0",
            "-7",
            "7.0",
            "7a",
            "_7",
            "99999999999999999999",
            "9223372036854775808",
        ] {
            assert_eq!(path_id(nobody), None, "{nobody:?}");
        }
        assert_eq!(
            path_id("9223372036854775807"),
            Some(9_223_372_036_854_775_807)
        );
    }

    #[test]
    fn keys_in_bodies_keep_how_python_prints_them() {
        let text = |text: &str| pk(&Value::Str(text.into()));
        assert_eq!(text(" 7 "), Pk::Id(7, " 7 ".to_owned()));
        assert_eq!(text("7.0"), Pk::NotANumber("str"));
        assert_eq!(text(""), Pk::NotANumber("str"));
        assert_eq!(pk(&Value::Float(7.9)), Pk::Id(7, "7.9".to_owned()));
        assert_eq!(pk(&Value::Float(f64::INFINITY)), Pk::NotANumber("float"));
        assert_eq!(pk(&Value::Float(1e20)), Pk::Nobody("1e+20".to_owned()));
        assert_eq!(pk(&Value::Null), Pk::Nobody("None".to_owned()));
        assert_eq!(
            pk(&Value::Int("-1".to_owned())),
            Pk::Nobody("-1".to_owned())
        );
        assert_eq!(pk(&Value::Bool(true)), Pk::NotANumber("bool"));
        assert_eq!(pk(&Value::List(Vec::new())), Pk::NotANumber("list"));
    }
}
