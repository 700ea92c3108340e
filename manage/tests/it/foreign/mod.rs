//! Programs that are not ours verify our tokens: PyJWT, SimpleJWT, and npm's jose and aws-jwt-verify. A
//! test runs where its program is, and says so where it is not.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use hmac::{Hmac, KeyInit, Mac};
use manage::rotatekey::rotate;
use rotation::Secret;
use serde_json::json;
use sha2::Sha256;
use shared::{clock::Clock, settings::Algorithm};
use testkit::{Client, NOBODY, PASSWORD, Server, serve};
use tokio::task::block_in_place;

use crate::{
    api::{
        discovery::{EDDSA, ES256, LINK_KEY, RS256},
        tokens::{at, decoded},
    },
    lambda::{
        keys::{NOW, OLD, instance_with},
        rotation::KNOWN,
        secrets::Secrets,
    },
};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/foreign/");
const KEYS: [(&str, &str); 3] = [("RS256", RS256), ("ES256", ES256), ("EdDSA", EDDSA)];
const CLAIMS: &str = "sub,username,is_staff,groups";

/// A program that verifies one token after the other.
struct Verifier {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Verifier {
    /// The verifier of a name, of tokens for the shop by an issuer; `None` where its program is not.
    fn start(name: &'static str, issuer: &str, algorithm: &str) -> Option<Self> {
        let mut command = match name {
            "pyjwt" | "simplejwt" => {
                let mut command = Command::new(python(name)?);
                command.arg(format!("{DIRECTORY}{name}.py"));
                command.args([issuer, "shop"]);
                if name == "simplejwt" {
                    command.arg(algorithm);
                }
                command
            }
            library => {
                let mut command = Command::new(node(library)?);
                command.arg(format!("{DIRECTORY}verify.mjs"));
                command.args([library, issuer, "shop"]);
                command
            }
        };
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        Some(Self {
            name,
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        })
    }

    /// What the program says of a token.
    fn says(&mut self, token: &str) -> String {
        block_in_place(|| {
            writeln!(self.input, "{token}").expect("a program that reads");
            let mut line = String::new();
            self.output
                .read_line(&mut line)
                .expect("a program that writes");
            line.trim().to_owned()
        })
    }

    #[track_caller]
    fn assert_takes(&mut self, token: &str) {
        let said = self.says(token);
        assert!(said.starts_with("ok "), "{}: {said}", self.name);
    }

    #[track_caller]
    fn assert_refuses(&mut self, token: &str, what: &str) {
        let said = self.says(token);
        assert!(
            said.starts_with("refused "),
            "{} takes {what}: {said}",
            self.name
        );
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python(name: &str) -> Option<String> {
    let python = env::var("DJANGO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let needs = match name {
        "pyjwt" => "import jwt, cryptography",
        _ => "import rest_framework_simplejwt, jwt, cryptography",
    };
    let tried = Command::new(&python).args(["-c", needs]).output();
    let is_there = tried.is_ok_and(|tried| tried.status.success());
    if !is_there {
        eprintln!("skipped: no Python with {name} and cryptography (DJANGO_PYTHON)");
    }
    is_there.then_some(python)
}

fn node(library: &str) -> Option<&'static str> {
    let modules = env::var("JWT_NODE_MODULES").unwrap_or_default();
    let is_there = std::path::Path::new(&modules)
        .join("node_modules")
        .join(library)
        .exists();
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if !is_there || !has_node {
        eprintln!("skipped: no Node with {library} (JWT_NODE_MODULES)");
    }
    (is_there && has_node).then_some("node")
}

/// Settings of a service whose tokens are for the shop and the blog.
fn settings<'a>(algorithm: &'a str, key: &'a str, audience: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("ALGORITHM", algorithm),
        ("SIGNING_KEY", key),
        ("LINK_KEY", LINK_KEY),
        ("AUDIENCE", audience),
        ("TOKEN_CLAIMS", CLAIMS),
    ]
}

/// The token with another header, and with that header signed by HMAC with the published key.
fn forged(token: &str, header: &serde_json::Value, key: &str) -> [String; 2] {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let (_, rest) = token.split_once('.').unwrap();
    let (payload, _) = rest.split_once('.').unwrap();
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let message = format!("{header}.{payload}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    let tag = mac.chain_update(&message).finalize().into_bytes();
    let tag = URL_SAFE_NO_PAD.encode(tag);
    [format!("{header}.{rest}"), format!("{message}.{tag}")]
}

async fn they_verify(name: &'static str) {
    for (algorithm, key) in KEYS {
        // SimpleJWT 5.5 knows no EdDSA.
        if name == "simplejwt" && algorithm == "EdDSA" {
            continue;
        }
        let server = Server::with(&settings(algorithm, key, "shop,blog")).await;
        let Some(mut verifier) = Verifier::start(name, server.base(), algorithm) else {
            return;
        };
        let group = server.group("editors", &[]).await;
        server.user("ann").staff().joins([&group]).await;
        let tokens = server.login("ann", PASSWORD).await;
        let (token, refresh) = (tokens.field("access"), tokens.field("refresh"));
        let said = verifier.says(&token);
        let expected = match name {
            "simplejwt" => "ok ['2', 'ann', True, ['editors']]",
            _ => "ok 2",
        };
        assert_eq!(said, expected, "{name} {algorithm}");

        verifier.assert_refuses(&refresh, "a refresh token");
        let again = json!({ "refresh": refresh });
        let again = server.post(NOBODY, "token/refresh/", again).await;
        verifier.assert_takes(&again.field("access"));
        let (start, last) = token.split_at(token.len() - 20);
        let swapped: String = last.chars().rev().collect();
        verifier.assert_refuses(&format!("{start}{swapped}"), "a changed signature");
        let jwk = &server.get(NOBODY, "/.well-known/jwks.json").await.body["keys"][0];
        for alg in ["none", "HS256"] {
            let header = json!({"alg": alg, "typ": "JWT", "kid": jwk["kid"]});
            for token in forged(&token, &header, &jwk.to_string()) {
                verifier.assert_refuses(&token, alg);
            }
        }
        let log_in = async |service: &Client| service.log_in("ann", PASSWORD).await;
        let others = settings(algorithm, key, "blog");
        let blog = server.beside(&others, Clock::System).await;
        verifier.assert_refuses(&log_in(&blog).await, "a token for others");
        let ours = settings(algorithm, key, "shop");
        let past = server.beside(&ours, at(1_600_000_000)).await;
        verifier.assert_refuses(&log_in(&past).await, "an old token");
        verifier.assert_takes(&token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pyjwt_verifies_tokens_by_the_published_keys() {
    they_verify("pyjwt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simplejwt_as_a_resource_server_knows_the_user_by_the_token_alone() {
    they_verify("simplejwt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jose_verifies_tokens_by_the_published_keys() {
    they_verify("jose").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_jwt_verify_verifies_tokens_by_the_published_keys() {
    they_verify("aws-jwt-verify").await;
}

/// One verifier, which keeps the keys that it fetched once, through a rotation.
async fn they_follow(name: &'static str) {
    let server = Server::start().await;
    server.user("ann").await;
    let (_secrets, client) = Secrets::start(OLD, "").await;
    let secret = Secret::new(client.clone(), "the-secret");
    let now = Clock::System.now();
    let step = async || {
        let done = rotate(&secret, Some(Algorithm::Rs256), KNOWN, now, true).await;
        done.expect("a step")
    };
    let settings = [
        ("AUDIENCE", "shop"),
        ("TOKEN_CLAIMS", CLAIMS),
        ("ACCESS_TOKEN_LIFETIME", "3600"),
    ];
    step().await;
    step().await;
    // The function reads the secret every five minutes; no token is from the other program's future.
    let begin = now - 1800;
    let instance = instance_with(&server, &client, &settings, begin).await;
    let at = |minutes: i64| instance.at(begin - NOW + 60 * minutes);
    let service = serve(at(0).app.clone()).await;
    let first = service.log_in("ann", PASSWORD).await;
    let published = step().await;
    at(5);
    // By the time that the next key signs, everybody has fetched it.
    let Some(mut verifier) = Verifier::start(name, service.base(), "RS256") else {
        return;
    };
    verifier.assert_takes(&first);
    let second = service.log_in("ann", PASSWORD).await;
    verifier.assert_takes(&second);
    let promoted = step().await;
    at(10);
    let third = service.log_in("ann", PASSWORD).await;
    let kid = |token: &str| decoded(token, 0)["kid"].as_str().unwrap().to_owned();
    assert_eq!(kid(&first), kid(&second));
    assert!(published[0].contains(&kid(&third)), "{published:?}");
    assert!(promoted[0].contains(&kid(&third)), "{promoted:?}");
    for token in [&first, &second, &third] {
        verifier.assert_takes(token);
        service.get(token, "users/me/").await.assert_status(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_refuses_no_token_at_those_who_keep_the_keys() {
    for name in ["pyjwt", "simplejwt", "jose", "aws-jwt-verify"] {
        they_follow(name).await;
    }
}
