//! Bodies of requests, and the texts of the models in them.

use serde_json::Value as Json;
use shared::{
    domain::{
        Codename, ContentType, EmailAddress, GroupName, PersonName, UserName, Words,
        names::{AnyText, TextField},
    },
    input::{
        Absent, Data, Fields, Presence,
        body::parse,
        json::MAX_DEPTH,
        query_dict::{MAX_FIELDS, QueryDict},
        value::Value,
    },
};

/// A body of any type: the first line is the `Content-Type`.
pub fn bodies(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n');
    let (header, body) = data.split_at(at.unwrap_or(0));
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    if let Ok(data) = parse(Some(header), body) {
        read(data);
    }
}

/// A body of JSON: what serde_json takes is taken, and means the same.
pub fn json(data: &[u8]) {
    let read_here = parse(Some(b"application/json"), data);
    if let Ok(expected) = serde_json::from_slice::<Json>(data) {
        let Ok(Data::Json(found)) = &read_here else {
            panic!("{expected} is refused: {read_here:?}");
        };
        assert_same(found, &expected);
    }
    if let Ok(data) = read_here {
        read(data);
    }
}

/// A URL-encoded form: as the WHATWG's URL standard reads it.
pub fn forms(data: &[u8]) {
    let read_here = parse(Some(b"application/x-www-form-urlencoded"), data);
    let Ok(Data::Form(form)) = read_here else {
        let fields = data.split(|byte| *byte == b'&').count();
        assert!(fields > MAX_FIELDS, "{read_here:?}");
        return;
    };
    if str::from_utf8(data).is_ok() {
        let mut expected = QueryDict::default();
        for (name, value) in form_urlencoded::parse(data) {
            expected.append(name, Value::Str((*value).into()));
        }
        assert!(form == expected, "{:?}", pairs(&form));
    }
    read(Data::Form(form));
}

/// A form in parts. Of the second kind, lines of names and values, it is written here first.
pub fn multipart(data: &[u8]) {
    const TYPE: &[u8] = b"multipart/form-data; boundary=x";
    /// The headers of a part end within 1,024 bytes.
    const LONGEST_NAME: usize = 900;
    let Some(fields) = data.strip_prefix(b"=") else {
        if let Ok(data) = parse(Some(TYPE), data) {
            read(data);
        }
        return;
    };
    let Ok(fields) = str::from_utf8(fields) else {
        return;
    };
    let (mut written, mut expected) = (String::new(), QueryDict::default());
    for field in fields.split('\n').take(MAX_FIELDS) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        // What is no part of a name as a browser writes it, or might be a boundary.
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | ']');
        let is_name = (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_plain);
        if !is_name || value.contains("--x") {
            continue;
        }
        written += "--x\r\nContent-Disposition: form-data; name=\"";
        written += &format!("{name}\"\r\n\r\n{value}\r\n");
        expected.append(name, Value::Str(value.into()));
    }
    written += "--x--\r\n";
    let Ok(Data::Form(form)) = parse(Some(TYPE), written.as_bytes()) else {
        panic!("{written:?} is refused");
    };
    assert!(
        form == expected,
        "{written:?} is read as {:?}",
        pairs(&form)
    );
    read(Data::Form(form));
}

/// Names of every kind: one that is taken is taken again as it was read, and can be a key of the table.
pub fn names(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    fn again<T: TextField + PartialEq>(text: &str, shown: impl Fn(&T) -> String) -> Option<T> {
        let once = T::parse(text.into()).ok()?;
        let twice = T::parse(shown(&once).as_str().into());
        assert!(twice.is_ok_and(|twice| twice == once), "{text:?}");
        Some(once)
    }
    /// What DynamoDB takes as a sort key, in bytes, without an id and a mark before it.
    const LONGEST: usize = 1000;
    if let Some(name) = again::<UserName>(text, |name| name.as_str().to_owned()) {
        assert!(name.lower().len() <= LONGEST);
        assert!(UserName::candidates(text).contains(&name));
    }
    if let Some(email) = again::<EmailAddress>(text, |email| email.as_str().to_owned()) {
        assert!(email.lower().len() <= LONGEST);
        assert_eq!(email.with_lower_domain().lower(), email.lower());
    }
    again::<PersonName>(text, |name| name.as_str().to_owned());
    again::<GroupName>(text, |name| name.as_str().to_owned());
    again::<Codename>(text, |name| name.as_str().to_owned());
    if let Some(content_type) = ContentType::parse(text) {
        let again = ContentType::parse(&content_type.to_string());
        assert!(again.is_some_and(|again| again == content_type), "{text:?}");
    }
    // What is searched for by its own words is found, but for quotes, which are no part of a word.
    let is_plain = !text.contains(['"', '\'', '\\']);
    let is_found = Words::of(text).are_in(&[text]);
    assert!(is_found || !is_plain, "{text:?}");
}

/// Reads a body as forms do.
fn read(data: Data) {
    for absent in [Absent::Missing, Absent::Unchanged] {
        let data = match &data {
            Data::Json(value) => Data::Json(value.clone()),
            Data::Form(form) => Data::Form(form.clone()),
        };
        let Ok(mut fields) = Fields::new(data, absent) else {
            return;
        };
        let username = fields.text::<UserName>("username", Presence::Required);
        assert!(username.is_none_or(|name| !name.as_str().is_empty()));
        fields.text::<EmailAddress>("email", Presence::Optional);
        fields.text::<PersonName>("first_name", Presence::Optional);
        fields.untrimmed::<AnyText>("password", Presence::Required);
        fields.flag("is_active");
        fields.pk("group_id");
        fields.pk_list("group_ids", Presence::Required);
        fields.is_blank("username");
        fields.text_or_nothing("codename");
        // Each error is one of a field, and can be shown.
        let errors = serde_json::to_value(fields.into_errors()).unwrap();
        assert!(errors.is_object());
    }
}

/// Whether a value is what serde_json reads.
fn assert_same(found: &Value, expected: &Json) {
    match (found, expected) {
        (Value::Null, Json::Null) => {}
        (Value::Bool(found), Json::Bool(expected)) => assert_eq!(found, expected),
        (Value::Int(digits), Json::Number(_)) => {
            assert!(digits.parse::<f64>().is_ok(), "{digits}");
            assert_same_number(digits.parse().unwrap(), expected);
        }
        (Value::Float(number), Json::Number(_)) => assert_same_number(*number, expected),
        (Value::Str(text), Json::String(expected)) => {
            assert_eq!(text.as_str(), expected);
            assert_eq!(text.first_surrogate(), None);
        }
        (Value::List(found), Json::Array(expected)) => {
            assert_eq!(found.len(), expected.len());
            let pairs = found.iter().zip(expected);
            pairs.for_each(|(found, expected)| assert_same(found, expected));
        }
        (Value::Dict(found), Json::Object(expected)) => {
            assert_eq!(found.len(), expected.len());
            for (name, found) in found.iter() {
                assert_same(found, &expected[name]);
            }
        }
        (found, expected) => panic!("{expected} is read as {found:?}"),
    }
}

/// serde_json reads a number to within a few units of its last place.
fn assert_same_number(found: f64, expected: &Json) {
    let expected = expected.as_f64().unwrap();
    let difference = (found - expected).abs();
    assert!(
        difference <= expected.abs() * 1e-12,
        "{expected} as {found}"
    );
}

fn pairs(form: &QueryDict) -> Vec<(&str, Vec<String>)> {
    let texts = |values: &[Value]| values.iter().map(Value::to_python_str).collect();
    form.iter()
        .map(|(name, values)| (name, texts(values)))
        .collect()
}

// serde_json nests less deeply, so that what it reads is not too deep here.
const _: () = assert!(MAX_DEPTH > 128);
