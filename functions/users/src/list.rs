//! `GET /api/auth/users/`: the users, in pages.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    http::{
        ApiError, Can, Profile,
        can::ViewUser,
        paging::{Paging, paged},
    },
    store::listing::Cursor,
};

pub async fn list(
    _: Can<ViewUser>,
    paging: Paging,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let cursor = paging.cursor(|text| Cursor::parse(text, &paging.search))?;
    let page = app
        .store
        .user_page(&paging.search, cursor, paging.size)
        .await?;
    let profiles = Profile::of_all(&page.users, &app.store).await?;
    Ok(paged(
        profiles,
        &paging,
        page.next.map(|next| next.to_text()),
    ))
}
