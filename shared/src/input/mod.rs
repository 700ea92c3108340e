//! Reads a body's fields and collects every error, in DRF's order and wording.

pub mod body;
mod errors;
pub mod json;
pub mod query_dict;
pub mod related;
pub mod value;

pub use body::{BodyError, Data};
pub use errors::{FieldErrors, NON_FIELD_ERRORS};
use related::Pk;
use value::Value;

use crate::{
    domain::{
        FieldError,
        names::{RawText, TextField},
    },
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

/// What an absent field means: DRF's `partial`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// A required one is an error.
    Missing,
    /// It stays as it is (PATCH).
    Unchanged,
}

/// The fields of one body and the errors found in them so far.
pub struct Fields {
    data: Data,
    absent: Absent,
    errors: FieldErrors,
}

/// What a body says of one field.
enum Given<'a> {
    Absent,
    Null,
    Value(&'a Value),
}

impl Fields {
    /// The fields of a body.
    ///
    /// # Errors
    /// The body is no object.
    pub fn new(data: Data, absent: Absent) -> Result<Self, FieldErrors> {
        let wrong = match &data {
            Data::Form(_) | Data::Json(Value::Dict(_)) => None,
            Data::Json(Value::Null) => Some(FieldError::said("No data provided")),
            Data::Json(other) => Some(FieldError::Said(
                format!(
                    "Invalid data. Expected a dictionary, but got {}.",
                    other.type_name()
                )
                .into(),
            )),
        };
        if let Some(error) = wrong {
            return Err(FieldErrors::one(NON_FIELD_ERRORS, error));
        }
        Ok(Self {
            data,
            absent,
            errors: FieldErrors::default(),
        })
    }

    /// The fields of a form.
    pub fn of_form(form: query_dict::QueryDict, absent: Absent) -> Self {
        Self {
            data: Data::Form(form),
            absent,
            errors: FieldErrors::default(),
        }
    }

    /// Adds an error to a field.
    pub fn error(&mut self, name: &'static str, error: FieldError) {
        self.errors.add(name, [error]);
    }

    /// Adds errors.
    pub fn errors(&mut self, errors: FieldErrors) {
        self.errors.extend(errors);
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
        self.parsed(name, presence, python::strip)
    }

    /// A text field whose outer spaces belong to it (`strip=False`), such as a password in a form
    /// of Django's admin.
    pub fn untrimmed<T: TextField>(&mut self, name: &'static str, presence: Presence) -> Option<T> {
        self.parsed(name, presence, |text| text)
    }

    /// The text of what is no field of a form: as it stands, and empty where there is none.
    pub fn text_or_nothing(&self, name: &str) -> String {
        match self.given(name) {
            Given::Value(Value::Str(text)) => text.as_str().to_owned(),
            Given::Value(value @ (Value::Int(_) | Value::Float(_))) => value.to_python_str(),
            _ => String::new(),
        }
    }

    fn parsed<T: TextField>(
        &mut self,
        name: &'static str,
        presence: Presence,
        trim: fn(&str) -> &str,
    ) -> Option<T> {
        match self.parse_text(name, presence, trim) {
            Ok(value) => value,
            Err(errors) => {
                self.errors.add(name, errors);
                None
            }
        }
    }

    fn parse_text<T: TextField>(
        &self,
        name: &str,
        presence: Presence,
        trim: fn(&str) -> &str,
    ) -> Result<Option<T>, Vec<FieldError>> {
        let number;
        let raw = match self.given(name) {
            Given::Absent => return self.absent(presence).map(|()| None),
            Given::Null => return Err(vec![FieldError::NULL]),
            Given::Value(Value::Str(text)) => RawText {
                text: trim(text.as_str()),
                surrogate: text.first_surrogate(),
            },
            Given::Value(value @ (Value::Int(_) | Value::Float(_))) => {
                number = value.to_python_str();
                number.as_str().into()
            }
            Given::Value(_) => return Err(vec![T::NOT_A_STRING]),
        };
        if raw.text.is_empty() && presence == Presence::Required {
            return Err(vec![FieldError::Blank]);
        }
        T::parse(raw).map(Some)
    }

    fn absent(&self, presence: Presence) -> Result<(), Vec<FieldError>> {
        if self.absent == Absent::Unchanged || presence == Presence::Optional {
            Ok(())
        } else {
            Err(vec![FieldError::REQUIRED])
        }
    }

    /// A flag (`BooleanField`) that may be left out; a blank one in a form counts as left out.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = match self.given(name) {
            Given::Absent => return None,
            Given::Null => {
                self.error(name, FieldError::NULL);
                return None;
            }
            Given::Value(Value::Str(text)) if text.as_str().is_empty() && self.is_form() => {
                return None;
            }
            Given::Value(value) => boolean(value),
        };
        if value.is_none() {
            self.error(name, FieldError::said("Must be a valid boolean."));
        }
        value
    }

    /// A list of primary keys (`ManyRelatedField`). In a form, repeated keys are the list, and
    /// no key is an empty one (but in a PATCH).
    pub fn pk_list(&mut self, name: &'static str, presence: Presence) -> Option<Vec<Pk>> {
        let items = match (&self.data, self.given(name)) {
            (Data::Form(_), Given::Absent) if self.absent == Absent::Unchanged => return None,
            (Data::Form(form), _) => form.get_list(name).iter().map(related::pk).collect(),
            (_, Given::Absent) => {
                if let Err(errors) = self.absent(presence) {
                    self.errors.add(name, errors);
                }
                return None;
            }
            (_, Given::Null) => {
                self.error(name, FieldError::NULL);
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
                let text = format!("Expected a list of items but got type \"{kind}\".");
                self.error(name, FieldError::Said(text.into()));
                return None;
            }
        };
        Some(items)
    }

    /// One primary key (`PrimaryKeyRelatedField`).
    pub fn pk(&mut self, name: &'static str) -> Option<Pk> {
        match self.related(name) {
            Ok(value) => value.map(related::pk),
            Err(error) => {
                self.error(name, error);
                None
            }
        }
    }

    /// A required field of a related object, unread; a blank one counts as null.
    ///
    /// # Errors
    /// It is absent or null.
    pub fn related(&self, name: &str) -> Result<Option<&Value>, FieldError> {
        match self.given(name) {
            Given::Absent if self.absent == Absent::Unchanged => Ok(None),
            Given::Absent => Err(FieldError::REQUIRED),
            Given::Null => Err(FieldError::NULL),
            Given::Value(Value::Str(text)) if text.as_str().is_empty() => Err(FieldError::NULL),
            Given::Value(value) => Ok(Some(value)),
        }
    }

    fn is_form(&self) -> bool {
        matches!(self.data, Data::Form(_))
    }
}

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
