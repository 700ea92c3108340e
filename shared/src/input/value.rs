//! What a body's fields hold, with the distinctions that Python's types make.

use std::fmt;

use indexmap::IndexMap;

use crate::python;

/// A value of a request body, as DRF's fields get to see it.
///
/// Its `Debug` form names the type only: bodies hold passwords.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// JSON's `null`.
    Null,
    /// JSON's `true` and `false`.
    Bool(bool),
    /// An integer of any size, as the decimal text of `str(int)`.
    Int(String),
    /// A number with a fraction or an exponent; `1e999` is infinite.
    Float(f64),
    /// A JSON string, or the text of a form's field.
    Str(Text),
    /// A JSON array.
    List(Vec<Value>),
    /// A JSON object.
    Dict(Dict),
    /// A file uploaded in a form. No field takes one, so its content is dropped.
    File,
}

impl Value {
    /// The name of the value's type in Python, for DRF's
    /// `Expected a dictionary, but got list.` and the like.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::File => "InMemoryUploadedFile",
        }
    }

    /// Python's `str()` of the value, for texts that quote it.
    ///
    /// A list, a dictionary or a file is only named by its type: DRF refuses
    /// them before it would quote one.
    pub fn to_python_str(&self) -> String {
        match self {
            Self::Null => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(digits) => digits.clone(),
            Self::Float(number) => python::float_repr(*number),
            Self::Str(text) => text.as_str().to_owned(),
            Self::List(_) | Self::Dict(_) | Self::File => format!("<{}>", self.type_name()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())
    }
}

/// A Python `str`, which unlike Rust's may hold lone surrogates.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Text {
    value: String,
    first_surrogate: Option<u16>,
}

impl Text {
    /// The text, with U+FFFD in the place of each lone surrogate.
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// The first lone surrogate, which DRF's `CharField` names when it refuses
    /// the text.
    pub fn first_surrogate(&self) -> Option<u16> {
        self.first_surrogate
    }

    /// The text by itself, see [`Text::as_str`].
    pub fn into_string(self) -> String {
        self.value
    }

    /// Appends text.
    pub(super) fn push_str(&mut self, text: &str) {
        self.value.push_str(text);
    }

    /// Appends a character.
    pub(super) fn push(&mut self, c: char) {
        self.value.push(c);
    }

    /// Appends a surrogate that has no partner.
    pub(super) fn push_surrogate(&mut self, surrogate: u16) {
        self.value.push(char::REPLACEMENT_CHARACTER);
        self.first_surrogate.get_or_insert(surrogate);
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(value: String) -> Self {
        Self {
            value,
            first_surrogate: None,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("str")
    }
}

/// A Python `dict` with text keys: in order of insertion, and a repeated key
/// keeps its first place but its last value.
///
/// The map hashes with random keys, so a client cannot choose colliding ones.
#[derive(Clone, Default, PartialEq)]
pub struct Dict(IndexMap<String, Value>);

impl Dict {
    /// Sets a key, as `dict[key] = value` does.
    pub fn insert(&mut self, key: impl Into<String>, value: Value) {
        self.0.insert(key.into(), value);
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dict")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_keeps_its_place_and_takes_the_last_value() {
        let mut dict = Dict::default();
        for (key, value) in [
            ("a", Value::Bool(true)),
            ("b", Value::Null),
            ("a", Value::File),
        ] {
            dict.insert(key, value);
        }
        assert_eq!(dict.len(), 2);
        assert_eq!(dict.get("a"), Some(&Value::File));
        assert_eq!(
            dict.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn debug_shows_no_content() {
        let mut dict = Dict::default();
        dict.insert("hunter1", Value::Str("hunter2".into()));
        let values = [
            Value::Dict(dict),
            Value::List(vec![Value::Str("hunter2".into())]),
            Value::Str("hunter2".into()),
            Value::Int("12345678".into()),
        ];
        assert_eq!(format!("{values:?}"), "[dict, list, str, int]");
        assert_eq!(format!("{:?}", Text::from("hunter2")), "str");
    }

    #[test]
    fn only_the_first_surrogate_is_remembered() {
        let mut text = Text::from("a");
        text.push_surrogate(0xd800);
        text.push_surrogate(0xdfff);
        assert_eq!(text.as_str(), "a\u{fffd}\u{fffd}");
        assert_eq!(text.first_surrogate(), Some(0xd800));
    }

    #[test]
    fn python_str_names_the_constants_as_python_does() {
        let texts = [
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Int("5".into()),
            Value::Float(1.5),
            Value::Str("x".into()),
        ]
        .map(|value| value.to_python_str());
        assert_eq!(texts, ["None", "True", "False", "5", "1.5", "x"]);
    }
}
