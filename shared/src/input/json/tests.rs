use super::*;

fn error(text: &str) -> String {
    match parse(text) {
        Ok(value) => panic!("{text:?} was read as {value:?}"),
        Err(error) => error,
    }
}

fn text(document: &str) -> Text {
    match parse(document) {
        Ok(Value::Str(text)) => text,
        other => panic!("{document:?} gave {other:?}"),
    }
}

#[test]
fn values_get_the_types_python_gives_them() {
    assert_eq!(parse(" null "), Ok(Value::Null));
    assert_eq!(parse("true"), Ok(Value::Bool(true)));
    assert_eq!(parse("-0"), Ok(Value::Int("0".into())));
    assert_eq!(parse("-12"), Ok(Value::Int("-12".into())));
    assert_eq!(parse("1.50"), Ok(Value::Float(1.5)));
    assert_eq!(parse("1e2"), Ok(Value::Float(100.0)));
    assert_eq!(parse("-1E+999"), Ok(Value::Float(f64::NEG_INFINITY)));
    assert_eq!(parse("[ ]"), Ok(Value::List(vec![])));
    let nested = parse("{\"a\" : [1, {\"b\":{ }} ] , \"c\":\"d\"}").unwrap();
    let Value::Dict(dict) = nested else {
        panic!("{nested:?}")
    };
    let Some(Value::List(items)) = dict.get("a") else {
        panic!("{dict:?}")
    };
    assert_eq!(items.len(), 2);
    assert_eq!(dict.get("c"), Some(&Value::Str("d".into())));
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let Ok(Value::Dict(dict)) = parse(r#"{"a":1,"\u0061":2}"#) else {
        panic!()
    };
    assert_eq!(dict.len(), 1);
    assert_eq!(dict.get("a"), Some(&Value::Int("2".into())));
}

#[test]
fn errors_are_worded_and_placed_as_cpython_does() {
    for (document, expected) in [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("   ", "Expecting value: line 1 column 4 (char 3)"),
        ("-", "Expecting value: line 1 column 1 (char 0)"),
        ("[", "Expecting value: line 1 column 2 (char 1)"),
        ("[1,]", "Expecting value: line 1 column 4 (char 3)"),
        ("{\"a\": }", "Expecting value: line 1 column 7 (char 6)"),
        ("01", "Extra data: line 1 column 2 (char 1)"),
        ("1.e5", "Extra data: line 1 column 2 (char 1)"),
        ("{} {}", "Extra data: line 1 column 4 (char 3)"),
        (
            "{\"a\" 1}",
            "Expecting ':' delimiter: line 1 column 6 (char 5)",
        ),
        (
            "{\n \"é\": 1\n 2",
            "Expecting ',' delimiter: line 3 column 2 (char 11)",
        ),
        (
            "\"é\n",
            "Invalid control character at: line 1 column 3 (char 2)",
        ),
        (
            "[\"é",
            "Unterminated string starting at: line 1 column 2 (char 1)",
        ),
        (
            "\"a\\",
            "Unterminated string starting at: line 1 column 1 (char 0)",
        ),
        ("\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"),
        (
            "\"\\u12G4\"",
            "Invalid \\uXXXX escape: line 1 column 3 (char 2)",
        ),
        (
            "\"\\u1234",
            "Invalid \\uXXXX escape: line 1 column 3 (char 2)",
        ),
        (
            "\"\\ud800\\uzzzz\"",
            "Invalid \\uXXXX escape: line 1 column 9 (char 8)",
        ),
        (
            "\u{feff}{}",
            "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)",
        ),
    ] {
        assert_eq!(error(document), expected, "{document:?}");
    }
    for document in ["{", "{'a': 1}", "{1", "{,"] {
        assert_eq!(
            error(document),
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
        );
    }
}

#[test]
fn numbers_that_json_has_not_are_refused_as_drf_refuses_them() {
    for word in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(
            error(&format!("[{word}]")),
            format!("Out of range float values are not JSON compliant: '{word}'")
        );
    }
}

#[test]
fn integers_have_at_most_4300_digits() {
    let longest = "9".repeat(4300);
    assert_eq!(
        parse(&format!("-{longest}")),
        Ok(Value::Int(format!("-{longest}")))
    );
    assert_eq!(
        error(&format!("-{longest}0")),
        "Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits; \
         use sys.set_int_max_str_digits() to increase the limit"
    );
}

#[test]
fn surrogate_pairs_join_and_lone_ones_are_remembered() {
    assert_eq!(text(r#""\ud83d\uDE00""#), Text::from("😀"));
    for (document, expected, surrogate) in [
        (r#""a\ud83d""#, "a\u{fffd}", 0xd83d),
        (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}", 0xde00),
        (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀", 0xd800),
        (r#""\ud83dx\ude00""#, "\u{fffd}x\u{fffd}", 0xd83d),
        (r#""\ud83d\n""#, "\u{fffd}\n", 0xd83d),
    ] {
        let text = text(document);
        assert_eq!(text.as_str(), expected, "{document}");
        assert_eq!(text.first_surrogate(), Some(surrogate), "{document}");
    }
    assert_eq!(text(r#""\"\\\/\b\f\n\r\t""#).first_surrogate(), None);
}

#[test]
fn deep_nesting_is_an_error_and_never_a_stack_overflow() {
    let small_stack = std::thread::Builder::new().stack_size(1024 * 1024);
    let thread = small_stack.spawn(|| {
        let deepest = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(parse(&deepest).is_ok());
        let objects = "{\"a\":".repeat(MAX_DEPTH) + "1" + &"}".repeat(MAX_DEPTH);
        assert!(parse(&objects).is_ok());
        for (opening, kind) in [("[", "array"), ("{\"a\":", "object")] {
            assert_eq!(
                error(&opening.repeat(100_000)),
                format!(
                    "maximum recursion depth exceeded while decoding a JSON {kind} \
                     from a unicode string"
                )
            );
        }
    });
    thread.unwrap().join().unwrap();
}
