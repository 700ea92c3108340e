//! `GET /api/auth/groups/{id}/users/`: the members of a group, in pages.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    http::{
        ApiError, Profile,
        can::ViewGroup,
        paging::{Paging, paged},
    },
    store::listing::MemberCursor,
};

use crate::detail::Managed;

pub async fn list(
    Managed { group, .. }: Managed<ViewGroup>,
    paging: Paging,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let cursor = paging.cursor(MemberCursor::parse)?;
    let (members, next) = app.store.member_page(group.id, cursor, paging.size).await?;
    let profiles = Profile::of_all(&members, &app.store).await?;
    Ok(paged(profiles, &paging, next.map(MemberCursor::to_text)))
}
