//! Headers with parameters, such as `multipart/form-data; boundary=x`, as
//! Django's `parse_header_parameters` reads them: leniently, in the manner of
//! Python's `email` package.

use percent_encoding::percent_decode_str;

use super::charset::{Charset, Codec};
use crate::python::strip;

/// A header's main value and its parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// What comes before the first semicolon, in lower case.
    pub value: String,
    parameters: Vec<(String, String)>,
}

impl Header {
    /// Reads a header; `None` where Django raises an error: for an encoded
    /// parameter (RFC 2231) whose charset or numbering makes no sense.
    pub fn parse(line: &str) -> Option<Self> {
        if !line.contains(';') {
            return Some(Self {
                value: strip(line).to_lowercase(),
                parameters: Vec::new(),
            });
        }
        let mut items = split(line).into_iter().map(name_and_value);
        let value = items
            .next()
            .map_or_else(String::new, |(name, _)| name.to_lowercase());
        let mut header = Self {
            value,
            parameters: Vec::new(),
        };
        let mut pieces: Vec<(String, Vec<Piece>)> = Vec::new();
        for (name, value) in items {
            let value = unquote(value);
            if let Some((name, number, encoded)) = piece_name(&name) {
                let piece = (number, value, encoded);
                match pieces.iter_mut().find(|(known, _)| known == name) {
                    Some((_, same)) => same.push(piece),
                    None => pieces.push((name.to_owned(), vec![piece])),
                }
            } else if !name.is_empty() {
                header.parameters.push((name, value));
            }
        }
        for (name, pieces) in pieces {
            header.parameters.push((name, join(pieces)?));
        }
        Some(header)
    }

    /// A parameter's value; of a repeated one the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut latest_first = self.parameters.iter().rev();
        latest_first
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Splits at the semicolons outside of quotes.
fn split(line: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut quoted, mut previous) = (0, false, b';');
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'"' if previous != b'\\' => quoted = !quoted,
            b';' if !quoted => {
                items.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        previous = byte;
    }
    items.push(&line[start..]);
    items
}

/// An item without `=` is a name with an empty value, and keeps its case.
fn name_and_value(item: &str) -> (String, &str) {
    match item.split_once('=') {
        Some((name, value)) => (strip(name).to_lowercase(), strip(value)),
        None => (strip(item).to_owned(), ""),
    }
}

/// `email.utils.unquote`: without the quotes or angle brackets around it.
fn unquote(text: &str) -> String {
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(quoted) = inside('"', '"') {
        return quoted.replace("\\\\", "\\").replace("\\\"", "\"");
    }
    inside('<', '>').unwrap_or(text).to_owned()
}

/// A numbered or encoded piece of a parameter (RFC 2231): its number, its
/// text, and whether that is percent-encoded. Without a number it is whole.
type Piece = (Option<Number>, String, bool);

/// The digits of a number without leading zeros, in an order that compares.
type Number = (usize, String);

/// Takes apart the names `name*`, `name*0` and `name*0*`.
fn piece_name(name: &str) -> Option<(&str, Option<Number>, bool)> {
    let (base, rest) = name.split_once('*')?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if base.is_empty() || !base.chars().all(is_word) {
        return None;
    }
    if rest.is_empty() {
        return Some((base, None, true));
    }
    let digits = rest.strip_suffix('*').unwrap_or(rest);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0').to_owned();
    let number = (significant.len(), significant);
    Some((base, Some(number), rest.ends_with('*')))
}

/// Puts a parameter together from its pieces; `None` for an unknown charset,
/// or for pieces of which only some have a number.
fn join(mut pieces: Vec<Piece>) -> Option<String> {
    let numbered = pieces
        .iter()
        .filter(|(number, ..)| number.is_some())
        .count();
    if numbered != 0 && numbered != pieces.len() {
        return None;
    }
    pieces.sort();
    let extended = pieces.iter().any(|&(.., encoded)| encoded);
    let text: String = pieces
        .into_iter()
        .map(|(_, text, encoded)| match encoded {
            true => percent_decoded(&text, Charset::Latin1),
            false => text,
        })
        .collect();
    if !extended {
        return Some(text);
    }
    // charset'language'text, and plain text where the quotes are missing.
    let mut parts = text.splitn(3, '\'');
    let (charset, text) = match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(text)) => (charset, text),
        _ => ("us-ascii", text.as_str()),
    };
    match Codec::named(charset) {
        Codec::Text(charset) => Some(charset.decode_replacing(&raw_bytes(text))),
        Codec::Refused => Some(unquote(text)),
        Codec::Unknown if charset.is_empty() => Some(unquote(text)),
        Codec::Unknown => None,
    }
}

/// Python's `raw-unicode-escape`: characters as bytes, where they fit in one.
fn raw_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            code @ 0..=0xff => bytes.push(code as u8),
            code @ 0x100..=0xffff => bytes.extend(format!("\\u{code:04x}").bytes()),
            code => bytes.extend(format!("\\U{code:08x}").bytes()),
        }
    }
    bytes
}

/// `urllib.parse.unquote`: decodes the percent-encoded bytes of each run of
/// ASCII characters, and leaves other characters alone.
pub fn percent_decoded(text: &str, charset: Charset) -> String {
    // Otherwise whole runs are decoded, which matters in charsets that do not hold ASCII.
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(ascii);
        let bytes: Vec<u8> = percent_decode_str(run).collect();
        decoded.push_str(&charset.decode_replacing(&bytes));
        let other = tail.find(|c: char| c.is_ascii()).unwrap_or(tail.len());
        decoded.push_str(&tail[..other]);
        rest = &tail[other..];
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(line: &str, name: &str) -> Option<String> {
        Header::parse(line)?.get(name).map(str::to_owned)
    }

    #[test]
    fn names_are_lowered_and_quotes_taken_off() {
        let header = Header::parse(" Text/HTML ; Charset=\"utf-8\"; A = <b c> ; flag").unwrap();
        assert_eq!(header.value, "text/html");
        assert_eq!(header.get("charset"), Some("utf-8"));
        assert_eq!(header.get("a"), Some("b c"));
        assert_eq!(header.get("flag"), Some(""));
        assert_eq!(header.get("other"), None);
    }

    #[test]
    fn a_semicolon_in_quotes_does_not_split() {
        let line = r#"form-data; name="a;\"b"; x=1; name*0=c; name*1="d;e""#;
        assert_eq!(
            parameter(r#"f; name="a;\"b""#, "name").as_deref(),
            Some(r#"a;"b"#)
        );
        assert_eq!(parameter(line, "name").as_deref(), Some("cd;e"));
        assert_eq!(parameter("f; name=a; name=b", "name").as_deref(), Some("b"));
    }

    #[test]
    fn encoded_parameters_are_decoded_and_joined_by_number() {
        let name = |line| parameter(line, "name");
        assert_eq!(name("f; name*=utf-8'en'%C3%A9").as_deref(), Some("é"));
        assert_eq!(
            name("f; name*1=b; name*0*=utf-8''%C3%A9; name=x").as_deref(),
            Some("éb")
        );
        assert_eq!(name("f; name*10=c; name*9=b").as_deref(), Some("bc"));
        assert_eq!(name("f; name*=%e9").as_deref(), Some("\u{fffd}"));
        assert_eq!(name("f; name*=klingon''x"), None);
        assert_eq!(name("f; name*=a; name*0=b"), None);
    }

    #[test]
    fn percent_decoding_keeps_what_is_not_encoded() {
        assert_eq!(
            percent_decoded("a%20%zz%c3%a9é%", Charset::Utf8),
            "a %zzéé%"
        );
        assert_eq!(
            percent_decoded("%c3é%a9", Charset::Utf8),
            "\u{fffd}é\u{fffd}"
        );
    }
}
