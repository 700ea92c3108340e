//! `GET`, `PUT`, `PATCH`, `DELETE /api/auth/users/{id}/`.

use axum::{Json, extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    forms::profile_change,
    http::{
        ApiError, JsonOrForm, PROFILE, Profile,
        can::DeleteUser,
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, PathId, Refusal},
        extract::RequestClient,
        no_content,
    },
    input::Presence,
};

use crate::access::{Editable, Managed, Readable};

pub static RETRIEVE: Operation = Operation {
    summary: "Read a profile",
    id: PathId::Key(1002),
    ..RETRIEVE_ME
};

pub const RETRIEVE_ME: Operation = Operation {
    summary: "Read one's own profile",
    answer: Answer::ok(
        Content::One(&PROFILE),
        r#"{"id": 1002, "username": "sample-ann", "email": "sample-ann@example.com", "first_name": "Ann", "last_name": "Sample", "groups": [{"id": 1001, "name": "Sample editors"}]}"#,
    ),
    ..Operation::NEW
};

pub static UPDATE: Operation = Operation {
    summary: "Replace a profile",
    notes: FLAGS,
    id: PathId::Key(1002),
    ..UPDATE_ME
};

pub const UPDATE_ME: Operation = Operation {
    summary: "Replace one's own profile",
    notes: FLAGS,
    body: Some(Body {
        form: &PROFILE_FORM,
        sample: r#"{"username": "sample-ann", "email": "ann@example.com", "first_name": "Ann", "last_name": "Example"}"#,
    }),
    answer: Answer::ok(
        Content::One(&PROFILE),
        r#"{"id": 1002, "username": "sample-ann", "email": "ann@example.com", "first_name": "Ann", "last_name": "Example", "groups": [{"id": 1001, "name": "Sample editors"}]}"#,
    ),
    refusals: &[Refusal::LastSuperuser],
    ..Operation::NEW
};

pub static PATCH: Operation = Operation {
    summary: "Change a profile",
    notes: FLAGS,
    id: PathId::Key(1002),
    ..PATCH_ME
};

pub const PATCH_ME: Operation = Operation {
    summary: "Change one's own profile",
    body: Some(Body {
        form: &PROFILE_FORM,
        sample: r#"{"last_name": "Example", "is_active": true}"#,
    }),
    answer: Answer::ok(
        Content::One(&PROFILE),
        r#"{"id": 1002, "username": "sample-ann", "email": "sample-ann@example.com", "first_name": "Ann", "last_name": "Example", "groups": [{"id": 1001, "name": "Sample editors"}]}"#,
    ),
    ..UPDATE_ME
};

pub static DESTROY: Operation = Operation {
    summary: "Delete a user",
    id: PathId::Key(1003),
    refusals: &[Refusal::LastSuperuser],
    ..Operation::NEW
};

const FLAGS: &str = "Only admins may set `is_active`, and only superusers `is_staff` and `is_superuser`; from others these fields are ignored.";

static PROFILE_FORM: Object = Object {
    name: "User",
    fields: &[
        Field::new("username", Kind::Limited(150)),
        Field::new("email", Kind::Email),
        Field::new("first_name", Kind::Limited(150)).optional(),
        Field::new("last_name", Kind::Limited(150)).optional(),
        Field::new("is_active", Kind::Flag).optional(),
        Field::new("is_staff", Kind::Flag).optional(),
        Field::new("is_superuser", Kind::Flag).optional(),
    ],
};

pub async fn retrieve(
    Readable(user): Readable,
    State(app): State<App>,
) -> Result<Json<Profile>, ApiError> {
    Ok(Json(Profile::of(&user, &app.store).await?))
}

pub async fn update(
    Editable { caller, target }: Editable,
    State(App { store, .. }): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Json<Profile>, ApiError> {
    let fields = body.fields()?;
    let change = profile_change(&store, fields, &caller.0, &target, Presence::Required).await?;
    let actor = caller.actor();
    let user = accounts::users::change_from(&store, actor, &client, target, &change).await?;
    Ok(Json(Profile::of(&user, &store).await?))
}

pub async fn destroy(
    Managed { caller, target }: Managed<DeleteUser>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::users::delete(&app.store, caller.actor(), target).await?;
    Ok(no_content())
}
