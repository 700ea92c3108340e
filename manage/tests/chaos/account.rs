//! What a client does with its users, and what the admin does with them.

use rand::RngExt;
use serde_json::{Value, json};
use shared::{
    domain::{User, UserId},
    mail::links::uid,
};
use testkit::{NOBODY, user_path};

use crate::{client::Client, person::Person};

impl Client {
    pub async fn register(&mut self) {
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

    pub async fn user(&self, place: usize) -> Option<User> {
        let id = UserId(self.people[place].id);
        self.world.server.table.user(id).await.unwrap()
    }

    pub async fn change_profile(&mut self, place: usize) -> &'static str {
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
    pub async fn opens(&self, place: usize, password: &str) -> bool {
        let username = &self.people[place].username;
        let status = self.world.truth.login(username, password).await.status;
        self.must(status == 200 || status == 401, ("a login", status));
        status == 200
    }

    pub async fn set_password(&mut self, place: usize) -> &'static str {
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
    pub async fn has_password(&mut self, place: usize, new: Option<String>, kept: Option<usize>) {
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

    pub async fn reset_password(&mut self, place: usize) -> &'static str {
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
    pub async fn flag(&mut self, place: usize, name: &str, wanted: bool) -> bool {
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

    pub async fn activate(&mut self, place: usize) -> &'static str {
        let wanted = !self.people[place].is_active;
        let is_active = self.flag(place, "is_active", wanted).await;
        let person = &mut self.people[place];
        if person.is_active && !is_active {
            person.end_sessions(None);
        }
        person.is_active = is_active;
        "activate"
    }

    pub async fn promote(&mut self, place: usize) -> &'static str {
        let wanted = !self.people[place].is_superuser;
        let is_so = self.flag(place, "is_superuser", wanted).await;
        self.people[place].is_superuser = is_so;
        "promote"
    }

    pub async fn delete(&mut self, place: usize) -> &'static str {
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
    pub async fn search(&mut self, place: usize) -> &'static str {
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
    pub async fn browse(&mut self) -> &'static str {
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
}
