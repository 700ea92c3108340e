//! What the link of a mail does: `reset_password_confirm/` and `reset_username_confirm/`.

use axum::{extract::State, response::Response};
use shared::{
    accounts::links,
    app::App,
    forms::{NewPassword, NewUserName, given_link, required_link},
    http::{ApiError, JsonOrForm, OptionalCaller, extract::RequestClient, no_content},
};

use crate::set_username::of_new_username;

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
