//! A form that was sent: only from a page of this service, with the token that the page had.

use std::collections::BTreeSet;

use axum::extract::{FromRequest, Request};
use shared::{
    app::App,
    error::{ApiError, FieldErrors},
    input::{Data, Fields, form::Form, value::Value},
    web::csrf,
};

use crate::error::AdminError;

/// The fields of a form that may be trusted to be sent on purpose.
pub struct Posted(pub Form);

impl Posted {
    /// Its fields, to be read as the API reads them. With `partial` what is absent is unchanged.
    ///
    /// # Errors
    /// None: it is a form.
    pub fn fields(&self, partial: bool) -> Result<Fields, ApiError> {
        Fields::new(Data::Form(self.0.clone()), partial)
    }

    /// The text of a field, empty if it has none.
    pub fn text(&self, name: &str) -> &str {
        match self.0.get_last(name) {
            Some(Value::Str(text)) => text.as_str(),
            _ => "",
        }
    }

    /// Whether a field was sent, such as a button's.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The ids that a field lists; what is no id is none.
    pub fn ids(&self, name: &str) -> Vec<u64> {
        let values = self.0.get_list(name).iter();
        let ids = values.filter_map(|value| match value {
            Value::Str(text) => text.as_str().trim().parse().ok(),
            _ => None,
        });
        ids.collect()
    }

    /// Those of all there are whose ids a field lists.
    ///
    /// # Errors
    /// Django's text for the first that is not among them.
    pub fn chosen<'a, T>(
        &self,
        field: &'static str,
        all: &'a [T],
        id: impl Fn(&T) -> u64,
    ) -> Result<Vec<&'a T>, FieldErrors> {
        let wanted: BTreeSet<u64> = self.ids(field).into_iter().collect();
        let known: BTreeSet<u64> = all.iter().map(&id).collect();
        if let Some(unknown) = wanted.difference(&known).next() {
            let text =
                format!("Select a valid choice. {unknown} is not one of the available choices.");
            return Err(FieldErrors::one(field, text));
        }
        Ok(all.iter().filter(|one| wanted.contains(&id(one))).collect())
    }
}

impl FromRequest<App> for Posted {
    type Rejection = AdminError;

    async fn from_request(request: Request, app: &App) -> Result<Self, AdminError> {
        match csrf::form(request, app).await {
            Ok(form) => Ok(Self(form)),
            Err(csrf::Refusal::Forgery) => Err(AdminError::Forgery),
            Err(csrf::Refusal::Unreadable(error)) => Err(error.into()),
        }
    }
}
