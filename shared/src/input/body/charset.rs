//! The charsets of request bodies, by the names and with the errors of Python's codecs.
//!
//! `encoding_rs` decodes all but the Unicode ones. Its encodings are those of browsers, so
//! [`legacy`] turns what they read differently into what Python reads.

mod legacy;
mod unicode;

use encoding_rs::Encoding;
use unicode::Order;

/// A charset a body may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Charset {
    /// Django's `DEFAULT_CHARSET`.
    #[default]
    Utf8,
    /// UTF-8, of which a byte order mark at the start is no part.
    Utf8Sig,
    /// UTF-7.
    Utf7,
    /// UTF-16.
    Utf16(Order),
    /// UTF-32.
    Utf32(Order),
    /// ISO 8859-1, in which every byte is the character of its number.
    Latin1,
    /// US-ASCII.
    Ascii,
    /// Any other: the name of Python's codec, and the encoding that it comes nearest to.
    Legacy(&'static str, &'static Encoding),
}

/// What a charset's name stands for in `codecs.lookup()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A charset.
    Text(Charset),
    /// One of Python's codecs that is refused: it encodes no text (DRF refuses those too), or
    /// `encoding_rs` does not have it (EBCDIC, MS-DOS's code pages and other rare ones).
    Refused,
    /// Nothing known, which Django reads as UTF-8.
    Unknown,
}

/// The codecs that Python has: an encoding's label, and Python's name and aliases.
const CODECS: &str = include_str!("charset/codecs.txt");

impl Codec {
    /// Looks a name up by the aliases of Python's `encodings`, without regard
    /// to case or punctuation.
    pub fn named(name: &str) -> Self {
        let name = normalized(name);
        let undotted = name.replace('.', "_");
        let found = CODECS.lines().find_map(|line| {
            let (label, names) = line.split_once(": ")?;
            let mut aliases = names.split(' ');
            let codec = aliases.next()?;
            let is_named = codec == name || aliases.any(|alias| alias == name || alias == undotted);
            is_named.then_some((label, codec))
        });
        let Some((label, codec)) = found else {
            return Self::Unknown;
        };
        Self::Text(match label {
            "utf-8" => Charset::Utf8,
            "utf-8-sig" => Charset::Utf8Sig,
            "utf-7" => Charset::Utf7,
            "utf-16" => Charset::Utf16(Order::Marked),
            "utf-16-le" => Charset::Utf16(Order::Little),
            "utf-16-be" => Charset::Utf16(Order::Big),
            "utf-32" => Charset::Utf32(Order::Marked),
            "utf-32-le" => Charset::Utf32(Order::Little),
            "utf-32-be" => Charset::Utf32(Order::Big),
            "latin-1" => Charset::Latin1,
            "ascii" => Charset::Ascii,
            label => match Encoding::for_label(label.as_bytes()) {
                Some(encoding) => Charset::Legacy(codec, encoding),
                None => return Self::Refused,
            },
        })
    }
}

/// Lower case, with an underscore for every run of characters that are neither
/// letters, digits nor full stops, and none at the ends.
fn normalized(name: &str) -> String {
    let mut normalized = String::new();
    let mut gap = false;
    for c in name.chars() {
        if !c.is_alphanumeric() && c != '.' {
            gap = true;
            continue;
        }
        if gap && !normalized.is_empty() {
            normalized.push('_');
        }
        gap = false;
        if c.is_ascii() {
            normalized.push(c.to_ascii_lowercase());
        }
    }
    normalized
}

/// Bytes that a codec cannot read, as Python's `UnicodeDecodeError` has them.
struct Fault {
    start: usize,
    end: usize,
    reason: &'static str,
    /// The body's end cuts a character short; a stream reader waits for the rest.
    is_cut: bool,
}

impl Fault {
    fn new(start: usize, length: usize, reason: &'static str) -> Self {
        Self {
            start,
            end: start + length,
            reason,
            is_cut: false,
        }
    }

    /// All from `start` to the `end` of the body.
    fn cut(start: usize, end: usize, reason: &'static str) -> Self {
        Self {
            start,
            end,
            reason,
            is_cut: true,
        }
    }
}

impl Charset {
    /// Decodes JSON as DRF does, through a stream reader: a Unicode character that the body's end
    /// cuts short is dropped. The error is the text of Python's exception.
    pub fn decode_stream(self, bytes: &[u8]) -> Result<String, String> {
        let mut text = String::with_capacity(bytes.len());
        let (charset, mark) = self.resolve(bytes);
        if let Some(fault) = charset.read(&bytes[mark..], &mut text)
            && !fault.is_cut
        {
            // The positions in UTF-8 are those after the mark.
            let offset = if self == Self::Utf8Sig { 0 } else { mark };
            let (first, last) = (fault.start + offset, fault.end + offset - 1);
            let place = if first == last {
                let byte = bytes[mark + fault.start];
                format!("byte {byte:#04x} in position {first}")
            } else {
                format!("bytes in position {first}-{last}")
            };
            let (codec, reason) = (charset.codec(), fault.reason);
            return Err(format!("'{codec}' codec can't decode {place}: {reason}"));
        }
        match self {
            Self::Utf16(Order::Marked) if mark == 0 && !text.is_empty() => {
                Err("UTF-16 stream does not start with BOM".to_owned())
            }
            Self::Utf32(Order::Marked) if mark == 0 && !text.is_empty() => {
                Err("UTF-32 stream does not start with BOM".to_owned())
            }
            _ => Ok(text),
        }
    }

    /// Python's `bytes.decode()`, `None` where it raises an error.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        let mut text = String::with_capacity(bytes.len());
        let (charset, mark) = self.resolve(bytes);
        let fault = charset.read(&bytes[mark..], &mut text);
        fault.is_none().then_some(text)
    }

    /// Decodes with `errors="replace"`, as Django decodes the values of forms.
    pub fn decode_replacing(self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let (charset, mut at) = self.resolve(bytes);
        while let Some(fault) = charset.read(&bytes[at..], &mut text) {
            text.push(char::REPLACEMENT_CHARACTER);
            at += fault.end;
        }
        text
    }

    /// The charset without its byte order mark, and the length of that.
    fn resolve(self, bytes: &[u8]) -> (Self, usize) {
        match self {
            Self::Utf8Sig if bytes.starts_with(b"\xef\xbb\xbf") => (Self::Utf8, 3),
            Self::Utf8Sig => (Self::Utf8, 0),
            Self::Utf16(Order::Marked) => {
                let order = Order::of_mark(bytes, b"\xff\xfe", b"\xfe\xff");
                (
                    Self::Utf16(order.unwrap_or(Order::Little)),
                    if order.is_some() { 2 } else { 0 },
                )
            }
            Self::Utf32(Order::Marked) => {
                let order = Order::of_mark(bytes, b"\xff\xfe\0\0", b"\0\0\xfe\xff");
                (
                    Self::Utf32(order.unwrap_or(Order::Little)),
                    if order.is_some() { 4 } else { 0 },
                )
            }
            other => (other, 0),
        }
    }

    /// Appends the text up to the first bytes that cannot be read.
    fn read(self, bytes: &[u8], text: &mut String) -> Option<Fault> {
        match self {
            Self::Utf8 | Self::Utf8Sig => unicode::utf8(bytes, text),
            Self::Utf7 => unicode::utf7(bytes, text),
            Self::Utf16(order) => unicode::utf16(bytes, order, text),
            Self::Utf32(order) => unicode::utf32(bytes, order, text),
            Self::Latin1 => {
                text.push_str(&latin1(bytes));
                None
            }
            Self::Ascii => {
                let first = bytes.iter().position(|byte| !byte.is_ascii());
                text.push_str(&latin1(&bytes[..first.unwrap_or(bytes.len())]));
                first.map(|at| Fault::new(at, 1, "ordinal not in range(128)"))
            }
            Self::Legacy(codec, encoding) => legacy::read(codec, encoding, bytes, text),
        }
    }

    /// The codec's name in Python's errors.
    fn codec(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Sig => "utf-8",
            Self::Utf7 => "utf7",
            Self::Utf16(Order::Big) => "utf-16-be",
            Self::Utf16(_) => "utf-16-le",
            Self::Utf32(Order::Big) => "utf-32-be",
            Self::Utf32(_) => "utf-32-le",
            Self::Latin1 => "latin-1",
            Self::Ascii => "ascii",
            Self::Legacy(_, encoding) if encoding.is_single_byte() => "charmap",
            Self::Legacy(codec, _) => codec,
        }
    }
}

/// Every byte as the character of its number.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests;
