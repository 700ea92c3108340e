//! `GET /api/schema/`: the document as YAML or JSON, chosen as DRF chooses a renderer.

use axum::{
    extract::Query,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use shared::http::{
    ApiError,
    describe::{Answer, Content, Operation, Parameter, PathId, Refusal},
};

use crate::compressed;

/// drf-spectacular's renderers, in its order: the media type, and the content of that type.
const RENDERERS: [(&str, Format); 4] = [
    ("application/vnd.oai.openapi", Format::Yaml),
    ("application/yaml", Format::Yaml),
    ("application/vnd.oai.openapi+json", Format::Json),
    ("application/json", Format::Json),
];

/// Their media types.
const MEDIA_TYPES: [&str; 4] = [
    RENDERERS[0].0,
    RENDERERS[1].0,
    RENDERERS[2].0,
    RENDERERS[3].0,
];

pub static RETRIEVE: Operation = Operation {
    summary: "Read this document",
    notes: "YAML, or JSON if the `Accept` header or `format` asks for it.",
    id: PathId::None,
    query: &[Parameter {
        name: "format",
        schema: r#"{"type": "string", "enum": ["json", "yaml"]}"#,
        about: "The form, whatever the `Accept` header prefers.",
    }],
    answer: Answer::ok(Content::Document(&MEDIA_TYPES), ""),
    refusals: &[Refusal::NotFound, Refusal::NotAcceptable],
    ..Operation::NEW
};

/// A form of the document.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    Yaml,
    Json,
}

impl Format {
    fn content(self) -> &'static [u8] {
        match self {
            Self::Yaml => include_bytes!(concat!(env!("OUT_DIR"), "/openapi.yaml.gz")),
            Self::Json => include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

pub async fn retrieve(
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let asked = query.iter().rfind(|(name, _)| name == "format");
    let asked = asked
        .map(|(_, format)| format.as_str())
        .filter(|it| !it.is_empty());
    let fits = |(_, format): &&(&str, Format)| asked.is_none_or(|asked| asked == format.name());
    let renderers: Vec<_> = RENDERERS.iter().filter(fits).collect();
    if renderers.is_empty() {
        return Err(ApiError::NotFound);
    }
    let chosen = choose(&renderers, &accepted(&headers)).ok_or(ApiError::NotAcceptable)?;
    let (media_type, format) = *chosen;
    let kind = match format {
        Format::Yaml => format!("{media_type}; charset=utf-8"),
        Format::Json => media_type.to_owned(),
    };
    let name = format!("inline; filename=\"openapi.{}\"", format.name());
    let mut response = compressed::send(format.content(), &headers).into_response();
    for (header, value) in [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::VARY, "Accept, Accept-Encoding"),
    ] {
        // They are visible ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(header, value);
        }
    }
    Ok(response)
}

/// The media types of the `Accept` header without parameters; any if it has none.
fn accepted(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::ACCEPT).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let types = lines.flat_map(|line| line.split(','));
    let types = types.map(|one| {
        one.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase()
    });
    let types: Vec<_> = types.filter(|one| !one.is_empty()).collect();
    match types.is_empty() {
        true => vec!["*/*".to_owned()],
        false => types,
    }
}

/// The first renderer that the most exact of the media types allow, as DRF's negotiation, which does
/// not weigh them by `q`.
fn choose<'a>(
    renderers: &[&'a (&'static str, Format)],
    accepted: &[String],
) -> Option<&'a (&'static str, Format)> {
    let exact = |media: &&String| !media.contains('*');
    let part = |media: &&String| media.ends_with("/*") && *media != "*/*";
    let any = |media: &&String| *media == "*/*";
    let order = [
        accepted.iter().filter(exact).collect::<Vec<_>>(),
        accepted.iter().filter(part).collect(),
        accepted.iter().filter(any).collect(),
    ];
    order.iter().find_map(|media_types| {
        renderers.iter().copied().find(|(own, _)| {
            media_types
                .iter()
                .any(|media| match media.strip_suffix('*') {
                    Some("*/") => true,
                    Some(start) => own.starts_with(start),
                    None => media.as_str() == *own,
                })
        })
    })
}
