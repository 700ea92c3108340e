//! The form of a permission.

use super::FormError;
use crate::{
    domain::{Codename, ContentType, FieldError, PermissionChange, PermissionName},
    input::{FieldErrors, Fields, Presence, value::Value},
    store::{Store, StoreError},
};

/// What a POST, PUT or PATCH gives. All of it is present but in a PATCH.
///
/// # Errors
/// The field errors, or the table's failure.
pub async fn permission_change(
    store: &Store,
    mut fields: Fields,
) -> Result<PermissionChange, FormError> {
    let name = fields.text("name", Presence::Required);
    let codename = fields.text("codename", Presence::Required);
    let content_type = match content_type(store, &fields).await? {
        Ok(content_type) => content_type,
        Err(error) => {
            fields.error("content_type", error);
            None
        }
    };
    fields.into_errors().into_result()?;
    Ok(PermissionChange {
        name,
        codename,
        content_type,
    })
}

/// The parts of a permission to be made.
///
/// # Errors
/// As [`permission_change`].
pub async fn new_permission(
    store: &Store,
    fields: Fields,
) -> Result<(PermissionName, Codename, ContentType), FormError> {
    match permission_change(store, fields).await? {
        PermissionChange {
            name: Some(name),
            codename: Some(codename),
            content_type: Some(content_type),
        } => Ok((name, codename, content_type)),
        // Only a PATCH leaves anything out, and none makes a permission.
        _ => Err(FieldErrors::default().into()),
    }
}

/// A content type given as `app_label.model`, which must be declared.
async fn content_type(
    store: &Store,
    fields: &Fields,
) -> Result<Result<Option<ContentType>, FieldError>, StoreError> {
    let value = match fields.related("content_type") {
        Ok(Some(value)) => value,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    let text = match value {
        Value::Str(text) if text.first_surrogate().is_none() => text.as_str(),
        _ => "",
    };
    let Some(content_type) = ContentType::parse(text) else {
        return Ok(Err(FieldError::said("Invalid value.")));
    };
    // Django's columns hold 100 characters; a longer name cannot exist, and may be no key.
    if text.chars().count() <= 201 && store.content_type_exists(&content_type).await? {
        return Ok(Ok(Some(content_type)));
    }
    let text = format!("Object with app_label.model={text} does not exist.");
    Ok(Err(FieldError::Said(text.into())))
}
