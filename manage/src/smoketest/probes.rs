//! Every route with the answer that a request without an account gets there, from the functions' own
//! tables. API Gateway chooses the function by the beginning of the path; a function that gets a path
//! of another answers 404, so each of these answers proves that its function was reached. `admin` is
//! the first of those that answer with pages.
//!
//! Should a request ever get further than it must, it still changes nothing: no item has the id 0,
//! and no body has its required fields.

use axum::http::{Method, header};
use serde_json::{Map, Value, json};
use shared::http::{
    Routes,
    routes::{Access, Route},
};

use super::{RENAMED_CHALLENGE, client::Answer};

/// The path that all pages begin with.
const ADMIN: &str = "/admin/";
/// The function of the pages that mails lead to.
const ACCOUNT: &str = "account";
/// The actions that are not there where the service sends no such mails.
const ASKING: [&str; 2] = ["/reset_password/", "/reset_username/"];
/// The field that `USER_CREATE_PASSWORD_RETYPE=false` leaves out.
const RETYPED: &str = "password2";
/// The function of the OpenAPI document.
const DOCS: &str = "docs";

/// A function and what it is asked.
pub struct Function {
    pub name: &'static str,
    pub probes: Vec<Probe>,
}

/// A path with the answers to its methods.
pub struct Probe {
    pub path: String,
    pub answers: Vec<(Method, Expected)>,
    /// Whether the path without its last slash redirects.
    pub redirects: bool,
}

/// What a request without an account must be answered.
pub enum Expected {
    /// 400: the empty body lacks these fields.
    Required(&'static [&'static str]),
    /// The same, or 404 where the service sends no such mails.
    RequiredIfThere(&'static [&'static str]),
    /// 401, which comes before everything else where an account is needed.
    NotAuthenticated,
    /// 404 of a function.
    NotFound,
    /// 405 where only POST is allowed.
    OnlyPost,
    /// 200 with the page that asks for a password.
    LoginPage,
    /// 200 with the page that asks for an address.
    AddressPage,
    /// 200 with the keys that others verify with.
    KeySet,
    /// 200 with where they are, or 404 where there are none.
    Configuration,
    /// 200 with the OpenAPI document.
    Document,
    /// 200 with the page that shows it.
    DocumentPage,
    /// 302 to that page, and from there to this path.
    LogInFirst(String),
    /// 301 to this path.
    Moved(String),
}

use Expected::{
    AddressPage, Configuration, Document, DocumentPage, KeySet, LogInFirst, LoginPage, Moved,
    NotAuthenticated, NotFound, OnlyPost, Required, RequiredIfThere,
};

/// The functions behind API Gateway, but for what a deployment leaves out: the account pages, the
/// OpenAPI document.
pub fn functions(account_pages: bool, document: bool) -> Vec<Function> {
    let functions = crate::functions().into_iter();
    functions
        .filter(|(name, _)| account_pages || *name != ACCOUNT)
        .filter(|(name, _)| document || *name != DOCS)
        .map(|(name, routes)| Function::new(name, &routes))
        .collect()
}

impl Function {
    fn new(name: &'static str, routes: &Routes) -> Self {
        let mut probes: Vec<Probe> = routes.table().iter().filter_map(Probe::of).collect();
        match name {
            "admin" => probes.push(Probe::page(format!("{ADMIN}nowhere/"))),
            ACCOUNT => probes.push(Probe::get("/account/reset/", AddressPage)),
            DOCS => probes.extend([
                Probe::get("/api/schema/", Document),
                Probe::get("/api/schema/swagger-ui/", DocumentPage),
                Probe::nowhere("/api/schema/nowhere/"),
            ]),
            "auth" => probes.extend([
                Probe::nowhere("/api/auth/"),
                Probe::nowhere("/api/auth/nowhere/"),
            ]),
            name => probes.push(Probe::nowhere(&format!("/api/auth/{name}/0/nowhere/"))),
        }
        // The first has a GET of the API, or the only page that needs no account.
        probes.sort_by_key(|probe| {
            let first = probe.answers.first().map(|(_, expected)| expected);
            !matches!(first, Some(LoginPage))
        });
        Self { name, probes }
    }

    /// Whether it serves the API, which front ends of other origins may use.
    pub fn is_of_api(&self) -> bool {
        ![ACCOUNT, DOCS, "admin"].contains(&self.name)
    }
}

impl Probe {
    /// The probe of a route, if a request without an account says anything about it.
    fn of(route: &Route) -> Option<Self> {
        let path = route.path.replace("{id}", "0");
        let answers: Vec<_> = route
            .methods
            .iter()
            .filter_map(|(method, access)| {
                let is_asking = ASKING.iter().any(|action| path.ends_with(action));
                let expected = match access {
                    Access::Anyone(fields) if is_asking => RequiredIfThere(fields),
                    Access::Anyone(fields) if !fields.is_empty() => Required(fields),
                    Access::Anyone(_) if *method == Method::GET && path.ends_with("/login/") => {
                        LoginPage
                    }
                    Access::Anyone(_) if path == "/.well-known/jwks.json/" => KeySet,
                    Access::Anyone(_) if path == "/.well-known/openid-configuration/" => {
                        Configuration
                    }
                    Access::User | Access::Admin(_) | Access::Own(_) => NotAuthenticated,
                    Access::Staff if method == Method::GET => LogInFirst(path.clone()),
                    // A form needs the token of its page.
                    Access::Anyone(_) | Access::Staff => return None,
                };
                Some((method.clone(), expected))
            })
            .collect();
        let is_only_post = matches!(
            answers[..],
            [(Method::POST, Required(_) | RequiredIfThere(_))]
        );
        let redirects = route.redirects;
        let mut probe = Self {
            path,
            answers,
            redirects,
        };
        if is_only_post {
            // djoser's actions have no methods but their own for who is nobody.
            let refused = if redirects {
                NotAuthenticated
            } else {
                OnlyPost
            };
            probe.answers.push((Method::GET, refused));
        }
        (!probe.answers.is_empty()).then_some(probe)
    }

    fn nowhere(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            answers: vec![(Method::GET, NotFound), (Method::POST, NotFound)],
            redirects: false,
        }
    }

    fn get(path: &str, expected: Expected) -> Self {
        Self {
            path: path.to_owned(),
            answers: vec![(Method::GET, expected)],
            redirects: false,
        }
    }

    fn page(path: String) -> Self {
        Self {
            answers: vec![(Method::GET, LogInFirst(path.clone()))],
            redirects: false,
            path,
        }
    }
}

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
        let right = self.answers(method);
        let is_right = |(status, body): &(u16, Value)| answer.status == *status && given == *body;
        match right.first() {
            Some(_) if right.iter().any(is_right) => {}
            Some((status, body)) => {
                let got = answer.excerpt();
                return Err(format!("expected {status} {body}, got {got}"));
            }
            None if matches!(self, KeySet | Configuration) => self.check_document(answer)?,
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
        if let LoginPage | AddressPage | DocumentPage | LogInFirst(_) = self {
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            must(policy.is_some(), "Content-Security-Policy");
        }
        let cached = answer.header(header::CACHE_CONTROL).unwrap_or_default();
        if matches!(self, KeySet | Configuration) && answer.status == 200 {
            must(
                cached.starts_with("public, max-age="),
                "Cache-Control: public",
            );
            must(answer.header(header::ETAG).is_some(), "ETag");
        } else {
            must(cached == "no-store", "Cache-Control: no-store");
        }
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

    /// Checks what others verify tokens with.
    fn check_document(&self, answer: &Answer) -> Result<(), String> {
        let given = answer.json();
        let keys = given["keys"].as_array();
        let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
        let is_public = |key: &Value| private.iter().all(|name| key[name].is_null());
        let (is_good, what) = match self {
            KeySet => (
                keys.is_some_and(|keys| keys.iter().all(is_public)),
                "public keys",
            ),
            _ => (
                given["issuer"].is_string() && given["jwks_uri"].is_string(),
                "issuer and jwks_uri",
            ),
        };
        // A service whose tokens only it can verify.
        let is_absent = matches!(self, Configuration)
            && answer.status == 404
            && given == json!({"detail": "Not found."});
        if is_absent || answer.status == 200 && is_good {
            return Ok(());
        }
        Err(format!(
            "expected 200 with {what}, got {}",
            answer.excerpt()
        ))
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
        if let Moved(to) = self {
            if answer.status != 301 || answer.header(header::LOCATION) != Some(to) {
                return Err(format!(
                    "expected 301 Moved Permanently to {to}, got {}",
                    got()
                ));
            }
        } else if let LogInFirst(next) = self {
            let to = format!("{ADMIN}login/?next={next}");
            let leads_there = answer.header(header::LOCATION) == Some(&to);
            if answer.status != 302 || !leads_there {
                return Err(format!("expected 302 Found to {to}, got {}", got()));
            }
        } else {
            let kind = answer.header(header::CONTENT_TYPE).unwrap_or_default();
            let (page, expected, text) = match self {
                Document => (
                    "the document",
                    "application/vnd.oai.openapi",
                    "openapi: 3.1.0",
                ),
                DocumentPage => ("the document's page", "text/html", "id=\"swagger-ui\""),
                AddressPage => (
                    "the page that asks for an address",
                    "text/html",
                    "name=\"email\"",
                ),
                _ => ("the login page", "text/html", "name=\"password\""),
            };
            if answer.status != 200 || !kind.starts_with(expected) || !answer.says(text) {
                return Err(format!("expected 200 and {page}, got {}", got()));
            }
        }
        Ok(())
    }

    /// What an answer in JSON may be, by the settings of the service; none for pages.
    fn answers(&self, method: &Method) -> Vec<(u16, Value)> {
        let not_found = || (404, json!({"detail": "Not found."}));
        match self {
            Required(fields) => {
                let but: Vec<&str> = fields.iter().copied().filter(|it| *it != RETYPED).collect();
                vec![required(fields), required(&but)]
            }
            RequiredIfThere(fields) => vec![required(fields), not_found()],
            NotAuthenticated => vec![(
                401,
                json!({"detail": "Authentication credentials were not provided."}),
            )],
            NotFound => vec![not_found()],
            OnlyPost => vec![(
                405,
                json!({"detail": format!("Method \"{method}\" not allowed.")}),
            )],
            LoginPage | AddressPage | Document | DocumentPage | LogInFirst(_) | Moved(_)
            | KeySet | Configuration => Vec::new(),
        }
    }
}

/// The answer to a body that lacks fields.
fn required(fields: &[&str]) -> (u16, Value) {
    let text = json!(["This field is required."]);
    let errors = fields
        .iter()
        .map(|field| ((*field).to_owned(), text.clone()));
    (400, errors.collect::<Map<_, _>>().into())
}
