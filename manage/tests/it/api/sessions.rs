//! Sessions of the API: what begins, continues and ends them.

use std::collections::BTreeSet;

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
    Account, Answer, Client, NOBODY, NOW, Observed, PASSWORD, Server, detail, forbidden, not_found,
    unauthenticated, user_path,
};

use super::tokens::{decoded, invalid as invalid_access_token};

fn blacklisted() -> Value {
    json!({"detail": "Token is blacklisted", "code": "token_not_valid"})
}

async fn refresh(client: &Client, token: &str) -> Answer {
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

const ROTATION: (&str, &str) = ("ROTATE_REFRESH_TOKENS", "true");

#[tokio::test]
async fn parallel_uses_of_one_token_give_one_successor() {
    let server = Server::with(&[ROTATION]).await;
    for round in 0..5 {
        let account = server.account(&format!("ann{round}")).await;
        let one = || {
            let (client, token) = ((*server).clone(), account.refresh.clone());
            tokio::spawn(async move { refresh(&client, &token).await })
        };
        let uses: Vec<_> = (0..16).map(|_| one()).collect();
        let mut successors = BTreeSet::new();
        for one in uses {
            successors.insert(one.await.unwrap().assert_status(200).field("refresh"));
        }
        assert_eq!(successors.len(), 1);
        for successor in successors {
            refresh(&server, &successor).await.assert_status(200);
        }
    }
}

#[tokio::test]
async fn without_grace_one_of_parallel_uses_gets_a_successor() {
    let settings = [
        ROTATION,
        ("REFRESH_TOKEN_GRACE", "0"),
        ("REFRESH_TOKEN_REUSE", "refuse"),
    ];
    let server = Server::with(&settings).await;
    let account = server.account("ann").await;
    let one = || {
        let (client, token) = ((*server).clone(), account.refresh.clone());
        tokio::spawn(async move { refresh(&client, &token).await })
    };
    let uses: Vec<_> = (0..16).map(|_| one()).collect();
    let mut successors = Vec::new();
    for one in uses {
        let answer = one.await.unwrap();
        match answer.status {
            200 => successors.push(answer.field("refresh")),
            _ => answer.assert(401, blacklisted()),
        }
    }
    assert_eq!(successors.len(), 1);
    // Refusing is all that `refuse` does.
    refresh(&server, &successors[0]).await.assert_status(200);
}

#[tokio::test]
async fn a_replaced_token_gives_its_successor_for_the_grace_and_then_ends_the_session() {
    let site = Observed::with(&[ROTATION]).await;
    site.user("ann").await;
    let login = site.login("ann", PASSWORD).await;
    let (access, first) = (login.field("access"), login.field("refresh"));
    let second = refresh(&site, &first).await.field("refresh");
    assert_ne!(first, second);
    site.pass(9);
    assert_eq!(refresh(&site, &first).await.field("refresh"), second);
    site.get(&access, "users/me/").await.assert_status(200);
    site.pass(1);
    refresh(&site, &first).await.assert(401, blacklisted());
    refresh(&site, &second).await.assert(401, blacklisted());
    site.get(&access, "users/me/").await.assert_status(401);
}

#[tokio::test]
async fn without_blacklist_after_rotation_every_refresh_token_of_a_session_goes_on() {
    let settings = [
        ROTATION,
        ("BLACKLIST_AFTER_ROTATION", "false"),
        ("REFRESH_TOKEN_GRACE", "0"),
    ];
    let site = Observed::with(&settings).await;
    let user = site.user("ann").await;
    let first = site.login("ann", PASSWORD).await.field("refresh");
    site.pass(60);
    let second = refresh(&site, &first).await.field("refresh");
    assert_eq!(decoded(&second, 1)["exp"], NOW + 60 + 86_400);
    let third = refresh(&site, &first).await.field("refresh");
    let all = BTreeSet::from([&first, &second, &third]);
    assert_eq!(all.len(), 3);
    for token in all {
        refresh(&site, token).await.assert_status(200);
    }
    // One that is blacklisted is, and the others are not; to verify it, the blacklist is not read.
    let body = json!({ "refresh": first });
    let gone = site.post(NOBODY, "token/blacklist/", body).await;
    gone.assert(200, json!({}));
    refresh(&site, &first).await.assert(401, blacklisted());
    let verified = site.post(NOBODY, "token/verify/", json!({ "token": first }));
    verified.await.assert(200, json!({}));
    refresh(&site, &second).await.assert_status(200);
    // A token of Django goes on too, beside the session that it begins.
    let foreign = site.issue(TokenType::Refresh, &user);
    for _ in 0..2 {
        refresh(&site, &foreign).await.assert_status(200);
    }
    let body = json!({ "refresh": second });
    site.post(NOBODY, "logout/", body).await.assert_status(200);
    refresh(&site, &third).await.assert(401, blacklisted());
    site.assert_sound().await;
}

#[tokio::test]
async fn blacklist_after_rotation_alone_looks_for_blacklisted_tokens_where_they_are_verified() {
    let server = Server::with(&[("BLACKLIST_AFTER_ROTATION", "true")]).await;
    let ann = server.account("ann").await;
    let body = json!({"refresh": ann.refresh});
    let answer = refresh(&server, &ann.refresh).await;
    answer.assert_status(200);
    assert_eq!(answer.body.get("refresh"), None);
    let gone = server.post(NOBODY, "token/blacklist/", body).await;
    gone.assert(200, json!({}));
    let told = json!({"non_field_errors": ["Token is blacklisted"]});
    let verified = server.post(NOBODY, "token/verify/", json!({"token": ann.refresh}));
    verified.await.assert(400, told);
}

#[tokio::test]
async fn a_session_of_rotated_tokens_ends_at_its_greatest_age() {
    let settings = [ROTATION, ("SESSION_MAX_AGE", "100000")];
    let site = Observed::with(&settings).await;
    site.user("ann").await;
    let mut token = site.login("ann", PASSWORD).await.field("refresh");
    for expires in [NOW + 86_400, NOW + 100_000, NOW + 100_000] {
        assert_eq!(decoded(&token, 1)["exp"], expires);
        site.pass(40_000);
        let answer = refresh(&site, &token).await;
        if answer.status == 401 {
            let expired = json!({"detail": "Token is expired", "code": "token_not_valid"});
            answer.assert(401, expired);
            return;
        }
        token = answer.field("refresh");
    }
    panic!("a session without end");
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

#[tokio::test]
async fn of_a_deleted_user_a_replaced_token_is_blacklisted_and_the_last_one_names_no_account() {
    let settings = [
        ("ROTATE_REFRESH_TOKENS", "true"),
        ("REFRESH_TOKEN_GRACE", "0"),
        ("REFRESH_TOKEN_REUSE", "refuse"),
    ];
    let server = Server::with(&settings).await;
    let ann = server.account("ann").await;
    let last: String = refresh(&server, &ann.refresh).await.field("refresh");
    let user = server.read(UserId(ann.id)).await;
    server.remove(&user).await;
    refresh(&server, &ann.refresh)
        .await
        .assert(401, blacklisted());
    let nobody = detail("No active account found for the given token.");
    refresh(&server, &last).await.assert(401, nobody);
    let verified = |token: String| server.post(NOBODY, "token/verify/", json!({"token": token}));
    let replaced = json!({"non_field_errors": ["Token is blacklisted"]});
    verified(ann.refresh).await.assert(400, replaced);
    verified(last).await.assert(200, json!({}));
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
