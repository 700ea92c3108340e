//! `POST /api/auth/users/activation/`: what the link of an activation's mail does, and
//! `resend_activation/`: the mail again.

use axum::{extract::State, response::Response};
use shared::{
    accounts::{links, mails},
    app::App,
    forms::{addressee, required_link},
    http::{ApiError, JsonOrForm, OptionalCaller, extract::RequestClient, no_content},
    mail::Kind,
    telemetry::{Event, note_event},
};

pub async fn activate(
    _: OptionalCaller,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let mut fields = body.fields()?;
    let Some(link) = required_link(&mut fields) else {
        return Err(fields.into_errors().into());
    };
    links::activate(&app, &link, &client).await?;
    Ok(no_content())
}

pub async fn resend(
    _: OptionalCaller,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let email = addressee(body.fields()?)?;
    let (settings, kind) = (&app.settings.accounts, Kind::Activation);
    if settings.show_email_not_found && !mails::reaches_somebody(&app, kind, &email).await? {
        return Err(ApiError::NobodyByEmail);
    }
    if !settings.mails.activation {
        return Err(ApiError::NoSuchMail);
    }
    mails::ask(&app, kind, email, &client).await?;
    note_event(Event::MailAsked);
    Ok(no_content())
}
