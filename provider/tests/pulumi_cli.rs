//! The real Pulumi CLI, where there is one: with `pulumi` and `pulumi-language-yaml` on the PATH, it drives the same life
//! of a service as our own engine does in the tests beside this one. Without them every test says that it did not run.
//!
//! What needs a cloud runs only with the emulated AWS (`cargo xtask test --only cloud`).
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(clippy::print_stdout, reason = "whether the CLI was there belongs to the result")]

#[path = "pulumi/fixtures.rs"]
mod fixtures;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const TOKEN: &str = "hunter2hunter2";
const SERVICE: &str = "urn:pulumi:dev::orders::eventual:index:Service::orders";

/// A project with a stack, a backend and a home of its own.
struct Stack {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// What the CLI said, and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        assert!(!self.text.contains(TOKEN), "a secret is shown: {}", self.text);
        self.text
    }

    #[track_caller]
    fn failed(self) -> String {
        assert!(self.code.is_some_and(|it| it != 0), "{}", self.text);
        assert!(!self.text.contains(TOKEN), "a secret is shown: {}", self.text);
        self.text
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The binary under test.
fn plugin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_pulumi-resource-eventual"))
}

impl Stack {
    /// `None` where there is no CLI, which is said.
    fn new(endpoint: &str) -> Option<Self> {
        if !["pulumi", "pulumi-language-yaml"].iter().all(|it| on_path(it)) {
            println!("the real Pulumi CLI did NOT run: pulumi and pulumi-language-yaml are not on the PATH");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let local = |name: &str| folder.path().join(name).display().to_string();
        let environment = [
            ("PULUMI_HOME", local("home")),
            ("PULUMI_BACKEND_URL", format!("file://{}", local("state"))),
            ("PULUMI_CONFIG_PASSPHRASE", "x".to_owned()),
            ("PULUMI_SKIP_UPDATE_CHECK", "true".to_owned()),
            ("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true".to_owned()),
            ("NO_COLOR", "1".to_owned()),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let environment = environment.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let stack = Self { folder, environment };
        stack.program("eventual:index:Service", "");
        stack.run(&["stack", "init", "dev"]).fine();
        println!("the real Pulumi CLI runs");
        Some(stack)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the program: one service, with more lines of properties.
    fn program(&self, kind: &str, properties: &str) {
        let text = format!(
            "name: orders\nruntime: yaml\nplugins:\n  providers: [{{ name: eventual, path: {:?} }}]\n\
             resources:\n  orders:\n    type: {kind}\n    properties:\n      artifact: {{ fn::fileArchive: ./orders.zip }}\n      \
             environment: {{ TOKEN: {{ fn::secret: {TOKEN} }} }}\n      forceDestroy: true\n      defaults: {{ auth: {{ type: iam }} }}\n{properties}\
             outputs:\n  url: ${{orders.url}}\n",
            plugin().parent().unwrap().display().to_string()
        );
        let declared = std::fs::read_to_string(self.path("packages.yaml")).unwrap_or_default();
        std::fs::write(self.path("Pulumi.yaml"), text + &declared).unwrap();
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new("pulumi");
        command.args(words).arg("--non-interactive").current_dir(self.folder.path());
        if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        }
        let output =
            command.env_remove("AWS_PROFILE").envs(self.environment.iter().cloned()).output().unwrap();
        let text =
            [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
        Said { code: output.status.code(), text }
    }

    fn up(&self, more: &[&str]) -> Said {
        self.run(&[&["up", "--yes", "--skip-preview"], more].concat())
    }

    /// Neither `up` nor `refresh` finds anything to do.
    #[track_caller]
    fn assert_settled(&self) {
        self.up(&["--expect-no-changes"]).fine();
        self.run(&["refresh", "--yes", "--skip-preview", "--expect-no-changes"]).fine();
        self.up(&["--expect-no-changes"]).fine();
        let state = std::fs::read_to_string(self.path("state/.pulumi/stacks/orders/dev.json")).unwrap();
        assert!(!state.contains(TOKEN), "a secret lies in the state in clear");
    }

    /// The outputs of the service, from the state.
    fn outputs(&self) -> Value {
        let state: Value = serde_json::from_str(&self.run(&["stack", "export"]).fine()).unwrap();
        let resources = state["deployment"]["resources"].as_array().unwrap().clone();
        resources.into_iter().find(|it| it["urn"] == SERVICE).unwrap()["outputs"].take()
    }
}

/// A project whose cloud only answers who we are.
async fn offline() -> Option<Stack> {
    let stack = Stack::new(&fixtures::identity().await)?;
    fixtures::write_artifact(&stack.path("orders.zip"), "0.1.0");
    Some(stack)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_finds_the_schemas_good() {
    let Some(stack) = offline().await else { return };
    let plugin = plugin().display().to_string();
    for words in
        [vec!["package", "get-schema", &plugin], vec!["package", "get-schema", &plugin, "orders.zip"]]
    {
        std::fs::write(stack.path("schema.json"), stack.run(&words).fine()).unwrap();
        stack.run(&["schema", "check", "schema.json"]).fine();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_shows_what_would_be_made_and_what_is_misspelt() {
    let Some(stack) = offline().await else { return };
    stack.program(
        "eventual:index:Service",
        "      name: orders\n      commands: { placeOrder: { memoryMb: 640 } }\n",
    );
    let text = stack.run(&["preview"]).fine();
    assert!(text.contains("2 to create"), "{text}");
    stack.program("eventual:index:Service", "      commands: { plceOrder: { memoryMb: 640 } }\n");
    let text = stack.run(&["preview"]).failed();
    assert!(text.contains("commands.plceOrder: ") && text.contains("placeOrder"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cli_adds_a_package_of_one_service() {
    let Some(stack) = offline().await else { return };
    let plugin = plugin().display().to_string();
    stack.run(&["package", "add", &plugin, "orders.zip"]).fine();
    let added = std::fs::read_to_string(stack.path("Pulumi.yaml")).unwrap();
    let declared = &added[added.find("packages:").unwrap()..];
    std::fs::write(stack.path("packages.yaml"), declared).unwrap();
    stack.program("orders:index:Service", "      commands: { placeOrder: { memoryMb: 640 } }\n");
    let text = stack.run(&["preview"]).fine();
    assert!(text.contains("2 to create"), "{text}");
    stack.program("orders:index:Service", "      commands: { plceOrder: { memoryMb: 640 } }\n");
    let text = stack.run(&["preview"]).failed();
    assert!(text.contains("Existing properties are") && text.contains("placeOrder"), "{text}");
}

/// A project on the emulated AWS, with the artifact of the example; `None` without one, which is said.
fn on_the_emulator() -> Option<Stack> {
    let (Ok(endpoint), Ok(artifact)) =
        (std::env::var("EVENTUAL_TEST_ENDPOINT"), std::env::var("EVENTUAL_TEST_ARTIFACT"))
    else {
        println!(
            "the life of a service did NOT run: it needs the emulated AWS, `cargo xtask test --only cloud`"
        );
        return None;
    };
    let stack = Stack::new(&endpoint)?;
    std::fs::copy(artifact, stack.path("orders.zip")).unwrap();
    Some(stack)
}

#[test]
fn a_service_lives_through_the_cli() {
    let Some(stack) = on_the_emulator() else { return };
    let name = format!("      name: cli-life-{}\n", std::process::id());
    stack.program("eventual:index:Service", &name);
    assert!(stack.run(&["preview"]).fine().contains("2 to create"));
    assert!(stack.up(&[]).fine().contains("2 created"));
    stack.assert_settled();
    let made = stack.outputs();

    // An override touches the one command, and is shown by its path.
    let overridden = format!("{name}      commands: {{ placeOrder: {{ memoryMb: 768 }} }}\n");
    stack.program("eventual:index:Service", &overridden);
    let text = stack.run(&["preview", "--diff"]).fine();
    assert!(text.contains("memoryMb") && text.contains("1 to update"), "{text}");
    stack.up(&[]).fine();
    stack.assert_settled();
    let now = stack.outputs();
    assert_eq!(now["incarnation"], made["incarnation"], "it is the same deployment");
    let children = |of: &Value| of["resources"].as_object().unwrap().clone();
    let changed: Vec<String> = children(&now)
        .into_iter()
        .filter(|(key, it)| made["resources"][key] != *it)
        .map(|(key, _)| key)
        .collect();
    assert_eq!(changed, ["function/command-placeOrder"]);

    // Another name is another service, and the old one goes first.
    stack.program("eventual:index:Service", &name.replace("cli-life", "cli-next"));
    let text = stack.up(&[]).fine();
    assert!(text.contains("1 replaced"), "{text}");
    stack.assert_settled();
    stack.run(&["destroy", "--yes", "--skip-preview"]).fine();
    stack.run(&["stack", "rm", "--yes"]).fine();
}

#[test]
fn an_update_that_is_killed_is_finished_by_the_next() {
    let Some(stack) = on_the_emulator() else { return };
    let name = format!("      name: cli-kill-{}\n", std::process::id());
    stack.program("eventual:index:Service", &name);
    // An interrupted creation: the CLI dies without a word, its provider finishes what it began and goes.
    let mut child = Command::new("pulumi")
        .args(["up", "--yes", "--skip-preview", "--non-interactive"])
        .current_dir(stack.folder.path())
        .envs(stack.environment.iter().cloned())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let begun = lines.map_while(Result::ok).find(|line| line.contains("created role/"));
    assert!(begun.is_some(), "the creation made a role");
    child.kill().unwrap();
    child.wait().unwrap();
    stack.run(&["cancel", "--yes"]).fine();
    // Until the orphan has ended, it holds the deployment and the next run is told so.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(90);
    loop {
        let said = stack.up(&[]);
        if said.code == Some(0) {
            break;
        }
        assert!(said.text.contains("another run") && std::time::Instant::now() < deadline, "{}", said.text);
    }
    stack.run(&["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]).fine();
    stack.up(&["--expect-no-changes"]).fine();
    stack.run(&["destroy", "--yes", "--skip-preview"]).fine();
}
