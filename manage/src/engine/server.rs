//! DynamoDB's protocol in front of the engine, for the SDK in this process and over HTTP for others.
//! Over HTTP it answers only who sends the access key of this
//! start, and no web page: the engine has no users of its own, and a port of this machine is open
//! to every program and every browser on it.

mod tokens;

use std::{fmt, sync::Arc};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::HttpError,
};
use aws_smithy_types::body::SdkBody;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post,
};
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use subtle::ConstantTimeEq;
use tokens::Tokens;

const JSON: &str = "application/x-amz-json-1.0";
const TARGET: &str = "DynamoDB_20120810.";
const TARGET_HEADER: &str = "x-amz-target";
/// DynamoDB's own limit.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The engine, and what it has answered of late.
#[derive(Clone)]
pub(super) struct Served {
    database: Database,
    tokens: Arc<Tokens>,
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

impl Served {
    /// A database that has answered nothing yet.
    pub(super) fn new(database: Database) -> Self {
        let tokens = Arc::default();
        Self { database, tokens }
    }
}

/// What the SDK sends its requests through in this process: straight to the engine, without a socket.
impl HttpConnector for Served {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let served = self.clone();
        HttpConnectorFuture::new(async move {
            let body = request.body().bytes().unwrap_or_default();
            let body =
                std::str::from_utf8(body).map_err(|error| ConnectorError::user(error.into()))?;
            let (status, body) = served.answer(request.headers().get(TARGET_HEADER), body);
            let status = status.as_u16().try_into();
            let status = status.map_err(|error: HttpError| ConnectorError::user(error.into()))?;
            let mut answer = HttpResponse::new(status, SdkBody::from(body));
            answer.headers_mut().insert("content-type", JSON);
            Ok(answer)
        })
    }
}

/// The engine's operations at `/`, for who sends this access key.
pub(super) fn router(served: Served, access_key: &str) -> Router {
    Router::new()
        .route("/", post(answer))
        .with_state(served)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::from(access_key), guard))
}

/// Lets a request through that no web page sends and that is signed with the access key. The
/// signature itself is not looked at: who knows the key may do everything.
async fn guard(State(access_key): State<Arc<str>>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        let text = "The embedded database answers no web page.";
        return failed(StatusCode::FORBIDDEN, "AccessDeniedException", text);
    }
    let sent = sent_access_key(request.headers()).unwrap_or_default();
    if !bool::from(sent.as_bytes().ct_eq(access_key.as_bytes())) {
        let text = "The access key is not the one of this start of the embedded database.";
        return failed(StatusCode::BAD_REQUEST, "UnrecognizedClientException", text);
    }
    next.run(request).await
}

/// The access key of a request that is signed with AWS's Signature Version 4:
/// `AWS4-HMAC-SHA256 Credential=KEY/20260131/us-east-1/dynamodb/aws4_request, …`.
fn sent_access_key(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let parameters = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut parameters = parameters.split(',').map(str::trim);
    let credential = parameters.find_map(|parameter| parameter.strip_prefix("Credential="))?;
    credential.split('/').next()
}

async fn answer(State(served): State<Served>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get(TARGET_HEADER);
    let target = target.and_then(|target| target.to_str().ok());
    let (status, body) = served.answer(target, &body);
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

impl Served {
    /// The answer to a request in JSON: that of the operation which the target names.
    fn answer(&self, target: Option<&str>, body: &str) -> (StatusCode, String) {
        let operation = target.and_then(|target| target.strip_prefix(TARGET));
        match carry_out(self, operation.unwrap_or_default(), body) {
            Ok(Some(answer)) => (StatusCode::OK, answer),
            Ok(None) => refusal(
                StatusCode::BAD_REQUEST,
                "UnknownOperationException",
                "The embedded database has no such operation.",
            ),
            Err(error) => {
                let status = StatusCode::from_u16(error.status_code());
                (status.unwrap_or(StatusCode::BAD_REQUEST), error.to_json())
            }
        }
    }
}

/// The answer of an operation in JSON; `None` if there is no such one.
fn carry_out(
    Served { database, tokens }: &Served,
    operation: &str,
    body: &str,
) -> Result<Option<String>, DynoxideError> {
    if operation == "TransactWriteItems" {
        return tokens.transact(database, body).map(Some);
    }
    macro_rules! operations {
        ($($name:literal => $method:ident,)*) => {
            match operation {
                $($name => call(body, |request| database.$method(request)).map(Some),)*
                _ => Ok(None),
            }
        };
    }
    operations! {
        "BatchGetItem" => batch_get_item,
        "BatchWriteItem" => batch_write_item,
        "CreateTable" => create_table,
        "DeleteItem" => delete_item,
        "DeleteTable" => delete_table,
        "DescribeTable" => describe_table,
        "DescribeTimeToLive" => describe_time_to_live,
        "GetItem" => get_item,
        "ListTables" => list_tables,
        "PutItem" => put_item,
        "Query" => query,
        "Scan" => scan,
        "TransactGetItems" => transact_get_items,
        "UpdateItem" => update_item,
        "UpdateTable" => update_table,
        "UpdateTimeToLive" => update_time_to_live,
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    method: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    answered(&method(read(body)?)?)
}

fn read<Q: DeserializeOwned>(body: &str) -> Result<Q, DynoxideError> {
    serde_json::from_str(body)
        .map_err(|error| DynoxideError::ValidationException(error.to_string()))
}

fn answered(answer: &impl Serialize) -> Result<String, DynoxideError> {
    serde_json::to_string(answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn failed(status: StatusCode, code: &str, message: &str) -> Response {
    let (status, body) = refusal(status, code, message);
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

/// An error in DynamoDB's form.
fn refusal(status: StatusCode, code: &str, message: &str) -> (StatusCode, String) {
    let code = format!("com.amazon.coral.service#{code}");
    let body = json!({"__type": code, "message": message}).to_string();
    (status, body)
}
