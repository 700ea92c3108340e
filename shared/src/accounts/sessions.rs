//! Sessions of the API: a login begins one, its refresh tokens go on with it; [`super::logout`] ends it.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{Refused, left_undone, mails::owed};
use crate::{
    app::App,
    domain::User,
    jwt::{Claims, Holder, Issued, Jwt, TokenError, new_jti},
    mail,
    settings::{Reuse, TokenClaim},
    store::{
        sessions::{Kind, Session},
        tokens::TokenState,
    },
    telemetry::{Event, note_event, note_session, note_user},
};

/// Where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The source address.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header, at most 255 characters of it.
    pub user_agent: Option<String>,
    /// The address at which it asks the API, such as `https://api.example.com`.
    pub origin: Option<String>,
}

/// A pair of tokens.
pub struct Tokens {
    /// The refresh token; absent where a refresh leaves it as it is.
    pub refresh: Option<String>,
    /// The access token.
    pub access: String,
}

/// A session of a user that begins now, and ends after `age` seconds.
pub fn new(user: &User, kind: Kind, sid: String, client: &Client, now: i64, age: i64) -> Session {
    Session {
        user_id: user.id,
        sid,
        kind,
        epoch: user.epoch,
        valid_after: user.tokens_valid_after,
        staff_epoch: user.staff_epoch,
        created: now,
        last_used: now,
        expires: now + age,
        ttl: now + age,
        address: client.address.map(|address| address.to_string()),
        user_agent: client.user_agent.clone(),
        current: None,
        previous: None,
        rotated_at: None,
    }
}

/// Begins a session of the API, and gives its tokens.
///
/// # Errors
/// The table's failure.
pub async fn begin(app: &App, jwt: &Jwt, user: &User, client: &Client) -> Result<Tokens, Refused> {
    let make = || of_the_api(app, user, client);
    let session = app.store.begin_session(make).await?;
    first_tokens(app, jwt, user, &user.id.into(), &session, client).await
}

/// A session of the API that begins now.
fn of_the_api(app: &App, user: &User, client: &Client) -> Session {
    let now = app.clock.now();
    let age = app.settings.tokens.refresh_lifetime;
    let mut session = new(user, Kind::Api, new_jti(), client, now, age);
    session.current = Some(new_jti());
    session.rotated_at = Some(now);
    extend(app, &mut session, now);
    session
}

async fn first_tokens(
    app: &App,
    jwt: &Jwt,
    user: &User,
    holder: &Holder,
    session: &Session,
    client: &Client,
) -> Result<Tokens, Refused> {
    note_session(&session.sid);
    Ok(Tokens {
        refresh: Some(refresh_token(jwt, session, holder, client)),
        access: access_token(app, jwt, user, holder, Some(&session.sid), client).await?,
    })
}

/// What access tokens say of a user by `TOKEN_CLAIMS`, as they are now.
async fn claims_of(app: &App, user: &User) -> Result<Map<String, Value>, Refused> {
    let wanted = &app.settings.tokens.claims;
    let is_of_groups = |claim| matches!(claim, TokenClaim::Groups | TokenClaim::Permissions);
    let (groups, held) = match wanted.iter().copied().any(is_of_groups) {
        true => app.store.groups_and_permissions(user).await?,
        false => Default::default(),
    };
    let value = |claim| match claim {
        TokenClaim::Sub => user.id.to_string().into(),
        TokenClaim::Username => user.username.as_str().into(),
        TokenClaim::Email => user.email.as_str().into(),
        TokenClaim::IsStaff => user.is_staff.into(),
        TokenClaim::IsSuperuser => user.is_superuser.into(),
        TokenClaim::Groups => groups.iter().map(|group| group.name.as_str()).collect(),
        TokenClaim::Permissions => held.keys().map(String::as_str).collect(),
    };
    let all = wanted.iter().copied();
    Ok(all
        .map(|claim| (claim.name().to_owned(), value(claim)))
        .collect())
}

/// Sets when a session ends whose refresh token is issued now.
fn extend(app: &App, session: &mut Session, now: i64) {
    let settings = &app.settings.tokens;
    session.expires = now + settings.refresh_lifetime;
    if settings.rotate {
        let last = session.created.saturating_add(settings.session_max_age);
        session.expires = session.expires.min(last);
    }
    // Its last access token outlives its last refresh token.
    session.ttl = session.expires + settings.access_lifetime + settings.leeway;
}

/// The present refresh token of a session, which is the same whenever it is asked for.
fn refresh_token(jwt: &Jwt, session: &Session, holder: &Holder, client: &Client) -> String {
    let jti = session.current.as_deref().unwrap_or_default();
    let iat = session.rotated_at.unwrap_or(session.created);
    let issued = Issued {
        user_id: &holder.user_id,
        sid: Some(&session.sid),
        origin: client.origin.as_deref(),
        further: holder.further.clone(),
    };
    jwt.refresh_token(issued, jti, iat, session.expires)
}

/// What a refresh token is to its session.
#[derive(PartialEq)]
enum Standing {
    /// One that goes on.
    Current,
    /// The one before, of late.
    Previous,
    /// One that was replaced.
    Replaced,
    /// The session has ended.
    Ended,
}

/// Whether a refresh token is not the last one of a session that is there.
fn was_replaced(app: &App, session: Option<&Session>, jti: &str) -> bool {
    let is_last = |session: &Session| session.current.as_deref() == Some(jti);
    !keeps_all(app) && session.is_some_and(|session| !is_last(session))
}

/// Whether a session goes on with each refresh token that it has ever had.
fn keeps_all(app: &App) -> bool {
    app.settings.tokens.rotate && !app.settings.tokens.blacklist_after_rotation
}

fn standing(app: &App, session: Option<&Session>, user: &User, jti: &str) -> Standing {
    let now = app.clock.now();
    let Some(session) = session.filter(|session| session.is_live(user, now)) else {
        return Standing::Ended;
    };
    let grace = app.settings.tokens.refresh_grace;
    let is_late = session
        .rotated_at
        .is_none_or(|at| now.saturating_sub(at) >= grace);
    if session.current.as_deref() == Some(jti) || keeps_all(app) {
        Standing::Current
    } else if session.previous.as_deref() == Some(jti) && !is_late {
        Standing::Previous
    } else {
        Standing::Replaced
    }
}

/// The tokens that a verified refresh token gives. With rotation the token is replaced, by one
/// conditional write, so that parallel uses of it never start two chains.
///
/// # Errors
/// The token is blacklisted or was replaced, its session has ended, its user is deleted or
/// deactivated, or the table's failure.
pub async fn refresh(
    app: &App,
    jwt: &Jwt,
    claims: &Claims,
    client: &Client,
) -> Result<Tokens, Refused> {
    let (jti, sid) = (claims.jti.as_str(), claims.sid.as_deref());
    let state = app.store.token_state(jti, claims.user_id(), sid).await?;
    if state.is_blacklisted {
        return Err(Refused::Token(TokenError::Blacklisted));
    }
    let user = active(app, state.user, state.session.as_ref(), jti)?;
    note_user(user.id);
    let tokens = match (sid, state.session) {
        (None, _) => of_no_session(app, jwt, claims, &user, client).await?,
        (Some(_), None) => return Err(Refused::Token(TokenError::Blacklisted)),
        (Some(_), Some(session)) => of_session(app, jwt, claims, user, session, client).await?,
    };
    note_event(Event::Refresh);
    Ok(tokens)
}

/// The user of a refresh token, who must be active.
fn active(
    app: &App,
    user: Option<User>,
    session: Option<&Session>,
    jti: &str,
) -> Result<User, Refused> {
    if user.is_none() && was_replaced(app, session, jti) {
        return Err(Refused::Token(TokenError::Blacklisted));
    }
    let user = user.filter(|user| user.is_active);
    user.ok_or(Refused::NoActiveAccount)
}

/// An access token, of a session or of none, which says of the user what is so now.
async fn access_token(
    app: &App,
    jwt: &Jwt,
    user: &User,
    holder: &Holder,
    sid: Option<&str>,
    client: &Client,
) -> Result<String, Refused> {
    let mut further = holder.further.clone();
    further.extend(claims_of(app, user).await?);
    let issued = Issued {
        user_id: &holder.user_id,
        sid,
        origin: client.origin.as_deref(),
        further,
    };
    Ok(jwt.access(issued, app.clock.now()))
}

/// A token of Django or of an older version: with rotation it begins a session.
async fn of_no_session(
    app: &App,
    jwt: &Jwt,
    claims: &Claims,
    user: &User,
    client: &Client,
) -> Result<Tokens, Refused> {
    if !user.accepts_token_of(claims.iat) {
        return Err(Refused::Token(TokenError::Invalid));
    }
    let holder = claims.holder(user.id);
    if !app.settings.tokens.rotate {
        return Ok(Tokens {
            refresh: None,
            access: access_token(app, jwt, user, &holder, None, client).await?,
        });
    }
    let session = if keeps_all(app) {
        let make = || of_the_api(app, user, client);
        app.store.begin_session(make).await?
    } else {
        let session = of_the_api(app, user, client);
        let (jti, until) = (&claims.jti, blacklisted_until(app, claims));
        if !app.store.begin_session_for(&session, jti, until).await? {
            return Err(Refused::Token(TokenError::Blacklisted));
        }
        session
    };
    first_tokens(app, jwt, user, &holder, &session, client).await
}

async fn of_session(
    app: &App,
    jwt: &Jwt,
    claims: &Claims,
    mut user: User,
    mut session: Session,
    client: &Client,
) -> Result<Tokens, Refused> {
    let now = app.clock.now();
    let rotates = app.settings.tokens.rotate;
    let mut standing_now = standing(app, Some(&session), &user, &claims.jti);
    if standing_now == Standing::Current && rotates {
        let mut next = session.clone();
        next.previous = Some(claims.jti.clone());
        next.current = Some(new_jti());
        (next.rotated_at, next.last_used) = (Some(now), now);
        extend(app, &mut next, now);
        let replaced = (!keeps_all(app)).then_some(claims.jti.as_str());
        if app.store.rotate_session(&next, replaced).await? {
            session = next;
        } else {
            // Another use of the token was first, unless it was this one, whose answer was lost.
            let (there, now) = app.store.session_and_user(user.id, &session.sid).await?;
            user = active(app, now, there.as_ref(), &claims.jti)?;
            session = there.ok_or(Refused::Token(TokenError::Blacklisted))?;
            if session.current != next.current {
                standing_now = standing(app, Some(&session), &user, &claims.jti);
            }
        }
    } else if standing_now == Standing::Current {
        left_undone(app.store.use_session(&session, i64::MAX).await);
    }
    match standing_now {
        Standing::Current | Standing::Previous => {
            let (holder, sid) = (claims.holder(user.id), Some(session.sid.as_str()));
            Ok(Tokens {
                refresh: rotates.then(|| refresh_token(jwt, &session, &holder, client)),
                access: access_token(app, jwt, &user, &holder, sid, client).await?,
            })
        }
        Standing::Ended => Err(Refused::Token(TokenError::Blacklisted)),
        Standing::Replaced => {
            reused(app, &user, &session).await?;
            Err(Refused::Token(TokenError::Blacklisted))
        }
    }
}

/// A token that was replaced is used again: somebody has a copy of it.
async fn reused(app: &App, user: &User, session: &Session) -> Result<(), Refused> {
    let (id, sid) = (session.user_id, session.sid.as_str());
    note_event(Event::RefreshReuse.of(id).in_session(sid));
    if app.settings.tokens.reuse != Reuse::End {
        return Ok(());
    }
    // Told of the session that ends: where and by what it was begun.
    let begun = Client {
        address: session.address.as_ref().and_then(|text| text.parse().ok()),
        user_agent: session.user_agent.clone(),
        origin: None,
    };
    let told = owed(
        &app.store,
        mail::Kind::SessionEnded,
        user,
        &user.email,
        &begun,
    )?;
    let more = told.into_iter().collect();
    if app.store.end_session_with(id, sid, more).await? {
        note_event(Event::SessionEnd.of(id).in_session(sid).because("reuse"));
    }
    Ok(())
}

/// Whether a verified refresh token is good for nothing any more: blacklisted, replaced, or of an
/// ended session.
///
/// # Errors
/// The table's failure.
pub async fn is_used_up(app: &App, claims: &Claims) -> Result<bool, Refused> {
    let (jti, sid) = (claims.jti.as_str(), claims.sid.as_deref());
    let TokenState {
        is_blacklisted,
        session,
        user,
    } = app.store.token_state(jti, claims.user_id(), sid).await?;
    if is_blacklisted || sid.is_none() {
        return Ok(is_blacklisted);
    }
    // Where SimpleJWT looks for a blacklisted token, it does not look for the user.
    let Some(user) = user else {
        return Ok(was_replaced(app, session.as_ref(), jti));
    };
    let standing = standing(app, session.as_ref(), &user, jti);
    Ok(matches!(standing, Standing::Replaced | Standing::Ended))
}

/// Until when a blacklisted token must be known, in seconds since 1970.
pub(super) fn blacklisted_until(app: &App, claims: &Claims) -> i64 {
    claims.exp.saturating_add(app.settings.tokens.leeway)
}
