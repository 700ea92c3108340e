//! Extractors that state in a handler's signature who may call it and what must exist.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{
    body::{HttpBody as _, to_bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderValue, Method, header, request::Parts, uri::Authority},
};
use lambda_http::request::RequestContext;

use super::{ApiError, ClientAddress};
use crate::{
    accounts::{sessions::Client, throttle},
    app::App,
    domain::{Actor, User},
    forms::{self, FormError, Lookup},
    input::{self, Absent, FieldErrors, Fields, MAX_BODY, body, related},
    jwt::{TokenError, TokenType},
    telemetry::note_user,
};

/// The user who sends the request; without one it is a 401.
pub struct Caller(pub User);

/// The caller, with the session that their token belongs to.
pub struct CallerSession(pub User, pub Option<String>);

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
        let user = user_of(header.map(HeaderValue::as_bytes), app).await?;
        Ok(Self(user.map(|(user, _)| user)))
    }
}

impl FromRequestParts<App> for CallerSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let header = parts.headers.get(header::AUTHORIZATION);
        let user = user_of(header.map(HeaderValue::as_bytes), app).await?;
        let (user, sid) = user.ok_or(ApiError::NotAuthenticated)?;
        Ok(Self(user, sid))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let OptionalCaller(user) = OptionalCaller::from_request_parts(parts, app).await?;
        user.map(Self).ok_or(ApiError::NotAuthenticated)
    }
}

/// Where a request comes from: the [`ClientAddress`], and the browser.
pub struct RequestClient(pub Client);

/// The most of a `User-Agent` that is kept, in characters.
const LONGEST_AGENT: usize = 255;

impl<S: Sync> FromRequestParts<S> for RequestClient {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ClientAddress>();
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Ok(Self(Client {
            address: address.map(|ClientAddress(address)| *address),
            user_agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            origin: origin(parts),
        }))
    }
}

/// The address at which the API is asked, such as `https://api.example.com`: what API Gateway was asked
/// for, which no header changes, or under `runserver` the Host header.
pub fn origin(parts: &Parts) -> Option<String> {
    if let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get() {
        let domain = context.domain_name.as_deref()?;
        return Some(format!("https://{domain}"));
    }
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let host: Authority = host.parse().ok()?;
    Some(format!("http://{host}"))
}

/// Counts a registration from the client's address; above `THROTTLE_RATE_REGISTER` it is a 429. As in
/// DRF, before the body is read.
pub struct RegistrationRate;

impl FromRequestParts<App> for RegistrationRate {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Ok(RequestClient(client)) = RequestClient::from_request_parts(parts, app).await;
        let rate = app.settings.logins.register_rate;
        throttle::registration(&app.store, rate, client.address).await?;
        Ok(Self)
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

/// The active user of the access token in an `Authorization` header, if it has one, with the session
/// that the token belongs to.
///
/// # Errors
/// The header is malformed, the token or its user is refused, or the table's failure.
pub async fn user_of(
    header: Option<&[u8]>,
    app: &App,
) -> Result<Option<(User, Option<String>)>, ApiError> {
    match bearer(header)? {
        Some(token) => authenticate(token, app).await.map(Some),
        None => Ok(None),
    }
}

/// The token of an `Authorization: Bearer …` header. The scheme is case-sensitive, as in
/// SimpleJWT; another scheme counts as no header.
fn bearer(header: Option<&[u8]>) -> Result<Option<&[u8]>, ApiError> {
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
        (Some(token), None) => Ok(Some(token)),
        _ => Err(ApiError::BadAuthorizationHeader),
    }
}

async fn authenticate(token: &[u8], app: &App) -> Result<(User, Option<String>), ApiError> {
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
    let (session, user) = match &claims.sid {
        Some(sid) => app.store.session_and_user(id, sid).await?,
        None => (None, app.store.user(id).await?),
    };
    let user = user.ok_or(ApiError::UserNotFound)?;
    if !user.is_active {
        return Err(ApiError::UserInactive);
    }
    let is_good = match &claims.sid {
        Some(_) => session.is_some_and(|session| session.is_live(&user, now)),
        None => user.accepts_token_of(claims.iat),
    };
    if !is_good {
        return Err(ApiError::BadAccessToken(TokenError::Invalid));
    }
    Ok((user, claims.sid))
}

/// The part of the path that names an object.
pub async fn path_segment(parts: &mut Parts, app: &App) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, app).await.ok()?;
    let (_, segment) = params.iter().next()?;
    Some(segment.to_owned())
}

/// The part of the path that names an object, as text. One that is no UTF-8 names nothing.
pub struct PathSegment(pub String);

impl FromRequestParts<App> for PathSegment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let segment = path_segment(parts, app).await;
        segment.map(Self).ok_or(ApiError::NotFound)
    }
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
