//! How the AWS SDK is set up: where a function finds AWS, and whom it trusts there.

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
};
use aws_sdk_dynamodb::config::{
    Credentials, HttpClient, RuntimeComponents, SharedAsyncSleep, SharedCredentialsProvider,
    SharedHttpClient,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};

use crate::settings::{AwsSettings, SettingsError};

/// The certificates that AWS's endpoints chain to, from <https://www.amazontrust.com/repository/>.
/// To parse every root that a machine trusts would take three times as long as the rest of a start.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// The configuration of a Lambda function, whose region and credentials are in its environment:
/// the SDK's chain of other sources would be most of its code and is never asked. For a service at
/// `endpoint`, or at AWS's own.
///
/// # Errors
/// `AWS_CA_BUNDLE` cannot be read.
pub fn in_lambda(
    settings: &AwsSettings,
    endpoint: Option<&str>,
) -> Result<SdkConfig, SettingsError> {
    let roots = match &settings.ca_bundle {
        // Nobody is asked for a certificate there.
        _ if endpoint.is_some_and(|url| url.starts_with("http://")) => String::new(),
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
        endpoint,
    ))
}

/// The configuration for an engine on this machine, which asks for no real credentials.
pub fn local(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "runserver");
    let credentials = SharedCredentialsProvider::new(credentials);
    let region = Some("us-east-1".to_owned());
    let http = Builder::new().build_http();
    config(credentials, region, http, Some(endpoint))
}

fn config(
    credentials: SharedCredentialsProvider,
    region: Option<String>,
    http: SharedHttpClient,
    endpoint: Option<&str>,
) -> SdkConfig {
    let mut config = SdkConfig::builder();
    config.set_endpoint_url(endpoint.map(str::to_owned));
    config
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
    let client = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https();
    Ok(SharedHttpClient::new(BuiltOnce(client)))
}

/// An HTTP client that is built when it is first used. The SDK's own builds another one before, to
/// see whether it can, and so parses the certificates twice.
#[derive(Debug)]
struct BuiltOnce(SharedHttpClient);

impl HttpClient for BuiltOnce {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }
}
