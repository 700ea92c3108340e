//! `GET` and `DELETE /api/auth/users/{id}/sessions/`: where a user is logged in, for administrators.

use axum::{Json, extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    http::{
        ApiError, SESSION, SessionDetail,
        can::{ChangeUser, ViewUser},
        describe::{Answer, Content, Operation, PathId},
        no_content,
    },
};

use crate::access::Managed;

pub static LIST: Operation = Operation {
    summary: "List the sessions of a user",
    notes: "The newest first. For callers who decide over the user.",
    id: PathId::Key(1002),
    answer: Answer::ok(Content::Many(&SESSION), "[]"),
    ..Operation::NEW
};

pub static END_ALL: Operation = Operation {
    summary: "End all sessions of a user",
    id: PathId::Key(1002),
    ..Operation::NEW
};

pub async fn list(
    Managed { caller, target }: Managed<ViewUser>,
    State(app): State<App>,
) -> Result<Json<Vec<SessionDetail>>, ApiError> {
    if !accounts::rights::decide_over(&app.store, caller.actor(), &target).await? {
        return Err(ApiError::PermissionDenied);
    }
    Ok(Json(
        SessionDetail::all_of(&app.store, &target, None).await?,
    ))
}

/// Ends all of them.
pub async fn end_all(
    Managed { caller, target }: Managed<ChangeUser>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::users::end_sessions(&app.store, caller.actor(), target, None).await?;
    Ok(no_content())
}
