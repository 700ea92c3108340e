//! `GET` and `DELETE /api/auth/users/{id}/sessions/`: where a user is logged in, for administrators.

use axum::{extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    http::{
        ApiError, SESSION, SessionDetail,
        can::{ChangeUser, ViewUser},
        describe::{Answer, Content, Operation, PathId, Refusal},
        no_content,
        paging::{CURSOR, Cursor},
    },
};

use crate::access::Managed;

pub static LIST: Operation = Operation {
    summary: "List the sessions of a user",
    notes: "In pages of up to 1,000, each with the newest first. For callers who decide over the user.",
    id: PathId::Key(1002),
    query: &CURSOR,
    answer: Answer::ok(Content::Page(&SESSION), "[]"),
    refusals: &[Refusal::NoSuchPage],
    ..Operation::NEW
};

pub static END_ALL: Operation = Operation {
    summary: "End all sessions of a user",
    id: PathId::Key(1002),
    ..Operation::NEW
};

pub async fn list(
    Managed { caller, target }: Managed<ViewUser>,
    cursor: Cursor,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    if !accounts::rights::decide_over(&app.store, caller.actor(), &target).await? {
        return Err(ApiError::PermissionDenied);
    }
    SessionDetail::page(&app.store, &target, None, &cursor).await
}

/// Ends all of them.
pub async fn end_all(
    Managed { caller, target }: Managed<ChangeUser>,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::users::end_sessions(&app.store, caller.actor(), target, None).await?;
    Ok(no_content())
}
