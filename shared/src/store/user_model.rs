//! What a loaded dump says of the user model of its site, so that a dump of this table has the same
//! fields.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Store, StoreError, WriteError, items::to_item, keys::Entity, writes::Write};

/// A site's `AUTH_USER_MODEL`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserModel {
    /// `app_label.model`, in lower case.
    pub model: String,
    /// Django's `USERNAME_FIELD`.
    pub username_field: String,
    /// The fields of `auth.user` that it lacks.
    pub lacks: BTreeSet<String>,
}

impl Store {
    /// The user model of the last load; none if that was `auth.user` or there was none.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn user_model(&self) -> Result<Option<UserModel>, StoreError> {
        self.table.get(Entity::UserModel.key()).await
    }

    /// Keeps the user model of a load.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn declare_user_model(&self, model: &UserModel) -> Result<(), WriteError> {
        let item = to_item(&Entity::UserModel.key(), model)?;
        self.table.write(vec![Write::put(item)]).await
    }
}
