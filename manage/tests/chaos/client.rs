//! One client: it does something by chance with its own users, groups and permissions, and knows what
//! must come of it.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use shared::{clock::Clock, domain::User};
use testkit::{Answer, Client as Http, Pages, Server, detail, user_path};

use crate::{
    person::Person,
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
    pub browser: Option<Pages>,
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

    pub fn done(&mut self, what: &'static str) {
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

    /// Asserts all that is known of a user.
    pub async fn look_at(&self, place: usize) {
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
