//! What the link of a mail does: `reset_password_confirm/` and `reset_username_confirm/`.

use axum::{extract::State, response::Response};
use shared::{
    accounts::links,
    app::App,
    forms::{NewPassword, NewUserName, given_link, required_link},
    http::{
        ApiError, JsonOrForm, OptionalCaller,
        describe::{Body, Field, Kind, Object, Operation, Refusal},
        extract::RequestClient,
        no_content,
    },
};

use crate::set_username::of_new_username;

pub static CONFIRM_PASSWORD: Operation = Operation {
    summary: "Set a new password by the link of a mail",
    notes: "Ends all sessions of the account, unless `LOGOUT_ON_PASSWORD_CHANGE` is off.",
    body: Some(Body {
        form: &Object {
            name: "PasswordResetConfirm",
            fields: &[
                UID,
                LINK_TOKEN,
                Field::new("new_password", Kind::Password),
                Field::new("re_new_password", Kind::Password)
                    .optional()
                    .about("Required with `PASSWORD_RESET_CONFIRM_RETYPE`."),
            ],
        },
        sample: r#"{"uid": "MTAwMg", "token": "diltup-00000000000000000000000000000000", "new_password": "sample-Other-phrase-2"}"#,
    }),
    refusals: &[Refusal::Conflict],
    ..Operation::NEW
};

pub static CONFIRM_USERNAME: Operation = Operation {
    summary: "Set a new username by the link of a mail",
    body: Some(Body {
        form: &Object {
            name: "UsernameResetConfirm",
            fields: &[
                Field::new("new_username", Kind::Limited(150)),
                UID,
                LINK_TOKEN,
                Field::new("re_new_username", Kind::Text)
                    .optional()
                    .about("Required with `USERNAME_RESET_CONFIRM_RETYPE`."),
            ],
        },
        sample: r#"{"uid": "MTAwMg", "token": "diltup-00000000000000000000000000000000", "new_username": "sample-anna"}"#,
    }),
    refusals: &[Refusal::Conflict],
    ..Operation::NEW
};

/// Whom a link is for.
pub const UID: Field = Field::new("uid", Kind::Text).about("Of the link.");
/// What a link proves.
pub const LINK_TOKEN: Field = Field::new("token", Kind::Text).about("Of the link.");

pub async fn confirm_password(
    _: OptionalCaller,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let retypes = app.settings.accounts.password_reset_confirm_retype;
    let mut fields = body.fields()?;
    let link = required_link(&mut fields);
    let new = NewPassword::read(&mut fields, retypes);
    let (Some(link), Some(new), false) = (link, new, fields.has_errors()) else {
        return Err(fields.into_errors().into());
    };
    let target = links::target(&app, &link).await?;
    let password = new.checked(target.as_ref())?;
    links::reset_password(&app, &link, &password, &client).await?;
    Ok(no_content())
}

pub async fn confirm_username(
    _: OptionalCaller,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let retypes = app.settings.accounts.username_reset_confirm_retype;
    let mut fields = body.fields()?;
    let link = given_link(&fields);
    let new = NewUserName::read(&app.store, &mut fields, retypes).await?;
    let Some(new) = new else {
        return Err(fields.into_errors().into());
    };
    let name = new.checked()?;
    links::reset_username(&app, &link, &name, &client)
        .await
        .map_err(of_new_username)?;
    Ok(no_content())
}
