//! `GET /api/auth/users/`: the users, in pages.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    http::{
        ApiError, PROFILE,
        can::ViewUser,
        describe::{Answer, Content, Operation, Refusal},
        paging::{PAGING, Paging},
    },
    store::pager::{Filter, Search},
};

use crate::access::Seen;

pub static LIST: Operation = Operation {
    summary: "List users",
    notes: "In order of username without regard to case, in pages.",
    query: &PAGING,
    answer: Answer::ok(
        Content::Page(&PROFILE),
        r#"[{"id": 1001, "username": "sample-admin", "email": "sample-admin@example.com", "first_name": "Admin", "last_name": "Sample", "groups": []}, {"id": 1002, "username": "sample-ann", "email": "sample-ann@example.com", "first_name": "Ann", "last_name": "Sample", "groups": [{"id": 1001, "name": "Sample editors"}]}]"#,
    ),
    refusals: &[Refusal::NoSuchPage],
    ..Operation::NEW
};

pub async fn list(
    _: Seen<ViewUser>,
    paging: Paging,
    State(app): State<App>,
) -> Result<Response, ApiError> {
    let filter = Filter {
        search: Search::beginning(&paging.search),
        ..Filter::default()
    };
    paging.answer(&filter, &app).await
}
