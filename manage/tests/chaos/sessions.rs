//! What a client does with logins and sessions.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testkit::{Answer, NOBODY};

use crate::{client::Client, person::Session};

impl Client {
    pub async fn log_in(&mut self, place: usize) -> &'static str {
        let person = self.people[place].clone();
        let body = json!({"username": person.username, "password": person.password});
        let told = self.send(NOBODY, "POST", "login/", body).await;
        match told.status() {
            200 if person.is_active => {
                let session = session_of(&told.answer);
                self.people[place].sessions.push(session);
                self.forget_some(place);
            }
            401 if !person.is_active => {}
            _ if told.is_open() => {}
            _ => self.wrong((&told, &person)),
        }
        "log in"
    }

    /// Sessions that ended are looked at a few times, and then forgotten.
    pub fn forget_some(&mut self, place: usize) {
        let sessions = &mut self.people[place].sessions;
        if sessions.len() > 6 {
            let ended = sessions.iter().position(|session| !session.is_live);
            sessions.remove(ended.unwrap_or(0));
        }
    }

    pub async fn mistype(&mut self, place: usize) -> &'static str {
        let (username, password) = (self.people[place].username.clone(), self.password());
        let body = json!({"username": username, "password": password});
        let told = self.send(NOBODY, "POST", "login/", body).await;
        self.must(told.status() == 401 || told.is_open(), &told);
        "mistype"
    }

    /// A session of a user, live or not.
    pub fn session(&mut self, place: usize) -> Option<usize> {
        let count = self.people[place].sessions.len();
        (count > 0).then(|| self.one_of(count))
    }

    pub async fn refresh(&mut self, place: usize) -> &'static str {
        let Some(at) = self.session(place) else {
            return self.log_in(place).await;
        };
        let session = self.people[place].sessions[at].clone();
        let body = json!({"refresh": session.refresh});
        let told = self.send(NOBODY, "POST", "token/refresh/", body).await;
        match told.status() {
            200 if session.is_live => {
                let body = &told.answer.body;
                let session = &mut self.people[place].sessions[at];
                session.access = told.answer.field("access");
                if body["refresh"].is_string() {
                    session.refresh = told.answer.field("refresh");
                }
            }
            401 if !session.is_live => {}
            _ if told.is_open() => {}
            _ => self.wrong((&told, &session, &self.people[place])),
        }
        "refresh"
    }

    /// The user looks at their own profile.
    pub async fn look(&mut self, place: usize) -> &'static str {
        let Some(at) = self.session(place) else {
            return self.log_in(place).await;
        };
        let session = self.people[place].sessions[at].clone();
        let told = self
            .send(&session.access, "GET", "users/me/", Value::Null)
            .await;
        match told.status() {
            200 if session.is_live => {
                let expected = self.profile(place);
                self.must(told.answer.body == expected, (&told, &expected));
            }
            401 if !session.is_live => {}
            _ if told.is_open() => {}
            _ => self.wrong((&told, &session, &self.people[place])),
        }
        "look"
    }

    pub fn profile(&self, place: usize) -> Value {
        self.people[place].profile(|id| self.group_name(id))
    }

    /// Whether a session lets its user in, in truth.
    pub async fn lets_in(&self, session: &Session) -> bool {
        let truth = &self.world.truth;
        let answer = truth.get(&session.access, "users/me/").await;
        let body = json!({"refresh": session.refresh});
        let refreshed = truth.post(NOBODY, "token/refresh/", body).await;
        let both = (answer.status, refreshed.status);
        match both {
            (200, 200) => true,
            (401, 401) => false,
            _ => self.wrong(("half a session", both, session)),
        }
    }

    pub async fn log_out(&mut self, place: usize) -> &'static str {
        let Some(at) = self.session(place) else {
            return self.log_in(place).await;
        };
        let session = self.people[place].sessions[at].clone();
        let body = json!({"refresh": session.refresh});
        let told = self.send(NOBODY, "POST", "logout/", body).await;
        let is_live = match told.status() {
            200 if session.is_live => false,
            401 if !session.is_live || told.again => false,
            _ if told.is_open() || told.status() == 409 => {
                session.is_live && self.lets_in(&session).await
            }
            _ => self.wrong((&told, &session)),
        };
        self.people[place].sessions[at].is_live = is_live;
        if !is_live {
            self.must(!self.lets_in(&session).await, ("still in", &session));
        }
        "log out"
    }

    /// Whether all sessions but one have ended, in truth: it is all or none of them.
    pub async fn have_ended(&self, place: usize, but: Option<usize>) -> Option<bool> {
        let mut found = None;
        for (at, session) in self.people[place].sessions.iter().enumerate() {
            if session.is_live && Some(at) != but {
                let has_ended = !self.lets_in(session).await;
                self.must(
                    found.is_none_or(|it| it == has_ended),
                    ("some of them", session),
                );
                found = Some(has_ended);
            }
        }
        found
    }

    pub async fn end_others(&mut self, place: usize) -> &'static str {
        let Some(at) = self.session(place) else {
            return self.log_in(place).await;
        };
        let session = self.people[place].sessions[at].clone();
        let told = self
            .send(&session.access, "DELETE", "sessions/", Value::Null)
            .await;
        match told.status() {
            204 if session.is_live => self.people[place].end_sessions(Some(at)),
            401 if !session.is_live => {}
            _ if told.is_open() || told.status() == 409 => {
                if session.is_live && self.have_ended(place, Some(at)).await == Some(true) {
                    self.people[place].end_sessions(Some(at));
                }
            }
            _ => self.wrong((&told, &session)),
        }
        "end others"
    }

    /// Ends a session by its id, in another session.
    pub async fn end_one(&mut self, place: usize) -> &'static str {
        let (Some(by), Some(at)) = (self.session(place), self.session(place)) else {
            return self.log_in(place).await;
        };
        let sessions = &self.people[place].sessions;
        let (own, ended) = (sessions[by].clone(), sessions[at].clone());
        if !own.is_live || !ended.is_live || by == at {
            return "nothing";
        }
        let path = format!("sessions/{}/", ended.sid);
        let told = self.send(&own.access, "DELETE", &path, Value::Null).await;
        let is_live = match told.status() {
            204 => false,
            404 if told.again => false,
            _ if told.is_open() => self.lets_in(&ended).await,
            _ => self.wrong((&told, &ended)),
        };
        self.people[place].sessions[at].is_live = is_live;
        if !is_live {
            self.must(!self.lets_in(&ended).await, ("still in", &ended));
        }
        "end one"
    }
}

fn session_of(answer: &Answer) -> Session {
    let access = answer.field("access");
    let claims = access.split('.').nth(1).expect("claims");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    Session {
        sid: claims["sid"].as_str().expect("a session").to_owned(),
        access,
        refresh: answer.field("refresh"),
        is_live: true,
    }
}
