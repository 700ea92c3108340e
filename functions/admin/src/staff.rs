//! The members of the staff who are logged in, and what they may do.

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, request::Parts},
};
use shared::{
    app::App,
    domain::{Actor, User, log_entry::Model, permission::Held},
    http::{ApiError, extract::path_segment},
    web::{
        csrf,
        messages::{self, Message},
        session,
    },
};

use crate::error::AdminError;

/// What is done with objects of a model: Django's default permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Add,
    Change,
    Delete,
    View,
}

impl Action {
    /// The label of its permission, such as `auth.view_user`.
    fn label(self, model: Model) -> String {
        let name = match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::View => "view",
        };
        format!("auth.{name}_{model}")
    }
}

/// A member of the staff who is logged in. The flag only opens the door: what they may do depends
/// on the permissions that they hold.
pub struct Staff {
    /// The user.
    pub user: User,
    /// What they hold.
    pub held: Held,
    /// The token of their forms.
    pub csrf: String,
    /// What this page tells.
    pub messages: Vec<Message>,
    /// The request's headers, which say how its cookies are named.
    pub headers: HeaderMap,
}

impl Staff {
    /// The one who changes something.
    pub fn actor(&self) -> Actor<'_> {
        Actor::User(&self.user)
    }

    /// Whether they hold a label, such as `auth.view_user`.
    pub fn holds(&self, label: &String) -> bool {
        self.held.covers([label])
    }

    /// Whether they may do something with a model. Users who may change may look, as in Django.
    pub fn can(&self, action: Action, model: Model) -> bool {
        self.holds(&action.label(model))
            || action == Action::View && self.can(Action::Change, model)
    }

    /// Refuses what they may not do with a model.
    ///
    /// # Errors
    /// They may not.
    pub fn must(&self, action: Action, model: Model) -> Result<(), AdminError> {
        allowed(self.can(action, model))
    }
}

/// 403 unless something is allowed.
pub fn allowed(allowed: bool) -> Result<(), AdminError> {
    allowed
        .then_some(())
        .ok_or(ApiError::PermissionDenied.into())
}

async fn staff(parts: &Parts, app: &App) -> Result<Option<Staff>, AdminError> {
    let headers = &parts.headers;
    let Some((user, secret)) = session::current(app, headers, |user| user.is_staff).await? else {
        return Ok(None);
    };
    let held = app.store.held(&user).await?;
    Ok(Some(Staff {
        csrf: csrf::token(app, &secret).await,
        messages: messages::read(app, headers).await,
        headers: headers.clone(),
        user,
        held,
    }))
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

/// The part of the path that names an object. One that is no UTF-8 names nothing.
pub struct Segment(pub String);

impl FromRequestParts<App> for Segment {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AdminError> {
        let segment = path_segment(parts, app).await;
        segment.map(Self).ok_or_else(|| ApiError::NotFound.into())
    }
}
