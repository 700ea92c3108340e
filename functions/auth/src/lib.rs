//! Login and tokens: everything under `/api/auth/` that is no resource.

mod blacklist;
mod login;
mod refresh;
mod verify;

use shared::http::{
    Routes,
    extract::Anyone,
    routes::{Access, View},
};

/// The function's routes.
pub fn routes() -> Routes {
    let refresh = Access::Anyone(&["refresh"]);
    Routes::new()
        .view::<Anyone>(
            "/api/auth/login/",
            View::new("Token Obtain Pair")
                .post(Access::Anyone(&["username", "password"]), login::login),
        )
        .view::<Anyone>(
            "/api/auth/token/refresh/",
            View::new("Token Refresh").post(refresh, refresh::refresh),
        )
        .view::<Anyone>(
            "/api/auth/token/verify/",
            View::new("Token Verify").post(Access::Anyone(&["token"]), verify::verify),
        )
        .view::<Anyone>(
            "/api/auth/token/blacklist/",
            View::new("Token Blacklist").post(refresh, blacklist::blacklist),
        )
}
