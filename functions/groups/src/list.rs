//! `GET` and `POST /api/auth/groups/`.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use shared::{
    accounts,
    app::App,
    domain::GroupLabel,
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

pub async fn list(
    _: Can<ViewGroup>,
    _: Whole,
    State(app): State<App>,
) -> Result<Json<Vec<GroupLabel>>, ApiError> {
    Ok(Json(app.store.group_labels().await?))
}

pub async fn create(
    caller: Can<AddGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<GroupLabel>), ApiError> {
    let mut fields = body.fields()?;
    let Some(name) = group_name(&mut fields) else {
        return Err(fields.into_errors().into());
    };
    let nothing = BTreeSet::new();
    let group = accounts::groups::create(&app.store, caller.actor(), name, nothing).await?;
    Ok((StatusCode::CREATED, Json(group.into())))
}
