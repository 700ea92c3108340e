//! What the template's parameters set.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use shared::settings::Settings;

use super::template::Template;

/// The settings of a function with these variables, and the names of all that there are.
fn settings(variables: &BTreeMap<String, String>) -> (Settings, BTreeSet<String>) {
    let known = RefCell::new(BTreeSet::new());
    let settings = Settings::from_lookup(|name| {
        known.borrow_mut().insert(name.to_owned());
        variables.get(name).cloned()
    });
    (settings.expect("settings"), known.into_inner())
}

#[test]
fn each_variable_of_a_function_is_a_setting_and_its_default_the_same() {
    let template = Template::read();
    for function in template.functions() {
        let variables = template.variables(&function);
        let (given, known) = settings(&variables);
        for name in variables.keys() {
            assert!(known.contains(name), "{function} has {name}");
        }
        // These name what each deployment has of its own.
        let needed = ["TABLE_NAME", "SIGNING_KEY_SECRET_ARN", "METRICS_NAMESPACE"];
        let mut bare = variables.clone();
        bare.retain(|name, _| needed.contains(&name.as_str()));
        let (default, _) = settings(&bare);
        assert_eq!(format!("{given:?}"), format!("{default:?}"), "{function}");
    }
}

#[test]
fn each_function_gets_the_settings_that_it_uses() {
    let template = Template::read();
    let logins = [
        "LOGIN_FAILURE_LIMIT",
        "LOGIN_FAILURE_LIMIT_PER_ADDRESS",
        "LOGIN_FAILURE_WINDOW",
    ];
    let sessions = [
        "SESSION_IDLE_AGE",
        "SESSION_COOKIE_AGE",
        "CSRF_TRUSTED_ORIGINS",
    ];
    for (names, functions) in [
        (&logins[..], &["admin", "auth"][..]),
        (&sessions, &["admin"]),
        (
            &["AUDIT_RETENTION_DAYS"],
            &["admin", "groups", "permissions", "users"],
        ),
    ] {
        for name in names {
            let mut having = template.functions();
            having.retain(|function| template.variables(function).contains_key(*name));
            let having: Vec<&str> = having.iter().map(String::as_str).collect();
            assert_eq!(having, functions, "{name}");
        }
    }
}
