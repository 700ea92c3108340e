//! `POST /api/auth/users/activation/`: what the link of an activation's mail does.

use axum::{extract::State, response::Response};
use shared::{
    accounts::links,
    app::App,
    forms::required_link,
    http::{ApiError, JsonOrForm, OptionalCaller, extract::RequestClient, no_content},
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
