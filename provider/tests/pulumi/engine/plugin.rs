//! One process of the provider, started and ended as the engine does it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eventual_provider_wire::pulumirpc::resource_provider_client::ResourceProviderClient;
use tonic::transport::{Channel, Endpoint};

/// How long the engine waits between SIGINT and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// Who started a provider.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Started<'a> {
    /// The engine at this address.
    ByEngine(&'a str),
    /// A developer, for `PULUMI_DEBUG_PROVIDERS`.
    ByHand,
}

/// A running provider.
pub(crate) struct Plugin {
    child: Child,
    /// Open while the engine lives.
    stdin: Option<ChildStdin>,
    stderr: PathBuf,
    killed: AtomicBool,
    /// Its calls.
    pub(crate) client: ResourceProviderClient<Channel>,
}

impl Plugin {
    /// Starts the provider in the program's folder, in a process group of its own, with the engine's address as its
    /// only argument, if there is one, and reads the port.
    pub(crate) async fn start(folder: &Path, started: Started<'_>, environment: &[(String, String)]) -> Self {
        let stderr = folder.join("stderr.txt");
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulumi-resource-eventual"));
        command.current_dir(folder).process_group(0);
        if let Started::ByEngine(address) = started {
            command.arg(address);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap());
        // What the developer has set for AWS must not reach a test.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().cloned());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port: u16 = line.trim_end().parse().unwrap_or_else(|_| {
            panic!(
                "expected a port on standard output, found {line:?}; {}",
                std::fs::read_to_string(&stderr).unwrap_or_default()
            )
        });
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
        // A state in the details of an error is a header: as large as the real engine accepts.
        let channel = endpoint.http2_max_header_list_size(16 << 20).connect().await.unwrap();
        let client = ResourceProviderClient::new(channel).max_decoding_message_size(400 << 20);
        Self { child, stdin, stderr, killed: AtomicBool::new(false), client }
    }

    /// What it wrote to standard error.
    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Kills the process, without any chance to finish something.
    pub(crate) fn kill(&self) {
        self.signal("KILL");
        self.killed.store(true, Ordering::Relaxed);
    }

    /// The normal end: Cancel, SIGINT, and at most 5 seconds. Nothing is left to do for one that was killed.
    pub(crate) async fn end(mut self) {
        if self.killed.load(Ordering::Relaxed) {
            return;
        }
        // It comes several times.
        self.client.cancel(()).await.unwrap();
        self.client.cancel(()).await.unwrap();
        self.signal("INT");
        let status = self.wait(GRACE).await;
        assert!(
            status.is_some_and(|it| it.success()),
            "an idle provider ends by itself within {GRACE:?}: {status:?}"
        );
    }

    /// The engine is gone, without a word: the connection breaks and standard input ends. The provider has to finish
    /// what it began and then to go.
    pub(crate) async fn abandon(mut self, patience: Duration) {
        self.stdin = None;
        let client = std::mem::replace(&mut self.client, unreachable());
        drop(client);
        let status = self.wait(patience).await;
        assert!(status.is_some(), "a provider without an engine ends by itself within {patience:?}");
    }

    /// Lets its standard input end.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    fn signal(&self, signal: &str) {
        let status =
            Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    async fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        // After a failed assertion it may still run; a process that has ended is not an error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unreachable() -> ResourceProviderClient<Channel> {
    ResourceProviderClient::new(Endpoint::from_static("http://127.0.0.1:9").connect_lazy())
}
