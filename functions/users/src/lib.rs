//! Users: registration, profiles, and the groups a user is in.

mod access;
mod assign_groups;
mod detail;
mod list;
mod permissions;
mod register;

use axum::{
    Router,
    routing::{get, post},
};
use shared::{
    app::App,
    http::{Caller, Can, OptionalCaller, can::ChangeUser, view},
};

/// The function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/auth/users/register/",
            view::<OptionalCaller>("Register", "POST, OPTIONS", post(register::register)),
        )
        .route(
            "/api/auth/users/",
            view::<Caller>("User List", "GET, HEAD, OPTIONS", get(list::list)),
        )
        .route(
            "/api/auth/users/{id}/",
            view::<Caller>(
                "User Instance",
                "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
                get(detail::retrieve)
                    .put(detail::update)
                    .patch(detail::update)
                    .delete(detail::destroy),
            ),
        )
        .route(
            "/api/auth/users/{id}/assign_groups/",
            view::<Can<ChangeUser>>(
                "Assign groups",
                "POST, OPTIONS",
                post(assign_groups::assign_groups),
            ),
        )
        .route(
            "/api/auth/users/{id}/permissions/",
            view::<Caller>(
                "User Permissions",
                "GET, PUT, HEAD, OPTIONS",
                get(permissions::list).put(permissions::replace),
            ),
        )
}
