//! Every operation, asked for what it must refuse: the answers are the examples of the document, word for
//! word.

use axum::http::header;
use manage::openapi::document;
use serde_json::{Map, Value, json};
use shared::{clock::Clock, input::MAX_BODY};
use testkit::{Answer, Client, NOBODY, Observed, Server, proxy::Fault};
use tokio::task::JoinSet;

use crate::api::access::LINKS;

/// An operation of the document.
#[derive(Clone)]
struct Operation {
    method: String,
    path: String,
    value: Value,
}

impl Operation {
    /// The path with an id in it.
    fn at(&self, id: impl ToString) -> String {
        self.path.replace("{id}", &id.to_string())
    }

    fn has(&self, status: &str) -> bool {
        self.value["responses"].get(status).is_some()
    }

    fn reads_body(&self) -> bool {
        self.value.get("requestBody").is_some()
    }

    fn needs_token(&self) -> bool {
        self.value["security"] == json!([{"jwtAuth": []}])
    }

    fn is_of_users(&self) -> bool {
        self.path.starts_with("/api/auth/users/{id}/")
    }

    /// The fields of the body.
    fn fields<'a>(&self, document: &'a Value) -> &'a Map<String, Value> {
        let schema = &self.value["requestBody"]["content"]["application/json"]["schema"];
        let pointer = &schema["$ref"].as_str().unwrap()[1..];
        let schema = document.pointer(pointer).unwrap();
        schema["properties"].as_object().unwrap()
    }

    /// Asserts that an answer is an example of the document.
    fn assert_example(&self, answer: &Answer, document: &Value, status: &str, example: &str) {
        let response = &self.value["responses"][status];
        let pointer = response["$ref"].as_str().map(|text| &text[1..]);
        let response = pointer.map_or(response, |at| document.pointer(at).unwrap());
        let media = &response["content"]["application/json"];
        let body = &media["examples"][example]["value"];
        assert!(!body.is_null(), "{} {}: {status}", self.method, self.path);
        assert_eq!(
            answer.status.to_string(),
            status,
            "{} {}",
            self.method,
            self.path
        );
        assert_eq!(answer.body, *body, "{} {}", self.method, self.path);
    }
}

/// All of the API; the document itself is read from no table.
fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.filter(|(path, _)| *path != "/api/schema/");
    let all = all.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(|(method, value)| Operation {
            method: method.to_uppercase(),
            path: path.clone(),
            value: value.clone(),
        })
    });
    all.collect()
}

#[tokio::test]
async fn who_is_nobody_or_has_a_bad_token_is_told_so() {
    let (document, server) = (document(), Server::with(&LINKS).await);
    for operation in operations(&document) {
        let (method, path) = (operation.method.as_str(), operation.at(1));
        if operation.needs_token() {
            let answer = server.ask(NOBODY, method, &path, json!({})).await;
            operation.assert_example(&answer, &document, "401", "not_authenticated");
        }
        if operation.value.get("security").is_none() {
            continue;
        }
        let request = server.request(NOBODY, method, &path);
        let request = request.header(header::AUTHORIZATION, "Bearer two words");
        let answer = server.send(request, "").await;
        operation.assert_example(&answer, &document, "401", "bad_authorization_header");
        let answer = server.ask("no-token", method, &path, json!({})).await;
        operation.assert_example(&answer, &document, "401", "token_not_valid");
    }
}

#[tokio::test]
async fn what_is_missing_and_what_passes_by_the_proxy_is_refused() {
    let (document, server) = (document(), Server::with(&LINKS).await);
    let secret = [("ORIGIN_SECRET", "a-secret-of-the-proxy-0123456789abcdef")];
    let proxied = server.beside(&secret, Clock::System).await;
    for operation in operations(&document) {
        let method = operation.method.as_str();
        let answer = proxied
            .ask(NOBODY, method, &operation.at(1), json!({}))
            .await;
        operation.assert_example(&answer, &document, "403", "permission_denied");
        if operation.path.contains("{id}") {
            let gone = operation.at(9999);
            let answer = server.ask(&server.admin, method, &gone, json!({})).await;
            operation.assert_example(&answer, &document, "404", "not_found");
        }
        let answer = server
            .ask(&server.admin, "TRACE", &operation.at(1), json!({}))
            .await;
        let examples = &document["components"]["responses"]["MethodNotAllowed"]["content"];
        let example = &examples["application/json"]["examples"]["method_not_allowed"]["value"];
        assert_eq!(answer.parts(), (405, example), "{}", operation.path);
    }
}

/// The answer to a body of `superuser`, at ids that exist.
async fn sent(server: &Server, operation: &Operation, kind: &str, body: Vec<u8>) -> Answer {
    let path = operation.at(if operation.is_of_users() { 2 } else { 1 });
    let client: &Client = server;
    client
        .send_as(kind, &server.admin, &operation.method, &path, body)
        .await
}

#[tokio::test]
async fn bodies_that_are_not_good_are_refused() {
    let (document, server) = (document(), Server::with(&LINKS).await);
    server.group("Editors", &[]).await;
    server.user("ann").await;
    for operation in operations(&document) {
        if !operation.reads_body() {
            assert!(
                !operation.has("413") && !operation.has("415"),
                "{}",
                operation.path
            );
            continue;
        }
        let json = "application/json";
        let large = sent(&server, &operation, json, vec![b' '; MAX_BODY + 1]).await;
        operation.assert_example(&large, &document, "413", "too_large");
        let text = sent(&server, &operation, "text/plain", b"x".to_vec()).await;
        operation.assert_example(&text, &document, "415", "unsupported_media_type");
        let response = &operation.value["responses"]["400"];
        if response.get("content").is_none() {
            // Such a mail is not sent here.
            continue;
        }
        let broken = sent(&server, &operation, json, b"x".to_vec()).await;
        operation.assert_example(&broken, &document, "400", "parse_error");
        // Each field that the document names is read.
        let fields = operation.fields(&document).keys();
        let nulls: Map<_, _> = fields.map(|name| (name.clone(), Value::Null)).collect();
        let body = json!(nulls).to_string().into_bytes();
        let refused = sent(&server, &operation, json, body).await;
        assert_eq!(refused.status, 400, "{}: {refused:?}", operation.path);
        let is_lenient = operation.path.ends_with("reset_username_confirm/");
        for name in nulls.keys() {
            let is_off = name.starts_with("re_");
            let names_nobody = is_lenient && ["uid", "token"].contains(&name.as_str());
            if !is_off && !names_nobody {
                let text = json!(["This field may not be null."]);
                assert_eq!(refused.body[name], text, "{}: {refused:?}", operation.path);
            }
        }
        let examples = &response["content"][json]["examples"];
        for (name, texts) in examples["fields"]["value"].as_object().unwrap() {
            assert_eq!(refused.body[name], *texts, "{}", operation.path);
        }
    }
}

#[tokio::test]
async fn limits_of_texts_are_those_of_the_document() {
    let (document, server) = (document(), Server::with(&LINKS).await);
    server.group("Editors", &[]).await;
    server.user("ann").await;
    let mut limited = 0;
    for operation in operations(&document) {
        if !operation.reads_body() {
            continue;
        }
        for (name, schema) in operation.fields(&document) {
            let Some(most) = schema["maxLength"].as_u64() else {
                continue;
            };
            limited += 1;
            let text = "a".repeat(most as usize + 1);
            let body = json!({ name: text }).to_string().into_bytes();
            let refused = sent(&server, &operation, "application/json", body).await;
            let words = format!("Ensure this field has no more than {most} characters.");
            let place = &operation.path;
            assert_eq!(refused.body[name][0], words, "{place}: {refused:?}");
            // One less is not too long, whatever else is wrong.
            let text = "a".repeat(most as usize);
            let body = json!({ name: text }).to_string().into_bytes();
            let answer = sent(&server, &operation, "application/json", body).await;
            assert!(!answer.says(&words), "{place}: {answer:?}");
        }
    }
    assert!(limited > 20, "{limited}");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_a_503() {
    let (document, server) = (document(), Observed::start().await);
    let token = server.issue(shared::jwt::TokenType::Access, &server.admin);
    server
        .proxy
        .inject(|_, _| Some(Fault::Refused(500, "InternalServerError")));
    let mut asked = JoinSet::new();
    for operation in operations(&document) {
        if operation.needs_token() {
            let (client, token): (Client, _) = ((**server).clone(), token.clone());
            asked.spawn(async move {
                let path = operation.at(1);
                let answer = client
                    .ask(&token, &operation.method, &path, json!({}))
                    .await;
                (operation, answer)
            });
        }
    }
    for (operation, answer) in asked.join_all().await {
        operation.assert_example(&answer, &document, "503", "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}
