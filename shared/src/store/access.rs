//! What users hold: the reads behind the rules of [`crate::domain::permission`].

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use serde::Deserialize;

use super::{Store, StoreError, keys};
use crate::domain::{
    Group, Permission, PermissionId, User,
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
        let meant = try_join_all(labels.iter().map(|label| self.meant_by(label)));
        let (groups, meant) = tokio::try_join!(self.groups_of(&user.group_ids), meant)?;
        let meant: BTreeSet<PermissionId> = meant.into_iter().flatten().collect();
        let has = |ids: &BTreeSet<PermissionId>| !ids.is_disjoint(&meant);
        Ok(has(&user.permission_ids) || groups.iter().any(|group| has(&group.permission_ids)))
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
        Ok(Held::Labels(held.into_keys().collect()))
    }

    /// All that an active user holds, in a single round trip: it reads every permission, which
    /// [`Store::held`] does not. A user without groups and permissions costs no read.
    pub async fn held_at_once(&self, user: &User) -> Result<Held, StoreError> {
        if user.is_superuser {
            return Ok(Held::All);
        }
        if user.group_ids.is_empty() && user.permission_ids.is_empty() {
            return Ok(Held::Labels(BTreeSet::new()));
        }
        let groups = self.groups_of(&user.group_ids);
        let (groups, permissions) = tokio::try_join!(groups, self.permissions())?;
        let held = sources(user, &groups, &permissions);
        Ok(Held::Labels(held.into_keys().collect()))
    }

    /// All that a user may do, with where it comes from: two round trips at most, one for a
    /// superuser. An inactive user may do nothing.
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
    /// services. A superuser may do everything, so nothing is listed. Two round trips at most.
    pub async fn groups_and_permissions(
        &self,
        user: &User,
    ) -> Result<(Vec<Group>, BTreeMap<String, Vec<Source>>), StoreError> {
        let groups = self.groups_of(&user.group_ids).await?;
        if user.is_superuser {
            return Ok((groups, BTreeMap::new()));
        }
        let permissions = self.named_by(&groups, &user.permission_ids).await?;
        let held = sources(user, &groups, &permissions);
        Ok((groups, held))
    }

    async fn held_from(&self, user: &User) -> Result<BTreeMap<String, Vec<Source>>, StoreError> {
        if user.is_superuser {
            return Ok(sources(user, &[], &self.permissions().await?));
        }
        Ok(self.groups_and_permissions(user).await?.1)
    }

    /// The permissions of groups and of a set of ids, as far as they still exist.
    async fn named_by(
        &self,
        groups: &[Group],
        ids: &BTreeSet<PermissionId>,
    ) -> Result<Vec<Permission>, StoreError> {
        let of_groups = groups.iter().flat_map(|group| &group.permission_ids);
        let ids = of_groups.chain(ids).copied().collect();
        self.permissions_of(&ids).await
    }
}
