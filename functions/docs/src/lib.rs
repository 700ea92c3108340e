//! The OpenAPI document of the API, and Swagger UI to read it with. Reads no table and knows no key: it
//! serves what `manage openapi` wrote.

mod compressed;
mod schema;
mod swagger_ui;

use axum::{
    http::{HeaderValue, Method},
    middleware::from_fn,
};
use shared::{
    http::{
        ApiError, Routes,
        extract::Anyone,
        routes::{Access, View},
    },
    web::guard::headers_with_fetch,
};

/// The function's routes.
pub fn routes() -> Routes {
    let open = Access::Anyone(&[]);
    let pages = Routes::new()
        .page(
            "/api/schema/swagger-ui/",
            View::new("").get(open, swagger_ui::page),
        )
        .page(
            "/api/schema/swagger-ui/{file}/",
            View::new("").get(open, swagger_ui::file),
        )
        .map(|router| {
            router
                .method_not_allowed_fallback(method_not_allowed)
                .layer(from_fn(headers_with_fetch))
        });
    Routes::new()
        .view::<Anyone>(
            "/api/schema/",
            View::new("Spectacular API")
                .get(open, schema::retrieve)
                .described(&schema::RETRIEVE),
        )
        .merge(pages)
}

async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::MethodNotAllowed(method, HeaderValue::from_static("GET, HEAD"))
}
