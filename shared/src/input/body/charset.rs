//! The charsets of request bodies, by the names and with the errors of
//! Python's codecs.

use std::borrow::Cow;

/// A charset a body may be in.
///
/// Python knows some hundred more, which front ends do not send; here they are
/// unknown ones, and Django reads an unknown charset as UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Charset {
    /// Django's `DEFAULT_CHARSET`.
    #[default]
    Utf8,
    /// ISO 8859-1, in which every byte is the character of its number.
    Latin1,
    /// US-ASCII.
    Ascii,
}

/// What a charset's name stands for in `codecs.lookup()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A charset.
    Text(Charset),
    /// An encoding of bytes or text as something else, which DRF refuses.
    Binary,
    /// Nothing known.
    Unknown,
}

impl Codec {
    /// Looks a name up by the aliases of Python's `encodings`, without regard
    /// to case or punctuation.
    pub fn named(name: &str) -> Self {
        if name.contains('\0') {
            return Self::Unknown;
        }
        match normalized(name).as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "utf8_ucs2" | "utf8_ucs4" | "cp65001" => {
                Self::Text(Charset::Utf8)
            }
            "latin_1" | "latin1" | "latin" | "l1" | "8859" | "iso8859" | "iso8859_1"
            | "iso_8859_1" | "iso_8859_1_1987" | "iso_ir_100" | "cp819" | "ibm819"
            | "csisolatin1" => Self::Text(Charset::Latin1),
            "ascii" | "us_ascii" | "us" | "646" | "iso646_us" | "iso_646_irv_1991" | "iso_ir_6"
            | "ansi_x3_4_1968" | "ansi_x3_4_1986" | "cp367" | "ibm367" | "csascii" => {
                Self::Text(Charset::Ascii)
            }
            "base64" | "base64_codec" | "base_64" | "bz2" | "bz2_codec" | "hex" | "hex_codec"
            | "quopri" | "quopri_codec" | "quoted_printable" | "quotedprintable" | "rot13"
            | "rot_13" | "uu" | "uu_codec" | "zip" | "zlib" | "zlib_codec" => Self::Binary,
            _ => Self::Unknown,
        }
    }
}

/// Lower case, with an underscore for every run of characters that are neither
/// letters nor digits, and none at the ends.
fn normalized(name: &str) -> String {
    let mut normalized = String::new();
    let mut gap = false;
    for c in name.chars() {
        if !c.is_alphanumeric() {
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

impl Charset {
    /// Decodes a JSON body; the error is the text of Python's
    /// `UnicodeDecodeError`.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        match self {
            Self::Utf8 => decode_utf8(bytes),
            Self::Latin1 => Ok(Cow::Owned(latin1(bytes))),
            Self::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                None => Ok(String::from_utf8_lossy(bytes)),
                Some(at) => Err(format!(
                    "'ascii' codec can't decode byte {:#04x} in position {at}: \
                     ordinal not in range(128)",
                    bytes[at]
                )),
            },
        }
    }

    /// Decodes with `errors="replace"`, as Django decodes the values of forms.
    pub fn decode_replacing(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Latin1 => latin1(bytes),
            Self::Ascii => bytes
                .iter()
                .map(|&byte| match byte {
                    0..=0x7f => char::from(byte),
                    _ => char::REPLACEMENT_CHARACTER,
                })
                .collect(),
        }
    }
}

/// Every byte as the character of its number.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Decodes UTF-8; the error is the text of Python's `UnicodeDecodeError`.
///
/// DRF reads JSON through a stream reader, which holds back a character that
/// the body's end cuts short and so drops it without an error.
pub fn decode_utf8(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    let start = error.valid_up_to();
    // CPython also waits for the third byte of what can only be a surrogate.
    let cut_short = matches!(bytes[start..], [0xed, 0xa0..=0xbf]);
    let length = match error.error_len() {
        Some(length) if !cut_short => length,
        _ => return Ok(String::from_utf8_lossy(&bytes[..start])),
    };
    let first = bytes[start];
    let reason = match first {
        0xc2..=0xf4 => "invalid continuation byte",
        _ => "invalid start byte",
    };
    let place = match length {
        1 => format!("byte {first:#04x} in position {start}"),
        _ => format!("bytes in position {start}-{}", start + length - 1),
    };
    Err(format!("'utf-8' codec can't decode {place}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_go_by_any_spelling_python_takes() {
        for (name, codec) in [
            ("UTF-8", Codec::Text(Charset::Utf8)),
            (" utf 8 ", Codec::Text(Charset::Utf8)),
            ("ISO-8859-1", Codec::Text(Charset::Latin1)),
            ("us-ascii", Codec::Text(Charset::Ascii)),
            ("Base64", Codec::Binary),
            ("klingon", Codec::Unknown),
            ("", Codec::Unknown),
        ] {
            assert_eq!(Codec::named(name), codec, "{name:?}");
        }
    }

    #[test]
    fn undecodable_bytes_are_reported_as_python_reports_them() {
        for (bytes, expected) in [
            (
                &b"{\"username\": \"\xff\"}"[..],
                "byte 0xff in position 14: invalid start byte",
            ),
            (b"\x80", "byte 0x80 in position 0: invalid start byte"),
            (
                b"a\xc3(",
                "byte 0xc3 in position 1: invalid continuation byte",
            ),
            (
                b"abc\xe2\x82(",
                "bytes in position 3-4: invalid continuation byte",
            ),
            (
                b"\xf0\x9f\x98(",
                "bytes in position 0-2: invalid continuation byte",
            ),
            (
                b"\xed\xa0\x80",
                "byte 0xed in position 0: invalid continuation byte",
            ),
        ] {
            let expected = format!("'utf-8' codec can't decode {expected}");
            assert_eq!(decode_utf8(bytes), Err(expected));
        }
        assert_eq!(
            Charset::Ascii.decode(b"a\xe9"),
            Err(
                "'ascii' codec can't decode byte 0xe9 in position 1: ordinal not in range(128)"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_character_cut_short_by_the_end_is_dropped() {
        assert_eq!(decode_utf8(b"{}\xe2\x82"), Ok(Cow::Borrowed("{}")));
        assert_eq!(decode_utf8(b"\xf0"), Ok(Cow::Borrowed("")));
        assert_eq!(decode_utf8(b"1\xed\xa0"), Ok(Cow::Borrowed("1")));
    }

    #[test]
    fn latin_1_takes_every_byte() {
        assert_eq!(Charset::Latin1.decode(b"\xe9\xff").as_deref(), Ok("éÿ"));
        assert_eq!(Charset::Ascii.decode_replacing(b"a\xe9"), "a\u{fffd}");
    }
}
