//! What the page after an action tells: Django's messages, in a cookie that only this service can
//! write.

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::cookies;
use crate::app::App;

/// What the cookie's tag is for.
const PURPOSE: &str = "messages";
/// Browsers take 4,096 bytes of a cookie at least; the tag and the name need some of them.
const LONGEST: usize = 2700;
/// What stands around a message in JSON.
const AROUND: usize = 16;

/// A message and how it is meant: `success`, `info`, `warning` or `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How it is meant.
    pub level: String,
    /// What it says.
    pub text: String,
}

impl Message {
    /// Something is done.
    pub fn success(text: impl Into<String>) -> Self {
        Self::new("success", text)
    }

    /// Something is not done.
    pub fn error(text: impl Into<String>) -> Self {
        Self::new("error", text)
    }

    fn new(level: &str, text: impl Into<String>) -> Self {
        Self {
            level: level.to_owned(),
            text: text.into(),
        }
    }
}

/// The header that keeps messages for the next page. What is too much for a cookie is
/// only counted.
pub async fn keep(app: &App, messages: &[Message], headers: &HeaderMap) -> HeaderValue {
    let mut kept: Vec<[&str; 2]> = Vec::new();
    let mut length = 0;
    let more;
    for (number, message) in messages.iter().enumerate() {
        length += in_json(&message.text) + AROUND;
        if length > LONGEST {
            more = format!("… and {} more.", messages.len() - number);
            kept.push([&message.level, &more]);
            break;
        }
        kept.push([&message.level, &message.text]);
    }
    let text = URL_SAFE_NO_PAD.encode(serde_json::json!(kept).to_string());
    let tag = app.keys.tags(app.clock.now()).await.tag(PURPOSE, &text);
    cookies::set(cookies::MESSAGES, &format!("{text}.{tag}"), headers)
}

/// The length of a text in JSON, where a quote takes two bytes and a control character up to six.
fn in_json(text: &str) -> usize {
    serde_json::json!(text).to_string().len()
}

/// The messages that the request brings.
pub async fn read(app: &App, headers: &HeaderMap) -> Vec<Message> {
    let cookie = cookies::get(cookies::MESSAGES, headers).unwrap_or_default();
    let Some((text, tag)) = cookie.rsplit_once('.') else {
        return Vec::new();
    };
    if !app.keys.is_tag(PURPOSE, text, tag, app.clock.now()).await {
        return Vec::new();
    }
    let json = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let kept: Vec<[String; 2]> = serde_json::from_slice(&json).unwrap_or_default();
    let message = |[level, text]: [String; 2]| Message { level, text };
    kept.into_iter().map(message).collect()
}
