//! `GET /api/auth/groups/{id}/users/`: the members of a group, in pages.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    http::{
        ApiError, PROFILE,
        can::ViewGroup,
        describe::{Answer, Content, Operation, PathId, Refusal},
        paging::{PAGING, Paging},
    },
    store::pager::Filter,
};

use crate::detail::Managed;

pub static LIST: Operation = Operation {
    summary: "List the members of a group",
    notes: "In order of id, in pages.",
    id: PathId::Key(1001),
    query: &PAGING,
    answer: Answer::ok(
        Content::Page(&PROFILE),
        r#"[{"id": 1002, "username": "sample-ann", "email": "sample-ann@example.com", "first_name": "Ann", "last_name": "Sample", "groups": [{"id": 1001, "name": "Sample editors"}]}]"#,
    ),
    refusals: &[Refusal::NoSuchPage],
    ..Operation::NEW
};

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
