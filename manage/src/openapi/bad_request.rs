//! 400, which is an operation's own: what can be wrong with its fields, and more.

use serde_json::{Map, Value, json};
use shared::{
    domain::FieldError,
    http::{
        ApiError,
        describe::{Operation, Refusal},
    },
    input::FieldErrors,
};

use super::{
    responses::{detail, example, response},
    schemas::Schemas,
};

/// 400: errors of the fields, or a detail.
pub fn bad_request(operation: &Operation, schemas: &mut Schemas) -> Value {
    let refuses = |refusal| operation.refusals.contains(&refusal);
    let mut about = Vec::new();
    let mut shapes = Vec::new();
    let mut examples = Map::new();
    let mut give = |(name, value): (&str, Value)| {
        examples.insert(name.to_owned(), json!({ "value": value }));
    };
    if let Some(body) = &operation.body {
        about.push("The body is not good.");
        shapes.push(schemas.errors_of(body.form));
        if let Some(field) = body.form.fields.first() {
            let errors = FieldErrors::one(field.name, FieldError::NULL);
            give(example("fields", &ApiError::Invalid(errors)));
        }
        let text = "JSON parse error - Expecting value: line 1 column 1 (char 0)";
        give(example("parse_error", &ApiError::Parse(text.to_owned())));
    }
    shapes.push(detail(schemas));
    if refuses(Refusal::LastSuperuser) {
        about.push("It would leave no active superuser.");
        give(example("last_superuser", &ApiError::LastSuperuser));
    }
    if refuses(Refusal::NobodyByEmail) {
        about.push("Nobody has the address, if a setting lets people know.");
        shapes.push(json!({"type": "array", "items": {"type": "string"}}));
        give(example("nobody", &ApiError::NobodyByEmail));
    }
    if refuses(Refusal::NoSuchMail) {
        about.push("The service sends no such mails, which is told without a body.");
    }
    let schema = match shapes.len() {
        1 => shapes.remove(0),
        _ => json!({ "anyOf": shapes }),
    };
    let about = about.join(" Or: ");
    if refuses(Refusal::NoSuchMail) {
        // A response with content always has a body.
        return json!({ "description": about });
    }
    let mut response = response(&about, Value::Null, &schema, []);
    response["content"]["application/json"]["examples"] = examples.into();
    response
}
