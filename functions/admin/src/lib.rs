//! The admin pages: what `django.contrib.admin` gives for users, groups and permissions, at its
//! addresses and in its words.

mod assets;
mod error;
mod form;
mod groups;
mod history;
mod index;
mod log_in;
mod object;
mod page;
mod password_change;
mod permissions;
mod posted;
mod staff;
mod text;
mod users;

use axum::{
    Router,
    middleware::from_fn,
    routing::{any, get, post},
};
use shared::{app::App, web::guard::headers};

use error::{method_not_allowed, unknown_path};

/// The function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin/", get(index::index))
        .route("/admin/auth/", get(index::index))
        .route("/admin/login/", get(log_in::ask).post(log_in::log_in))
        .route("/admin/logout/", post(log_in::log_out))
        .route(
            "/admin/password_change/",
            get(password_change::ask).post(password_change::change),
        )
        .route("/admin/static/{file}/", get(assets::serve))
        .route(
            "/admin/auth/user/",
            get(users::list::list).post(users::actions::act),
        )
        .route(
            "/admin/auth/user/add/",
            get(users::add::ask).post(users::add::add),
        )
        .route("/admin/auth/user/{id}/", get(users::change::ask))
        .route(
            "/admin/auth/user/{id}/change/",
            get(users::change::ask).post(users::change::change),
        )
        .route(
            "/admin/auth/user/{id}/password/",
            get(users::password::ask).post(users::password::change),
        )
        .route(
            "/admin/auth/user/{id}/delete/",
            get(users::delete::ask).post(users::delete::delete),
        )
        .route("/admin/auth/user/{id}/history/", get(history::of_user))
        .route("/admin/auth/group/", get(groups::list))
        .route(
            "/admin/auth/group/add/",
            get(groups::ask_to_add).post(groups::add),
        )
        .route("/admin/auth/group/{id}/", get(groups::ask_to_change))
        .route(
            "/admin/auth/group/{id}/change/",
            get(groups::ask_to_change).post(groups::change),
        )
        .route(
            "/admin/auth/group/{id}/delete/",
            get(groups::ask_to_delete).post(groups::delete),
        )
        .route("/admin/auth/group/{id}/history/", get(history::of_group))
        .route("/admin/auth/permission/", get(permissions::list))
        .route(
            "/admin/auth/permission/add/",
            get(permissions::ask_to_add).post(permissions::add),
        )
        .route(
            "/admin/auth/permission/{id}/",
            get(permissions::ask_to_change),
        )
        .route(
            "/admin/auth/permission/{id}/change/",
            get(permissions::ask_to_change).post(permissions::change),
        )
        .route(
            "/admin/auth/permission/{id}/delete/",
            get(permissions::ask_to_delete).post(permissions::delete),
        )
        .route(
            "/admin/auth/permission/{id}/history/",
            get(history::of_permission),
        )
        .method_not_allowed_fallback(method_not_allowed)
        .route("/admin/{*path}", any(unknown_path))
        .layer(from_fn(headers))
}
