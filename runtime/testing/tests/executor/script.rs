//! The form of the scripts. Each is played by a process that keeps its memory, by one that loses it before everything that
//! the execution is told, and by one whose turns are taken by several instances of the code; all three must leave the
//! same history, which is then replayed.

use std::sync::Arc;

use eventual::__private::Ask;
use eventual::{Call as Typed, Data};
use eventual_engine::core::{Call, ExecutionId, Fact, Failure, Outcome, Payload, Seq, Status, Turn};
use eventual_engine::ports::{Message, Meta, Store};
use eventual_engine::{Engine, Ports, Registry, States};
use eventual_testing::render;
use eventual_testing::replay::replay;
use eventual_testing::world::{START, World};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Process {
    Keeps,
    Forgets,
    Compares,
}

/// One play of a script.
pub(crate) struct Play {
    process: Process,
    runtime: Runtime,
    world: Arc<World>,
    registry: Arc<Registry>,
    engine: Engine,
    id: ExecutionId,
    /// Turns whose calls the script has looked at.
    seen: usize,
    /// The history is not one that the code made.
    rewritten: bool,
}

/// Plays a script about an execution that a call of a workflow starts.
#[track_caller]
pub(crate) fn play<T: Data, E: eventual::Failure>(call: Typed<T, E>, script: impl Fn(&mut Play)) {
    let (Ask::Workflow { name, input, .. }, _) = call.into_parts() else {
        panic!("scripts are of workflows")
    };
    let mut histories = Vec::new();
    for process in [Process::Keeps, Process::Forgets, Process::Compares] {
        let mut it = Play::start(process, name, &input);
        script(&mut it);
        it.finish();
        histories.push(it.turns());
    }
    assert_eq!(histories[0], histories[1], "a process that lost its memory goes another way");
    assert_eq!(histories[0], histories[2], "several instances go another way");
}

fn engine(world: &Arc<World>, registry: &Arc<Registry>, process: Process) -> Engine {
    let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
    let engine = Engine::on_this_thread(ports, registry.clone(), Arc::new(States::default()), "script");
    if process == Process::Compares { engine.twins(3) } else { engine }
}

impl Play {
    fn start(process: Process, workflow: &str, input: &Payload) -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let world = Arc::new(World::new([], 1));
        let registry = eventual::service!(name = "executor").registry().clone();
        let engine = engine(&world, &registry, process);
        // Somebody else who takes messages.
        let other = engine.client().start("work", Some("other"), "\"\"".into());
        runtime.block_on(other).unwrap();
        let starting = engine.client().start(workflow, Some("one"), input.clone());
        let id = runtime.block_on(starting).unwrap();
        let mut play = Self { process, runtime, world, registry, engine, id, seen: 0, rewritten: false };
        play.wake();
        play
    }

    fn finish(&self) {
        let unseen = self.asked();
        assert!(unseen.is_empty(), "the script says nothing of {unseen:?}");
        let (meta, turns) = (self.meta(), self.turns());
        let by_code = !matches!(meta.status, Status::Parked | Status::Paused | Status::Terminated);
        if by_code && !self.rewritten && turns.last().is_some_and(|it| it.continued.is_none()) {
            let _entered = self.runtime.enter();
            replay(&self.registry, &meta, &turns).unwrap();
        }
    }

    fn meta(&self) -> Meta {
        self.world.peek(&self.id, |meta, _| meta.clone()).unwrap()
    }

    /// The whole history.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        self.world.history(&self.id)
    }

    // --- what happens ------------------------------------------------------------------------------------------------

    /// The process dies, and another one takes over.
    pub(crate) fn restart(&mut self) {
        self.engine = engine(&self.world, &self.registry, self.process);
    }

    /// The execution is woken by a message that says nothing.
    pub(crate) fn wake(&mut self) {
        self.told([]);
    }

    /// The execution gets one message with these facts.
    pub(crate) fn told(&mut self, facts: impl IntoIterator<Item = Fact>) {
        if self.process == Process::Forgets {
            self.restart();
        }
        let message = Message { facts: facts.into_iter().collect(), ..Message::default() };
        self.runtime.block_on(self.engine.advance(&self.id, message, false)).unwrap();
    }

    /// The clock shows so many seconds after the start.
    pub(crate) fn at(&self, seconds: u64) {
        self.world.set_now(START + seconds * 1_000);
    }

    /// Two messages are handled at the same time.
    pub(crate) fn told_at_once<const N: usize>(&mut self, facts: [[Fact; N]; 2]) {
        if self.process == Process::Forgets {
            self.restart();
        }
        let message = |it: [Fact; N]| Message { facts: it.into(), ..Message::default() };
        let [one, other] = facts.map(|it| self.engine.advance(&self.id, message(it), false));
        let (one, other) = self.runtime.block_on(async { tokio::join!(biased; one, other) });
        one.and(other).unwrap();
    }

    /// A worker has taken the first attempt of a task, and beats now.
    pub(crate) fn beats(&self, seq: Seq) {
        assert!(self.runtime.block_on(self.world.claim(&self.meta().attempt(seq, 1), 60_000)).unwrap());
    }

    /// A turn of the history is written otherwise than the code made it, and the process dies.
    pub(crate) fn rewrite(&mut self, number: usize, change: impl FnOnce(&mut Turn)) {
        let mut turn = self.turns()[number - 1].clone();
        change(&mut turn);
        self.world.overwrite(&self.id, &turn);
        self.rewritten = true;
        self.restart();
    }

    /// The code is deployed anew, and is that of another workflow.
    pub(crate) fn becomes(&mut self, workflow: &str) {
        let mut registry = eventual::service!(name = "executor").registry().as_ref().clone();
        let code = registry.workflows[workflow];
        registry.workflows.insert(self.id.workflow().to_owned(), code);
        self.registry = Arc::new(registry);
        self.restart();
    }

    // --- what must be so ---------------------------------------------------------------------------------------------

    fn asked(&self) -> Vec<String> {
        let mut calls: Vec<(Seq, Call)> = Vec::new();
        for turn in self.turns().into_iter().skip(self.seen) {
            calls.extend(turn.calls);
        }
        calls.sort_by_key(|(seq, _)| *seq);
        calls.iter().map(|(seq, call)| words(*seq, call)).collect()
    }

    /// Since the script last looked, the code has asked for these calls and no others, by their numbers.
    #[track_caller]
    pub(crate) fn asks(&mut self, calls: &[&str]) {
        assert_eq!(self.asked(), calls, "{:?}: {}", self.process, self.told_so_far());
        self.seen = self.turns().len();
    }

    /// The execution waits, and its code can go on.
    #[track_caller]
    pub(crate) fn waits(&mut self) {
        self.asks(&[]);
        let meta = self.meta();
        assert_eq!((meta.status, meta.end), (Status::Running, None), "{}", self.told_so_far());
    }

    /// The code has returned this, and asked for nothing more since the script last looked.
    #[track_caller]
    pub(crate) fn ends(&mut self, result: impl Into<Value>) {
        let result: Value = result.into();
        self.asks(&[]);
        let Some(Outcome::Succeeded(payload)) = self.meta().end else { panic!("{}", self.told_so_far()) };
        let ended: Value = serde_json::from_slice(payload.as_bytes()).unwrap();
        assert_eq!(ended, result, "{:?}: {}", self.process, self.told_so_far());
    }

    /// The code has failed with an error of its own.
    #[track_caller]
    pub(crate) fn fails(&mut self, class: &str, message: &str) {
        self.asks(&[]);
        let Some(Outcome::Failed(failure)) = self.meta().end else { panic!("{}", self.told_so_far()) };
        assert_eq!((failure.class.as_str(), failure.message.as_str()), (class, message));
    }

    /// The code has panicked, and said this.
    #[track_caller]
    pub(crate) fn crashes(&mut self, said: &str) {
        self.asks(&[]);
        let Some(Outcome::Crashed(message)) = self.meta().end else { panic!("{}", self.told_so_far()) };
        assert!(message.contains(said), "{message}");
    }

    /// The execution was ended without its code.
    #[track_caller]
    pub(crate) fn terminated(&mut self) {
        self.asks(&[]);
        assert_eq!(self.meta().status, Status::Terminated, "{}", self.told_so_far());
    }

    /// The code does not go with its history: it stands still, and the reason says this.
    #[track_caller]
    pub(crate) fn parked(&mut self, parts: &[&str]) {
        self.asks(&[]);
        let meta = self.meta();
        assert_eq!((meta.status, &meta.end), (Status::Parked, &None), "{}", self.told_so_far());
        let reason = meta.parked.unwrap_or_default();
        for part in parts {
            assert!(reason.contains(part), "{part} is not in: {reason}");
        }
    }

    /// The tasks that nobody waits for since the last turn, by their calls.
    #[track_caller]
    pub(crate) fn drops(&self, seqs: &[Seq]) {
        let dropped = self.turns().pop().unwrap().dropped;
        assert_eq!(dropped.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), seqs);
    }

    /// The children that the last turn stops.
    #[track_caller]
    pub(crate) fn stops(&self, executions: &[&str]) {
        let stops = self.turns().pop().unwrap().stops;
        assert_eq!(stops.iter().map(|it| it.execution.to_string()).collect::<Vec<_>>(), executions);
    }

    fn told_so_far(&self) -> String {
        render::history(&self.meta(), &self.turns())
    }
}

fn words(seq: Seq, call: &Call) -> String {
    let text = |payload: &Payload| match payload.as_bytes() {
        b"null" => String::new(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    };
    let what = match call {
        Call::Task(task) => format!("{}({})", task.name, text(&task.input)),
        Call::Timer { due } => format!("timer {}s", (due - START) / 1_000),
        Call::Workflow { execution, input, detached: false, .. } => {
            format!("child {execution}({})", text(input))
        }
        Call::Workflow { execution, input, .. } => format!("start {execution}({})", text(input)),
        Call::Send { execution, signal, payload, .. } => {
            format!("send {signal}({}) to {execution}", text(payload))
        }
        Call::Emit(events) => {
            events.iter().map(|it| format!("emit {}({})", it.name, text(&it.payload))).collect()
        }
        Call::Signal { name } => format!("wait {name}"),
        other => render::call(other),
    };
    format!("{seq} {what}")
}

// --- facts -----------------------------------------------------------------------------------------------------------

fn payload(value: &Value) -> Payload {
    value.to_string().as_str().into()
}

/// The first attempt of a task answers.
pub(crate) fn done(seq: Seq, value: impl Into<Value>) -> Fact {
    Fact::TaskDone { seq, attempt: 1, outcome: Outcome::Succeeded(payload(&value.into())) }
}

/// The first attempt of a task returns an error of this class.
pub(crate) fn failed(seq: Seq, class: &str) -> Fact {
    Fact::TaskDone { seq, attempt: 1, outcome: Outcome::Failed(Failure::new(class, "it failed", 500)) }
}

/// A timer fires.
pub(crate) fn fired(seq: Seq) -> Fact {
    Fact::TimerFired { seq }
}

/// A signal comes; the same `id` is the same signal.
pub(crate) fn came(id: &str, name: &str, value: u32) -> Fact {
    Fact::Signal { id: id.into(), name: name.into(), payload: payload(&value.into()) }
}

/// A child ends with a result.
pub(crate) fn returned(seq: Seq, value: impl Into<Value>) -> Fact {
    Fact::ChildDone { seq, outcome: Outcome::Succeeded(payload(&value.into())) }
}

/// A child ends with an error of this class.
pub(crate) fn broke(seq: Seq, class: &str) -> Fact {
    Fact::ChildDone { seq, outcome: Outcome::Failed(Failure::new(class, "it broke", 500)) }
}

/// Somebody ends the execution.
pub(crate) fn ended_by_force() -> Fact {
    Fact::Terminated { reason: "out of time".into() }
}
