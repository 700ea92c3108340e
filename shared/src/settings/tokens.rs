//! Access and refresh tokens: SimpleJWT's settings, by their names.

use super::{Algorithm, KeySource, SettingsError, environment::Environment, keys};

/// Access and refresh tokens: SimpleJWT's settings.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// `SIGNING_KEY`, `SIGNING_KEY_FALLBACKS` and `LINK_KEY`, or `SIGNING_KEY_SECRET_ARN`.
    pub keys: KeySource,
    /// `ALGORITHM` of `SIGNING_KEY`: HS256 (the default), HS384, HS512, RS256, ES256 or EdDSA. A
    /// secret says itself what its keys are of, but for an older form, which has HMAC keys.
    pub algorithm: Algorithm,
    /// `LEGACY_TOKENS_UNTIL`, in seconds since 1970: until when tokens of fallback keys are accepted
    /// that name no key, such as Django's. Unless set, they are where HMAC signs, and only there.
    pub legacy_until: Option<i64>,
    /// `TOKEN_CLAIMS`: what access tokens say of their user; nothing unless set.
    pub claims: Vec<TokenClaim>,
    /// `ACCESS_TOKEN_LIFETIME` in seconds; 300 unless set.
    pub access_lifetime: i64,
    /// `REFRESH_TOKEN_LIFETIME` in seconds; 86,400 unless set.
    pub refresh_lifetime: i64,
    /// `LEEWAY` in seconds for `exp`, `iat` and `nbf`; 0 unless set.
    pub leeway: i64,
    /// `AUDIENCE`: comma-separated; the `aud` that tokens carry, and of which they must carry one.
    /// None unless set.
    pub audience: Vec<String>,
    /// `ISSUER`: the `iss` that tokens carry and must carry. Unless set, tokens of keys that others
    /// can verify carry the address that the API was asked at, and need not carry it.
    pub issuer: Option<String>,
    /// `ROTATE_REFRESH_TOKENS`: whether a refresh gives a new refresh token; no unless set.
    pub rotate: bool,
    /// `BLACKLIST_AFTER_ROTATION`: whether that replaces the one before, and whether a blacklisted
    /// token fails at `token/verify/`; as `rotate` unless set.
    pub blacklist_after_rotation: bool,
    /// `REFRESH_TOKEN_GRACE`: seconds for which a replaced token gives its successor again; 10 unless
    /// set, 0 is SimpleJWT's behaviour.
    pub refresh_grace: i64,
    /// `REFRESH_TOKEN_REUSE`: what the use of a replaced token does after that; `end` unless set.
    pub reuse: Reuse,
    /// `SESSION_MAX_AGE`: seconds from the login after which a session of replaced tokens ends;
    /// 2,592,000 (30 days) unless set.
    pub session_max_age: i64,
}

/// A claim of `TOKEN_CLAIMS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClaim {
    /// `sub`: the user's id as text.
    Sub,
    /// `username`.
    Username,
    /// `email`.
    Email,
    /// `is_staff`.
    IsStaff,
    /// `is_superuser`.
    IsSuperuser,
    /// `groups`: names, in the order of ids.
    Groups,
    /// `permissions`: labels, sorted; none for a superuser, who has all.
    Permissions,
}

impl TokenClaim {
    /// All of them.
    const ALL: [Self; 7] = [
        Self::Sub,
        Self::Username,
        Self::Email,
        Self::IsStaff,
        Self::IsSuperuser,
        Self::Groups,
        Self::Permissions,
    ];

    /// Its name in a token.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::Username => "username",
            Self::Email => "email",
            Self::IsStaff => "is_staff",
            Self::IsSuperuser => "is_superuser",
            Self::Groups => "groups",
            Self::Permissions => "permissions",
        }
    }

    fn read(name: &str) -> Result<Self, SettingsError> {
        let found = Self::ALL.into_iter().find(|claim| claim.name() == name);
        found.ok_or_else(|| {
            let all = Self::ALL.map(Self::name).join(", ");
            SettingsError::new(format!("TOKEN_CLAIMS: {name} is not one of {all}"))
        })
    }
}

/// What the use of a replaced refresh token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// `end`: it ends the session, since somebody has a copy of its tokens.
    End,
    /// `refuse`: it is refused, as by SimpleJWT.
    Refuse,
}

impl TokenSettings {
    pub(super) fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let rotate = env.flag("ROTATE_REFRESH_TOKENS")?;
        Ok(Self {
            keys: KeySource::read(env)?,
            algorithm: keys::algorithm(env)?,
            legacy_until: env.time("LEGACY_TOKENS_UNTIL")?,
            claims: env
                .list("TOKEN_CLAIMS")
                .iter()
                .map(|name| TokenClaim::read(name))
                .collect::<Result<_, _>>()?,
            access_lifetime: env.seconds("ACCESS_TOKEN_LIFETIME", 1, 300)?,
            refresh_lifetime: env.seconds("REFRESH_TOKEN_LIFETIME", 1, 86_400)?,
            leeway: env.seconds("LEEWAY", 0, 0)?,
            audience: env.list("AUDIENCE"),
            issuer: env.get("ISSUER"),
            rotate,
            blacklist_after_rotation: env.flag_or("BLACKLIST_AFTER_ROTATION", rotate)?,
            refresh_grace: env.seconds("REFRESH_TOKEN_GRACE", 0, 10)?,
            reuse: match env.get("REFRESH_TOKEN_REUSE").as_deref() {
                None | Some("end") => Reuse::End,
                Some("refuse") => Reuse::Refuse,
                Some(_) => {
                    let text = "REFRESH_TOKEN_REUSE is neither end nor refuse";
                    return Err(SettingsError::new(text));
                }
            },
            session_max_age: env.seconds("SESSION_MAX_AGE", 1, 2_592_000)?,
        })
    }
}
