//! Permissions, and their way into groups.

mod detail;
mod groups;
mod list;

use shared::http::{
    Can, Routes,
    can::{ChangeGroup, PermissionDetail, PermissionList},
    routes::{Access, View},
};

/// The function's routes.
pub fn routes() -> Routes {
    let (view, change) = (
        Access::Admin("auth.view_permission"),
        Access::Admin("auth.change_permission"),
    );
    let change_group = Access::Admin("auth.change_group");
    Routes::new()
        .view::<Can<PermissionList>>(
            "/api/auth/permissions/",
            View::new("Permission List")
                .get(view, list::list)
                .described(&list::LIST)
                .post(Access::Admin("auth.add_permission"), list::create)
                .described(&list::CREATE),
        )
        .view::<Can<PermissionDetail>>(
            "/api/auth/permissions/{id}/",
            View::new("Permission Instance")
                .get(view, detail::retrieve)
                .described(&detail::RETRIEVE)
                .put(change, detail::update)
                .described(&detail::UPDATE)
                .patch(change, detail::update)
                .described(&detail::PATCH)
                .delete(Access::Admin("auth.delete_permission"), detail::destroy)
                .described(&detail::DESTROY),
        )
        .view::<Can<ChangeGroup>>(
            "/api/auth/permissions/{id}/assign_to_group/",
            View::new("Assign to group")
                .post(change_group, groups::assign)
                .described(&groups::ASSIGN),
        )
        .view::<Can<ChangeGroup>>(
            "/api/auth/permissions/{id}/remove_from_group/",
            View::new("Remove from group")
                .post(change_group, groups::remove)
                .described(&groups::REMOVE),
        )
}
