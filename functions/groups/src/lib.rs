//! Groups and what their members may do. Admins only.

mod detail;
mod input;
mod list;
mod permissions;

use axum::{
    Router,
    routing::{get, post},
};
use shared::{
    app::App,
    http::{Admin, view},
};

/// The function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/auth/groups/",
            view::<Admin>(
                "Group List",
                "GET, POST, HEAD, OPTIONS",
                get(list::list).post(list::create),
            ),
        )
        .route(
            "/api/auth/groups/{id}/",
            view::<Admin>(
                "Group Instance",
                "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
                get(detail::retrieve)
                    .put(detail::update)
                    .patch(detail::update)
                    .delete(detail::destroy),
            ),
        )
        .route(
            "/api/auth/groups/{id}/assign_permissions/",
            view::<Admin>(
                "Assign permissions",
                "POST, OPTIONS",
                post(permissions::assign),
            ),
        )
        .route(
            "/api/auth/groups/{id}/remove_permissions/",
            view::<Admin>(
                "Remove permissions",
                "POST, OPTIONS",
                post(permissions::remove),
            ),
        )
}
