//! `GET` and `POST /api/auth/permissions/`.

use axum::{Json, extract::State, http::StatusCode};
use shared::{
    accounts,
    app::App,
    forms::new_permission,
    http::{
        ApiError, Can, JsonOrForm,
        can::{AddPermission, ViewPermission},
        describe::{Answer, Body, Content, Operation, Refusal},
        paging::Whole,
    },
};

use crate::detail::{PERMISSION, PERMISSION_FORM, PermissionDetail};

pub static LIST: Operation = Operation {
    summary: "List permissions",
    notes: "All of them, in order of app label, model and codename.",
    answer: Answer::ok(Content::Many(&PERMISSION), ""),
    refusals: &[Refusal::NoSuchPage],
    ..Operation::NEW
};

pub static CREATE: Operation = Operation {
    summary: "Make a permission",
    body: Some(Body {
        form: &PERMISSION_FORM,
        sample: r#"{"name": "Can archive sample", "codename": "archive_sample", "content_type": "auth.user"}"#,
    }),
    answer: Answer::created(
        Content::One(&PERMISSION),
        r#"{"id": 1002, "name": "Can archive sample", "codename": "archive_sample", "content_type": "auth.user"}"#,
    ),
    ..Operation::NEW
};

pub async fn list(
    _: Can<ViewPermission>,
    _: Whole,
    State(app): State<App>,
) -> Result<Json<Vec<PermissionDetail>>, ApiError> {
    Ok(Json(
        app.store
            .permissions()
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
    ))
}

pub async fn create(
    caller: Can<AddPermission>,
    State(App { store, .. }): State<App>,
    body: JsonOrForm,
) -> Result<(StatusCode, Json<PermissionDetail>), ApiError> {
    let (name, codename, content_type) = new_permission(&store, body.fields()?).await?;
    let actor = caller.actor();
    let made = accounts::permissions::create(&store, actor, name, codename, content_type).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
