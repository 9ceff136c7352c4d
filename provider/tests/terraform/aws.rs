//! As much of AWS as tells who one is, and what stands between a provider and it: a proxy that opens TLS, an instance's
//! metadata, single sign-on. It remembers what it was asked.

use std::sync::{Arc, Mutex};

use eventual_schema::deploy::Names;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Number of the account that everybody is of.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// The host that a proxy was asked to connect to.
    pub(crate) through: String,
    /// First line and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Heard {
    /// Whose key signed it.
    pub(crate) fn signed_by(&self) -> &str {
        let after = self.head.split("Credential=").nth(1).unwrap_or_default();
        after.split('/').next().unwrap_or_default()
    }
}

/// A running one.
pub(crate) struct Aws {
    pub(crate) url: String,
    inside: Arc<Inside>,
}

struct Inside {
    partition: &'static str,
    authority: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
    heard: Mutex<Vec<Heard>>,
    /// How many requests were heard.
    count: watch::Sender<usize>,
    /// What first lines begin with that are not answered for now.
    held: watch::Sender<Option<&'static str>>,
}

impl Aws {
    pub(crate) async fn start(partition: &'static str) -> Self {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertifiedIssuer::self_signed(parameters, key).unwrap();
        let inside = Arc::new(Inside {
            partition,
            authority,
            heard: Mutex::default(),
            count: watch::Sender::new(0),
            held: watch::Sender::new(None),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn({
            let inside = Arc::clone(&inside);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let inside = Arc::clone(&inside);
                    // Who breaks off is not waited for.
                    tokio::spawn(async move { inside.serve(stream).await });
                }
            }
        });
        Self { url, inside }
    }

    /// The certificate of who vouches for every host, in PEM.
    pub(crate) fn authority(&self) -> String {
        self.inside.authority.pem()
    }

    /// Answers no request whose first line begins like this, until it is said again.
    pub(crate) fn hold(&self, begins: Option<&'static str>) {
        self.inside.held.send_replace(begins);
    }

    /// Returns when it has heard so many requests in all.
    pub(crate) async fn until(&self, count: usize) {
        let heard = self.inside.count.subscribe().wait_for(|it| *it >= count).await.map(|it| *it);
        heard.unwrap();
    }

    /// What it was asked since the last time.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.inside.heard.lock().unwrap())
    }
}

impl Inside {
    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let asked = request(&mut stream).await?;
        let Some(host) = asked.head.strip_prefix("CONNECT ").and_then(|it| it.split(':').next()) else {
            return self.answer(stream, asked).await;
        };
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
        let mut stream = self.pretend(host).accept(stream).await?;
        let asked = Heard { through: host.to_owned(), ..request(&mut stream).await? };
        self.answer(stream, asked).await
    }

    /// A server that shows a certificate of that host.
    fn pretend(&self, host: &str) -> TlsAcceptor {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.authority).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    async fn answer(&self, mut stream: impl AsyncWrite + Unpin, asked: Heard) -> std::io::Result<()> {
        let (status, body) = match self.reply(&asked) {
            Some(body) => ("200 OK", body),
            None => (
                "404 Not Found",
                "<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>".to_owned(),
            ),
        };
        let first = asked.head.clone();
        self.heard.lock().unwrap().push(asked);
        self.count.send_modify(|count| *count += 1);
        let answered = |held: &Option<&str>| held.is_none_or(|held| !first.starts_with(held));
        let _ = self.held.subscribe().wait_for(answered).await;
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        stream.shutdown().await
    }

    fn reply(&self, asked: &Heard) -> Option<String> {
        let far = "2099-01-01T00:00:00Z";
        if asked.body.contains("Action=GetCallerIdentity") {
            let arn = format!("<Arn>arn:{}:iam::{ACCOUNT}:user/tester</Arn>", self.partition);
            let identity = format!("{arn}<UserId>AIDATESTER</UserId><Account>{ACCOUNT}</Account>");
            return Some(wrapped("GetCallerIdentity", &identity));
        }
        if asked.body.contains("Action=AssumeRole") {
            let keys = "<AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>";
            return Some(wrapped(
                "AssumeRole",
                &format!("<Credentials>{keys}<Expiration>{far}</Expiration></Credentials>"),
            ));
        }
        if asked.head.starts_with("GET /?") && asked.head.contains("max-buckets=") {
            let second = asked.head.contains("continuation-token=more");
            let named = |name: &str| Names::new(name, ACCOUNT, "eu-central-1").bucket();
            let (bucket, token) = if second { (named("shop"), "") } else { (named("orders"), "more") };
            let bucket = format!("<Bucket><Name>{bucket}</Name></Bucket>");
            return Some(format!(
                "<ListAllMyBucketsResult><Buckets>{bucket}</Buckets><ContinuationToken>{token}</ContinuationToken></ListAllMyBucketsResult>"
            ));
        }
        if asked.head.starts_with("PUT /orders-") {
            return Some(String::new());
        }
        let metadata = "/latest/meta-data/iam/security-credentials/";
        let path = asked.head.split(' ').nth(1).unwrap_or_default();
        // Whoever goes through a proxy may name the host here, too.
        let path =
            path.split_once("://").map_or(path, |(_, rest)| &rest[rest.find('/').unwrap_or_default()..]);
        match path.split('?').next().unwrap_or_default() {
            "/latest/api/token" => Some("token".to_owned()),
            path if path == metadata => Some("deployer".to_owned()),
            path if path == format!("{metadata}deployer") => Some(format!(
                r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"s","Token":"t","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"{far}"}}"#
            )),
            "/federation/credentials" => Some(
                r#"{"roleCredentials":{"accessKeyId":"ASIASIGNEDON","secretAccessKey":"s","sessionToken":"t","expiration":4070908800000}}"#
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// An answer of STS.
fn wrapped(action: &str, result: &str) -> String {
    let xmlns = "https://sts.amazonaws.com/doc/2011-06-15/";
    format!(
        "<{action}Response xmlns=\"{xmlns}\"><{action}Result>{result}</{action}Result></{action}Response>"
    )
}

/// Reads one request, whole.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Heard> {
    let mut text = Vec::new();
    let head = loop {
        if let Some(end) = text.windows(4).position(|it| it == b"\r\n\r\n") {
            break String::from_utf8_lossy(&text[..end]).into_owned();
        }
        text.push(stream.read_u8().await?);
    };
    let length = head
        .lines()
        .filter_map(|it| it.split_once(": "))
        .find(|it| it.0.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |it| it.1.parse().unwrap())];
    stream.read_exact(&mut body).await?;
    Ok(Heard { through: String::new(), head, body: String::from_utf8_lossy(&body).into_owned() })
}
