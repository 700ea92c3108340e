//! An authorizer for other HTTP APIs of API Gateway (payload format 2.0, simple responses): it
//! verifies the access token as the API does, reads the user as they are now, and tells the route
//! who they are and what they may do.

use std::{collections::HashMap, time::Instant};

use axum::http::{Method, StatusCode};
use lambda_http::Context;
use serde::{Deserialize, Serialize};
use shared::{
    app::App,
    domain::User,
    http::{ApiError, extract::user_of},
    store::StoreError,
    telemetry::{RequestInfo, note_error, note_route},
};

/// The part of API Gateway's request that is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// By lower-cased name.
    #[serde(default)]
    headers: HashMap<String, String>,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    http: Http,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    source_ip: Option<String>,
}

/// The answer to API Gateway.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    is_authorized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Identity>,
}

/// What the route behind the authorizer gets in `requestContext.authorizer.lambda`.
#[derive(Debug, Serialize)]
pub struct Identity {
    user_id: u64,
    username: String,
    is_staff: bool,
    is_superuser: bool,
    /// Names, in order of id.
    groups: Vec<String>,
    /// Labels, sorted; none for a superuser, who has all.
    permissions: Vec<String>,
}

/// Whether a request may go on, and its user. `REQUIRED_PERMISSIONS` must all be held.
///
/// # Errors
/// The table did not answer: API Gateway answers 500, since the user is not known.
pub async fn authorize(
    app: &App,
    request: Request,
    context: Context,
) -> Result<Response, StoreError> {
    let started = Instant::now();
    let RequestContext { request_id, http } = request.request_context;
    let method = Method::from_bytes(http.method.as_bytes()).unwrap_or_default();
    let address = http.source_ip.and_then(|address| address.parse().ok());
    let info = RequestInfo::by_gateway(method, context, request_id, address);
    let header = request.headers.get("authorization").cloned();
    let answer = async {
        note_route("authorizer");
        let identity = app.answer(Box::pin(identity(app, header))).await;
        let identity = identity.flatten();
        // The status that the client gets, if nothing goes wrong behind the authorizer.
        let status = match &identity {
            Ok(Some(_)) => StatusCode::OK,
            Ok(None) => StatusCode::FORBIDDEN,
            Err(error) => {
                note_error(error);
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (identity, status, started.elapsed())
    };
    let identity = app.reporter.tell(info, answer).await?;
    Ok(Response {
        is_authorized: identity.is_some(),
        context: identity,
    })
}

async fn identity(app: &App, header: Option<String>) -> Result<Option<Identity>, StoreError> {
    match user_of(header.as_deref().map(str::as_bytes), app).await {
        Ok(Some((user, _))) => of(app, &user).await,
        Err(ApiError::Unavailable(error)) => Err(error),
        // The gateway answers 403, whatever is wrong with the token.
        Ok(None) | Err(_) => Ok(None),
    }
}

async fn of(app: &App, user: &User) -> Result<Option<Identity>, StoreError> {
    let (groups, held) = app.store.groups_and_permissions(user).await?;
    let required = &app.settings.required_permissions;
    if !user.is_superuser && !required.iter().all(|label| held.contains_key(label)) {
        return Ok(None);
    }
    Ok(Some(Identity {
        user_id: user.id.0,
        username: user.username.as_str().to_owned(),
        is_staff: user.is_staff,
        is_superuser: user.is_superuser,
        groups: groups
            .iter()
            .map(|group| group.name.as_str().to_owned())
            .collect(),
        permissions: held.into_keys().collect(),
    }))
}
