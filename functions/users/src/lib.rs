//! Users: registration, profiles, and the groups a user is in.

mod access;
mod assign_groups;
mod detail;
mod list;
mod permissions;
mod register;

use shared::http::{
    Caller, Can, OptionalCaller, Routes,
    can::ChangeUser,
    routes::{Access, View},
};

/// The function's routes.
pub fn routes() -> Routes {
    let registration = Access::Anyone(&["username", "email", "password", "password2"]);
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
}
