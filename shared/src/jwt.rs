//! Access and refresh tokens as SimpleJWT issues and verifies them (RFC 7519).

mod claims;
mod crypto;
mod keys;
mod segments;

use std::sync::Arc;

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Map, Value, json};

use crate::{
    domain::User,
    settings::{Algorithm, Keys, TokenKey, TokenSettings},
};

pub use claims::{Claims, Holder};
use claims::{complete, integer};
use keys::{Verifying, by_name, encoding, jwk};
use segments::{decoded, json_object, understood};

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
pub struct Signed {
    claims: Map<String, Value>,
    /// Until when tokens of its key are accepted, in seconds since 1970.
    until: i64,
    /// Whether it may lack `iss` and `aud`, as it is from before tokens had them.
    is_older: bool,
}

/// Signs and verifies with certain keys.
pub struct Jwt {
    settings: Arc<TokenSettings>,
    header: Header,
    signing_key: EncodingKey,
    verifying_keys: Vec<Verifying>,
    /// The public parts, as JSON Web Keys.
    published: Vec<Value>,
    signs_by: Algorithm,
}

impl Jwt {
    /// These keys, with the lifetimes of the settings.
    pub fn new(settings: Arc<TokenSettings>, keys: &Keys) -> Self {
        crypto::install();
        let signing = keys.signing();
        let mut header = Header::new(by_name(signing.algorithm));
        header.kid.clone_from(&signing.kid);
        let verifying = |key: &TokenKey| Verifying::of(key, signing, settings.legacy_until);
        Self {
            header,
            signing_key: encoding(signing),
            verifying_keys: keys.tokens().iter().map(verifying).collect(),
            published: keys
                .tokens()
                .iter()
                .filter_map(TokenKey::jwk)
                .map(jwk)
                .collect(),
            signs_by: signing.algorithm,
            settings,
        }
    }

    /// The algorithm of the key that signs.
    pub fn algorithm(&self) -> Algorithm {
        self.signs_by
    }

    /// The JSON Web Key Set (RFC 7517, section 5) of what others can verify with.
    pub fn key_set(&self) -> Value {
        json!({ "keys": self.published })
    }

    /// The `iss` of tokens that are issued at this address of the API: `ISSUER`, else the address,
    /// where others can verify them.
    pub fn issuer<'a>(&'a self, origin: Option<&'a str>) -> Option<&'a str> {
        let derived = origin.filter(|_| !self.signs_by.is_hmac());
        self.settings.issuer.as_deref().or(derived)
    }

    /// A token for a user that belongs to no session, as SimpleJWT issues it; `now` in seconds since
    /// 1970.
    pub fn issue(&self, token_type: TokenType, user: &User, now: i64) -> String {
        let lifetime = match token_type {
            TokenType::Access => self.settings.access_lifetime,
            TokenType::Refresh => self.settings.refresh_lifetime,
        };
        let user_id = Value::String(user.id.to_string());
        let issued = Issued::to(&user_id);
        self.sign(token_type, issued, &new_jti(), (now, now + lifetime))
    }

    /// An access token of a session, issued now (seconds since 1970).
    pub fn access(&self, issued: Issued<'_>, now: i64) -> String {
        let times = (now, now + self.settings.access_lifetime);
        self.sign(TokenType::Access, issued, &new_jti(), times)
    }

    /// A refresh token of a session, with its id and times in seconds since 1970.
    pub fn refresh_token(&self, issued: Issued<'_>, jti: &str, iat: i64, exp: i64) -> String {
        self.sign(TokenType::Refresh, issued, jti, (iat, exp))
    }

    fn sign(
        &self,
        token_type: TokenType,
        issued: Issued<'_>,
        jti: &str,
        (iat, exp): (i64, i64),
    ) -> String {
        let Issued {
            user_id,
            sid,
            origin,
            further: mut claims,
        } = issued;
        claims.insert("token_type".to_owned(), token_type.as_str().into());
        claims.insert("exp".to_owned(), exp.into());
        claims.insert("iat".to_owned(), iat.into());
        claims.insert("jti".to_owned(), jti.into());
        claims.insert("user_id".to_owned(), user_id.clone());
        let issuer = self.issuer(origin);
        // Who verifies without a look at `token_type` must not take a refresh token for an access token:
        // it is for the issuer alone (RFC 8725, section 3.12).
        let is_for_us = token_type == TokenType::Refresh && !self.signs_by.is_hmac();
        let audience = match (
            issuer.filter(|_| is_for_us),
            self.settings.audience.as_slice(),
        ) {
            (Some(issuer), _) => Some(issuer.into()),
            (None, []) => None,
            (None, [one]) => Some(one.as_str().into()),
            (None, several) => Some(several.into()),
        };
        let claim = |text: &str| Value::String(text.to_owned());
        for (name, value) in [
            ("sid", sid.map(claim)),
            ("aud", audience),
            ("iss", issuer.map(claim)),
        ] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value);
            }
        }
        // A map of JSON values has no way to fail, nor has a key that was read once.
        encode(&self.header, &claims, &self.signing_key)
            .expect("claims are JSON and the key is the algorithm's")
    }

    /// The claims of a token, if one of the keys signed it. The algorithm is the key's, and a token
    /// whose header names another is refused (RFC 8725, section 3.1). A token names its key by `kid`;
    /// only where no key has one, `kid` is not looked at, as in SimpleJWT.
    pub fn open(&self, token: &str) -> Option<Signed> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header = json_object(header)?;
        if !understood(&header) {
            return None;
        }
        let (alg, kid) = (header.get("alg")?.as_str()?, header.get("kid"));
        let kid = kid.and_then(Value::as_str);
        let signature = decoded(signature)?;
        let mut keys = self.verifying_keys.iter();
        let kid = keys.any(|key| key.kid.is_some()).then_some(kid);
        let mut keys = self.verifying_keys.iter();
        let key =
            keys.find(|key| key.is_named(alg, kid) && key.signed(message.as_bytes(), &signature))?;
        Some(Signed {
            claims: json_object(claims)?,
            until: key.until,
            is_older: key.is_older,
        })
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
        match signed.claims.get("token_type") {
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
        complete(&signed.claims)
    }

    /// The id of a token that is signed and not expired, whatever else it lacks.
    pub fn token_id<'a>(&self, signed: &'a Signed, now: i64) -> Option<&'a str> {
        self.check_registered(signed, now).ok()?;
        signed.claims.get("jti")?.as_str()
    }

    /// The registered claims (RFC 7519, section 4.1) as PyJWT checks them.
    fn check_registered(&self, signed: &Signed, now: i64) -> Result<(), TokenError> {
        let claims = &signed.claims;
        if now >= signed.until {
            return Err(TokenError::Invalid);
        }
        let may_lack = |name| signed.is_older && !claims.contains_key(name);
        let wanted = &self.settings.audience;
        let is_for_us = claims.get("token_type") == Some(&TokenType::Refresh.as_str().into())
            && claims.contains_key("iss")
            && claims.get("aud") == claims.get("iss");
        if !wanted.is_empty() && !may_lack("aud") && !is_for_us {
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
            && !may_lack("iss")
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

/// What a token is issued to, beside its type and times.
pub struct Issued<'a> {
    /// The `user_id`.
    pub user_id: &'a Value,
    /// The session.
    pub sid: Option<&'a str>,
    /// The address at which the API was asked for it.
    pub origin: Option<&'a str>,
    /// Claims beside those of every token.
    pub further: Map<String, Value>,
}

impl<'a> Issued<'a> {
    /// To a user.
    pub fn to(user_id: &'a Value) -> Self {
        Self {
            user_id,
            sid: None,
            origin: None,
            further: Map::new(),
        }
    }
}

/// 32 hexadecimal digits from the system's random source, as `uuid4().hex`.
pub fn new_jti() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Whether a text may be the id of a session: hexadecimal digits, of [`new_jti`] or of a digest.
/// Anything else names none, and may be no key of the table.
pub fn is_sid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
