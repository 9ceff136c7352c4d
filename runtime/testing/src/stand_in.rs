//! What stands between the engine and the handlers of a test: it records every call, and answers instead of a handler when
//! the test wants it to. Without types; [`crate::Mock`] has them.
//!
//! Workflow code is polled on the thread of the test, where an async runtime waits. What production tells it (that it must
//! not need one) is told here too, see the module `code`.

pub(crate) mod code;
mod watch;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use eventual_engine::core::{ExecutionId, Millis, Outcome, Payload, Run, Seq};
use eventual_engine::ports::{Clock, TaskRequest};
use eventual_engine::{HandlerRequest, Registry};

use crate::world::World;

thread_local! {
    /// Those of the environment that runs on this thread now.
    static CURRENT: RefCell<Option<Arc<StandIns>>> = const { RefCell::new(None) };
}

/// Which handlers can be stood in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A command; recorded only.
    Command,
    /// A subscription.
    Subscription,
    /// A task.
    Task,
    /// A workflow.
    Workflow,
}

/// Runs instead of a handler.
pub type Invoke =
    Arc<dyn Fn(Payload) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync + 'static>;

/// What is done instead of running a handler.
#[derive(Clone)]
pub enum Answer {
    /// Nothing, until the test answers or the call's time is over.
    Hold,
    /// This is run.
    Invoke(Invoke),
    /// It ends so at once; a time-out ends it when its time is over.
    Is(Outcome),
    /// The handler itself is run.
    Real,
}

/// A call that reached a handler, or what stood in for it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its input.
    pub input: Payload,
    /// Number of the attempt of a task, from 1.
    pub attempt: u32,
    /// The execution that called a task; for a workflow, the execution.
    pub execution: Option<ExecutionId>,
    /// When.
    pub at: Millis,
}

/// A call that is held for the test to answer.
#[derive(Clone, Debug)]
pub struct Held {
    /// The execution that waits; for a workflow, the execution that is held.
    pub execution: ExecutionId,
    /// Its run, where it waits for a task.
    pub run: Option<Run>,
    /// The task's call.
    pub seq: Seq,
    /// Its attempt.
    pub attempt: u32,
    /// Its input.
    pub input: Payload,
}

/// What is known of one handler.
#[derive(Default)]
struct Script {
    /// What is answered so many times, in order.
    limited: VecDeque<(Answer, u32)>,
    /// What is answered afterwards.
    standing: Option<Answer>,
    records: Vec<Record>,
    held: Vec<Held>,
}

impl Script {
    fn next(&self) -> Answer {
        let answer = self.limited.front().map(|(it, _)| it).or(self.standing.as_ref());
        answer.cloned().unwrap_or(Answer::Real)
    }

    fn take(&mut self) -> Answer {
        let answer = self.next();
        if let Some((_, times)) = self.limited.front_mut() {
            *times -= 1;
            if *times == 0 {
                self.limited.pop_front();
            }
        }
        answer
    }
}

#[derive(Default)]
struct State {
    scripts: HashMap<(Kind, String), Script>,
    /// What was decided for an execution at its first turn, so that every replay does the same.
    decided: HashMap<(ExecutionId, Option<Run>), Answer>,
    /// Answers that the test gave to executions that were held, by the number that their code is sent.
    given: Vec<Outcome>,
}

/// What stands in for the handlers of one environment.
pub struct StandIns {
    real: Registry,
    world: Weak<World>,
    state: Mutex<State>,
}

impl StandIns {
    /// Stand-ins for the handlers of a registry, all of which run for now.
    #[must_use]
    pub fn new(real: Registry, world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self { real, world: Arc::downgrade(world), state: Mutex::default() })
    }

    /// The same registry with stand-ins as its handlers. They work only inside of [`StandIns::on_this_thread`].
    #[must_use]
    pub fn registry(&self) -> Registry {
        let mut registry = self.real.clone();
        registry.commands.values_mut().for_each(|it| it.run = command);
        registry.subscriptions.values_mut().for_each(|it| it.run = subscription);
        registry.tasks.values_mut().for_each(|it| it.run = task);
        registry.workflows.values_mut().for_each(|it| *it = code::workflow);
        registry
    }

    /// Has these stand in for handlers that run on this thread until the guard is dropped.
    pub fn on_this_thread(self: &Arc<Self>) -> Leave {
        Leave(CURRENT.replace(Some(self.clone())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script<T>(&self, kind: Kind, name: &str, with: impl FnOnce(&mut Script) -> T) -> T {
        with(self.state().scripts.entry((kind, name.to_owned())).or_default())
    }

    fn now(&self) -> Millis {
        self.world.upgrade().map_or(0, |it| it.now())
    }

    /// What is answered from here on, and what was before.
    pub fn stand(&self, kind: Kind, name: &str, answer: Option<Answer>) -> Option<Answer> {
        self.script(kind, name, |it| std::mem::replace(&mut it.standing, answer))
    }

    /// Makes what is answered from here on the answer to the next `times` calls only; afterwards it is `then`.
    pub fn limit(&self, kind: Kind, name: &str, times: u32, then: Option<Answer>) {
        self.script(kind, name, |it| {
            if let Some(answer) = std::mem::replace(&mut it.standing, then)
                && times > 0
            {
                it.limited.push_back((answer, times));
            }
        });
    }

    /// Lets the handler run again.
    pub fn reset(&self, kind: Kind, name: &str) {
        self.script(kind, name, |it| {
            it.limited.clear();
            it.standing = None;
        });
    }

    /// Lets all handlers run again.
    pub fn reset_all(&self) {
        for script in self.state().scripts.values_mut() {
            script.limited.clear();
            script.standing = None;
        }
    }

    /// The calls of a handler so far.
    pub fn records(&self, kind: Kind, name: &str) -> Vec<Record> {
        self.script(kind, name, |it| it.records.clone())
    }

    /// The calls that wait for the test to answer.
    pub fn held(&self, kind: Kind, name: &str) -> Vec<Held> {
        self.script(kind, name, |it| it.held.clone())
    }

    /// Takes a call that the test answers now. `false` when it was answered before.
    pub fn release(&self, kind: Kind, name: &str, held: &Held) -> bool {
        let same =
            |it: &Held| (&it.execution, it.seq, it.attempt) == (&held.execution, held.seq, held.attempt);
        self.script(kind, name, |it| {
            let before = it.held.len();
            it.held.retain(|other| !same(other));
            it.held.len() < before
        })
    }

    /// Keeps the end of an execution that is held, for its code to find under the number that this answers.
    pub fn give(&self, end: Outcome) -> usize {
        let mut state = self.state();
        state.given.push(end);
        state.given.len() - 1
    }

    /// Whether the next answer to a remote task is one that no handler can give, because time has to pass. It is taken
    /// then, and the call recorded.
    pub fn withholds(&self, request: &TaskRequest) -> Option<Answer> {
        let now = self.now();
        self.script(Kind::Task, &request.task, |script| {
            let answer = script.next();
            if !matches!(answer, Answer::Hold | Answer::Is(Outcome::TimedOut)) {
                return None;
            }
            let TaskRequest { execution, run, seq, attempt, input, .. } = request.clone();
            script.records.push(Record {
                input: input.clone(),
                attempt,
                execution: Some(execution.clone()),
                at: now,
            });
            if matches!(answer, Answer::Hold) {
                script.held.push(Held { execution, run, seq, attempt, input });
            }
            Some(script.take())
        })
    }

    /// Records a call of a handler that is no workflow, and says what is done.
    fn called(&self, kind: Kind, request: &HandlerRequest) -> Answer {
        let context = &request.context;
        let record = Record {
            input: request.input.clone(),
            attempt: context.attempt,
            execution: context.execution.clone(),
            at: self.now(),
        };
        self.script(kind, &context.handler, |it| {
            it.records.push(record);
            it.take()
        })
    }
}

/// Puts back who stood in before.
#[must_use = "the handlers run themselves again when it is dropped"]
#[derive(Debug)]
pub struct Leave(Option<Arc<StandIns>>);

impl Drop for Leave {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

fn current() -> Arc<StandIns> {
    CURRENT.with_borrow(Clone::clone).unwrap_or_else(|| {
        panic!(
            "a handler of a test environment runs outside of it, on another thread: this is a bug of eventual"
        )
    })
}

type HandlerFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

fn command(request: HandlerRequest) -> HandlerFuture {
    let stand_ins = current();
    let _recorded = stand_ins.called(Kind::Command, &request);
    match stand_ins.real.commands.get(&request.context.handler) {
        Some(entry) => (entry.run)(request),
        None => unknown(),
    }
}

fn subscription(request: HandlerRequest) -> HandlerFuture {
    let stand_ins = current();
    match stand_ins.called(Kind::Subscription, &request) {
        Answer::Real => match stand_ins.real.subscriptions.get(&request.context.handler) {
            Some(entry) => (entry.run)(request),
            None => unknown(),
        },
        other => instead(other, request.input),
    }
}

fn task(request: HandlerRequest) -> HandlerFuture {
    let stand_ins = current();
    match stand_ins.called(Kind::Task, &request) {
        Answer::Real => match stand_ins.real.tasks.get(&request.context.handler) {
            Some(entry) => (entry.run)(request),
            None => unknown(),
        },
        other => instead(other, request.input),
    }
}

fn instead(answer: Answer, input: Payload) -> HandlerFuture {
    match answer {
        Answer::Invoke(invoke) => invoke(input),
        Answer::Is(outcome) => Box::pin(std::future::ready(outcome)),
        Answer::Hold | Answer::Real => Box::pin(std::future::ready(Outcome::Crashed(
            "nothing stands in here: this is a bug of eventual".into(),
        ))),
    }
}

fn unknown() -> HandlerFuture {
    let text = "a stand-in without a handler: this is a bug of eventual".to_owned();
    Box::pin(std::future::ready(Outcome::Crashed(text)))
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold => "Hold",
            Self::Invoke(_) => "Invoke",
            Self::Is(_) => "Is",
            Self::Real => "Real",
        })
    }
}

impl fmt::Debug for StandIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandIns")
    }
}
