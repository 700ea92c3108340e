//! `manage openapi`: the OpenAPI document of the API, made of the functions' tables of routes. Names,
//! tags and the security scheme are drf-spectacular's, with its `COMPONENT_SPLIT_REQUEST`.

mod bad_request;
mod operations;
mod responses;
mod schemas;

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{CommandError, functions};
use operations::Operations;
use schemas::Schemas;

/// Options of `openapi`.
#[derive(Args)]
pub struct Options {
    /// The file to write, YAML, or JSON if it ends in .json; standard output if it is not given.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Writes the document.
///
/// # Errors
/// The file cannot be written.
pub fn openapi(options: Options) -> Result<(), CommandError> {
    let document = document();
    let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let text = match options.file.as_ref().is_some_and(is_json) {
        true => serde_json::to_string_pretty(&document).unwrap_or_default() + "\n",
        false => yaml(&document),
    };
    match &options.file {
        None => print!("{text}"),
        Some(path) => fs::write(path, text).map_err(|error| {
            CommandError::new(format!("cannot write {}: {error}", path.display()))
        })?,
    }
    Ok(())
}

/// The document as YAML.
pub fn yaml(document: &Value) -> String {
    // A value of JSON is one of YAML.
    serde_yaml_ng::to_string(document).unwrap_or_default()
}

/// What holds for the whole API.
const ABOUT: &str = "\
User management as Django REST Framework, SimpleJWT and djoser answer it.

* A path without its last slash is answered as the path with it, or by a redirect where a 301 is listed.
* HEAD is answered as GET, without a body. OPTIONS names the methods of a path, and any other method that is \
not described here is a 405 with `Allow`; an unknown path is a 404.
* Text fields are trimmed, passwords too. Unknown fields are ignored. Bodies hold up to 1 MiB.
* In an answer, fields may be added; ignore those that you do not know.";

/// The document of all functions.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut operations = Operations::default();
    for (_, routes) in functions() {
        for route in routes.table() {
            operations.add(route, &mut schemas);
        }
    }
    let responses = responses::shared(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "User management",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": operations.into_paths(),
        "components": {
            "schemas": schemas.into_all(),
            "responses": responses,
            "securitySchemes": {
                "jwtAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    })
}

/// An object without the members that are null.
fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let members: Map<_, _> = members
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Value::Object(members)
}

/// A text, or null if it is empty.
fn text(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => text.into(),
    }
}

/// A constant of the descriptions, which a test reads as JSON; null if it is empty.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
