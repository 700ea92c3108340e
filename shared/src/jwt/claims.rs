//! What a token says, as SimpleJWT and PyJWT read it.

use serde_json::{Map, Value};

use super::{TokenError, is_sid};
use crate::{domain::UserId, python};

/// The claims of a verified token.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The token's id.
    pub jti: String,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// When it was issued; SimpleJWT asks for none.
    pub iat: Option<i64>,
    /// The session it belongs to. Tokens of Django and of older versions have none.
    pub sid: Option<String>,
    user_id: Option<Value>,
    further: Map<String, Value>,
}

/// What a refresh hands on from token to token, as it stands.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The `user_id` claim: a text, or in tokens of Django perhaps an integer.
    pub user_id: Value,
    /// The claims that a site added to its tokens of SimpleJWT.
    pub further: Map<String, Value>,
}

impl From<UserId> for Holder {
    fn from(id: UserId) -> Self {
        Self {
            user_id: Value::String(id.to_string()),
            further: Map::new(),
        }
    }
}

/// The claims that are made anew for each token.
const OWN_CLAIMS: [&str; 9] = [
    "token_type",
    "exp",
    "iat",
    "nbf",
    "jti",
    "user_id",
    "sid",
    "aud",
    "iss",
];

impl Claims {
    /// Whether the token names a user at all.
    pub fn names_a_user(&self) -> bool {
        self.user_id.is_some()
    }

    /// What a refresh hands on; a token that names nobody is a user's whose id is given.
    pub fn holder(&self, id: UserId) -> Holder {
        let user_id = self.user_id.clone();
        Holder {
            user_id: user_id.unwrap_or_else(|| Value::String(id.to_string())),
            further: self.further.clone(),
        }
    }

    /// The user it names: a text or an integer. A value that is no id is `None`.
    pub fn user_id(&self) -> Option<UserId> {
        let digits = match self.user_id.as_ref()? {
            Value::String(text) => python::int(text)?,
            Value::Number(number) => number.as_u64()?.to_string(),
            _ => return None,
        };
        digits.parse().ok().map(UserId)
    }
}

/// The last second of the year 9999, past which SimpleJWT's dates do not go.
pub(super) const LAST_DATE: i64 = 253_402_300_799;

/// The claims that SimpleJWT asks of every token.
pub(super) fn complete(claims: &Map<String, Value>) -> Result<Claims, TokenError> {
    let exp = integer(claims, "exp")?.ok_or(TokenError::NoExp)?;
    if exp > LAST_DATE || claims.get("exp").is_some_and(Value::is_string) {
        return Err(TokenError::Invalid);
    }
    let iat = integer(claims, "iat")?;
    let Some(Value::String(jti)) = claims.get("jti") else {
        return Err(TokenError::NoId);
    };
    let sid = claims.get("sid").and_then(Value::as_str);
    if !sid.is_none_or(is_sid) {
        return Err(TokenError::Invalid);
    }
    Ok(Claims {
        jti: jti.clone(),
        exp,
        iat,
        user_id: claims.get("user_id").cloned(),
        further: claims
            .iter()
            .filter(|(name, _)| !OWN_CLAIMS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        sid: sid.map(str::to_owned),
    })
}

/// A NumericDate as PyJWT reads it: what Python's `int()` takes.
pub(super) fn integer(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, TokenError> {
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
