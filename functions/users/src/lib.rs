//! Users: registration, profiles, and the groups a user is in.

mod access;
mod assign_groups;
mod detail;
mod input;
mod list;
mod register;

use axum::{
    Router,
    routing::{get, post},
};
use shared::{
    app::App,
    http::{Admin, Caller, OptionalCaller, view},
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
            view::<Admin>(
                "Assign groups",
                "POST, OPTIONS",
                post(assign_groups::assign_groups),
            ),
        )
}
