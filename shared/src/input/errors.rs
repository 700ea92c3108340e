//! The errors of a form's fields.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::domain::FieldError;

/// The key of errors that belong to no single field (DRF's `NON_FIELD_ERRORS_KEY`).
pub const NON_FIELD_ERRORS: &str = "non_field_errors";

/// The field errors of one form, in the order of its fields. Serialized as DRF's `ValidationError`
/// shows them: `{"field": ["text", …], …}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldErrors(Vec<(&'static str, Vec<FieldError>)>);

impl FieldErrors {
    /// One error of one field.
    pub fn one(field: &'static str, error: FieldError) -> Self {
        Self(vec![(field, vec![error])])
    }

    /// Adds errors to a field, after those it already has.
    pub fn add(&mut self, field: &'static str, errors: impl IntoIterator<Item = FieldError>) {
        match self.0.iter_mut().find(|(name, _)| *name == field) {
            Some((_, present)) => present.extend(errors),
            None => self.0.push((field, errors.into_iter().collect())),
        }
    }

    /// Adds the error of a field, if it has one.
    pub fn extend_one(&mut self, field: &'static str, error: Option<FieldError>) {
        if error.is_some() {
            self.add(field, error);
        }
    }

    /// The errors with those of `field` under another name.
    #[must_use]
    pub fn renamed(mut self, field: &str, name: &'static str) -> Self {
        for (found, _) in &mut self.0 {
            if *found == field {
                *found = name;
            }
        }
        self
    }

    /// Adds the errors of another form.
    pub fn extend(&mut self, others: Self) {
        for (field, errors) in others.0 {
            self.add(field, errors);
        }
    }

    /// The errors with those of `fields` first, in that order.
    #[must_use]
    pub fn in_order(mut self, fields: &[&str]) -> Self {
        let place = |name: &str| fields.iter().position(|field| *field == name);
        self.0
            .sort_by_key(|(name, _)| place(name).unwrap_or(fields.len()));
        self
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields and their errors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[FieldError])> {
        self.0
            .iter()
            .map(|(field, errors)| (*field, errors.as_slice()))
    }

    /// `Ok` if nothing is wrong.
    ///
    /// # Errors
    /// These, if there are any.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, errors) in &self.0 {
            let texts: Vec<_> = errors.iter().map(FieldError::drf).collect();
            map.serialize_entry(field, &texts)?;
        }
        map.end()
    }
}
