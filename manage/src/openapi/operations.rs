//! The operations of the document: a method of a path each.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value, json};
use shared::http::{
    describe::{Answer, Body, Content, Operation, Parameter, PathId, Refusal},
    routes::{Access, Route, RouteKind},
};

use super::{
    bad_request::bad_request,
    object, parsed,
    responses::{self, reference},
    schemas::{Role, Schemas},
    text,
};

const JSON: &str = "application/json";
/// The media types of bodies, in DRF's order.
const BODIES: [&str; 3] = [
    JSON,
    "application/x-www-form-urlencoded",
    "multipart/form-data",
];

/// The operations of the paths so far.
#[derive(Default)]
pub struct Operations {
    paths: BTreeMap<String, (&'static str, Map<String, Value>)>,
}

impl Operations {
    /// Adds those of a route, unless it is a page. A method without a description is left out, which a
    /// test refuses.
    pub fn add(&mut self, route: &Route, schemas: &mut Schemas) {
        let mut item = Map::new();
        for ((method, access), operation) in route.methods.iter().zip(&route.operations) {
            let Some(operation) = operation else { continue };
            let described = Described {
                route,
                method,
                access: *access,
                operation,
            };
            let name = method.as_str().to_lowercase();
            item.insert(name, described.to_value(schemas));
        }
        if !item.is_empty() {
            // A path with a parameter comes before those that have a word in its place.
            let key = route.path.replace('{', "!");
            self.paths.insert(key, (shown(route.path), item));
        }
    }

    /// All of them by path, in order. An id that an operation has already gets a number, as in
    /// drf-spectacular.
    pub fn into_paths(self) -> Map<String, Value> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut paths = Map::new();
        for (path, mut item) in self.paths.into_values() {
            for operation in item.values_mut() {
                let id = operation["operationId"].as_str().unwrap_or_default();
                let count = seen.entry(id.to_owned()).or_default();
                *count += 1;
                if *count > 1 {
                    operation["operationId"] = format!("{id}_{count}").into();
                }
            }
            paths.insert(path.to_owned(), item.into());
        }
        paths
    }
}

/// A path as clients write it: the name of a file has no slash at its end.
fn shown(path: &'static str) -> &'static str {
    let file = path.trim_end_matches('/');
    let name = file.rsplit('/').next().unwrap_or_default();
    if name.contains('.') { file } else { path }
}

/// A method of a route, with what its table says of it.
struct Described<'a> {
    route: &'a Route,
    method: &'a Method,
    access: Access,
    operation: &'static Operation,
}

impl Described<'_> {
    fn to_value(&self, schemas: &mut Schemas) -> Value {
        let operation = self.operation;
        let parameters = self.path_parameter().into_iter();
        let parameters: Vec<_> = parameters
            .chain(operation.query.iter().map(query_parameter))
            .collect();
        let list = |list: Vec<Value>| match list.is_empty() {
            true => Value::Null,
            false => list.into(),
        };
        object([
            ("operationId", self.id().into()),
            ("summary", operation.summary.into()),
            ("description", self.about()),
            ("tags", json!([self.tag()])),
            ("parameters", list(parameters)),
            (
                "requestBody",
                operation
                    .body
                    .as_ref()
                    .map_or(Value::Null, |body| self.body(body, schemas)),
            ),
            ("security", self.security()),
            ("responses", self.responses(schemas)),
        ])
    }

    /// The words of the path below `/api/`, which is drf-spectacular's prefix, without parameters.
    fn words(&self) -> impl Iterator<Item = &'static str> {
        let path = self.route.path;
        let path = path.strip_prefix("/api").unwrap_or(path);
        path.split('/')
            .filter(|word| !word.is_empty() && !word.starts_with('{'))
    }

    fn tag(&self) -> Option<&'static str> {
        let word = self.words().next();
        word.map(|word| word.trim_start_matches('.'))
    }

    fn id(&self) -> String {
        let is_list = matches!(
            self.operation.answer.content,
            Content::Many(_) | Content::Page(_)
        );
        let action = match self.method.as_str() {
            "GET" if is_list => "list",
            "GET" => "retrieve",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "partial_update",
            _ => "destroy",
        };
        let words = self.words().map(|word| {
            let word = word.trim_start_matches('.');
            word.replace(['-', '.'], "_")
        });
        let words: Vec<_> = words.chain([action.to_owned()]).collect();
        words.join("_")
    }

    /// What is said of it, and who may use it.
    fn about(&self) -> Value {
        let who = match self.access {
            Access::Anyone(_) | Access::Staff => String::new(),
            Access::User => "For any user.".to_owned(),
            Access::Admin(label) => format!("For admins, and users who hold `{label}`."),
            Access::Own(label) => {
                format!("For the user themselves, admins, and users who hold `{label}`.")
            }
        };
        let parts = [self.operation.notes, &who];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        text(&parts.collect::<Vec<_>>().join("\n\n"))
    }

    fn is_open(&self) -> bool {
        matches!(self.access, Access::Anyone(_))
    }

    fn security(&self) -> Value {
        match self.route.kind {
            RouteKind::Authenticating if self.is_open() => json!([{"jwtAuth": []}, {}]),
            RouteKind::Authenticating => json!([{"jwtAuth": []}]),
            RouteKind::Open | RouteKind::Page => Value::Null,
        }
    }

    fn path_parameter(&self) -> Option<Value> {
        let (schema, sample) = match self.operation.id {
            PathId::None => return None,
            PathId::Key(id) => (json!({"type": "integer", "minimum": 1}), json!(id)),
            PathId::Text(id) => (json!({"type": "string", "minLength": 1}), json!(id)),
        };
        let things = self.route.path.split("/{").next()?.rsplit('/').next()?;
        let thing = things.strip_suffix('s').unwrap_or(things);
        Some(json!({
            "in": "path",
            "name": "id",
            "required": true,
            "description": format!("The id of the {thing}."),
            "schema": schema,
            "example": sample,
        }))
    }

    fn body(&self, body: &Body, schemas: &mut Schemas) -> Value {
        let is_patch = *self.method == Method::PATCH;
        let schema = schemas.object(body.form, Role::Request { is_patch });
        let media = json!({"schema": schema, "example": parsed(body.sample)});
        let content: Map<_, _> = BODIES
            .map(|kind| (kind.to_owned(), media.clone()))
            .into_iter()
            .collect();
        object([
            ("content", content.into()),
            ("required", if is_patch { Value::Null } else { true.into() }),
        ])
    }

    fn responses(&self, schemas: &mut Schemas) -> Value {
        let operation = self.operation;
        let refuses = |refusal| operation.refusals.contains(&refusal);
        let changes = *self.method != Method::GET && !self.is_open();
        let mut all = BTreeMap::from([
            (operation.answer.status, answer(&operation.answer, schemas)),
            (403, reference("Forbidden")),
            (429, reference("TooManyRequests")),
            (503, reference("Unavailable")),
        ]);
        let mut add = |condition: bool, status: u16, name: &str| {
            if condition {
                all.insert(status, reference(name));
            }
        };
        let has_id = !matches!(operation.id, PathId::None);
        let reads_body = operation.body.is_some();
        add(self.route.redirects, 301, "MovedPermanently");
        add(
            self.route.kind == RouteKind::Authenticating,
            401,
            "Unauthorized",
        );
        add(has_id, 404, "NotFound");
        add(changes, 409, "Conflict");
        add(reads_body, 413, "TooLarge");
        add(reads_body, 415, "UnsupportedMediaType");
        all.extend(operation.refusals.iter().copied().filter_map(responses::of));
        if reads_body || refuses(Refusal::LastSuperuser) {
            all.insert(400, bad_request(operation, schemas));
        }
        let all = all.into_iter();
        all.map(|(status, response)| (status.to_string(), response))
            .collect::<Map<_, _>>()
            .into()
    }
}

fn query_parameter(parameter: &Parameter) -> Value {
    json!({
        "in": "query",
        "name": parameter.name,
        "description": parameter.about,
        "schema": parsed(parameter.schema),
    })
}

/// The good answer.
fn answer(answer: &Answer, schemas: &mut Schemas) -> Value {
    let mut headers = Value::Null;
    let schema = match answer.content {
        Content::Nothing => return json!({"description": "Done; there is no body."}),
        Content::Document(kinds) => {
            let media = json!({"schema": {"type": "object"}});
            let kinds = kinds.iter().map(|kind| ((*kind).to_owned(), media.clone()));
            let content: Map<_, _> = kinds.collect();
            return json!({"description": "This document.", "content": content});
        }
        Content::One(object) => schemas.object(object, Role::Response),
        Content::Many(object) | Content::Page(object) => {
            let items = schemas.object(object, Role::Response);
            json!({"type": "array", "items": items})
        }
    };
    if let Content::Page(_) = answer.content {
        let about = "`<path>; rel=\"next\"`, where the next page is; the last page has none.";
        headers = json!({"Link": {"description": about, "schema": {"type": "string"}}});
    }
    let about = if answer.status == 201 {
        "Made."
    } else {
        "Done."
    };
    let media = object([("schema", schema), ("example", parsed(answer.sample))]);
    object([
        ("description", about.into()),
        ("headers", headers),
        ("content", json!({JSON: media})),
    ])
}
