//! `GET /api/auth/users/`: the users, in pages.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use shared::{
    app::App,
    error::ApiError,
    http::{Admin, Profile, paging::Paging},
};

pub async fn list(_: Admin, paging: Paging, State(app): State<App>) -> Result<Response, ApiError> {
    let page = app
        .store
        .user_page(&paging.search, paging.cursor.clone(), paging.size)
        .await?;
    let mut response = Json(Profile::of_all(&page.users, &app.store).await?).into_response();
    if let Some(next) = &page.next {
        response
            .headers_mut()
            .insert(header::LINK, paging.link(next));
    }
    Ok(response)
}
