//! The addresses of Django's admin.

use shared::domain::log_entry::Model;

use crate::staff::{Action, Staff};

/// The front page.
pub const HOME: &str = "/admin/";
/// The form of one's own password.
pub const PASSWORD_CHANGE: &str = "/admin/password_change/";

/// The models, in the order of the pages.
pub const MODELS: [Model; 3] = [Model::User, Model::Group, Model::Permission];

/// A model's list.
pub fn list(model: Model) -> String {
    format!("/admin/auth/{model}/")
}

/// The form that adds to a model.
pub fn add(model: Model) -> String {
    format!("{}add/", list(model))
}

/// A page of an object.
pub fn object(model: Model, id: u64, page: &str) -> String {
    format!("/admin/auth/{model}/{id}/{page}/")
}

impl Staff {
    /// A model's list, for those who may look at it.
    pub fn list_url(&self, model: Model) -> Option<String> {
        self.can(Action::View, model).then(|| list(model))
    }

    /// The form that adds to a model, for those who may.
    pub fn add_url(&self, model: Model) -> Option<String> {
        self.can(Action::Add, model).then(|| add(model))
    }
}
