//! What came of a request.

use std::{borrow::Borrow, fmt};

use axum::http::{HeaderMap, header};
use regex_lite::Regex;
use serde_json::{Value, json};

/// An answer, read to its end.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON: `Null` if there is none, a text if it is something else.
    pub body: Value,
    /// Whether the request was sent before, and may have been carried out then.
    pub is_again: bool,
}

impl Answer {
    /// An answer of these parts.
    pub fn new(status: u16, headers: HeaderMap, text: String) -> Self {
        let mut answer = Self {
            status,
            headers,
            text,
            body: Value::Null,
            is_again: false,
        };
        if !answer.text.is_empty() {
            let json = answer.json();
            answer.body = json.unwrap_or_else(|| answer.text.clone().into());
        }
        answer
    }

    /// The body, if the media type and the body itself say that it is JSON.
    pub fn json(&self) -> Option<Value> {
        let media = self.media()?;
        let is_json = media == "application/json" || media.ends_with("+json");
        is_json
            .then(|| serde_json::from_str(&self.text).ok())
            .flatten()
    }

    /// The media type without its parameters, in lower case.
    pub fn media(&self) -> Option<String> {
        let value = self.header(header::CONTENT_TYPE.as_str())?;
        let media = value.split(';').next()?.trim().to_lowercase();
        (!media.is_empty()).then_some(media)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The status and the whole body.
    pub fn parts(&self) -> (u16, &Value) {
        (self.status, &self.body)
    }

    /// Asserts the status and the whole body.
    #[track_caller]
    pub fn assert(&self, status: u16, body: impl Borrow<Value>) {
        assert_eq!(self.parts(), (status, body.borrow()));
    }

    /// Asserts the status.
    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// A text of the body.
    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        let text = self.body[name].as_str().map(str::to_owned);
        text.unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// The `id` of the body.
    #[track_caller]
    pub fn id(&self) -> u64 {
        let id = self.body["id"].as_u64();
        id.unwrap_or_else(|| panic!("no id: {self:?}"))
    }

    /// The body, which is a list.
    #[track_caller]
    pub fn list(&self) -> &[Value] {
        let list = self.body.as_array();
        list.unwrap_or_else(|| panic!("no list: {self:?}"))
    }

    /// Where it redirects to.
    #[track_caller]
    pub fn location(&self) -> &str {
        let location = self.header("location");
        location.unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    /// Whether the page has that text, which is written as it is in HTML.
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Asserts that the page has that text.
    #[track_caller]
    pub fn assert_says(&self, text: &str) -> &Self {
        assert!(self.says(text), "no {text}: {self:?}");
        self
    }

    /// What the pattern's group finds first on the page.
    pub fn find(&self, pattern: &str) -> Option<&str> {
        let found = Regex::new(pattern).expect("a pattern").captures(&self.text);
        found?.get(1).map(|part| part.as_str())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}\n{}", self.status, self.headers, self.text)
    }
}

/// The body of a refusal in DRF's shape.
pub fn detail(text: &str) -> Value {
    json!({ "detail": text })
}

/// The body of a 401 to a request without a token.
pub fn unauthenticated() -> Value {
    detail("Authentication credentials were not provided.")
}

/// The body of a 403.
pub fn forbidden() -> Value {
    detail("You do not have permission to perform this action.")
}

/// The body of a 404.
pub fn not_found() -> Value {
    detail("Not found.")
}
