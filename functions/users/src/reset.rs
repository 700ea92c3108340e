//! `reset_password/` and `reset_username/`: a mail with a link for who has forgotten the one or the
//! other. `reset_password_confirm/` and `reset_username_confirm/`: what the link does.

use axum::{extract::State, response::Response};
use shared::{
    accounts::{links, mails},
    app::App,
    forms::{NewPassword, NewUserName, addressee, given_link, required_link},
    http::{ApiError, JsonOrForm, OptionalCaller, extract::RequestClient, no_content},
    mail::Kind,
    telemetry::{Event, note_event},
};

use crate::set_username::of_new_username;

pub async fn ask_for_password(
    _: OptionalCaller,
    State(app): State<App>,
    client: RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let is_sent = app.settings.accounts.links.is_some();
    ask(&app, Kind::PasswordReset, is_sent, client, body).await
}

pub async fn ask_for_username(
    _: OptionalCaller,
    State(app): State<App>,
    client: RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let links = app.settings.accounts.links.as_ref();
    let is_sent = links.is_some_and(|links| links.username_reset.is_some());
    ask(&app, Kind::UsernameReset, is_sent, client, body).await
}

/// Where the service sends no such mail, there is no such action either.
async fn ask(
    app: &App,
    kind: Kind,
    is_sent: bool,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let email = addressee(body.fields()?)?;
    if !is_sent {
        return Err(ApiError::NotFound);
    }
    let tells = app.settings.accounts.show_email_not_found;
    if tells && !mails::reaches_somebody(app, kind, &email).await? {
        return Err(ApiError::NobodyByEmail);
    }
    mails::ask(app, kind, email, &client).await?;
    note_event(Event::MailAsked);
    Ok(no_content())
}

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
