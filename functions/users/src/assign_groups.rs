//! `POST /api/auth/users/{id}/assign_groups/`: replaces the set of groups a user is in.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use shared::{
    app::App,
    domain::{Group, GroupId, User},
    error::{ApiError, FieldErrors},
    http::{JsonOrForm, Profile},
    input::Presence,
};

use crate::access::{Managed, may_change};

pub async fn assign_groups(
    Managed { caller, target }: Managed,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let groups = read(&app, body).await?;
    let change = |user: &User| {
        may_change(&caller.0, user)?;
        let mut user = user.clone();
        user.group_ids = groups.keys().copied().map(GroupId).collect();
        Ok::<_, ApiError>(user)
    };
    let user = app
        .store
        .update_user(target, caller.actor(), change)
        .await?;
    // His groups have just been read.
    Ok(Json(Profile::in_groups(&user, groups.into_values())))
}

async fn read(app: &App, body: JsonOrForm) -> Result<BTreeMap<u64, Group>, ApiError> {
    const FIELD: &str = "group_ids";
    let mut fields = body.fields()?;
    let Some(list) = fields.pk_list(FIELD, Presence::Required) else {
        return Err(fields.into_errors().into());
    };
    list.resolve(&app.store)
        .await?
        .map_err(|text| FieldErrors::one(FIELD, text).into())
}
