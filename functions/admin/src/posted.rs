//! The data of a form that was sent on purpose.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use axum::extract::{FromRequest, Request};
use shared::{
    app::App,
    domain::FieldError,
    input::{Absent, Fields, query_dict::QueryDict, value::Value},
    python,
    web::csrf,
};

use crate::error::AdminError;

/// The fields of a form that was sent from a page of this service.
pub struct Posted(QueryDict);

impl Posted {
    /// Its fields, to be read as the API reads them.
    pub fn fields(&self, absent: Absent) -> Fields {
        Fields::of_form(self.0.clone(), absent)
    }

    /// The text of a field, empty if it has none.
    pub fn text(&self, name: &str) -> &str {
        self.texts(name).last().unwrap_or_default()
    }

    /// All texts of a field.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.get_list(name).iter();
        values.filter_map(|value| match value {
            Value::Str(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether a field was sent, such as a button's.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The ids that a field lists, all of which must be among `all`: Django's
    /// `ModelMultipleChoiceField`.
    ///
    /// # Errors
    /// The first that is no id, else the first that is unknown.
    pub fn choices<I: Copy + Ord + Display>(
        &self,
        field: &str,
        all: impl IntoIterator<Item = I>,
    ) -> Result<BTreeSet<I>, FieldError> {
        if let Some(text) = self.texts(field).find(|text| python::int(text).is_none()) {
            let text = format!("“{text}” is not a valid value.");
            return Err(FieldError::Said(text.into()));
        }
        let all: BTreeMap<String, I> = all.into_iter().map(|id| (id.to_string(), id)).collect();
        let known = |text: &str| {
            let unknown = || FieldError::NoSuchObject(text.to_owned());
            all.get(text).copied().ok_or_else(unknown)
        };
        self.texts(field).map(known).collect()
    }
}

impl FromRequest<App> for Posted {
    type Rejection = AdminError;

    async fn from_request(request: Request, app: &App) -> Result<Self, AdminError> {
        let form = csrf::form(request, app).await;
        form.map(Self).map_err(AdminError::of_form)
    }
}
