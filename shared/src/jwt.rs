//! Access and refresh tokens as SimpleJWT issues and verifies them (RFC 7519).

mod claims;
mod hmac;

use std::sync::Arc;

use base64::{
    Engine,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, crypto, encode};
use serde_json::{Map, Value};

use crate::{
    domain::User,
    settings::{Algorithm, Keys, TokenSettings},
};

pub use claims::{Claims, Holder};
use claims::{complete, integer};

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

/// The claims of a token that one of the keys signed, unchecked.
pub struct Signed(Map<String, Value>);

/// Signs and verifies with certain keys.
pub struct Jwt {
    settings: Arc<TokenSettings>,
    algorithm: jsonwebtoken::Algorithm,
    signing_key: EncodingKey,
    verifying_keys: Vec<DecodingKey>,
}

impl Jwt {
    /// These keys, with the lifetimes and the algorithm of the settings.
    pub fn new(settings: Arc<TokenSettings>, keys: &Keys) -> Self {
        hmac::install();
        Self {
            algorithm: match settings.algorithm {
                Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
                Algorithm::Hs384 => jsonwebtoken::Algorithm::HS384,
                Algorithm::Hs512 => jsonwebtoken::Algorithm::HS512,
            },
            signing_key: EncodingKey::from_secret(keys.all().next().unwrap_or_default()),
            verifying_keys: keys.all().map(DecodingKey::from_secret).collect(),
            settings,
        }
    }

    /// A token for a user that belongs to no session, as SimpleJWT issues it; `now` in seconds since
    /// 1970.
    pub fn issue(&self, token_type: TokenType, user: &User, now: i64) -> String {
        let lifetime = match token_type {
            TokenType::Access => self.settings.access_lifetime,
            TokenType::Refresh => self.settings.refresh_lifetime,
        };
        let times = (now, now + lifetime);
        self.sign(token_type, &user.id.into(), None, &new_jti(), times)
    }

    /// An access token, of a session or of none; `now` in seconds since 1970.
    pub fn access(&self, holder: &Holder, sid: Option<&str>, now: i64) -> String {
        let times = (now, now + self.settings.access_lifetime);
        self.sign(TokenType::Access, holder, sid, &new_jti(), times)
    }

    /// A refresh token of a session, with its id, and its `iat` and `exp` in seconds since 1970.
    pub fn refresh_token(
        &self,
        holder: &Holder,
        sid: &str,
        jti: &str,
        times: (i64, i64),
    ) -> String {
        self.sign(TokenType::Refresh, holder, Some(sid), jti, times)
    }

    fn sign(
        &self,
        token_type: TokenType,
        holder: &Holder,
        sid: Option<&str>,
        jti: &str,
        (iat, exp): (i64, i64),
    ) -> String {
        let mut claims = holder.further.clone();
        claims.insert("token_type".to_owned(), token_type.as_str().into());
        claims.insert("exp".to_owned(), exp.into());
        claims.insert("iat".to_owned(), iat.into());
        claims.insert("jti".to_owned(), jti.into());
        claims.insert("user_id".to_owned(), holder.user_id.clone());
        let audience = match self.settings.audience.as_slice() {
            [] => None,
            [one] => Some(one.as_str().into()),
            several => Some(several.into()),
        };
        let claim = |text: &str| Value::String(text.to_owned());
        for (name, value) in [
            ("sid", sid.map(claim)),
            ("aud", audience),
            ("iss", self.settings.issuer.as_deref().map(claim)),
        ] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        }
        // Signing a map of texts and integers with an HMAC key has no way to fail.
        encode(&Header::new(self.algorithm), &claims, &self.signing_key)
            .expect("claims are JSON and the key is the algorithm's")
    }

    /// The claims of a token, if one of the keys signed it. The algorithm is the key's, and a token
    /// whose header names another is refused (RFC 8725, section 3.1).
    pub fn open(&self, token: &str) -> Option<Signed> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header = json_object(header)?;
        if header.get("alg") != Some(&Value::from(name(self.settings.algorithm)))
            || !understood(&header)
        {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.encode(decoded(signature)?);
        let signed = |key| crypto::verify(&signature, message.as_bytes(), key, self.algorithm);
        self.verifying_keys
            .iter()
            .any(|key| signed(key).unwrap_or(false))
            .then(|| json_object(claims).map(Signed))?
    }

    /// Verifies a token of one type.
    ///
    /// # Errors
    /// As [`Jwt::check`].
    pub fn verify(
        &self,
        token: &str,
        token_type: TokenType,
        now: i64,
    ) -> Result<Claims, TokenError> {
        let signed = self.open(token).ok_or(TokenError::Invalid)?;
        self.check(&signed, token_type, now)
    }

    /// Checks the claims of a token of one type.
    ///
    /// # Errors
    /// SimpleJWT's first complaint, in its order: signature and times, `exp`, `jti`, `token_type`.
    pub fn check(
        &self,
        signed: &Signed,
        token_type: TokenType,
        now: i64,
    ) -> Result<Claims, TokenError> {
        let claims = self.check_untyped(signed, now)?;
        match signed.0.get("token_type") {
            None => Err(TokenError::NoType),
            Some(Value::String(name)) if name == token_type.as_str() => Ok(claims),
            Some(_) => Err(TokenError::WrongType),
        }
    }

    /// Checks the claims of a token of any type, as SimpleJWT's `UntypedToken`.
    ///
    /// # Errors
    /// As [`Jwt::check`], without the last.
    pub fn check_untyped(&self, signed: &Signed, now: i64) -> Result<Claims, TokenError> {
        self.check_registered(signed, now)?;
        complete(&signed.0)
    }

    /// The id of a token that is signed and not expired, whatever else it lacks.
    pub fn token_id<'a>(&self, signed: &'a Signed, now: i64) -> Option<&'a str> {
        self.check_registered(signed, now).ok()?;
        signed.0.get("jti")?.as_str()
    }

    /// The registered claims (RFC 7519, section 4.1) as PyJWT checks them.
    fn check_registered(&self, Signed(claims): &Signed, now: i64) -> Result<(), TokenError> {
        let wanted = &self.settings.audience;
        if !wanted.is_empty() {
            let is_wanted = |one: &Value| wanted.iter().any(|wanted| one == wanted.as_str());
            let held = match claims.get("aud") {
                Some(Value::Array(many)) => many.iter().any(is_wanted),
                one => one.is_some_and(is_wanted),
            };
            if !held {
                return Err(TokenError::Invalid);
            }
        }
        if let Some(wanted) = &self.settings.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(wanted)
        {
            return Err(TokenError::Invalid);
        }
        let is_text = |name| claims.get(name).is_none_or(Value::is_string);
        if !is_text("sub") || !is_text("jti") {
            return Err(TokenError::Invalid);
        }
        let leeway = self.settings.leeway;
        // Older versions issued tokens for the second after a change of the password.
        if integer(claims, "iat")?.is_some_and(|iat| iat > now + leeway.max(1)) {
            return Err(TokenError::Invalid);
        }
        if integer(claims, "nbf")?.is_some_and(|nbf| nbf > now + leeway) {
            return Err(TokenError::Invalid);
        }
        if integer(claims, "exp")?.is_some_and(|exp| exp <= now - leeway) {
            return Err(TokenError::Expired);
        }
        Ok(())
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Hs256 => "HS256",
        Algorithm::Hs384 => "HS384",
        Algorithm::Hs512 => "HS512",
    }
}

/// The bytes of a segment, which PyJWT takes without padding or with all of it.
fn decoded(segment: &str) -> Option<Vec<u8>> {
    let engine = if segment.ends_with('=') {
        &URL_SAFE
    } else {
        &URL_SAFE_NO_PAD
    };
    engine.decode(segment).ok()
}

fn json_object(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&decoded(segment)?).ok()
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

/// 32 hexadecimal digits from the system's random source, as `uuid4().hex`.
pub fn new_jti() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests;
