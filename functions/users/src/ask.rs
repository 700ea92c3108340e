//! Asking for a mail with a link by an address: `reset_password/`, `reset_username/` and
//! `resend_activation/`.

use axum::{extract::State, response::Response};
use shared::{
    accounts::mails,
    app::App,
    forms::addressee,
    http::{
        ApiError, JsonOrForm, OptionalCaller,
        describe::{self, Body, Field, Object, Operation, Refusal},
        extract::RequestClient,
        no_content,
    },
    mail::Kind,
};

pub static FOR_PASSWORD: Operation = Operation {
    summary: "Ask for a mail with a link to a new password",
    ..FOR_USERNAME
};

pub const FOR_USERNAME: Operation = Operation {
    summary: "Ask for a mail with a link to a new username",
    notes: "The answer is the same for every address, unless a setting says otherwise; above the limits of mails too. A 404 where the service sends no such mails.",
    body: Some(Body {
        form: &Object {
            name: "SendEmailReset",
            fields: &[Field::new("email", describe::Kind::Email)],
        },
        sample: r#"{"email": "sample-ann@example.com"}"#,
    }),
    refusals: &[Refusal::NobodyByEmail, Refusal::NotFound],
    ..Operation::NEW
};

pub static FOR_ACTIVATION: Operation = Operation {
    summary: "Ask again for the mail that activates an account",
    notes: "The answer is the same for every address, above the limits of mails too. A 400 without a body where the service sends no such mails.",
    refusals: &[Refusal::NobodyByEmail, Refusal::NoSuchMail],
    ..FOR_USERNAME
};

pub async fn for_password(
    _: OptionalCaller,
    State(app): State<App>,
    client: RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    ask(&app, Kind::PasswordReset, client, body).await
}

pub async fn for_username(
    _: OptionalCaller,
    State(app): State<App>,
    client: RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    ask(&app, Kind::UsernameReset, client, body).await
}

pub async fn for_activation(
    _: OptionalCaller,
    State(app): State<App>,
    client: RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    ask(&app, Kind::Activation, client, body).await
}

async fn ask(
    app: &App,
    kind: Kind,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let settings = &app.settings.accounts;
    let links = settings.links.as_ref();
    // Where the service sends no such mail, there is no such action either.
    let exists = match kind {
        Kind::UsernameReset => links.is_some_and(|links| links.username_reset.is_some()),
        Kind::PasswordReset => links.is_some(),
        // djoser's has an answer of its own.
        _ => true,
    };
    if !exists {
        return Err(ApiError::NotFound);
    }
    let email = addressee(body.fields()?)?;
    let tells = settings.show_email_not_found;
    if tells && !mails::reaches_somebody(app, kind, &email).await? {
        return Err(ApiError::NobodyByEmail);
    }
    if kind == Kind::Activation && !settings.mails.activation {
        return Err(ApiError::NoSuchMail);
    }
    mails::ask(app, kind, email, &client).await?;
    Ok(no_content())
}
