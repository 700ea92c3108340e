//! The few rules of Python itself that clients of the API can see.
//!
//! DRF leaves trimming, numbers and word characters to Python's built-ins, so
//! their corner cases are part of what is accepted and what is shown.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The most digits `int(text)` converts: CPython's default of
/// `sys.set_int_max_str_digits()`.
pub const MAX_INT_DIGITS: usize = 4300;

/// Whether `str.isspace()` holds: Unicode's White_Space, and the four
/// separators U+001C to U+001F, which only Python counts.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `str.strip()` without arguments.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The bytes of a text in base64url, as `base64.urlsafe_b64decode` reads them where the padding may be
/// left out: what is no digit is skipped. `None` where a digit is left over.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let missing = text.len() % 4;
    let padding = std::iter::repeat_n(b'=', missing);
    let (mut bytes, mut digits, mut bits, mut pads) = (Vec::new(), 0, 0_u32, 0);
    for byte in text.bytes().chain(padding) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' if digits >= 2 => {
                pads += 1;
                if digits + pads >= 4 {
                    return Some(bytes);
                }
                continue;
            }
            _ => continue,
        };
        pads = 0;
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        digits = (digits + 1) % 4;
        // A byte is whole with the second, third and fourth digit, which leave 4, 2 and 0 bits.
        let left = match digits {
            1 => continue,
            2 => 4,
            3 => 2,
            _ => 0,
        };
        bytes.push((bits >> left & 0xff) as u8);
    }
    (digits == 0).then_some(bytes)
}

/// `int(text)`, as the decimal text that `str()` would give; `None` where
/// Python raises a `ValueError`.
///
/// Takes surrounding whitespace, a sign, single underscores between digits
/// and the decimal digits of any script, at most [`MAX_INT_DIGITS`] of them.
pub fn int(text: &str) -> Option<String> {
    // Of the ASCII characters only C's isspace() count here, fewer than for strip().
    let text = text.trim_matches(|c: char| match c {
        '\0'..='\x7f' => matches!(c, ' ' | '\t'..='\r'),
        _ => is_space(c),
    });
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let mut digits = String::new();
    let mut after_digit = false;
    for c in unsigned.chars() {
        if let Some(digit) = decimal_digit(c) {
            digits.push(digit);
            after_digit = true;
        } else if c == '_' && after_digit {
            after_digit = false;
        } else {
            return None;
        }
    }
    if !after_digit || digits.len() > MAX_INT_DIGITS {
        return None;
    }
    Some(canonical_int(sign, &digits))
}

/// `str()` of the integer with this sign, `-` or nothing, and these ASCII digits.
pub fn canonical_int(sign: &str, digits: &str) -> String {
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    }
}

/// The ASCII digit of the same value as a character of category Nd.
fn decimal_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    if c.general_category() != GeneralCategory::DecimalNumber {
        return None;
    }
    // Unicode keeps each script's digits together, in order from zero; the
    // mathematical ones are five such tens in a row.
    let before = (0..c as u32)
        .rev()
        .map_while(char::from_u32)
        .take_while(|c| c.general_category() == GeneralCategory::DecimalNumber)
        .count();
    char::from_digit(u32::try_from(before % 10).ok()?, 10)
}

/// `repr(float)`: the shortest digits that read back as the same number, with
/// an exponent below 1e-4 and from 1e16 on.
pub fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{number:e}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    // Where two texts of the shortest length are equally near, Python takes the
    // even one, which in Rust only the formats with a precision do.
    let even = format!("{number:.decimals$e}");
    let even_mantissa = even
        .split('e')
        .next()
        .filter(|_| even.parse() == Ok(number));
    let mantissa = even_mantissa.unwrap_or(mantissa);
    match exponent {
        // Python pads the exponent to two digits and writes the plus.
        16.. => format!("{mantissa}e+{exponent:02}"),
        ..-4 => format!("{mantissa}e-{:02}", -exponent),
        _ => positional(mantissa, exponent.unsigned_abs() as usize, exponent < 0),
    }
}

/// Writes a mantissa times a small power of ten without an exponent, and with
/// at least one decimal.
fn positional(mantissa: &str, exponent: usize, negative_exponent: bool) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let mut digits = mantissa.replace('.', "");
    if negative_exponent {
        return format!("{sign}0.{}{digits}", "0".repeat(exponent - 1));
    }
    while digits.len() < exponent + 2 {
        digits.push('0');
    }
    let (whole, decimals) = digits.split_at(exponent + 1);
    format!("{sign}{whole}.{decimals}")
}

/// `re`'s `\w` for text: what `str.isalnum()` takes, and the underscore.
///
/// Not `char::is_alphanumeric()`, which also takes the combining vowel signs
/// and the circled letters that Unicode calls alphabetic. Characters newer than
/// a given Python's Unicode version may be word characters here already.
pub fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// `str.isprintable()` of one character: neither a control, format or
/// unassigned one nor a separator other than the space.
pub fn is_printable(c: char) -> bool {
    c == ' '
        || !matches!(
            c.general_category_group(),
            GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strip_takes_unicode_spaces_and_the_separators_only_python_counts() {
        assert_eq!(strip("\u{1c}\u{a0}\u{3000} a b \u{1f}\u{85}\n"), "a b");
        assert_eq!(strip("\u{200b}a"), "\u{200b}a");
    }

    #[test]
    fn int_reads_what_python_reads() {
        for (text, expected) in [
            ("5", "5"),
            (" \t-007\n", "-7"),
            ("+1_000", "1000"),
            ("-0", "0"),
            ("٣", "3"),
            ("\u{1d7ff}", "9"),
            ("\u{a0}-１_２ ", "-12"),
        ] {
            assert_eq!(int(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn int_refuses_what_python_refuses() {
        for text in [
            "",
            " ",
            "-",
            "+-1",
            "- 1",
            "_1",
            "1_",
            "1__0",
            "1.0",
            "0x1",
            "½",
            "²",
            "1\0",
            "\u{1c}5",
            "１\u{1c}",
        ] {
            assert_eq!(int(text), None, "{text:?}");
        }
    }

    #[test]
    fn int_counts_leading_zeros_towards_its_limit_of_digits() {
        assert!(int(&"0".repeat(MAX_INT_DIGITS)).is_some());
        assert_eq!(int(&"0".repeat(MAX_INT_DIGITS + 1)), None);
    }

    #[test]
    fn floats_are_written_as_repr_writes_them() {
        for (number, expected) in [
            (1.5, "1.5"),
            (100_000.0, "100000.0"),
            (1_482_548_259_398_322.2, "1482548259398322.2"),
            (-0.00123, "-0.00123"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (1e-7, "1e-07"),
            (-1.25e-100, "-1.25e-100"),
            (-0.0, "-0.0"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_repr(number), expected);
        }
    }

    #[test]
    fn word_characters_are_letters_numbers_and_the_underscore() {
        assert!("aÅ字ß_9²½Ⅷ".chars().all(is_word));
        assert!(!"- .@+\u{301}\u{93e}ⓐ€".chars().any(is_word));
    }

    #[test]
    fn format_characters_are_not_printable() {
        assert!("a é".chars().all(is_printable));
        assert!(!"\u{200b}\u{a0}\n\u{e000}".chars().any(is_printable));
    }
}
