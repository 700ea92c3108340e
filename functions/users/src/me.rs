//! `DELETE /api/auth/users/me/`: one's own account, by the password. Reading and changing it is as at
//! `users/{id}/`.

use axum::{extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    domain::Actor,
    http::{
        ApiError, Caller, JsonOrForm,
        describe::{Body, Field, Kind, Object, Operation, Refusal},
        extract::RequestClient,
        no_content,
    },
};

use crate::current_password;

pub static DESTROY: Operation = Operation {
    summary: "Delete one's own account",
    notes: "A wrong password counts as a failed login.",
    body: Some(Body {
        form: &Object {
            name: "UserDelete",
            fields: &[Field::new("current_password", Kind::Password)],
        },
        sample: r#"{"current_password": "sample-Pass-phrase-1"}"#,
    }),
    refusals: &[Refusal::LastSuperuser, Refusal::Throttled],
    ..Operation::NEW
};

pub async fn destroy(
    Caller(caller): Caller,
    State(app): State<App>,
    RequestClient(client): RequestClient,
    body: JsonOrForm,
) -> Result<Response, ApiError> {
    let mut fields = body.fields()?;
    current_password::check(&app, &caller, &client, &mut fields).await?;
    if fields.has_errors() {
        return Err(fields.into_errors().into());
    }
    let actor = Actor::User(&caller);
    accounts::users::delete(&app.store, actor, caller.clone()).await?;
    Ok(no_content())
}
