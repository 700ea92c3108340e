//! Every route with what anybody is answered there. API Gateway chooses the function by the path's
//! beginning; one that gets another's path answers 404, so each of these answers proves that its
//! function was reached. `admin` is the only one that answers with pages.
//!
//! Should a request ever get further than it must, it still changes nothing: no item has the id 0,
//! and no body has its required fields.

use axum::http::{Method, header};
use serde_json::{Map, Value, json};

use super::{RENAMED_CHALLENGE, client::Answer};

/// The path that all routes of the API begin with.
const API: &str = "/api/auth/";
/// The path that all pages begin with.
const ADMIN: &str = "/admin/";

/// A function and its routes.
pub struct Function {
    pub name: &'static str,
    pub root: &'static str,
    /// The first is called first, and has a GET.
    pub routes: &'static [Route],
}

/// A path below the function's root with what is answered to these methods.
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
    /// 200 with the page that asks for a password.
    LoginPage,
    /// 302 to that page, and from there to this path.
    LogInFirst(&'static str),
}

use Expected::{LogInFirst, LoginPage, NotAuthenticated, NotFound, OnlyPost, Required};

/// All functions behind API Gateway.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "auth",
        root: API,
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
        root: API,
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
        root: API,
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
        root: API,
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
    Function {
        name: "admin",
        root: ADMIN,
        routes: &[
            Route {
                path: "login/",
                answers: &[(Method::GET, LoginPage)],
            },
            Route {
                path: "",
                answers: &[(Method::GET, LogInFirst("/admin/"))],
            },
            Route {
                path: "nowhere/",
                answers: &[(Method::GET, LogInFirst("/admin/nowhere/"))],
            },
        ],
    },
];

impl Function {
    /// Whether it serves the API, which front ends of other origins may use.
    pub fn is_of_api(&self) -> bool {
        self.root == API
    }
}

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
        match self.status_and_body(method) {
            Some((status, body)) if answer.status != status || given != body => {
                let got = answer.excerpt();
                return Err(format!("expected {status} {body}, got {got}"));
            }
            Some(_) => {}
            None => self.check_page(answer)?,
        }
        let mut missing = Vec::new();
        let mut must = |is_there: bool, header| {
            if !is_there {
                missing.push(header);
            }
        };
        if let NotAuthenticated = self {
            let challenge = answer
                .header(header::WWW_AUTHENTICATE)
                .or_else(|| answer.header(RENAMED_CHALLENGE));
            must(
                challenge == Some(r#"Bearer realm="api""#),
                r#"WWW-Authenticate: Bearer realm="api""#,
            );
        }
        if let OnlyPost = self {
            let allowed = answer.header(header::ALLOW);
            must(allowed == Some("POST, OPTIONS"), "Allow: POST, OPTIONS");
        }
        if let LoginPage | LogInFirst(_) = self {
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            must(policy.is_some(), "Content-Security-Policy");
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

    /// Checks the answer to a browser: a page, or the way to one.
    fn check_page(&self, answer: &Answer) -> Result<(), String> {
        let got = || {
            let location = answer.header(header::LOCATION);
            location.map_or_else(
                || answer.excerpt(),
                |to| format!("{} to {to}", answer.status),
            )
        };
        if let LogInFirst(next) = self {
            let to = format!("{ADMIN}login/?next={next}");
            let leads_there = answer.header(header::LOCATION) == Some(&to);
            if answer.status != 302 || !leads_there {
                return Err(format!("expected 302 Found to {to}, got {}", got()));
            }
        } else {
            let kind = answer.header(header::CONTENT_TYPE);
            let is_html = kind.is_some_and(|kind| kind.starts_with("text/html"));
            if answer.status != 200 || !is_html || !answer.says("name=\"password\"") {
                return Err(format!("expected 200 and the login page, got {}", got()));
            }
        }
        Ok(())
    }

    /// What an answer in JSON must be.
    fn status_and_body(&self, method: &Method) -> Option<(u16, Value)> {
        let answer = match self {
            Required(fields) => {
                let text = json!(["This field is required."]);
                let errors: Map<_, _> = fields
                    .iter()
                    .map(|field| ((*field).to_owned(), text.clone()))
                    .collect();
                (400, errors.into())
            }
            NotAuthenticated => (
                401,
                json!({"detail": "Authentication credentials were not provided."}),
            ),
            NotFound => (404, json!({"detail": "Not found."})),
            OnlyPost => (
                405,
                json!({"detail": format!("Method \"{method}\" not allowed.")}),
            ),
            LoginPage | LogInFirst(_) => return None,
        };
        Some(answer)
    }
}
