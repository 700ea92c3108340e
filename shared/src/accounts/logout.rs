//! What the owner of a refresh token ends: the token alone, or its session.

use super::{
    Refused,
    sessions::{blacklisted_until, is_used_up},
};
use crate::{
    app::App,
    jwt::{Claims, TokenError},
    telemetry::{Event, Happening, note_event},
};

/// Blacklists a verified refresh token (SimpleJWT's `token/blacklist/`). Access tokens live on.
///
/// # Errors
/// It was used up before, or the table's failure.
pub async fn blacklist(app: &App, claims: &Claims) -> Result<(), Refused> {
    refuse_used_up(app, claims).await?;
    let until = blacklisted_until(app, claims);
    if !app.store.blacklist(&claims.jti, until).await? {
        return Err(Refused::Token(TokenError::Blacklisted));
    }
    note_end(claims, "blacklisted");
    Ok(())
}

/// Notes that its user ended the session of a refresh token.
fn note_end(claims: &Claims, reason: &'static str) {
    let ended = Happening::from(Event::SessionEnd).of(claims.user_id());
    let ended = ended.by_oneself().because(reason);
    note_event(match &claims.sid {
        Some(sid) => ended.in_session(sid),
        None => ended,
    });
}

async fn refuse_used_up(app: &App, claims: &Claims) -> Result<(), Refused> {
    if claims.sid.is_some() && is_used_up(app, claims).await? {
        return Err(Refused::Token(TokenError::Blacklisted));
    }
    Ok(())
}

/// Ends the session of a verified refresh token, with its access tokens.
///
/// # Errors
/// As [`blacklist`].
pub async fn log_out(app: &App, claims: &Claims) -> Result<(), Refused> {
    refuse_used_up(app, claims).await?;
    let (jti, until) = (&claims.jti, blacklisted_until(app, claims));
    let is_new = match (claims.user_id(), &claims.sid) {
        // In one step: half of it would leave access tokens that nobody can end with this one.
        (Some(user), Some(sid)) => app.store.log_out(user, sid, jti, until).await?,
        _ => app.store.blacklist(jti, until).await?,
    };
    if !is_new {
        return Err(Refused::Token(TokenError::Blacklisted));
    }
    note_end(claims, "logout");
    Ok(())
}
