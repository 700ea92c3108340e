//! Reads a body's fields and collects every error, in DRF's order and wording.

pub mod body;
pub mod json;
pub mod query_dict;
pub mod related;
pub mod value;

pub use body::{BodyError, Data};
pub use related::{Pk, PkList, Related};
use value::Value;

use crate::{
    domain::names::{RawText, TextField},
    error::{ApiError, FieldErrors, NON_FIELD_ERRORS},
    python,
};

/// The largest body that is read, in bytes; a larger one is a 413.
pub const MAX_BODY: usize = 1024 * 1024;

/// Whether a field must be there, and whether it may be blank: DRF's `required` and
/// `allow_blank`, which the models use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Must be there (but in a PATCH), and must not be blank.
    Required,
    /// May be left out or blank.
    Optional,
}

/// The fields of one body and the errors found in them so far.
pub struct Fields {
    data: Data,
    partial: bool,
    errors: FieldErrors,
}

/// What a body says of one field.
enum Given<'a> {
    Absent,
    Null,
    Value(&'a Value),
}

impl Fields {
    /// The fields of a body; `partial` as in a PATCH, where absent fields are no errors.
    ///
    /// # Errors
    /// The body is no object.
    pub fn new(data: Data, partial: bool) -> Result<Self, ApiError> {
        if let Data::Json(value) = &data {
            let text = match value {
                Value::Dict(_) => None,
                Value::Null => Some("No data provided".to_owned()),
                other => Some(format!(
                    "Invalid data. Expected a dictionary, but got {}.",
                    other.type_name()
                )),
            };
            if let Some(text) = text {
                return Err(FieldErrors::one(NON_FIELD_ERRORS, text).into());
            }
        }
        Ok(Self {
            data,
            partial,
            errors: FieldErrors::default(),
        })
    }

    /// Whether absent fields are left unchanged (PATCH).
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// Adds an error to a field.
    pub fn error(&mut self, name: &'static str, text: impl Into<String>) {
        self.errors.add(name, [text.into()]);
    }

    /// The errors found.
    pub fn into_errors(self) -> FieldErrors {
        self.errors
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    fn given(&self, name: &str) -> Given<'_> {
        let value = match &self.data {
            Data::Json(Value::Dict(fields)) => fields.get(name),
            Data::Json(_) => None,
            Data::Form(form) => form.get_last(name),
        };
        match value {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(value) => Given::Value(value),
        }
    }

    /// Whether a field is a text of nothing but spaces.
    pub fn is_blank(&self, name: &str) -> bool {
        match self.given(name) {
            Given::Value(Value::Str(text)) => python::strip(text.as_str()).is_empty(),
            _ => false,
        }
    }

    /// A text field (`CharField`): trimmed, numbers taken as text.
    pub fn text<T: TextField>(&mut self, name: &'static str, presence: Presence) -> Option<T> {
        match self.parse_text(name, presence) {
            Ok(value) => value,
            Err(texts) => {
                self.errors.add(name, texts);
                None
            }
        }
    }

    fn parse_text<T: TextField>(
        &self,
        name: &str,
        presence: Presence,
    ) -> Result<Option<T>, Vec<String>> {
        let number;
        let raw = match self.given(name) {
            Given::Absent => return self.absent(presence).map(|()| None),
            Given::Null => return Err(vec![NULL.to_owned()]),
            Given::Value(Value::Str(text)) => RawText {
                text: python::strip(text.as_str()),
                surrogate: text.first_surrogate(),
            },
            Given::Value(value @ (Value::Int(_) | Value::Float(_))) => {
                number = value.to_python_str();
                RawText {
                    text: &number,
                    surrogate: None,
                }
            }
            Given::Value(_) => return Err(vec![T::NOT_A_STRING.to_owned()]),
        };
        if raw.text.is_empty() && presence == Presence::Required {
            return Err(vec!["This field may not be blank.".to_owned()]);
        }
        T::parse(raw).map(Some)
    }

    fn absent(&self, presence: Presence) -> Result<(), Vec<String>> {
        if self.partial || presence == Presence::Optional {
            Ok(())
        } else {
            Err(vec![REQUIRED.to_owned()])
        }
    }

    /// A flag (`BooleanField`) that may be left out; a blank one in a form counts as left out.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = match self.given(name) {
            Given::Absent => return None,
            Given::Null => {
                self.error(name, NULL);
                return None;
            }
            Given::Value(Value::Str(text)) if text.as_str().is_empty() && self.is_form() => {
                return None;
            }
            Given::Value(value) => boolean(value),
        };
        if value.is_none() {
            self.error(name, "Must be a valid boolean.");
        }
        value
    }

    /// A list of primary keys (`ManyRelatedField`). In a form, repeated keys are the list, and
    /// no key is an empty one (but in a PATCH).
    pub fn pk_list(&mut self, name: &'static str, presence: Presence) -> Option<PkList> {
        let items = match (&self.data, self.given(name)) {
            (Data::Form(_), Given::Absent) if self.partial => return None,
            (Data::Form(form), _) => form.get_list(name).iter().map(related::pk).collect(),
            (_, Given::Absent) => {
                if let Err(texts) = self.absent(presence) {
                    self.errors.add(name, texts);
                }
                return None;
            }
            (_, Given::Null) => {
                self.error(name, NULL);
                return None;
            }
            (_, Given::Value(Value::List(items))) => items.iter().map(related::pk).collect(),
            // Python iterates over the keys of a dictionary.
            (_, Given::Value(Value::Dict(fields))) => fields
                .iter()
                .map(|(key, _)| related::pk(&Value::Str(key.into())))
                .collect(),
            (_, Given::Value(other)) => {
                let kind = other.type_name();
                self.error(
                    name,
                    format!("Expected a list of items but got type \"{kind}\"."),
                );
                return None;
            }
        };
        Some(PkList::new(items))
    }

    /// One primary key (`PrimaryKeyRelatedField`).
    pub fn pk(&mut self, name: &'static str) -> Option<PkList> {
        match self.related(name) {
            Ok(value) => value.map(|value| PkList::new(vec![related::pk(value)])),
            Err(text) => {
                self.error(name, text);
                None
            }
        }
    }

    /// A required field of a related object, unread; a blank one counts as null.
    ///
    /// # Errors
    /// It is absent or null.
    pub fn related(&self, name: &str) -> Result<Option<&Value>, &'static str> {
        match self.given(name) {
            Given::Absent if self.partial => Ok(None),
            Given::Absent => Err(REQUIRED),
            Given::Null => Err(NULL),
            Given::Value(Value::Str(text)) if text.as_str().is_empty() => Err(NULL),
            Given::Value(value) => Ok(Some(value)),
        }
    }

    fn is_form(&self) -> bool {
        matches!(self.data, Data::Form(_))
    }
}

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";

/// DRF's `BooleanField`: its words, and the numbers that Python holds equal to true and false.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(digits) if digits == "1" => Some(true),
        Value::Int(digits) if digits == "0" => Some(false),
        Value::Float(number) if *number == 1.0 => Some(true),
        Value::Float(number) if *number == 0.0 => Some(false),
        Value::Str(text) => match text.as_str().to_lowercase().as_str() {
            "t" | "y" | "yes" | "true" | "on" | "1" => Some(true),
            "f" | "n" | "no" | "false" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
