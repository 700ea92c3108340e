//! `multipart/form-data` (RFC 7578), with the lenience of Django's parser, for which no crate
//! will do: `multer`, for one, refuses a body without its last boundary.
//!
//! A boundary counts wherever it stands, the last one may be missing, and a
//! part without a usable `Content-Disposition` is skipped. Not matched: that
//! Django, which reads in chunks of 64 KiB, takes the rest of a skipped part
//! for another one if the part is longer or has no boundary after it; and HTML
//! entities in file names.

use super::{MAX_FIELDS, QueryDict};
use crate::input::body::BodyError;
use crate::input::body::charset::Charset;
use crate::input::body::header::Header;
use crate::input::value::Value;
use crate::python::{is_printable, strip};

/// Django's `DATA_UPLOAD_MAX_NUMBER_FILES`.
const MAX_FILES: usize = 100;

/// The bytes within which a part's headers have to end.
const MAX_HEADERS: usize = 1024;

/// Reads a form by the boundary that its `Content-Type` names.
pub(in crate::input) fn parse(
    content_type: &str,
    body: &[u8],
    charset: Charset,
) -> Result<QueryDict, BodyError> {
    let separator = format!("--{}", boundary(content_type)?);
    let mut form = QueryDict::default();
    let mut files = Vec::new();
    let (mut part_count, mut file_count) = (0, 0);
    // Django keeps a file only once another part, if only the end, follows it.
    let mut pending_file: Option<String> = None;
    for part in parts(body, separator.as_bytes()) {
        let part = Part::read(part)?;
        files.extend(pending_file.take().filter(|name| !name.is_empty()));
        let filename = part.disposition.get("filename").unwrap_or_default();
        if filename.is_empty() {
            part_count += 1;
        }
        // The two more are what comes before the first boundary and after the last.
        if part_count > MAX_FIELDS + 2 {
            return Err(BodyError::TooManyFields);
        }
        let Some(name) = part.disposition.get("name") else {
            continue;
        };
        let name = charset.decode_replacing(trim(name.as_bytes()));
        if filename.is_empty() {
            let decoded = part
                .is_base64
                .then(|| decode_base64(part.content))
                .flatten();
            let content = decoded.as_deref().unwrap_or(part.content);
            form.append(name, Value::Str(charset.decode_replacing(content).into()));
            continue;
        }
        file_count += 1;
        if file_count > MAX_FILES {
            return Err(BodyError::TooManyFiles);
        }
        if is_usable_file_name(&charset.decode_replacing(filename.as_bytes())) {
            if part.is_base64 && !is_whole_base64(part.content) {
                return Err(error("Could not decode base64 data."));
            }
            pending_file = Some(name);
        }
    }
    // DRF adds the files to the fields, so a file counts after texts of its name.
    for name in files {
        form.append(name, Value::File);
    }
    Ok(form)
}

fn error(message: &str) -> BodyError {
    BodyError::Parse(format!("Multipart form parse error - {message}"))
}

/// The boundary, one to 201 printable ASCII characters that do not end in a space.
fn boundary(content_type: &str) -> Result<String, BodyError> {
    // Unlike the choice of the parser, this is sensitive to case.
    if !content_type.starts_with("multipart/") {
        return Err(error(&format!("Invalid Content-Type: {content_type}")));
    }
    if !content_type.is_ascii() {
        return Err(error(&format!(
            "Invalid non-ASCII Content-Type in multipart: {content_type}"
        )));
    }
    let header = Header::parse(content_type).unwrap_or_default();
    let boundary = header.get("boundary");
    match boundary {
        Some(boundary)
            if (1..=201).contains(&boundary.len())
                && !boundary.ends_with(' ')
                && boundary.bytes().all(|byte| matches!(byte, b' '..=b'~')) =>
        {
            Ok(boundary.to_owned())
        }
        _ => Err(error(&format!(
            "Invalid boundary in multipart: {}",
            boundary.unwrap_or("None")
        ))),
    }
}

/// What is between the separators, and before the first and after the last,
/// without the line break before a separator.
fn parts<'a>(body: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let found = rest
            .windows(separator.len())
            .position(|window| window == separator);
        let Some(at) = found else {
            return Some(std::mem::take(&mut rest));
        };
        let part = &rest[..at];
        rest = &rest[at + separator.len()..];
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    })
}

/// A part, with what matters of its headers.
#[derive(Default)]
struct Part<'a> {
    /// Empty for a part without the header.
    disposition: Header,
    is_base64: bool,
    content: &'a [u8],
}

impl<'a> Part<'a> {
    /// Takes the headers off a part; one without the blank line after them
    /// counts as content without headers.
    fn read(part: &'a [u8]) -> Result<Self, BodyError> {
        let start = &part[..part.len().min(MAX_HEADERS)];
        let Some(end) = start.windows(4).position(|window| window == b"\r\n\r\n") else {
            if part.len() >= MAX_HEADERS {
                return Err(error("Request max total header size exceeded."));
            }
            return Ok(Self::default());
        };
        let mut read = Self {
            content: &part[end + 4..],
            ..Self::default()
        };
        // A header that cannot be read is skipped; of a repeated one the last counts.
        let mut lines = &part[..end];
        while !lines.is_empty() {
            let length = lines.windows(2).position(|window| window == b"\r\n");
            let line = &lines[..length.unwrap_or(lines.len())];
            lines = lines.get(line.len() + 2..).unwrap_or_default();
            let Some(header) = str::from_utf8(line).ok().and_then(Header::parse) else {
                continue;
            };
            match header.value.split_once(':') {
                Some(("content-disposition", _)) => read.disposition = header,
                Some(("content-transfer-encoding", value)) => {
                    read.is_base64 = strip(value) == "base64";
                }
                _ => {}
            }
        }
        Ok(read)
    }
}

/// Python's `bytes.strip()`.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

/// The whitespace of Python's `bytes`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether a name is left of a file's path; Django drops the file otherwise.
fn is_usable_file_name(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name: String = name.chars().filter(|&c| is_printable(c)).collect();
    !matches!(name.as_str(), "" | "." | "..")
}

/// Whether a base64-encoded file decodes, which unlike a field it has to.
fn is_whole_base64(content: &[u8]) -> bool {
    let length = content.iter().filter(|&&byte| !is_space(byte)).count();
    length % 4 == 0 && decode_base64(content).is_some()
}

/// Python's `base64.b64decode()`: ignores characters outside of the alphabet
/// and what follows the padding; `None` where that is incomplete.
fn decode_base64(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut quad, mut position, mut padding) = (0_u32, 0, 0);
    for &byte in encoded {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if position >= 2 => {
                padding += 1;
                if position + padding >= 4 {
                    return Some(decoded);
                }
                continue;
            }
            _ => continue,
        };
        padding = 0;
        quad = quad << 6 | u32::from(sextet);
        // Each sextet after the first of four completes a byte.
        if position > 0 {
            decoded.push((quad >> (6 - 2 * position)) as u8);
        }
        position = (position + 1) % 4;
    }
    (position == 0).then_some(decoded)
}

#[cfg(test)]
mod tests;
