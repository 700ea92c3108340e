//! What differs between a recorded answer and the one that came, both normalised.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Every difference, as a line of text.
pub fn differences(expected: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    // Of a mail, its link and the addresses that it reaches, and of what was waited for, that it came.
    for member in ["mail", "no_mail", "slept"] {
        if let Some(wanted) = expected.get(member) {
            values(wanted, &got[member], member, &mut found);
            return found;
        }
    }
    if expected["status"] != got["status"] {
        found.push(difference("status", &expected["status"], &got["status"]));
    }
    if !is_a_page_of_its_own(expected) {
        let media = &expected["content_type"];
        if !media.is_null() && *media != got["content_type"] {
            found.push(difference("content-type", media, &got["content_type"]));
        }
        values(&expected["body"], &got["body"], "body", &mut found);
    }
    for (member, header) in [
        ("www_authenticate", "www-authenticate"),
        ("location", "location"),
    ] {
        if let Some(wanted) = expected.get(member).filter(|&v| *v != got[member]) {
            found.push(difference(header, wanted, &got[member]));
        }
    }
    if let Some(wanted) = expected.get("allow")
        && methods(wanted) != methods(&got["allow"])
    {
        found.push(difference("allow", wanted, &got["allow"]));
    }
    found
}

/// Where the framework answered in place of the API, with a page or a redirect, the text is not the service's.
fn is_a_page_of_its_own(expected: &Value) -> bool {
    let status = expected["status"].as_u64().unwrap_or_default();
    expected["content_type"] == "text/html" || (300..400).contains(&status)
}

/// The methods in an `Allow` header, whose order says nothing.
fn methods(allow: &Value) -> BTreeSet<String> {
    let allow = allow.as_str().unwrap_or_default();
    allow
        .split(',')
        .map(|method| method.trim().to_uppercase())
        .collect()
}

fn values(expected: &Value, got: &Value, place: &str, found: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => objects(expected, got, place, found),
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (i, (expected, got)) in expected.iter().zip(got).enumerate() {
                values(expected, got, &format!("{place}[{i}]"), found);
            }
        }
        _ if expected != got => found.push(difference(place, expected, got)),
        _ => {}
    }
}

fn objects(
    expected: &Map<String, Value>,
    got: &Map<String, Value>,
    place: &str,
    found: &mut Vec<String>,
) {
    for (key, wanted) in expected {
        let place = format!("{place}.{key}");
        match got.get(key) {
            None => found.push(format!("{place}: expected {wanted}, got nothing")),
            Some(got) if key == "$lifetime" => {
                if !is_the_same_lifetime(wanted, got) {
                    found.push(difference(&place, wanted, got));
                }
            }
            Some(got) => values(wanted, got, &place, found),
        }
    }
    for (key, extra) in got.iter().filter(|(key, _)| !expected.contains_key(*key)) {
        found.push(format!("{place}.{key}: expected nothing, got {extra}"));
    }
}

/// The clock may tick between the two times a token's lifetime is the difference of.
fn is_the_same_lifetime(expected: &Value, got: &Value) -> bool {
    match (expected.as_i64(), got.as_i64()) {
        (Some(expected), Some(got)) => expected.abs_diff(got) <= 1,
        _ => expected == got,
    }
}

fn difference(place: &str, expected: &Value, got: &Value) -> String {
    format!("{place}: expected {expected}, got {got}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded() -> Value {
        json!({
            "status": 200,
            "content_type": "application/json",
            "body": {
                "id": "<user:ann>",
                "name": "Ann",
                "age": 1,
                "groups": [{"id": "<group#1>"}, {"id": "<group#2>"}],
                "token": {"$jwt": {"exp": "integer"}, "$lifetime": 300},
            },
        })
    }

    /// The differences that a change to the recorded answer makes.
    fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut got = recorded();
        change(&mut got);
        differences(&recorded(), &got)
    }

    #[test]
    fn the_same_answer_does_not_differ() {
        assert_eq!(after(|_| {}), [""; 0]);
    }

    #[test]
    fn a_wrong_status_differs() {
        assert_eq!(
            after(|got| got["status"] = 201.into()),
            ["status: expected 200, got 201"]
        );
    }

    #[test]
    fn a_wrong_text_differs_even_by_case_or_space() {
        for text in ["Bob", "ann", "Ann ", ""] {
            assert_eq!(
                after(|got| got["body"]["name"] = text.into()),
                [format!(r#"body.name: expected "Ann", got "{text}""#)]
            );
        }
    }

    #[test]
    fn a_wrong_type_differs() {
        for (value, text) in [
            (json!("1"), r#""1""#),
            (json!(1.0), "1.0"),
            (json!(true), "true"),
            (json!(null), "null"),
        ] {
            assert_eq!(
                after(|got| got["body"]["age"] = value),
                [format!("body.age: expected 1, got {text}")]
            );
        }
    }

    #[test]
    fn a_missing_key_differs() {
        let differences = after(|got| {
            let body = got["body"].as_object_mut().expect("the body is an object");
            body.remove("name");
        });
        assert_eq!(differences, [r#"body.name: expected "Ann", got nothing"#]);
    }

    #[test]
    fn an_extra_key_differs() {
        assert_eq!(
            after(|got| got["body"]["last_login"] = Value::Null),
            ["body.last_login: expected nothing, got null"]
        );
    }

    #[test]
    fn a_changed_id_differs() {
        assert_eq!(
            after(|got| got["body"]["id"] = "<user#1>".into()),
            [r#"body.id: expected "<user:ann>", got "<user#1>""#]
        );
        // What is no integer gets no symbol.
        assert_eq!(
            after(|got| got["body"]["groups"][1]["id"] = "12".into()),
            [r#"body.groups[1].id: expected "<group#2>", got "12""#]
        );
    }

    #[test]
    fn an_array_differs_by_order_and_by_length() {
        let swapped = after(|got| {
            let groups = got["body"]["groups"].as_array_mut();
            groups.expect("the groups are an array").reverse();
        });
        assert_eq!(swapped.len(), 2);
        let shorter = after(|got| {
            let groups = got["body"]["groups"].as_array_mut();
            groups.expect("the groups are an array").pop();
        });
        assert_eq!(shorter.len(), 1);
        assert!(shorter[0].starts_with("body.groups: "), "{shorter:?}");
    }

    #[test]
    fn a_lifetime_may_differ_by_a_second_and_no_more() {
        let lifetime = |value: Value| after(|got| got["body"]["token"]["$lifetime"] = value);
        assert_eq!(lifetime(json!(301)), [""; 0]);
        assert_eq!(lifetime(json!(299)), [""; 0]);
        assert_eq!(lifetime(json!(302)).len(), 1);
        assert_eq!(lifetime(json!(null)).len(), 1);
    }

    #[test]
    fn another_media_type_differs() {
        assert_eq!(
            after(|got| got["content_type"] = "text/html".into()),
            [r#"content-type: expected "application/json", got "text/html""#]
        );
    }

    #[test]
    fn a_body_where_there_was_none_differs() {
        let nothing = json!({"status": 204, "content_type": null, "body": {"$empty": true}});
        let something = json!({"status": 204, "content_type": "application/json", "body": {}});
        assert_eq!(differences(&nothing, &nothing), [""; 0]);
        assert_eq!(differences(&nothing, &something).len(), 1);
        assert_eq!(
            differences(
                &nothing,
                &json!({"status": 204, "content_type": "text/plain", "body": {"$not_json": "text/plain"}})
            )
            .len(),
            2
        );
    }

    #[test]
    fn allow_is_a_set_of_methods() {
        let allowing =
            |allow: Value| json!({"status": 405, "content_type": null, "body": {}, "allow": allow});
        let recorded = allowing(json!("GET, PUT, HEAD"));
        let same = allowing(json!("head,GET, PUT"));
        assert_eq!(differences(&recorded, &same), [""; 0]);
        for wrong in [
            json!("GET, PUT"),
            json!("GET, PUT, HEAD, POST"),
            json!(null),
        ] {
            let got = differences(&recorded, &allowing(wrong));
            assert_eq!(got.len(), 1);
            assert!(got[0].starts_with("allow: "), "{got:?}");
        }
    }

    #[test]
    fn a_challenge_is_compared_exactly() {
        let challenge = |text: Value| json!({"status": 401, "content_type": null, "body": {}, "www_authenticate": text});
        let recorded = challenge(json!("Bearer realm=\"api\""));
        assert_eq!(differences(&recorded, &recorded), [""; 0]);
        for wrong in [json!("Bearer"), json!("bearer realm=\"api\""), json!(null)] {
            assert_eq!(differences(&recorded, &challenge(wrong)).len(), 1);
        }
    }

    #[test]
    fn of_the_frameworks_own_page_only_the_status_and_the_place_are_compared() {
        let page =
            json!({"status": 404, "content_type": "text/html", "body": {"$not_json": "text/html"}});
        let json =
            json!({"status": 404, "content_type": "application/json", "body": {"detail": "No."}});
        assert_eq!(differences(&page, &json), [""; 0]);
        let found = json!({"status": 200, "content_type": "application/json", "body": {}});
        assert_eq!(differences(&page, &found).len(), 1);

        let redirect = |place: &str| json!({"status": 301, "content_type": "text/html", "location": place, "body": {}});
        assert_eq!(differences(&redirect("/a/"), &redirect("/a/")), [""; 0]);
        assert_eq!(differences(&redirect("/a/"), &redirect("/b/")).len(), 1);
    }
}
