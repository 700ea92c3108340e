//! The forms of users: what a registration and a change of a profile take.

use super::FormError;
use crate::{
    domain::{
        EmailAddress, FieldError, NewUser, PersonName, User, UserChange, UserId, UserName,
        names::AnyText,
        password::{PersonalAttributes, validate},
    },
    hashing::Password,
    input::{FieldErrors, Fields, Presence},
    store::Store,
};

/// An account to be made that breaks no rule but, perhaps, that of unique names.
pub struct NewAccount {
    /// The user.
    pub user: NewUser,
    /// Their password.
    pub password: Password,
}

impl NewAccount {
    /// Reads a registration, whose password is to be typed twice if it `retypes`. Field errors hide those
    /// of passwords, and a mismatch hides a weak password, as in DRF.
    ///
    /// # Errors
    /// The field errors, with those of taken names, or the table's failure.
    pub async fn registration(
        store: &Store,
        mut fields: Fields,
        retypes: bool,
    ) -> Result<Self, FormError> {
        let username = fields.text::<UserName>("username", Presence::Required);
        let email = fields.text::<EmailAddress>("email", Presence::Required);
        let password = fields.text::<AnyText>("password", Presence::Required);
        let password2 = match retypes {
            true => fields.text::<AnyText>("password2", Presence::Required),
            false => None,
        };
        let first_name = fields.text::<PersonName>("first_name", Presence::Optional);
        let last_name = fields.text::<PersonName>("last_name", Presence::Optional);
        let (Some(name), Some(email), Some(password), false) =
            (&username, &email, password, fields.has_errors())
        else {
            return Err(with_taken(store, fields, username, email, None).await);
        };
        let user = NewUser {
            email: email.with_lower_domain(),
            first_name: first_name.unwrap_or_default(),
            last_name: last_name.unwrap_or_default(),
            ..NewUser::named(name.clone(), store.now())
        };
        let attributes = user.attributes();
        let checked = checked("password", password, password2.as_ref(), &attributes);
        match checked {
            Ok(password) => Ok(Self { user, password }),
            Err(errors) => {
                // A taken name is a field error, and the transaction that would tell is not tried.
                let taken = store
                    .names_taken(username, Some(email.clone()), None)
                    .await?;
                Err(if taken.is_empty() { errors } else { taken }.into())
            }
        }
    }

    /// Reads what an admin gives in the first of the two steps of Django's admin. All errors
    /// appear together, and the username is unique without regard to case (`UserCreationForm`).
    ///
    /// # Errors
    /// As [`NewAccount::registration`].
    pub async fn in_admin(store: &Store, mut fields: Fields) -> Result<Self, FormError> {
        let username = fields.text::<UserName>("username", Presence::Required);
        let attributes = PersonalAttributes {
            username: username.as_ref().map_or("", UserName::as_str),
            ..PersonalAttributes::default()
        };
        let password = new_password(&mut fields, &attributes);
        if let Some(name) = &username {
            fields.errors(store.username_taken_in_any_case(name).await?);
        }
        match (username, password, fields.has_errors()) {
            (Some(name), Some(password), false) => Ok(Self {
                user: NewUser::named(name, store.now()),
                password,
            }),
            _ => Err(fields.into_errors().in_order(&["username"]).into()),
        }
    }
}

const PASSWORD_OF_INVITED: &str = "Leave this empty: who is invited chooses the password.";

/// An account that is invited, without a password: a username and the address that the invitation goes
/// to. The username is unique without regard to case, as in [`NewAccount::in_admin`].
///
/// # Errors
/// As [`NewAccount::registration`].
pub async fn invited(store: &Store, mut fields: Fields) -> Result<NewUser, FormError> {
    let username = fields.text::<UserName>("username", Presence::Required);
    let email = fields.text::<EmailAddress>("email", Presence::Required);
    for name in ["password1", "password2"] {
        // One that is typed here would be nobody's.
        if !fields.text_or_nothing(name).is_empty() {
            fields.error(name, FieldError::said(PASSWORD_OF_INVITED));
        }
    }
    if let Some(name) = &username {
        fields.errors(store.username_taken_in_any_case(name).await?);
    }
    let taken = store.names_taken(None, email.clone(), None).await?;
    fields.errors(taken);
    match (username, email, fields.has_errors()) {
        (Some(name), Some(email), false) => Ok(NewUser {
            email: email.with_lower_domain(),
            ..NewUser::named(name, store.now())
        }),
        _ => Err(fields.into_errors().in_order(&["username", "email"]).into()),
    }
}

/// A password that is given twice, in Django's fields `password1` and `password2`, for a user with
/// these attributes. Its outer spaces belong to it.
pub fn new_password(fields: &mut Fields, attributes: &PersonalAttributes<'_>) -> Option<Password> {
    let password1 = fields.untrimmed::<AnyText>("password1", Presence::Required);
    let password2 = fields.untrimmed::<AnyText>("password2", Presence::Required);
    match checked("password2", password1?, Some(&password2?), attributes) {
        Ok(password) => Some(password),
        Err(errors) => {
            fields.errors(errors);
            None
        }
    }
}

fn checked(
    field: &'static str,
    password: AnyText,
    password2: Option<&AnyText>,
    attributes: &PersonalAttributes<'_>,
) -> Result<Password, FieldErrors> {
    if password2.is_some_and(|again| password != *again) {
        return Err(FieldErrors::one(field, FieldError::PasswordMismatch));
    }
    strong(field, password, attributes)
}

/// A password that Django's validators take.
pub(super) fn strong(
    field: &'static str,
    password: AnyText,
    attributes: &PersonalAttributes<'_>,
) -> Result<Password, FieldErrors> {
    let password = password.into_inner();
    let mut errors = FieldErrors::default();
    let texts = validate(&password, attributes);
    if !texts.is_empty() {
        errors.add(field, texts.into_iter().map(FieldError::said));
    }
    errors.into_result()?;
    Ok(Password::new(password))
}

/// What a PUT or PATCH of a profile changes: what was given and the caller may set. Flags that the
/// caller may not set are ignored unread. An account without an address is for the admin pages
/// only, where `email` is optional.
///
/// # Errors
/// The field errors, with those of taken names, or the table's failure.
pub async fn profile_change(
    store: &Store,
    mut fields: Fields,
    caller: &User,
    target: &User,
    email: Presence,
) -> Result<UserChange, FormError> {
    let address = if email == Presence::Optional && fields.is_blank("email") {
        Some(EmailAddress::default())
    } else {
        fields.text("email", Presence::Required)
    };
    let (username, first_name, last_name) = (
        fields.text("username", Presence::Required),
        fields.text("first_name", Presence::Optional),
        fields.text("last_name", Presence::Optional),
    );
    let mut flag = |name, may_set: bool| if may_set { fields.flag(name) } else { None };
    let change = UserChange {
        username,
        email: address,
        first_name,
        last_name,
        is_active: flag("is_active", caller.is_staff || caller.is_superuser),
        is_staff: flag("is_staff", caller.is_superuser),
        is_superuser: flag("is_superuser", caller.is_superuser),
        ..UserChange::default()
    };
    if fields.has_errors() {
        let (username, email) = (change.username, change.email);
        return Err(with_taken(store, fields, username, email, Some(target.id)).await);
    }
    Ok(change)
}

/// The field errors, with those of taken names: where a transaction will not be tried, they are
/// looked up, so that all errors appear together.
async fn with_taken(
    store: &Store,
    fields: Fields,
    username: Option<UserName>,
    email: Option<EmailAddress>,
    but: Option<UserId>,
) -> FormError {
    let mut errors = fields.into_errors();
    match store.names_taken(username, email, but).await {
        Ok(taken) => errors.extend(taken),
        Err(error) => return error.into(),
    }
    errors.in_order(&["username", "email"]).into()
}
