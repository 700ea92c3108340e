//! Users, groups, permissions and the rules of their parts: pure types, no I/O.

mod email;
pub mod group;
pub mod log;
pub mod names;
pub mod password;
pub mod permission;
pub mod user;

pub use group::{Group, GroupId};
pub use names::{Codename, EmailAddress, GroupName, PermissionName, PersonName, UserName};
pub use permission::{ContentType, Permission, PermissionId};
pub use user::{Flag, User, UserId};
