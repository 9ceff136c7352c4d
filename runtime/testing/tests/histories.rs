//! Histories of former days replay for ever: the texts in `tests/histories` are what an engine once wrote, and the code
//! that wrote them must take every turn again. `UPDATE_EXPECT=1` adds histories of new workflows and never rewrites one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod raw;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use eventual_engine::core::{Call, Emitted, Failure, Outcome, ParentClose, Payload, RetryPolicy, TaskCall};
use eventual_engine::ports::ListQuery;
use eventual_engine::{HandlerRequest, Registry, States, TaskEntry, WorkflowFn, codec};
use eventual_testing::drive::Drive;
use eventual_testing::replay::replay;
use futures_util::future::{join, select};
use raw::{ask, id, text};

type Code = Pin<Box<dyn Future<Output = Outcome>>>;

/// Never change the code of one of these: add another.
const WORKFLOWS: [(&str, WorkflowFn); 5] =
    [("child", child), ("fails", fails), ("order", order), ("races", races), ("retries", retries)];

fn order(_: Payload) -> Code {
    Box::pin(async {
        let paid = text(ask(|_| task("echo", "{\"card\":\"4242\"}", RetryPolicy::default())).await);
        ask(|_| Call::Emit(vec![Emitted { name: "Paid".into(), payload: "1".into() }])).await;
        let other = Call::Workflow {
            execution: id("child/detached"),
            input: "2".into(),
            detached: true,
            answered: true,
            close: ParentClose::default(),
            attributes: std::collections::BTreeMap::new(),
        };
        ask(|_| other).await;
        let waited = Call::Workflow {
            execution: id("child/waited"),
            input: "1".into(),
            detached: false,
            answered: true,
            close: ParentClose::default(),
            attributes: std::collections::BTreeMap::new(),
        };
        let signalling = async {
            ask(|now| Call::Timer { due: now + 90_000 }).await;
            for child in ["child/waited", "child/detached"] {
                let (execution, payload) = (id(child), "\"go\"".into());
                ask(|_| Call::Send { execution, signal: "go".into(), payload, answered: true }).await;
            }
        };
        let came = text(join(ask(|_| waited), signalling).await.0);
        let noted = text(ask(|_| task("note", "null", RetryPolicy::default())).await);
        Outcome::Succeeded(format!("[{paid},{came},{noted}]").as_str().into())
    })
}

fn child(input: Payload) -> Code {
    Box::pin(async move {
        ask(|_| Call::Signal { name: "go".into() }).await;
        Outcome::Succeeded(input)
    })
}

fn fails(_: Payload) -> Code {
    Box::pin(async { ask(|_| task("flaky", "1", RetryPolicy::default())).await })
}

fn races(_: Payload) -> Code {
    Box::pin(async {
        let mut won = Vec::new();
        for _ in 0..3 {
            let signal = ask(|_| Call::Signal { name: "go".into() });
            let timer = ask(|now| Call::Timer { due: now + 30_000 });
            let first = select(Box::pin(signal), Box::pin(timer)).await.factor_first().0;
            won.push(text(first));
        }
        Outcome::Succeeded(format!("[{}]", won.join(",")).as_str().into())
    })
}

fn retries(_: Payload) -> Code {
    let retry = RetryPolicy { attempts: 5, errors: true, initial_ms: 1_000, ..RetryPolicy::default() };
    Box::pin(async move { ask(|_| task("flaky", "3", retry)).await })
}

fn task(name: &str, input: &str, retry: RetryPolicy) -> Call {
    Call::Task(TaskCall { inline: name == "note", retry, ..TaskCall::new(name, input.into()) })
}

fn echo(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move { Outcome::Succeeded(request.input) })
}

fn flaky(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        if request.context.attempt == 3 {
            return Outcome::Succeeded(request.input);
        }
        let (class, message) = ("Flaky::NotYet".to_owned(), "not yet".to_owned());
        Outcome::Failed(Failure { data: "{\"wait\":1}".into(), ..Failure::new(&class, message, 503) })
    })
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.workflows.extend(WORKFLOWS.map(|(name, code)| (name.to_owned(), code)));
    let entry = TaskEntry::new;
    registry.tasks.insert("echo".into(), entry(echo, false));
    registry.tasks.insert("note".into(), entry(echo, true));
    registry.tasks.insert("flaky".into(), entry(flaky, false));
    registry
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "histories"].iter().collect()
}

/// Runs all workflows; the text of each execution, by the name of its file.
fn write_anew() -> Vec<(String, String)> {
    let drive = Drive::new(registry(), States::default(), []);
    for workflow in ["fails", "order", "races", "retries"] {
        drive.block_on(drive.client().start(workflow, Some("one"), "null".into())).unwrap();
    }
    drive.advance(Duration::from_secs(40));
    drive.block_on(drive.client().signal(&id("races/one"), "go", "\"go\"".into())).unwrap();
    drive.advance(Duration::from_secs(600));
    let page = drive.block_on(drive.store().list(&ListQuery { limit: 100, ..ListQuery::default() })).unwrap();
    let file = |id: &str| format!("{}.json", id.replace('/', "-"));
    let texts = page.executions.iter().map(|meta| {
        assert!(meta.status.is_closed(), "{} is {}", meta.id, meta.status.as_str());
        let turns: Vec<String> = drive.history(&meta.id).iter().map(codec::encode_turn).collect();
        let text =
            format!("{{\"meta\":{},\n\"turns\":[\n{}\n]}}\n", codec::encode_meta(meta), turns.join(",\n"));
        (file(meta.id.as_str()), text)
    });
    texts.collect()
}

#[test]
fn every_history_that_was_ever_written_replays() {
    let registry = Arc::new(registry());
    let mut workflows = BTreeSet::new();
    for (name, text) in write_anew() {
        let path = folder().join(name);
        if env::var_os("UPDATE_EXPECT").is_some() && !path.exists() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, text).unwrap();
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    for file in fs::read_dir(folder()).unwrap() {
        let path = file.unwrap().path();
        let whole: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let meta = codec::decode_meta(whole["meta"].to_string().as_bytes()).unwrap();
        let turns = whole["turns"].as_array().unwrap().iter();
        let turns: Vec<_> = turns.map(|it| codec::decode_turn(it.to_string().as_bytes()).unwrap()).collect();
        replay(&registry, &meta, &turns).unwrap_or_else(|what| panic!("{}: {what}", path.display()));
        let mut changed = registry.as_ref().clone();
        changed.workflows.insert(meta.id.workflow().to_owned(), |_| {
            Box::pin(async { ask(|_| Call::Signal { name: "another".into() }).await })
        });
        replay(&Arc::new(changed), &meta, &turns).expect_err("other code does not go with a history");
        workflows.insert(meta.id.workflow().to_owned());
    }
    let expected: BTreeSet<String> = WORKFLOWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(workflows, expected, "UPDATE_EXPECT=1 adds the histories of new workflows");
}
