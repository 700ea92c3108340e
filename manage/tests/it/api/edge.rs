//! The edge: only the proxy with the secret gets in, and the address of a client is the one that this
//! proxy saw.

use axum::http::request::Builder;
use serde_json::{Value, json};
use shared::clock::Clock;
use testkit::{
    Answer, Client, NOBODY, PASSWORD, Server, app, detail,
    events::{event, invoke},
    forbidden,
};

const SECRET: &str = "the-secret-of-the-proxy-0123456789";
const OLD: &str = "the-secret-before-that-01234567890";
const HEADER: &str = "X-Origin-Verify";

/// A service behind a proxy, while its secret is replaced.
async fn behind_proxy(settings: &[(&str, &str)]) -> Server {
    let secrets = [("ORIGIN_SECRET", SECRET), ("ORIGIN_SECRET_FALLBACKS", OLD)];
    Server::with(&[&secrets, settings].concat()).await
}

/// A login as the proxy passes it on.
async fn login(client: &Client, password: &str, forwarded_for: &[&str]) -> Answer {
    let body = json!({"username": "admin", "password": password});
    let mut request = client
        .request(NOBODY, "POST", "login/")
        .header(HEADER, SECRET)
        .header("content-type", "application/json");
    for hops in forwarded_for {
        request = request.header("x-forwarded-for", *hops);
    }
    client.send(request, body.to_string()).await
}

async fn send(client: &Client, request: Builder, secret: &str) -> Answer {
    client.send(request.header(HEADER, secret), "").await
}

#[tokio::test]
async fn who_does_not_send_the_secret_is_refused_whatever_they_ask() {
    let server = behind_proxy(&[]).await;
    let almost = SECRET.replace('9', "8");
    for (method, path) in [
        ("GET", "users/me/"),
        ("GET", "groups/"),
        ("OPTIONS", "permissions/"),
        ("POST", "login/"),
        ("GET", "nowhere/"),
        ("GET", "/admin/"),
        ("GET", "/admin/login/"),
        ("GET", "/"),
    ] {
        let request = || server.request(&server.admin, method, path);
        server.send(request(), "").await.assert(403, forbidden());
        for secret in [
            "",
            &SECRET[1..],
            &format!("{SECRET}0"),
            &almost,
            &format!("{SECRET},{OLD}"),
        ] {
            send(&server, request(), secret)
                .await
                .assert(403, forbidden());
        }
        for secret in [SECRET, OLD] {
            let answer = send(&server, request(), secret).await;
            assert_ne!(answer.status, 403, "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_clients_address_is_the_last_that_the_proxy_wrote() {
    let server = behind_proxy(&[]).await;
    for (hops, address) in [
        (&["198.51.100.7"][..], "198.51.100.7"),
        // What the client wrote itself comes before it, in one header or in two.
        (&["192.0.2.66, 198.51.100.7"], "198.51.100.7"),
        (&["192.0.2.66", "198.51.100.7"], "198.51.100.7"),
        (&["198.51.100.7:4711"], "198.51.100.7"),
        (&["2001:db8::7"], "2001:db8::7"),
        (&["[2001:db8::7]:4711"], "2001:db8::7"),
        (&["::ffff:198.51.100.7"], "198.51.100.7"),
        // What is no address is not believed: it is the proxy's own then.
        (&["198.51.100.7, unknown"], "127.0.0.1"),
        (&["198.51.100.7, "], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        let answer = login(&server, PASSWORD, hops).await;
        let access = answer.assert_status(200).field("access");
        let request = server.request(&access, "GET", "sessions/");
        let sessions = send(&server, request, SECRET).await;
        let current = |session: &&Value| session["current"] == true;
        let session = sessions.list().iter().find(current).expect("a session");
        assert_eq!(session["address"], address, "{hops:?}");
    }
}

#[tokio::test]
async fn behind_api_gateway_the_address_is_the_one_before_the_proxys() {
    let server = behind_proxy(&[]).await;
    let settings = [("ORIGIN_SECRET", SECRET)];
    let app = app(&server.engine.endpoint(), &settings, Clock::System);
    // API Gateway adds the address that it saw, which the events have as 192.0.2.1.
    for (hops, address) in [
        ("192.0.2.66, 198.51.100.7, 192.0.2.1", "198.51.100.7"),
        ("192.0.2.66, 198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        let body = json!({"username": "admin", "password": PASSWORD});
        let mut login = event("POST", "/api/auth/login/", None, &body);
        login["headers"]["x-forwarded-for"] = hops.into();
        login["headers"]["x-origin-verify"] = SECRET.into();
        let access = invoke("auth", &app, &login).await.field("access");
        let mut list = event("GET", "/api/auth/sessions/", Some(&access), &Value::Null);
        invoke("auth", &app, &list).await.assert(403, forbidden());
        list["headers"]["x-origin-verify"] = SECRET.into();
        let sessions = invoke("auth", &app, &list).await;
        let current = |session: &&Value| session["current"] == true;
        let session = sessions.list().iter().find(current).expect("a session");
        assert_eq!(session["address"], address, "{hops}");
    }
}

#[tokio::test]
async fn limits_by_address_count_each_client_of_the_proxy() {
    let server = behind_proxy(&[("LOGIN_FAILURE_LIMIT_PER_ADDRESS", "2")]).await;
    for forged in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        let hops = format!("{forged}, 198.51.100.7");
        login(&server, "wrong", &[&hops]).await;
    }
    let closed = login(&server, PASSWORD, &["198.51.100.7"]).await;
    closed.assert_status(429);
    let other = login(&server, PASSWORD, &["198.51.100.8"]).await;
    other.assert_status(200);
}

#[tokio::test]
async fn the_admin_pages_can_be_switched_off() {
    let server = Server::with(&[("DISABLE_ADMIN", "true")]).await;
    for path in [
        "/admin/",
        "/admin",
        "/admin/login/",
        "/admin/static/base.css",
        "/admin/x/",
    ] {
        let answer = server.get(NOBODY, path).await;
        answer.assert(404, detail("Not found."));
    }
    server.login("admin", PASSWORD).await.assert_status(200);
}

#[tokio::test]
async fn the_admin_pages_can_be_limited_to_networks() {
    let networks = "192.0.2.0/24, 2001:db8:a::/48, 203.0.113.5";
    let server = behind_proxy(&[("ADMIN_NETWORKS", networks)]).await;
    for (address, status) in [
        ("192.0.2.77", 200),
        ("::ffff:192.0.2.77", 200),
        ("192.0.3.1", 403),
        ("203.0.113.5", 200),
        ("203.0.113.6", 403),
        ("2001:db8:a:1::1", 200),
        ("2001:db8:b::1", 403),
        ("192.0.2.77, 198.51.100.7", 403),
        ("nonsense", 403),
    ] {
        let request = |path| {
            let request = server.request(NOBODY, "GET", path);
            request.header("x-forwarded-for", address)
        };
        let page = send(&server, request("/admin/login/"), SECRET).await;
        page.assert_status(status);
        if status == 403 {
            page.assert(403, forbidden());
        }
        // The API is there for all.
        let api = send(&server, request("users/me/"), SECRET).await;
        api.assert_status(401);
    }
}

#[tokio::test]
async fn without_a_proxy_the_networks_are_those_of_the_connection() {
    for (networks, status) in [("127.0.0.0/8", 200), ("192.0.2.0/24", 403)] {
        let server = Server::with(&[("ADMIN_NETWORKS", networks)]).await;
        let request = server.request(NOBODY, "GET", "/admin/login/");
        let request = request.header("x-forwarded-for", "192.0.2.1");
        server.send(request, "").await.assert_status(status);
    }
}
