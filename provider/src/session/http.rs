//! The HTTP client of all AWS calls: through the proxies that the environment names, and trusting whom the user says.
//!
//! The SDK looks at neither by itself. What stays on this machine, or is this machine's own metadata, takes no proxy: there
//! it would mean another machine.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use eventual_provider_core::config::ProviderConfig;
use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Path;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{given, variable};

/// Variables that name proxies, as other programs read them too.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The variable that AWS tools know for certificates.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The file with the certificates that are trusted, if it is not the system's.
pub(crate) fn ca_bundle(config: &ProviderConfig) -> Option<String> {
    given(&config.ca_bundle, CA_BUNDLE)
}

/// The variables that are set among those that name proxies. Their values may hold passwords.
pub(crate) fn proxies() -> Vec<&'static str> {
    PROXIES.into_iter().filter(|it| variable(it).is_some()).collect()
}

/// A client.
///
/// # Errors
/// What is wrong with the certificates, for the user.
pub(crate) fn client(config: &ProviderConfig) -> Result<SharedHttpClient, Diagnostic> {
    let trust = match ca_bundle(config) {
        Some(path) => trusted(&path).map_err(|why| {
            let detail = format!(
                "{path}: {why}. `ca_bundle`, or {CA_BUNDLE}, is the path of a file with certificates in PEM."
            );
            Diagnostic::error("Unusable certificates", detail).at(Path::of("ca_bundle"))
        })?,
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder().with_trust_store(trust).build().map_err(|error| {
        Diagnostic::error("Unusable certificates", format!("{error}.")).at(Path::of("ca_bundle"))
    })?;
    let proxied = !proxies().is_empty();
    // The same connections for calls with the same time-outs.
    let made: Mutex<HashMap<[Option<Duration>; 2], SharedHttpConnector>> = Mutex::default();
    Ok(http_client_fn(move |settings, components| {
        let key = [settings.connect_timeout(), settings.read_timeout()];
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let direct = connector(settings, components, &tls, ProxyConfig::disabled());
            if !proxied {
                return SharedHttpConnector::new(direct);
            }
            let proxied = connector(settings, components, &tls, ProxyConfig::from_env());
            SharedHttpConnector::new(Ways { direct, proxied })
        };
        made.entry(key).or_insert_with(make).clone()
    }))
}

fn connector(
    settings: &HttpConnectorSettings,
    components: &RuntimeComponents,
    tls: &TlsContext,
    proxy: ProxyConfig,
) -> Connector {
    let mut builder = Connector::builder().connector_settings(settings.clone()).proxy_config(proxy);
    builder.set_sleep_impl(components.sleep_impl());
    builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
}

/// The certificates of a file. The SDK would panic over what is none.
fn trusted(path: &str) -> Result<TrustStore, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| format!("not PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("not a certificate: {error}"))?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

/// With and without the proxies.
#[derive(Debug)]
struct Ways {
    direct: Connector,
    proxied: Connector,
}

impl HttpConnector for Ways {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_near(request.uri()) { self.direct.call(request) } else { self.proxied.call(request) }
    }
}

/// Whether a URL is of this machine: itself, or what its cloud tells it over a link of its own.
fn is_near(url: &str) -> bool {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((inside, _)) => inside,
        None => host.split(':').next().unwrap_or_default(),
    };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // fd00:ec2::254 is where instances find their metadata.
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.segments()[..2] == [0xfd00, 0xec2],
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_near() {
        for near in [
            "http://127.0.0.1:4566/bucket",
            "http://localhost/",
            "http://api.localhost:1",
            "http://169.254.169.254/latest",
            "http://[::1]:80/x",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in [
            "https://sts.eu-central-1.amazonaws.com",
            "http://10.0.0.1/",
            "http://localhost.example.com/",
            "http://127.0.0.1@evil.example/",
            "https://[2001:db8::1]/",
            "",
        ] {
            assert!(!is_near(far), "{far}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        let good = certificate.self_signed(&key).unwrap().pem();
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            trusted(&path.display().to_string()).map(drop)
        };
        assert_eq!(of(&good), Ok(()));
        assert_eq!(of(&format!("# ours\n{good}{good}")), Ok(()));
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, why) in
            [("", "no certificate"), ("hello", "no certificate"), (garbage, "not a certificate")]
        {
            assert!(of(text).unwrap_err().contains(why), "{text:?}: {:?}", of(text));
        }
        assert!(trusted("/nonexistent/ca.pem").is_err());
    }
}
