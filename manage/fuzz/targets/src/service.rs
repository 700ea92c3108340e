//! The service that the targets ask: with a table that answers at once.

use std::sync::{Arc, LazyLock, atomic::AtomicI64};

use aws_sdk_dynamodb::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shared::{
    accounts::sessions::{self, Client as Caller},
    app::App,
    aws::LocalEndpoint,
    clock::Clock,
    domain::{NewUser, User, UserId, UserName},
    jwt::{Issued, Jwt},
    mail::links::LinkTokens,
    settings::{KeySource, Keys, Settings},
    store::{
        connect_to,
        keys::{Entity, digest},
        sessions::Kind,
    },
    web::csrf,
};
use tokio::runtime::{Builder, Runtime};

/// The time: Nov. 25, 2026, 3:04 p.m.
pub const NOW: i64 = 1_795_619_040;
/// Signs the tokens.
const SIGNING_KEY: &str = "a-signing-key-of-the-fuzzer-0123456789abcdef";
/// The host that is asked.
pub const HOST: &str = "api.example.com";
/// The session of the superuser at the API.
const SID: &str = "00000000000000000000000000000001";
/// The secret of the superuser's session of the admin pages.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Runs what is asynchronous to its end.
pub fn wait<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The service: every function's settings, a clock that stands.
pub fn app() -> &'static App {
    static APP: LazyLock<App> = LazyLock::new(|| {
        let clock = Clock::Fixed(Arc::new(AtomicI64::new(NOW)));
        App::local(settings(&[]), client(), clock).unwrap()
    });
    &APP
}

fn settings(changes: &[(&str, &str)]) -> Settings {
    let usual = [
        ("SIGNING_KEY", SIGNING_KEY),
        ("TABLE_NAME", "users"),
        ("THROTTLE_RATE_REGISTER", ""),
        ("ACCOUNT_PAGES", "true"),
        ("EMAIL_FRONTEND_DOMAIN", HOST),
        ("DEFAULT_FROM_EMAIL", "Shop <shop@example.com>"),
        ("EMAIL_BACKEND", "console"),
    ];
    let lookup = |name: &str| {
        let found = changes.iter().chain(&usual).find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::from_lookup(lookup).unwrap()
}

/// Tokens by other settings.
pub fn jwt(changes: &[(&str, &str)]) -> Jwt {
    let settings = settings(changes);
    let KeySource::Given(keys) = &settings.tokens.keys else {
        panic!("the key is given")
    };
    Jwt::new(Arc::new(settings.tokens.clone()), keys)
}

/// What makes and checks the tokens of mails.
pub fn link_tokens() -> &'static LinkTokens {
    static TOKENS: LazyLock<LinkTokens> =
        LazyLock::new(|| LinkTokens::new(&Keys::hmac(SIGNING_KEY, &[]).unwrap()));
    &TOKENS
}

/// The signature of a token.
pub fn hmac(message: &str) -> Vec<u8> {
    let key = Hmac::<Sha256>::new_from_slice(SIGNING_KEY.as_bytes()).unwrap();
    key.chain_update(message).finalize().into_bytes().to_vec()
}

/// What a request of the superuser brings: the header of the API; the cookie of the admin pages and the
/// token of their forms.
pub struct Credentials {
    /// An `Authorization` header.
    pub bearer: String,
    /// A cookie.
    pub cookie: String,
    /// The token of forms.
    pub form_token: String,
}

/// Those of the superuser.
pub fn credentials() -> &'static Credentials {
    static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
        let app = app();
        let user_id = Value::from("1");
        let issued = Issued {
            sid: Some(SID),
            ..Issued::to(&user_id)
        };
        let text = format!("1.{SECRET}");
        let tags = wait(app.keys.tags(NOW));
        Credentials {
            bearer: format!("Bearer {}", app.keys.at_hand().access(issued, NOW)),
            cookie: format!("__Host-sessionid={text}.{}", tags.tag("session", &text)),
            form_token: wait(csrf::token(app, SECRET)),
        }
    });
    &CREDENTIALS
}

/// A client without retries and time limits of the SDK.
fn client() -> Client {
    let endpoint = LocalEndpoint {
        url: "http://127.0.0.1:1".to_owned(),
        access_key: "key".to_owned(),
    };
    let connector = SharedHttpConnector::new(Table::new());
    let config = connect_to(&endpoint).config().to_builder();
    let config = config
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()));
    Client::from_conf(config.build())
}

/// A DynamoDB that holds two users, the sessions of one and a group, takes every write and keeps none.
/// What comes before or beside the hash of a password fails, since no input may take that long.
#[derive(Debug)]
struct Table {
    /// By partition key and sort key, in quotes.
    items: Vec<([String; 2], Value)>,
}

impl Table {
    fn new() -> Self {
        let user =
            |id: u64, name: &str| NewUser::named(UserName::held(name), 1_000).into_user(UserId(id));
        let admin = User {
            is_staff: true,
            is_superuser: true,
            ..user(1, "admin")
        };
        let session = |kind, sid: &str| {
            sessions::new(&admin, kind, sid.to_owned(), &Caller::default(), NOW, 3600)
        };
        let (api, pages) = (
            session(Kind::Api, SID),
            session(Kind::Admin, &digest(SECRET)),
        );
        let group = json!({"id": 3, "name": "Staff", "version": 1});
        let items = [
            (Entity::User(admin.id), json!(admin)),
            (Entity::User(UserId(7)), json!(user(7, "ann"))),
            (Entity::Session(admin.id, &api.sid), json!(api)),
            (Entity::Session(admin.id, &pages.sid), json!(pages)),
            (Entity::Group(shared::domain::GroupId(3)), group),
        ];
        let stored = items.map(|(entity, mut item)| {
            let key = entity.key();
            (item["PK"], item["SK"]) = (key.pk.clone().into(), key.sk.clone().into());
            let quoted = [key.pk, key.sk].map(|part| format!("\"{part}\""));
            (quoted, attribute(&item)["M"].take())
        });
        Self {
            items: stored.into(),
        }
    }

    fn answer(&self, operation: &str, asked: &str) -> Option<Value> {
        if ["ATTEMPTS#", "CREDENTIAL", "SEQUENCE"]
            .iter()
            .any(|part| asked.contains(part))
        {
            return None;
        }
        let of_partition = |(key, _): &&([String; 2], Value)| asked.contains(&key[0]);
        let named = |(key, _): &&([String; 2], Value)| key.iter().all(|part| asked.contains(part));
        let items = self.items.iter();
        let values = |(_, item): &([String; 2], Value)| item.clone();
        Some(match operation {
            "GetItem" => match items.clone().find(named) {
                Some(found) => json!({"Item": values(found)}),
                None => json!({}),
            },
            "BatchGetItem" => {
                let found: Vec<Value> = items.filter(named).map(values).collect();
                json!({"Responses": {"users": found}})
            }
            "Query" if asked.contains("IndexName") => json!({"Items": [], "Count": 0}),
            "Query" => {
                let found: Vec<Value> = items.filter(of_partition).map(values).collect();
                json!({"Count": found.len(), "Items": found})
            }
            "UpdateItem" => json!({"Attributes": {"count": {"N": "1"}, "value": {"N": "8"}}}),
            _ => json!({}),
        })
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let (_, operation) = target.rsplit_once('.').unwrap_or_default();
        let asked = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        let answer = self.answer(operation, &asked).map(|body| body.to_string());
        let answer = match answer {
            Some(body) => {
                let status = StatusCode::try_from(200).unwrap();
                Ok(HttpResponse::new(status, SdkBody::from(body)))
            }
            None => Err(ConnectorError::user("this is not asked for here".into())),
        };
        HttpConnectorFuture::ready(answer)
    }
}

/// A value as an attribute of an item.
fn attribute(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(flag) => json!({"BOOL": flag}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(values) => json!({"L": values.iter().map(attribute).collect::<Vec<_>>()}),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), attribute(value)));
            json!({"M": fields.collect::<serde_json::Map<_, _>>()})
        }
    }
}
