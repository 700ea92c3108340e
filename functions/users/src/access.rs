//! Who may do what to which user.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::request::Parts,
};
use shared::{
    accounts::rights::may_touch,
    app::App,
    domain::{User, UserId},
    http::{
        ApiError, Caller,
        can::{Can, ChangeUser, Permit, ViewUser},
        extract::{path_id, path_segment},
    },
    telemetry::{Event, note_event},
};

/// A user that the caller may read: the caller, also by the name `me`, or any user for callers with
/// `view_user`.
pub struct Readable(pub User);

/// A user that the caller may change: the caller, also at `users/me/`, or any user for callers with `change_user`, but a
/// superuser only for superusers.
pub struct Editable {
    /// The caller.
    pub caller: Caller,
    /// The user in the path.
    pub target: User,
}

/// A user about whom the caller decides, by `P`: deletes them, assigns their groups. Other callers
/// are refused before they learn whether the user exists.
pub struct Managed<P> {
    /// The caller.
    pub caller: Can<P>,
    /// The user in the path.
    pub target: User,
}

fn check_superuser(caller: &User, target: &User) -> Result<(), ApiError> {
    may_touch(caller, target)
        .then_some(())
        .ok_or(ApiError::PermissionDenied)
}

/// Whether the route is `users/me/`, whose path has no id.
fn is_me(parts: &Parts) -> bool {
    let route = parts.extensions.get::<MatchedPath>();
    route.is_some_and(|route| !route.as_str().contains('{'))
}

/// The user in the path; the caller where it names none, as `users/me/`. The caller has just been
/// read.
async fn target(parts: &mut Parts, app: &App, caller: &User) -> Result<User, ApiError> {
    if is_me(parts) {
        return Ok(caller.clone());
    }
    let id = UserId(path_id(parts, app).await?);
    if id == caller.id {
        return Ok(caller.clone());
    }
    app.store.user(id).await?.ok_or(ApiError::NotFound)
}

/// Other users only by `P`.
async fn own_or_by<P: Permit>(caller: &User, target: &User, app: &App) -> Result<(), ApiError> {
    if target.id != caller.id {
        Seen::<P>::check(caller.clone(), app).await?;
    }
    Ok(())
}

/// A caller who may do what `P` names to other users. With `HIDE_USERS` any other caller finds none,
/// as in djoser, where the deletion stays a refusal too.
pub struct Seen<P>(PhantomData<P>);

impl<P: Permit> Seen<P> {
    async fn check(caller: User, app: &App) -> Result<Self, ApiError> {
        match Can::<P>::check(caller, app).await {
            Ok(_) => Ok(Self(PhantomData)),
            Err(ApiError::PermissionDenied) if app.settings.accounts.hide_users => {
                // The status does not tell it.
                note_event(Event::Refusal.because("rights"));
                Err(ApiError::NotFound)
            }
            Err(error) => Err(error),
        }
    }
}

impl<P: Permit> FromRequestParts<App> for Seen<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Caller(caller) = Caller::from_request_parts(parts, app).await?;
        Self::check(caller, app).await
    }
}

impl FromRequestParts<App> for Readable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Caller(caller) = Caller::from_request_parts(parts, app).await?;
        let segment = path_segment(parts, app).await;
        if is_me(parts) || segment.as_deref() == Some("me") {
            return Ok(Self(caller));
        }
        let target = target(parts, app, &caller).await?;
        own_or_by::<ViewUser>(&caller, &target, app).await?;
        Ok(Self(target))
    }
}

impl FromRequestParts<App> for Editable {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let target = target(parts, app, &caller.0).await?;
        own_or_by::<ChangeUser>(&caller.0, &target, app).await?;
        check_superuser(&caller.0, &target)?;
        Ok(Self { caller, target })
    }
}

impl<P: Permit> FromRequestParts<App> for Managed<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Can::<P>::from_request_parts(parts, app).await?;
        let target = target(parts, app, &caller.0).await?;
        check_superuser(&caller.0, &target)?;
        Ok(Self { caller, target })
    }
}
