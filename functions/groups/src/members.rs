//! `GET /api/auth/groups/{id}/users/`: the members of a group, in pages.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    http::{ApiError, can::ViewGroup, paging::Paging},
    store::pager::Filter,
};

use crate::detail::Managed;

pub async fn list(
    Managed { group, .. }: Managed<ViewGroup>,
    paging: Paging,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let filter = Filter {
        group: Some(group.id),
        ..Filter::default()
    };
    paging.answer(&filter, &app).await
}
