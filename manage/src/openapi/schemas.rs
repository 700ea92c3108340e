//! The shapes of bodies and answers, as JSON Schemas with names.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared::{
    http::describe::{Field, Kind, Object},
    input::NON_FIELD_ERRORS,
};

use super::{parsed, text};

/// The schemas that the document has so far, by name.
#[derive(Default)]
pub struct Schemas(BTreeMap<String, Value>);

/// Whether an object is sent or received by the client.
#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    /// The body of a request; of a PATCH, where nothing is required.
    Request { is_patch: bool },
    /// An answer.
    Response,
}

impl Schemas {
    /// All of them.
    pub fn into_all(self) -> BTreeMap<String, Value> {
        self.0
    }

    /// A reference to a schema, which is added.
    pub fn add(&mut self, name: &str, schema: Value) -> Value {
        self.0.insert(name.to_owned(), schema);
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A reference to the schema of an object, which is added.
    pub fn object(&mut self, object: &Object, role: Role) -> Value {
        let name = match role {
            Role::Response => object.name.to_owned(),
            Role::Request { is_patch: false } => format!("{}Request", object.name),
            Role::Request { is_patch: true } => format!("Patched{}Request", object.name),
        };
        let is_patch = role == Role::Request { is_patch: true };
        let required = object
            .fields
            .iter()
            .filter(|field| !field.is_optional && !is_patch);
        let required: Vec<&str> = required.map(|field| field.name).collect();
        let fields = object.fields.iter();
        let fields: Map<_, _> = fields
            .map(|field| (field.name.to_owned(), self.field(field, role)))
            .collect();
        let mut schema = json!({"type": "object"});
        if fields.is_empty() {
            schema["maxProperties"] = 0.into();
        } else {
            schema["properties"] = fields.into();
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        self.add(&name, schema)
    }

    /// A reference to the schema of the errors of a form's fields, which is added.
    pub fn errors_of(&mut self, form: &Object) -> Value {
        let names = form.fields.iter().map(|field| field.name);
        let names = names.chain([NON_FIELD_ERRORS]);
        let texts = json!({"type": "array", "items": {"type": "string"}, "minItems": 1});
        let fields: Map<_, _> = names.map(|name| (name.to_owned(), texts.clone())).collect();
        let schema = json!({"type": "object", "properties": fields, "minProperties": 1});
        self.add(&format!("{}Errors", form.name), schema)
    }

    fn field(&mut self, field: &Field, role: Role) -> Value {
        let id = || json!({"type": "integer", "minimum": 1});
        let mut schema = match field.kind {
            Kind::Text => json!({"type": "string"}),
            Kind::Limited(most) => json!({"type": "string", "maxLength": most}),
            Kind::Email => json!({"type": "string", "format": "email", "maxLength": 254}),
            Kind::Password => json!({"type": "string", "format": "password"}),
            Kind::Token => json!({"type": "string", "format": "jwt"}),
            Kind::Time => json!({"type": "string", "format": "date-time"}),
            Kind::Id => id(),
            Kind::Ids => json!({"type": "array", "items": id()}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Kind::Many(object) => {
                json!({"type": "array", "items": self.object(object, Role::Response)})
            }
            Kind::Schema(schema) => parsed(schema),
        };
        if role != Role::Response && schema["type"] == "string" && !field.is_optional {
            schema["minLength"] = 1.into();
        }
        let about = text(field.about);
        if !about.is_null() {
            schema["description"] = about;
        }
        schema
    }
}
