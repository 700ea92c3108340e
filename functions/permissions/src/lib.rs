//! Permissions, and their way into groups.

mod detail;
mod groups;
mod list;

use axum::{
    Router,
    routing::{get, post},
};
use shared::{
    app::App,
    http::{
        Can,
        can::{ChangeGroup, PermissionDetail, PermissionList},
        view,
    },
};

/// The function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/auth/permissions/",
            view::<Can<PermissionList>>(
                "Permission List",
                "GET, POST, HEAD, OPTIONS",
                get(list::list).post(list::create),
            ),
        )
        .route(
            "/api/auth/permissions/{id}/",
            view::<Can<PermissionDetail>>(
                "Permission Instance",
                "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
                get(detail::retrieve)
                    .put(detail::update)
                    .patch(detail::update)
                    .delete(detail::destroy),
            ),
        )
        .route(
            "/api/auth/permissions/{id}/assign_to_group/",
            view::<Can<ChangeGroup>>("Assign to group", "POST, OPTIONS", post(groups::assign)),
        )
        .route(
            "/api/auth/permissions/{id}/remove_from_group/",
            view::<Can<ChangeGroup>>("Remove from group", "POST, OPTIONS", post(groups::remove)),
        )
}
