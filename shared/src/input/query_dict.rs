//! Django's `QueryDict`: the fields of `application/x-www-form-urlencoded` and
//! `multipart/form-data` bodies.

mod multipart;

use std::fmt;

use indexmap::IndexMap;

use super::body::BodyError;
use super::body::charset::{Charset, latin1};
use super::body::header::percent_decoded;
use super::value::Value;

pub(super) use multipart::parse as parse_multipart;

/// Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
pub const MAX_FIELDS: usize = 1000;

/// The fields of a form: each name with one or more values, in order.
///
/// A value is a [`Value::Str`] or a [`Value::File`].
#[derive(Clone, Default, PartialEq)]
pub struct QueryDict(IndexMap<String, Vec<Value>>);

impl QueryDict {
    /// The last value of a name: what `QueryDict.get()` gives.
    pub fn get_last(&self, name: &str) -> Option<&Value> {
        self.get_list(name).last()
    }

    /// All values of a name, none if it was not sent.
    pub fn get_list(&self, name: &str) -> &[Value] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a name was sent.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names and their values, in the order of the names' first use.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.0
            .iter()
            .map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Adds a value to those of a name.
    pub fn append(&mut self, name: impl Into<String>, value: Value) {
        self.0.entry(name.into()).or_default().push(value);
    }
}

impl fmt::Debug for QueryDict {
    /// The number of names only, as they hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueryDict({} names)", self.0.len())
    }
}

/// Reads a URL-encoded form, as `QueryDict(body, encoding=charset)` does.
pub(super) fn parse_urlencoded(body: &[u8], charset: Charset) -> Result<QueryDict, BodyError> {
    // One undecodable byte makes Django take the whole body for ISO 8859-1.
    let body = charset.decode(body).unwrap_or_else(|| latin1(body));
    let fields = body.split('&');
    if fields.clone().count() > MAX_FIELDS {
        return Err(BodyError::TooManyFields);
    }
    let mut form = QueryDict::default();
    for field in fields.filter(|field| !field.is_empty()) {
        let field = field.replace('+', " ");
        let (name, value) = field.split_once('=').unwrap_or((&field, ""));
        let value = percent_decoded(value, charset);
        form.append(percent_decoded(name, charset), Value::Str(value.into()));
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(body: &[u8], charset: Charset) -> Vec<(String, Vec<String>)> {
        let form = parse_urlencoded(body, charset).unwrap();
        let texts = |values: &[Value]| values.iter().map(Value::to_python_str).collect();
        form.iter()
            .map(|(name, values)| (name.to_owned(), texts(values)))
            .collect()
    }

    fn fields(body: &[u8]) -> Vec<(String, Vec<String>)> {
        pairs(body, Charset::Utf8)
    }

    fn field(name: &str, values: &[&str]) -> (String, Vec<String>) {
        (
            name.to_owned(),
            values.iter().map(|&value| value.to_owned()).collect(),
        )
    }

    #[test]
    fn fields_keep_their_order_and_all_their_values() {
        let expected = vec![
            field("b", &["1", "2"]),
            field("a", &["x y&=%"]),
            field("", &["z"]),
        ];
        assert_eq!(fields(b"b=1&a=x+y%26%3D%&b=2&&=z"), expected);
    }

    #[test]
    fn blank_values_and_fields_without_an_equals_sign_are_kept() {
        assert_eq!(
            fields(b"a=&b&c=d=e"),
            [field("a", &[""]), field("b", &[""]), field("c", &["d=e"]),]
        );
        assert_eq!(fields(b""), []);
    }

    #[test]
    fn undecodable_percent_encodings_are_replaced() {
        assert_eq!(
            fields(b"a=%C3%A9%FF%e2%82"),
            [field("a", &["é\u{fffd}\u{fffd}"])]
        );
    }

    #[test]
    fn a_body_that_is_not_utf_8_is_taken_for_latin_1() {
        let body = b"a=\xc3\xa9&b=\xff%C3%A9";
        assert_eq!(fields(body), [field("a", &["Ã©"]), field("b", &["ÿé"])]);
    }

    #[test]
    fn the_charset_decides_what_percent_encodings_mean() {
        assert_eq!(pairs(b"a=%e9\xe9", Charset::Latin1), [field("a", &["éé"])]);
        assert_eq!(
            pairs(b"a=%e9\xe9", Charset::Ascii),
            [field("a", &["\u{fffd}é"])]
        );
    }

    #[test]
    fn a_form_has_at_most_a_thousand_fields() {
        let separators = "&".repeat(MAX_FIELDS - 1);
        assert!(parse_urlencoded(separators.as_bytes(), Charset::Utf8).is_ok());
        let one_more = separators + "&";
        let refused = parse_urlencoded(one_more.as_bytes(), Charset::Utf8);
        assert_eq!(refused, Err(BodyError::TooManyFields));
    }

    #[test]
    fn the_last_value_counts_and_debug_shows_none() {
        let form = parse_urlencoded(b"a=1&a=hunter2", Charset::Utf8).unwrap();
        assert_eq!(form.get_last("a"), Some(&Value::Str("hunter2".into())));
        assert_eq!(form.get_list("a").len(), 2);
        assert!(form.contains("a") && !form.contains("b"));
        assert!(form.get_list("b").is_empty());
        assert_eq!(format!("{form:?}"), "QueryDict(1 names)");
    }
}
