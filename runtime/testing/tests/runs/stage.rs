//! A world, the workflows that these tests run, and what happens to them. Deliberately without mocks: late answers are held back
//! deliveries.

use std::pin::Pin;
use std::sync::Arc;

use eventual_engine::core::{
    Call, ExecutionId, Fact, Millis, Outcome, ParentClose, Payload, Run, Status, TaskCall,
};
use eventual_engine::ports::{Clock, Dispatch, Message, Ports, TaskRequest};
use eventual_engine::{
    Client, ClientError, HandlerRequest, Registry, States, TaskEntry, WorkflowFn, ambient,
};
use eventual_testing::host::Host;
use eventual_testing::world::{Delivery, World};
use tokio::runtime::{Builder, Runtime};

use crate::raw::{ask, id, text};

/// An hour, in milliseconds.
pub(crate) const HOUR: Millis = 3_600_000;

type Code = Pin<Box<dyn Future<Output = Outcome>>>;

const WORKFLOWS: [(&str, WorkflowFn); 8] = [
    ("answers", answers),
    ("anew", anew),
    ("asks", asks),
    ("collect", collect),
    ("dutiful", dutiful),
    ("family", family),
    ("sends", sends),
    ("sleeps", sleeps),
];

/// Awaits a task that answers its input.
fn asks(input: Payload) -> Code {
    Box::pin(async move { ask(|_| Call::Task(TaskCall::new("echo", input))).await })
}

fn sleeps(_: Payload) -> Code {
    Box::pin(async { ask(|now| Call::Timer { due: now + HOUR }).await })
}

/// Awaits so many signals.
fn collect(input: Payload) -> Code {
    Box::pin(async move {
        let count: usize = number(&input).unwrap_or(1);
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(text(ask(|_| Call::Signal { name: "item".into() }).await));
        }
        Outcome::Succeeded(format!("[{}]", items.join(",")).as_str().into())
    })
}

/// Awaits a child of that name, which outlives it.
fn family(input: Payload) -> Code {
    child(input, ParentClose::Abandon)
}

/// Awaits a child of that name, and stops it.
fn dutiful(input: Payload) -> Code {
    child(input, ParentClose::Terminate)
}

fn child(named: Payload, close: ParentClose) -> Code {
    let execution = id(&format!("collect/{}", name(&named)));
    drop(named);
    let (input, attributes) = ("1".into(), std::collections::BTreeMap::new());
    let call = Call::Workflow { execution, input, detached: false, answered: true, close, attributes };
    Box::pin(async move {
        match ask(|_| call).await {
            // Somebody else's: it goes on waiting, until it is ended.
            Outcome::Failed(failure) if close == ParentClose::Terminate => {
                ask(|_| Call::Signal { name: "never".into() }).await;
                Outcome::Failed(failure)
            }
            end => end,
        }
    })
}

/// Sends a signal to whoever collects.
fn sends(input: Payload) -> Code {
    Box::pin(async move {
        let (execution, signal) = (id("collect/all"), "item".to_owned());
        ask(|_| Call::Send { execution, signal, payload: input, answered: true }).await
    })
}

/// Answers an update when it is told the answer.
fn answers(_: Payload) -> Code {
    Box::pin(async {
        let mut slot = ambient::new_call(std::panic::Location::caller()).unwrap();
        let update = std::future::poll_fn(|cx| slot.poll_update(cx, Some("ask"))).await;
        let told = ask(|_| Call::Signal { name: "item".into() }).await;
        if let Ok(update) = update {
            ambient::answer(&update.id, told.clone());
        }
        told
    })
}

/// Awaits a task; with the first item that comes before its answer it begins anew, and awaits another.
fn anew(input: Payload) -> Code {
    Box::pin(async move {
        let task = Box::pin(ask(|_| Call::Task(TaskCall::new("echo", input.clone()))));
        if input.as_bytes() != b"0" {
            return task.await;
        }
        let signal = Box::pin(ask(|_| Call::Signal { name: "item".into() }));
        match futures_util::future::select(task, signal).await {
            futures_util::future::Either::Left((answer, _)) => answer,
            futures_util::future::Either::Right((item, task)) => {
                drop(task);
                let _noted = ambient::continue_as_new(text(item).as_str().into());
                std::future::pending().await
            }
        }
    })
}

fn name(input: &Payload) -> String {
    String::from_utf8_lossy(input.as_bytes()).trim_matches('"').to_owned()
}

fn number(input: &Payload) -> Option<usize> {
    name(input).parse().ok()
}

fn echo(request: HandlerRequest) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move { Outcome::Succeeded(request.input) })
}

/// A world with a process.
pub(crate) struct Stage {
    runtime: Arc<Runtime>,
    pub(crate) world: Arc<World>,
    host: Host,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let world = Arc::new(World::new([], 1));
        let ports = Ports { store: world.clone(), dispatch: world.clone(), clock: world.clone() };
        let mut registry = Registry::default();
        registry.workflows.extend(WORKFLOWS.map(|(name, code)| (name.to_owned(), code)));
        registry.workflows.insert("updates".into(), updates);
        registry.tasks.insert("echo".into(), TaskEntry::new(echo, false));
        let host = Host::new(world.clone(), ports, Arc::new(registry), Arc::new(States::default()));
        let runtime = Arc::new(Builder::new_current_thread().enable_all().build().unwrap());
        Self { runtime, world, host }
    }

    /// Another process of the same world.
    pub(crate) fn another(&self) -> Self {
        Self { runtime: self.runtime.clone(), world: self.world.clone(), host: self.host.restarted() }
    }

    /// Lets that process do something.
    pub(crate) fn with(&self, other: &Self, act: impl FnOnce(&Self)) {
        assert!(Arc::ptr_eq(&self.world, &other.world));
        act(other);
    }

    pub(crate) fn client<'a, T, F>(&'a self, ask: impl FnOnce(&'a Client) -> F) -> T
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        self.runtime.block_on(ask(self.host.engine().client())).unwrap()
    }

    /// Why the client refused.
    pub(crate) fn refused<'a, T: std::fmt::Debug, F>(&'a self, ask: impl FnOnce(&'a Client) -> F) -> String
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        self.runtime.block_on(ask(self.host.engine().client())).unwrap_err().to_string()
    }

    /// Starts an execution, and makes everything that is due but tasks.
    pub(crate) fn start(&self, execution: &str, input: &str) -> ExecutionId {
        let id = id(execution);
        self.client(|it| it.start(id.workflow(), Some(id.name()), input.into()));
        self.settle();
        id
    }

    pub(crate) fn signal(&self, id: &ExecutionId, item: &str) {
        self.client(|it| it.signal(id, "item", item.into()));
        self.settle();
    }

    /// Makes one delivery that is due.
    pub(crate) fn step(&self) {
        assert!(self.runtime.block_on(self.host.step()).unwrap());
    }

    /// Makes everything that is due but tasks, which stay on their way.
    pub(crate) fn settle(&self) {
        let mut tasks = Vec::new();
        while self.hold_tasks(&mut tasks) {
            self.step();
        }
        self.give_all_back(tasks);
    }

    /// Takes tasks that are due off the queue until something else comes first. `false` when nothing else is due.
    fn hold_tasks(&self, tasks: &mut Vec<Delivery>) -> bool {
        let is_task = |it: &Delivery| matches!(it, Delivery::Task(_));
        while let Some((due, first)) = self.world.queue().into_iter().next() {
            if due > self.world.now() {
                return false;
            }
            if !is_task(&first) {
                return true;
            }
            tasks.extend(self.world.next().map(|(it, _)| it));
        }
        false
    }

    fn give_all_back(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            self.world.redeliver(delivery, 0, 0);
        }
    }

    /// Takes everything that is due off the queue.
    pub(crate) fn hold(&self) -> Vec<Delivery> {
        std::iter::from_fn(|| self.world.next()).map(|(it, _)| it).collect()
    }

    /// Puts deliveries back, and makes them.
    pub(crate) fn give_back(&self, deliveries: Vec<Delivery>) {
        self.give_all_back(deliveries);
        self.settle();
    }

    /// Takes the one task that is due off the queue.
    pub(crate) fn take_task(&self) -> TaskRequest {
        match self.hold().as_slice() {
            [Delivery::Task(request)] => request.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn perform(&self, request: TaskRequest) {
        self.runtime.block_on(self.host.engine().perform(request)).unwrap();
        self.settle();
    }

    pub(crate) fn tell(&self, id: &ExecutionId, message: &Message) {
        self.runtime.block_on(self.world.wake(id, message)).unwrap();
        self.settle();
    }

    pub(crate) fn advance(&self, ms: Millis) {
        let until = self.world.now() + ms;
        while let Some(due) = self.world.next_due().filter(|it| *it <= until) {
            self.world.set_now(due);
            self.settle();
            if self.world.next_due() == Some(due) {
                // Nothing but tasks, which nobody performs here.
                break;
            }
        }
        self.world.set_now(until);
    }

    /// Forgets what has ended.
    pub(crate) fn forget(&self) {
        self.world.set_retention(Some(0));
        self.world.set_now(self.world.now() + 1);
        self.world.set_retention(None);
    }

    pub(crate) fn end_and_forget(&self, id: &ExecutionId) {
        self.client(|it| it.terminate(id, "not wanted"));
        self.settle();
        assert_eq!(self.status(id), Status::Terminated);
        self.forget();
        assert!(!self.world.ids().contains(id));
    }

    pub(crate) fn run(&self, id: &ExecutionId) -> Option<Run> {
        self.world.peek(id, |meta, _| meta.run).unwrap()
    }

    pub(crate) fn status(&self, id: &ExecutionId) -> Status {
        self.world.peek(id, |meta, _| meta.status).unwrap()
    }

    /// Why it is parked.
    pub(crate) fn parked(&self, id: &ExecutionId) -> Option<String> {
        self.world.peek(id, |meta, _| meta.parked.clone()).unwrap()
    }

    pub(crate) fn outcome(&self, id: &ExecutionId) -> Option<Outcome> {
        self.world.peek(id, |meta, _| meta.end.clone()).unwrap()
    }

    /// What it returned, once it has.
    pub(crate) fn end(&self, id: &ExecutionId) -> Option<String> {
        self.outcome(id).map(text)
    }

    pub(crate) fn facts(&self, id: &ExecutionId) -> Vec<Fact> {
        self.world.history(id).into_iter().flat_map(|it| it.facts).collect()
    }

    pub(crate) fn turns(&self, id: &ExecutionId) -> usize {
        self.world.history(id).len()
    }

    /// The messages of timers that are on their way to an execution.
    pub(crate) fn timers(&self, id: &ExecutionId) -> Vec<(Millis, Message)> {
        let queue = self.world.queue().into_iter();
        let timers = queue.filter_map(|(due, it)| match it {
            Delivery::Wake(to, message) if to == *id && due > self.world.now() => Some((due, message)),
            _ => None,
        });
        timers.collect()
    }
}

/// Asks another execution for a change.
fn updates(input: Payload) -> Code {
    Box::pin(async move {
        let (execution, name) = (id(&name(&input)), "ask".to_owned());
        ask(|_| Call::Update { execution, name, input: Payload::null(), start: None }).await
    })
}
