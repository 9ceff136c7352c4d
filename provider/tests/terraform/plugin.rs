//! A provider process as Terraform starts it, and a client of it that is not Terraform.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codegen::Service;
use tonic::transport::{Channel, Endpoint, Uri};

pub(crate) const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
/// Longest time for anything to happen before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_terraform-provider-eventual")
}

/// A running provider.
pub(crate) struct Plugin {
    child: Child,
    /// The fields of its handshake line.
    pub(crate) fields: Vec<String>,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Killed like that, it could not do it itself.
        let _ = std::fs::remove_dir_all(self.socket().parent().unwrap());
    }
}

impl Plugin {
    /// Starts a provider with the cookie and these variables, and reads its line.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::spawn(Command::new(binary()), variables)
    }

    /// The same without what the developer's own environment says of AWS, of proxies, and of where their files are.
    pub(crate) fn alone(variables: &[(&str, &str)]) -> Self {
        Self::spawn(Self::by_hand(&[]), variables)
    }

    /// The same as a command that is not a plugin yet.
    pub(crate) fn by_hand(variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(binary());
        let theirs = |name: &str| name.starts_with("AWS_") || name.to_lowercase().ends_with("_proxy");
        std::env::vars().filter(|(name, _)| theirs(name)).for_each(|(name, _)| {
            command.env_remove(name);
        });
        command.env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(variables.iter().copied());
        command
    }

    /// One that is started with flags.
    pub(crate) fn with_flags(flags: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(flags);
        Self::spawn(command, &[])
    }

    fn spawn(mut command: Command, variables: &[(&str, &str)]) -> Self {
        command
            .env(COOKIE.0, COOKIE.1)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, fields: line.trim_end().split('|').map(str::to_owned).collect(), stdout }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        PathBuf::from(&self.fields[3])
    }

    /// A connection without TLS.
    pub(crate) async fn connect(&self) -> Channel {
        connect(&self.socket()).await
    }

    /// Waits for the end of the process; what else it wrote to its output, and how it ended.
    pub(crate) fn ended(&mut self) -> (String, ExitStatus) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut rest = String::new();
                self.stdout.read_to_string(&mut rest).unwrap();
                return (rest, status);
            }
            assert!(start.elapsed() < PATIENCE, "the provider did not end");
            std::thread::yield_now();
        }
    }
}

/// A connection to a socket without TLS.
pub(crate) async fn connect(socket: &Path) -> Channel {
    let connector = ToSocket(socket.to_owned());
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await.unwrap()
}

/// Connects every request to one socket.
struct ToSocket(PathBuf);

impl Service<Uri> for ToSocket {
    type Response = TokioIo<UnixStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let path = self.0.clone();
        Box::pin(async move { UnixStream::connect(path).await.map(TokioIo::new) })
    }
}

/// A certificate and its key, of the kind that go-plugin makes: P-521, an authority used as a leaf.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Identity {
    pub(crate) fn like_go_plugin() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Connects with this identity to the provider, which must show the certificate of its handshake line; answers
    /// after one round trip, because a server refuses only after the client thinks that it is through.
    pub(crate) async fn connect(&self, plugin: &Plugin) -> std::io::Result<TlsStream<UnixStream>> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = self.shake(plugin, true).await?;
        // The preface of HTTP/2 and an empty SETTINGS frame, which the server answers with its own.
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await?;
        stream.flush().await?;
        stream.read_u8().await?;
        Ok(stream)
    }

    /// Only the handshake of TLS, with or without this identity.
    pub(crate) async fn shake(&self, plugin: &Plugin, show: bool) -> std::io::Result<TlsStream<UnixStream>> {
        let server = CertificateDer::from(STANDARD_NO_PAD.decode(&plugin.fields[5]).unwrap());
        let mut roots = RootCertStore::empty();
        roots.add(server).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = if show {
            let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
            builder.with_client_auth_cert(vec![self.certificate.der().clone()], key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = UnixStream::connect(plugin.socket()).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}
