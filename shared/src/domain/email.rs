//! Django's `EmailValidator`.

use std::net::IpAddr;

/// Django's `EmailValidator`: RFC 5321's dot-atom or quoted local part, a domain of labels with
/// a top-level one, `localhost`, or an address literal.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.chars().count() <= 320
        && (is_dot_atom(local) || is_quoted(local))
        && (domain == "localhost" || is_domain(domain) || is_address_literal(domain))
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .chars()
                .all(|c| is_letter_or_digit(c) || "!#$%&'*+/=?^_`{}|~-".contains(c))
    })
}

/// Letters as Python's `[A-Z]` matches them without regard to case: with the four characters
/// beyond ASCII that fold to an ASCII letter.
fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '\u{130}' | '\u{131}' | '\u{17f}' | '\u{212a}')
}

fn is_quoted(local: &str) -> bool {
    let Some(inner) = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return false;
    };
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let ok = match c {
            '\\' => matches!(
                chars.next(),
                Some('\u{1}'..='\u{9}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{7f}')
            ),
            '\u{1}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '!'
            | '#'..='['
            | ']'..='\u{7f}' => true,
            _ => false,
        };
        if !ok {
            return false;
        }
    }
    local.len() >= 2
}

/// Django's `DomainNameValidator` patterns: labels of letters, digits and hyphens, where every
/// character from U+00A1 to U+FFFF counts as a letter, and a top-level one without digits or in
/// Punycode.
fn is_domain(domain: &str) -> bool {
    let Some((labels, top)) = domain.rsplit_once('.') else {
        return false;
    };
    labels
        .split('.')
        .all(|label| is_label(label, 1, is_domain_letter_or_digit))
        && (is_label(top, 2, is_domain_letter) || is_punycode(top))
}

fn is_label(label: &str, least: usize, allowed: fn(char) -> bool) -> bool {
    (least..=63).contains(&label.chars().count())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| allowed(c) || c == '-')
}

fn is_domain_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || ('\u{a1}'..='\u{ffff}').contains(&c)
}

fn is_domain_letter_or_digit(c: char) -> bool {
    is_domain_letter(c) || c.is_ascii_digit()
}

fn is_punycode(label: &str) -> bool {
    let rest = label
        .get(..4)
        .filter(|prefix| prefix.eq_ignore_ascii_case("xn--"))
        .map(|_| &label[4..]);
    rest.is_some_and(|rest| {
        (1..=59).contains(&rest.chars().count()) && rest.chars().all(is_letter_or_digit)
    })
}

fn is_address_literal(domain: &str) -> bool {
    domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|address| address.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_those_that_djangos_validator_takes() {
        for good in [
            "a@example.com",
            "a@localhost",
            "a@x.localhost",
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@ü.example",
            "a@x.中国",
            "a@x.xn--p1ai",
            "\"\"@example.com",
            "\"a@b\"@example.com",
            "a.b+c%d@example.com",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "a",
            "@example.com",
            "a@",
            "a@example",
            "a@b@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a b@example.com",
            "zoë@example.com",
            "\"a b\"@example.com",
            "a@LOCALHOST",
            "a@-example.com",
            "a@example-.com",
            "a@example.c",
            "a@example.123",
            "a@example.c0m",
            "a@example.-com",
            "a@example.com.",
            "a@[IPv6:::1]",
            "a@[300.0.0.1]",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
