//! What running code finds around itself without being handed anything: in a workflow its machine, in any other
//! handler the client of its service.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use eventual_core::{Attribute, Call, ExecutionId, Machine, Millis, Outcome, Payload, ScopeId, Seq, Update};

use crate::client::Client;
use crate::codec;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Current>>> = const { RefCell::new(None) };
    static EPOCH: Cell<u64> = const { Cell::new(0) };
}

tokio::task_local! {
    static CLIENT: Client;
}

/// Answers a query from the state of workflow code.
pub type QueryFn = Rc<dyn Fn(&Payload) -> Outcome>;

/// The execution whose code is being polled on this thread.
pub(crate) struct Current {
    /// Changes where a history goes on as another execution's.
    pub(crate) execution: RefCell<ExecutionId>,
    pub(crate) machine: RefCell<Machine>,
    /// Whom to wake when the gate opens for a call.
    pub(crate) wakers: RefCell<BTreeMap<Seq, Waker>>,
    /// The scope of cancellation in which code is polled.
    scope: Cell<ScopeId>,
    /// Who waits for a condition of the code's own state.
    pub(crate) conditions: RefCell<Vec<Waker>>,
    /// Whether one of them came true in this poll.
    pub(crate) met: Cell<bool>,
    queries: RefCell<BTreeMap<String, QueryFn>>,
    /// The input with which the code wants to begin anew.
    continued: RefCell<Option<Payload>>,
    /// Why the code cannot go on, if it says so itself.
    parked: RefCell<Option<String>>,
    /// Tells this execution's calls from those of another on the same thread.
    epoch: u64,
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").field("execution", &self.execution).finish_non_exhaustive()
    }
}

impl Current {
    pub(crate) fn new(execution: ExecutionId, machine: Machine) -> Rc<Self> {
        let epoch = EPOCH.with(|it| it.replace(it.get() + 1));
        Rc::new(Self {
            execution: RefCell::new(execution),
            machine: RefCell::new(machine.comparing(codec::same)),
            wakers: RefCell::default(),
            scope: Cell::default(),
            conditions: RefCell::default(),
            met: Cell::new(false),
            queries: RefCell::default(),
            continued: RefCell::default(),
            parked: RefCell::default(),
            epoch,
        })
    }

    /// Whether the code wants to begin anew.
    pub(crate) fn continues(&self) -> bool {
        self.continued.borrow().is_some()
    }

    /// Why the code says that it cannot go on.
    pub(crate) fn parked(&self) -> Option<String> {
        self.parked.borrow().clone()
    }

    /// The input with which it wants to.
    pub(crate) fn take_continued(&self) -> Option<Payload> {
        self.continued.borrow_mut().take()
    }

    /// What answers a query, and the names of all that are answered.
    pub(crate) fn query(&self, name: &str) -> Result<QueryFn, Vec<String>> {
        let queries = self.queries.borrow();
        queries.get(name).cloned().ok_or_else(|| queries.keys().cloned().collect())
    }

    /// Runs `body` as code of this execution.
    pub(crate) fn enter<R>(self: &Rc<Self>, body: impl FnOnce() -> R) -> R {
        struct Leave(Option<Rc<Current>>);
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _leave = Leave(CURRENT.replace(Some(self.clone())));
        body()
    }
}

fn current() -> Option<Rc<Current>> {
    CURRENT.with_borrow(Clone::clone)
}

/// What workflow code may know of its execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowInfo {
    /// The execution.
    pub execution: ExecutionId,
    /// The time of the turn, from history.
    pub now: Millis,
}

/// The execution of the workflow code that runs on this thread, if any does.
#[must_use]
pub fn workflow() -> Option<WorkflowInfo> {
    current()
        .map(|it| WorkflowInfo { execution: it.execution.borrow().clone(), now: it.machine.borrow().now() })
}

/// A random number from history; `None` outside of workflow code.
#[must_use]
pub fn random() -> Option<u64> {
    current().map(|it| it.machine.borrow_mut().random())
}

/// Whether the code is to behave as it does after the change `name`; `None` outside of workflow code.
#[must_use]
pub fn changed(name: &str) -> Option<bool> {
    current().map(|it| it.machine.borrow_mut().changed(name))
}

/// Sets an attribute of the execution, or removes it without a value; `None` outside of workflow code.
#[must_use]
pub fn set_attribute(name: &str, value: Option<Attribute>) -> Option<Result<(), String>> {
    current().map(|it| it.machine.borrow_mut().set_attribute(name, value).map_err(String::from))
}

/// Answers queries named `name` with `answer` from here on. `false` outside of workflow code.
pub fn on_query(name: &str, answer: QueryFn) -> bool {
    current().is_some_and(|it| {
        let _before = it.queries.borrow_mut().insert(name.to_owned(), answer);
        true
    })
}

/// Ends the code here and lets it begin anew with `input`, without the history that it has. The code is not polled any
/// more. `false` outside of workflow code.
#[must_use]
pub fn continue_as_new(input: Payload) -> bool {
    current().is_some_and(|it| {
        it.continued.borrow_mut().get_or_insert(input);
        true
    })
}

/// Says that this version of the code cannot go on, so that the execution is parked until another version is there.
/// Nothing outside of workflow code.
pub fn park(reason: String) {
    if let Some(current) = current() {
        current.parked.replace(Some(reason));
    }
}

/// How much the code's history has by now: facts and calls since it began, or began anew. 0 outside of workflow code.
#[must_use]
pub fn history_events() -> u64 {
    current().map_or(0, |it| it.machine.borrow().events())
}

/// Says that the code takes updates of this name, or of every name, from here on. Nothing outside of workflow code.
pub fn accept_updates(name: Option<&str>) {
    if let Some(current) = current() {
        current.machine.borrow_mut().accept_updates(name);
    }
}

/// Answers an update that the code took. Nothing outside of workflow code.
pub fn answer(update: &str, outcome: Outcome) {
    if let Some(current) = current() {
        current.machine.borrow_mut().answer(update, outcome);
    }
}

/// Says whether a condition on the code's own state holds. While it does not, it is looked at again whenever the code
/// has learnt something. `false` outside of workflow code.
#[must_use]
pub fn condition(cx: &Context<'_>, holds: bool) -> bool {
    current().is_some_and(|it| {
        if holds {
            it.met.set(true);
        } else {
            it.conditions.borrow_mut().push(cx.waker().clone());
        }
        true
    })
}

/// A new scope of cancellation within the one that is polled; `None` outside of workflow code.
#[must_use]
pub fn open_scope(shielded: bool) -> Option<ScopeId> {
    current().map(|it| it.machine.borrow_mut().open_scope(it.scope.get(), shielded))
}

/// Cancels a scope. Nothing outside of workflow code.
pub fn cancel_scope(scope: ScopeId) {
    if let Some(current) = current() {
        current.machine.borrow_mut().cancel(scope);
    }
}

/// Whether the scope, or without one that which is polled, is cancelled. `false` outside of workflow code.
#[must_use]
pub fn is_cancelled(scope: Option<ScopeId>) -> bool {
    current().is_some_and(|it| it.machine.borrow().is_cancelled(scope.unwrap_or_else(|| it.scope.get())))
}

/// Polls in a scope: calls that are scheduled meanwhile belong to it.
pub fn in_scope<R>(scope: ScopeId, poll: impl FnOnce() -> R) -> R {
    struct Leave(Option<(Rc<Current>, ScopeId)>);
    impl Drop for Leave {
        fn drop(&mut self) {
            if let Some((current, scope)) = self.0.take() {
                current.scope.set(scope);
            }
        }
    }
    let _leave = Leave(current().map(|it| {
        let before = it.scope.replace(scope);
        (it, before)
    }));
    poll()
}

/// The client of the handler that runs in this tokio task; `None` outside of handlers.
#[must_use]
pub fn client() -> Option<Client> {
    CLIENT.try_with(Clone::clone).ok()
}

/// Runs a handler's future with its client around it.
pub(crate) async fn with_client<F: Future>(client: Client, future: F) -> F::Output {
    CLIENT.scope(client, future).await
}

/// A call of workflow code: numbered when it is built, scheduled at its first poll.
#[derive(Debug)]
pub struct CallSlot {
    seq: Seq,
    /// Its number in history.
    number: Seq,
    epoch: u64,
    at: &'static Location<'static>,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Built,
    Scheduled,
    Taken,
}

/// Numbers a call that is built at `at`. `None` outside of workflow code.
#[must_use]
pub fn new_call(at: &'static Location<'static>) -> Option<CallSlot> {
    let current = current()?;
    let seq = current.machine.borrow_mut().allocate();
    Some(CallSlot { seq, number: seq, epoch: current.epoch, at, stage: Stage::Built })
}

impl CallSlot {
    /// The call's number within its execution.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        self.seq
    }

    /// The number that history has for the call, once it was polled.
    #[must_use]
    pub const fn number(&self) -> Seq {
        self.number
    }

    /// Asks the child that the call waits for to cancel itself, or ends it without its code; the call goes on waiting.
    pub(crate) fn stop_child(&self, terminate: bool) {
        if let Some(current) = current().filter(|it| it.epoch == self.epoch) {
            current.machine.borrow_mut().stop_child(self.seq, terminate);
        }
    }

    /// Polls the call. `make` is asked for it at the first poll, with the time of the turn.
    ///
    /// # Panics
    /// When polled outside of the execution that built it, or after it was ready: both are mistakes in workflow code
    /// that nothing can go on from.
    pub fn poll(&mut self, cx: &Context<'_>, make: impl FnOnce(Millis) -> Call) -> Poll<Outcome> {
        self.poll_with(cx, make, Machine::take)
    }

    /// Polls a [`Call::NextUpdate`].
    ///
    /// # Panics
    /// As of [`poll`](Self::poll).
    pub fn poll_update(&mut self, cx: &Context<'_>, name: Option<&str>) -> Poll<Result<Update, Outcome>> {
        self.poll_with(cx, |_| Call::NextUpdate { name: name.map(str::to_owned) }, Machine::take_update)
    }

    fn poll_with<T>(
        &mut self,
        cx: &Context<'_>,
        make: impl FnOnce(Millis) -> Call,
        take: impl FnOnce(&mut Machine, Seq) -> Option<T>,
    ) -> Poll<T> {
        let current = current().filter(|it| it.epoch == self.epoch);
        let Some(current) = current else {
            panic!(
                "the call built at {} is polled outside of its execution: await it in the workflow that built it",
                self.at
            );
        };
        let mut machine = current.machine.borrow_mut();
        match self.stage {
            Stage::Taken => panic!("the call built at {} is polled again after it was ready", self.at),
            Stage::Scheduled => {}
            Stage::Built => {
                let call = make(machine.now());
                machine.schedule(self.seq, call, current.scope.get(), self.at);
                self.stage = Stage::Scheduled;
            }
        }
        self.number = machine.recorded(self.seq);
        let outcome = take(&mut machine, self.seq);
        drop(machine);
        // A waker may own what it wakes: it is dropped only after both borrows have ended.
        if let Some(outcome) = outcome {
            self.stage = Stage::Taken;
            let _waker = current.wakers.borrow_mut().remove(&self.seq);
            return Poll::Ready(outcome);
        }
        let _waker = current.wakers.borrow_mut().insert(self.seq, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for CallSlot {
    fn drop(&mut self) {
        if self.stage != Stage::Scheduled {
            return;
        }
        // Without a current execution the whole workflow is being dropped, and there is nobody left to tell.
        if let Some(current) = current().filter(|it| it.epoch == self.epoch) {
            current.machine.borrow_mut().forget(self.seq);
            let _waker = current.wakers.borrow_mut().remove(&self.seq);
        }
    }
}
