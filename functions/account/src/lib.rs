//! The pages that the links of mails lead to, for shops whose front end has none of its own: a new
//! password, and the activation of an account. Served with `ACCOUNT_PAGES`.

mod activate;
mod ask;
mod link;
mod page;
mod reset;

use axum::{middleware::from_fn, routing::any};
use shared::{
    http::{
        Routes,
        routes::{Access::Anyone, View},
    },
    web::guard::headers,
};

/// The function's routes.
pub fn routes() -> Routes {
    let page = || View::new("");
    let open = Anyone(&[]);
    Routes::new()
        .page(
            "/account/reset/",
            page()
                .get(open, ask::for_password)
                .post(open, ask::send_for_password),
        )
        .page("/account/reset/sent/", page().get(open, ask::password_sent))
        .page("/account/reset/done/", page().get(open, reset::done))
        .page(
            "/account/reset/{uid}/{token}/",
            page().get(open, reset::open).post(open, reset::set),
        )
        .page(
            "/account/activate/",
            page()
                .get(open, ask::for_activation)
                .post(open, ask::send_for_activation),
        )
        .page(
            "/account/activate/sent/",
            page().get(open, ask::activation_sent),
        )
        .page("/account/activate/done/", page().get(open, activate::done))
        .page(
            "/account/activate/{uid}/{token}/",
            page()
                .get(open, activate::open)
                .post(open, activate::activate),
        )
        .page(
            "/account/static/{file}/",
            page().get(open, page::stylesheet),
        )
        .map(|router| {
            router
                .method_not_allowed_fallback(page::method_not_allowed)
                .route("/account/{*path}", any(page::unknown_path))
                .layer(from_fn(headers))
        })
}
