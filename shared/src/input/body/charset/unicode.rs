//! The encodings of Unicode, read up to the first fault as CPython finds it.

use super::Fault;

/// The order of the bytes in a unit of UTF-16 or UTF-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As the byte order mark says.
    Marked,
    Little,
    Big,
}

impl Order {
    /// The order whose mark the bytes start with.
    pub fn of_mark(bytes: &[u8], little: &[u8], big: &[u8]) -> Option<Self> {
        if bytes.starts_with(little) {
            Some(Self::Little)
        } else {
            bytes.starts_with(big).then_some(Self::Big)
        }
    }
}

pub(super) fn utf8(bytes: &[u8], text: &mut String) -> Option<Fault> {
    let error = match str::from_utf8(bytes) {
        Ok(whole) => {
            text.push_str(whole);
            return None;
        }
        Err(error) => error,
    };
    let start = error.valid_up_to();
    text.push_str(&String::from_utf8_lossy(&bytes[..start]));
    // CPython also waits for the third byte of what can only be a surrogate.
    let may_be_surrogate = matches!(bytes[start..], [0xed, 0xa0..=0xbf]);
    Some(match error.error_len() {
        Some(length) if !may_be_surrogate => {
            let reason = match bytes[start] {
                0xc2..=0xf4 => "invalid continuation byte",
                _ => "invalid start byte",
            };
            Fault::new(start, length, reason)
        }
        length => Fault {
            end: length.map_or(bytes.len(), |length| start + length),
            ..Fault::cut(start, bytes.len(), "unexpected end of data")
        },
    })
}

pub(super) fn utf16(bytes: &[u8], order: Order, text: &mut String) -> Option<Fault> {
    let unit = |at: usize| {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(match order {
            Order::Big => u16::from_be_bytes(pair),
            _ => u16::from_le_bytes(pair),
        })
    };
    let mut at = 0;
    while at < bytes.len() {
        let Some(first) = unit(at) else {
            return Some(Fault::cut(at, bytes.len(), "truncated data"));
        };
        let second = unit(at + 2);
        match char::decode_utf16([first].into_iter().chain(second)).next() {
            Some(Ok(c)) => {
                text.push(c);
                at += 2 * c.len_utf16();
            }
            _ if first >= 0xdc00 => return Some(Fault::new(at, 2, "illegal encoding")),
            _ if second.is_some() => {
                return Some(Fault::new(at, 2, "illegal UTF-16 surrogate"));
            }
            _ => return Some(Fault::cut(at, bytes.len(), "unexpected end of data")),
        }
    }
    None
}

pub(super) fn utf32(bytes: &[u8], order: Order, text: &mut String) -> Option<Fault> {
    for (index, unit) in bytes.chunks(4).enumerate() {
        let at = 4 * index;
        let Ok(unit) = unit.try_into() else {
            return Some(Fault::cut(at, bytes.len(), "truncated data"));
        };
        let code = match order {
            Order::Big => u32::from_be_bytes(unit),
            _ => u32::from_le_bytes(unit),
        };
        let reason = match char::from_u32(code) {
            Some(c) => {
                text.push(c);
                continue;
            }
            None if code < 0x11_0000 => "code point in surrogate code point range(0xd800, 0xe000)",
            None => "code point not in range(0x110000)",
        };
        return Some(Fault::new(at, 4, reason));
    }
    None
}

/// UTF-7, but for lone surrogates, which Python lets through.
pub(super) fn utf7(bytes: &[u8], text: &mut String) -> Option<Fault> {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'+' {
            if !byte.is_ascii() {
                return Some(Fault::new(at, 1, "unexpected special character"));
            }
            text.push(char::from(byte));
            at += 1;
            continue;
        }
        let shifted = &bytes[at + 1..];
        let sextets: Vec<u32> = shifted.iter().map_while(|&byte| sextet(byte)).collect();
        let next = shifted.get(sextets.len());
        let end = at + 1 + sextets.len();
        if sextets.is_empty() && next == Some(&b'-') {
            text.push('+');
        } else if sextets.is_empty() {
            return Some(match next {
                Some(_) => Fault::new(at, 2, "ill-formed sequence"),
                None => Fault::cut(at, end, "unterminated shift sequence"),
            });
        } else {
            match shifted_text(&sextets) {
                Ok(shifted) => text.push_str(&shifted),
                Err(_) if next.is_none() => {
                    return Some(Fault::cut(at, end, "unterminated shift sequence"));
                }
                Err(reason) => return Some(Fault::new(at, end + 1 - at, reason)),
            }
        }
        at = end + usize::from(next == Some(&b'-'));
    }
    None
}

/// The value of a digit of base64.
fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// UTF-16 in base64 without padding.
fn shifted_text(sextets: &[u32]) -> Result<String, &'static str> {
    let (mut units, mut buffer, mut bits) = (Vec::new(), 0, 0);
    for sextet in sextets {
        buffer = buffer << 6 | sextet;
        bits += 6;
        if bits >= 16 {
            bits -= 16;
            units.push((buffer >> bits) as u16);
            buffer &= (1 << bits) - 1;
        }
    }
    if bits >= 6 {
        return Err("partial character in shift sequence");
    }
    if buffer != 0 {
        return Err("non-zero padding bits in shift sequence");
    }
    String::from_utf16(&units).map_err(|_| "illegal surrogate")
}
