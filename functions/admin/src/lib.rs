//! The admin pages: what `django.contrib.admin` gives for users, groups and permissions, at its
//! addresses and in its words.

mod assets;
mod error;
mod groups;
mod history;
mod index;
mod log_in;
mod model_admin;
mod model_pages;
mod page;
mod password_change;
mod permissions;
mod posted;
mod staff;
mod text;
mod urls;
mod users;
mod widgets;

use axum::{middleware::from_fn, routing::any};
use shared::{
    domain::{Group, Permission, User},
    http::{
        Routes,
        routes::{
            Access::{Anyone, Staff},
            View,
        },
    },
    web::guard::headers,
};

use error::{method_not_allowed, unknown_path};
use model_pages::{add, ask_to_add, ask_to_change, ask_to_delete, change, delete, list};

/// The pages that every model has, below the address of its list.
macro_rules! pages_of {
    ($model:ty, $list:literal) => {{
        let page = || View::new("");
        let form = || page().get(Staff, ask_to_change::<$model>);
        Routes::new()
            .page(
                concat!($list, "add/"),
                page()
                    .get(Staff, ask_to_add::<$model>)
                    .post(Staff, add::<$model>),
            )
            .page(concat!($list, "{id}/"), form())
            .page(
                concat!($list, "{id}/change/"),
                form().post(Staff, change::<$model>),
            )
            .page(
                concat!($list, "{id}/delete/"),
                page()
                    .get(Staff, ask_to_delete::<$model>)
                    .post(Staff, delete::<$model>),
            )
            .page(
                concat!($list, "{id}/history/"),
                page().get(Staff, history::history::<$model>),
            )
    }};
}

/// The function's routes.
pub fn routes() -> Routes {
    let page = || View::new("");
    let front = || page().get(Staff, index::index);
    let login = page()
        .get(Anyone(&[]), log_in::ask)
        .post(Anyone(&[]), log_in::log_in);
    let own_password = page()
        .get(Staff, password_change::ask)
        .post(Staff, password_change::change);
    let list_of_users = page()
        .get(Staff, users::list::list)
        .post(Staff, users::bulk::act);
    let sessions = page().post(Staff, users::sessions::end);
    let mail = page()
        .get(Staff, users::mail::ask)
        .post(Staff, users::mail::send);
    let password = page()
        .get(Staff, users::password::ask)
        .post(Staff, users::password::set);
    Routes::new()
        .page("/admin/", front())
        .page("/admin/auth/", front())
        .page("/admin/login/", login)
        .page("/admin/logout/", page().post(Staff, log_in::log_out))
        .page("/admin/password_change/", own_password)
        .page(
            "/admin/static/{file}/",
            page().get(Anyone(&[]), assets::serve),
        )
        .page("/admin/auth/user/", list_of_users)
        .page("/admin/auth/user/{id}/password/", password)
        .page("/admin/auth/user/{id}/sessions/", sessions)
        .page("/admin/auth/user/{id}/mail/", mail)
        .merge(pages_of!(User, "/admin/auth/user/"))
        .page("/admin/auth/group/", page().get(Staff, list::<Group>))
        .merge(pages_of!(Group, "/admin/auth/group/"))
        .page(
            "/admin/auth/permission/",
            page().get(Staff, list::<Permission>),
        )
        .merge(pages_of!(Permission, "/admin/auth/permission/"))
        .map(|router| {
            router
                .method_not_allowed_fallback(method_not_allowed)
                .route("/admin/{*path}", any(unknown_path))
                .layer(from_fn(headers))
        })
}
