//! Plays sequences on the real CLI.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{SERVICE, Said, Stack, TOKEN, rpc_log};
use crate::sequences::{Choice, Command, Driver, Kept, Ran, Wish};

/// How long an orphan may take to finish what it began.
const ORPHANED: Duration = Duration::from_secs(120);

/// How long the CLI may take to see a signal.
const PAUSE: Duration = Duration::from_millis(500);

/// The CLI in front of a project.
pub(crate) struct Cli {
    stack: Stack,
    backend: usize,
    count: usize,
    artifacts: [Vec<u8>; 2],
}

impl Cli {
    /// `artifacts` are two builds.
    pub(crate) fn new(stack: Stack, artifacts: [Vec<u8>; 2]) -> Self {
        Self { stack, backend: 0, count: 0, artifacts }
    }

    fn write(&self, wish: &Wish, name: &str) {
        let artifact = &self.artifacts[(wish.build - 1) as usize];
        std::fs::write(self.stack.path("orders.zip"), artifact).unwrap();
        let settings = wish.provider.as_object().unwrap().iter();
        let settings: Vec<String> = settings.map(|(key, it)| format!("  eventual:{key}: {it}\n")).collect();
        // The passphrase's salt stays, or the state could not be read.
        let file = self.stack.path("Pulumi.dev.yaml");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        let salt: String = before
            .lines()
            .filter(|it| it.starts_with("encryptionsalt"))
            .map(|it| format!("{it}\n"))
            .collect();
        let settings =
            if settings.is_empty() { String::new() } else { format!("config:\n{}", settings.concat()) };
        std::fs::write(file, salt + &settings).unwrap();
        if wish.option == Choice::Get {
            self.stack
                .write_service(&format!("    type: eventual:index:Service\n    get: {{ id: {name} }}\n"));
            return;
        }
        // JSON is YAML.
        let more = wish.inputs.as_object().unwrap().iter();
        let more: String = more.map(|(key, it)| format!("      {key}: {it}\n")).collect();
        let option = match wish.option {
            Choice::None | Choice::Get => String::new(),
            Choice::Import => format!("    options: {{ import: {name} }}\n"),
            Choice::DeleteFirst => "    options: { deleteBeforeReplace: true }\n".to_owned(),
        };
        self.stack.write("eventual:index:Service", &format!("      name: {name}\n{more}{option}"));
    }

    fn ran(&self, said: Said, log: Option<&str>) -> Ran {
        let state = self.stack.state(self.backend);
        assert!(!state.contains(TOKEN), "a secret lies in the state in clear");
        let state: Value = serde_json::from_str(&state).unwrap();
        let latest = &state["checkpoint"]["latest"];
        let views = latest["resources"].as_array().into_iter().flatten();
        let views = views.filter(|it| it["viewOf"].as_str().is_some_and(|it| !it.is_empty())).count();
        let services = latest["resources"].as_array().into_iter().flatten();
        let kept = services.filter(|it| it["urn"] == SERVICE).map(kept).collect();
        let pending = latest["pending_operations"].as_array().into_iter().flatten();
        let pending = pending.map(|it| it["type"].as_str().unwrap_or_default().to_owned()).collect();
        let calls = log.map(|it| rpc_log::calls(&self.stack.path(it))).unwrap_or_default();
        Ran { well: said.code == Some(0), said: said.text, calls, kept, views, pending }
    }

    /// Runs `up` or `destroy`; once a first role is made, a child is being changed, or one is deleted, `interfere` gets the process.
    fn interrupted(&self, log: &str, word: &str, interfere: impl FnOnce(&mut Child)) -> Said {
        // An update of everything takes little more than a second: that its first child has begun is all that is waited for.
        const BEGUN: [&str; 3] = ["created role/", "; updating ", "deleted "];
        let mut command = self.stack.command(&[word, "--yes", "--skip-preview"]);
        command.env("PULUMI_DEBUG_GRPC", self.stack.path(log));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !BEGUN.iter().any(|it| text.contains(it)) {
            let read = output.read_line(&mut text).unwrap();
            assert!(read > 0, "it ended before anything was done:\n{text}");
        }
        interfere(&mut child);
        output.read_to_string(&mut text).unwrap();
        Said { code: child.wait().unwrap().code(), text }
    }
}

fn kept(resource: &Value) -> Kept {
    let marks = ["delete", "pendingReplacement", "taint", "external"];
    Kept {
        id: resource["id"].as_str().unwrap_or_default().to_owned(),
        outputs: resource["outputs"].clone(),
        init_errors: resource["initErrors"].as_array().map_or(0, Vec::len),
        marks: marks.into_iter().filter(|it| resource[*it] == true).collect(),
    }
}

fn signal(signal: &str, process: u32) {
    let sent = Process::new("kill").args([format!("-{signal}"), process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The providers that this process started, while they run.
fn providers(parent: u32) -> Vec<u32> {
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok());
    let of_parent = |process: &u32| {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
        // `123 (pulumi-resource) S 45 ...`
        let Some((name, rest)) = stat.rsplit_once(") ") else { return false };
        name.contains("(pulumi-resourc") && rest.split(' ').nth(1) == Some(&parent.to_string())
    };
    processes.filter(of_parent).collect()
}

fn wait_until_gone(process: u32) {
    let deadline = Instant::now() + ORPHANED;
    while std::path::Path::new(&format!("/proc/{process}")).exists() {
        assert!(Instant::now() < deadline, "the provider {process} does not end without its engine");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Driver for Cli {
    async fn run(&mut self, wish: &Wish, name: &str, command: Command) -> Ran {
        self.write(wish, name);
        self.count += 1;
        let log = format!("grpc-{}.json", self.count);
        let up = ["up", "--yes", "--skip-preview"];
        let destroys = [
            Command::DestroyCtrlC,
            Command::DestroyCtrlCTwice,
            Command::DestroyKillEngine,
            Command::DestroyKillProvider,
        ];
        let word = if destroys.contains(&command) { "destroy" } else { "up" };
        let said = match command {
            Command::UpCtrlC | Command::DestroyCtrlC => {
                self.interrupted(&log, word, |child| signal("INT", child.id()))
            }
            Command::UpCtrlCTwice | Command::DestroyCtrlCTwice => self.interrupted(&log, word, |child| {
                // The provider must not have answered before the second one.
                let providers = providers(child.id());
                providers.iter().for_each(|it| signal("STOP", *it));
                signal("INT", child.id());
                // Two of a kind that wait are one, and nothing tells when the engine has seen the first.
                std::thread::sleep(PAUSE);
                signal("INT", child.id());
                std::thread::sleep(PAUSE);
                providers.iter().for_each(|it| signal("CONT", *it));
            }),
            Command::UpKillEngine | Command::DestroyKillEngine => {
                let mut orphans = Vec::new();
                let said = self.interrupted(&log, word, |child| {
                    orphans = providers(child.id());
                    child.kill().unwrap();
                });
                assert!(!orphans.is_empty());
                orphans.into_iter().for_each(wait_until_gone);
                self.stack.run(&["cancel", "--yes"]).fine();
                said
            }
            Command::UpKillProvider | Command::DestroyKillProvider => self.interrupted(&log, word, |child| {
                providers(child.id()).into_iter().for_each(|it| signal("KILL", it));
            }),
            other => {
                let words: Vec<&str> = match other {
                    Command::Preview => vec!["preview"],
                    Command::UpTargetReplace => [&up[..], &["--target-replace", SERVICE]].concat(),
                    Command::UpReplace => [&up[..], &["--replace", SERVICE]].concat(),
                    Command::Taint => vec!["state", "taint", SERVICE, "--yes"],
                    Command::Forget => vec!["state", "delete", SERVICE, "--yes"],
                    Command::Refresh => vec!["refresh", "--yes", "--skip-preview"],
                    Command::Destroy => vec!["destroy", "--yes", "--skip-preview"],
                    Command::Import => vec![
                        "import",
                        "eventual:index:Service",
                        "orders",
                        name,
                        "--yes",
                        "--skip-preview",
                        "--protect=false",
                        "--generate-code=false",
                    ],
                    _ => up.to_vec(),
                };
                let mut command = self.stack.command(&words);
                let output = command.env("PULUMI_DEBUG_GRPC", self.stack.path(&log)).output().unwrap();
                let streams = [output.stdout, output.stderr];
                let text = streams.map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
                Said { code: output.status.code(), text }
            }
        };
        self.ran(said, Some(&log))
    }

    async fn backend(&mut self, number: usize) {
        self.backend = number;
        self.stack.backend(number);
    }
}
