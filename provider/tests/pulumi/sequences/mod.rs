//! Sequences of commands that two engines must play in the same way: our own small one, and the real Pulumi CLI.
//!
//! One table, two drivers. What a sequence gives is a text: each command with the calls that the provider got, and what is
//! in the state after it. The text is committed beside the table. Our engine is compared with it in every run of the
//! suite, the real CLI where there is one; `UPDATE_EXPECT=1` with the real CLI writes it anew, since that one is the judge.
#![allow(dead_code, reason = "each test target drives a part of it")]

mod table;
pub(crate) mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

pub(crate) use table::table;
use world::World;

/// A secret that must never be seen in clear.
pub(crate) const TOKEN: &str = "hunter2hunter2";

/// A sequence.
pub(crate) struct Sequence {
    /// Its name, short: it becomes part of the deployment's.
    pub(crate) name: &'static str,
    /// What is done, in order.
    pub(crate) steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The user writes another program.
    Write(Wish),
    /// The user gives a command, and it ends so.
    Give(Command, Ends),
    /// Somebody else does something in the cloud.
    Happens(Event),
    /// The user goes to another backend, which holds a stack of the same name: 0 is the first one.
    Backend(usize),
}

/// What the program says of its one service, beside name, artifact, a secret environment and `forceDestroy`.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// More inputs, without secrets.
    pub(crate) inputs: Value,
    /// Configuration of the provider: text by key.
    pub(crate) provider: Value,
    /// Which build the artifact is: another number is another file.
    pub(crate) build: u32,
    /// The resource's option.
    pub(crate) option: Choice,
    /// What the deployment's name begins with; none is the sequence's own.
    pub(crate) renamed: Option<&'static str>,
}

/// The option of a resource that matters to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// None.
    None,
    /// `import`, of the deployment's name.
    Import,
    /// `get`: the resource is read only.
    Get,
    /// `deleteBeforeReplace: true`.
    DeleteFirst,
}

impl Wish {
    /// The least program.
    pub(crate) fn new() -> Self {
        Self { inputs: json!({}), provider: json!({}), build: 1, option: Choice::None, renamed: None }
    }
}

/// What a user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `preview`.
    Preview,
    /// `up`.
    Up,
    /// `up --target-replace` of the service.
    UpTargetReplace,
    /// `up --replace` of the service.
    UpReplace,
    /// `state taint` of the service.
    Taint,
    /// `state delete` of the service.
    Forget,
    /// `refresh`.
    Refresh,
    /// `import` of the service by its name.
    Import,
    /// `destroy`.
    Destroy,
    /// `up`, and Ctrl-C in the middle.
    UpCtrlC,
    /// `up`, and Ctrl-C twice in the middle.
    UpCtrlCTwice,
    /// `up`, and the engine is killed in the middle.
    UpKillEngine,
    /// `up`, and the provider is killed in the middle.
    UpKillProvider,
    /// `destroy`, and Ctrl-C in the middle.
    DestroyCtrlC,
    /// `destroy`, and Ctrl-C twice in the middle.
    DestroyCtrlCTwice,
    /// `destroy`, and the engine is killed in the middle.
    DestroyKillEngine,
    /// `destroy`, and the provider is killed in the middle.
    DestroyKillProvider,
}

/// How a command ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    /// Well.
    Well,
    /// With a failure that says this.
    Badly(&'static str),
}

/// What happens outside of any engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// One log group of the service is deleted.
    LogGroupGone,
    /// Somebody makes a log group of a name that the service needs.
    ObstacleMade,
    /// They delete it again.
    ObstacleGone,
}

/// What came of a command.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// Whether it ended well.
    pub(crate) well: bool,
    /// All that the user read.
    pub(crate) said: String,
    /// Calls of the provider, as `trace::line` writes them.
    pub(crate) calls: Vec<String>,
    /// Services in the state, in order.
    pub(crate) kept: Vec<Kept>,
    /// How many children are entries of their own.
    pub(crate) views: usize,
    /// Operations in the state that were begun and never ended.
    pub(crate) pending: Vec<String>,
}

/// A service in the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Its id.
    pub(crate) id: String,
    /// Its outputs.
    pub(crate) outputs: Value,
    /// Why it is not whole.
    pub(crate) init_errors: usize,
    /// What else the state says of it: `delete`, `pendingReplacement`, `taint`, `external`.
    pub(crate) marks: Vec<&'static str>,
}

/// An engine with a user in front of it.
pub(crate) trait Driver {
    /// Gives the command, of a program with this wish for the deployment `name`.
    async fn run(&mut self, wish: &Wish, name: &str, command: Command) -> Ran;
    /// Goes to the backend of that number.
    async fn backend(&mut self, number: usize);
}

/// Plays a sequence; answers what is to be compared.
pub(crate) async fn play(sequence: &Sequence, driver: &mut impl Driver, tag: &str) -> String {
    let own = format!("{}-{tag}{}", sequence.name, std::process::id());
    let mut wish = Wish::new();
    let mut world = World::new().await;
    let mut incarnations = BTreeMap::new();
    let mut last: Vec<Kept> = Vec::new();
    let mut text = String::new();
    for step in &sequence.steps {
        let name =
            wish.renamed.map_or_else(|| own.clone(), |first| format!("{first}-{tag}{}", std::process::id()));
        match step {
            Step::Write(next) => wish = next.clone(),
            Step::Backend(number) => {
                text.push_str(&format!("\n# backend {number}\n"));
                driver.backend(*number).await;
            }
            Step::Happens(event) => {
                text.push_str(&format!("\n# {event:?}\n"));
                world.happens(*event, &name, last.last()).await;
            }
            Step::Give(command, ends) => {
                let ran = driver.run(&wish, &name, *command).await;
                judge(*command, *ends, &ran, &text);
                text.push_str(&format!("\n# {command:?}\n{}", told(*command, &ran, &mut incarnations)));
                text = text.replace(&name, "<name>").replace(&own, "<the first name>");
                last = ran.kept;
            }
        }
    }
    world.assert_empty(&own).await;
    text.trim_start().to_owned()
}

fn judge(command: Command, ends: Ends, ran: &Ran, before: &str) {
    let Ran { said, .. } = ran;
    match ends {
        Ends::Well => assert!(ran.well, "{command:?} failed:\n{said}\nafter\n{before}"),
        Ends::Badly(part) => {
            assert!(!ran.well && said.contains(part), "{command:?} says {part:?}:\n{said}\nafter\n{before}");
        }
    }
    assert!(!said.contains(TOKEN), "{command:?} shows a secret:\n{said}");
}

/// The calls, and the state: incarnations are numbered as they are first seen.
fn told(command: Command, ran: &Ran, incarnations: &mut BTreeMap<String, usize>) -> String {
    let mut calls = ran.calls.clone();
    // An engine that finds nothing to do may end before it has finished configuring.
    if calls.last().is_some_and(|it| it.starts_with("Configure ")) {
        calls.pop();
    }
    if let (Command::UpCtrlCTwice | Command::DestroyCtrlCTwice, Some(last)) = (command, calls.last_mut()) {
        let told = last.split('\n').next().unwrap_or_default();
        // The answer may still come, but nobody looks at it.
        *last = format!("{told}\n    -> not waited for");
    }
    let mut text: String = calls.iter().map(|call| format!("{call}\n")).collect();
    for kept in &ran.kept {
        let incarnation = kept.outputs["incarnation"].as_str().unwrap_or_default().to_owned();
        let next = incarnations.len() + 1;
        let number = *incarnations.entry(incarnation).or_insert(next);
        text.push_str(&format!("state: {} incarnation {number}", kept.id));
        if kept.init_errors > 0 {
            text.push_str(", not whole");
        }
        for mark in &kept.marks {
            text.push_str(&format!(", {mark}"));
        }
        text.push('\n');
    }
    if ran.views > 0 {
        text.push_str(&format!("views: {}\n", ran.views));
    }
    text.extend(ran.pending.iter().map(|it| format!("pending: {it}\n")));
    text
}

/// The committed text of a sequence.
pub(crate) fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/pulumi/sequences/{name}.txt"))
}

/// Compares with the committed text. Only the judge may write it.
pub(crate) fn compare(name: &str, played: &str, judge: bool) {
    if judge {
        expect_test::ExpectFile { path: committed(name), position: "" }.assert_eq(played);
        return;
    }
    let expected = std::fs::read_to_string(committed(name)).unwrap_or_default();
    assert!(
        expected == played,
        "our engine plays {name} in another way than the real one. {}\n--- ours, whole:\n{played}",
        first_difference(&expected, played)
    );
}

fn first_difference(real: &str, ours: &str) -> String {
    let mut last = "";
    for (real, ours) in
        real.lines().map(Some).chain(std::iter::repeat(None)).zip(ours.lines().map(Some).chain([None]))
    {
        if real != ours {
            return format!("After {last:?}\n  real: {real:?}\n  ours: {ours:?}");
        }
        last = real.unwrap_or_default();
    }
    "One is longer than the other.".to_owned()
}

/// One test for each sequence, which `$play`s it by its name. A test checks that none is forgotten here.
macro_rules! each_is_a_test {
    ($play:ident) => {
        $crate::sequences::each_is_a_test!($play:
            life "life", replace "replace", rename "rename", import "import", half "half", drift "drift",
            config "config", interrupted "ctrlc", interrupted_twice "ctrlc2", engine_killed "killed-engine",
            provider_killed "killed-plugin", stopped_destructions "stopped-destroy",
            stopped_updates "stopped-update", twins "twins", views "views");
    };
    ($play:ident: $($test:ident $name:literal),*) => {
        mod each {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$play($name).await;
            })*

            #[test]
            fn every_sequence_is_played() {
                let all: Vec<&str> = $crate::sequences::table().iter().map(|it| it.name).collect();
                assert_eq!(all, [$($name),*]);
            }
        }
    };
}
pub(crate) use each_is_a_test;
