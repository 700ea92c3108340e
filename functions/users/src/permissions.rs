//! `GET` and `PUT /api/auth/users/{id}/permissions/`: what a user may do, and the permissions that
//! they hold directly.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    accounts,
    app::App,
    domain::{Permission, PermissionId, SetChange, User, UserChange, permission::Source},
    http::{
        ApiError, JsonOrForm,
        can::ChangeUser,
        describe::{Answer, Body, Content, Field, Kind, Object, Operation, Parameter, PathId},
    },
};

use crate::access::{Managed, Readable};

pub static LIST: Operation = Operation {
    summary: "Read what a user may do",
    notes: "Their own permissions and those of their groups; all for a superuser, none for an inactive user.",
    id: PathId::Key(1002),
    query: &[Parameter {
        name: "explain",
        schema: r#"{"type": "boolean", "default": false}"#,
        about: "Whether the answer tells where each permission comes from.",
    }],
    answer: Answer::ok(
        Content::One(&PERMISSIONS),
        r#"{"is_superuser": false, "permissions": ["auth.publish_sample"], "explain": {"auth.publish_sample": [{"id": 1001, "name": "Sample editors"}]}}"#,
    ),
    ..Operation::NEW
};

pub static REPLACE: Operation = Operation {
    summary: "Replace the permissions that a user holds directly",
    notes: "Those of their groups stay.",
    id: PathId::Key(1003),
    body: Some(Body {
        form: &Object {
            name: "UserPermissions",
            fields: &[Field::new("permission_ids", Kind::Ids)],
        },
        sample: r#"{"permission_ids": [1001]}"#,
    }),
    answer: Answer::ok(
        Content::One(&PERMISSIONS),
        r#"{"is_superuser": false, "permissions": ["auth.publish_sample"]}"#,
    ),
    ..Operation::NEW
};

static PERMISSIONS: Object = Object {
    name: "UserPermissions",
    fields: &[
        Field::new("is_superuser", Kind::Flag),
        Field::new("permissions", Kind::Texts).about("Labels, sorted."),
        Field::new(
            "explain",
            Kind::Schema(
                r##"{"type": "object", "additionalProperties": {"type": "array", "items": {"anyOf": [{"enum": ["superuser", "user"]}, {"$ref": "#/components/schemas/GroupName"}]}}}"##,
            ),
        )
        .optional()
        .about("Only with `?explain=true`: by label, whether it comes from being a superuser, from the user, or from a group."),
    ],
};

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

/// How many sources an answer tells of in all, the same number for each permission at most.
const MOST_SOURCES: usize = 2000;

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
                let each = (MOST_SOURCES / held.len().max(1)).max(1);
                let shown =
                    |sources: Vec<Source>| sources.into_iter().take(each).map(shown).collect();
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

pub async fn list(
    Readable(user): Readable,
    Query(query): Query<Vec<(String, String)>>,
    State(app): State<App>,
) -> Result<Json<Permissions>, ApiError> {
    // The last of a name counts, as in Django's QueryDict.
    let explain = query.iter().rfind(|(name, _)| name == "explain");
    let sources = match explain {
        Some((_, value)) if value.eq_ignore_ascii_case("true") => Sources::Explained,
        _ => Sources::Hidden,
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
    let user = accounts::users::change(&app.store, caller.actor(), target, &change)
        .await
        .map_err(|refused| refused.under("user_permissions", "permission_ids"))?;
    Ok(Json(Permissions::of(&user, &app, Sources::Hidden).await?))
}
