//! Extractors that state in a handler's signature who may call it and what must exist.

use std::{collections::BTreeMap, convert::Infallible, net::IpAddr};

use axum::{
    body::{HttpBody as _, to_bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderValue, Method, header, request::Parts},
};
use lambda_http::request::RequestContext;

use super::ApiError;
use crate::{
    app::App,
    domain::{Actor, User},
    forms::{self, FormError, Lookup},
    input::{self, Absent, FieldErrors, Fields, MAX_BODY, body, related},
    jwt::{TokenError, TokenType},
    telemetry::note_user,
};

/// The user who sends the request; without one it is a 401.
pub struct Caller(pub User);

/// The caller if the request names one. A header must be right all the same.
pub struct OptionalCaller(pub Option<User>);

impl Caller {
    /// The caller as the one who changes something.
    pub fn actor(&self) -> Actor<'_> {
        Actor::User(&self.0)
    }
}

impl FromRequestParts<App> for OptionalCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let header = parts.headers.get(header::AUTHORIZATION);
        user_of(header.map(HeaderValue::as_bytes), app)
            .await
            .map(Self)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let OptionalCaller(user) = OptionalCaller::from_request_parts(parts, app).await?;
        user.map(Self).ok_or(ApiError::NotAuthenticated)
    }
}

/// The address that a request comes from, for a service that is served directly: an extension of
/// the request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The address that a request comes from: what API Gateway saw, or the peer. Never a header's,
/// which any client may write.
pub struct SourceAddress(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for SourceAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let gateway = match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        };
        let gateway = gateway.and_then(|address| address.parse().ok());
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
        Ok(Self(gateway.or(peer)))
    }
}

/// Lets every request through, whatever its headers say: the token endpoints read none.
pub struct Anyone;

impl FromRequestParts<App> for Anyone {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// The active user whose access token an `Authorization` header has, if it has one.
///
/// # Errors
/// The header is malformed, the token or its user is refused, or the table's failure.
pub async fn user_of(header: Option<&[u8]>, app: &App) -> Result<Option<User>, ApiError> {
    match bearer(header)? {
        Some(token) => authenticate(&token, app).await.map(Some),
        None => Ok(None),
    }
}

/// The token of an `Authorization: Bearer …` header. The scheme is case-sensitive, as in
/// SimpleJWT; another scheme counts as no header.
fn bearer(header: Option<&[u8]>) -> Result<Option<Vec<u8>>, ApiError> {
    let Some(header) = header else {
        return Ok(None);
    };
    // Python's bytes.split() without arguments.
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    let mut words = header.split(is_space).filter(|word| !word.is_empty());
    if words.next() != Some(b"Bearer") {
        return Ok(None);
    }
    match (words.next(), words.next()) {
        (Some(token), None) => Ok(Some(token.to_vec())),
        _ => Err(ApiError::BadAuthorizationHeader),
    }
}

async fn authenticate(token: &[u8], app: &App) -> Result<User, ApiError> {
    let token =
        std::str::from_utf8(token).map_err(|_| ApiError::BadAccessToken(TokenError::Invalid))?;
    let now = app.clock.now();
    let opened = app.keys.open(token, now).await;
    let checked = opened.and_then(|(jwt, signed)| jwt.check(&signed, TokenType::Access, now));
    let claims = checked.map_err(ApiError::BadAccessToken)?;
    if !claims.names_a_user() {
        return Err(ApiError::NoUserInToken);
    }
    let id = claims.user_id().ok_or(ApiError::UserNotFound)?;
    note_user(id);
    let user = app.store.user(id).await?.ok_or(ApiError::UserNotFound)?;
    if !user.is_active {
        return Err(ApiError::UserInactive);
    }
    if claims.is_revoked_for(&user) {
        return Err(ApiError::BadAccessToken(TokenError::Invalid));
    }
    Ok(user)
}

/// The part of the path that names an object.
pub async fn path_segment(parts: &mut Parts, app: &App) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, app).await.ok()?;
    let (_, segment) = params.iter().next()?;
    Some(segment.to_owned())
}

/// The id in the path, read by Python's `int()`; a segment that is no id is a 404.
pub async fn path_id(parts: &mut Parts, app: &App) -> Result<u64, ApiError> {
    let segment = path_segment(parts, app).await;
    segment
        .and_then(|segment| related::path_id(&segment))
        .ok_or(ApiError::NotFound)
}

/// A body in one of DRF's three forms, read after everything else about the request.
pub struct JsonOrForm {
    data: input::Data,
    absent: Absent,
}

impl JsonOrForm {
    /// What it holds, unread.
    pub fn into_data(self) -> input::Data {
        self.data
    }

    /// Its fields.
    ///
    /// # Errors
    /// It is no object.
    pub fn fields(self) -> Result<Fields, FieldErrors> {
        Fields::new(self.data, self.absent)
    }

    /// The objects that the one field of an action lists by primary keys, by id.
    ///
    /// # Errors
    /// The field errors, or the table's failure.
    pub async fn listed<T: Lookup>(
        self,
        app: &App,
        field: &'static str,
    ) -> Result<BTreeMap<u64, T>, FormError> {
        forms::listed(&app.store, self.fields()?, field).await
    }
}

impl FromRequest<App> for JsonOrForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(ApiError::TooLarge);
        }
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        let bytes = to_bytes(body, MAX_BODY)
            .await
            .map_err(|_| ApiError::TooLarge)?;
        let data = body::parse(content_type.map(HeaderValue::as_bytes), &bytes)?;
        Ok(Self {
            data,
            absent: if parts.method == Method::PATCH {
                Absent::Unchanged
            } else {
                Absent::Missing
            },
        })
    }
}
