//! Users: registration, profiles, and the groups a user is in.

mod access;
mod activation;
mod ask;
mod assign_groups;
mod current_password;
mod detail;
mod list;
mod me;
mod permissions;
mod register;
mod reset;
mod sessions;
mod set_password;
mod set_username;

use shared::http::{
    Caller, Can, OptionalCaller, Routes,
    can::ChangeUser,
    routes::{Access, View},
};

/// The function's routes.
pub fn routes() -> Routes {
    let registration = Access::Anyone(&["username", "email", "password", "password2"]);
    let asking = Access::Anyone(&["email"]);
    Routes::new()
        .view::<OptionalCaller>(
            "/api/auth/users/register/",
            View::new("Register").post(registration, register::register),
        )
        .view::<Caller>(
            "/api/auth/users/",
            View::new("User List").get(Access::Admin("auth.view_user"), list::list),
        )
        .view::<Caller>(
            "/api/auth/users/me/",
            View::new("User Me")
                .redirecting()
                .get(Access::User, detail::retrieve)
                .put(Access::User, detail::update)
                .patch(Access::User, detail::update)
                .delete(Access::User, me::destroy),
        )
        .view::<Caller>(
            "/api/auth/users/set_password/",
            View::new("User Set password")
                .redirecting()
                .post(Access::User, set_password::set_password),
        )
        .view::<Caller>(
            "/api/auth/users/set_username/",
            View::new("User Set username")
                .redirecting()
                .post(Access::User, set_username::set_username),
        )
        .view::<Caller>(
            "/api/auth/users/reset_password/",
            View::new("User Reset password")
                .redirecting()
                .post(asking, ask::for_password),
        )
        .view::<Caller>(
            "/api/auth/users/reset_password_confirm/",
            View::new("User Reset password confirm").redirecting().post(
                Access::Anyone(&["uid", "token", "new_password"]),
                reset::confirm_password,
            ),
        )
        .view::<Caller>(
            "/api/auth/users/reset_username/",
            View::new("User Reset username")
                .redirecting()
                .post(asking, ask::for_username),
        )
        .view::<Caller>(
            "/api/auth/users/reset_username_confirm/",
            View::new("User Reset username confirm")
                .redirecting()
                .post(Access::Anyone(&["new_username"]), reset::confirm_username),
        )
        .view::<Caller>(
            "/api/auth/users/activation/",
            View::new("User Activation")
                .redirecting()
                .post(Access::Anyone(&["uid", "token"]), activation::activate),
        )
        .view::<Caller>(
            "/api/auth/users/resend_activation/",
            View::new("User Resend activation")
                .redirecting()
                .post(asking, ask::for_activation),
        )
        .view::<Caller>(
            "/api/auth/users/{id}/",
            View::new("User Instance")
                .get(Access::Own("auth.view_user"), detail::retrieve)
                .put(Access::Own("auth.change_user"), detail::update)
                .patch(Access::Own("auth.change_user"), detail::update)
                .delete(Access::Admin("auth.delete_user"), detail::destroy),
        )
        .view::<Can<ChangeUser>>(
            "/api/auth/users/{id}/assign_groups/",
            View::new("Assign groups").post(
                Access::Admin("auth.change_user"),
                assign_groups::assign_groups,
            ),
        )
        .view::<Caller>(
            "/api/auth/users/{id}/permissions/",
            View::new("User Permissions")
                .get(Access::Own("auth.view_user"), permissions::list)
                .put(Access::Admin("auth.change_user"), permissions::replace),
        )
        .view::<Caller>(
            "/api/auth/users/{id}/sessions/",
            View::new("User Sessions")
                .get(Access::Admin("auth.view_user"), sessions::list)
                .delete(Access::Admin("auth.change_user"), sessions::end_all),
        )
}
