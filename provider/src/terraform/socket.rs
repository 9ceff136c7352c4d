//! The socket: in a folder that only the user can enter, gone when we are. And the parent at its other end.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::tls::Tls;

/// Longest path of a socket on the systems that we run on, without its terminating zero.
const PATH_MAX: usize = 103;
/// How long a stranger may take over its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often we look whether our parent lives.
const PARENT_POLL: Duration = Duration::from_secs(1);

/// A bound socket. Its folder is removed when this is dropped.
pub(super) struct Listener {
    listener: UnixListener,
    folder: Folder,
    path: PathBuf,
}

/// A folder of ours, removed with what is in it when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody could do anything about a failure; the folder is in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Listener {
    /// Binds a socket in a fresh folder with mode 0700, below `parent` or the folder for temporary files.
    pub(super) fn bind(parent: Option<&Path>) -> io::Result<Self> {
        let temporary = std::env::temp_dir();
        let name = format!("eventual-{}", std::process::id());
        let parent = match parent {
            Some(parent) => parent,
            // A deep TMPDIR would make the path longer than the system takes.
            None if temporary.join(&name).join("00000000/plugin.sock").as_os_str().len() > PATH_MAX => {
                Path::new("/tmp")
            }
            None => &temporary,
        };
        let folder = fresh_folder(parent, &name)?;
        let path = folder.0.join("plugin.sock");
        let listener = UnixListener::bind(&path)?;
        Ok(Self { listener, folder, path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Connections as they come, each past its TLS handshake when there is TLS.
    pub(super) fn incoming(self, tls: Option<Tls>) -> impl Stream<Item = io::Result<Connection>> {
        let Self { listener, folder, .. } = self;
        let accepted = stream::unfold((listener, folder), |(listener, folder)| async move {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, (listener, folder)))
        });
        // Handshakes go on side by side, so that one that hangs holds nobody up; one that fails is nobody's connection.
        let connections = accepted.map(move |stream| {
            let tls = tls.clone();
            async move {
                match (stream, tls) {
                    (Err(error), _) => Some(Err(error)),
                    (Ok(stream), None) => Some(Ok(Connection::Plain(stream))),
                    (Ok(stream), Some(tls)) => shake(stream, &tls).await.map(Ok),
                }
            }
        });
        connections.buffer_unordered(64).filter_map(std::future::ready)
    }
}

fn fresh_folder(parent: &Path, name: &str) -> io::Result<Folder> {
    for attempt in 0..100_u32 {
        let path = parent.join(if attempt == 0 { name.to_owned() } else { format!("{name}-{attempt}") });
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(Folder(path)),
            // A leftover of a process that had our id, or somebody's trap: never used.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io::Error::other(format!("cannot make {}: {error}", path.display()))),
        }
    }
    Err(io::Error::other(format!("{} is full of old folders {name}-*: remove them", parent.display())))
}

async fn shake(stream: UnixStream, tls: &Tls) -> Option<Connection> {
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => Some(Connection::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::warn!(%error, "refused a connection that did not show Terraform's certificate");
            None
        }
        Err(_) => None,
    }
}

/// One connection.
pub(super) enum Connection {
    /// Without TLS, for debugging.
    Plain(UnixStream),
    /// With the pinned certificates.
    Tls(Box<TlsStream<UnixStream>>),
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// The process that started us.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent(u32);

impl Parent {
    /// Remembers who it is.
    pub(super) fn of_this_process() -> Self {
        Self(std::os::unix::process::parent_id())
    }

    /// Returns when it has died. Terraform that is killed cannot tell us, and gives us no input whose end would.
    pub(super) async fn gone(self) {
        while std::os::unix::process::parent_id() == self.0 {
            tokio::time::sleep(PARENT_POLL).await;
        }
    }
}
