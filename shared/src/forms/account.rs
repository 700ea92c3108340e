//! The forms of account life, with djoser's fields: a new password, a new username, and what the link
//! of a mail gives.

use super::{FormError, user::strong};
use crate::{
    domain::{
        EmailAddress, FieldError, User, UserName, names::AnyText, password::PersonalAttributes,
    },
    hashing::Password,
    input::{FieldErrors, Fields, NON_FIELD_ERRORS, Presence},
    mail::links::Link,
    store::Store,
};

/// A password that an account has, as it was typed.
pub struct TypedPassword {
    /// As SimpleJWT's serializers read it: trimmed.
    pub password: Password,
    /// With its outer spaces, if it had some: forms of Django's admin pages keep them.
    pub untrimmed: Option<Password>,
}

impl TypedPassword {
    /// Reads a required field; errors go to the fields.
    pub fn read(fields: &mut Fields, name: &'static str) -> Option<Self> {
        let trimmed = fields.text::<AnyText>(name, Presence::Required)?;
        let typed = fields.untrimmed::<AnyText>(name, Presence::Required);
        let typed = typed.filter(|typed| *typed != trimmed);
        Some(Self {
            password: Password::new(trimmed.into_inner()),
            untrimmed: typed.map(|typed| Password::new(typed.into_inner())),
        })
    }
}

/// A new password, in `new_password` and, where it is to be typed twice, `re_new_password`.
pub struct NewPassword {
    password: AnyText,
    retyped: Option<AnyText>,
}

impl NewPassword {
    /// Reads it; errors go to the fields.
    pub fn read(fields: &mut Fields, retypes: bool) -> Option<Self> {
        let password = fields.text("new_password", Presence::Required);
        let retyped = retypes.then(|| fields.text("re_new_password", Presence::Required));
        let retyped = match retyped {
            None => None,
            Some(typed) => Some(typed?),
        };
        Some(Self {
            password: password?,
            retyped,
        })
    }

    /// The password, for a user if one is known. Weakness hides a mismatch.
    ///
    /// # Errors
    /// It is weak or like the user, or was typed otherwise the second time.
    pub fn checked(self, user: Option<&User>) -> Result<Password, FieldErrors> {
        let attributes = user.map_or_else(PersonalAttributes::default, User::attributes);
        let differs = self.retyped.is_some_and(|typed| typed != self.password);
        let password = strong("new_password", self.password, &attributes)?;
        if differs {
            let text = "The two password fields didn't match.";
            return Err(FieldErrors::one(NON_FIELD_ERRORS, FieldError::said(text)));
        }
        Ok(password)
    }
}

/// A new username, in `new_username` and, where it is to be typed twice, `re_new_username`.
pub struct NewUserName {
    name: UserName,
    retyped: Option<AnyText>,
}

impl NewUserName {
    /// Reads it; errors go to the fields, with that of a name that is somebody's, the asker's too.
    ///
    /// # Errors
    /// The table's failure.
    pub async fn read(
        store: &Store,
        fields: &mut Fields,
        retypes: bool,
    ) -> Result<Option<Self>, FormError> {
        let name = fields.text::<UserName>("new_username", Presence::Required);
        let retyped = retypes.then(|| fields.text("re_new_username", Presence::Required));
        if let Some(name) = &name {
            let taken = store.names_taken(Some(name.clone()), None, None).await?;
            fields.errors(as_new_username(taken));
        }
        let (Some(name), false) = (name, fields.has_errors()) else {
            return Ok(None);
        };
        let retyped = retyped.flatten();
        Ok(Some(Self { name, retyped }))
    }

    /// The username.
    ///
    /// # Errors
    /// It was typed otherwise the second time.
    pub fn checked(self) -> Result<UserName, FieldErrors> {
        let Self { name, retyped } = self;
        if retyped.is_some_and(|typed| typed.into_inner() != name.as_str()) {
            let text = "The two username fields didn't match.";
            return Err(FieldErrors::one(NON_FIELD_ERRORS, FieldError::said(text)));
        }
        Ok(name)
    }
}

/// Errors of a username, of the field `new_username`.
pub fn as_new_username(errors: FieldErrors) -> FieldErrors {
    let mut renamed = FieldErrors::default();
    for (field, errors) in errors.iter() {
        let field = match field {
            "username" => "new_username",
            other => other,
        };
        renamed.add(field, errors.iter().cloned());
    }
    renamed
}

/// The required fields `uid` and `token`. As in djoser they must not be blank, but their outer spaces
/// belong to them.
pub fn required_link(fields: &mut Fields) -> Option<Link> {
    let [uid, token] = ["uid", "token"].map(|name| {
        fields.text::<AnyText>(name, Presence::Required)?;
        fields.untrimmed::<AnyText>(name, Presence::Required)
    });
    Some(Link {
        uid: uid?.into_inner(),
        token: token?.into_inner(),
    })
}

/// The same two where they are no fields: what is no text names nobody and proves nothing.
pub fn given_link(fields: &Fields) -> Link {
    let [uid, token] = ["uid", "token"].map(|name| fields.text_or_nothing(name));
    Link { uid, token }
}

/// The address that a mail is asked for.
///
/// # Errors
/// What is wrong with it.
pub fn addressee(mut fields: Fields) -> Result<EmailAddress, FieldErrors> {
    let email = fields.text("email", Presence::Required);
    email.ok_or_else(|| fields.into_errors())
}
