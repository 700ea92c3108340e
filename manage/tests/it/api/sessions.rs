//! Sessions of the API: what begins, continues and ends them.

use serde_json::{Value, json};
use shared::{
    domain::{User, UserId},
    hashing::Password,
    jwt::{Issued, TokenType},
    store::{
        items::{attributes, number, text},
        keys::Entity,
    },
};
use testkit::{
    Account, Answer, Client, NOBODY, Observed, PASSWORD, Server, forbidden, not_found,
    unauthenticated, user_path,
};

use super::tokens::{decoded, invalid as invalid_access_token};

pub const ROTATION: (&str, &str) = ("ROTATE_REFRESH_TOKENS", "true");

pub fn blacklisted() -> Value {
    json!({"detail": "Token is blacklisted", "code": "token_not_valid"})
}

pub async fn refresh(client: &Client, token: &str) -> Answer {
    let body = json!({ "refresh": token });
    client.post(NOBODY, "token/refresh/", body).await
}

/// The status of an own profile.
async fn read(client: &Client, account: &Account) -> u16 {
    client.get(account, &user_path(account.id)).await.status
}

/// Two sessions of a user.
async fn twice(server: &Server) -> [Account; 2] {
    let first = server.account("ann").await;
    let again = server.login("ann", PASSWORD).await;
    let second = Account {
        id: first.id,
        access: again.field("access"),
        refresh: again.field("refresh"),
    };
    [first, second]
}

#[tokio::test]
async fn a_logout_ends_the_session_with_its_access_tokens_and_no_other() {
    let server = Server::start().await;
    let [first, second] = twice(&server).await;
    let body = json!({"refresh": first.refresh});
    let answer = server.post(NOBODY, "logout/", body.clone()).await;
    answer.assert(200, json!({}));
    assert_eq!(read(&server, &first).await, 401);
    refresh(&server, &first.refresh)
        .await
        .assert(401, blacklisted());
    server
        .post(NOBODY, "logout/", body)
        .await
        .assert(401, blacklisted());
    assert_eq!(read(&server, &second).await, 200);
    refresh(&server, &second.refresh).await.assert_status(200);
    server.assert_sound().await;
}

#[tokio::test]
async fn a_blacklisted_token_leaves_the_access_tokens_of_its_session() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let body = json!({"refresh": ann.refresh});
    let answer = server.post(NOBODY, "token/blacklist/", body).await;
    answer.assert(200, json!({}));
    assert_eq!(read(&server, &ann).await, 200);
    refresh(&server, &ann.refresh)
        .await
        .assert(401, blacklisted());
}

#[tokio::test]
async fn users_list_their_sessions_and_end_one_or_the_others() {
    let site = Observed::start().await;
    site.user("ann").await;
    let request = site.request(NOBODY, "POST", "login/");
    let request = request
        .header("content-type", "application/json")
        .header("user-agent", "Phone");
    let body = json!({"username": "ann", "password": PASSWORD}).to_string();
    let phone = site.send(request, body).await.field("access");
    site.pass(60);
    let laptop = site.log_in("ann", PASSWORD).await;
    let sid = |token: &str| decoded(token, 1)["sid"].clone();
    let shown = |token: &str, agent: &str, minute: u8, current: bool| {
        let time = format!("2026-11-25T15:0{minute}:00Z");
        json!({
            "id": sid(token), "user_agent": agent, "address": "127.0.0.1", "created": time,
            "last_used": time, "expires": time.replace("-25T", "-26T"), "current": current,
        })
    };
    let list = site.get(&laptop, "sessions/").await;
    let both = json!([
        shown(&laptop, "", 5, true),
        shown(&phone, "Phone", 4, false)
    ]);
    list.assert(200, &both);

    let one = format!("sessions/{}/", sid(&phone).as_str().unwrap());
    let other = site.user("bob").await;
    site.delete(&other, &one).await.assert(404, not_found());
    site.delete(NOBODY, &one)
        .await
        .assert(401, unauthenticated());
    site.delete(&laptop, &one).await.assert_status(204);
    site.get(&phone, "sessions/").await.assert_status(401);
    let third = site.log_in("ann", PASSWORD).await;
    site.delete(&laptop, "sessions/").await.assert_status(204);
    site.get(&third, "sessions/").await.assert_status(401);
    let left = site.get(&laptop, "sessions/").await;
    left.assert(200, json!([shown(&laptop, "", 5, true)]));
    site.assert_sound().await;
}

/// What no session has as its id may be no key of the table either, or a longer one than it takes.
#[tokio::test]
async fn a_text_that_is_no_id_of_a_session_names_none() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let long = ["0".repeat(65), "x".repeat(1025), "0".repeat(3000)];
    let others = ["x", "%20", "a%00", "0-0", "%C3%A9"].map(str::to_owned);
    for sid in long.iter().chain(&others) {
        let path = format!("sessions/{sid}/");
        server.delete(&ann, &path).await.assert(404, not_found());
    }
    let now = server.app.clock.now();
    for sid in ["", "x", &"0".repeat(65), &"x".repeat(3000)] {
        let keys = server.app.keys.at_hand();
        let user_id = json!(ann.id.to_string());
        let issued = || Issued {
            sid: Some(sid),
            ..Issued::to(&user_id)
        };
        let access = keys.access(issued(), now);
        let answer = server.get(&access, "users/me/").await;
        answer.assert(401, invalid_access_token());
        let token = keys.refresh_token(issued(), "0", now, now + 60);
        let invalid = json!({"detail": "Token is invalid", "code": "token_not_valid"});
        refresh(&server, &token).await.assert(401, &invalid);
        for path in ["token/blacklist/", "logout/"] {
            let body = json!({"refresh": token});
            server.post(NOBODY, path, body).await.assert(401, &invalid);
        }
    }
}

/// Such times come from no version, but the table holds what others write there too.
#[tokio::test]
async fn times_beyond_all_dates_end_no_request() {
    let site = Observed::with(&[ROTATION]).await;
    let ann = site.user("ann").await;
    for time in [i64::MIN, i64::MAX] {
        let tokens = site.login("ann", PASSWORD).await;
        let (access, token) = (tokens.field("access"), tokens.field("refresh"));
        let sid = decoded(&access, 1)["sid"].as_str().unwrap().to_owned();
        let (client, table) = site.raw();
        let update = client
            .update_item()
            .table_name(table)
            .set_key(Some(attributes(&Entity::Session(ann.id, &sid).key())))
            .update_expression("SET created = :time, last_used = :time, rotated_at = :time")
            .expression_attribute_values(":time", number(time));
        update.send().await.unwrap();
        site.get(&access, "users/me/").await.assert_status(200);
        refresh(&site, &token).await.assert_status(200);
    }
    let change = |user: &mut User| user.date_joined = i64::MIN;
    let ann = site.change(&ann, change).await;
    let token = site.issue(TokenType::Access, &ann);
    site.get(&token, "users/me/").await.assert_status(200);
}

#[tokio::test]
async fn administrators_end_the_sessions_of_whom_they_decide_over() {
    let server = Server::start().await;
    let [first, second] = twice(&server).await;
    let staff = server.user("staff").staff().await;
    let path = format!("users/{}/sessions/", first.id);
    let list = server.get(&staff, &path).await;
    assert_eq!(list.assert_status(200).list().len(), 2);
    let above = server.user("above").holds(&["auth.view_group"]).await;
    let of_above = format!("users/{}/sessions/", above.id);
    server.get(&staff, &of_above).await.assert(403, forbidden());
    let answer = server.delete(&staff, &of_above).await;
    answer.assert(403, forbidden());
    server.delete(&staff, &path).await.assert_status(204);
    assert_eq!(
        [read(&server, &first).await, read(&server, &second).await],
        [401, 401]
    );
    refresh(&server, &second.refresh)
        .await
        .assert(401, blacklisted());
    server.log_in("ann", PASSWORD).await;
    server.assert_sound().await;
}

#[tokio::test]
async fn each_of_two_passwords_within_a_second_ends_what_the_one_before_began() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    let mut tokens = Vec::new();
    for password in [PASSWORD, "a-Long-phrase-1", "a-Long-phrase-2"] {
        let user = site.read(ann.id).await;
        site.set_password(&user, password).await;
        for before in &tokens {
            let answer = site.get(before, "users/me/").await;
            answer.assert_status(401);
        }
        tokens.push(site.log_in("ann", password).await);
    }
}

#[tokio::test]
async fn a_token_without_a_session_works_until_what_ends_all_of_them() {
    let site = Observed::start().await;
    let ann = site.user("ann").await;
    site.pass(120);
    let token = site.issue(TokenType::Access, &ann);
    assert_eq!(decoded(&token, 1).get("sid"), None);
    site.get(&token, "users/me/").await.assert_status(200);
    site.set_password(&ann, "a-Long-phrase-1").await;
    site.get(&token, "users/me/").await.assert_status(401);
    site.pass(3600);
    let later = site.issue(TokenType::Access, &site.read(ann.id).await);
    site.get(&later, "users/me/").await.assert_status(200);
}

#[tokio::test]
async fn a_reset_by_a_superuser_succeeds_while_the_user_changes_their_profile() {
    let server = Server::start().await;
    let ann = server.account("ann").await;
    let client = (*server).clone();
    let path = user_path(ann.id);
    let (access, busy) = (ann.access.clone(), path.clone());
    let changes = tokio::spawn(async move {
        for number in 0.. {
            let body = json!({"first_name": format!("Ann {number}")});
            let answer = client.patch(&access, &busy, body).await;
            if answer.status == 401 {
                return;
            }
        }
    });
    for number in 0..3 {
        let user = server.read(UserId(ann.id)).await;
        server
            .set_password(&user, &format!("a-Long-phrase-{number}"))
            .await;
    }
    changes.await.unwrap();
    server.assert_sound().await;
}

/// Sets a password as the version before sessions did, which runs again after a rollback.
async fn set_password_as_before_sessions(site: &Observed, id: UserId, password: &str) {
    let password = Password::new(password.to_owned());
    let hash = site.app.hasher.hash(&password).await;
    let (client, table) = site.table.table().parts();
    let mut credential = attributes(&Entity::Credential(id).key());
    credential.insert("password".to_owned(), text(hash.expose()));
    let put = client.put_item().table_name(table);
    put.set_item(Some(credential)).send().await.unwrap();
    let update = client.update_item().table_name(table);
    let update = update
        .set_key(Some(attributes(&Entity::User(id).key())))
        .update_expression("SET tokens_valid_after = :now ADD version :one")
        .expression_attribute_values(":now", number(site.app.clock.now() + 1))
        .expression_attribute_values(":one", number(1));
    update.send().await.unwrap();
}

#[tokio::test]
async fn a_password_that_an_older_version_set_logs_in_and_ends_the_sessions_before_it() {
    let site = Observed::start().await;
    let ann = site.user("ann").staff().await;
    for (round, new) in ["a-Long-phrase-2", "a-Long-phrase-4"].iter().enumerate() {
        let old = format!("a-Long-phrase-{}", 2 * round + 1);
        let user = site.read(ann.id).await;
        site.set_password(&user, &old).await;
        let token = site.log_in("ann", &old).await;
        let mut browser = site.browser();
        browser.log_in("ann", &old).await.assert_status(302);
        site.pass(10);
        set_password_as_before_sessions(&site, ann.id, new).await;
        site.get(&token, "users/me/").await.assert_status(401);
        browser.get("/admin/").await.assert_status(302);
        site.login("ann", &old).await.assert_status(401);
        let access = site.log_in("ann", new).await;
        site.get(&access, "users/me/").await.assert_status(200);
        site.assert_sound().await;
    }
}
