//! All pages there are, in the states that they can be in.

use std::collections::BTreeSet;

use shared::{
    domain::{GroupId, UserId},
    mail::links::uid,
};
use testkit::routes::{ACCOUNT, ADMIN, route_of, routes_of};

use super::site::{Site, as_admin, page_of};

/// A page, and what is done on it before it is looked at.
pub struct Stop {
    pub path: String,
    pub steps: &'static [Step],
}

pub enum Step {
    Fill(&'static str, &'static str),
    Tick(&'static str),
    Choose(&'static str, &'static str),
    Press(&'static str),
    /// Clicks on the button of the page's own form.
    Send,
    ForgetToken,
}

use Step::{Choose, Fill, ForgetToken, Press, Send, Tick};

fn at(path: impl Into<String>) -> Stop {
    after(path, &[])
}

fn after(path: impl Into<String>, steps: &'static [Step]) -> Stop {
    Stop {
        path: path.into(),
        steps,
    }
}

/// A site where something has happened, with `admin` logged in.
pub struct World {
    pub site: Site,
    ann: UserId,
    group: GroupId,
}

pub async fn world() -> Option<World> {
    let site = as_admin().await?;
    let labels = ["auth.view_user", "auth.view_group", "auth.view_permission"];
    let group = site.server.group("lookers", &labels).await;
    let ann = site.server.user("ann").staff().joins([&group]).await.id;
    let long = "a.much-longer+name_than.anybody_should.ever_have";
    site.server.user(long).await;
    site.open(&page_of(ann, "change")).await;
    site.fill("First name", "Ann").await;
    site.fill("Last name", "Bärenreiter").await;
    site.press("Save").await;
    site.sees("was changed successfully").await;
    let group = group.id;
    Some(World { site, ann, group })
}

impl World {
    pub async fn visit(&self, stop: &Stop) {
        let site = &self.site;
        site.open(&stop.path).await;
        for step in stop.steps {
            match step {
                Fill(label, text) => site.fill(label, text).await,
                Tick(label) => site.tick(label).await,
                Choose(label, option) => site.choose(label, option).await,
                Press(name) => site.press(name).await,
                Send => site.click("main form button").await,
                ForgetToken => site.forget_token().await,
            }
        }
        site.element("main h1").await;
    }

    async fn log_out(&self) {
        self.site.open("/admin/").await;
        if self.site.has("header form").await {
            self.site.press("Log out").await;
            self.site.field("Password").await;
        }
    }

    pub fn users(&self) -> Vec<Stop> {
        let page = |page| page_of(self.ann, page);
        vec![
            at("/admin/auth/user/"),
            at("/admin/auth/user/?q=nobody&is_staff__exact=1"),
            after("/admin/auth/user/", &[Tick("Select ann"), Press("Go")]),
            after(
                "/admin/auth/user/",
                &[
                    Tick("Select ann"),
                    Choose("Action", "Deactivate selected users"),
                    Press("Go"),
                ],
            ),
            at("/admin/auth/user/add/"),
            after(
                "/admin/auth/user/add/",
                &[Fill("Password", "1"), Press("Save")],
            ),
            at(format!("/admin/auth/user/{}/", self.ann)),
            at(page("change")),
            after(page("change"), &[Fill("Username", "admin"), Press("Save")]),
            at(page("mail")),
            at(page("password")),
            after(page("password"), &[Send]),
            at(page("delete")),
            at(page("history")),
            // Made by a command: without an entry.
            at(page_of(UserId(3), "history")),
        ]
    }

    pub fn groups_and_permissions(&self) -> Vec<Stop> {
        let group = |page| format!("/admin/auth/group/{}/{page}", self.group);
        let permission = |page| format!("/admin/auth/permission/1/{page}");
        vec![
            at("/admin/auth/group/"),
            at("/admin/auth/group/add/"),
            after(
                "/admin/auth/group/add/",
                &[Fill("Name", "lookers"), Press("Save")],
            ),
            at(group("")),
            at(group("change/")),
            at(group("delete/")),
            at(group("history/")),
            at("/admin/auth/permission/"),
            at("/admin/auth/permission/?q=nothing"),
            at("/admin/auth/permission/add/"),
            after("/admin/auth/permission/add/", &[Press("Save")]),
            at(permission("")),
            at(permission("change/")),
            at(permission("delete/")),
            at(permission("history/")),
        ]
    }

    /// The pages of no section.
    pub fn others(&self) -> Vec<Stop> {
        vec![
            at("/admin/"),
            at("/admin/auth/"),
            at("/admin/password_change/"),
            after("/admin/password_change/", &[Send]),
            // No page, no page to be asked for so, and a form that is not trusted.
            at("/admin/nothing/"),
            at("/admin/logout/"),
            after("/admin/password_change/", &[ForgetToken, Send]),
        ]
    }

    /// The pages that the links of mails lead to.
    pub async fn account_life(&self) -> Vec<Stop> {
        let server = &self.site.server;
        let waiting = server.user("waiting").inactive();
        let waiting = waiting.with(|user| user.awaits_activation = true).await;
        let link = async |page: &str, id: UserId| {
            let token = server.link_token(id, None).await;
            format!("/account/{page}/{}/{token}/", uid(id))
        };
        let reset = link("reset", self.ann).await;
        let (ask, ask_again) = ("/account/reset/", "/account/activate/");
        const ADDRESS: Step = Fill("Email address", "ann@example.com");
        vec![
            at(ask),
            after(ask, &[Fill("Email address", "x"), Send]),
            after(ask, &[ADDRESS, Send]),
            at("/account/reset/sent/"),
            at(reset.as_str()),
            after(reset.as_str(), &[Send]),
            at("/account/reset/done/"),
            at("/account/reset/x/y/"),
            at(ask_again),
            after(ask_again, &[ADDRESS, Send]),
            at("/account/activate/sent/"),
            at(link("activate", waiting.id).await),
            at("/account/activate/done/"),
            at("/account/activate/x/y/"),
            // No page, and a form that is not trusted.
            at("/account/nothing/"),
            after(ask, &[ForgetToken, Send]),
        ]
    }

    /// The pages without a login.
    pub async fn signed_out(&self) -> Vec<Stop> {
        self.log_out().await;
        vec![
            at("/admin/login/"),
            after(
                "/admin/login/",
                &[
                    Fill("Username", "a"),
                    Fill("Password", "b"),
                    Press("Log in"),
                ],
            ),
        ]
    }

    /// What those see who may only look, and those who may not even that.
    pub async fn lookers(&self) -> Vec<Stop> {
        self.log_out().await;
        self.site.log_in("ann").await;
        vec![
            at("/admin/"),
            at("/admin/auth/user/"),
            at(page_of(UserId(1), "change")),
            at(format!("/admin/auth/group/{}/change/", self.group)),
            at("/admin/auth/permission/1/change/"),
            at("/admin/auth/user/add/"),
        ]
    }

    pub async fn staff_without_permissions(&self) -> Vec<Stop> {
        self.site.server.user("bob").staff().await;
        self.log_out().await;
        self.site.log_in("bob").await;
        vec![at("/admin/"), at("/admin/password_change/")]
    }
}

#[tokio::test]
async fn the_tour_comes_to_every_page_there_is() {
    let Some(world) = world().await else { return };
    let mut stops = world.users();
    stops.extend(world.groups_and_permissions());
    stops.extend(world.others());
    stops.extend(world.account_life().await);
    stops.extend(world.signed_out().await);
    let seen: BTreeSet<String> = stops.iter().map(|stop| route_of(&stop.path)).collect();
    let mut missed = routes_of(ADMIN);
    missed.extend(routes_of(ACCOUNT));
    missed.retain(|(path, method)| method == "GET" && !seen.contains(path));
    let stylesheets = ["/account/static/{file}/", "/admin/static/{file}/"];
    let stylesheets = stylesheets.map(|path| (path.to_owned(), "GET".to_owned()));
    assert_eq!(missed, stylesheets.into());
}
