//! The forms of users: what a registration and a change of a profile take.

use crate::{
    app::App,
    domain::{
        EmailAddress, PersonName, User, UserId, UserName,
        names::AnyText,
        password::{PersonalAttributes, validate},
    },
    error::{ApiError, FieldErrors},
    hashing::Password,
    input::{Fields, Presence},
    store::{Refusal, users::NewUser},
};

/// A registration that breaks no rule but, perhaps, that of unique names.
pub struct Registration {
    /// The user to be made.
    pub user: NewUser,
    /// His password.
    pub password: Password,
}

impl Registration {
    /// Reads and checks a body. Field errors hide those of passwords, and a mismatch hides a weak
    /// password, as in DRF.
    pub async fn read(app: &App, mut fields: Fields) -> Result<Self, ApiError> {
        let username = fields.text::<UserName>("username", Presence::Required);
        let email = fields.text::<EmailAddress>("email", Presence::Required);
        let password = fields.text::<AnyText>("password", Presence::Required);
        let password2 = fields.text::<AnyText>("password2", Presence::Required);
        let first_name = fields.text::<PersonName>("first_name", Presence::Optional);
        let last_name = fields.text::<PersonName>("last_name", Presence::Optional);
        let (Some(username), Some(email), Some(password), Some(password2), false) =
            (&username, &email, password, password2, fields.has_errors())
        else {
            return Err(
                with_taken(app, fields, username.as_ref(), email.as_ref(), None)
                    .await?
                    .into(),
            );
        };
        let user = NewUser {
            username: username.clone(),
            email: email.with_lower_domain(),
            first_name: first_name.unwrap_or_default(),
            last_name: last_name.unwrap_or_default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            date_joined: app.clock.now(),
        };
        let (password, password2) = (password.into_inner(), password2.into_inner());
        let errors = password_errors("password", &password, &password2, &user.attributes());
        if !errors.is_empty() {
            // A taken name is a field error, and the transaction that would tell is not tried.
            let field_errors = with_taken(app, fields, Some(username), Some(email), None).await?;
            return Err(if field_errors.is_empty() {
                errors
            } else {
                field_errors
            }
            .into());
        }
        Ok(Self {
            user,
            password: Password::new(password),
        })
    }
}

/// What an admin gives to make a user, as in the first of the two steps of Django's admin.
pub struct NewAccount {
    /// The user to be made.
    pub user: NewUser,
    /// His password.
    pub password: Password,
}

impl NewAccount {
    /// Reads and checks a form. All errors appear together.
    pub async fn read(app: &App, mut fields: Fields) -> Result<Self, ApiError> {
        let username = fields.text::<UserName>("username", Presence::Required);
        let attributes = PersonalAttributes {
            username: username.as_ref().map_or("", UserName::as_str),
            ..PersonalAttributes::default()
        };
        let password = NewPassword::read(&mut fields, &attributes);
        let (Some(username), Some(password)) = (&username, password) else {
            let errors = with_taken(app, fields, username.as_ref(), None, None).await?;
            return Err(errors.into());
        };
        let user = NewUser {
            username: username.clone(),
            email: EmailAddress::default(),
            first_name: PersonName::default(),
            last_name: PersonName::default(),
            is_active: true,
            is_staff: false,
            is_superuser: false,
            date_joined: app.clock.now(),
        };
        Ok(Self { user, password })
    }
}

/// A password that is given twice, in Django's fields `password1` and `password2`.
pub struct NewPassword;

impl NewPassword {
    /// Reads and checks the two fields for somebody of whom this is known.
    pub fn read(fields: &mut Fields, attributes: &PersonalAttributes<'_>) -> Option<Password> {
        let password1 = fields.text::<AnyText>("password1", Presence::Required);
        let password2 = fields.text::<AnyText>("password2", Presence::Required);
        let (password1, password2) = (password1?.into_inner(), password2?.into_inner());
        let errors = password_errors("password2", &password1, &password2, attributes);
        for (field, texts) in errors.iter() {
            for text in texts {
                fields.error(field, text.as_str());
            }
        }
        errors.is_empty().then(|| Password::new(password1))
    }
}

fn password_errors(
    field: &'static str,
    password: &str,
    password2: &str,
    attributes: &PersonalAttributes<'_>,
) -> FieldErrors {
    if password != password2 {
        return FieldErrors::one(field, "Password fields didn't match.");
    }
    let mut errors = FieldErrors::default();
    let texts = validate(password, attributes);
    if !texts.is_empty() {
        errors.add(field, texts.into_iter().map(str::to_owned));
    }
    errors
}

/// What a PUT or PATCH changes: what was given and the caller may set.
pub struct ProfileInput {
    username: Option<UserName>,
    email: Option<EmailAddress>,
    first_name: Option<PersonName>,
    last_name: Option<PersonName>,
    is_active: Option<bool>,
    is_staff: Option<bool>,
    is_superuser: Option<bool>,
}

impl ProfileInput {
    /// Reads and checks a body; flags that the caller may not set are ignored unread.
    pub async fn read(
        app: &App,
        mut fields: Fields,
        caller: &User,
        target: &User,
    ) -> Result<Self, ApiError> {
        let email = fields.text("email", Presence::Required);
        Self::with_email(email, app, fields, caller, target).await
    }

    /// As [`ProfileInput::read`] for the admin pages, where an account need have no address.
    pub async fn read_in_admin(
        app: &App,
        mut fields: Fields,
        caller: &User,
        target: &User,
    ) -> Result<Self, ApiError> {
        let email = if fields.is_blank("email") {
            Some(EmailAddress::default())
        } else {
            fields.text("email", Presence::Required)
        };
        Self::with_email(email, app, fields, caller, target).await
    }

    async fn with_email(
        email: Option<EmailAddress>,
        app: &App,
        mut fields: Fields,
        caller: &User,
        target: &User,
    ) -> Result<Self, ApiError> {
        let input = Self {
            username: fields.text("username", Presence::Required),
            email,
            first_name: fields.text("first_name", Presence::Optional),
            last_name: fields.text("last_name", Presence::Optional),
            is_active: (caller.is_staff || caller.is_superuser)
                .then(|| fields.flag("is_active"))
                .flatten(),
            is_staff: caller
                .is_superuser
                .then(|| fields.flag("is_staff"))
                .flatten(),
            is_superuser: caller
                .is_superuser
                .then(|| fields.flag("is_superuser"))
                .flatten(),
        };
        if fields.has_errors() {
            let (username, email) = (input.username.as_ref(), input.email.as_ref());
            return Err(with_taken(app, fields, username, email, Some(target.id))
                .await?
                .into());
        }
        Ok(input)
    }

    /// Whether it changes what an account is: its names, or whether it is active.
    pub fn changes_account(&self, user: &User) -> bool {
        let after = self.apply(user);
        after.username != user.username
            || after.email != user.email
            || after.is_active != user.is_active
    }

    /// Whether its names are free for a user.
    ///
    /// # Errors
    /// The field errors of those that are not, or the table's failure.
    pub async fn taken(&self, app: &App, user: UserId) -> Result<(), ApiError> {
        let names = (self.username.as_ref(), self.email.as_ref());
        let errors = add_taken(app, FieldErrors::default(), names.0, names.1, Some(user)).await?;
        errors.into_result()
    }

    /// The user with the changes.
    pub fn apply(&self, user: &User) -> User {
        let Self {
            username,
            email,
            first_name,
            last_name,
            is_active,
            is_staff,
            is_superuser,
        } = self;
        let mut user = user.clone();
        user.username = username.clone().unwrap_or(user.username);
        user.email = email.clone().unwrap_or(user.email);
        user.first_name = first_name.clone().unwrap_or(user.first_name);
        user.last_name = last_name.clone().unwrap_or(user.last_name);
        user.is_active = is_active.unwrap_or(user.is_active);
        user.is_staff = is_staff.unwrap_or(user.is_staff);
        user.is_superuser = is_superuser.unwrap_or(user.is_superuser);
        user
    }
}

/// The field errors, with those of taken names: where a transaction will not be tried, they are
/// looked up, so that all errors appear together.
async fn with_taken(
    app: &App,
    fields: Fields,
    username: Option<&UserName>,
    email: Option<&EmailAddress>,
    but: Option<UserId>,
) -> Result<FieldErrors, ApiError> {
    add_taken(app, fields.into_errors(), username, email, but).await
}

async fn add_taken(
    app: &App,
    mut errors: FieldErrors,
    username: Option<&UserName>,
    email: Option<&EmailAddress>,
    but: Option<UserId>,
) -> Result<FieldErrors, ApiError> {
    if username.is_some() || email.is_some() {
        let (username_taken, email_taken) = app.store.taken(username, email, but).await?;
        if username_taken {
            errors.add_refusal(Refusal::UserNameTaken);
        }
        if email_taken {
            errors.add_refusal(Refusal::EmailTaken);
        }
    }
    Ok(errors.in_order(&["username", "email"]))
}
