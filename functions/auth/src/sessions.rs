//! `GET`, `DELETE /api/auth/sessions/` and `DELETE /api/auth/sessions/{id}/`: where the caller is
//! logged in.

use axum::{extract::State, response::Response};
use shared::{
    accounts,
    app::App,
    domain::Actor,
    http::{
        ApiError, SESSION, SessionDetail,
        describe::{Answer, Content, Operation, PathId, Refusal},
        extract::{CallerSession, PathSegment},
        no_content,
        paging::{CURSOR, Cursor},
    },
};

pub static LIST: Operation = Operation {
    summary: "List one's own sessions",
    notes: "In pages of up to 1,000, each with the newest first.",
    query: &CURSOR,
    answer: Answer::ok(Content::Page(&SESSION), "[]"),
    refusals: &[Refusal::NoSuchPage],
    ..Operation::NEW
};

pub async fn list(
    CallerSession(user, sid): CallerSession,
    cursor: Cursor,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    SessionDetail::page(&app.store, &user, sid.as_deref(), &cursor).await
}

pub static END_OTHERS: Operation = Operation {
    summary: "End all of one's own sessions but that of the request",
    ..Operation::NEW
};

/// Ends all but the one of this request.
pub async fn end_others(
    CallerSession(user, sid): CallerSession,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let actor = Actor::User(&user);
    accounts::users::end_sessions(&app.store, actor, user.clone(), sid.as_deref()).await?;
    Ok(no_content())
}

pub static END: Operation = Operation {
    summary: "End one of one's own sessions",
    id: PathId::Text("1"),
    ..Operation::NEW
};

pub async fn end(
    CallerSession(user, _): CallerSession,
    PathSegment(sid): PathSegment,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    accounts::users::end_session(&app.store, Actor::User(&user), &user, &sid).await?;
    Ok(no_content())
}
