//! `POST /api/auth/users/{id}/assign_groups/`: replaces the set of groups a user is in.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use shared::{
    app::App,
    domain::GroupId,
    error::{ApiError, FieldErrors},
    http::{JsonOrForm, Profile},
    input::{Presence, Related},
};

use crate::access::{Managed, may_change};

pub async fn assign_groups(
    Managed { caller, target }: Managed,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let group_ids = read(&app, body).await?;
    let change = |user: &shared::domain::User| {
        may_change(&caller.0, user)?;
        let mut user = user.clone();
        user.group_ids.clone_from(&group_ids);
        Ok::<_, ApiError>(user)
    };
    let user = app.store.update_user(target, caller.actor(), change).await?;
    Ok(Json(Profile::of(&user, &app.store).await?))
}

async fn read(app: &App, body: JsonOrForm) -> Result<BTreeSet<GroupId>, ApiError> {
    const FIELD: &str = "group_ids";
    let mut fields = body.fields()?;
    let Some(list) = fields.pk_list(FIELD, Presence::Required) else {
        return Err(fields.into_errors().into());
    };
    match list.resolve(Related::Group, &app.store).await? {
        Ok(ids) => Ok(ids.into_iter().map(GroupId).collect()),
        Err(text) => Err(FieldErrors::one(FIELD, text).into()),
    }
}
