//! How the AWS SDK is set up: where a function finds AWS, and whom it trusts there.

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
};
use aws_sdk_dynamodb::config::{
    Credentials, SharedAsyncSleep, SharedCredentialsProvider, SharedHttpClient,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};

use crate::settings::{AwsSettings, SettingsError};

/// The certificates that AWS's endpoints chain to, from <https://www.amazontrust.com/repository/>.
/// To parse every root that a machine trusts would take three times as long as the rest of a start.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// The configuration of a Lambda function, whose region and credentials are in its environment:
/// the SDK's chain of other sources would be most of its code and is never asked.
///
/// # Errors
/// `AWS_CA_BUNDLE` cannot be read.
pub fn in_lambda(settings: &AwsSettings) -> Result<SdkConfig, SettingsError> {
    let roots = match &settings.ca_bundle {
        None => AMAZON_ROOTS.to_owned(),
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            SettingsError::new(format!("AWS_CA_BUNDLE cannot be read: {error}"))
        })?,
    };
    let trusted = TrustStore::empty().with_pem_certificate(roots);
    let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    Ok(config(
        credentials,
        settings.region.clone(),
        https_client(trusted)?,
    ))
}

/// The configuration for an engine on this machine, which asks for no real credentials.
pub fn local(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "runserver");
    let credentials = SharedCredentialsProvider::new(credentials);
    let region = Some("us-east-1".to_owned());
    at(
        &config(credentials, region, Builder::new().build_http()),
        Some(endpoint),
    )
}

/// The same configuration for a service at an endpoint of its own.
#[must_use]
pub fn at(config: &SdkConfig, endpoint: Option<&str>) -> SdkConfig {
    let mut config = config.to_builder();
    config.set_endpoint_url(endpoint.map(str::to_owned));
    config.build()
}

fn config(
    credentials: SharedCredentialsProvider,
    region: Option<String>,
    http: SharedHttpClient,
) -> SdkConfig {
    SdkConfig::builder()
        .region(region.map(Region::new))
        .behavior_version(BehaviorVersion::latest())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .credentials_provider(credentials)
        .http_client(http)
        .build()
}

/// HTTPS by rustls with ring, which unlike aws-lc costs no start-up time.
///
/// # Errors
/// A trust store that cannot be parsed.
pub fn https_client(trusted: TrustStore) -> Result<SharedHttpClient, SettingsError> {
    let context = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| SettingsError::new(format!("no certificates to trust: {error}")))?;
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}
