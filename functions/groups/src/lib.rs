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
                .described(&list::LIST)
                .post(Access::Admin("auth.add_group"), list::create)
                .described(&list::CREATE),
        )
        .view::<Can<GroupDetail>>(
            "/api/auth/groups/{id}/",
            View::new("Group Instance")
                .get(view, detail::retrieve)
                .described(&detail::RETRIEVE)
                .put(change, detail::update)
                .described(&detail::UPDATE)
                .patch(change, detail::update)
                .described(&detail::PATCH)
                .delete(Access::Admin("auth.delete_group"), detail::destroy)
                .described(&detail::DESTROY),
        )
        .view::<Can<ChangeGroup>>(
            "/api/auth/groups/{id}/assign_permissions/",
            View::new("Assign permissions")
                .post(change, permissions::assign)
                .described(&permissions::ASSIGN),
        )
        .view::<Can<ChangeGroup>>(
            "/api/auth/groups/{id}/remove_permissions/",
            View::new("Remove permissions")
                .post(change, permissions::remove)
                .described(&permissions::REMOVE),
        )
        .view::<Can<ViewGroup>>(
            "/api/auth/groups/{id}/users/",
            View::new("Group Members")
                .get(view, members::list)
                .described(&members::LIST),
        )
}
