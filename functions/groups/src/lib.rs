//! Groups and what their members may do.

mod detail;
mod list;
mod members;
mod permissions;

use axum::{
    Router,
    routing::{get, post},
};
use shared::{
    app::App,
    http::{
        Can,
        can::{ChangeGroup, GroupDetail, GroupList, ViewGroup},
        view,
    },
};

/// The function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/api/auth/groups/",
            view::<Can<GroupList>>(
                "Group List",
                "GET, POST, HEAD, OPTIONS",
                get(list::list).post(list::create),
            ),
        )
        .route(
            "/api/auth/groups/{id}/",
            view::<Can<GroupDetail>>(
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
            view::<Can<ChangeGroup>>(
                "Assign permissions",
                "POST, OPTIONS",
                post(permissions::assign),
            ),
        )
        .route(
            "/api/auth/groups/{id}/remove_permissions/",
            view::<Can<ChangeGroup>>(
                "Remove permissions",
                "POST, OPTIONS",
                post(permissions::remove),
            ),
        )
        .route(
            "/api/auth/groups/{id}/users/",
            view::<Can<ViewGroup>>("Group Members", "GET, HEAD, OPTIONS", get(members::list)),
        )
}
