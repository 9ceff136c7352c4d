//! Opens sessions on AWS: credentials, region and endpoint as AWS users expect, then who that is.
//!
//! The SDK's own retries are off: when to try again is decided by the core, which knows the deadline.

pub(crate) mod http;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};
use eventual_provider_core::config::{ProviderConfig, Setting};
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Path;
use eventual_provider_core::request::Identity;

use crate::cloud::{AwsCloud, Limits};
use crate::ports::{Connect, Session};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for an answer to begin; uploads of an artifact included.
const READ: Duration = Duration::from_secs(60);

/// The AWS cloud.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aws;

#[async_trait]
impl Connect for Aws {
    async fn connect(&self, config: &ProviderConfig) -> Result<Session, Vec<Diagnostic>> {
        let client = http::client(config).map_err(|diagnostic| vec![diagnostic])?;
        // One endpoint for all services is not AWS.
        let limits = if endpoint(config).is_some() { Limits::Endpoint } else { Limits::Aws };
        connect_through(config, client, limits).await
    }
}

/// Opens a session whose requests go through `http`, as fast as `limits` admits: for tests that look at, or tamper with, what
/// goes over the wire.
///
/// # Errors
/// What is missing or refused, for the user.
pub async fn connect_through(
    config: &ProviderConfig,
    http: impl HttpClient + 'static,
    limits: Limits,
) -> Result<Session, Vec<Diagnostic>> {
    let endpoint = endpoint(config);
    let settings = settings(config, endpoint.as_deref(), SharedHttpClient::new(http)).await;
    let Some(region) = settings.region().map(ToString::to_string) else {
        let detail = "Neither the provider's `region`, nor AWS_REGION, nor the profile says which region to deploy to.";
        return Err(vec![Diagnostic::error("No region", detail).at(Path::of("region"))]);
    };
    let identity = identity(&settings, region).await.map_err(|diagnostic| vec![diagnostic])?;
    if let Some(diagnostic) = config.refuses(&identity.account) {
        return Err(vec![diagnostic]);
    }
    let tags = config.default_tags.known().into_iter().flatten();
    let default_tags = tags.filter_map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect();
    let cloud = Arc::new(AwsCloud::new(&settings, identity.clone(), endpoint.is_some(), limits));
    Ok(Session { operations: cloud.clone(), cloud, identity, default_tags })
}

/// Opens a session without a wire, for tests that look at the cloud alone.
///
/// # Errors
/// What is missing or refused, for the user.
pub async fn connect(config: &ProviderConfig) -> Result<Session, Vec<Diagnostic>> {
    Aws.connect(config).await
}

/// The URL that all services are reached at, if it is not AWS itself.
pub(crate) fn endpoint(config: &ProviderConfig) -> Option<String> {
    given(&config.endpoint, "AWS_ENDPOINT_URL")
}

/// What the provider block says, or else what the environment does.
fn given(setting: &Setting<String>, name: &str) -> Option<String> {
    setting.known().cloned().or_else(|| variable(name))
}

/// A variable of the environment. An empty one counts as none, as AWS tools have it.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|it| !it.is_empty())
}

/// Settings that every client shares.
async fn settings(config: &ProviderConfig, endpoint: Option<&str>, http: SharedHttpClient) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Ok(name) = AppName::new(concat!("eventual/", env!("CARGO_PKG_VERSION")).replace('/', "-")) {
        loader = loader.app_name(name);
    }
    if let Setting::Known(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Setting::Known(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    let settings = loader.load().await;
    let Setting::Known(role) = &config.assume_role else { return settings };
    let mut assumed = AssumeRoleProvider::builder(&role.role_arn)
        .configure(&settings)
        .session_name(role.session_name.as_deref().unwrap_or("eventual"));
    if let Some(external_id) = &role.external_id {
        assumed = assumed.external_id(external_id.reveal());
    }
    let credentials = aws_sdk_sts::config::SharedCredentialsProvider::new(assumed.build().await);
    settings.into_builder().credentials_provider(credentials).build()
}

async fn identity(settings: &SdkConfig, region: String) -> Result<Identity, Diagnostic> {
    let answer = aws_sdk_sts::Client::new(settings).get_caller_identity().send().await.map_err(|error| {
        let error = crate::cloud::fault("sts GetCallerIdentity", &error);
        let detail = format!(
            "{error}. Give the provider AWS credentials: environment variables, `profile`, or `assume_role`."
        );
        Diagnostic::error("No usable AWS credentials", detail)
    })?;
    let arn = answer.arn().unwrap_or_default();
    let partition = arn.split(':').nth(1).filter(|it| !it.is_empty()).unwrap_or("aws").to_owned();
    let account = answer.account().unwrap_or_default().to_owned();
    Ok(Identity { account, region, partition })
}
