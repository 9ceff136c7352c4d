//! One execution in memory: its code as a suspended future, and its machine.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use eventual_core::{Continued, Fact, Machine, Millis, Mismatch, Outcome, Payload, Run, Turn};

use super::twins::{Twins, Whims};
use super::{Open, Pending, crash};
use crate::ambient::Current;
use crate::codec;
use crate::ports::Meta;
use crate::registry::WorkflowFn;

/// Most polls in a row that the code may ask for by itself before it counts as spinning.
const SPIN_MAX: u32 = 10_000;

/// Remembers that the code wants to be polled again.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Running {
    workflow: WorkflowFn,
    run: Option<Run>,
    seed: u64,
    current: Rc<Current>,
    /// `None` after it ended.
    code: Option<Pin<Box<dyn Future<Output = Outcome>>>>,
    flag: Arc<Flag>,
    end: Option<Outcome>,
    time: Millis,
    version: u64,
    /// Number of the turn in which the code last continued as new; 0 when it never did.
    base: u64,
    /// Whether the code was polled.
    begun: bool,
    /// The last turns were parked: what the code asked for in them is not committed yet.
    uncommitted: bool,
    /// It became a fork's in the last turns, and no turn that was not parked has followed.
    forked: bool,
    /// Further instances of the code, that must take every turn as this one does.
    twins: Option<Twins>,
    /// Of such an instance: chance, for what no code may depend on.
    whims: Option<Whims>,
}

impl Running {
    /// The code of an execution together with further instances of it, `instances` in all.
    pub(super) fn with_twins(workflow: WorkflowFn, meta: &Meta, instances: u32) -> Self {
        let mut running = Self::new(workflow, meta);
        running.twins = (instances > 1).then(|| Twins::new(workflow, meta, instances - 1));
        running
    }

    pub(super) fn new(workflow: WorkflowFn, meta: &Meta) -> Self {
        let first = meta.origin.as_ref().map_or(&meta.id, |it| &it.root);
        let current = Current::new(first.clone(), Machine::new(meta.seed));
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        Self {
            workflow,
            run: meta.run,
            seed: meta.seed,
            current,
            code: Some(begin(workflow, meta.input.clone())),
            flag,
            end: None,
            time: meta.started,
            version: 0,
            base: 0,
            begun: false,
            uncommitted: false,
            forked: false,
            twins: None,
            whims: None,
        }
    }

    /// The same, but whatever no code may depend on is decided by chance.
    pub(super) fn whimsical(workflow: WorkflowFn, meta: &Meta, seed: u64) -> Self {
        let mut running = Self::new(workflow, meta);
        running.whims = Some(Whims::new(seed));
        running
    }

    /// How the code ended, once it has.
    pub(super) const fn end(&self) -> Option<&Outcome> {
        self.end.as_ref()
    }

    /// Begins anew, as the code wanted to in turn `number`.
    fn continue_as_new(&mut self, number: u64, time: Millis, from: &Continued) {
        self.drop_code();
        let machine = Machine::continued(self.seed, number, time, from);
        let execution = self.current.execution.borrow().clone();
        self.current = Current::new(execution, machine);
        self.code = Some(begin(self.workflow, from.input.clone()));
        (self.end, self.begun, self.uncommitted) = (None, false, false);
        (self.base, self.version, self.time) = (number, number, time);
    }

    /// The run of its execution.
    pub(super) const fn run(&self) -> Option<Run> {
        self.run
    }

    /// Number of the last turn that it took.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Whether a turn without new facts would ask for something.
    pub(super) const fn is_due(&self) -> bool {
        !self.begun || self.uncommitted
    }

    /// Time of the last turn that it took.
    pub(super) const fn time(&self) -> Millis {
        self.time
    }

    pub(super) fn fresh(&self, facts: Vec<Fact>) -> Vec<Fact> {
        self.current.machine.borrow().fresh(facts)
    }

    /// What it waits for, after `turn` if it took one.
    pub(super) fn pending(&mut self, turn: Option<&Turn>) -> Pending {
        let forked = turn.is_some() && mem::take(&mut self.forked);
        Pending { base: self.base, ..Pending::of(self.current.machine.borrow().outstanding(), turn, forked) }
    }

    /// The calls whose outcome is not known.
    pub(super) fn waits_for(&self) -> Vec<Open> {
        let machine = self.current.machine.borrow();
        let open = machine.outstanding();
        open.map(|(seq, call, attempt, _)| Open { seq, call: call.clone(), attempt }).collect()
    }

    /// Why the code stands still once it has learnt `fresh`, if somebody paused it.
    pub(super) fn paused_by(&self, fresh: &[Fact]) -> Option<String> {
        let machine = self.current.machine.borrow();
        fresh.iter().fold(machine.paused().map(str::to_owned), |paused, fact| match fact {
            Fact::Paused { reason, .. } => Some(reason.clone()),
            Fact::Resumed { .. } => None,
            _ => paused,
        })
    }

    /// Answers a query from the state of the code.
    pub(super) fn query(&self, name: &str, input: &Payload) -> Result<Outcome, Vec<String>> {
        let answer = self.current.query(name)?;
        Ok(catch_unwind(AssertUnwindSafe(|| answer(input))).unwrap_or_else(|panic| crash(&*panic)))
    }

    /// Takes turns that were committed before.
    pub(super) fn replay(&mut self, committed: &[Turn]) -> Result<(), String> {
        self.replay_alone(committed).map_err(|it| it.to_string())?;
        self.twins.as_mut().map_or(Ok(()), |it| it.replay(committed))
    }

    /// The same, without the twins. Calls of a parked turn were recorded by the first turn after it that was not parked, so such turns are replayed together.
    pub(super) fn replay_alone(&mut self, mut committed: &[Turn]) -> Result<(), Mismatch> {
        // Of code that has not begun, or was left behind so far that the turns after it are dropped, only what it became counts.
        let follows = self.version > 0 && committed.first().is_none_or(|it| it.number == self.version + 1);
        let anew = committed.iter().rposition(|it| it.continued.is_some()).filter(|_| !follows);
        if let Some(index) = anew
            && let turn = &committed[index]
            && let Some(from) = &turn.continued
        {
            self.continue_as_new(turn.number, turn.time, from);
            committed = &committed[index + 1..];
        }
        let silent = tracing::Dispatch::none();
        tracing::dispatcher::with_default(&silent, || {
            let mut rest = committed;
            while !rest.is_empty() {
                let parked = rest.iter().take_while(|it| it.parked.is_some()).count();
                let (group, later) = rest.split_at((parked + 1).min(rest.len()));
                self.replay_group(group)?;
                rest = later;
            }
            Ok(())
        })
    }

    fn replay_group(&mut self, group: &[Turn]) -> Result<(), Mismatch> {
        let recorded = group.iter().find(|it| it.parked.is_none());
        for (index, turn) in group.iter().enumerate() {
            let mut machine = self.current.machine.borrow_mut();
            match recorded {
                Some(made) if index == 0 => {
                    machine.begin_replay(turn.time, &turn.facts, &made.calls, &made.markers);
                }
                None if index == 0 => machine.begin(turn.time, &turn.facts),
                _ => machine.go_on(turn.time, &turn.facts),
            }
            drop(machine);
            self.become_fork(&turn.facts);
            self.go_on();
            if let Some(reason) = self.current.parked() {
                return Err(Mismatch::said(reason));
            }
            self.time = turn.time;
            self.version = turn.number;
        }
        self.uncommitted = recorded.is_none();
        let Some(recorded) = recorded else {
            // The calls stay in the machine until the next turn takes and commits them.
            return self.current.machine.borrow().mismatch().map_or(Ok(()), |it| Err(it.clone()));
        };
        self.forked = false;
        let continues = self.current.take_continued();
        self.current.machine.borrow_mut().end()?;
        match (&recorded.continued, continues) {
            (None, None) => Ok(()),
            (Some(from), Some(_)) => {
                self.continue_as_new(recorded.number, recorded.time, from);
                Ok(())
            }
            (then, _) => Err(self.current.machine.borrow().continued_otherwise(then.is_some())),
        }
    }

    /// Takes a new turn.
    pub(super) fn advance(&mut self, time: Millis, facts: Vec<Fact>) -> Result<Turn, String> {
        self.current.machine.borrow_mut().begin(time, &facts);
        self.become_fork(&facts);
        self.go_on();
        if let Some(reason) = self.current.parked() {
            return Err(reason);
        }
        let input = self.current.take_continued().filter(|_| self.end.is_none());
        if self.end.is_some() {
            self.current.machine.borrow_mut().close();
        }
        let continued = input.map(|it| self.current.machine.borrow_mut().continue_as_new(it));
        let output = self.current.machine.borrow_mut().end().map_err(|it| it.to_string())?;
        if continued.is_none() && self.end.is_none() && !self.current.machine.borrow().waits() {
            return Err("the code waits for something that is not in its history (a channel, a lock, another runtime's \
                        future), so nothing can ever wake it; await calls of eventual only"
                .to_owned());
        }
        super::limits::check(&output, self.current.machine.borrow().outstanding().count())?;
        self.time = time;
        self.version += 1;
        let uncommitted = mem::take(&mut self.uncommitted);
        let turn = Turn {
            number: self.version,
            time,
            facts,
            calls: output.calls,
            attempts: output.attempts,
            stops: output.stops,
            dropped: output.dropped,
            markers: output.markers,
            answers: output.answers,
            continued,
            attributes: output.attributes,
            end: self.end.clone(),
            parked: None,
        };
        if let Some(twins) = &mut self.twins {
            twins.take(&turn, uncommitted)?;
        }
        if let Some(from) = &turn.continued {
            self.continue_as_new(turn.number, time, from);
        }
        Ok(turn)
    }

    /// What the code asks for from here on is another execution's, if the facts say so.
    fn become_fork(&mut self, facts: &[Fact]) {
        for fact in facts {
            if let Fact::Forked { to, .. } = fact {
                self.forked = true;
                self.current.execution.replace(to.clone());
            }
        }
    }

    /// Polls the code until it has learnt all that it can.
    fn go_on(&mut self) {
        if !self.begun {
            self.begun = true;
            self.poll_all();
        }
        loop {
            let Some(seq) = self.current.machine.borrow_mut().open_next() else { break };
            let waker = self.current.wakers.borrow_mut().remove(&seq);
            if let Some(waker) = waker {
                waker.wake();
            }
            self.poll_all();
        }
    }

    /// Polls the code, and again as long as a condition on its own state comes true by it.
    fn poll_all(&mut self) {
        self.poll();
        for _ in 0..SPIN_MAX {
            let mut waiting = self.current.conditions.take();
            if let Some(whims) = &mut self.whims {
                whims.shuffle(&mut waiting);
            }
            if waiting.is_empty() || self.code.is_none() {
                return;
            }
            waiting.into_iter().for_each(Waker::wake);
            self.current.met.set(false);
            self.poll();
            if !self.current.met.get() {
                return;
            }
        }
    }

    /// Polls the code, and again as long as it wakes itself.
    fn poll(&mut self) {
        if let Some(whims) = &mut self.whims {
            // Every waker may be woken without a reason, in any order.
            let mut waiting: Vec<Waker> = self.current.wakers.borrow().values().cloned().collect();
            whims.shuffle(&mut waiting);
            waiting.into_iter().for_each(Waker::wake);
        }
        let waker = Waker::from(self.flag.clone());
        for _ in 0..SPIN_MAX {
            let Some(code) = self.code.as_mut() else { return };
            self.flag.0.store(false, Ordering::Relaxed);
            let current = &self.current;
            let polled = catch_unwind(AssertUnwindSafe(|| {
                current.enter(|| code.as_mut().poll(&mut Context::from_waker(&waker)))
            }));
            let end = match polled {
                Ok(Poll::Pending) if current.continues() => return self.drop_code(),
                Ok(Poll::Pending) if self.flag.0.load(Ordering::Relaxed) => continue,
                Ok(Poll::Pending) => return,
                Ok(Poll::Ready(outcome)) => self.ended(outcome),
                Err(panic) => crash(&*panic),
            };
            self.end = Some(end);
            self.drop_code();
            return;
        }
        self.end =
            Some(Outcome::Crashed(format!("the code woke itself {SPIN_MAX} times without awaiting a call")));
        self.drop_code();
    }

    /// The end of code that returned `outcome`: an execution that was asked to cancel itself, and passed on a call that
    /// was cancelled by that, is cancelled and has not failed.
    fn ended(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Failed(failure)
                if self.current.machine.borrow().cancel_requested()
                    && codec::passes_on_cancellation(&failure) =>
            {
                Outcome::Cancelled
            }
            other => other,
        }
    }

    /// Drops the future where a panic in a destructor of user code is caught.
    fn drop_code(&mut self) {
        let code = self.code.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(code)));
    }
}

/// The code, about to begin. The function itself may panic before its first await, as may the decoding of its input: so
/// it is called where polls are caught, at the first one.
fn begin(workflow: WorkflowFn, input: Payload) -> Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async move { workflow(input).await })
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drop_code();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("current", &self.current)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
