//! `GET`, `PUT`, `PATCH`, `DELETE /api/auth/permissions/{id}/`.

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
    domain::{Permission, PermissionId},
    forms::permission_change,
    http::{
        ApiError, Can, JsonOrForm,
        can::{ChangePermission, DeletePermission, Permit, ViewPermission},
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, PathId},
        extract::path_id,
        no_content,
    },
};

/// The permission in the path, for callers with `P`.
pub struct Managed<P> {
    /// The caller.
    pub caller: Can<P>,
    /// The permission.
    pub permission: Permission,
}

impl<P: Permit> FromRequestParts<App> for Managed<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Can::<P>::from_request_parts(parts, app).await?;
        let id = PermissionId(path_id(parts, app).await?);
        let permission = app.store.permission(id).await?.ok_or(ApiError::NotFound)?;
        Ok(Self { caller, permission })
    }
}

pub static RETRIEVE: Operation = Operation {
    summary: "Read a permission",
    id: PathId::Key(1001),
    answer: Answer::ok(
        Content::One(&PERMISSION),
        r#"{"id": 1001, "name": "Can publish sample", "codename": "publish_sample", "content_type": "auth.user"}"#,
    ),
    ..Operation::NEW
};

pub const UPDATE: Operation = Operation {
    summary: "Replace a permission",
    id: PathId::Key(1001),
    body: Some(Body {
        form: &PERMISSION_FORM,
        sample: r#"{"name": "Can publish samples", "codename": "publish_sample", "content_type": "auth.user"}"#,
    }),
    answer: Answer::ok(
        Content::One(&PERMISSION),
        r#"{"id": 1001, "name": "Can publish samples", "codename": "publish_sample", "content_type": "auth.user"}"#,
    ),
    ..Operation::NEW
};

pub static PATCH: Operation = Operation {
    summary: "Change a permission",
    body: Some(Body {
        form: &PERMISSION_FORM,
        sample: r#"{"name": "Can publish samples"}"#,
    }),
    ..UPDATE
};

pub static DESTROY: Operation = Operation {
    summary: "Delete a permission",
    id: PathId::Key(1001),
    ..Operation::NEW
};

pub static PERMISSION: Object = Object {
    name: "Permission",
    fields: &[
        Field::new("id", Kind::Id),
        Field::new("name", Kind::Text),
        Field::new("codename", Kind::Text),
        Field::new("content_type", Kind::Text).about("`app_label.model`."),
    ],
};

pub static PERMISSION_FORM: Object = Object {
    name: "Permission",
    fields: &[
        Field::new("name", Kind::Limited(255)),
        Field::new("codename", Kind::Limited(100)),
        Field::new("content_type", Kind::Text).about("`app_label.model`, which must be declared."),
    ],
};

/// A permission as the API shows it.
#[derive(Serialize)]
pub struct PermissionDetail {
    id: u64,
    name: String,
    codename: String,
    content_type: String,
}

impl From<Permission> for PermissionDetail {
    fn from(permission: Permission) -> Self {
        Self {
            id: permission.id.0,
            name: permission.name.as_str().to_owned(),
            codename: permission.codename.as_str().to_owned(),
            content_type: permission.content_type.to_string(),
        }
    }
}

pub async fn retrieve(
    Managed { permission, .. }: Managed<ViewPermission>,
) -> Json<PermissionDetail> {
    Json(permission.into())
}

pub async fn update(
    Managed { caller, permission }: Managed<ChangePermission>,
    State(App { store, .. }): State<App>,
    body: JsonOrForm,
) -> Result<Json<PermissionDetail>, ApiError> {
    let change = permission_change(&store, body.fields()?).await?;
    let changed =
        accounts::permissions::change(&store, caller.actor(), permission, &change).await?;
    Ok(Json(changed.into()))
}

pub async fn destroy(
    Managed { caller, permission }: Managed<DeletePermission>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::permissions::delete(&app.store, caller.actor(), permission).await?;
    Ok(no_content())
}
