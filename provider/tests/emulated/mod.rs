//! The emulated AWS that `cargo xtask test` starts, as tests reach it past the provider: by what that sets in the environment.

use aws_config::{BehaviorVersion, SdkConfig};

/// A variable that `cargo xtask test` sets.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run them through `cargo xtask test`"))
}

/// The settings of clients of our own, with the credentials that are in the environment.
pub(crate) async fn clients(endpoint: &str) -> SdkConfig {
    let connector = aws_smithy_http_client::Builder::new().build_http();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connector)
        .region("us-east-1")
        .endpoint_url(endpoint)
        .load()
        .await
}
