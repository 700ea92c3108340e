//! The texts of the models, each checked once, at the edge: code that holds one of these types
//! need not check it again. The rules and their order are those of DRF's field validators.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{FieldError, email::is_email};
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

impl<'a> From<&'a str> for RawText<'a> {
    fn from(text: &'a str) -> Self {
        Self {
            text,
            surrogate: None,
        }
    }
}

/// A type that a text field is parsed into.
pub trait TextField: Sized {
    /// What is wrong with a value that is no text (DRF's `CharField` and `EmailField` differ).
    const NOT_A_STRING: FieldError = FieldError::said("Not a valid string.");

    /// Parses the text.
    ///
    /// # Errors
    /// All that is wrong with it, in the order of DRF's validators.
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<FieldError>>;
}

/// `MaxLengthValidator`: lengths count code points.
fn too_long(text: &str, limit: usize) -> Option<FieldError> {
    let length = text.chars().count();
    (length > limit).then_some(FieldError::TooLong { limit, length })
}

/// `ProhibitNullCharactersValidator` and DRF's `ProhibitSurrogateCharactersValidator`.
fn unstorable(raw: RawText<'_>) -> impl Iterator<Item = FieldError> {
    let has_null = raw.text.contains('\0');
    let null = has_null.then_some(FieldError::said("Null characters are not allowed."));
    let surrogate = raw.surrogate.map(|code| {
        FieldError::Said(format!("Surrogate characters are not allowed: U+{code:X}.").into())
    });
    null.into_iter().chain(surrogate)
}

/// Lower case for keys and searches: letter by letter and with one sigma, so that what a text
/// begins with is what its lower case begins with.
pub fn lower(text: &str) -> String {
    let one_sigma = |c| if c == 'ς' { 'σ' } else { c };
    text.chars()
        .flat_map(char::to_lowercase)
        .map(one_sigma)
        .collect()
}

fn accept<T>(value: T, errors: Vec<FieldError>) -> Result<T, Vec<FieldError>> {
    if errors.is_empty() {
        Ok(value)
    } else {
        Err(errors)
    }
}

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident $(($limit:literal))?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text that another system holds, as it is: only what is typed here is checked.
            pub fn held(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }

        $(impl TextField for $name {
            fn parse(raw: RawText<'_>) -> Result<Self, Vec<FieldError>> {
                let errors = too_long(raw.text, $limit).into_iter().chain(unstorable(raw));
                accept(Self(raw.text.to_owned()), errors.collect())
            }
        })?
    )*};
}

text_types! {
    /// A username: word characters and `@.+-_`, at most 150, in NFKC.
    UserName;
    /// An email address as Django's `EmailField` accepts it, or empty.
    EmailAddress;
    /// A first or last name: at most 150 characters of any kind, or empty.
    PersonName(150);
    /// A group's name: at most 150 characters of any kind.
    GroupName(150);
    /// A permission's name for people: at most 255 characters.
    PermissionName(255);
    /// A permission's name for programs: at most 100 characters.
    Codename(100);
}

/// A text with no rule but that it can be stored, such as a password or a token.
#[derive(PartialEq)]
pub struct AnyText(String);

impl AnyText {
    /// The text.
    pub fn into_inner(self) -> String {
        self.0
    }
}

impl TextField for AnyText {
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<FieldError>> {
        accept(Self(raw.text.to_owned()), unstorable(raw).collect())
    }
}

impl TextField for UserName {
    /// `UnicodeUsernameValidator`, then DRF's; NFKC comes first, as `normalize_username` does it,
    /// so that what is checked is what is stored.
    fn parse(raw: RawText<'_>) -> Result<Self, Vec<FieldError>> {
        let text: String = raw.text.nfkc().collect();
        let allowed = |c| python::is_word(c) || matches!(c, '.' | '@' | '+' | '-');
        let mut errors = Vec::new();
        if raw.surrogate.is_some() || text.is_empty() || !text.chars().all(allowed) {
            errors.push(INVALID_USERNAME);
        }
        // Django does not normalise what is too long already, and counts that.
        errors.extend(too_long(raw.text, 150).or_else(|| too_long(&text, 150)));
        errors.extend(unstorable(RawText { text: &text, ..raw }));
        accept(Self(text), errors)
    }
}

impl UserName {
    /// The username that a text may be stored as, for looking it up: as Django, a login takes
    /// the text as it is. Names that came from Django may hold what no form takes here; a text that
    /// is too long for any is `None`.
    pub fn stored(text: &str) -> Option<Self> {
        (text.chars().count() <= 150).then(|| Self(text.to_owned()))
    }

    /// What a typed name may be stored as: the text as it is, and then in NFKC if that differs.
    pub fn candidates(text: &str) -> Vec<Self> {
        let normalised: String = text.chars().take(151).nfkc().collect();
        let mut names: Vec<Self> = Self::stored(text).into_iter().collect();
        if normalised != text {
            names.extend(Self::stored(&normalised));
        }
        names
    }

    /// What users are listed and searched by.
    pub fn lower(&self) -> String {
        lower(&self.0)
    }
}

impl TextField for EmailAddress {
    const NOT_A_STRING: FieldError = INVALID_EMAIL;

    fn parse(raw: RawText<'_>) -> Result<Self, Vec<FieldError>> {
        let mut errors: Vec<FieldError> = too_long(raw.text, 254).into_iter().collect();
        errors.extend(unstorable(raw));
        if !is_email(raw.text) {
            errors.push(INVALID_EMAIL);
        }
        accept(Self(raw.text.to_owned()), errors)
    }
}

impl EmailAddress {
    /// What uniqueness goes by: the address without regard to case.
    pub fn lower(&self) -> String {
        lower(&self.0)
    }

    /// Whether it is empty.
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

/// `UnicodeUsernameValidator`'s words.
pub const INVALID_USERNAME: FieldError = FieldError::said(
    "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ \
     characters.",
);
/// `EmailValidator`'s words.
pub const INVALID_EMAIL: FieldError = FieldError::said("Enter a valid email address.");

#[cfg(test)]
mod tests {
    use super::*;

    fn parse<T: TextField>(text: &str) -> Result<T, Vec<FieldError>> {
        T::parse(text.into())
    }

    #[test]
    fn usernames_are_word_characters_and_five_signs() {
        for good in ["a", "Ñandú日本", "@.+-_", "123", "〇", "٣"] {
            assert_eq!(parse::<UserName>(good).unwrap().as_str(), good);
        }
        for bad in ["a b", "a!", "a\n", "smile😀", "कि", "a\u{200d}b"] {
            assert_eq!(
                parse::<UserName>(bad),
                Err(vec![INVALID_USERNAME]),
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
        let too_long = FieldError::TooLong {
            limit: 150,
            length: 152,
        };
        assert_eq!(parse::<UserName>(&"ﬁ".repeat(76)), Err(vec![too_long]));
    }

    #[test]
    fn a_login_name_is_looked_up_as_typed_and_then_in_nfkc() {
        let names = |text| {
            let names = UserName::candidates(text).into_iter();
            names.map(|name| name.0).collect::<Vec<_>>()
        };
        assert_eq!(names("ann"), ["ann"]);
        assert_eq!(names("john smith"), ["john smith"]);
        assert_eq!(names("ｗｉｄｅ"), ["ｗｉｄｅ", "wide"]);
        assert!(names(&"a".repeat(151)).is_empty());
    }

    #[test]
    fn errors_of_a_text_come_in_the_order_of_drfs_validators() {
        let raw = RawText {
            text: "a\0\u{fffd}",
            surrogate: Some(0xd800),
        };
        let null = FieldError::said("Null characters are not allowed.");
        let surrogate = FieldError::said("Surrogate characters are not allowed: U+D800.");
        let unstorable = [null.clone(), surrogate.clone()];
        assert_eq!(
            UserName::parse(raw),
            Err([&[INVALID_USERNAME], &unstorable[..]].concat())
        );
        assert_eq!(
            EmailAddress::parse(raw),
            Err([&unstorable[..], &[INVALID_EMAIL]].concat())
        );
        assert_eq!(PersonName::parse(raw), Err(unstorable.to_vec()));
    }
}
