//! The requests that functions are measured with, as API Gateway sends them.

use serde_json::{Value, json};
use shared::{domain::User, jwt::TokenType};
use testkit::{PASSWORD, registration};

use crate::table::Table;

const HOST: &str = "bench.execute-api.us-east-1.amazonaws.com";

/// An event and the status of its answer.
pub struct Request {
    pub event: Value,
    pub status: u16,
}

/// Requests with fresh tokens.
pub struct Requests<'a> {
    table: &'a Table,
}

impl<'a> Requests<'a> {
    pub fn new(table: &'a Table) -> Self {
        Self { table }
    }

    /// A function's usual request: it reads, and hashes nothing.
    pub fn warm(&self, function: &str) -> Request {
        let user = &self.table.user;
        match function {
            "auth" => {
                let body = json!({ "refresh": self.table.issue(TokenType::Refresh, user) });
                request("POST", "/api/auth/token/refresh/", None, Some(body), 200)
            }
            "groups" => self.get("/api/auth/groups/", &self.table.admin),
            "permissions" => self.get("/api/auth/permissions/", &self.table.admin),
            // Whatever comes after it needs a session.
            "admin" => request("GET", "/admin/login/", None, None, 200),
            // The bare function looks at nothing but gets as much to read, and the authorizer is
            // asked with what the request behind it has.
            _ => self.get(&format!("/api/auth/users/{}/", user.id), user),
        }
    }

    /// A login for `auth`, the registration of a new user for `users`.
    pub fn hashing(&self, function: &str, n: usize) -> Request {
        if function == "auth" {
            let body = json!({ "username": "ann", "password": PASSWORD });
            return request("POST", "/api/auth/login/", None, Some(body), 200);
        }
        let body = registration(&format!("new-{n}"), &format!("new-{n}@example.com"));
        request("POST", "/api/auth/users/register/", None, Some(body), 201)
    }

    fn get(&self, path: &str, user: &User) -> Request {
        let token = self.table.issue(TokenType::Access, user);
        request("GET", path, Some(token), None, 200)
    }
}

fn request(
    method: &str,
    path: &str,
    token: Option<String>,
    body: Option<Value>,
    status: u16,
) -> Request {
    let mut headers = json!({
        "accept": "application/json",
        "content-type": "application/json",
        "host": HOST,
        "user-agent": "bench",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    if let Some(token) = token {
        headers["authorization"] = format!("Bearer {token}").into();
    }
    let event = json!({
        "version": "2.0",
        "routeKey": "ANY /api/auth/{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "bench",
            "domainName": HOST,
            "domainPrefix": "bench",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "bench",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "ANY /api/auth/{proxy+}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_u64,
        },
        "body": body.map(|body| body.to_string()),
        "isBase64Encoded": false,
    });
    Request { event, status }
}
