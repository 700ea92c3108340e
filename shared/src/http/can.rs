//! Who may do what a permission names: admins, and users who hold it.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{ApiError, extract::Caller};
use crate::{
    app::App,
    domain::{Actor, User},
};

/// What a request asks for: it is open to admins, and to users who hold one of these labels.
pub trait Permit: Send + Sync + 'static {
    /// Labels such as `auth.view_user`.
    const ANY_OF: &'static [&'static str];
}

/// The caller, who may do what `P` names; any other user is a 403.
pub struct Can<P>(pub User, PhantomData<P>);

impl<P: Permit> Can<P> {
    /// The caller as the one who changes something.
    pub fn actor(&self) -> Actor<'_> {
        Actor::User(&self.0)
    }

    /// A caller who may.
    ///
    /// # Errors
    /// They may not.
    pub async fn check(caller: User, app: &App) -> Result<Self, ApiError> {
        if caller.is_staff || app.store.holds(&caller, P::ANY_OF).await? {
            Ok(Self(caller, PhantomData))
        } else {
            Err(ApiError::PermissionDenied)
        }
    }
}

impl<P: Permit> FromRequestParts<App> for Can<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Caller(user) = Caller::from_request_parts(parts, app).await?;
        Self::check(user, app).await
    }
}

macro_rules! permits {
    ($($(#[$doc:meta])* $name:ident: $($label:literal),+;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Permit for $name {
            const ANY_OF: &'static [&'static str] = &[$($label),+];
        }
    )*};
}

permits! {
    /// To list and read users.
    ViewUser: "auth.view_user";
    /// To change users, their groups and their permissions.
    ChangeUser: "auth.change_user";
    /// To delete users.
    DeleteUser: "auth.delete_user";
    /// To list and read groups and their members.
    ViewGroup: "auth.view_group";
    /// To make groups.
    AddGroup: "auth.add_group";
    /// To change groups and their permissions.
    ChangeGroup: "auth.change_group";
    /// To delete groups.
    DeleteGroup: "auth.delete_group";
    /// To list and read permissions.
    ViewPermission: "auth.view_permission";
    /// To make permissions.
    AddPermission: "auth.add_permission";
    /// To change permissions.
    ChangePermission: "auth.change_permission";
    /// To delete permissions.
    DeletePermission: "auth.delete_permission";
    /// To use the list of groups in some way.
    GroupList: "auth.view_group", "auth.add_group";
    /// To use a group in some way.
    GroupDetail: "auth.view_group", "auth.change_group", "auth.delete_group";
    /// To use the list of permissions in some way.
    PermissionList: "auth.view_permission", "auth.add_permission";
    /// To use a permission in some way.
    PermissionDetail: "auth.view_permission", "auth.change_permission", "auth.delete_permission";
}
