//! Groups and what their members may do.

mod detail;
mod list;
mod members;
mod permissions;

use shared::http::{
    Can, Routes,
    can::{ChangeGroup, GroupDetail, GroupList, ViewGroup},
    routes::{Access, View},
};

/// The function's routes.
pub fn routes() -> Routes {
    let (view, change) = (
        Access::Admin("auth.view_group"),
        Access::Admin("auth.change_group"),
    );
    Routes::new()
        .view::<Can<GroupList>>(
            "/api/auth/groups/",
            View::new("Group List")
                .get(view, list::list)
                .post(Access::Admin("auth.add_group"), list::create),
        )
        .view::<Can<GroupDetail>>(
            "/api/auth/groups/{id}/",
            View::new("Group Instance")
                .get(view, detail::retrieve)
                .put(change, detail::update)
                .patch(change, detail::update)
                .delete(Access::Admin("auth.delete_group"), detail::destroy),
        )
        .view::<Can<ChangeGroup>>(
            "/api/auth/groups/{id}/assign_permissions/",
            View::new("Assign permissions").post(change, permissions::assign),
        )
        .view::<Can<ChangeGroup>>(
            "/api/auth/groups/{id}/remove_permissions/",
            View::new("Remove permissions").post(change, permissions::remove),
        )
        .view::<Can<ViewGroup>>(
            "/api/auth/groups/{id}/users/",
            View::new("Group Members").get(view, members::list),
        )
}
