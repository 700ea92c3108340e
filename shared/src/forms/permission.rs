//! The form of a permission.

use crate::{
    app::App,
    domain::{Codename, ContentType, Permission, PermissionId, PermissionName, User},
    error::{ApiError, FieldErrors},
    http::authority,
    input::{Fields, Presence, value::Value},
    store::Refusal,
};

/// What a POST, PUT or PATCH gives. All of it is there but in a PATCH.
pub struct PermissionInput {
    name: Option<PermissionName>,
    codename: Option<Codename>,
    content_type: Option<ContentType>,
}

impl PermissionInput {
    /// Reads and checks a body.
    pub async fn read(app: &App, mut fields: Fields) -> Result<Self, ApiError> {
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

    /// Whether a caller may make it: a label that decides something is not everybody's to use.
    ///
    /// # Errors
    /// He may not; or, as field errors come first, the codename exists.
    pub async fn may_be_made(&self, app: &App, caller: &User) -> Result<(), ApiError> {
        let (Some(codename), Some(content_type)) = (&self.codename, &self.content_type) else {
            return Ok(());
        };
        may_label(app, caller, content_type, codename, None).await
    }

    /// Whether a caller may change a permission so, as it gets another label for all its holders.
    ///
    /// # Errors
    /// He may not; or, as field errors come first, the codename exists.
    pub async fn may_change(
        &self,
        app: &App,
        caller: &User,
        before: &Permission,
    ) -> Result<(), ApiError> {
        let after = self.apply(before);
        if after.label() == before.label() {
            return Ok(());
        }
        may_label(
            app,
            caller,
            &after.content_type,
            &after.codename,
            Some(before.id),
        )
        .await
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

async fn may_label(
    app: &App,
    caller: &User,
    content_type: &ContentType,
    codename: &Codename,
    but: Option<PermissionId>,
) -> Result<(), ApiError> {
    let label = format!("{}.{}", content_type.app_label, codename.as_str());
    match authority::may_label(&app.store, caller, label).await {
        // The transaction that would tell of a taken codename is not tried, so it is looked up.
        Err(ApiError::PermissionDenied)
            if app
                .store
                .codename_taken(content_type, codename, but)
                .await? =>
        {
            let mut errors = FieldErrors::default();
            errors.add_refusal(Refusal::CodenameTaken);
            Err(errors.into())
        }
        judged => judged,
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
