//! One client: it does something by chance with its own users, groups and permissions, and knows what
//! must come of it.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use shared::{
    clock::Clock,
    domain::{User, UserId},
    mail::links::uid,
};
use testkit::{Answer, Client as Http, NOBODY, Pages, Server, detail, user_path};

use crate::{
    person::{Person, Session},
    rights::{Group, Permission},
};

/// How often a request is sent again that was answered 503.
const PATIENT: usize = 4;

/// What all clients share.
pub struct World {
    pub server: Server,
    /// The same service on a table without faults, which tells what is true.
    pub truth: Http,
}

impl World {
    pub async fn of(server: Server, settings: &[(&str, &str)]) -> Self {
        let truth = server.beside(settings, Clock::System).await;
        Self { server, truth }
    }
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    done: BTreeMap<&'static str, u64>,
    unanswered: u64,
    given_up: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.done {
            *self.done.entry(what).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.given_up += other.given_up;
    }
}

/// The last answer to a request that was sent until it was not a 503.
#[derive(Debug)]
pub struct Told {
    pub answer: Answer,
    /// Whether a try before was not answered, and so may have done it.
    pub again: bool,
}

impl Told {
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether nothing was ever answered.
    pub fn is_open(&self) -> bool {
        self.status() == 503 || self.again && self.status() == 409
    }
}

/// One client.
pub struct Client {
    pub world: Arc<World>,
    pub number: u64,
    pub chance: StdRng,
    names: u64,
    pub people: Vec<Person>,
    pub groups: BTreeMap<u64, Group>,
    pub permissions: BTreeMap<u64, Permission>,
    browser: Option<Pages>,
    pub counts: Counts,
    /// What was done last, for who reads of a failure.
    last: Vec<String>,
}

impl Client {
    pub fn new(world: Arc<World>, seed: u64, number: u64) -> Self {
        Self {
            world,
            number,
            chance: StdRng::seed_from_u64(seed.wrapping_mul(1000) + number),
            names: 0,
            people: Vec::new(),
            groups: BTreeMap::new(),
            permissions: BTreeMap::new(),
            browser: None,
            counts: Counts::default(),
            last: Vec::new(),
        }
    }

    /// A name that nobody else has.
    pub fn name(&mut self) -> String {
        self.names += 1;
        format!("c{}n{}", self.number, self.names)
    }

    pub fn admin(&self) -> User {
        self.world.server.admin.clone()
    }

    /// One of several, by chance.
    pub fn one_of(&mut self, several: usize) -> usize {
        self.chance.random_range(0..several)
    }

    /// Sends a request until it is answered otherwise than by 503, some times at most.
    pub async fn send(&mut self, who: &str, method: &str, path: &str, body: Value) -> Told {
        let server = Arc::clone(&self.world);
        let mut again = false;
        loop {
            let answer = server.server.ask(who, method, path, body.clone()).await;
            self.note(format!(
                "{method} {path} {body}: {} {}",
                answer.status, answer.text
            ));
            assert_ne!(answer.status, 500, "{method} {path}: {answer:?}");
            if answer.status != 503 {
                return Told { answer, again };
            }
            let text = detail("Service temporarily unavailable, try again later.");
            assert_eq!(
                (&answer.body, answer.header("retry-after")),
                (&text, Some("1"))
            );
            self.counts.unanswered += 1;
            if again && self.chance.random_ratio(1, PATIENT as u32) {
                self.counts.given_up += 1;
                return Told { answer, again };
            }
            again = true;
        }
    }

    /// The same by the admin.
    pub async fn send_as_admin(&mut self, method: &str, path: &str, body: Value) -> Told {
        let token = self.token_of_admin();
        self.send(&token, method, path, body).await
    }

    fn token_of_admin(&self) -> String {
        let admin = &self.world.server.admin;
        self.world
            .server
            .issue(shared::jwt::TokenType::Access, admin)
    }

    pub fn note(&mut self, what: String) {
        self.last.push(what);
        if self.last.len() > 12 {
            self.last.remove(0);
        }
    }

    /// What goes against the model ends the test.
    #[track_caller]
    pub fn wrong(&self, what: impl Debug) -> ! {
        let last = self.last.join("\n");
        panic!("client {}: {what:?}\nafter\n{last}", self.number)
    }

    #[track_caller]
    pub fn must(&self, holds: bool, what: impl Debug) {
        if !holds {
            self.wrong(what);
        }
    }

    fn done(&mut self, what: &'static str) {
        *self.counts.done.entry(what).or_default() += 1;
    }

    /// One thing by chance.
    pub async fn step(&mut self) {
        if self.people.len() < 2 {
            return self.register().await;
        }
        let place = self.one_of(self.people.len());
        let draw = self.one_of(100);
        let what = match draw {
            0..8 => self.log_in(place).await,
            8..10 => self.mistype(place).await,
            10..20 => self.refresh(place).await,
            20..25 => self.log_out(place).await,
            25..28 => self.end_others(place).await,
            28..32 => self.end_one(place).await,
            32..42 => self.look(place).await,
            42..50 => self.change_profile(place).await,
            50..54 => self.set_password(place).await,
            54..57 => self.reset_password(place).await,
            57..65 => self.assign_groups(place).await,
            65..67 => self.assign_many_groups(place).await,
            67..71 => self.activate(place).await,
            71..73 => self.promote(place).await,
            73..76 => self.delete(place).await,
            76..80 => self.make_group().await,
            80..83 => self.change_group().await,
            83..86 => self.fill_group().await,
            86..87 => self.delete_group().await,
            87..90 => self.make_permission().await,
            90..91 => self.delete_permission().await,
            91..93 => self.search(place).await,
            93..95 => self.browse().await,
            _ if self.people.len() < 8 => {
                self.register().await;
                "register"
            }
            _ => "nothing",
        };
        self.done(what);
    }

    async fn register(&mut self) {
        let (username, password) = (self.name(), self.password());
        let email = format!("{username}@example.com");
        let body = json!({
            "username": username, "email": email, "password": password, "password2": password,
        });
        let told = self.send(NOBODY, "POST", "users/register/", body).await;
        let server = &self.world.server;
        let there = server.table.user_by_name(&testkit::parsed(&username)).await;
        let there = there.unwrap();
        match (told.status(), &there) {
            (201, Some(user)) => {
                let expected = json!({
                    "id": user.id, "username": username, "email": email,
                    "first_name": "", "last_name": "",
                });
                self.must(told.answer.body == expected, &told);
            }
            (400, Some(_)) if told.again => {
                let expected = json!({
                    "username": ["A user with that username already exists."],
                    "email": ["This field must be unique."],
                });
                self.must(told.answer.body == expected, &told);
            }
            (409, None) => {}
            _ if told.is_open() => {}
            _ => self.wrong(&told),
        }
        if let Some(user) = there {
            self.people.push(Person {
                id: user.id.0,
                username,
                email,
                first_name: String::new(),
                password,
                groups: Default::default(),
                is_active: true,
                is_superuser: false,
                sessions: Vec::new(),
            });
        }
        self.done("register");
    }

    pub fn password(&mut self) -> String {
        format!("Kq!wz-{:016x}-Vm%", self.chance.random::<u64>())
    }

    async fn log_in(&mut self, place: usize) -> &'static str {
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
    fn forget_some(&mut self, place: usize) {
        let sessions = &mut self.people[place].sessions;
        if sessions.len() > 6 {
            let ended = sessions.iter().position(|session| !session.is_live);
            sessions.remove(ended.unwrap_or(0));
        }
    }

    async fn mistype(&mut self, place: usize) -> &'static str {
        let (username, password) = (self.people[place].username.clone(), self.password());
        let body = json!({"username": username, "password": password});
        let told = self.send(NOBODY, "POST", "login/", body).await;
        self.must(told.status() == 401 || told.is_open(), &told);
        "mistype"
    }

    /// A session of a user, live or not.
    fn session(&mut self, place: usize) -> Option<usize> {
        let count = self.people[place].sessions.len();
        (count > 0).then(|| self.one_of(count))
    }

    async fn refresh(&mut self, place: usize) -> &'static str {
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
    async fn look(&mut self, place: usize) -> &'static str {
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
    async fn lets_in(&self, session: &Session) -> bool {
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

    async fn log_out(&mut self, place: usize) -> &'static str {
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
    async fn have_ended(&self, place: usize, but: Option<usize>) -> Option<bool> {
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

    async fn end_others(&mut self, place: usize) -> &'static str {
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
    async fn end_one(&mut self, place: usize) -> &'static str {
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

    async fn user(&self, place: usize) -> Option<User> {
        let id = UserId(self.people[place].id);
        self.world.server.table.user(id).await.unwrap()
    }

    async fn change_profile(&mut self, place: usize) -> &'static str {
        let Some(at) = self.session(place) else {
            return self.log_in(place).await;
        };
        let session = self.people[place].sessions[at].clone();
        let new = self.name();
        let mut after = self.people[place].clone();
        let body = match self.one_of(4) {
            0 => {
                after.username.clone_from(&new);
                json!({ "username": new })
            }
            1 => {
                after.email = format!("{new}@example.com");
                json!({ "email": after.email })
            }
            _ => {
                after.first_name.clone_from(&new);
                json!({ "first_name": new })
            }
        };
        let told = self.send(&session.access, "PATCH", "users/me/", body).await;
        match told.status() {
            200 if session.is_live => {
                self.people[place] = after;
                let expected = self.profile(place);
                self.must(told.answer.body == expected, (&told, &expected));
            }
            401 if !session.is_live => {}
            _ if told.is_open() || told.status() == 409 => {
                let found = self.user(place).await.unwrap();
                let found = [
                    found.username.as_str(),
                    found.email.as_str(),
                    found.first_name.as_str(),
                ];
                let is = |it: &Person| {
                    found == [&it.username, &it.email, &it.first_name].map(String::as_str)
                };
                if is(&after) && told.is_open() {
                    self.people[place] = after;
                } else {
                    self.must(is(&self.people[place]), (&told, &found));
                }
            }
            _ => self.wrong((&told, &session)),
        }
        "change profile"
    }

    /// Whether a password logs in, in truth.
    async fn opens(&self, place: usize, password: &str) -> bool {
        let username = &self.people[place].username;
        let status = self.world.truth.login(username, password).await.status;
        self.must(status == 200 || status == 401, ("a login", status));
        status == 200
    }

    async fn set_password(&mut self, place: usize) -> &'static str {
        let Some(at) = self.session(place) else {
            return self.log_in(place).await;
        };
        let (person, new) = (self.people[place].clone(), self.password());
        let session = &person.sessions[at];
        let body = json!({"current_password": person.password, "new_password": new});
        let told = self
            .send(&session.access, "POST", "users/set_password/", body)
            .await;
        let is_new = match told.status() {
            204 if session.is_live => true,
            400 if session.is_live && told.again => {
                let expected = json!({"current_password": ["Invalid password."]});
                self.must(told.answer.body == expected, &told);
                true
            }
            401 if !session.is_live => false,
            _ if told.is_open() || told.status() == 409 => self.opens(place, &new).await,
            _ => self.wrong((&told, &person)),
        };
        self.has_password(place, is_new.then_some(new), Some(at))
            .await;
        "set password"
    }

    /// A user who is active has a new password, which ended all sessions but one, or the one before.
    async fn has_password(&mut self, place: usize, new: Option<String>, kept: Option<usize>) {
        let Some(new) = new else {
            let old = &self.people[place].password;
            let is_active = self.people[place].is_active;
            self.must(
                self.opens(place, old).await == is_active,
                "the old password",
            );
            return;
        };
        let ended = self.have_ended(place, kept).await;
        self.must(ended != Some(false), "sessions go on with a new password");
        self.must(
            !self.opens(place, &self.people[place].password).await,
            "two passwords",
        );
        self.must(self.opens(place, &new).await, "no password");
        let person = &mut self.people[place];
        person.end_sessions(kept);
        person.password = new;
    }

    async fn reset_password(&mut self, place: usize) -> &'static str {
        let person = self.people[place].clone();
        if !person.is_active {
            return "nothing";
        }
        let body = json!({"email": person.email});
        let told = self
            .send(NOBODY, "POST", "users/reset_password/", body)
            .await;
        self.must(told.status() == 204 || told.is_open(), &told);
        let id = UserId(person.id);
        let token = self.world.server.link_token(id, None).await;
        let new = self.password();
        let body = json!({"uid": uid(id), "token": token, "new_password": new});
        let path = "users/reset_password_confirm/";
        let told = self.send(NOBODY, "POST", path, body).await;
        let is_new = match told.status() {
            204 => true,
            400 if told.again => {
                let expected = json!({"token": ["Invalid token for given user."]});
                self.must(told.answer.body == expected, &told);
                true
            }
            _ if told.is_open() || told.status() == 409 => self.opens(place, &new).await,
            _ => self.wrong((&told, &person)),
        };
        self.has_password(place, is_new.then_some(new), None).await;
        "reset password"
    }

    /// Changes a flag of a user by the admin; whether it is so then.
    async fn flag(&mut self, place: usize, name: &str, wanted: bool) -> bool {
        let path = user_path(self.people[place].id);
        let told = self
            .send_as_admin("PATCH", &path, json!({ name: wanted }))
            .await;
        match told.status() {
            200 => {
                let expected = self.profile(place);
                self.must(told.answer.body == expected, (&told, &expected));
                wanted
            }
            _ if told.is_open() || told.status() == 409 => {
                let user = self.user(place).await.unwrap();
                match name {
                    "is_active" => user.is_active,
                    _ => user.is_superuser,
                }
            }
            _ => self.wrong(&told),
        }
    }

    async fn activate(&mut self, place: usize) -> &'static str {
        let wanted = !self.people[place].is_active;
        let is_active = self.flag(place, "is_active", wanted).await;
        let person = &mut self.people[place];
        if person.is_active && !is_active {
            person.end_sessions(None);
        }
        person.is_active = is_active;
        "activate"
    }

    async fn promote(&mut self, place: usize) -> &'static str {
        let wanted = !self.people[place].is_superuser;
        let is_so = self.flag(place, "is_superuser", wanted).await;
        self.people[place].is_superuser = is_so;
        "promote"
    }

    async fn delete(&mut self, place: usize) -> &'static str {
        let path = user_path(self.people[place].id);
        let told = self.send_as_admin("DELETE", &path, Value::Null).await;
        let is_gone = match told.status() {
            204 => true,
            404 if told.again => true,
            _ if told.is_open() || told.status() == 409 => self.user(place).await.is_none(),
            _ => self.wrong(&told),
        };
        self.must(
            self.user(place).await.is_none() == is_gone,
            "a deleted user",
        );
        if is_gone {
            self.people[place].is_active = false;
            self.people[place].end_sessions(None);
            self.look_at(place).await;
            self.people.remove(place);
        }
        "delete"
    }

    /// A list shows users as they are, if it shows them.
    async fn search(&mut self, place: usize) -> &'static str {
        let username = self.people[place].username.clone();
        let path = format!("users/?search={username}");
        let told = self.send_as_admin("GET", &path, Value::Null).await;
        if told.is_open() {
            return "search";
        }
        let expected = self.profile(place);
        let mut shown = told.answer.list().iter();
        let found = shown.find(|one| one["id"] == expected["id"]);
        self.must(
            found.is_none_or(|found| *found == expected),
            (&told, &expected),
        );
        "search"
    }

    /// The admin looks at the pages.
    async fn browse(&mut self) -> &'static str {
        let (username, server) = (self.admin().username, &self.world.server);
        let mut browser = match self.browser.take() {
            Some(browser) => browser,
            None => {
                let mut browser = server.browser();
                let username = username.as_str();
                let answer = browser.log_in(username, testkit::PASSWORD).await;
                if answer.status == 503 {
                    return "browse";
                }
                self.must(answer.status == 302, &answer);
                browser
            }
        };
        for path in ["/admin/", "/admin/auth/user/?q=n1", "/admin/auth/group/"] {
            let page = browser.get(path).await;
            self.must([200, 503].contains(&page.status), &page);
        }
        self.browser = Some(browser);
        "browse"
    }

    /// Asserts all that is known of a user.
    async fn look_at(&self, place: usize) {
        let person = &self.people[place];
        for session in &person.sessions {
            let is_in = self.lets_in(session).await;
            self.must(is_in == session.is_live, (session, person));
        }
        let is_in = self.opens(place, &person.password).await;
        self.must(is_in == person.is_active, ("a login", person));
    }

    /// Asserts all that is known.
    pub async fn look_at_everything(&mut self) {
        for place in 0..self.people.len() {
            self.look_at(place).await;
            let path = user_path(self.people[place].id);
            let answer = self.world.truth.get(&self.admin(), &path).await;
            let expected = self.profile(place);
            self.must(answer.body == expected, (&answer, &expected));
            let user = self.user(place).await.unwrap();
            self.must(user.is_superuser == self.people[place].is_superuser, &user);
        }
        self.look_at_rights().await;
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
