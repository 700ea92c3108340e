use super::*;

const TYPE: &str = "multipart/form-data; boundary=bnd";

fn form(body: &str) -> QueryDict {
    parse(TYPE, body.as_bytes(), Charset::Utf8).unwrap()
}

fn refusal(content_type: &str, body: &str) -> BodyError {
    parse(content_type, body.as_bytes(), Charset::Utf8).unwrap_err()
}

fn field(name: &str, content: &str) -> String {
    format!("--bnd\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
}

fn file(name: &str, filename: &str) -> String {
    let name = format!("{name}\"; filename=\"{filename}");
    field(&name, "content")
}

#[test]
fn fields_and_files_are_told_apart_by_the_file_name() {
    let body =
        file("a", "x.txt") + &field("a", "é") + &field("b", "1") + &file("b", "") + "--bnd--";
    let form = form(&body);
    assert_eq!(form.get_list("a"), [Value::Str("é".into()), Value::File]);
    // What a browser sends for a file input left empty is an ordinary field.
    assert_eq!(
        form.get_list("b"),
        [Value::Str("1".into()), Value::Str("content".into())]
    );
}

#[test]
fn the_final_boundary_may_be_missing() {
    let form = form(&(field("a", "1") + field("b", "2").trim_end()));
    assert_eq!(form.get_last("b"), Some(&Value::Str("2".into())));
}

#[test]
fn a_file_that_nothing_follows_is_dropped() {
    assert!(!form(&file("a", "x")).contains("a"));
    assert!(form(&(file("a", "x") + "--bnd\r\n")).contains("a"));
}

#[test]
fn a_file_without_a_usable_name_is_dropped() {
    for filename in [".", "..", "a/", "a\\\\", "\u{200b}"] {
        assert!(
            !form(&(file("a", filename) + "--bnd--")).contains("a"),
            "{filename:?}"
        );
    }
}

#[test]
fn parts_without_a_name_are_skipped() {
    let nameless = "--bnd\r\nContent-Disposition: form-data\r\n\r\nx\r\n";
    let headless = "--bnd\r\nx\r\n";
    let form = form(&(nameless.to_owned() + headless + &field("a", "1") + "--bnd--"));
    assert_eq!(form.iter().count(), 1);
}

#[test]
fn base64_is_decoded_where_it_can_be() {
    let encoded = |content: &str| {
        let body = field("a", content)
            .replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: Base64\r\n\r\n");
        form(&(body + "--bnd--"))
            .get_last("a")
            .map(Value::to_python_str)
    };
    assert_eq!(encoded("aMOp\r\n\tIQ==").as_deref(), Some("hé!"));
    assert_eq!(encoded("aMO").as_deref(), Some("aMO"));
    let broken =
        file("a", "x").replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    assert_eq!(
        refusal(TYPE, &broken),
        BodyError::Parse("Multipart form parse error - Could not decode base64 data.".into())
    );
}

#[test]
fn the_content_type_must_have_a_boundary() {
    for (content_type, message) in [
        ("multipart/form-data", "Invalid boundary in multipart: None"),
        (
            "multipart/form-data; boundary=\"a \"",
            "Invalid boundary in multipart: a ",
        ),
        (
            "multipart/form-data; boundary=\"\"",
            "Invalid boundary in multipart: ",
        ),
        (
            "Multipart/form-data; boundary=a",
            "Invalid Content-Type: Multipart/form-data; boundary=a",
        ),
        (
            "multipart/form-data; boundary=é",
            "Invalid non-ASCII Content-Type in multipart: multipart/form-data; boundary=é",
        ),
    ] {
        let expected = format!("Multipart form parse error - {message}");
        assert_eq!(refusal(content_type, "x"), BodyError::Parse(expected));
    }
}

#[test]
fn headers_are_short_and_fields_and_files_few() {
    let long = field(&"n".repeat(MAX_HEADERS), "");
    let message = "Multipart form parse error - Request max total header size exceeded.";
    assert_eq!(refusal(TYPE, &long), BodyError::Parse(message.into()));

    let fields = field("a", "").repeat(MAX_FIELDS) + "--bnd--";
    assert_eq!(form(&fields).get_list("a").len(), MAX_FIELDS);
    assert_eq!(
        refusal(TYPE, &(field("a", "") + &fields)),
        BodyError::TooManyFields
    );

    let files = file("a", "x").repeat(MAX_FILES) + "--bnd--";
    assert_eq!(form(&files).get_list("a").len(), MAX_FILES);
    assert_eq!(
        refusal(TYPE, &(file("a", "x") + &files)),
        BodyError::TooManyFiles
    );
}
