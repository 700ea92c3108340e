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
    let some = ["account", "mailer"].map(str::to_owned);
    for function in template.functions().into_iter().chain(some) {
        let variables = template.variables(&function);
        let (given, mut known) = settings(&variables);
        // Only where links lead somewhere their other settings are read.
        let mut linked = variables.clone();
        for (name, value) in [
            ("EMAIL_FRONTEND_DOMAIN", "app.example.com"),
            ("ACCOUNT_PAGES", "true"),
        ] {
            linked.insert(name.to_owned(), value.to_owned());
        }
        known.extend(settings(&linked).1);
        for name in variables.keys() {
            assert!(known.contains(name), "{function} has {name}");
        }
        // These name what each deployment has of its own; and a new one signs so that others can verify,
        // which needs a key that a mere setting cannot make.
        let needed = [
            "TABLE_NAME",
            "SIGNING_KEY_SECRET_ARN",
            "METRICS_NAMESPACE",
            "ALGORITHM",
        ];
        let mut bare = variables.clone();
        bare.retain(|name, _| needed.contains(&name.as_str()));
        let (default, _) = settings(&bare);
        assert_eq!(format!("{given:?}"), format!("{default:?}"), "{function}");
    }
}

#[test]
fn each_function_gets_the_settings_that_it_uses() {
    let template = Template::read();
    let (logins, changes) = ("admin auth", "admin auth groups permissions users");
    let all = "admin auth authorizer groups permissions users";
    for (name, functions) in [
        ("LOGIN_FAILURE_LIMIT", logins),
        ("LOGIN_FAILURE_LIMIT_PER_ADDRESS", logins),
        ("LOGIN_FAILURE_WINDOW", logins),
        ("LOGIN_FAILURE_LIMIT_PER_ACCOUNT", logins),
        ("LOGIN_FAILURE_TIME", logins),
        ("THROTTLE_RATE_REGISTER", "users"),
        ("ROTATE_REFRESH_TOKENS", "auth"),
        ("BLACKLIST_AFTER_ROTATION", "auth"),
        ("REFRESH_TOKEN_GRACE", "auth"),
        ("REFRESH_TOKEN_REUSE", "auth"),
        ("SESSION_MAX_AGE", "auth"),
        ("CHECK_REVOKE_TOKEN", "users"),
        ("HIDE_USERS", "users"),
        ("USER_CREATE_PASSWORD_RETYPE", "users"),
        ("TOKEN_CLAIMS", "auth"),
        ("LEGACY_TOKENS_UNTIL", all),
        ("SESSION_IDLE_AGE", "admin"),
        ("SESSION_COOKIE_AGE", "admin"),
        ("CSRF_TRUSTED_ORIGINS", "admin"),
        ("AUDIT_RETENTION_DAYS", changes),
        ("ORIGIN_SECRET", changes),
        ("ORIGIN_SECRET_FALLBACKS", changes),
        ("DISABLE_ADMIN", "admin"),
        ("ADMIN_NETWORKS", "admin"),
        ("ALGORITHM", all),
        ("AUDIENCE", all),
        ("ISSUER", all),
        ("LEEWAY", all),
    ] {
        let mut having = Vec::from_iter(template.functions());
        having.retain(|function| template.variables(function).contains_key(name));
        assert_eq!(having.join(" "), functions, "{name}");
    }
}
