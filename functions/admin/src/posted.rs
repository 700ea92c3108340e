//! A form that was sent: only from a page of this service, with the token that the page had.

use std::collections::BTreeSet;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, header},
};
use shared::{
    app::App,
    error::{ApiError, FieldErrors},
    http::JsonOrForm,
    input::{Data, Fields, query_dict::QueryDict, value::Value},
};
use url::Url;

use crate::{cookies, error::AdminError, session};

/// What a token's tag is for.
pub const PURPOSE: &str = "admin form";
/// Django's name of the token's field.
pub const FIELD: &str = "csrfmiddlewaretoken";

/// The fields of a form that may be trusted to be sent on purpose.
pub struct Posted(pub QueryDict);

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
        let headers = request.headers().clone();
        if !is_from_here(&headers, &app.settings.csrf_trusted_origins) {
            return Err(AdminError::Forgery);
        }
        let Data::Form(form) = JsonOrForm::from_request(request, app).await?.into_data() else {
            return Err(AdminError::Forgery);
        };
        let posted = Self(form);
        if !has_token(&posted, &headers, app).await {
            return Err(AdminError::Forgery);
        }
        Ok(posted)
    }
}

/// Whether the request's `Origin`, or without one its `Referer`, is this very host or a trusted
/// one. Whoever hides both is refused, as Django refuses him over HTTPS.
fn is_from_here(headers: &HeaderMap, trusted: &[String]) -> bool {
    let text = |name| headers.get(name).map(HeaderValue::to_str);
    let Some(Ok(origin)) = text(header::ORIGIN).or_else(|| text(header::REFERER)) else {
        return false;
    };
    let Ok(origin) = Url::parse(origin) else {
        return false;
    };
    let sender = origin.origin().ascii_serialization();
    if trusted.contains(&sender) {
        return true;
    }
    let Some(Ok(host)) = text(header::HOST) else {
        return false;
    };
    // The scheme is that of the origin: whoever can speak for the host over HTTP is on the way to
    // it, and browsers that have met this service keep to HTTPS (RFC 6797).
    let here = Url::parse(&format!("{}://{host}", origin.scheme()));
    here.is_ok_and(|here| here.origin() == origin.origin()) && origin.has_host()
}

/// Whether a form has the token of its session, or before there is one of its cookie.
async fn has_token(posted: &Posted, headers: &HeaderMap, app: &App) -> bool {
    let seed = match session::secret(app, headers).await {
        Some(secret) => Some(secret),
        None => cookies::get(cookies::CSRF, headers),
    };
    let Some(seed) = seed.filter(|seed| !seed.is_empty()) else {
        return false;
    };
    let token = posted.text(FIELD);
    let made_here = |jwt: &shared::jwt::Jwt| jwt.is_tag(PURPOSE, &seed, token);
    let keys = app.keys.that_signed(made_here, app.clock.now()).await;
    made_here(&keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forms_of_this_host_or_a_trusted_one_are_taken() {
        let trusted = ["https://admin.example.com".to_owned()];
        let taken = |name: header::HeaderName, value: &'static str| {
            let headers = HeaderMap::from_iter([
                (header::HOST, HeaderValue::from_static("example.com")),
                (name, HeaderValue::from_static(value)),
            ]);
            is_from_here(&headers, &trusted)
        };
        for (value, expected) in [
            ("https://example.com", true),
            ("https://EXAMPLE.com", true),
            ("https://admin.example.com", true),
            ("http://admin.example.com", false),
            ("https://example.com:8443", false),
            ("https://example.com.evil.org", false),
            ("https://evil.org", false),
            ("null", false),
            ("", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(taken(header::ORIGIN, value), expected, "{value:?}");
        }
        assert!(taken(header::REFERER, "https://example.com/admin/login/"));
        assert!(!taken(header::REFERER, "https://evil.org/example.com"));
        assert!(!taken(header::ACCEPT, "text/html"));
    }
}
