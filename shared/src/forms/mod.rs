//! The forms of users, groups and permissions: what the JSON API and the admin pages both take.

mod group;
mod permission;
mod user;

pub use group::GroupInput;
pub use permission::PermissionInput;
pub use user::{NewAccount, NewPassword, ProfileInput, Registration};
