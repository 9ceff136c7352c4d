//! Programs that are no good former ones, as shell scripts; and the ports of a good one, over a line within this process.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use eventual_core::ExecutionId;
use eventual_engine::ports::{Clock, Dispatch, Forward, ListQuery, Message, Meta, Store, Timer};
use eventual_engine::{Registry, States};
use eventual_testing::conformance;

use super::ports::{Asking, Server};
use super::talk::{Down, Up};
use super::*;
use crate::SystemClock;
use crate::code;
use crate::store::LocalStore;

/// What a program says that is one: the files `hello` and `ready` beside the store, as frames.
const GOOD: &str = "cat \"$0.hello\" \"$0.ready\" >&0\n";

/// A store, and one former program, whose executions are only names.
struct Stage {
    folder: tempfile::TempDir,
    code: String,
    host: Arc<Host>,
}

impl Stage {
    /// The program is a script; how often it was started is in the file `started`.
    fn new(script: &str, limits: Limits) -> Self {
        Self::of(&format!("#!/bin/sh\necho once >> \"${{0%/*}}/../started\"\n{script}\n"), 0o700, limits)
    }

    fn of(program: &str, mode: u32, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        fs::write(programs.join("script"), program).unwrap();
        let code = code::hash(&programs.join("script")).unwrap();
        let file = programs.join(&code);
        fs::rename(programs.join("script"), &file).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        for (name, up) in [("hello", Up::Hello(1)), ("other", Up::Hello(99)), ("ready", Up::Ready)] {
            fs::write(programs.join(format!("{code}.{name}")), up.encode().unwrap()).unwrap();
        }
        let failed = Up::Failed("no database".to_owned());
        fs::write(programs.join(format!("{code}.failed")), failed.encode().unwrap()).unwrap();
        let store = LocalStore::open(folder.path(), 1_000).unwrap();
        let (registry, states) = (Arc::new(Registry::default()), Arc::new(States::default()));
        let host = Host::with(store, registry, states, [], "newest", limits);
        Self { folder, code, host }
    }

    async fn ask(&self) -> Result<Forwarded, Fault> {
        let execution = ExecutionId::new("w", "n").unwrap();
        let forward = Forward::Wake { message: Message::default(), redelivered: false };
        self.host.forward(ForwardMessage { execution, code: self.code.clone(), forward }).await
    }

    /// Asks, and expects a fault that says something.
    async fn fails(&self, says: &str) {
        let fault = self.ask().await.unwrap_err();
        let said = format!("{fault}");
        assert!(said.contains(says), "{said}");
    }

    async fn nobody_runs_it(&self) {
        assert_eq!(self.ask().await.unwrap(), Forwarded::NoSuchCode);
    }

    fn started(&self) -> usize {
        fs::read_to_string(self.folder.path().join("started")).unwrap_or_default().lines().count()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("programs").join(&self.code)
    }

    /// Waits until no process has the program as an argument.
    async fn nothing_runs(&self) {
        let name = self.code.as_bytes();
        let runs = || {
            let entries = fs::read_dir("/proc").unwrap().flatten();
            let mut lines = entries.filter_map(|it| fs::read(it.path().join("cmdline")).ok());
            lines.any(|it| it.windows(name.len()).any(|part| part == name))
        };
        until(|| !runs()).await;
    }
}

async fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Short where a test waits for the end of it.
fn limits() -> Limits {
    Limits::default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_a_former_one_parks_and_is_left_alone() {
    let scripts = [
        // It does not know the argument.
        "exit 1",
        "exit 0",
        "echo running 0 tests >&0; exec sleep 60",
        "cat \"$0.other\" >&0; exec sleep 60",
        "cat \"$0.ready\" >&0; exec sleep 60",
        "cat \"$0.hello\" >&0; exit 3",
        "cat \"$0.hello\" \"$0.hello\" >&0; exec sleep 60",
        "cat \"$0.hello\" >&0; head -c 100 /dev/zero >&0; exec sleep 60",
    ];
    for script in scripts {
        let stage = Stage::new(script, limits());
        for _ in 0..3 {
            stage.nobody_runs_it().await;
        }
        assert_eq!(stage.started(), 1, "{script}");
        stage.nothing_runs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_program_or_not_the_one_that_was_kept_is_not_run() {
    let good = format!("#!/bin/sh\n{GOOD}");
    Stage::of("no program at all", 0o700, limits()).nobody_runs_it().await;
    Stage::of(&good, 0o600, limits()).nobody_runs_it().await;
    let stage = Stage::new(GOOD, limits());
    fs::write(stage.file(), format!("#!/bin/sh\necho once >> \"${{0%/*}}/../started\"\n{GOOD}\n#")).unwrap();
    stage.nobody_runs_it().await;
    assert_eq!(stage.started(), 0);
    fs::remove_file(stage.file()).unwrap();
    stage.nobody_runs_it().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_go_better_the_next_time_is_tried_three_times() {
    let short = Duration::from_millis(300);
    let cases = [
        ("exec sleep 60", "said nothing"),
        ("cat \"$0.hello\" >&0; exec sleep 60", "was not ready"),
        ("cat \"$0.hello\" \"$0.failed\" >&0; exec sleep 60", "no database"),
        ("kill -9 $$", "signal: 9"),
    ];
    for (script, says) in cases {
        let unfit = Duration::from_secs(1);
        let hello = if says == "said nothing" { short } else { limits().hello };
        let ready = if says == "was not ready" { short } else { limits().ready };
        let stage = Stage::new(script, Limits { hello, ready, unfit, ..limits() });
        for _ in 0..2 {
            stage.fails(says).await;
        }
        stage.nobody_runs_it().await;
        stage.nobody_runs_it().await;
        // It is left alone for a while, not for ever.
        tokio::time::sleep(unfit).await;
        stage.fails(says).await;
        stage.nothing_runs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_one_that_is_asked_is_a_fault_and_the_next_one_is_started() {
    let answer = Duration::from_millis(300);
    let cases = [
        ("exec sleep 60", answer, "no answer"),
        ("head -c 1 <&0 >/dev/null; kill -9 $$", limits().answer, "ended"),
        ("head -c 1 <&0 >/dev/null; exit 0", limits().answer, "ended"),
        ("head -c 1 <&0 >/dev/null; echo garbage >&0; exec sleep 60", limits().answer, "garb"),
    ];
    for (script, answer, says) in cases {
        let stage = Stage::new(&format!("{GOOD}{script}"), Limits { answer, ..limits() });
        for count in 1..=5 {
            stage.fails(says).await;
            assert_eq!(stage.started(), count, "{script}");
        }
        // A message that nothing else comes between is not given up: its execution is parked, and keeps it.
        stage.nobody_runs_it().await;
        assert_eq!(stage.started(), 5, "{script}");
        stage.nothing_runs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_asked_any_more_is_ended_and_deleted_when_nobody_needs_it() {
    let rest = Duration::from_millis(200);
    let done = Up::Done { forward: 1, answer: Ok(Forwarded::Handled) }.encode().unwrap();
    let script = format!("{GOOD}head -c 1 <&0 >/dev/null; cat \"$0.done\" >&0; exec cat <&0 >/dev/null");
    let stage = Stage::new(&script, Limits { rest, ..limits() });
    let [file, name] = [stage.file(), stage.file().with_extension("done")];
    fs::write(name, done).unwrap();
    assert_eq!(stage.ask().await.unwrap(), Forwarded::Handled);
    assert!(file.exists(), "it runs");
    until(|| !file.exists()).await;
    stage.nothing_runs().await;
    stage.nobody_runs_it().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_those_that_are_asked_something() {
    let stage = Stage::new(&format!("{GOOD}exec sleep 60"), limits());
    let host = stage.host.clone();
    let stop = async {
        until(|| stage.started() == 1).await;
        host.stop_formers().await;
    };
    let (answer, ()) = tokio::join!(stage.ask(), stop);
    assert!(answer.is_err(), "{answer:?}");
    stage.nothing_runs().await;
}

/// The ports of a former program's engine, whose calls are made on a store by the other end of a line.
fn asking(ports: Ports) -> Arc<Asking> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (line, unread) = line::Line::open(theirs).unwrap();
    let server = Server::new(line);
    let answers = server.clone();
    let tell = move |body: &[u8]| {
        let Down::Reply { call, reply } = Down::decode(body)? else { return Err("no answer".to_owned()) };
        answers.answered(call, reply);
        Ok(())
    };
    unread.read(tell, |_| ()).unwrap();
    let (line, unread) = line::Line::open(ours).unwrap();
    let (line, runtime) = (Arc::new(line), tokio::runtime::Handle::current());
    let perform = move |body: &[u8]| {
        let Up::Ask { call, ask, .. } = Up::decode(body)? else { return Err("no call".to_owned()) };
        let (line, ports) = (line.clone(), ports.clone());
        runtime.spawn(async move {
            let reply = ask.perform(&ports).await;
            line.send(Down::Reply { call, reply }.encode().unwrap());
        });
        Ok(())
    };
    unread.read(perform, |_| ()).unwrap();
    Arc::new(Asking(server))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_behind_the_line_keeps_the_promises_of_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), 86_400_000).unwrap();
    let (registry, states) = (Arc::new(Registry::default()), Arc::new(States::default()));
    let host = Host::with(store, registry, states, [], "newest", limits());
    let asking = asking(host.ports().clone());
    conformance::store(&*asking, "line", SystemClock.now()).await.unwrap();

    let wrong = ListQuery { after: Some("?".into()), ..ListQuery::default() };
    let fault = asking.list(&wrong).await.unwrap_err().to_string();
    assert!(fault.contains("`after` is not"), "faults cross the line too: {fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_cross_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), 86_400_000).unwrap();
    let (registry, states) = (Arc::new(Registry::default()), Arc::new(States::default()));
    let host = Host::with(store, registry, states, [("E".into(), "s".into())], "newest", limits());
    let asking = asking(host.ports().clone());
    let id = ExecutionId::new("w", "n").unwrap();
    let meta = Meta::new(id.clone(), "1".into(), 1, 1, "other", None);
    asking.insert(&meta).await.unwrap();
    let fact = eventual_core::Fact::TimerFired { seq: 3 };
    asking.wake(&id, &meta.message(vec![fact.clone()])).await.unwrap();
    asking.timer(&Timer { execution: id.clone(), run: meta.run, due: 5, fact: fact.clone() }).await.unwrap();
    let event = eventual_core::Emitted { name: "E".into(), payload: "{}".into() };
    asking.emit("key", std::slice::from_ref(&event)).await.unwrap();
    let forward = Forward::Query { name: "q".into(), input: "1".into() };
    assert_eq!(asking.forward("nobody", &id, &forward).await.unwrap(), Forwarded::NoSuchCode);
    let nobody = ExecutionId::new("w", "nobody").unwrap();
    let answer = asking.forward("newest", &nobody, &forward).await.unwrap();
    assert!(matches!(&answer, Forwarded::Answered(Err(why)) if why.contains("w/nobody")), "{answer:?}");
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(format!("{:?}", host.store().queue.next().await.unwrap().delivery));
    }
    let has = |text: &str| found.iter().any(|it| it.contains(text));
    assert!(has("TimerFired") && has("Event") && has("facts: []"), "{found:?}");
}
