//! Access and refresh tokens as SimpleJWT issues and verifies them (RFC 7519).

mod hmac;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto, encode};
use serde_json::{Map, Value};

use crate::{
    domain::{User, UserId},
    python,
    settings::{Keys, Settings},
};

/// What a token is for: SimpleJWT's `token_type` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Sent with every request.
    Access,
    /// Exchanged for access tokens.
    Refresh,
}

impl TokenType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// Why a token is refused, with SimpleJWT's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// No token, a wrong signature or algorithm, claims of wrong types, or revoked.
    Invalid,
    /// Past its `exp`.
    Expired,
    /// No `exp`.
    NoExp,
    /// No `jti`.
    NoId,
    /// No `token_type`.
    NoType,
    /// Another `token_type` than is asked for.
    WrongType,
    /// Blacklisted.
    Blacklisted,
}

impl TokenError {
    /// SimpleJWT's text.
    pub fn text(self) -> &'static str {
        match self {
            Self::Invalid => "Token is invalid",
            Self::Expired => "Token is expired",
            Self::NoExp => "Token has no 'exp' claim",
            Self::NoId => "Token has no id",
            Self::NoType => "Token has no type",
            Self::WrongType => "Token has wrong type",
            Self::Blacklisted => "Token is blacklisted",
        }
    }
}

/// The claims of a verified token.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The token's id.
    pub jti: String,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// When it was issued; SimpleJWT asks for none.
    pub iat: Option<i64>,
    /// The `user_id` claim as it stands; a refresh hands it on with its type.
    user_id: Option<Value>,
}

impl Claims {
    /// Whether the token names a user at all.
    pub fn names_a_user(&self) -> bool {
        self.user_id.is_some()
    }

    /// The user it names: a text or an integer. What is no user's id is none.
    pub fn user_id(&self) -> Option<UserId> {
        let digits = match self.user_id.as_ref()? {
            Value::String(text) => python::int(text)?,
            Value::Number(number) => number.as_u64()?.to_string(),
            _ => return None,
        };
        digits.parse().ok().map(UserId)
    }

    /// Whether the token is older than the user's last change of password.
    pub fn is_revoked_for(&self, user: &User) -> bool {
        user.tokens_valid_after
            .is_some_and(|after| self.iat.is_none_or(|iat| iat < after))
    }
}

/// Signs and verifies with certain keys.
pub struct Jwt {
    algorithm: Algorithm,
    signing_key: EncodingKey,
    verifying_keys: Vec<DecodingKey>,
    access_lifetime: i64,
    refresh_lifetime: i64,
    leeway: i64,
    audience: Option<String>,
    issuer: Option<String>,
}

impl Jwt {
    /// These keys, with the lifetimes and the algorithm of the settings.
    pub fn new(settings: &Settings, keys: &Keys) -> Self {
        hmac::install();
        let verifying_keys = std::iter::once(&keys.signing_key).chain(&keys.fallbacks);
        Self {
            algorithm: settings.algorithm,
            signing_key: EncodingKey::from_secret(keys.signing_key.expose().as_bytes()),
            verifying_keys: verifying_keys
                .map(|key| DecodingKey::from_secret(key.expose().as_bytes()))
                .collect(),
            access_lifetime: settings.access_token_lifetime,
            refresh_lifetime: settings.refresh_token_lifetime,
            leeway: settings.leeway,
            audience: settings.audience.clone(),
            issuer: settings.issuer.clone(),
        }
    }

    /// A new token for a user; `now` in seconds since 1970.
    pub fn issue(&self, token_type: TokenType, user: &User, now: i64) -> String {
        let user_id = Value::String(user.id.to_string());
        self.sign(token_type, user_id, now, user.issued_at(now))
    }

    /// The access token that a verified refresh token gives, with its `user_id` as it stands.
    pub fn refresh(&self, claims: &Claims, user: &User, now: i64) -> String {
        let user_id = claims
            .user_id
            .clone()
            .unwrap_or_else(|| Value::String(user.id.to_string()));
        self.sign(TokenType::Access, user_id, now, user.issued_at(now))
    }

    fn sign(&self, token_type: TokenType, user_id: Value, now: i64, iat: i64) -> String {
        let lifetime = match token_type {
            TokenType::Access => self.access_lifetime,
            TokenType::Refresh => self.refresh_lifetime,
        };
        let mut claims = Map::new();
        claims.insert("token_type".to_owned(), token_type.as_str().into());
        claims.insert("exp".to_owned(), (now + lifetime).into());
        claims.insert("iat".to_owned(), iat.into());
        claims.insert("jti".to_owned(), new_jti().into());
        claims.insert("user_id".to_owned(), user_id);
        if let Some(audience) = &self.audience {
            claims.insert("aud".to_owned(), audience.clone().into());
        }
        if let Some(issuer) = &self.issuer {
            claims.insert("iss".to_owned(), issuer.clone().into());
        }
        // Signing a map of texts and integers with an HMAC key has no way to fail.
        encode(&Header::new(self.algorithm), &claims, &self.signing_key)
            .expect("claims are JSON and the key is the algorithm's")
    }

    /// Verifies a token of one type.
    ///
    /// # Errors
    /// SimpleJWT's first complaint, in its order: signature and times, `exp`, `jti`, `token_type`.
    pub fn verify(
        &self,
        token: &str,
        token_type: TokenType,
        now: i64,
    ) -> Result<Claims, TokenError> {
        let (claims, found) = complete(self.genuine(token, now)?)?;
        match found {
            None => Err(TokenError::NoType),
            Some(Value::String(name)) if name == token_type.as_str() => Ok(claims),
            Some(_) => Err(TokenError::WrongType),
        }
    }

    /// Verifies a token of any type, as SimpleJWT's `UntypedToken`.
    ///
    /// # Errors
    /// As [`Jwt::verify`], without the last.
    pub fn verify_untyped(&self, token: &str, now: i64) -> Result<(), TokenError> {
        complete(self.genuine(token, now)?).map(|_| ())
    }

    /// A tag that proves that a text is this service's own, made for one purpose. No token has it:
    /// what a token signs has no line break.
    pub fn tag(&self, purpose: &str, text: &str) -> String {
        let message = format!("{purpose}\n{text}");
        // HMAC takes every message, and the key is the algorithm's.
        crypto::sign(message.as_bytes(), &self.signing_key, self.algorithm)
            .expect("the key is the algorithm's")
    }

    /// Whether one of the keys made a tag.
    pub fn is_tag(&self, purpose: &str, text: &str, tag: &str) -> bool {
        let message = format!("{purpose}\n{text}");
        let signed = |key| crypto::verify(tag, message.as_bytes(), key, self.algorithm);
        self.verifying_keys
            .iter()
            .any(|key| signed(key).unwrap_or(false))
    }

    /// Whether one of the keys signed a token, whatever it claims.
    pub fn signed(&self, token: &str) -> bool {
        self.verify_signature(token).is_some()
    }

    /// The id of a token that is genuine and not expired, whatever else it lacks.
    pub fn token_id(&self, token: &str, now: i64) -> Option<String> {
        match self.genuine(token, now).ok()?.remove("jti") {
            Some(Value::String(jti)) => Some(jti),
            _ => None,
        }
    }

    /// The claims of a token with a good signature and good times, as PyJWT gives them.
    fn genuine(&self, token: &str, now: i64) -> Result<Map<String, Value>, TokenError> {
        let claims = self.verify_signature(token).ok_or(TokenError::Invalid)?;
        self.check_registered(&claims)?;
        // A token of the second after a change of password is issued for that second.
        if integer(&claims, "iat")?.is_some_and(|iat| iat > now + self.leeway.max(1)) {
            return Err(TokenError::Invalid);
        }
        if integer(&claims, "nbf")?.is_some_and(|nbf| nbf > now + self.leeway) {
            return Err(TokenError::Invalid);
        }
        if integer(&claims, "exp")?.is_some_and(|exp| exp <= now - self.leeway) {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// The claims, if one of the keys signed them. The algorithm is the key's, and a token whose
    /// header names another is refused (RFC 8725, section 3.1).
    fn verify_signature(&self, token: &str) -> Option<Map<String, Value>> {
        // PyJWT reads base64 with its padding too.
        let token = token.trim_end_matches('=');
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header = json_object(header)?;
        if header.get("alg") != Some(&Value::from(name(self.algorithm))) || !understood(&header) {
            return None;
        }
        let signed = |key| crypto::verify(signature, message.as_bytes(), key, self.algorithm);
        self.verifying_keys
            .iter()
            .any(|key| signed(key).unwrap_or(false))
            .then(|| json_object(claims))?
    }

    /// `aud`, `iss`, `sub` and `jti` as PyJWT checks them.
    fn check_registered(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        if let Some(wanted) = &self.audience {
            let held = match claims.get("aud") {
                Some(Value::String(one)) => one == wanted,
                Some(Value::Array(many)) => many.iter().any(|one| one == wanted.as_str()),
                _ => false,
            };
            if !held {
                return Err(TokenError::Invalid);
            }
        }
        if let Some(wanted) = &self.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(wanted)
        {
            return Err(TokenError::Invalid);
        }
        match (claims.get("sub"), claims.get("jti")) {
            (None | Some(Value::String(_)), None | Some(Value::String(_))) => Ok(()),
            _ => Err(TokenError::Invalid),
        }
    }
}

/// The last second of the year 9999, past which SimpleJWT's dates do not go.
const LAST_DATE: i64 = 253_402_300_799;

/// The claims that SimpleJWT asks of every token, and the token's type.
fn complete(mut claims: Map<String, Value>) -> Result<(Claims, Option<Value>), TokenError> {
    let exp = integer(&claims, "exp")?.ok_or(TokenError::NoExp)?;
    if exp > LAST_DATE || claims.get("exp").is_some_and(Value::is_string) {
        return Err(TokenError::Invalid);
    }
    let iat = integer(&claims, "iat")?;
    let Some(Value::String(jti)) = claims.remove("jti") else {
        return Err(TokenError::NoId);
    };
    let token_type = claims.remove("token_type");
    Ok((
        Claims {
            jti,
            exp,
            iat,
            user_id: claims.remove("user_id"),
        },
        token_type,
    ))
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS384 => "HS384",
        Algorithm::HS512 => "HS512",
        // The settings take no others.
        _ => "HS256",
    }
}

fn json_object(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}

/// Whether nothing in a header asks for more than is done here: RFC 7515, section 4.1.11 for
/// `crit`, RFC 7797 for `b64`; a `kid` must be a text (RFC 7515, section 4.1.4).
fn understood(header: &Map<String, Value>) -> bool {
    let critical = match header.get("crit") {
        None => true,
        Some(Value::Array(names)) => {
            !names.is_empty()
                && names
                    .iter()
                    .all(|name| name == "b64" && header.contains_key("b64"))
        }
        Some(_) => false,
    };
    critical
        && header.get("kid").is_none_or(Value::is_string)
        && header.get("b64").is_none_or(|encoded| encoded == true)
}

/// A NumericDate as PyJWT reads it: what Python's `int()` takes.
fn integer(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let read = match value {
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Some(integer),
            // Beyond 64 bits or with a fraction: `as` saturates, which keeps the order.
            #[expect(clippy::cast_possible_truncation, reason = "saturation is meant")]
            None => number.as_f64().map(|float| float as i64),
        },
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::String(text) => python::int(text).and_then(|digits| digits.parse().ok()),
        _ => None,
    };
    // Far dates must not overflow when the leeway is added.
    read.map(|date| Some(date.clamp(i64::MIN / 2, i64::MAX / 2)))
        .ok_or(TokenError::Invalid)
}

/// 32 hexadecimal digits from the system's random source, as `uuid4().hex`.
fn new_jti() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests;
