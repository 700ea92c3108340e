//! The OpenAPI document as a contract: each answer of the API that a test gets is held against it. Here
//! the document is read strictly, so that an answer may have no field that it does not name.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::Validator;
use manage::openapi::document;
use serde_json::{Value, json};

use crate::Answer;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract {
    document: strict(document()),
    validators: Mutex::default(),
});

/// The headers that an answer has only where the document says so.
const HEADERS: [&str; 5] = [
    "allow",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
];

/// What begins the paths of pages, which are none of the API's.
const PAGES: [&str; 3] = ["/admin", "/account", "/api/schema/swagger-ui"];

struct Contract {
    document: Value,
    /// By the schema.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Asserts that the document allows an answer, unless it is of a page.
#[track_caller]
pub fn assert_allowed(method: &str, path: &str, answer: &Answer) {
    if let Err(reason) = allowed(method, path, answer) {
        panic!(
            "the OpenAPI document does not allow this answer to {method} {path}: {reason}\n{answer:?}"
        );
    }
}

/// Whether the document allows an answer.
///
/// # Errors
/// Why not.
pub fn allowed(method: &str, path: &str, answer: &Answer) -> Result<(), String> {
    let path = path.split('?').next().unwrap_or_default();
    // What CORS asks before a request is answered before the API.
    let is_preflight = answer.header("access-control-allow-methods").is_some();
    // The embedded database, by the same client.
    let is_of_dynamodb = answer
        .media()
        .is_some_and(|media| media.contains("amz-json"));
    if is_preflight || is_of_dynamodb || PAGES.iter().any(|page| path.starts_with(page)) {
        return Ok(());
    }
    CONTRACT.check(method, path, answer)
}

/// The operation of a method and a path, if the document has it.
pub fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let operation = CONTRACT.path(path)?.get(method.to_lowercase())?;
    Some(operation)
}

impl Contract {
    fn check(&self, method: &str, path: &str, answer: &Answer) -> Result<(), String> {
        let response = self.response(method, path, answer.status)?;
        self.check_headers(response, answer)?;
        if method == "HEAD" {
            return match answer.text.as_str() {
                "" => Ok(()),
                _ => Err("a body".to_owned()),
            };
        }
        let Some(content) = response.get("content") else {
            let about = response["description"].as_str().unwrap_or_default();
            let may_have_one = about.contains("without a body");
            return match answer.text.is_empty() || may_have_one {
                true => Ok(()),
                false => Err("a body where none is described".to_owned()),
            };
        };
        if answer.text.is_empty() {
            return Err("no body".to_owned());
        }
        let media = answer.media().unwrap_or_default();
        let described = content.get(&media);
        let described = described.ok_or_else(|| format!("the media type {media}"))?;
        let body = match answer.json() {
            Some(body) => body,
            None if media.ends_with("json") => return Err("no JSON".to_owned()),
            // YAML of a schema that only says that it is an object.
            None => return Ok(()),
        };
        self.check_value(&described["schema"], &body)
    }

    /// What the document says of an answer.
    fn response(&self, method: &str, path: &str, status: u16) -> Result<&Value, String> {
        let status = status.to_string();
        let Some(item) = self.path(path) else {
            let known = [
                ("404", "NotFound"),
                ("403", "Forbidden"),
                ("503", "Unavailable"),
            ];
            return self.one_of(&known, &status, "an unknown path");
        };
        let method = match method {
            "HEAD" => "get".to_owned(),
            method => method.to_lowercase(),
        };
        let Some(operation) = item.get(&method) else {
            if method == "options" && status == "200" {
                return Ok(&OPTIONS);
            }
            let known = [
                ("301", "MovedPermanently"),
                ("401", "Unauthorized"),
                ("403", "Forbidden"),
                ("405", "MethodNotAllowed"),
                ("503", "Unavailable"),
            ];
            return self.one_of(&known, &status, "a method that is not described");
        };
        let response = operation["responses"].get(&status);
        let response = response.ok_or_else(|| format!("no {status} is described"))?;
        Ok(self.resolved(response))
    }

    fn one_of(&self, known: &[(&str, &str)], status: &str, what: &str) -> Result<&Value, String> {
        let found = known.iter().find(|(known, _)| *known == status);
        let (_, name) = found.ok_or_else(|| format!("{status} of {what}"))?;
        Ok(&self.document["components"]["responses"][*name])
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"]
            .as_str()
            .and_then(|text| text.strip_prefix('#'));
        let found = reference.and_then(|pointer| self.document.pointer(pointer));
        found.unwrap_or(value)
    }

    /// The item of a path, with or without the slash at its end: words before parameters.
    fn path(&self, path: &str) -> Option<&Value> {
        let bare = |path: &str| path.strip_suffix('/').unwrap_or(path).to_owned();
        let path = bare(path);
        let given: Vec<&str> = path.split('/').collect();
        let fits = |template: &str, exactly: bool| {
            let template = bare(template);
            let segments: Vec<&str> = template.split('/').collect();
            let same = |(given, segment): (&&str, &&str)| {
                given == segment || !exactly && segment.starts_with('{') && !given.is_empty()
            };
            segments.len() == given.len() && given.iter().zip(&segments).all(same)
        };
        let paths = self.document["paths"].as_object()?;
        let find = |exactly| paths.iter().find(|(path, _)| fits(path, exactly));
        find(true).or_else(|| find(false)).map(|(_, item)| item)
    }

    fn check_headers(&self, response: &Value, answer: &Answer) -> Result<(), String> {
        for name in HEADERS {
            let headers = response["headers"].as_object().into_iter().flatten();
            let mut described = headers.filter(|(header, _)| header.eq_ignore_ascii_case(name));
            let described = described.next().map(|(_, header)| header);
            match (described, answer.header(name)) {
                // axum names the methods in each answer to one that the path lacks.
                (None, Some(_)) if name == "allow" => {}
                (None, Some(value)) => return Err(format!("the header {name}: {value}")),
                (Some(header), None) if header["required"] == true => {
                    return Err(format!("no header {name}"));
                }
                (Some(header), Some(value)) => {
                    let value = match header["schema"]["type"] == "integer" {
                        true => serde_json::from_str(value).unwrap_or_default(),
                        false => json!(value),
                    };
                    self.check_value(&header["schema"], &value)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_value(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema);
        let errors = validator.iter_errors(value);
        let errors: Vec<_> = errors
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        match errors.is_empty() {
            true => Ok(()),
            false => Err(errors.join("; ")),
        }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let made = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.clone();
            whole["components"] = self.document["components"].clone();
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&whole).expect("a JSON Schema"))
        });
        Arc::clone(made)
    }
}

/// What OPTIONS answers, which drf-spectacular leaves out of documents.
static OPTIONS: LazyLock<Value> = LazyLock::new(|| {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let text = json!({"type": "string"});
    strict(json!({
        "description": "The methods.",
        "headers": {"Allow": {"required": true, "schema": text}},
        "content": {"application/json": {"schema": {
            "type": "object",
            "properties": {"name": text, "description": text, "renders": texts, "parses": texts},
            "required": ["name", "description", "renders", "parses"],
        }}},
    }))
});

/// With objects that may have no field but those that are named.
fn strict(mut value: Value) -> Value {
    tighten(&mut value);
    value
}

fn tighten(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(tighten);
            let is_object = members.get("type").is_some_and(|kind| kind == "object");
            if is_object && members.contains_key("properties") {
                members
                    .entry("additionalProperties")
                    .or_insert(false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tighten),
        _ => {}
    }
}
