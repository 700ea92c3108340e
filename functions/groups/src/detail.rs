//! `GET`, `PUT`, `PATCH`, `DELETE /api/auth/groups/{id}/`.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::Response,
};
use serde::Serialize;
use shared::{
    accounts,
    app::App,
    domain::{Group, GroupId},
    forms::group_change,
    http::{
        ApiError, Can, JsonOrForm,
        can::{ChangeGroup, DeleteGroup, Permit, ViewGroup},
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, PathId},
        extract::path_id,
        no_content,
    },
};

/// The group in the path, for callers with `P`.
pub struct Managed<P> {
    /// The caller.
    pub caller: Can<P>,
    /// The group.
    pub group: Group,
}

impl<P: Permit> FromRequestParts<App> for Managed<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Can::<P>::from_request_parts(parts, app).await?;
        let id = GroupId(path_id(parts, app).await?);
        let group = app.store.group(id).await?.ok_or(ApiError::NotFound)?;
        Ok(Self { caller, group })
    }
}

pub const RETRIEVE: Operation = Operation {
    summary: "Read a group",
    id: PathId::Key(1001),
    answer: Answer::ok(
        Content::One(&GROUP),
        r#"{"id": 1001, "name": "Sample editors", "permissions": [1001]}"#,
    ),
    ..Operation::NEW
};

pub static UPDATE: Operation = Operation {
    summary: "Replace a group",
    notes: FORM_NOTES,
    body: Some(Body {
        form: &GROUP_FORM,
        sample: r#"{"name": "Sample editors", "permissions": [1001]}"#,
    }),
    ..RETRIEVE
};

pub static PATCH: Operation = Operation {
    summary: "Change a group",
    notes: FORM_NOTES,
    body: Some(Body {
        form: &GROUP_FORM,
        sample: r#"{"name": "Sample writers"}"#,
    }),
    answer: Answer::ok(
        Content::One(&GROUP),
        r#"{"id": 1001, "name": "Sample writers", "permissions": [1001]}"#,
    ),
    ..RETRIEVE
};

pub static DESTROY: Operation = Operation {
    summary: "Delete a group",
    id: PathId::Key(1002),
    ..Operation::NEW
};

const FORM_NOTES: &str = "`permissions` replaces those of the group.";

static GROUP: Object = Object {
    name: "Group",
    fields: &[
        Field::new("id", Kind::Id),
        Field::new("name", Kind::Text),
        Field::new("permissions", Kind::Ids).about("In order of app label, model and codename."),
    ],
};

static GROUP_FORM: Object = Object {
    name: "Group",
    fields: &[
        Field::new("name", Kind::Limited(150)),
        Field::new("permissions", Kind::Ids).optional(),
    ],
};

/// A group with the ids of its permissions.
#[derive(Serialize)]
pub struct GroupDetail {
    id: u64,
    name: String,
    permissions: Vec<u64>,
}

impl GroupDetail {
    /// Reads which of the group's permissions still exist, and their order.
    async fn of(group: &Group, app: &App) -> Result<Self, ApiError> {
        let permissions = app.store.permissions_of(&group.permission_ids).await?;
        Ok(Self {
            id: group.id.0,
            name: group.name.as_str().to_owned(),
            permissions: permissions
                .into_iter()
                .map(|permission| permission.id.0)
                .collect(),
        })
    }
}

pub async fn retrieve(
    Managed { group, .. }: Managed<ViewGroup>,
    State(app): State<App>,
) -> Result<Json<GroupDetail>, ApiError> {
    Ok(Json(GroupDetail::of(&group, &app).await?))
}

pub async fn update(
    Managed { caller, group }: Managed<ChangeGroup>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<GroupDetail>, ApiError> {
    let change = group_change(&app.store, body.fields()?, &group).await?;
    let group = accounts::groups::change(&app.store, caller.actor(), group, &change).await?;
    Ok(Json(GroupDetail::of(&group, &app).await?))
}

pub async fn destroy(
    Managed { caller, group }: Managed<DeleteGroup>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::groups::delete(&app.store, caller.actor(), group).await?;
    Ok(no_content())
}
