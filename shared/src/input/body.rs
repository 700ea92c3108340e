//! From a request's body to its data: the choice of the parser and of the
//! charset, as DRF's `Request` makes them.

pub(super) mod charset;
pub(super) mod header;

use charset::{Charset, Codec, latin1};
use header::Header;

use super::json;
use super::query_dict::{self, QueryDict};
use super::value::{Dict, Value};

/// A longer `Content-Type` is refused by DRF without reading it.
const MAX_CONTENT_TYPE: usize = 256;

/// The data of a request: `request.data`.
///
/// Forms differ from JSON in more than syntax: DRF's fields treat an absent
/// or a blank value of a form in their own ways.
#[derive(Debug, PartialEq)]
pub enum Data {
    /// A JSON document of any type.
    Json(Value),
    /// A form of either media type.
    Form(QueryDict),
}

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// 415, with the `Content-Type` as the client sent it, empty if there was none.
    UnsupportedMediaType(String),
    /// 400, with the whole text of the `detail`.
    Parse(String),
    /// More than 1,000 fields in a form, see [`BodyError::TOO_MANY_FIELDS`].
    TooManyFields,
    /// More than 100 files in a form, see [`BodyError::TOO_MANY_FILES`].
    TooManyFiles,
}

impl BodyError {
    /// Django's text for too many fields.
    pub const TOO_MANY_FIELDS: &str =
        "The number of GET/POST parameters exceeded settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.";

    /// Django's text for too many files.
    pub const TOO_MANY_FILES: &str =
        "The number of files exceeded settings.DATA_UPLOAD_MAX_NUMBER_FILES.";
}

/// DRF's default parsers in their order.
#[derive(Clone, Copy, PartialEq)]
enum Parser {
    Json,
    UrlEncoded,
    Multipart,
}

impl Parser {
    /// The first parser whose media type the request's matches; a `*` in the
    /// latter matches anything.
    fn choose(media_type: &str) -> Option<Self> {
        let (main_type, sub_type) = media_type.split_once('/').unwrap_or((media_type, ""));
        let matches = |main: &str, sub: &str| {
            (main_type == main || main_type == "*") && (sub_type == sub || sub_type == "*")
        };
        if matches("application", "json") {
            Some(Self::Json)
        } else if matches("application", "x-www-form-urlencoded") {
            Some(Self::UrlEncoded)
        } else if matches("multipart", "form-data") {
            Some(Self::Multipart)
        } else {
            None
        }
    }
}

/// Reads a body by its `Content-Type`, whose bytes count as ISO 8859-1 (as in WSGI).
pub fn parse(content_type: Option<&[u8]>, body: &[u8]) -> Result<Data, BodyError> {
    let content_type = content_type.map(latin1).unwrap_or_default();
    // A header that Django fails on with a 500 is an unsupported one here.
    let header = if content_type.chars().count() > MAX_CONTENT_TYPE {
        Header::default()
    } else {
        Header::parse(&content_type).unwrap_or_default()
    };
    if body.is_empty() {
        return Ok(match header.value.as_str() {
            "application/x-www-form-urlencoded" | "multipart/form-data" => {
                Data::Form(QueryDict::default())
            }
            _ => Data::Json(Value::Dict(Dict::default())),
        });
    }
    let Some(parser) = Parser::choose(&header.value) else {
        return Err(BodyError::UnsupportedMediaType(content_type));
    };
    let charset = charset(&header)?;
    match parser {
        Parser::Json => charset
            .decode_stream(body)
            .and_then(|text| json::parse(&text))
            .map(Data::Json)
            .map_err(|error| BodyError::Parse(format!("JSON parse error - {error}"))),
        Parser::UrlEncoded => query_dict::parse_urlencoded(body, charset).map(Data::Form),
        Parser::Multipart => {
            query_dict::parse_multipart(&content_type, body, charset).map(Data::Form)
        }
    }
}

/// The charset that the header names, or UTF-8 where the name is unknown.
fn charset(header: &Header) -> Result<Charset, BodyError> {
    let Some(name) = header.get("charset") else {
        return Ok(Charset::default());
    };
    match Codec::named(name) {
        Codec::Text(charset) => Ok(charset),
        Codec::Unknown => Ok(Charset::default()),
        Codec::Refused => Err(BodyError::Parse(format!(
            "Unsupported charset \"{name}\" in request Content-Type header."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &[u8]) -> Result<Data, BodyError> {
        parse(Some(content_type.as_bytes()), body)
    }

    fn unsupported(content_type: &str) -> Result<Data, BodyError> {
        Err(BodyError::UnsupportedMediaType(content_type.to_owned()))
    }

    #[test]
    fn the_media_type_chooses_the_parser() {
        for json in [
            "application/json",
            " APPLICATION/JSON ; x=y",
            "*/*",
            "application/*",
        ] {
            assert_eq!(
                read(json, b"1"),
                Ok(Data::Json(Value::Int("1".into()))),
                "{json}"
            );
        }
        for form in [
            "application/x-www-form-urlencoded",
            "*/X-www-form-urlencoded;charset=utf-8",
        ] {
            assert!(matches!(read(form, b"1"), Ok(Data::Form(_))), "{form}");
        }
        assert!(matches!(
            read("multipart/*; boundary=x", b"1"),
            Ok(Data::Form(_))
        ));
    }

    #[test]
    fn any_other_media_type_is_refused_as_it_was_sent() {
        for other in [
            "text/plain",
            "application/xml; charset=utf-8",
            "json",
            "application/json/x",
        ] {
            assert_eq!(read(other, b"1"), unsupported(other));
        }
        assert_eq!(parse(None, b"1"), unsupported(""));
        assert_eq!(parse(Some(b"caf\xe9"), b"1"), unsupported("café"));
        let long = format!("application/json; x={}", "y".repeat(MAX_CONTENT_TYPE));
        assert_eq!(read(&long, b"1"), unsupported(&long));
    }

    #[test]
    fn an_empty_body_is_an_empty_form_or_an_empty_object() {
        let empty = || Ok(Data::Json(Value::Dict(Dict::default())));
        for content_type in ["application/json", "text/plain", ""] {
            assert_eq!(read(content_type, b""), empty());
        }
        assert_eq!(parse(None, b""), empty());
        for form in ["Application/x-www-form-urlencoded", "multipart/form-data"] {
            assert_eq!(read(form, b""), Ok(Data::Form(QueryDict::default())));
        }
    }

    #[test]
    fn json_errors_have_drfs_prefix() {
        let error = |text: &str| Err(BodyError::Parse(format!("JSON parse error - {text}")));
        assert_eq!(
            read("application/json", b"{"),
            error("Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")
        );
        assert_eq!(
            read("application/json", b"\"\xff\""),
            error("'utf-8' codec can't decode byte 0xff in position 1: invalid start byte")
        );
    }

    #[test]
    fn the_charset_of_the_header_is_used_where_it_is_known() {
        let text = |text: &str| Ok(Data::Json(Value::Str(text.into())));
        assert_eq!(
            read("application/json; charset=latin-1", b"\"\xe9\""),
            text("é")
        );
        for utf8 in ["\"UTF8\"", "klingon", ""] {
            let header = format!("application/json; charset={utf8}");
            assert_eq!(read(&header, "\"é\"".as_bytes()), text("é"));
        }
        assert_eq!(
            read("application/json; charset=zlib", b"1"),
            Err(BodyError::Parse(
                "Unsupported charset \"zlib\" in request Content-Type header.".to_owned()
            ))
        );
    }
}
