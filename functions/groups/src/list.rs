//! `GET` and `POST /api/auth/groups/`.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::{
    accounts,
    app::App,
    domain::Group,
    forms::group_name,
    http::{
        ApiError, Can, JsonOrForm,
        can::{AddGroup, ViewGroup},
        paging::Whole,
    },
};

/// A group in a list.
#[derive(Serialize)]
pub struct ListedGroup {
    id: u64,
    name: String,
}

impl From<Group> for ListedGroup {
    fn from(group: Group) -> Self {
        Self {
            id: group.id.0,
            name: group.name.as_str().to_owned(),
        }
    }
}

pub async fn list(
    _: Can<ViewGroup>,
    _: Whole,
    State(app): State<App>,
) -> Result<Json<Vec<ListedGroup>>, ApiError> {
    Ok(Json(
        app.store
            .groups()
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
    ))
}

pub async fn create(
    caller: Can<AddGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<ListedGroup>), ApiError> {
    let mut fields = body.fields()?;
    let Some(name) = group_name(&mut fields) else {
        return Err(fields.into_errors().into());
    };
    let nothing = BTreeSet::new();
    let group = accounts::groups::create(&app.store, caller.actor(), name, nothing).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}
