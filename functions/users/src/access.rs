//! Who may do what to which user.

use axum::{extract::FromRequestParts, http::request::Parts};
use shared::{
    app::App,
    domain::{User, UserId},
    error::ApiError,
    http::{Admin, Caller, extract::path_id},
};

/// A user whom the caller may read: himself, or anybody to an admin.
pub struct Readable(pub User);

/// A user whom the caller may change: himself, or anybody to an admin, but a superuser only to a
/// superuser.
pub struct Editable {
    /// Who changes.
    pub caller: Caller,
    /// Whom.
    pub target: User,
}

/// A user over whom the caller, an admin, decides: deletes him, assigns his groups. Others are
/// told that they may not before they learn whether the user exists.
pub struct Managed {
    /// Who decides.
    pub caller: Admin,
    /// Over whom.
    pub target: User,
}

/// Only a superuser changes or deletes a superuser.
pub fn may_change(caller: &User, target: &User) -> Result<(), ApiError> {
    if target.is_superuser && !caller.is_superuser {
        Err(ApiError::PermissionDenied)
    } else {
        Ok(())
    }
}

/// The user in the path. The caller has just been read.
async fn target(parts: &mut Parts, app: &App, caller: &User) -> Result<User, ApiError> {
    let id = UserId(path_id(parts, app).await?);
    if id == caller.id {
        return Ok(caller.clone());
    }
    app.store.user(id).await?.ok_or(ApiError::NotFound)
}

async fn own_or_as_admin(parts: &mut Parts, app: &App) -> Result<(Caller, User), ApiError> {
    let caller = Caller::from_request_parts(parts, app).await?;
    let target = target(parts, app, &caller.0).await?;
    if caller.0.is_staff || target.id == caller.0.id {
        Ok((caller, target))
    } else {
        Err(ApiError::PermissionDenied)
    }
}

impl FromRequestParts<App> for Readable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        own_or_as_admin(parts, app)
            .await
            .map(|(_, target)| Self(target))
    }
}

impl FromRequestParts<App> for Editable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let (caller, target) = own_or_as_admin(parts, app).await?;
        may_change(&caller.0, &target)?;
        Ok(Self { caller, target })
    }
}

impl FromRequestParts<App> for Managed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Admin::from_request_parts(parts, app).await?;
        let target = target(parts, app, &caller.0).await?;
        may_change(&caller.0, &target)?;
        Ok(Self { caller, target })
    }
}
