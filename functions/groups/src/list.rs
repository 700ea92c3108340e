//! `GET` and `POST /api/auth/groups/`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::{
    app::App,
    domain::Group,
    error::ApiError,
    forms::GroupInput,
    http::{
        Can, JsonOrForm,
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
    let name = GroupInput::read_name(body.fields()?)?;
    let group = app.store.create_group(name, caller.actor()).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}
