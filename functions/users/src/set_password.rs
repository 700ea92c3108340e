//! `POST /api/auth/users/set_password/`: a new password for the caller, by the present one.

use axum::{extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    domain::Actor,
    forms::NewPassword,
    http::{
        ApiError, JsonOrForm,
        describe::{Body, Field, Kind, Object, Operation, Refusal},
        extract::{CallerSession, RequestClient},
        no_content,
    },
};

use crate::current_password;

pub static SET_PASSWORD: Operation = Operation {
    summary: "Set a new password",
    notes: "Ends all sessions but that of the request, unless `LOGOUT_ON_PASSWORD_CHANGE` is off. A wrong password counts as a failed login.",
    body: Some(Body {
        form: &Object {
            name: "SetPassword",
            fields: &[
                Field::new("current_password", Kind::Password),
                Field::new("new_password", Kind::Password),
                Field::new("re_new_password", Kind::Password)
                    .optional()
                    .about("Required with `SET_PASSWORD_RETYPE`."),
            ],
        },
        sample: r#"{"current_password": "sample-Pass-phrase-1", "new_password": "sample-Other-phrase-2"}"#,
    }),
    refusals: &[Refusal::Throttled],
    ..Operation::NEW
};

pub async fn set_password(
    CallerSession(caller, sid): CallerSession,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let settings = &app.settings.accounts;
    let mut fields = body.fields()?;
    let new = NewPassword::read(&mut fields, settings.set_password_retype);
    current_password::check(&app, &caller, &client, &mut fields).await?;
    let (Some(new), false) = (new, fields.has_errors()) else {
        return Err(fields.into_errors().into());
    };
    let password = new.checked(Some(&caller))?;
    let ends = accounts::users::ended_by_password(settings, sid.as_deref());
    let (actor, client) = (Actor::User(&caller), Some(&client));
    let (store, hasher) = (&app.store, &app.hasher);
    accounts::users::replace_password(store, hasher, actor, &caller, &password, ends, client)
        .await?;
    Ok(no_content())
}
