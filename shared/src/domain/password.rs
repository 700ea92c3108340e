//! The rules for new passwords: the four validators of a new Django project's
//! `AUTH_PASSWORD_VALIDATORS`, with Django's texts.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::python::{is_word, strip};

/// Django's list of common passwords, created by Royce Williams
/// (<https://gist.github.com/roycewilliams/226886fd01572964e1431ac8afc999ce>), here in bytewise
/// order so that it can be searched where it lies in the binary.
const COMMON_PASSWORDS: &str = include_str!("common-passwords.txt");

const MIN_LENGTH: usize = 8;
const MAX_SIMILARITY: f64 = 0.7;

/// The `DEFAULT_USER_ATTRIBUTES` of Django's `UserAttributeSimilarityValidator`. An empty one is
/// not compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct PersonalAttributes<'a> {
    /// The username.
    pub username: &'a str,
    /// The first name.
    pub first_name: &'a str,
    /// The last name.
    pub last_name: &'a str,
    /// The email address.
    pub email: &'a str,
}

/// Everything that is wrong with a new password, in Django's words and in the order similar,
/// short, common, numeric. Empty if the password may be used.
pub fn validate(password: &str, user: &PersonalAttributes<'_>) -> Vec<&'static str> {
    let lowered = password.to_lowercase();
    let short = password.chars().count() < MIN_LENGTH;
    let errors = [
        too_similar(&lowered, user),
        short.then_some("This password is too short. It must contain at least 8 characters."),
        is_common(strip(&lowered)).then_some("This password is too common."),
        is_numeric(password).then_some("This password is entirely numeric."),
    ];
    errors.into_iter().flatten().collect()
}

/// Compares the password with each attribute, whole and in words, and names the first that is
/// too much like it.
fn too_similar(lowered: &str, user: &PersonalAttributes<'_>) -> Option<&'static str> {
    let password = Letters::of(lowered);
    let resembles = |value: &str| {
        let value = value.to_lowercase();
        let mut parts = words(&value).chain([value.as_str()]);
        !value.is_empty() && parts.any(|part| password.resembles(&Letters::of(part)))
    };
    // Exhaustive, so that a new attribute is not forgotten here.
    let PersonalAttributes {
        username,
        first_name,
        last_name,
        email,
    } = *user;
    if resembles(username) {
        Some("The password is too similar to the username.")
    } else if resembles(first_name) {
        Some("The password is too similar to the first name.")
    } else if resembles(last_name) {
        Some("The password is too similar to the last name.")
    } else if resembles(email) {
        Some("The password is too similar to the email address.")
    } else {
        None
    }
}

/// The code points of a text without their order: all that `SequenceMatcher.quick_ratio` of
/// Python's difflib looks at.
struct Letters(Vec<char>);

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        Self(letters)
    }

    fn resembles(&self, value: &Self) -> bool {
        !self.is_far_longer_than(value) && self.quick_ratio(value) >= MAX_SIMILARITY
    }

    /// Django's `exceeds_maximum_length_ratio`.
    fn is_far_longer_than(&self, value: &Self) -> bool {
        let bound = MAX_SIMILARITY / 2.0 * self.0.len() as f64;
        self.0.len() >= 10 * value.0.len() && (value.0.len() as f64) < bound
    }

    fn quick_ratio(&self, other: &Self) -> f64 {
        let total = self.0.len() + other.0.len();
        if total == 0 {
            return 1.0;
        }
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut common = 0;
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(ours.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    common += 1;
                    ours.next();
                    theirs.next();
                }
            }
        }
        2.0 * f64::from(common) / total as f64
    }
}

/// Python's `re.split(r"\W+", text)`, which gives an empty first or last word where the text
/// begins or ends with something else than a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.find(|c| !is_word(c));
        rest = end.map(|end| text[end..].trim_start_matches(|c| !is_word(c)));
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// Looks a line up by binary search: any offset is taken back to the start of its line.
fn is_common(password: &str) -> bool {
    let list = COMMON_PASSWORDS.as_bytes();
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let newline = |byte: &u8| *byte == b'\n';
        let start = list[low..middle]
            .iter()
            .rposition(newline)
            .map_or(low, |i| low + i + 1);
        let end = list[middle..high]
            .iter()
            .position(newline)
            .map_or(high, |i| middle + i);
        match list[start..end].cmp(password.as_bytes()) {
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

fn is_numeric(password: &str) -> bool {
    !password.is_empty() && password.chars().all(is_digit)
}

/// Python's `str.isdigit`: the decimal digits of every script, and the characters of Unicode's
/// `Numeric_Type=Digit`, a set that has been closed since Unicode 6.3.
fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(c,
            '²' | '³' | '¹'
            | '\u{1369}'..='\u{1371}'
            | '\u{19da}'
            | '⁰' | '⁴'..='⁹' | '₀'..='₉'
            | '①'..='⑨' | '⑴'..='⑼' | '⒈'..='⒐' | '⓪' | '⓵'..='⓽' | '⓿'
            | '❶'..='❾' | '➀'..='➈' | '➊'..='➒'
            | '\u{10a40}'..='\u{10a43}'
            | '\u{10e60}'..='\u{10e68}'
            | '\u{11052}'..='\u{1105a}'
            | '\u{1f100}'..='\u{1f10a}')
        || c.general_category() == GeneralCategory::DecimalNumber
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: PersonalAttributes<'static> = PersonalAttributes {
        username: "",
        first_name: "",
        last_name: "",
        email: "",
    };
    const SHORT: &str = "This password is too short. It must contain at least 8 characters.";
    const COMMON: &str = "This password is too common.";
    const NUMERIC: &str = "This password is entirely numeric.";

    #[test]
    fn a_good_password_has_no_errors() {
        let ann = PersonalAttributes {
            username: "ann",
            email: "ann@example.org",
            ..NOBODY
        };
        assert!(validate("correct horse battery", &ann).is_empty());
    }

    #[test]
    fn all_errors_come_together_in_djangos_order() {
        let user = PersonalAttributes {
            username: "12345",
            ..NOBODY
        };
        let similar = "The password is too similar to the username.";
        assert_eq!(validate("12345", &user), [similar, SHORT, COMMON, NUMERIC]);
    }

    #[test]
    fn only_the_first_similar_attribute_is_named() {
        let mut user = PersonalAttributes {
            username: "zebra.crossing",
            first_name: "Zebra",
            last_name: "Crossing",
            email: "zebra@crossing.example",
        };
        let named = |user: &PersonalAttributes<'_>| validate("crossing1", user)[0];
        assert!(named(&user).ends_with("the username."));
        user.username = "";
        assert!(named(&user).ends_with("the last name."));
        user.last_name = "";
        assert!(named(&user).ends_with("the email address."));
        user.first_name = "CROSSING";
        assert!(named(&user).ends_with("the first name."));
    }

    #[test]
    fn seven_tenths_in_common_are_too_many() {
        let user = PersonalAttributes {
            username: "abcdefghij",
            ..NOBODY
        };
        assert_eq!(validate("gfedcba#!?", &user).len(), 1);
        assert!(validate("fedcba#!?$", &user).is_empty());
    }

    #[test]
    fn a_password_far_longer_than_the_attribute_is_not_compared() {
        let user = PersonalAttributes {
            username: "a",
            ..NOBODY
        };
        assert!(validate(&"a".repeat(100_000), &user).is_empty());
    }

    #[test]
    fn attributes_are_split_as_pythons_regular_expressions_split() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(split("a--b_c.d"), ["a", "b_c", "d"]);
        assert_eq!(split(".a."), ["", "a", ""]);
        assert_eq!(split(""), [""]);
        // A vowel sign and a circled letter are no word characters in Python.
        assert_eq!(split("क\u{93e}म xⓐy"), ["क", "म", "x", "y"]);
    }

    #[test]
    fn length_counts_code_points() {
        assert_eq!(validate("pässwör", &NOBODY), [SHORT]);
        assert!(validate("pässwöre", &NOBODY).is_empty());
    }

    #[test]
    fn digits_of_any_script_are_numeric() {
        for digits in ["٠١٢٣٤٥٦٧٨٩", "²²²²²²²²", "①②③④⑤⑥⑦⑧⑨", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟"]
        {
            assert_eq!(validate(digits, &NOBODY), [NUMERIC]);
        }
        assert!(validate("½½½½½½½½", &NOBODY).is_empty());
        assert_eq!(validate("", &NOBODY), [SHORT]);
    }

    #[test]
    fn a_common_password_is_found_in_any_case_and_between_spaces() {
        for password in ["password1", "PassWord1", "\u{a0}\x1c password1\u{3000}\n"] {
            assert_eq!(validate(password, &NOBODY), [COMMON]);
        }
        assert!(!is_common("password1\n"));
        assert!(!is_common("password1\nx"));
        assert!(!is_common("passwor\u{1}"));
        assert!(!is_common(""));
        assert!(!is_common("\u{10ffff}"));
    }

    #[test]
    fn the_list_is_sorted_and_every_line_of_it_is_found() {
        let lines: Vec<_> = COMMON_PASSWORDS.lines().collect();
        assert_eq!(lines.len(), 19_640, "the entries of Django 5.2's list");
        assert!(lines.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        assert!(lines.iter().all(|line| is_common(line)));
        assert!(lines.iter().all(|line| strip(line) == *line));
    }
}
