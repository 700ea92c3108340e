//! A way through all admin pages that makes every call that they make.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicI64, Ordering},
};

use regex_lite::Regex;
use testkit::{
    Answer, PASSWORD, Pages,
    routes::{ADMIN, Route, route_of, routes_of},
};

const ANOTHER: &str = "Zr!ub-Hs%Wd#Lo_Je";

/// Goes through all pages as `admin`, a superuser, and through some as `holder`, who is made staff
/// and is none. There are a user 3 and a group 1 beside them.
pub async fn visit(browser: Pages, time: &AtomicI64) {
    let mut way = Way {
        browser,
        visited: BTreeSet::new(),
    };
    way.log_in().await;
    way.users().await;
    way.groups().await;
    way.permissions().await;
    // A session notes that it goes on.
    time.fetch_add(120, Ordering::SeqCst);
    way.get("/admin/auth/", 200).await;
    way.leave().await;
    way.come_as_holder().await;
    assert_eq!(way.visited, routes_of(ADMIN), "every page is visited");
}

struct Way {
    browser: Pages,
    /// Routes and methods.
    visited: BTreeSet<Route>,
}

impl Way {
    async fn get(&mut self, path: &str, status: u16) -> Answer {
        let page = self.browser.get(path).await;
        self.note(path, "GET");
        assert_eq!(page.status, status, "GET {path}: {page:?}");
        page
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)], status: u16) {
        let page = self.browser.post(path, fields).await;
        self.note(path, "POST");
        assert_eq!(page.status, status, "POST {path} {fields:?}: {page:?}");
    }

    fn note(&mut self, path: &str, method: &str) {
        let route = route_of(path).replace("admin.css", "{file}/");
        self.visited.insert((route, method.to_owned()));
    }

    async fn log_in(&mut self) {
        self.get("/admin/", 302).await;
        let page = self.get("/admin/login/", 200).await;
        let stylesheet = page.find(r#"href="(/admin/static/[^"]+)""#).unwrap();
        self.get(stylesheet, 200).await;
        let fields = |name, password| [("username", name), ("password", password)];
        let login = "/admin/login/";
        self.post(login, &fields("admin", "wrong"), 200).await;
        self.post(login, &fields("nobody", "wrong"), 200).await;
        // The first after a failure.
        self.post(login, &fields("admin", PASSWORD), 302).await;
        self.get("/admin/", 200).await;
    }

    async fn users(&mut self) {
        let (list, add) = ("/admin/auth/user/", "/admin/auth/user/add/");
        for query in ["", "q=an", "is_staff__exact=1", "groups__id__exact=1&q=an"] {
            self.get(&format!("{list}?{query}"), 200).await;
        }
        self.get(add, 200).await;
        let bob = [
            ("username", "bob"),
            ("password1", PASSWORD),
            ("password2", PASSWORD),
        ];
        self.post(add, &bob, 302).await;
        self.post(add, &bob, 200).await;
        self.get("/admin/auth/user/3/", 200).await;
        let change = "/admin/auth/user/3/change/";
        self.get(change, 200).await;
        self.get("/admin/auth/user/99/change/", 404).await;
        let name = ("username", "zed");
        let email = ("email", "zed@example.com");
        let held = [("groups", "1"), ("user_permissions", "1")];
        let flag = |value| ("is_superuser", value);
        let all = [&[name, email, flag("true")], &held[..]].concat();
        self.post(change, &all, 302).await;
        let less = [name, email, flag("false")];
        self.post(change, &less, 302).await;
        self.post(change, &[("username", "bob")], 200).await;
        let mail = "/admin/auth/user/3/mail/";
        self.get(mail, 200).await;
        self.post(mail, &[], 302).await;
        let sessions = "/admin/auth/user/3/sessions/";
        self.post(sessions, &[("sid", "0")], 404).await;
        self.post(sessions, &[("all", "1")], 302).await;
        let password = "/admin/auth/user/3/password/";
        self.get(password, 200).await;
        let new = [("password1", ANOTHER), ("password2", ANOTHER)];
        self.post(password, &new, 302).await;
        let actions = "deactivate activate add_to_group remove_from_group delete_selected";
        for action in actions.split(' ') {
            let fields = [
                ("action", action),
                ("group", "1"),
                ("_selected_action", "3"),
            ];
            self.post(list, &fields, 200).await;
            let sure = [&fields[..], &[("post", "yes")]].concat();
            self.post(list, &sure, 302).await;
        }
        self.get("/admin/auth/user/3/change/", 404).await;
        self.get("/admin/auth/user/3/history/", 200).await;
        self.get("/admin/auth/user/2/delete/", 200).await;
        self.post("/admin/auth/user/2/delete/", &[("post", "yes")], 302)
            .await;
    }

    async fn groups(&mut self) {
        self.get("/admin/auth/group/?q=st", 200).await;
        let add = "/admin/auth/group/add/";
        self.get(add, 200).await;
        let board = [("name", "Board"), ("permissions", "1")];
        self.post(add, &board, 302).await;
        self.post(add, &board, 200).await;
        self.get("/admin/auth/group/1/", 200).await;
        let change = "/admin/auth/group/1/change/";
        self.get(change, 200).await;
        self.post(change, &board, 200).await;
        let crew = [("name", "Crew"), ("permissions", "2")];
        self.post(change, &crew, 302).await;
        self.get("/admin/auth/group/1/history/", 200).await;
        self.get("/admin/auth/group/1/delete/", 200).await;
        self.post("/admin/auth/group/1/delete/", &[("post", "yes")], 302)
            .await;
    }

    async fn permissions(&mut self) {
        self.get("/admin/auth/permission/", 200).await;
        let add = "/admin/auth/permission/add/";
        self.get(add, 200).await;
        let of_users = [("name", "Can go"), ("content_type", "auth.user")];
        let fields = |codename| [&of_users[..], &[("codename", codename)]].concat();
        self.post(add, &fields("go"), 302).await;
        self.post(add, &fields("go"), 200).await;
        self.get("/admin/auth/permission/13/", 200).await;
        let change = "/admin/auth/permission/13/change/";
        self.get(change, 200).await;
        self.post(change, &fields("leave"), 302).await;
        self.get("/admin/auth/permission/13/history/", 200).await;
        self.get("/admin/auth/permission/13/delete/", 200).await;
        self.post("/admin/auth/permission/13/delete/", &[("post", "yes")], 302)
            .await;
    }

    async fn leave(&mut self) {
        let path = "/admin/password_change/";
        self.get(path, 200).await;
        let new = [("password1", ANOTHER), ("password2", ANOTHER)];
        let fields = |old| [&new[..], &[("old_password", old)]].concat();
        self.post(path, &fields("wrong"), 200).await;
        self.post(path, &fields(PASSWORD), 302).await;
        self.get("/admin/", 200).await;
        // The user that admin makes a member of the staff comes next.
        let holder = "/admin/auth/user/8/change/";
        let page = self.get(holder, 200).await;
        let mut fields = vec![("is_staff", "true")];
        let ticked = r#"name="(groups|user_permissions)" value="(\d+)" checked"#;
        let ticked = Regex::new(ticked).unwrap();
        for found in ticked.captures_iter(&page.text) {
            let (_, [name, id]) = found.extract();
            fields.push((name, id));
        }
        self.post(holder, &fields, 302).await;
        self.get("/admin/", 200).await;
        self.post("/admin/logout/", &[], 302).await;
        self.get("/admin/", 302).await;
    }

    /// What the holder holds is looked up, and the hash is an older one.
    async fn come_as_holder(&mut self) {
        let answer = self.browser.log_in("holder", PASSWORD).await;
        assert_eq!(answer.status, 302, "{answer:?}");
        let change = "/admin/auth/user/9/change/";
        self.get(change, 200).await;
        let fields = [("first_name", "Olga"), ("user_permissions", "1")];
        self.post(change, &fields, 302).await;
    }
}
