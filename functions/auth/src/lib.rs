//! Logins, tokens and sessions, everything under `/api/auth/` that is no resource; and what others verify
//! tokens with, under `/.well-known/`.

mod discovery;
mod login;
mod logout;
mod refresh;
mod sessions;
mod userinfo;
mod verify;

use shared::http::{
    Caller, Routes,
    extract::Anyone,
    routes::{Access, View},
};

/// The function's routes. `jwt/…` are djoser's names of three of them.
pub fn routes() -> Routes {
    let refresh = Access::Anyone(&["refresh"]);
    let login = || {
        View::new("Token Obtain Pair")
            .post(Access::Anyone(&["username", "password"]), login::login)
            .described(&login::LOGIN)
    };
    let refresh_view = || {
        View::new("Token Refresh")
            .post(refresh, refresh::refresh)
            .described(&refresh::REFRESH)
    };
    let verify = || {
        View::new("Token Verify")
            .post(Access::Anyone(&["token"]), verify::verify)
            .described(&verify::VERIFY)
    };
    let blacklist = View::new("Token Blacklist");
    let anyone = Access::Anyone(&[]);
    Routes::new()
        .view::<Anyone>("/api/auth/login/", login())
        .view::<Anyone>("/api/auth/jwt/create/", login())
        .view::<Anyone>("/api/auth/token/refresh/", refresh_view())
        .view::<Anyone>("/api/auth/jwt/refresh/", refresh_view())
        .view::<Anyone>("/api/auth/token/verify/", verify())
        .view::<Anyone>("/api/auth/jwt/verify/", verify())
        .view::<Anyone>(
            "/api/auth/token/blacklist/",
            blacklist
                .post(refresh, logout::blacklist)
                .described(&logout::BLACKLIST),
        )
        .view::<Anyone>(
            "/api/auth/logout/",
            View::new("Logout")
                .post(refresh, logout::log_out)
                .described(&logout::LOG_OUT),
        )
        .view::<Caller>(
            "/api/auth/sessions/",
            View::new("Session List")
                .get(Access::User, sessions::list)
                .described(&sessions::LIST)
                .delete(Access::User, sessions::end_others)
                .described(&sessions::END_OTHERS),
        )
        .view::<Caller>(
            "/api/auth/sessions/{id}/",
            View::new("Session Instance")
                .delete(Access::User, sessions::end)
                .described(&sessions::END),
        )
        .view::<Anyone>(
            "/.well-known/openid-configuration/",
            View::new("OpenID Configuration")
                .get(anyone, discovery::configuration)
                .described(&discovery::CONFIGURATION),
        )
        .view::<Anyone>(
            "/.well-known/jwks.json/",
            View::new("JSON Web Key Set")
                .get(anyone, discovery::key_set)
                .described(&discovery::KEY_SET),
        )
        .view::<Caller>(
            "/api/auth/userinfo/",
            View::new("User Info")
                .get(Access::User, userinfo::userinfo)
                .described(&userinfo::USERINFO)
                .post(Access::User, userinfo::userinfo)
                .described(&userinfo::USERINFO),
        )
}
