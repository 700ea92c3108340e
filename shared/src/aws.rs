//! How the AWS SDK is set up: where a function finds AWS, and which certificates it trusts.

use std::{fmt, fs, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
};
use aws_sdk_dynamodb::config::{
    Credentials, SharedAsyncSleep, SharedCredentialsProvider, SharedHttpClient,
    timeout::TimeoutConfig,
};
use aws_sdk_secretsmanager::Client as SecretsManager;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::settings::{AwsSettings, SettingsError};

/// The certificates that AWS's endpoints chain to, from <https://www.amazontrust.com/repository/>.
/// To parse every root that a machine trusts would take three times as long as the rest of a start.
const AMAZON_ROOTS: &str = include_str!("amazon-roots.pem");

/// For TCP and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a call of AWS may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// One try.
    attempt: Duration,
    /// All tries, and the pauses between them.
    operation: Duration,
}

/// For commands, whose user waits.
pub const PATIENT: Deadlines = Deadlines {
    attempt: Duration::from_secs(3),
    operation: Duration::from_secs(10),
};

/// For Secrets Manager, which a function's start and some requests wait for.
const SECRETS: Deadlines = Deadlines {
    attempt: Duration::from_secs(1),
    operation: Duration::from_secs(2),
};

impl Deadlines {
    /// As the SDK takes them.
    pub fn timeouts(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

/// A client of Secrets Manager for a function: 1 second for a try, and 2 seconds in all.
pub fn secrets_manager(config: &SdkConfig) -> SecretsManager {
    let config = config.to_builder().timeout_config(SECRETS.timeouts());
    SecretsManager::new(&config.build())
}

/// The configuration of a Lambda function, whose region and credentials are in its environment:
/// the SDK's chain of other sources would be most of its code and is never asked. For a service at
/// `endpoint`, or at AWS's own.
///
/// # Errors
/// `AWS_CA_BUNDLE` cannot be read or holds something else than certificates.
pub fn in_lambda(
    settings: &AwsSettings,
    endpoint: Option<&str>,
) -> Result<SdkConfig, SettingsError> {
    let trusted = trusted(settings, endpoint)?;
    let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
    Ok(config(
        credentials,
        settings.region.clone(),
        https_client(trusted)?,
        endpoint,
    ))
}

/// What sends single requests of a Lambda function to an address of AWS that is no service's, without
/// a signature.
///
/// # Errors
/// As [`in_lambda`].
pub fn connector(settings: &AwsSettings, url: &str) -> Result<SharedHttpConnector, SettingsError> {
    https_connector(trusted(settings, Some(url))?)
}

fn trusted(settings: &AwsSettings, endpoint: Option<&str>) -> Result<TrustStore, SettingsError> {
    let roots = match &settings.ca_bundle {
        // No certificate is needed there.
        _ if endpoint.is_some_and(|url| url.starts_with("http://")) => String::new(),
        None => AMAZON_ROOTS.to_owned(),
        Some(path) => read_bundle(path)
            .map_err(|error| SettingsError::new(format!("AWS_CA_BUNDLE: {path} {error}")))?,
    };
    Ok(TrustStore::empty().with_pem_certificate(roots))
}

/// The text of a PEM file. Its certificates are looked at here, since the SDK panics where one is
/// malformed.
fn read_bundle(path: &str) -> Result<String, String> {
    let pem = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let bad = |error: &dyn std::error::Error| format!("holds a bad certificate: {error}");
        let certificate = certificate.map_err(|error| bad(&error))?;
        trusted.add(certificate).map_err(|error| bad(&error))?;
    }
    if trusted.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    Ok(pem)
}

/// A service on this machine that speaks AWS's protocol: where it is, and the access key that it
/// knows its clients by.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalEndpoint {
    /// `http://`, address and port.
    pub url: String,
    /// A secret; the key that belongs to it is not looked at.
    pub access_key: String,
}

impl fmt::Debug for LocalEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("LocalEndpoint");
        shown.field("url", &self.url).finish_non_exhaustive()
    }
}

/// The region in the signature of requests to a service on this machine.
pub const LOCAL_REGION: &str = "us-east-1";

/// The configuration for a service on this machine.
pub fn local(endpoint: &LocalEndpoint) -> SdkConfig {
    let credentials = Credentials::new(&endpoint.access_key, "local", None, None, "runserver");
    let credentials = SharedCredentialsProvider::new(credentials);
    let region = Some(LOCAL_REGION.to_owned());
    let http = Builder::new().build_http();
    config(credentials, region, http, Some(&endpoint.url))
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

/// HTTPS by rustls with ring, which unlike aws-lc costs no start-up time. All clients that it is given
/// to share its connections and this module's connect timeout, not their own.
///
/// # Errors
/// A trust store that cannot be parsed.
pub fn https_client(trusted: TrustStore) -> Result<SharedHttpClient, SettingsError> {
    // The SDK's own client builds one to see whether it can, and another for its first request.
    let connector = https_connector(trusted)?;
    Ok(http_client_fn(move |_, _| connector.clone()))
}

fn https_connector(trusted: TrustStore) -> Result<SharedHttpConnector, SettingsError> {
    let context = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| SettingsError::new(format!("no certificates to trust: {error}")))?;
    let connector = Connector::builder()
        .connector_settings(
            HttpConnectorSettings::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .build(),
        )
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build();
    Ok(SharedHttpConnector::new(connector))
}
