//! Settings that are wrong name themselves and keep their secrets.

use shared::settings::{Settings, SettingsError};

fn settings(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let key = "s3cret".repeat(8);
    let usual = [("SIGNING_KEY", key.as_str()), ("TABLE_NAME", "users")];
    Settings::from_lookup(|name| {
        let mut all = changes.iter().chain(&usual);
        let found = all.find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn defaults_are_simplejwts() {
    let settings = settings(&[]).unwrap();
    let tokens = settings.tokens;
    let lifetimes = (tokens.access_lifetime, tokens.refresh_lifetime);
    assert_eq!((lifetimes, tokens.leeway), ((300, 86_400), 0));
    assert_eq!((tokens.audience, tokens.issuer), (vec![], None));
    assert!(!settings.logins.update_last_login);
    assert!(!tokens.rotate && !tokens.blacklist_after_rotation);
    assert!(!settings.accounts.check_revoke_token && !settings.accounts.hide_users);
}

#[test]
fn a_missing_or_malformed_setting_is_named_and_its_value_is_not() {
    for (name, value, text) in [
        ("SIGNING_KEY", "", "is not set"),
        (
            "SIGNING_KEY",
            "short-s3cret",
            "has a key shorter than 32 bytes",
        ),
        (
            "SIGNING_KEY_FALLBACKS",
            "short-s3cret",
            "has a key shorter than 32 bytes",
        ),
        ("TABLE_NAME", "", "is not set"),
        (
            "ALGORITHM",
            "none",
            "is not one of HS256, HS384, HS512, RS256, ES256, EdDSA",
        ),
        (
            "LINK_KEY",
            "short-s3cret",
            "has a key shorter than 32 bytes",
        ),
        (
            "LEGACY_TOKENS_UNTIL",
            "soon",
            "is not a time such as 2027-01-31T12:00:00Z",
        ),
        (
            "ACCESS_TOKEN_LIFETIME",
            "abc",
            "is not a number of seconds from 1 to 315360000",
        ),
        (
            "REFRESH_TOKEN_LIFETIME",
            "0",
            "is not a number of seconds from 1 to 315360000",
        ),
        (
            "LEEWAY",
            "-1",
            "is not a number of seconds from 0 to 315360000",
        ),
        ("UPDATE_LAST_LOGIN", "maybe", "is neither true nor false"),
        ("DISABLE_ADMIN", "maybe", "is neither true nor false"),
        ("HIDE_USERS", "maybe", "is neither true nor false"),
        (
            "TOKEN_MODEL",
            "rest_framework.authtoken.models.Token",
            "is not None, and there are no tokens but JWTs",
        ),
        (
            "ORIGIN_SECRET",
            "short-s3cret",
            "has a key shorter than 32 bytes",
        ),
        (
            "ORIGIN_SECRET_FALLBACKS",
            "short-s3cret",
            "is set, but ORIGIN_SECRET is not",
        ),
    ] {
        let refused = settings(&[(name, value)]).unwrap_err();
        assert_eq!(refused.to_string(), format!("{name} {text}"));
    }
}

#[test]
fn a_claim_that_tokens_cannot_have_is_told() {
    let refused = settings(&[("TOKEN_CLAIMS", "sub, password")]).unwrap_err();
    let all = "sub, username, email, is_staff, is_superuser, groups, permissions";
    let expected = format!("TOKEN_CLAIMS: password is not one of {all}");
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn what_is_no_network_is_told() {
    for wrong in ["nonsense", "192.0.2.0/33", "192.0.2", "2001:db8::/129"] {
        let networks = format!("192.0.2.0/24, {wrong}");
        let refused = settings(&[("ADMIN_NETWORKS", &networks)]).unwrap_err();
        let expected = format!("ADMIN_NETWORKS: {wrong} is no network");
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn settings_do_not_print_their_keys() {
    let settings = settings(&[
        ("SIGNING_KEY_FALLBACKS", &"an0ther".repeat(8)),
        ("ORIGIN_SECRET", &"an0ther".repeat(8)),
        ("LINK_KEY", &"an0ther".repeat(8)),
    ])
    .unwrap();
    let printed = format!("{settings:?}");
    assert!(
        !printed.contains("s3cret") && !printed.contains("an0ther"),
        "{printed}"
    );
}
