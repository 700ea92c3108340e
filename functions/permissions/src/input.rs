//! The form of a permission.

use shared::{
    app::App,
    domain::{Codename, ContentType, Permission, PermissionName},
    error::{ApiError, FieldErrors},
    http::JsonOrForm,
    input::{Fields, Presence, value::Value},
};

/// What a POST, PUT or PATCH gives. All of it is there but in a PATCH.
pub struct PermissionInput {
    name: Option<PermissionName>,
    codename: Option<Codename>,
    content_type: Option<ContentType>,
}

impl PermissionInput {
    /// Reads and checks a body.
    pub async fn read(app: &App, body: JsonOrForm) -> Result<Self, ApiError> {
        let mut fields = body.fields()?;
        let name = fields.text("name", Presence::Required);
        let codename = fields.text("codename", Presence::Required);
        let content_type = match content_type(app, &fields).await? {
            Ok(content_type) => content_type,
            Err(text) => {
                fields.error("content_type", text);
                None
            }
        };
        fields.into_errors().into_result()?;
        Ok(Self {
            name,
            codename,
            content_type,
        })
    }

    /// The parts of a new permission.
    pub fn into_new(self) -> Result<(PermissionName, Codename, ContentType), ApiError> {
        match self {
            Self {
                name: Some(name),
                codename: Some(codename),
                content_type: Some(content_type),
            } => Ok((name, codename, content_type)),
            // Only a PATCH leaves anything out, and none makes a permission.
            _ => Err(FieldErrors::default().into()),
        }
    }

    /// The permission with the changes.
    pub fn apply(&self, permission: &Permission) -> Permission {
        let Self {
            name,
            codename,
            content_type,
        } = self;
        let mut permission = permission.clone();
        permission.name = name.clone().unwrap_or(permission.name);
        permission.codename = codename.clone().unwrap_or(permission.codename);
        permission.content_type = content_type.clone().unwrap_or(permission.content_type);
        permission
    }
}

/// A content type given as `app_label.model`, which must be declared.
async fn content_type(
    app: &App,
    fields: &Fields,
) -> Result<Result<Option<ContentType>, String>, ApiError> {
    let value = match fields.related("content_type") {
        Ok(Some(value)) => value,
        Ok(None) => return Ok(Ok(None)),
        Err(text) => return Ok(Err(text.to_owned())),
    };
    let text = match value {
        Value::Str(text) if text.first_surrogate().is_none() => text.as_str(),
        _ => "",
    };
    let Some(content_type) = ContentType::parse(text) else {
        return Ok(Err("Invalid value.".to_owned()));
    };
    // Django's columns hold 100 characters; a longer name is nobody's, and may be no key.
    if text.chars().count() <= 201 && app.store.content_type_exists(&content_type).await? {
        return Ok(Ok(Some(content_type)));
    }
    Ok(Err(format!(
        "Object with app_label.model={text} does not exist."
    )))
}
