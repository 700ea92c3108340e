//! JSON as CPython's `json` module reads it, with its error texts.
//!
//! DRF shows those texts to the client, position and all, so another parser's
//! idea of what went wrong will not do. Accepts exactly what `json.loads` of
//! CPython 3.11 accepts under DRF's `STRICT_JSON`, in time linear in the text.

use super::value::{Dict, Text, Value};
use crate::python;

/// How deeply arrays and objects may nest.
///
/// CPython gives up somewhere below its recursion limit of 1,000, depending on
/// how deep in the call stack the request is handled.
pub const MAX_DEPTH: usize = 900;

/// Reads a document; the error is the text of the exception CPython raises.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut scanner = Scanner { text, at: 0 };
    if text.starts_with('\u{feff}') {
        return Err(scanner.error("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0));
    }
    scanner.skip_whitespace();
    let value = scanner.value()?;
    scanner.skip_whitespace();
    match scanner.peek() {
        None => Ok(value),
        Some(_) => Err(scanner.error("Extra data", scanner.at)),
    }
}

/// An array or object that has begun and not ended.
enum Open {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Dict(Dict, String),
}

struct Scanner<'a> {
    text: &'a str,
    /// The next byte to read; always at a character's start.
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over a byte and the whitespace after it, if the byte comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
            self.skip_whitespace();
        }
        found
    }

    /// The text of a `JSONDecodeError`, which counts characters, not bytes.
    fn error(&self, message: &str, at: usize) -> String {
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let position = before.chars().count();
        format!("{message}: line {line} column {column} (char {position})")
    }

    /// Reads a value of any kind.
    ///
    /// Keeps the open containers in a vector of its own: a body must not be
    /// able to exhaust the thread's stack.
    fn value(&mut self) -> Result<Value, String> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut value = match self.peek() {
                Some(kind @ (b'{' | b'[')) => {
                    check_depth(open.len(), kind)?;
                    self.skip(kind);
                    match kind {
                        b'{' if self.peek() != Some(b'}') => {
                            let key = self.key()?;
                            open.push(Open::Dict(Dict::default(), key));
                            continue;
                        }
                        b'[' if self.peek() != Some(b']') => {
                            open.push(Open::List(Vec::new()));
                            continue;
                        }
                        _ => self.at += 1,
                    }
                    match kind {
                        b'{' => Value::Dict(Dict::default()),
                        _ => Value::List(Vec::new()),
                    }
                }
                _ => self.scalar()?,
            };
            // The value may be the last of its container, and that the last of its own.
            loop {
                let Some(container) = open.pop() else {
                    return Ok(value);
                };
                self.skip_whitespace();
                match container {
                    Open::List(mut items) => {
                        items.push(value);
                        if self.skip(b',') {
                            open.push(Open::List(items));
                            break;
                        }
                        self.close(b']')?;
                        value = Value::List(items);
                    }
                    Open::Dict(mut dict, key) => {
                        dict.insert(key, value);
                        if self.skip(b',') {
                            let key = self.key()?;
                            open.push(Open::Dict(dict, key));
                            break;
                        }
                        self.close(b'}')?;
                        value = Value::Dict(dict);
                    }
                }
            }
        }
    }

    fn close(&mut self, bracket: u8) -> Result<(), String> {
        if self.peek() != Some(bracket) {
            return Err(self.error("Expecting ',' delimiter", self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a key and its colon, up to where the value starts.
    ///
    /// A lone surrogate in a key becomes U+FFFD: no field has such a name.
    fn key(&mut self) -> Result<String, String> {
        if self.peek() != Some(b'"') {
            let message = "Expecting property name enclosed in double quotes";
            return Err(self.error(message, self.at));
        }
        let key = self.string()?.into_string();
        self.skip_whitespace();
        if !self.skip(b':') {
            return Err(self.error("Expecting ':' delimiter", self.at));
        }
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Value, String> {
        if self.peek() == Some(b'"') {
            return self.string().map(Value::Str);
        }
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if self.rest().starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        // Python's own words for floats that JSON has not: DRF refuses them.
        for word in ["NaN", "Infinity", "-Infinity"] {
            if self.rest().starts_with(word.as_bytes()) {
                return Err(format!(
                    "Out of range float values are not JSON compliant: '{word}'"
                ));
            }
        }
        self.number()
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        let text = self.rest();
        let first = usize::from(text.first() == Some(&b'-'));
        let mut end = match text.get(first) {
            // A zero ends the number: the 1 of 01 is "Extra data".
            Some(b'0') => first + 1,
            Some(b'1'..=b'9') => digits_end(text, first),
            _ => return Err(self.error("Expecting value", start)),
        };
        let integer_end = end;
        // A point or an exponent without digits is no part of the number.
        if text.get(end) == Some(&b'.') && digits_end(text, end + 1) > end + 1 {
            end = digits_end(text, end + 1);
        }
        if matches!(text.get(end), Some(b'e' | b'E')) {
            let signed = matches!(text.get(end + 1), Some(b'+' | b'-'));
            let exponent = end + 1 + usize::from(signed);
            if digits_end(text, exponent) > exponent {
                end = digits_end(text, exponent);
            }
        }
        self.at = start + end;
        if end == integer_end {
            let number = &self.text[start..start + end];
            return integer(number.split_at(first));
        }
        match self.text[start..start + end].parse() {
            Ok(number) => Ok(Value::Float(number)),
            // Not reached: Rust reads every number of JSON's grammar.
            Err(_) => Err(self.error("Expecting value", start)),
        }
    }

    /// Reads a string from its opening quote to after its closing one.
    fn string(&mut self) -> Result<Text, String> {
        let begin = self.at;
        let unterminated = "Unterminated string starting at";
        self.at += 1;
        let mut text = Text::default();
        loop {
            let plain = self
                .rest()
                .iter()
                .position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let Some(plain) = plain else {
                return Err(self.error(unterminated, begin));
            };
            // Both ends are at ASCII characters, so the slice is whole characters.
            text.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {}
                _ => return Err(self.error("Invalid control character at", self.at)),
            }
            let Some(&letter) = self.rest().get(1) else {
                return Err(self.error(unterminated, begin));
            };
            if letter == b'u' {
                self.unicode_escape(&mut text)?;
                continue;
            }
            text.push(match letter {
                b'"' | b'\\' | b'/' => char::from(letter),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                _ => return Err(self.error("Invalid \\escape", self.at)),
            });
            self.at += 2;
        }
    }

    /// Reads `\uXXXX`, and the second one of a surrogate pair.
    fn unicode_escape(&mut self, text: &mut Text) -> Result<(), String> {
        let first = self.hex_escape()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with(b"\\u") {
            let before = self.at;
            let second = self.hex_escape()?;
            if (0xdc00..0xe000).contains(&second) {
                units.push(second);
            } else {
                // Not a pair. The second may begin one, so it is read again.
                self.at = before;
            }
        }
        for unit in char::decode_utf16(units) {
            match unit {
                Ok(c) => text.push(c),
                Err(lone) => text.push_surrogate(lone.unpaired_surrogate()),
            }
        }
        Ok(())
    }

    /// Reads one `\uXXXX`, whose errors CPython places at the `u`.
    fn hex_escape(&mut self) -> Result<u16, String> {
        let mut unit = 0;
        for offset in 2..6 {
            let digit = self
                .rest()
                .get(offset)
                .and_then(|&byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.error("Invalid \\uXXXX escape", self.at + 1));
            };
            unit = unit * 16 + digit;
        }
        // CPython reports an escape that the text ends in, even a complete one.
        match u16::try_from(unit) {
            Ok(unit) if self.rest().len() > 6 => {
                self.at += 6;
                Ok(unit)
            }
            _ => Err(self.error("Invalid \\uXXXX escape", self.at + 1)),
        }
    }
}

/// Where the run of ASCII digits that starts at `from` ends.
fn digits_end(text: &[u8], from: usize) -> usize {
    let digits = text
        .iter()
        .skip(from)
        .take_while(|byte| byte.is_ascii_digit());
    from + digits.count()
}

/// The integer of these digits; CPython caps them, as converting is quadratic.
fn integer((sign, digits): (&str, &str)) -> Result<Value, String> {
    let (limit, count) = (python::MAX_INT_DIGITS, digits.len());
    if count > limit {
        return Err(format!(
            "Exceeds the limit ({limit} digits) for integer string conversion: value has \
             {count} digits; use sys.set_int_max_str_digits() to increase the limit"
        ));
    }
    Ok(Value::Int(python::canonical_int(sign, digits)))
}

/// Refuses one container too many, in the words of CPython's `RecursionError`.
fn check_depth(depth: usize, kind: u8) -> Result<(), String> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    let kind = if kind == b'{' { "object" } else { "array" };
    Err(format!(
        "maximum recursion depth exceeded while decoding a JSON {kind} from a unicode string"
    ))
}

#[cfg(test)]
mod tests;
