//! `GET` and `POST /api/auth/groups/`.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use shared::{
    accounts,
    app::App,
    domain::{Group, GroupLabel},
    forms::group_name,
    http::{
        ApiError, Can, GROUP_NAME, JsonOrForm,
        can::{AddGroup, ViewGroup},
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, Refusal},
        paging::Whole,
    },
};

pub static LIST: Operation = Operation {
    summary: "List groups",
    notes: "All of them, in order of id.",
    answer: Answer::ok(
        Content::Many(&GROUP_NAME),
        r#"[{"id": 1001, "name": "Sample editors"}, {"id": 1002, "name": "Sample readers"}]"#,
    ),
    refusals: &[Refusal::NoSuchPage],
    ..Operation::NEW
};

pub static CREATE: Operation = Operation {
    summary: "Make a group",
    body: Some(Body {
        form: &Object {
            name: "GroupName",
            fields: &[Field::new("name", Kind::Limited(150))],
        },
        sample: r#"{"name": "Sample reviewers"}"#,
    }),
    answer: Answer::created(
        Content::One(&GROUP_NAME),
        r#"{"id": 1003, "name": "Sample reviewers"}"#,
    ),
    ..Operation::NEW
};

/// A group in a list.
#[derive(Serialize)]
pub struct ListedGroup {
    id: u64,
    name: String,
}

impl From<Group> for ListedGroup {
    fn from(Group { id, name, .. }: Group) -> Self {
        GroupLabel { id, name }.into()
    }
}

impl From<GroupLabel> for ListedGroup {
    fn from(group: GroupLabel) -> Self {
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
            .group_labels()
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
