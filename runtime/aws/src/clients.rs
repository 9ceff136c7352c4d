//! SDK clients: one HTTPS connector for all, credentials and region as Lambda gives them, few quick retries.
//!
//! It never asks the instance metadata service, profiles or SSO: a function's environment says everything.

use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedCredentialsProvider;

use crate::config::Aws;
use crate::lineage::OwnLineage;

/// Attempts of one call, the first included. What still fails then is redelivered by a queue.
const ATTEMPTS: u32 = 3;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest wait for the first byte of an answer.
const READ: Duration = Duration::from_secs(5);
/// Longest attempt, body included.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Settings that every client shares.
pub(crate) fn settings(aws: &Aws) -> SdkConfig {
    let mut connector =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    if aws.endpoint.as_ref().is_some_and(|it| it.starts_with("http://")) {
        connector = connector.tls_context(without_roots());
    }
    let credentials =
        Credentials::new(&aws.access_key, &aws.secret_key, aws.session_token.clone(), None, "environment");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .operation_attempt_timeout(ATTEMPT)
        .build();
    let retry =
        RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50));
    let mut settings = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(connector.build_https())
        .retry_config(retry)
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    settings.set_endpoint_url(aws.endpoint.clone());
    settings.build()
}

/// Trusts nobody: for endpoints without TLS, so that a start does not read hundreds of certificates for nothing.
fn without_roots() -> TlsContext {
    TlsContext::builder().with_trust_store(TrustStore::empty()).build().unwrap_or_default()
}

/// An S3 client. Emulators have no names for buckets, so that another endpoint means paths.
pub(crate) fn s3(aws: &Aws, settings: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(settings).force_path_style(aws.endpoint.is_some());
    aws_sdk_s3::Client::from_conf(config.build())
}

/// An SQS client whose messages begin a lineage of their own.
pub(crate) fn sqs(settings: &SdkConfig) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::config::Builder::from(settings).interceptor(OwnLineage);
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// A Lambda client whose invocations begin a lineage of their own.
pub(crate) fn lambda(settings: &SdkConfig) -> aws_sdk_lambda::Client {
    let config = aws_sdk_lambda::config::Builder::from(settings).interceptor(OwnLineage);
    aws_sdk_lambda::Client::from_conf(config.build())
}
