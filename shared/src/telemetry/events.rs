//! What happens to accounts, as far as somebody looks for it later: counted, and each a log line of
//! its own. Never a password, a token, or a name that was typed: people type passwords there.

use std::net::IpAddr;

use crate::domain::{Actor, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A login that gave tokens or a session of the admin pages.
    Login,
    /// A login that was refused.
    FailedLogin,
    /// A login that was refused unchecked, after too many failed ones.
    ThrottledLogin,
    /// A new account by registration.
    Registration,
    /// A refresh token that gave an access token: counted, but no line of its own.
    Refresh,
    /// A refresh token that was replaced and is used again.
    RefreshReuse,
    /// A new password, which ends all sessions.
    PasswordChange,
    /// A new username by its user: by the password, or a link.
    UsernameChange,
    /// A mail that somebody asked for by an address.
    MailAsked,
    /// An account that was activated, or whose new address was confirmed, by a link.
    Activation,
    /// The end of one session, by its user or for them.
    SessionEnd,
    /// The end of all sessions of a user.
    SessionsEnd,
    /// A request that its caller may not make.
    Refusal,
    /// A request after too many others.
    Throttled,
}

impl Event {
    /// The metric that counts it, if one does.
    pub(super) fn metric(self) -> Option<&'static str> {
        Some(match self {
            Self::Login => "Logins",
            Self::FailedLogin => "FailedLogins",
            Self::ThrottledLogin => "ThrottledLogins",
            Self::Registration => "Registrations",
            Self::Refresh => "Refreshes",
            Self::RefreshReuse => "RefreshReuse",
            _ => return None,
        })
    }

    /// Its name in the log and its text, if it has a line there.
    fn line(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Login => ("login", "a user logged in"),
            Self::FailedLogin => ("login.failed", "a login failed"),
            Self::ThrottledLogin => ("login.throttled", "a login was refused unchecked"),
            Self::Registration => ("registration", "a user registered"),
            Self::Refresh => return None,
            Self::RefreshReuse => ("token.reused", "a replaced refresh token was used"),
            Self::PasswordChange => ("password.changed", "a password was changed"),
            Self::UsernameChange => ("username.changed", "a username was changed"),
            Self::MailAsked => ("mail.asked", "a mail was asked for"),
            Self::Activation => (
                "account.activated",
                "an account or an address was confirmed",
            ),
            Self::SessionEnd => ("session.ended", "a session was ended"),
            Self::SessionsEnd => ("sessions.ended", "all sessions of a user were ended"),
            Self::Refusal => ("refused", "a request was refused"),
            Self::Throttled => ("throttled", "a request was refused after too many others"),
        })
    }

    /// Whether it may be an attack.
    fn is_warning(self) -> bool {
        use Event::{FailedLogin, RefreshReuse, Refusal, Throttled, ThrottledLogin};
        matches!(
            self,
            FailedLogin | ThrottledLogin | RefreshReuse | Refusal | Throttled
        )
    }

    /// The event of an account.
    pub fn of(self, id: UserId) -> Happening {
        Happening::from(self).of(Some(id))
    }

    /// The event for a reason.
    pub fn because(self, reason: &'static str) -> Happening {
        Happening::from(self).because(reason)
    }
}

/// An event with what is known of it.
#[derive(Clone, Debug)]
pub struct Happening {
    pub(super) event: Event,
    pub(super) sid: Option<String>,
    user: Option<UserId>,
    actor: Option<String>,
    reason: Option<&'static str>,
}

impl From<Event> for Happening {
    fn from(event: Event) -> Self {
        Self {
            event,
            sid: None,
            user: None,
            actor: None,
            reason: None,
        }
    }
}

impl Happening {
    /// Whose account it is about, if that exists.
    #[must_use]
    pub fn of(self, user: Option<UserId>) -> Self {
        Self { user, ..self }
    }

    /// Who did it, if they are known.
    #[must_use]
    pub fn by(self, actor: Actor<'_>) -> Self {
        let actor = Some(actor.to_string());
        Self { actor, ..self }
    }

    /// Its user did it.
    #[must_use]
    pub fn by_oneself(self) -> Self {
        let actor = self.user.map(|id| format!("user {id}"));
        Self { actor, ..self }
    }

    /// Which session it is about.
    #[must_use]
    pub fn in_session(self, sid: &str) -> Self {
        let sid = Some(sid.to_owned());
        Self { sid, ..self }
    }

    /// The class of its reason.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        let reason = Some(reason);
        Self { reason, ..self }
    }

    /// Writes its line, in the form that the place where the service runs needs. A refusal is about
    /// the caller of its request.
    pub(super) fn write(&self, request: &Origin<'_>, caller: Option<UserId>) {
        if matches!(self.event, Event::Refusal | Event::Throttled) {
            self.clone().of(caller).by_oneself().write_line(request);
        } else {
            self.write_line(request);
        }
    }

    fn write_line(&self, request: &Origin<'_>) {
        let Some((event, text)) = self.event.line() else {
            return;
        };
        let Origin {
            address,
            request_id,
            api_request_id,
            method,
            route,
            status,
        } = *request;
        let address = address.map(tracing::field::display);
        let user = self.user.map(|id| id.0);
        let actor = self.actor.as_deref().unwrap_or("anonymous");
        let (sid, reason) = (self.sid.as_deref(), self.reason);
        // The level is part of what a macro makes at compile time.
        macro_rules! write {
            ($level:ident) => {
                tracing::$level!(
                    target: "security", event, userId = user, actor, sid, reason, address, method,
                    route, status, requestId = request_id, apiRequestId = api_request_id, "{text}"
                )
            };
        }
        if self.event.is_warning() {
            write!(warn);
        } else {
            write!(info);
        }
    }
}

/// The request in which an event happened.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) request_id: Option<&'a str>,
    pub(super) api_request_id: Option<&'a str>,
    pub(super) method: &'a str,
    pub(super) route: &'a str,
    pub(super) status: u16,
}
