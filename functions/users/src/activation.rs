//! `POST /api/auth/users/activation/`: what the link of an activation's mail does.

use axum::{extract::State, response::Response};
use shared::{
    accounts::links,
    app::App,
    forms::required_link,
    http::{
        ApiError, JsonOrForm, OptionalCaller,
        describe::{Body, Object, Operation, Refusal},
        extract::RequestClient,
        no_content,
    },
};

use crate::reset::{LINK_TOKEN, UID};

pub static ACTIVATE: Operation = Operation {
    summary: "Activate an account, or confirm its new address, by the link of a mail",
    body: Some(Body {
        form: &Object {
            name: "Activation",
            fields: &[UID, LINK_TOKEN],
        },
        sample: r#"{"uid": "MTAwMg", "token": "diltup-00000000000000000000000000000000"}"#,
    }),
    refusals: &[Refusal::StaleLink, Refusal::Conflict],
    ..Operation::NEW
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
