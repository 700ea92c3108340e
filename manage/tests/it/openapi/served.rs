//! The document and its page over HTTP.

use axum::http::header;
use manage::openapi::{document, yaml};
use regex_lite::Regex;
use serde_json::Value;
use testkit::{Answer, Client, NOBODY, Server, detail, not_found};

const YAML: &str = "application/vnd.oai.openapi; charset=utf-8";
const JSON: &str = "application/vnd.oai.openapi+json";

async fn accepting(client: &Client, accept: &str, path: &str) -> Answer {
    let request = client.request(NOBODY, "GET", path);
    client
        .send(request.header(header::ACCEPT, accept), "")
        .await
}

#[tokio::test]
async fn the_document_comes_in_the_form_that_is_asked_for() {
    let server = Server::start().await;
    for (accept, path, kind) in [
        ("*/*", "/api/schema/", YAML),
        (
            "text/html,application/xml;q=0.9,*/*;q=0.8",
            "/api/schema/",
            YAML,
        ),
        ("application/vnd.oai.openapi", "/api/schema/", YAML),
        (
            "application/yaml",
            "/api/schema/",
            "application/yaml; charset=utf-8",
        ),
        ("application/vnd.oai.openapi+json", "/api/schema/", JSON),
        ("application/json", "/api/schema/", "application/json"),
        (
            "text/html, application/json",
            "/api/schema/",
            "application/json",
        ),
        ("application/*", "/api/schema/", YAML),
        ("*/*", "/api/schema/?format=json", JSON),
        ("*/*", "/api/schema/?format=yaml", YAML),
        ("*/*", "/api/schema?format=", YAML),
    ] {
        let answer = accepting(&server, accept, path).await;
        answer.assert_status(200);
        assert_eq!(answer.header("content-type"), Some(kind), "{accept} {path}");
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"));
        match kind.ends_with("json") {
            // Not assert_eq!, which would print all of it.
            true => assert!(answer.json() == Some(document())),
            false => assert!(answer.text == yaml(&document())),
        }
    }
    let without = server.get(NOBODY, "/api/schema/").await;
    assert_eq!(without.header("content-type"), Some(YAML));
    let words = "Could not satisfy the request Accept header.";
    let refused = accepting(&server, "text/html", "/api/schema/").await;
    refused.assert(406, detail(words));
    let yaml_only = accepting(&server, "application/json", "/api/schema/?format=yaml").await;
    yaml_only.assert(406, detail(words));
    let unknown = server.get(NOBODY, "/api/schema/?format=xml").await;
    unknown.assert(404, not_found());
    let posted = server.post(NOBODY, "/api/schema/", Value::Null).await;
    posted.assert(405, detail("Method \"POST\" not allowed."));
    assert_eq!(posted.header("allow"), Some("GET, HEAD, OPTIONS"));
}

/// The addresses of the files that a page loads.
fn files(page: &Answer) -> Vec<String> {
    let pattern = Regex::new("(?:src|href)=\"([^\"]+\\?v=[^\"]+)\"").unwrap();
    let found = pattern.captures_iter(&page.text);
    found.map(|found| found[1].to_owned()).collect()
}

#[tokio::test]
async fn the_page_loads_only_what_is_here() {
    let server = Server::start().await;
    let page = server.get(NOBODY, "/api/schema/swagger-ui/").await;
    page.assert_status(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                  form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'";
    assert_eq!(page.header("content-security-policy"), Some(policy));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert!(!page.says("//"), "{page:?}");
    // No script and no style stands in the page.
    let scripts = Regex::new("<script[^>]*>").unwrap();
    let mut scripts = scripts.find_iter(&page.text);
    assert!(scripts.all(|script| script.as_str().contains("src=")));
    assert!(
        !page.says("<style") && !page.says("style=") && !page.says(" on"),
        "{page:?}"
    );
    let files = files(&page);
    assert_eq!(files.len(), 3, "{page:?}");
    for file in files {
        let path = format!("/api/schema/swagger-ui/{file}");
        let whole = server.get(NOBODY, &path).await;
        whole.assert_status(200);
        let kept = Some("public, max-age=31536000, immutable");
        assert_eq!(whole.header("cache-control"), kept, "{file}");
        assert_eq!(whole.header("content-encoding"), None);
        assert_eq!(whole.header("content-security-policy"), Some(policy));
        let (bare, _) = path.split_once('?').unwrap();
        let old = server.get(NOBODY, &format!("{bare}?v=0000")).await;
        assert_eq!(old.header("cache-control"), Some("no-store"));
        assert_eq!(old.text, whole.text);
    }
}

#[tokio::test]
async fn large_files_go_out_compressed() {
    let server = Server::start().await;
    for path in [
        "/api/schema/",
        "/api/schema/swagger-ui/swagger-ui-bundle.js",
    ] {
        let whole = server.get(NOBODY, path).await.assert_status(200).text.len();
        let gzip = reqwest::Client::builder().build().unwrap();
        let address = format!("{}{path}", server.base());
        let request = gzip
            .get(address)
            .header(header::ACCEPT_ENCODING, "gzip, br");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        let sent = answer.bytes().await.unwrap();
        assert!(sent.len() * 3 < whole, "{} of {whole}", sent.len());
    }
}

#[tokio::test]
async fn nothing_else_is_below_the_document() {
    let server = Server::start().await;
    for path in ["/api/schema/nowhere/", "/api/schema/swagger-ui/index.html"] {
        server.get(NOBODY, path).await.assert(404, not_found());
    }
    let posted = server
        .post(NOBODY, "/api/schema/swagger-ui/", Value::Null)
        .await;
    posted.assert(405, detail("Method \"POST\" not allowed."));
    assert_eq!(posted.header("allow"), Some("GET, HEAD"));
}
