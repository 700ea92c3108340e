//! Settings that are wrong name themselves and keep their secrets.

use shared::settings::{Settings, SettingsError};

fn settings(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    Settings::from_lookup(|name| {
        let set = changes
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned());
        match name {
            "SIGNING_KEY" => set.or(Some("s3cret".repeat(8))),
            "TABLE_NAME" => set.or(Some("users".to_owned())),
            _ => set,
        }
    })
}

#[test]
fn defaults_are_simplejwts() {
    let settings = settings(&[]).unwrap();
    assert_eq!(
        (
            settings.access_token_lifetime,
            settings.refresh_token_lifetime
        ),
        (300, 86_400)
    );
    assert_eq!((settings.leeway, settings.update_last_login), (0, false));
    assert_eq!((settings.audience, settings.issuer), (None, None));
}

#[test]
fn a_missing_or_malformed_setting_is_named_and_its_value_is_not() {
    for (name, value, text) in [
        ("SIGNING_KEY", "", "SIGNING_KEY is not set"),
        (
            "SIGNING_KEY",
            "short-s3cret",
            "SIGNING_KEY has a key shorter than 32 bytes",
        ),
        (
            "SIGNING_KEY_FALLBACKS",
            "short-s3cret",
            "SIGNING_KEY_FALLBACKS has a key shorter than 32 bytes",
        ),
        ("TABLE_NAME", "", "TABLE_NAME is not set"),
        (
            "ALGORITHM",
            "none",
            "ALGORITHM is not one of HS256, HS384, HS512",
        ),
        (
            "ACCESS_TOKEN_LIFETIME",
            "abc",
            "ACCESS_TOKEN_LIFETIME is not a number of seconds from 1 to 315360000",
        ),
        (
            "REFRESH_TOKEN_LIFETIME",
            "0",
            "REFRESH_TOKEN_LIFETIME is not a number of seconds from 1 to 315360000",
        ),
        (
            "LEEWAY",
            "-1",
            "LEEWAY is not a number of seconds from 0 to 315360000",
        ),
        (
            "UPDATE_LAST_LOGIN",
            "maybe",
            "UPDATE_LAST_LOGIN is neither true nor false",
        ),
    ] {
        assert_eq!(settings(&[(name, value)]).unwrap_err().to_string(), text);
    }
}

#[test]
fn settings_do_not_print_their_keys() {
    let settings = settings(&[("SIGNING_KEY_FALLBACKS", &"an0ther".repeat(8))]).unwrap();
    let printed = format!("{settings:?}");
    assert!(
        !printed.contains("s3cret") && !printed.contains("an0ther"),
        "{printed}"
    );
}
