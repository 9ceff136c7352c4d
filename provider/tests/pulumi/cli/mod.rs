//! The real Pulumi CLI: a project with a stack, a backend and a home of its own, in a temporary folder.
#![allow(dead_code, reason = "each test target drives a part of it")]

pub(crate) mod driver;
mod programs;
mod rpc_log;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A secret that must never be seen in clear.
pub(crate) const TOKEN: &str = "hunter2hunter2";
/// The service.
pub(crate) const SERVICE: &str = "urn:pulumi:dev::orders::eventual:index:Service::orders";

/// A project.
pub(crate) struct Stack {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What the CLI said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its exit code; `None` when it was killed.
    pub(crate) code: Option<i32>,
    /// Both of its streams.
    pub(crate) text: String,
}

impl Said {
    /// What was said by a command that ended well.
    #[track_caller]
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        assert!(!self.text.contains(TOKEN), "a secret is shown: {}", self.text);
        self.text
    }

    /// What was said by a command that failed.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert!(self.code.is_some_and(|it| it != 0), "{}", self.text);
        assert!(!self.text.contains(TOKEN), "a secret is shown: {}", self.text);
        self.text
    }
}

/// Whether there is a program of that name.
pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The binary under test.
pub(crate) fn plugin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_pulumi-resource-eventual"))
}

impl Stack {
    /// `None` where there is no CLI, which is said.
    #[allow(clippy::print_stdout, reason = "whether the CLI was there belongs to the result")]
    pub(crate) fn new(endpoint: &str) -> Option<Self> {
        if !["pulumi", "pulumi-language-yaml"].iter().all(|it| on_path(it)) {
            println!("the real Pulumi CLI did NOT run: pulumi and pulumi-language-yaml are not on the PATH");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let local = |name: &str| folder.path().join(name).display().to_string();
        let environment = [
            ("PULUMI_HOME", local("home")),
            ("PULUMI_CONFIG_PASSPHRASE", "x".to_owned()),
            ("PULUMI_SKIP_UPDATE_CHECK", "true".to_owned()),
            ("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let environment = environment.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let mut stack = Self { folder, environment };
        stack.write("eventual:index:Service", "");
        stack.backend(0);
        println!("the real Pulumi CLI runs");
        Some(stack)
    }

    /// Goes to the backend of that number, and makes the stack in it if there is none.
    pub(crate) fn backend(&mut self, number: usize) {
        let state = self.path(&format!("state-{number}"));
        self.environment.retain(|(key, _)| key != "PULUMI_BACKEND_URL");
        self.environment.push(("PULUMI_BACKEND_URL".to_owned(), format!("file://{}", state.display())));
        if !state.exists() {
            std::fs::create_dir(&state).unwrap();
            self.run(&["stack", "init", "dev"]).fine();
        }
        self.run(&["stack", "select", "dev"]).fine();
    }

    /// A file of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the program: one service, with more lines of properties.
    pub(crate) fn write(&self, kind: &str, properties: &str) {
        let service = format!(
            "    type: {kind}\n    properties:\n      artifact: {{ fn::fileArchive: ./orders.zip }}\n      \
             environment: {{ TOKEN: {{ fn::secret: {TOKEN} }} }}\n      forceDestroy: true\n      defaults: {{ auth: {{ type: iam }} }}\n{properties}"
        );
        self.write_service(&service);
    }

    /// Writes the program: one service, of these lines.
    pub(crate) fn write_service(&self, service: &str) {
        let text = format!(
            "name: orders\nruntime: yaml\nplugins:\n  providers: [{{ name: eventual, path: {:?} }}]\n\
             resources:\n  orders:\n{service}outputs:\n  url: ${{orders.url}}\n",
            plugin().parent().unwrap().display().to_string()
        );
        let declared = std::fs::read_to_string(self.path("packages.yaml")).unwrap_or_default();
        std::fs::write(self.path("Pulumi.yaml"), text + &declared).unwrap();
    }

    /// The CLI with these words, to be run in the project.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("pulumi");
        command.args(words).arg("--non-interactive").current_dir(self.folder.path()).stdin(Stdio::null());
        if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        }
        command.env_remove("AWS_PROFILE").envs(self.environment.iter().cloned());
        command
    }

    /// Runs the CLI to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        let output = self.command(words).output().unwrap();
        let text =
            [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
        Said { code: output.status.code(), text }
    }

    /// `up` without a preview.
    pub(crate) fn up(&self, more: &[&str]) -> Said {
        self.run(&[&["up", "--yes", "--skip-preview"], more].concat())
    }

    /// What the backend of that number holds, as it lies on the disk.
    pub(crate) fn state(&self, backend: usize) -> String {
        let file = self.path(&format!("state-{backend}/.pulumi/stacks/orders/dev.json"));
        std::fs::read_to_string(file).unwrap_or_default()
    }

    /// Neither `up` nor `refresh` finds anything to do.
    #[track_caller]
    pub(crate) fn assert_settled(&self) {
        self.up(&["--expect-no-changes"]).fine();
        self.run(&["refresh", "--yes", "--skip-preview", "--expect-no-changes"]).fine();
        self.up(&["--expect-no-changes"]).fine();
        assert!(!self.state(0).contains(TOKEN), "a secret lies in the state in clear");
    }

    /// The outputs of the service, from the state.
    pub(crate) fn outputs(&self) -> Value {
        self.outputs_of("eventual:index:Service")
    }

    /// The outputs of the service of this type, from the state.
    pub(crate) fn outputs_of(&self, kind: &str) -> Value {
        let state: Value = serde_json::from_str(&self.run(&["stack", "export"]).fine()).unwrap();
        let resources = state["deployment"]["resources"].as_array().unwrap().clone();
        resources.into_iter().find(|it| it["type"] == kind).unwrap()["outputs"].take()
    }
}
