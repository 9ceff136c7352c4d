//! Mutual TLS in which each side accepts exactly one certificate: the one that it was told in the handshake.
//!
//! go-plugin's client shows a certificate authority as its own leaf, with a P-521 key. The usual verification refuses
//! both, so ours compares the certificate byte for byte and then lets the signature of the session prove its key.
//!
//! Only that signature is checked by aws-lc, because ring has no P-521. Everything that needs randomness is ring's:
//! aws-lc collects its first entropy for 30 ms, and Terraform starts us several times in each of its commands.

use std::io;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerIncompatible, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::TlsAcceptor;

/// Our side of the connection.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
}

impl Tls {
    /// A fresh key and certificate of ours, and a server that only the holder of `client` (PEM) can talk to.
    ///
    /// # Errors
    /// When that is no certificate.
    pub(super) fn pinned(client: &str) -> io::Result<Self> {
        let provider = Arc::new(CryptoProvider {
            signature_verification_algorithms: aws_lc_rs::default_provider()
                .signature_verification_algorithms,
            ..ring::default_provider()
        });
        let pinned = CertificateDer::from_pem_slice(client.as_bytes())
            .map_err(|error| io::Error::other(format!("PLUGIN_CLIENT_CERT is no certificate: {error}")))?;
        let (certificate, key) = own_certificate().map_err(io::Error::other)?;
        let verifier = Arc::new(Pinned { certificate: pinned, provider: Arc::clone(&provider) });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }

    /// Our certificate (DER), for the handshake line.
    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Accepts connections.
    pub(super) const fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

/// The host takes our certificate as its only authority, and expects the name `localhost`.
fn own_certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = rcgen::KeyPair::generate()?;
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()])?;
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    parameters.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

/// Accepts one certificate.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
