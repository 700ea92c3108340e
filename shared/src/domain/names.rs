//! The texts of the models, each checked once, at the edge: whoever holds one of these types
//! need not check it again. Rules, texts and their order are DRF's field validators'.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::python;

/// A text that has just been read from a request: trimmed, and with the first lone surrogate it
/// held, which a Python string can and a Rust one cannot.
#[derive(Clone, Copy)]
pub struct RawText<'a> {
    /// The text, with U+FFFD for lone surrogates.
    pub text: &'a str,
    /// The first lone surrogate.
    pub surrogate: Option<u16>,
}

/// A type that a text field is parsed into.
pub trait TextField: Sized {
    /// What a value that is no text is told (DRF's `CharField` and `EmailField` differ).
    const NOT_A_STRING: &'static str = "Not a valid string.";

    /// Parses the text.
    ///
    /// # Errors
    /// DRF's texts, in the order of its validators.
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>>;
}

/// `MaxLengthValidator`: lengths count code points.
fn too_long(text: &str, max: usize) -> Option<String> {
    (text.chars().count() > max)
        .then(|| format!("Ensure this field has no more than {max} characters."))
}

/// `ProhibitNullCharactersValidator` and DRF's `ProhibitSurrogateCharactersValidator`.
fn unstorable(raw: RawText<'_>) -> impl Iterator<Item = String> {
    let null = raw
        .text
        .contains('\0')
        .then(|| "Null characters are not allowed.".to_owned());
    let surrogate = raw
        .surrogate
        .map(|code| format!("Surrogate characters are not allowed: U+{code:X}."));
    null.into_iter().chain(surrogate)
}

fn accept<T>(value: T, errors: Vec<String>) -> Result<T, Vec<String>> {
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(errors)
    }
}

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_types! {
    /// A username: word characters and `@.+-_`, at most 150, in NFKC.
    UserName;
    /// An email address as Django's `EmailField` accepts it, or empty.
    EmailAddress;
    /// A first or last name: at most 150 characters of any kind, or empty.
    PersonName;
    /// A group's name: at most 150 characters of any kind.
    GroupName;
    /// A permission's name for people: at most 255 characters.
    PermissionName;
    /// A permission's name for programs: at most 100 characters.
    Codename;
}

/// A text with no rule but that it can be stored, such as a password or a token.
pub struct AnyText(String);

impl AnyText {
    /// The text.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl TextField for AnyText {
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        accept(Self(raw.text.to_owned()), unstorable(raw).collect())
    }
}

impl TextField for UserName {
    /// `UnicodeUsernameValidator`, then DRF's; NFKC comes first, as `normalize_username` does it,
    /// so that what is checked is what is stored.
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        let text: String = raw.text.nfkc().collect();
        let allowed = |c| python::is_word(c) || matches!(c, '.' | '@' | '+' | '-');
        let mut errors = Vec::new();
        if raw.surrogate.is_some() || text.is_empty() || !text.chars().all(allowed) {
            errors.push(
                "Enter a valid username. This value may contain only letters, numbers, \
                 and @/./+/-/_ characters."
                    .to_owned(),
            );
        }
        errors.extend(too_long(&text, 150));
        errors.extend(unstorable(RawText { text: &text, ..raw }));
        accept(Self(text), errors)
    }
}

impl UserName {
    /// The username that a text may be stored as, for looking it up: as Django, a login takes
    /// the text as it is. A text that no username can be is none.
    pub fn stored(text: &str) -> Option<Self> {
        Self::parse(RawText {
            text,
            surrogate: None,
        })
        .ok()
        .filter(|name| name.0 == text)
    }

    /// What users are listed and searched by.
    pub fn lower(&self) -> String {
        self.0.to_lowercase()
    }
}

impl TextField for EmailAddress {
    const NOT_A_STRING: &'static str = INVALID_EMAIL;

    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        let mut errors: Vec<String> = too_long(raw.text, 254).into_iter().collect();
        errors.extend(unstorable(raw));
        if !is_email(raw.text) {
            errors.push(INVALID_EMAIL.to_owned());
        }
        accept(Self(raw.text.to_owned()), errors)
    }
}

impl EmailAddress {
    /// What uniqueness goes by: the address without regard to case.
    pub fn lower(&self) -> String {
        self.0.to_lowercase()
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Django's `BaseUserManager.normalize_email`: the domain in lower case.
    #[must_use]
    pub fn with_lower_domain(&self) -> Self {
        match self.0.rsplit_once('@') {
            Some((local, domain)) => Self(format!("{local}@{}", domain.to_lowercase())),
            None => self.clone(),
        }
    }
}

impl TextField for PersonName {
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        let errors = too_long(raw.text, 150)
            .into_iter()
            .chain(unstorable(raw))
            .collect();
        accept(Self(raw.text.to_owned()), errors)
    }
}

impl TextField for GroupName {
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        let errors = too_long(raw.text, 150)
            .into_iter()
            .chain(unstorable(raw))
            .collect();
        accept(Self(raw.text.to_owned()), errors)
    }
}

impl TextField for PermissionName {
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        let errors = too_long(raw.text, 255)
            .into_iter()
            .chain(unstorable(raw))
            .collect();
        accept(Self(raw.text.to_owned()), errors)
    }
}

impl TextField for Codename {
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<String>> {
        let errors = too_long(raw.text, 100)
            .into_iter()
            .chain(unstorable(raw))
            .collect();
        accept(Self(raw.text.to_owned()), errors)
    }
}

const INVALID_EMAIL: &str = "Enter a valid email address.";

/// Django's `EmailValidator`: RFC 5321's dot-atom or quoted local part, a domain of labels with
/// a top-level one, `localhost`, or an address literal.
fn is_email(text: &str) -> bool {
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

    fn parse<T: TextField>(text: &str) -> Result<T, Vec<String>> {
        T::parse(RawText {
            text,
            surrogate: None,
        })
    }

    const BAD_NAME: &str = "Enter a valid username. This value may contain only letters, \
                            numbers, and @/./+/-/_ characters.";

    #[test]
    fn usernames_are_word_characters_and_five_signs() {
        for good in ["a", "Ñandú日本", "@.+-_", "123", "〇", "٣"] {
            assert_eq!(parse::<UserName>(good).unwrap().as_str(), good);
        }
        for bad in ["a b", "a!", "a\n", "smile😀", "कि", "a\u{200d}b"] {
            assert_eq!(
                parse::<UserName>(bad),
                Err(vec![BAD_NAME.to_owned()]),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn usernames_are_checked_as_they_are_stored_in_nfkc() {
        assert_eq!(parse::<UserName>("ｗｉｄｅ").unwrap().as_str(), "wide");
        assert_eq!(
            parse::<UserName>(&"ﬁ".repeat(75)).unwrap().as_str(),
            "fi".repeat(75)
        );
        let too_long = "Ensure this field has no more than 150 characters.".to_owned();
        assert_eq!(parse::<UserName>(&"ﬁ".repeat(76)), Err(vec![too_long]));
    }

    #[test]
    fn a_login_name_that_could_not_be_stored_is_nobodys() {
        assert_eq!(
            UserName::stored("ann").map(|name| name.0),
            Some("ann".to_owned())
        );
        for nobody in ["ｗｉｄｅ", "a b", "", &"a".repeat(151)] {
            assert_eq!(UserName::stored(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn errors_of_a_text_come_in_the_order_of_drfs_validators() {
        let raw = RawText {
            text: "a\0\u{fffd}",
            surrogate: Some(0xd800),
        };
        let null = "Null characters are not allowed.".to_owned();
        let surrogate = "Surrogate characters are not allowed: U+D800.".to_owned();
        assert_eq!(
            UserName::parse(raw),
            Err(vec![BAD_NAME.to_owned(), null.clone(), surrogate.clone()])
        );
        assert_eq!(
            EmailAddress::parse(raw),
            Err(vec![
                null.clone(),
                surrogate.clone(),
                INVALID_EMAIL.to_owned()
            ])
        );
        assert_eq!(PersonName::parse(raw), Err(vec![null, surrogate]));
    }

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
