//! `POST /api/auth/users/{id}/assign_groups/`: replaces the set of groups a user is in.

use axum::{Json, extract::State};
use shared::{
    app::App,
    domain::{Group, GroupId, User},
    error::ApiError,
    http::{
        JsonOrForm, Profile,
        authority::{may_change, may_join},
        can::ChangeUser,
    },
};

use crate::access::Managed;

pub async fn assign_groups(
    Managed { caller, target }: Managed<ChangeUser>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let groups = body.listed::<Group>(&app, "group_ids").await?;
    let (store, who, after) = (&app.store, &caller.0, &groups);
    let judge = |user: User| async move {
        may_change(who, &user)?;
        may_join(store, who, &user, after.values()).await
    };
    let change = |user: &User| {
        let mut user = user.clone();
        user.group_ids = groups.keys().copied().map(GroupId).collect();
        Ok::<_, ApiError>(user)
    };
    let user = store
        .update_user(target, caller.actor(), judge, change)
        .await?;
    // His groups have just been read.
    Ok(Json(Profile::in_groups(&user, groups.into_values())))
}
