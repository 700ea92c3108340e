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
            View::new("Register")
                .post(registration, register::register)
                .described(&register::REGISTER),
        )
        .view::<Caller>(
            "/api/auth/users/",
            View::new("User List")
                .get(Access::Admin("auth.view_user"), list::list)
                .described(&list::LIST),
        )
        .view::<Caller>(
            "/api/auth/users/me/",
            View::new("User Me")
                .redirecting()
                .get(Access::User, detail::retrieve)
                .described(&detail::RETRIEVE_ME)
                .put(Access::User, detail::update)
                .described(&detail::UPDATE_ME)
                .patch(Access::User, detail::update)
                .described(&detail::PATCH_ME)
                .delete(Access::User, me::destroy)
                .described(&me::DESTROY),
        )
        .view::<Caller>(
            "/api/auth/users/set_password/",
            View::new("User Set password")
                .redirecting()
                .post(Access::User, set_password::set_password)
                .described(&set_password::SET_PASSWORD),
        )
        .view::<Caller>(
            "/api/auth/users/set_username/",
            View::new("User Set username")
                .redirecting()
                .post(Access::User, set_username::set_username)
                .described(&set_username::SET_USERNAME),
        )
        .view::<Caller>(
            "/api/auth/users/reset_password/",
            View::new("User Reset password")
                .redirecting()
                .post(asking, ask::for_password)
                .described(&ask::FOR_PASSWORD),
        )
        .view::<Caller>(
            "/api/auth/users/reset_password_confirm/",
            View::new("User Reset password confirm")
                .redirecting()
                .post(
                    Access::Anyone(&["uid", "token", "new_password"]),
                    reset::confirm_password,
                )
                .described(&reset::CONFIRM_PASSWORD),
        )
        .view::<Caller>(
            "/api/auth/users/reset_username/",
            View::new("User Reset username")
                .redirecting()
                .post(asking, ask::for_username)
                .described(&ask::FOR_USERNAME),
        )
        .view::<Caller>(
            "/api/auth/users/reset_username_confirm/",
            View::new("User Reset username confirm")
                .redirecting()
                .post(Access::Anyone(&["new_username"]), reset::confirm_username)
                .described(&reset::CONFIRM_USERNAME),
        )
        .view::<Caller>(
            "/api/auth/users/activation/",
            View::new("User Activation")
                .redirecting()
                .post(Access::Anyone(&["uid", "token"]), activation::activate)
                .described(&activation::ACTIVATE),
        )
        .view::<Caller>(
            "/api/auth/users/resend_activation/",
            View::new("User Resend activation")
                .redirecting()
                .post(asking, ask::for_activation)
                .described(&ask::FOR_ACTIVATION),
        )
        .view::<Caller>(
            "/api/auth/users/{id}/",
            View::new("User Instance")
                .get(Access::Own("auth.view_user"), detail::retrieve)
                .described(&detail::RETRIEVE)
                .put(Access::Own("auth.change_user"), detail::update)
                .described(&detail::UPDATE)
                .patch(Access::Own("auth.change_user"), detail::update)
                .described(&detail::PATCH)
                .delete(Access::Admin("auth.delete_user"), detail::destroy)
                .described(&detail::DESTROY),
        )
        .view::<Can<ChangeUser>>(
            "/api/auth/users/{id}/assign_groups/",
            View::new("Assign groups")
                .post(
                    Access::Admin("auth.change_user"),
                    assign_groups::assign_groups,
                )
                .described(&assign_groups::ASSIGN),
        )
        .view::<Caller>(
            "/api/auth/users/{id}/permissions/",
            View::new("User Permissions")
                .get(Access::Own("auth.view_user"), permissions::list)
                .described(&permissions::LIST)
                .put(Access::Admin("auth.change_user"), permissions::replace)
                .described(&permissions::REPLACE),
        )
        .view::<Caller>(
            "/api/auth/users/{id}/sessions/",
            View::new("User Sessions")
                .get(Access::Admin("auth.view_user"), sessions::list)
                .described(&sessions::LIST)
                .delete(Access::Admin("auth.change_user"), sessions::end_all)
                .described(&sessions::END_ALL),
        )
}
