//! XML: `<django-objects>` of `<object model pk>` of `<field>`. Values are texts; those of booleans and
//! numbers are told by the field's `type`.

use std::io::BufRead;

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use serde_json::{Map, Value};

use super::{Object, Sink};
use crate::CommandError;

/// A field while it is read.
#[derive(Default)]
struct Field {
    name: String,
    kind: String,
    is_list: bool,
    is_relation: bool,
    is_null: bool,
    text: String,
    /// The parts of a natural key.
    natural: Vec<Value>,
    list: Vec<Value>,
}

impl Field {
    fn value(self) -> Value {
        if self.is_list {
            Value::Array(self.list)
        } else if self.is_null {
            Value::Null
        } else if !self.natural.is_empty() {
            Value::Array(self.natural)
        } else if self.is_relation {
            key(self.text)
        } else {
            typed(self.text, &self.kind)
        }
    }
}

/// A primary key as JSON has it: a number where it is one.
fn key(text: String) -> Value {
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => Value::from(number),
        _ => Value::String(text),
    }
}

fn typed(text: String, kind: &str) -> Value {
    if kind == "BooleanField" {
        return Value::Bool(text.eq_ignore_ascii_case("true") || text == "1");
    }
    let is_number = kind.ends_with("IntegerField") || kind == "FloatField";
    match text.parse::<serde_json::Number>() {
        Ok(number) if is_number => Value::Number(number),
        _ if kind == "JSONField" => {
            serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text))
        }
        _ => Value::String(text),
    }
}

fn failed(error: impl std::fmt::Display) -> CommandError {
    CommandError::new(format!("not a dump: {error}"))
}

/// Reads the objects of a document, one at a time.
pub(super) fn objects(input: impl BufRead, sink: Sink<'_>) -> Result<(), CommandError> {
    let mut reader = Reader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut object: Option<Object> = None;
    let mut field: Option<Field> = None;
    // The text of <natural>, while it is open.
    let mut part: Option<String> = None;
    let mut is_whole = false;
    loop {
        let event = reader.read_event_into(&mut buffer).map_err(failed)?;
        match event {
            Event::Eof if is_whole => return Ok(()),
            Event::Eof => return Err(failed("it ends too early")),
            Event::Start(tag) => match (tag.name().as_ref(), &mut field) {
                (b"object", None) => {
                    object = Some(Object {
                        model: attribute(&tag, "model")?.unwrap_or_default(),
                        pk: attribute(&tag, "pk")?.map(Value::String),
                        fields: Map::new(),
                    });
                }
                (b"object", Some(field)) => {
                    if let Some(pk) = attribute(&tag, "pk")? {
                        field.list.push(key(pk));
                    }
                }
                (b"field", _) => {
                    let relation = attribute(&tag, "rel")?;
                    field = Some(Field {
                        name: attribute(&tag, "name")?.unwrap_or_default(),
                        kind: attribute(&tag, "type")?.unwrap_or_default(),
                        is_list: relation.as_deref() == Some("ManyToManyRel"),
                        is_relation: relation.is_some(),
                        ..Field::default()
                    });
                }
                (b"natural", _) => part = Some(String::new()),
                (b"None", Some(field)) => field.is_null = true,
                _ => {}
            },
            Event::End(tag) => match (tag.name().as_ref(), &mut field) {
                (b"natural", Some(field)) => {
                    field.natural.extend(part.take().map(Value::String));
                }
                (b"object", Some(field)) if !field.natural.is_empty() => {
                    let key = std::mem::take(&mut field.natural);
                    field.list.push(Value::Array(key));
                }
                (b"object", Some(_)) => {}
                (b"field", _) => {
                    if let (Some(object), Some(mut field)) = (&mut object, field.take()) {
                        let name = std::mem::take(&mut field.name);
                        object.fields.insert(name, field.value());
                    }
                }
                (b"object", None) => {
                    if let Some(object) = object.take() {
                        sink(object)?;
                    }
                }
                (b"django-objects", _) => is_whole = true,
                _ => {}
            },
            Event::Text(text) => add(&mut part, &mut field, &text.decode().map_err(failed)?),
            Event::CData(text) => add(&mut part, &mut field, &text.decode().map_err(failed)?),
            Event::GeneralRef(reference) => add(&mut part, &mut field, &resolved(&reference)?),
            Event::DocType(_) => return Err(failed("a document type has no place in a dump")),
            _ => {}
        }
        buffer.clear();
    }
}

fn add(part: &mut Option<String>, field: &mut Option<Field>, text: &str) {
    match (part, field) {
        (Some(part), _) => part.push_str(text),
        (None, Some(field)) => field.text.push_str(text),
        (None, None) => {}
    }
}

/// What a reference such as `&amp;` or `&#10;` stands for.
fn resolved(reference: &BytesRef<'_>) -> Result<String, CommandError> {
    if let Some(c) = reference.resolve_char_ref().map_err(failed)? {
        return Ok(c.to_string());
    }
    let name = reference.decode().map_err(failed)?;
    let text = match name.as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        other => return Err(failed(format!("the entity {other} is unknown"))),
    };
    Ok(text.to_owned())
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, CommandError> {
    let Some(attribute) = tag.try_get_attribute(name).map_err(failed)? else {
        return Ok(None);
    };
    let value = attribute.unescape_value().map_err(failed)?;
    Ok(Some(value.into_owned()))
}
