//! What users hold: the reads behind the rules of [`crate::domain::permission`].

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Store, StoreError, keys};
use crate::domain::{
    Group, PermissionId, User,
    permission::{Held, Source, sources},
};

#[derive(Deserialize)]
struct LabelMarker {
    permission_id: PermissionId,
}

impl Store {
    /// Whether a user holds one of the labels: Django's `has_perm`. An active superuser holds all,
    /// an inactive user none. A user without groups and direct permissions costs no read, any other
    /// user one round trip.
    pub async fn holds(&self, user: &User, labels: &[&str]) -> Result<bool, StoreError> {
        if !user.is_active || user.is_superuser {
            return Ok(user.is_active_superuser());
        }
        if user.group_ids.is_empty() && user.permission_ids.is_empty() {
            return Ok(false);
        }
        let (groups, all) = self
            .groups_and_labels(&user.group_ids, &user.permission_ids)
            .await?;
        let held = sources(user, &groups, &all);
        Ok(labels.iter().any(|label| held.contains_key(*label)))
    }

    /// Whether a permission other than `but` has a label, whatever its model.
    pub async fn label_exists(
        &self,
        label: &str,
        but: Option<PermissionId>,
    ) -> Result<bool, StoreError> {
        let meant = self.meant_by(label).await?;
        Ok(meant.into_iter().any(|id| Some(id) != but))
    }

    /// The ids of every permission that a label means, whatever its model.
    async fn meant_by(&self, label: &str) -> Result<Vec<PermissionId>, StoreError> {
        let markers: Vec<LabelMarker> = self.table.partition(&keys::label(label)).await?;
        Ok(markers
            .into_iter()
            .map(|marker| marker.permission_id)
            .collect())
    }

    /// All that a user would hold if they were active: what others must hold to decide over them.
    pub async fn held(&self, user: &User) -> Result<Held, StoreError> {
        if user.is_superuser {
            return Ok(Held::All);
        }
        let held = self.held_from(user).await?;
        Ok(Held::of(user, held.into_keys().collect()))
    }

    /// All that a user may do, with where it comes from: one round trip. An inactive user may do
    /// nothing.
    pub async fn permissions_held(
        &self,
        user: &User,
    ) -> Result<BTreeMap<String, Vec<Source>>, StoreError> {
        if user.is_active {
            self.held_from(user).await
        } else {
            Ok(BTreeMap::new())
        }
    }

    /// The groups of an active user, and what they may do by label: what the authorizer tells other
    /// services. A superuser may do everything, so nothing is listed. One round trip.
    pub async fn groups_and_permissions(
        &self,
        user: &User,
    ) -> Result<(Vec<Group>, BTreeMap<String, Vec<Source>>), StoreError> {
        if user.is_superuser {
            return Ok((self.groups_of(&user.group_ids).await?, BTreeMap::new()));
        }
        if user.group_ids.is_empty() && user.permission_ids.is_empty() {
            return Ok((Vec::new(), BTreeMap::new()));
        }
        let (groups, labels) = self
            .groups_and_labels(&user.group_ids, &user.permission_ids)
            .await?;
        let held = sources(user, &groups, &labels);
        Ok((groups, held))
    }

    async fn held_from(&self, user: &User) -> Result<BTreeMap<String, Vec<Source>>, StoreError> {
        if user.is_superuser {
            return Ok(sources(user, &[], &self.all_labels().await?));
        }
        Ok(self.groups_and_permissions(user).await?.1)
    }
}
