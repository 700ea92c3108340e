//! `GET /api/auth/users/`: the users, in pages.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    http::{ApiError, can::ViewUser, paging::Paging},
    store::pager::Filter,
};

use crate::access::Seen;

pub async fn list(
    _: Seen<ViewUser>,
    paging: Paging,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let filter = Filter {
        search: paging.search.clone(),
        ..Filter::default()
    };
    paging.answer(&filter, &app).await
}
