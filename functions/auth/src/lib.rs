//! Login and tokens: everything under `/api/auth/` that is no resource.

mod blacklist;
mod login;
mod refresh;
mod verify;

use axum::{Router, routing::post};
use shared::{
    app::App,
    http::{extract::Anyone, view},
};

/// The function's routes.
pub fn routes() -> Router<App> {
    let allow = "POST, OPTIONS";
    Router::new()
        .route(
            "/api/auth/login/",
            view::<Anyone>("Token Obtain Pair", allow, post(login::login)),
        )
        .route(
            "/api/auth/token/refresh/",
            view::<Anyone>("Token Refresh", allow, post(refresh::refresh)),
        )
        .route(
            "/api/auth/token/verify/",
            view::<Anyone>("Token Verify", allow, post(verify::verify)),
        )
        .route(
            "/api/auth/token/blacklist/",
            view::<Anyone>("Token Blacklist", allow, post(blacklist::blacklist)),
        )
}
