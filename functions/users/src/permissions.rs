//! `GET` and `PUT /api/auth/users/{id}/permissions/`: what a user may do, and the permissions that
//! they hold directly.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    accounts,
    app::App,
    domain::{Permission, PermissionId, SetChange, User, UserChange, permission::Source},
    http::{ApiError, JsonOrForm, can::ChangeUser},
};

use crate::access::{Managed, Readable};

/// What a user may do.
#[derive(Serialize)]
pub struct Permissions {
    is_superuser: bool,
    /// Labels, sorted.
    permissions: Vec<String>,
    /// By label, where each comes from: `"superuser"`, `"user"`, or a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<BTreeMap<String, Vec<Value>>>,
}

/// Whether an answer tells where each permission comes from.
#[derive(PartialEq)]
enum Sources {
    Explained,
    Hidden,
}

impl Permissions {
    async fn of(user: &User, app: &App, sources: Sources) -> Result<Self, ApiError> {
        let held = app.store.permissions_held(user).await?;
        Ok(Self {
            is_superuser: user.is_superuser,
            permissions: held.keys().cloned().collect(),
            explain: (sources == Sources::Explained).then(|| {
                let shown = |sources: Vec<Source>| sources.into_iter().map(shown).collect();
                let named = held.into_iter();
                named
                    .map(|(label, sources)| (label, shown(sources)))
                    .collect()
            }),
        })
    }
}

fn shown(source: Source) -> Value {
    match source {
        Source::Superuser => json!("superuser"),
        Source::User => json!("user"),
        Source::Group(id, name) => json!({"id": id.0, "name": name.as_str()}),
    }
}

/// The query of a list.
#[derive(Deserialize)]
pub struct Options {
    #[serde(default)]
    explain: String,
}

pub async fn list(
    Readable(user): Readable,
    Query(options): Query<Options>,
    State(app): State<App>,
) -> Result<Json<Permissions>, ApiError> {
    let sources = if options.explain.eq_ignore_ascii_case("true") {
        Sources::Explained
    } else {
        Sources::Hidden
    };
    Ok(Json(Permissions::of(&user, &app, sources).await?))
}

pub async fn replace(
    Managed { caller, target }: Managed<ChangeUser>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Permissions>, ApiError> {
    let permissions = body.listed::<Permission>(&app, "permission_ids").await?;
    let ids = permissions.into_keys().map(PermissionId).collect();
    let change = UserChange {
        permissions: Some(SetChange::Replace(ids)),
        ..UserChange::default()
    };
    let user = accounts::users::change(&app.store, caller.actor(), target, &change).await?;
    Ok(Json(Permissions::of(&user, &app, Sources::Hidden).await?))
}
