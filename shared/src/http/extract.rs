//! Extractors that state in a handler's signature who may call it and what must be there.

use std::{collections::BTreeMap, convert::Infallible, net::IpAddr};

use axum::{
    body::{HttpBody as _, to_bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderValue, Method, header, request::Parts},
};
use lambda_http::request::RequestContext;

use crate::{
    app::App,
    domain::User,
    error::{ApiError, FieldErrors},
    http::log::note_user,
    input::{self, Fields, MAX_BODY, Presence, Related, body, related},
    jwt::{TokenError, TokenType},
    store::Actor,
};

/// The user who sends the request; nobody is a 401.
pub struct Caller(pub User);

/// The caller if there is one. A header that is there must be right all the same.
pub struct OptionalCaller(pub Option<User>);

impl Caller {
    /// Who writes, for the store.
    pub fn actor(&self) -> Actor {
        (&self.0).into()
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
/// which anybody may write.
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

/// Lets everybody through, whatever the headers say: the token endpoints read none.
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
    let jwt = app.keys.for_token(token, now).await;
    let claims = jwt
        .verify(token, TokenType::Access, now)
        .map_err(ApiError::BadAccessToken)?;
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

/// The id in the path, read by Python's `int()`; what names nothing is a 404.
pub async fn path_id(parts: &mut Parts, app: &App) -> Result<u64, ApiError> {
    let segment = path_segment(parts, app).await;
    segment
        .and_then(|segment| related::path_id(&segment))
        .ok_or(ApiError::NotFound)
}

/// A body in one of DRF's three forms, read after everything else about the request.
pub struct JsonOrForm {
    data: input::Data,
    partial: bool,
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
    pub fn fields(self) -> Result<Fields, ApiError> {
        Fields::new(self.data, self.partial)
    }

    /// What the one field of an action lists by primary keys, by id.
    ///
    /// # Errors
    /// The field errors, or the table's failure.
    pub async fn listed<T: Related>(
        self,
        app: &App,
        field: &'static str,
    ) -> Result<BTreeMap<u64, T>, ApiError> {
        let mut fields = self.fields()?;
        let Some(list) = fields.pk_list(field, Presence::Required) else {
            return Err(fields.into_errors().into());
        };
        list.resolve(&app.store)
            .await?
            .map_err(|text| FieldErrors::one(field, text).into())
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
            partial: parts.method == Method::PATCH,
        })
    }
}
