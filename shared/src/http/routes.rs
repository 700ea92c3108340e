//! The table of a function's routes. It makes the router, `Allow` and OPTIONS; the smoke test, the
//! tests of access and the OpenAPI document read it.

use std::any::TypeId;

use axum::{
    Json, Router,
    extract::FromRequestParts,
    handler::Handler,
    http::{HeaderValue, Method, header},
    routing::{MethodFilter, MethodRouter, on},
};
use serde_json::json;

use super::{ApiError, describe::Operation, extract::Anyone};
use crate::app::App;

/// Who may use a method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone. An empty body lacks these fields.
    Anyone(&'static [&'static str]),
    /// Any user.
    User,
    /// Admins, and users who hold the label.
    Admin(&'static str),
    /// The user in the path, admins, and users who hold the label.
    Own(&'static str),
    /// Staff who are logged in to the admin pages.
    Staff,
}

/// One path.
#[derive(Clone, Debug)]
pub struct Route {
    /// As axum writes it, with a slash at the end.
    pub path: &'static str,
    /// The methods, but for HEAD and OPTIONS.
    pub methods: Vec<(Method, Access)>,
    /// What each of the methods takes and answers, in the same order; none for pages.
    pub operations: Vec<Option<&'static Operation>>,
    /// What it is.
    pub kind: RouteKind,
    /// Whether the path without its last slash is a redirect, as in Django; the others are served.
    pub redirects: bool,
}

/// What a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// A page for people.
    Page,
    /// A part of the API that reads no `Authorization` header.
    Open,
    /// A part of the API that looks at the header even where it needs none.
    Authenticating,
}

/// The routes of a function.
#[derive(Default)]
pub struct Routes {
    table: Vec<Route>,
    router: Router<App>,
}

/// The methods of one path.
pub struct View {
    name: &'static str,
    methods: Vec<(Method, Access)>,
    operations: Vec<Option<&'static Operation>>,
    router: MethodRouter<App>,
    redirects: bool,
}

impl View {
    /// A view without methods, by DRF's name of it, which OPTIONS shows.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            methods: Vec::new(),
            operations: Vec::new(),
            router: MethodRouter::new(),
            redirects: false,
        }
    }

    /// With a redirect to it where the path lacks its last slash.
    #[must_use]
    pub fn redirecting(mut self) -> Self {
        self.redirects = true;
        self
    }

    /// With the description of the method before. Every method of the API has one.
    #[must_use]
    pub fn described(mut self, operation: &'static Operation) -> Self {
        if let Some(last) = self.operations.last_mut() {
            *last = Some(operation);
        }
        self
    }

    /// With GET.
    #[must_use]
    pub fn get<H: Handler<T, App>, T: 'static>(self, access: Access, handler: H) -> Self {
        self.on(MethodFilter::GET, Method::GET, access, handler)
    }

    /// With POST.
    #[must_use]
    pub fn post<H: Handler<T, App>, T: 'static>(self, access: Access, handler: H) -> Self {
        self.on(MethodFilter::POST, Method::POST, access, handler)
    }

    /// With PUT.
    #[must_use]
    pub fn put<H: Handler<T, App>, T: 'static>(self, access: Access, handler: H) -> Self {
        self.on(MethodFilter::PUT, Method::PUT, access, handler)
    }

    /// With PATCH.
    #[must_use]
    pub fn patch<H: Handler<T, App>, T: 'static>(self, access: Access, handler: H) -> Self {
        self.on(MethodFilter::PATCH, Method::PATCH, access, handler)
    }

    /// With DELETE.
    #[must_use]
    pub fn delete<H: Handler<T, App>, T: 'static>(self, access: Access, handler: H) -> Self {
        self.on(MethodFilter::DELETE, Method::DELETE, access, handler)
    }

    fn on<H: Handler<T, App>, T: 'static>(
        mut self,
        filter: MethodFilter,
        method: Method,
        access: Access,
        handler: H,
    ) -> Self {
        self.methods.push((method, access));
        self.operations.push(None);
        self.router = self.router.merge(on(filter, handler));
        self
    }

    /// The methods as the `Allow` header has them, in DRF's order.
    fn allow(&self) -> HeaderValue {
        let mut names: Vec<&str> = self.methods.iter().map(|(it, _)| it.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        // Names of methods are visible ASCII.
        HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
    }
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a view of the API. Every other method is a 405 for callers whom `P` lets this far, as
    /// DRF checks permissions before methods.
    #[must_use]
    pub fn view<P>(self, path: &'static str, mut view: View) -> Self
    where
        P: FromRequestParts<App, Rejection = ApiError> + Send + 'static,
    {
        let (allow, name) = (view.allow(), view.name);
        let allowed = allow.clone();
        let metadata = async move |_: P| {
            let body = json!({
                "name": name,
                "description": "",
                "renders": ["application/json"],
                "parses": [
                    "application/json",
                    "application/x-www-form-urlencoded",
                    "multipart/form-data",
                ],
            });
            ([(header::ALLOW, allow)], Json(body))
        };
        let refuse = async move |_: P, method: Method| ApiError::MethodNotAllowed(method, allowed);
        let kind = match TypeId::of::<P>() == TypeId::of::<Anyone>() {
            true => RouteKind::Open,
            false => RouteKind::Authenticating,
        };
        view.router = view.router.options(metadata).fallback(refuse);
        self.with(path, kind, view)
    }

    /// With a page, which has no answer of its own to other methods.
    #[must_use]
    pub fn page(self, path: &'static str, view: View) -> Self {
        self.with(path, RouteKind::Page, view)
    }

    fn with(mut self, path: &'static str, kind: RouteKind, view: View) -> Self {
        self.router = self.router.route(path, view.router);
        self.table.push(Route {
            path,
            methods: view.methods,
            operations: view.operations,
            kind,
            redirects: view.redirects,
        });
        self
    }

    /// With something that belongs to no route, such as a layer.
    #[must_use]
    pub fn map(mut self, change: impl FnOnce(Router<App>) -> Router<App>) -> Self {
        self.router = change(self.router);
        self
    }

    /// With the routes of another function.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.table.extend(other.table);
        self.router = self.router.merge(other.router);
        self
    }

    /// The table.
    pub fn table(&self) -> &[Route] {
        &self.table
    }

    /// The router.
    pub fn into_router(self) -> Router<App> {
        self.router
    }
}
