//! What stands between the Lambda runtime and a function's routes: the start, and the events.

use axum::{
    Router,
    http::{HeaderValue, Uri, header},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{
    Adapter, Error, Request,
    aws_lambda_events::apigw::ApiGatewayV2httpRequest,
    lambda_runtime::{self, LambdaEvent},
    request::LambdaRequest,
    service_fn,
    tower::{Service, ServiceExt},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing_subscriber::fmt::MakeWriter;
use url::Url;

use crate::{
    app::App,
    aws,
    clock::Clock,
    http::{Malformed, Routes, service},
    keyring::Keyring,
    settings::{KeySource, Settings, SettingsError},
    store,
    telemetry::Reporter,
};

/// Runs a function: everything that a start can do is done before the first request.
///
/// # Errors
/// A setting that is missing or malformed, or the end of the runtime.
pub async fn run(routes: Routes) -> Result<(), Error> {
    let app = start().await?;
    lambda_runtime::run(handler(service(routes, app))).await
}

/// Runs a function that reads no table and knows no key.
///
/// # Errors
/// A setting that is malformed, or the end of the runtime.
pub async fn run_alone(routes: Routes) -> Result<(), Error> {
    // A key that signs nothing, and a table that nobody asks.
    let key = format!("{:032x}", rand::random::<u128>());
    let settings = Settings::from_lookup(|name| match name {
        "SIGNING_KEY" => Some(key.clone()),
        "SIGNING_KEY_SECRET_ARN" | "SIGNING_KEY_FALLBACKS" => None,
        "TABLE_NAME" => Some("none".to_owned()),
        name => std::env::var(name).ok(),
    })?;
    let reporter = log(&settings)?;
    let client = store::client(&aws::in_lambda(&settings.aws, None)?);
    let store = store::Store::new(client, &settings.table.name);
    let clock = Clock::System;
    let keys = keyring(&settings, clock.now()).await?;
    let app = App::new(settings, store, keys, clock, reporter);
    lambda_runtime::run(handler(service(routes, app))).await
}

/// Logs as CloudWatch reads it: a JSON object on a line, with a timestamp and a level.
pub fn json_lines<W>(level: tracing::Level, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        // The only span is the runtime's, with the request's id.
        .with_span_list(false)
        .with_max_level(level)
        .with_writer(writer)
        .finish()
}

/// The app of a function. The connection to DynamoDB is opened while the secret is fetched, so
/// that the first request waits for neither. What does not answer is asked again by the first request,
/// and until it does, requests are answered 503.
///
/// # Errors
/// A setting that is missing or malformed, or a table of a newer layout.
pub async fn start() -> Result<App, Error> {
    let settings = Settings::from_env()?;
    let reporter = log(&settings)?;
    let dynamodb = settings.aws.dynamodb_endpoint.as_deref();
    let client = store::client(&aws::in_lambda(&settings.aws, dynamodb)?);
    let clock = Clock::System;
    let store = store::Store::new(client, &settings.table.name);
    let (keys, layout) = tokio::join!(keyring(&settings, clock.now()), store.refuse_newer_layout());
    layout?;
    Ok(App::new(settings, store, keys?, clock, reporter))
}

/// Logs from here on, and tells CloudWatch of requests.
fn log(settings: &Settings) -> Result<Reporter, Error> {
    let lines = json_lines(settings.telemetry.log_level, std::io::stdout);
    // Tests may have set another.
    let _ = tracing::subscriber::set_global_default(lines);
    Reporter::cloudwatch(&settings.telemetry.metrics_namespace)
}

async fn keyring(settings: &Settings, now: i64) -> Result<Keyring, SettingsError> {
    match &settings.tokens.keys {
        KeySource::Given(keys) => Ok(Keyring::fixed(&settings.tokens, keys)),
        KeySource::Secret(arn) => {
            let endpoint = settings.aws.secrets_manager_endpoint.as_deref();
            let client = aws::secrets_manager(&aws::in_lambda(&settings.aws, endpoint)?);
            Keyring::from_secret(&settings.tokens, client, arn.clone(), now).await
        }
    }
}

/// An event of API Gateway, payload format 2.0, as far as it is one.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Event(Box<RawValue>);

impl Event {
    /// The request in it, ready for `lambda_http`; `None` if it holds no request of HTTP.
    fn request(&self) -> Option<ApiGatewayV2httpRequest> {
        let mut request = serde_json::from_str(self.0.get()).ok()?;
        tidy(&mut request);
        let lengths = [&request.raw_path, &request.raw_query_string];
        let length: usize = lengths.into_iter().flatten().map(String::len).sum();
        (length <= LONGEST_ADDRESS).then_some(request)
    }
}

/// The longest path and query, encoded, in bytes: the crate `http` takes 65,534 with the host and what is
/// between them. API Gateway takes 10,240 bytes of request line and headers.
const LONGEST_ADDRESS: usize = 64_000;

/// A service as the Lambda runtime calls it. An event that holds no request is a malformed request.
pub fn handler(
    service: Router,
) -> impl Service<
    LambdaEvent<Event>,
    Response = impl serde::Serialize + std::fmt::Debug,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    service_fn(move |event: LambdaEvent<Event>| {
        let LambdaEvent { payload, context } = event;
        let request = payload.request();
        let is_malformed = request.is_none();
        let service = service.clone().map_request(move |mut request: Request| {
            if is_malformed {
                request.extensions_mut().insert(Malformed);
            }
            request
        });
        let request = LambdaRequest::ApiGatewayV2(request.unwrap_or_default());
        Adapter::from(service).call(LambdaEvent::new(request, context))
    })
}

/// What a path may not hold as it stands. API Gateway decodes it, so `%` stands for itself.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a query may not hold as it stands. It comes encoded.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'`');

/// Changes an event into what `lambda_http` accepts: it ends the process where a host, a path, a
/// query or a body is malformed.
fn tidy(event: &mut ApiGatewayV2httpRequest) {
    let path = event.raw_path.as_deref().unwrap_or("/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    event.raw_path = Some(format!("{slash}{}", utf8_percent_encode(path, PATH)));
    if let Some(query) = &event.raw_query_string {
        event.raw_query_string = Some(utf8_percent_encode(query, QUERY).to_string());
    }
    // The stage is part of the path where the path needs it.
    event.request_context.stage = None;
    let headers = &mut event.headers;
    // lambda_http drops all cookies if one of them is not ASCII.
    let mut cookies = event.cookies.take().unwrap_or_default();
    cookies.retain(|cookie| HeaderValue::from_bytes(cookie.as_bytes()).is_ok());
    if let Ok(cookies) = HeaderValue::from_bytes(cookies.join("; ").as_bytes())
        && !cookies.is_empty()
    {
        headers.insert(header::COOKIE, cookies);
    }
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    if !headers
        .get(header::HOST)
        .and_then(text)
        .is_some_and(|host| is_host(&host))
    {
        headers.remove(header::HOST);
    }
    let domain = &mut event.request_context.domain_name;
    if !domain.as_deref().is_some_and(is_host) {
        *domain = None;
    }
    headers.remove("x-forwarded-proto");
    let body = event.body.as_deref().unwrap_or_default();
    if event.is_base64_encoded && STANDARD.decode(body).is_err() {
        event.is_base64_encoded = false;
    }
    if let Some(body) = broken_body(event) {
        event.body = Some(STANDARD.encode(body));
        event.is_base64_encoded = true;
        // The gateway reads UTF-8, so the bytes mean nothing in a charset that the client names.
        let kind = event.headers.get(header::CONTENT_TYPE).and_then(text);
        if kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(JSON)) {
            let json = header::HeaderValue::from_static(JSON);
            event.headers.insert(header::CONTENT_TYPE, json);
        }
    }
}

/// The media type that API Gateway passes on as text.
const JSON: &str = "application/json";

/// A body of text that was not UTF-8: API Gateway has put U+FFFD in the place of the wrong bytes,
/// which the length that was sent gives away. A wrong byte in each place lets it be refused, rather
/// than stored as what nobody sent. Where only the last one to three bytes are wrong, they are
/// taken for a character that is cut short, which DRF drops.
fn broken_body(event: &ApiGatewayV2httpRequest) -> Option<Vec<u8>> {
    const REPLACED: char = char::REPLACEMENT_CHARACTER;
    let body = event
        .body
        .as_deref()
        .filter(|body| body.contains(REPLACED))?;
    let sent = event.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    let sent: usize = sent.parse().ok()?;
    if body.len() <= sent || event.is_base64_encoded {
        return None;
    }
    let whole = body.trim_end_matches(REPLACED);
    if !whole.contains(REPLACED) && (1..=3).contains(&sent.saturating_sub(whole.len())) {
        const START_OF_FOUR: &[u8] = b"\xf0";
        return Some([whole.as_bytes(), START_OF_FOUR].concat());
    }
    let parts: Vec<&[u8]> = body.split(REPLACED).map(str::as_bytes).collect();
    Some(parts.join(&0xff))
}

/// Whether a text is a host, with a port or without, to both crates that read it: `url`, and what it
/// makes of the text to `http`.
fn is_host(text: &str) -> bool {
    const LONGEST: usize = 1000;
    if text.len() > LONGEST || text.contains(['/', '\\', '?', '#', '@']) {
        return false;
    }
    // Nearly all are, and need no parser: two of them take as long as the rest of this module.
    if is_plain_name(text) {
        return true;
    }
    let address = Url::parse(&format!("https://{text}/"));
    address.is_ok_and(|address| address.as_str().parse::<Uri>().is_ok())
}

/// Whether a text is a domain name of lower-case ASCII that is neither a number nor encoded.
fn is_plain_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let labels = || text.split('.');
    labels().all(|label| !label.is_empty() && label.bytes().all(is_plain))
        && !labels().any(|label| label.starts_with("xn--"))
        && labels()
            .next_back()
            .is_some_and(|last| last.starts_with(|first: char| first.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use lambda_http::lambda_runtime::Context;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plain_name_is_a_host_to_the_parser_too() {
        let url = |text: &str| Url::parse(&format!("https://{text}/"));
        for name in [
            "abc123.execute-api.eu-west-1.amazonaws.com",
            "a",
            "-a-.b-",
            "1.2.c3",
        ] {
            assert!(is_plain_name(name), "{name}");
            assert_eq!(url(name).unwrap().host_str(), Some(name));
        }
        for other in [
            "", ".", "a.", "1.2.3.4", "a.0x1", "A.b", "xn--a.b", "a:1", "a/b", "ä.b",
        ] {
            assert!(!is_plain_name(other), "{other}");
        }
        for host in ["A.b", "a:1", "1.2.3.4"] {
            assert!(is_host(host), "{host}");
        }
        assert!(!is_host("a/b") && !is_host("a b"));
    }

    #[tokio::test]
    async fn a_cookie_that_is_not_ascii_hides_no_other() {
        let line = async |headers: HeaderMap| {
            String::from_utf8_lossy(headers[header::COOKIE].as_bytes()).into_owned()
        };
        let event = json!({
            "version": "2.0",
            "rawPath": "/",
            "headers": {"host": "example.com"},
            "cookies": ["a=é", "b=\u{1}", "sessionid=7"],
            "requestContext": {"http": {"method": "GET", "path": "/"}, "stage": "$default"},
        });
        let mut handler = handler(Router::new().fallback(line));
        let event: Event = serde_json::from_value(event).unwrap();
        let event = LambdaEvent::new(event, Context::default());
        let answer = handler.ready().await.unwrap().call(event).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(answer["body"], "a=é; sessionid=7");
    }
}
