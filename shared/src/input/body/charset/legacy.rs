//! What Python reads in the encodings of `encoding_rs`, which are those of the WHATWG.
//!
//! Left as they are: a few symbols that only one of the two has, and characters that GB 18030 has
//! moved out of the private use area since 2000.

use encoding_rs::{DecoderResult, Encoding};

use super::Fault;

/// Reads up to the first fault. The decoder gets one byte at a time, which tells which bytes each
/// character has.
pub(super) fn read(
    codec: &str,
    encoding: &'static Encoding,
    bytes: &[u8],
    text: &mut String,
) -> Option<Fault> {
    let illegal = if encoding.is_single_byte() {
        "character maps to <undefined>"
    } else {
        "illegal multibyte sequence"
    };
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut buffer = [0; 32];
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let byte = std::slice::from_ref(byte);
        let (result, _, length) =
            decoder.decode_to_utf8_without_replacement(byte, &mut buffer, false);
        let decoded = String::from_utf8_lossy(&buffer[..length]);
        let own = &bytes[start..=at];
        let python = decoded.chars().map(|c| in_python(codec, own, c));
        match python.collect::<Option<String>>() {
            Some(python) if result == DecoderResult::InputEmpty => text.push_str(&python),
            _ => return Some(Fault::new(start, 1, illegal)),
        }
        if length > 0 {
            start = at + 1;
        }
    }
    let (end, ..) = decoder.decode_to_utf8_without_replacement(&[], &mut buffer, true);
    let length = bytes.len() - start;
    (end != DecoderResult::InputEmpty)
        .then(|| Fault::new(start, length, "incomplete multibyte sequence"))
}

/// Pairs of what the WHATWG reads and what Python reads in JIS X 0208.
const JIS: &str = "～〜∥‖－−￠¢￡£￢¬";

/// The same in Big5.
const BIG5: &str = "‧•﹑､¯‾～∼⊕♁⊙☉∕／﹨＼￥¥￠¢￡£";

/// The character that Python's codec has for these bytes, where the WHATWG's encoding has `c`;
/// `None` where that is an extension.
fn in_python(codec: &str, bytes: &[u8], c: char) -> Option<char> {
    match (codec, bytes, c) {
        ("iso8859_9" | "iso8859_11" | "tis_620", &[byte @ 0x80..=0x9f], _) => {
            Some(char::from(byte))
        }
        (_, [0x81..=0x9f], '\u{80}'..='\u{9f}') if codec.starts_with("cp") => None,
        ("tis_620", [0xa0], _)
        | ("gb2312" | "gbk" | "gb18030" | "shift_jis", [0x80], _)
        | ("gb2312" | "gbk", [_, _, _, _], _)
        | ("gb2312", [..=0xa0 | 0xaa..=0xaf | 0xf8.., _] | [_, ..=0xa0], _)
        | ("gbk" | "shift_jis", _, '\u{e000}'..='\u{f8ff}')
        | ("euc_kr", [..=0xa0, _] | [_, ..=0xa0], _)
        | ("euc_jp", [0xad | 0xf9.., _], _)
        | ("shift_jis", [0x87 | 0xed.., _], _)
        | ("big5" | "cp950", [..=0xa0 | 0xc8 | 0xfa.., _], _) => None,
        ("big5" | "cp950", &[lead @ 0xc6, trail @ 0xa1..=0xff] | &[lead @ 0xc7, trail], _) => {
            big5_letter(lead, trail)
        }
        ("gb2312", _, '·') => Some('・'),
        ("gb2312", _, '—') => Some('―'),
        ("koi8_u", _, 'ў') => Some('╝'),
        ("koi8_u", _, 'Ў') => Some('╬'),
        ("euc_jp" | "iso2022_jp" | "shift_jis", ..) => Some(paired(JIS, c)),
        ("big5" | "big5hkscs", ..) => Some(paired(BIG5, c)),
        _ => Some(c),
    }
}

/// The letters and numbers that Python's Big5 has from C6A1 on, in rows of 157.
fn big5_letter(lead: u8, trail: u8) -> Option<char> {
    let column = trail.checked_sub(if trail < 0x80 { 0x40 } else { 0x62 })?;
    let letters = "ヾゝゞ々".chars().chain('ぁ'..='ん').chain('ァ'..='ヶ');
    let letters = letters
        .chain("ДЕЁ".chars())
        .chain('Ж'..='М')
        .chain('У'..='е');
    let letters = letters.chain(['ё']).chain('ж'..='я');
    let mut letters = letters.chain('①'..='⑩').chain('⑴'..='⑽');
    letters.nth(157 * usize::from(lead - 0xc6) + usize::from(column) - 0x3f)
}

/// The character after `c` in a list of pairs, or `c` itself.
fn paired(pairs: &str, c: char) -> char {
    let mut chars = pairs.chars();
    while let (Some(from), Some(to)) = (chars.next(), chars.next()) {
        if from == c {
            return to;
        }
    }
    c
}
