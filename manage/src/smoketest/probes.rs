//! Every route with what anybody is answered there. API Gateway chooses the function by the path's
//! beginning; one that gets another's path answers 404, so each of these answers proves that its
//! function was reached.
//!
//! Should a request ever get further than it must, it still changes nothing: no item has the id 0,
//! and no body has its required fields.

use axum::http::{Method, header};
use serde_json::{Map, Value, json};

use super::{RENAMED_CHALLENGE, client::Answer};

/// The path that all routes begin with.
pub const ROOT: &str = "/api/auth/";

/// A function and its routes.
pub struct Function {
    pub name: &'static str,
    /// The first is called first, and has a GET.
    pub routes: &'static [Route],
}

/// A path below [`ROOT`] with what is answered to these methods.
pub struct Route {
    pub path: &'static str,
    pub answers: &'static [(Method, Expected)],
}

/// What anybody must be answered.
pub enum Expected {
    /// 400: the empty body lacks these fields.
    Required(&'static [&'static str]),
    /// 401, which comes before everything else where an account is needed.
    NotAuthenticated,
    /// 404 of a function.
    NotFound,
    /// 405 where only POST is allowed.
    OnlyPost,
}

use Expected::{NotAuthenticated, NotFound, OnlyPost, Required};

/// All functions behind API Gateway.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "auth",
        routes: &[
            Route {
                path: "login/",
                answers: &[
                    (Method::POST, Required(&["username", "password"])),
                    (Method::GET, OnlyPost),
                ],
            },
            Route {
                path: "token/refresh/",
                answers: &[
                    (Method::POST, Required(&["refresh"])),
                    (Method::GET, OnlyPost),
                ],
            },
            Route {
                path: "token/verify/",
                answers: &[
                    (Method::POST, Required(&["token"])),
                    (Method::GET, OnlyPost),
                ],
            },
            Route {
                path: "token/blacklist/",
                answers: &[
                    (Method::POST, Required(&["refresh"])),
                    (Method::GET, OnlyPost),
                ],
            },
            Route {
                path: "",
                answers: NOWHERE,
            },
            Route {
                path: "nowhere/",
                answers: NOWHERE,
            },
        ],
    },
    Function {
        name: "users",
        routes: &[
            Route {
                path: "users/",
                answers: &[(Method::GET, NotAuthenticated)],
            },
            Route {
                path: "users/register/",
                answers: &[
                    (
                        Method::POST,
                        Required(&["username", "email", "password", "password2"]),
                    ),
                    (Method::GET, OnlyPost),
                ],
            },
            Route {
                path: "users/0/",
                answers: DETAIL,
            },
            Route {
                path: "users/0/assign_groups/",
                answers: ACTION,
            },
            Route {
                path: "users/0/permissions/",
                answers: &[
                    (Method::GET, NotAuthenticated),
                    (Method::PUT, NotAuthenticated),
                ],
            },
            Route {
                path: "users/0/nowhere/",
                answers: NOWHERE,
            },
        ],
    },
    Function {
        name: "groups",
        routes: &[
            Route {
                path: "groups/",
                answers: LIST,
            },
            Route {
                path: "groups/0/",
                answers: DETAIL,
            },
            Route {
                path: "groups/0/assign_permissions/",
                answers: ACTION,
            },
            Route {
                path: "groups/0/remove_permissions/",
                answers: ACTION,
            },
            Route {
                path: "groups/0/users/",
                answers: &[(Method::GET, NotAuthenticated)],
            },
            Route {
                path: "groups/0/nowhere/",
                answers: NOWHERE,
            },
        ],
    },
    Function {
        name: "permissions",
        routes: &[
            Route {
                path: "permissions/",
                answers: LIST,
            },
            Route {
                path: "permissions/0/",
                answers: DETAIL,
            },
            Route {
                path: "permissions/0/assign_to_group/",
                answers: ACTION,
            },
            Route {
                path: "permissions/0/remove_from_group/",
                answers: ACTION,
            },
            Route {
                path: "permissions/0/nowhere/",
                answers: NOWHERE,
            },
        ],
    },
];

const LIST: &[(Method, Expected)] = &[
    (Method::GET, NotAuthenticated),
    (Method::POST, NotAuthenticated),
];
const DETAIL: &[(Method, Expected)] = &[
    (Method::GET, NotAuthenticated),
    (Method::PUT, NotAuthenticated),
    (Method::PATCH, NotAuthenticated),
    (Method::DELETE, NotAuthenticated),
];
const ACTION: &[(Method, Expected)] = &[(Method::POST, NotAuthenticated)];
const NOWHERE: &[(Method, Expected)] = &[(Method::GET, NotFound), (Method::POST, NotFound)];

impl Expected {
    /// Checks an answer, and that it has the headers that all have.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn check(&self, method: &Method, answer: &Answer) -> Result<(), String> {
        let given = answer.json();
        if answer.status == 404 && given == json!({"message": "Not Found"}) {
            return Err("the gateway has no such route".to_owned());
        }
        let (status, body) = self.status_and_body(method);
        if answer.status != status || given != body {
            return Err(format!(
                "expected {status} {body}, got {}",
                answer.excerpt()
            ));
        }
        let mut missing = Vec::new();
        let mut must = |is_there: bool, header| {
            if !is_there {
                missing.push(header);
            }
        };
        if let Self::NotAuthenticated = self {
            let challenge = answer
                .header(header::WWW_AUTHENTICATE)
                .or_else(|| answer.header(RENAMED_CHALLENGE));
            must(
                challenge == Some(r#"Bearer realm="api""#),
                r#"WWW-Authenticate: Bearer realm="api""#,
            );
        }
        if let Self::OnlyPost = self {
            let allowed = answer.header(header::ALLOW);
            must(allowed == Some("POST, OPTIONS"), "Allow: POST, OPTIONS");
        }
        must(
            answer.header(header::CACHE_CONTROL) == Some("no-store"),
            "Cache-Control: no-store",
        );
        must(
            answer.header(header::X_CONTENT_TYPE_OPTIONS) == Some("nosniff"),
            "X-Content-Type-Options: nosniff",
        );
        must(
            answer.header(header::STRICT_TRANSPORT_SECURITY).is_some(),
            "Strict-Transport-Security",
        );
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("no header {}", missing.join(", no header ")))
        }
    }

    fn status_and_body(&self, method: &Method) -> (u16, Value) {
        match self {
            Self::Required(fields) => {
                let text = json!(["This field is required."]);
                let errors: Map<_, _> = fields
                    .iter()
                    .map(|field| ((*field).to_owned(), text.clone()))
                    .collect();
                (400, errors.into())
            }
            Self::NotAuthenticated => (
                401,
                json!({"detail": "Authentication credentials were not provided."}),
            ),
            Self::NotFound => (404, json!({"detail": "Not found."})),
            Self::OnlyPost => (
                405,
                json!({"detail": format!("Method \"{method}\" not allowed.")}),
            ),
        }
    }
}
