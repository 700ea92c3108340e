//! Who is logged in, and what he may do.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, request::Parts},
};
use shared::{
    app::App,
    domain::{User, permission::Held},
    error::ApiError,
    http::extract::path_segment,
    store::{Actor, StoreError},
    web::{
        csrf,
        messages::{self, Message},
        session,
    },
};

use crate::error::AdminError;

/// A member of the staff who is logged in. To be staff only opens the door: what he may do depends
/// on the permissions that he holds.
pub struct Staff {
    /// Who.
    pub user: User,
    /// What he holds.
    pub held: Held,
    /// The token of his forms.
    pub csrf: String,
    /// What is to be told on this page.
    pub messages: Vec<Message>,
    /// The request's headers, which say how its cookies are named.
    pub headers: HeaderMap,
    secret: String,
}

impl Staff {
    /// Who writes, for the store.
    pub fn actor(&self) -> Actor {
        (&self.user).into()
    }

    /// Whether he holds a permission, such as `auth.view_user`.
    pub fn can(&self, label: &str) -> bool {
        self.held.covers([&label.to_owned()])
    }

    /// Whether he may look at what a model names; whoever may change may look, as in Django.
    pub fn can_view(&self, model: &str) -> bool {
        self.can(&format!("auth.view_{model}")) || self.can(&format!("auth.change_{model}"))
    }

    /// Refuses whoever does not hold a permission.
    ///
    /// # Errors
    /// He does not.
    pub fn must(&self, label: &str) -> Result<(), AdminError> {
        self.allowed(self.can(label))
    }

    /// Refuses whoever may not look at what a model names.
    ///
    /// # Errors
    /// He may not.
    pub fn must_view(&self, model: &str) -> Result<(), AdminError> {
        self.allowed(self.can_view(model))
    }

    #[expect(clippy::unused_self, reason = "it is about him")]
    fn allowed(&self, allowed: bool) -> Result<(), AdminError> {
        allowed
            .then_some(())
            .ok_or(ApiError::PermissionDenied.into())
    }

    /// Ends the session; the header that makes the browser forget it.
    pub async fn log_out(&self, app: &App) -> Result<HeaderValue, StoreError> {
        session::end(app, &self.secret, &self.headers).await
    }
}

async fn staff(parts: &Parts, app: &App) -> Result<Option<Staff>, AdminError> {
    let headers = &parts.headers;
    let Some((user, secret)) = session::current(app, headers, |user| user.is_staff).await? else {
        return Ok(None);
    };
    let held = app.store.held_at_once(&user).await?;
    Ok(Some(Staff {
        csrf: csrf::token(app, &secret).await,
        messages: messages::read(app, headers).await,
        headers: headers.clone(),
        user,
        held,
        secret,
    }))
}

/// The part of the path that names an object. One that is no UTF-8 names nothing.
pub struct Segment(pub String);

impl FromRequestParts<App> for Segment {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminError> {
        let segment = path_segment(parts, app).await;
        segment.map(Self).ok_or_else(|| ApiError::NotFound.into())
    }
}

impl FromRequestParts<App> for Staff {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminError> {
        let found = staff(parts, app).await?;
        found.ok_or_else(|| AdminError::log_in_first(&parts.uri))
    }
}

impl OptionalFromRequestParts<App> for Staff {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, AdminError> {
        staff(parts, app).await
    }
}
