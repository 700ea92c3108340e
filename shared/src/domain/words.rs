//! The words of a search in the admin pages, as Django's `ModelAdmin.get_search_results` reads and
//! finds them.

use unicode_normalization::UnicodeNormalization;

use super::names::lower;
use crate::python;

/// The words of a search, each as [`searchable`] makes it. An object is found if each of them is
/// contained in one of its fields, without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// A text as it is searched for: NFKC, lower case.
pub fn searchable(text: &str) -> String {
    lower(&text.nfkc().collect::<String>())
}

impl Words {
    /// Splits a text at white space, but not inside quotes: Django's `smart_split`. A word in quotes
    /// stands without them, and then `\"` is a quote and `\\` a backslash.
    pub fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (mut words, mut at) = (Vec::new(), 0);
        while at < chars.len() {
            if python::is_space(chars[at]) {
                at += 1;
                continue;
            }
            let end = end_with_quotes(&chars, at).unwrap_or_else(|| end_of_word(&chars, at));
            let word = searchable(&unquoted(&chars[at..end]));
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
            at = end;
        }
        Self(words)
    }

    /// Whether there are none, so that everything is found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The longest, which leaves the fewest to look at where an index is sorted by what texts begin
    /// with; empty if there are none.
    pub fn longest(&self) -> &str {
        let longest = self.0.iter().rev().max_by_key(|word| word.len());
        longest.map_or("", String::as_str)
    }

    /// Whether each word is contained in one of the texts.
    pub fn are_in(&self, texts: &[&str]) -> bool {
        let forms: Vec<String> = texts.iter().flat_map(|text| forms(text)).collect();
        let is_in = |word: &String| forms.iter().any(|form| form.contains(word.as_str()));
        self.0.iter().all(is_in)
    }
}

/// A text in lower case and, as it may have been stored in another form, in NFKC too.
fn forms(text: &str) -> impl Iterator<Item = String> {
    let normalised = (!text.is_ascii()).then(|| searchable(text));
    std::iter::once(lower(text)).chain(normalised)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// The end of a word that holds at least one text in quotes; none if that is not closed.
fn end_with_quotes(chars: &[char], start: usize) -> Option<usize> {
    let (mut at, mut end) = (start, None);
    loop {
        let plain = |c: &&char| !python::is_space(**c) && !is_quote(**c);
        at += chars[at..].iter().take_while(plain).count();
        if end.is_some() {
            end = Some(at);
        }
        match chars.get(at).filter(|c| is_quote(**c)) {
            Some(_) => match end_of_quote(chars, at) {
                Some(after) => (at, end) = (after, Some(after)),
                None => return end,
            },
            None => return end,
        }
    }
}

/// The place after the quote that closes the one at `start`.
fn end_of_quote(chars: &[char], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match chars.get(at)? {
            // A backslash hides any character but a line's end.
            '\\' if chars.get(at + 1).is_some_and(|c| *c != '\n') => at += 2,
            '\\' => return None,
            c if *c == chars[start] => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn end_of_word(chars: &[char], start: usize) -> usize {
    let word = chars[start..].iter();
    start + word.take_while(|c| !python::is_space(**c)).count()
}

/// Django's `unescape_string_literal` of a word that begins and ends with the same quote.
fn unquoted(word: &[char]) -> String {
    let text: String = word.iter().collect();
    match (word.first(), word.last()) {
        (Some(quote), Some(last)) if is_quote(*quote) && quote == last => {
            let inner = word.get(1..word.len() - 1).unwrap_or_default();
            let inner: String = inner.iter().collect();
            let unescaped = inner.replace(&format!("\\{quote}"), &quote.to_string());
            unescaped.replace("\\\\", "\\")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Words::of(text).0
    }

    #[test]
    fn a_search_is_split_as_djangos_smart_split_does() {
        for (text, expected) in [
            ("", &[][..]),
            (" \t\u{a0} ", &[]),
            ("ann", &["ann"]),
            (" Ann   SMITH ", &["ann", "smith"]),
            (r#""ann smith" bob"#, &["ann smith", "bob"]),
            ("'ann smith'", &["ann smith"]),
            (r#"say "hello you" now"#, &["say", "hello you", "now"]),
            (r#"a"b c"d e"#, &[r#"a"b c"d"#, "e"]),
            (r#""a"'b c'd"#, &[r#""a"'b c'd"#]),
            (r#""say \"hi\"""#, &[r#"say "hi""#]),
            (r#""a\\b""#, &[r"a\b"]),
            (r#""ann smith"#, &["\"ann", "smith"]),
            (r#""a"'b c"#, &["a", "'b", "c"]),
            ("o'neil", &["o'neil"]),
            ("o'neil d'arc", &["o'neil d'arc"]),
            (r#""" x"#, &["x"]),
            ("\"", &[]),
            ("ann ANN", &["ann"]),
            ("ﬁona", &["fiona"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn each_word_is_in_one_of_the_texts() {
        let found = |text, texts: &[&str]| Words::of(text).are_in(texts);
        assert!(found("", &[]));
        assert!(found("NN mit", &["ann", "Smith"]));
        assert!(!found("ann smithson", &["ann", "Smith"]));
        // A word is never in two texts together.
        assert!(!found("annsmith", &["ann", "Smith"]));
        assert!(found("ΟΔΟΣ", &["οδος"]));
        assert!(found("fi ﬁ", &["ﬁona"]));
    }

    #[test]
    fn the_longest_word_is_the_first_of_equals() {
        assert_eq!(Words::of("ann smith jones").longest(), "smith");
        assert_eq!(Words::of("").longest(), "");
    }
}
