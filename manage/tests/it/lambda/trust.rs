//! `AWS_CA_BUNDLE`: a file that is no bundle ends a start with an error that names it.

use std::io::Write;

use shared::{aws, settings::AwsSettings};
use tempfile::NamedTempFile;

/// How a start ends with such a bundle.
fn start_with(pem: &str) -> Result<(), String> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let settings = AwsSettings {
        ca_bundle: Some(path.clone()),
        ..AwsSettings::default()
    };
    let made = aws::in_lambda(&settings, None).map(drop);
    made.map_err(|error| error.to_string().replace(&path, "<path>"))
}

#[test]
fn a_bundle_of_certificates_is_taken() {
    let amazon = include_str!("../../../../shared/src/amazon-roots.pem");
    assert_eq!(start_with(amazon), Ok(()));
}

#[test]
fn a_file_without_certificates_is_refused() {
    let expected = "AWS_CA_BUNDLE: <path> holds no certificate".to_owned();
    assert_eq!(start_with("a text"), Err(expected));
}

#[test]
fn a_certificate_that_is_none_is_refused() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let expected = "AWS_CA_BUNDLE: <path> holds a bad certificate: \
                    invalid peer certificate: BadEncoding";
    assert_eq!(start_with(pem), Err(expected.to_owned()));
}

#[test]
fn a_certificate_that_is_not_base64_is_refused() {
    let pem = "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n";
    let refused = start_with(pem).unwrap_err();
    assert!(
        refused.starts_with("AWS_CA_BUNDLE: <path> holds a bad certificate: "),
        "{refused}"
    );
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let settings = AwsSettings {
        ca_bundle: Some("/nowhere/ca.pem".to_owned()),
        ..AwsSettings::default()
    };
    let refused = aws::in_lambda(&settings, None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "AWS_CA_BUNDLE: /nowhere/ca.pem cannot be read: No such file or directory (os error 2)"
    );
}
