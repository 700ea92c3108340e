//! `GET` and `PUT /api/auth/users/{id}/permissions/`: what a user may do, and the permissions that
//! he holds himself.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    app::App,
    domain::{Permission, PermissionId, User, permission::Source},
    error::ApiError,
    http::{
        JsonOrForm,
        authority::{may_add, may_change},
        can::ChangeUser,
    },
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

impl Permissions {
    async fn of(user: &User, app: &App, explain: bool) -> Result<Self, ApiError> {
        let held = app.store.permissions_held(user).await?;
        Ok(Self {
            is_superuser: user.is_superuser,
            permissions: held.keys().cloned().collect(),
            explain: explain.then(|| {
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
    let explain = options.explain.eq_ignore_ascii_case("true");
    Ok(Json(Permissions::of(&user, &app, explain).await?))
}

pub async fn replace(
    Managed { caller, target, .. }: Managed<ChangeUser>,
    State(app): State<App>,
    body: JsonOrForm,
) -> Result<Json<Permissions>, ApiError> {
    let permissions = body.listed::<Permission>(&app, "permission_ids").await?;
    let (store, who) = (&app.store, &caller.0);
    let after = &permissions;
    let judge = |user: User| async move {
        may_change(who, &user)?;
        may_add(store, who, &user.permission_ids, after.values()).await
    };
    let change = |user: &User| {
        let mut user = user.clone();
        user.permission_ids = after.keys().copied().map(PermissionId).collect();
        Ok::<_, ApiError>(user)
    };
    let user = store
        .update_user(target, caller.actor(), judge, change)
        .await?;
    Ok(Json(Permissions::of(&user, &app, false).await?))
}
