//! The machine: what an execution has asked for and what it has learnt, and in which order its code learns it.
//!
//! A driver feeds it one turn at a time. Within a turn it opens the *gate* for one completion at a time, the oldest
//! that some call waits for; the driver polls the code to quiescence after each. So the order of history alone decides
//! every race in the code, however its `select!` shuffles its branches.

mod asking;
mod attempts;
mod attributes;
mod cancel;
mod continued;
mod forked;
mod mismatch;
mod update;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

pub use cancel::ScopeId;
pub use mismatch::Mismatch;
pub use update::Update;

use crate::attribute::Attribute;
use crate::call::{Attempt, Call, Stop};
use crate::fact::{Fact, FactKey, Outcome};
use crate::id::{Millis, Seq};
use crate::payload::Payload;
use crate::turn::Answer;

/// What a turn asked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Output {
    /// New calls, by sequence number.
    pub calls: Vec<(Seq, Call)>,
    /// Further attempts of tasks.
    pub attempts: Vec<Attempt>,
    /// Children that nobody waits for any more.
    pub stops: Vec<Stop>,
    /// Attempts of tasks that nobody waits for any more.
    pub dropped: Vec<(Seq, u32)>,
    /// Changes of the code that were seen for the first time.
    pub markers: Vec<String>,
    /// Answers to updates.
    pub answers: Vec<Answer>,
    /// Attributes that were set, or removed.
    pub attributes: Vec<(String, Option<Attribute>)>,
}

/// A call that was scheduled and whose outcome has not been taken.
#[derive(Debug)]
struct Open {
    call: Call,
    /// The number that the code of this process knows it by.
    code: Seq,
    /// Current attempt of a task.
    attempt: u32,
    /// When that attempt may begin.
    at: Millis,
    /// Polled in vain since the gate was last opened for it, so that opening it now makes sense.
    waits: bool,
    /// An outcome is queued.
    complete: bool,
    /// Where its cancellation comes from.
    scope: ScopeId,
    /// Whether it was asked to cancel itself.
    stopped: bool,
    /// When it was scheduled, and in which turn.
    since: Millis,
    turn: u64,
    /// The code of the attempt of a task has ended, and somebody else gives its answer.
    deferred: bool,
}

/// Something that the code may learn next.
#[derive(Debug)]
enum Completion {
    Call { seq: Seq, outcome: Outcome },
    Signal { id: String, name: String, payload: Payload },
    Update(Update),
}

/// Where the calls of the turn come from.
#[derive(Debug)]
enum Mode {
    /// The code asks for something new.
    Live,
    /// The code must ask for exactly these again.
    Replay(BTreeMap<Seq, Call>),
}

/// The state of one execution. See the module's text.
#[derive(Debug)]
pub struct Machine {
    turn: u64,
    now: Millis,
    random: u64,
    seed: u64,
    next: Seq,
    /// By the number in history.
    open: BTreeMap<Seq, Open>,
    /// Number in the code of this process to number in history, where they differ: branches that are polled in another
    /// order build their calls in another order.
    bound: BTreeMap<Seq, Seq>,
    same: fn(&Payload, &Payload) -> bool,
    /// What happened and was not learnt yet, by the order in which it happened.
    queue: BTreeMap<u64, Completion>,
    order: u64,
    gate: Option<(Seq, u64)>,
    seen: BTreeSet<FactKey>,
    /// Keys of the messages that came lately, with the time of their turn.
    lately: VecDeque<(Millis, FactKey)>,
    /// Number of the first call since the code began anew.
    first: Seq,
    /// Facts and calls since the code began.
    events: u64,
    updates: update::Updates,
    mode: Mode,
    output: Output,
    asking: asking::Asking,
    scopes: cancel::Scopes,
    /// Whether the code saw each change, by its name.
    changes: BTreeMap<String, bool>,
    /// The changes that the turns which are being replayed were the first to see.
    recorded_markers: BTreeSet<String>,
    paused: Option<String>,
    /// What the code set, and what it removed.
    attributes: BTreeMap<String, Option<Attribute>>,
}

impl Machine {
    /// A machine that knows nothing yet. The same `seed` gives the same random numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            turn: 0,
            now: 0,
            random: seed,
            seed,
            next: 0,
            open: BTreeMap::new(),
            bound: BTreeMap::new(),
            same: same_bytes,
            queue: BTreeMap::new(),
            order: 0,
            gate: None,
            seen: BTreeSet::new(),
            lately: VecDeque::new(),
            first: 0,
            events: 0,
            updates: update::Updates::new(),
            mode: Mode::Live,
            output: Output {
                calls: Vec::new(),
                attempts: Vec::new(),
                stops: Vec::new(),
                dropped: Vec::new(),
                markers: Vec::new(),
                answers: Vec::new(),
                attributes: Vec::new(),
            },
            asking: asking::Asking::new(0),
            scopes: cancel::Scopes::new(),
            changes: BTreeMap::new(),
            recorded_markers: BTreeSet::new(),
            paused: None,
            attributes: BTreeMap::new(),
        }
    }

    /// The same machine, but inputs are the same to a replay when `same` says so, instead of when their bytes are.
    #[must_use]
    pub const fn comparing(mut self, same: fn(&Payload, &Payload) -> bool) -> Self {
        self.same = same;
        self
    }

    // --- the driver's side -------------------------------------------------------------------------------------------

    /// Those of `facts` that were not recorded before and are about a call of this code, each once.
    #[must_use]
    pub fn fresh(&self, facts: Vec<Fact>) -> Vec<Fact> {
        let mut keys = BTreeSet::new();
        let current = |key: &FactKey| key.seq().is_none_or(|seq| seq >= self.first);
        let facts = facts.into_iter().filter(|it| current(&it.key()) && !self.seen.contains(&it.key()));
        facts.filter(|it| keys.insert(it.key())).filter(|it| !self.is_decided(it)).collect()
    }

    /// Begins a turn of which nothing was asked yet.
    pub fn begin(&mut self, time: Millis, facts: &[Fact]) {
        self.mode = Mode::Live;
        self.learn_all(time, facts);
    }

    /// Begins a turn that was committed before: the code must make the same calls again.
    pub fn begin_replay(&mut self, time: Millis, facts: &[Fact], calls: &[(Seq, Call)], markers: &[String]) {
        self.mode = Mode::Replay(calls.iter().cloned().collect());
        self.recorded_markers = markers.iter().cloned().collect();
        self.learn_all(time, facts);
    }

    /// Goes on with a turn that was begun: learns the facts of the next one too. For turns that were parked, whose calls
    /// were made, and recorded, by the first turn after them that was not.
    pub fn go_on(&mut self, time: Millis, facts: &[Fact]) {
        self.learn_all(time, facts);
    }

    /// Opens the gate for the oldest completion that a call waits for, and says for which call, so that the driver
    /// wakes and polls it. `None`: the code has learnt all that it can in this turn.
    pub fn open_next(&mut self) -> Option<Seq> {
        self.gate = None;
        let (seq, order) = self.queue.iter().find_map(|(order, it)| Some((self.waiter(it)?, *order)))?;
        let open = self.open.get_mut(&seq)?;
        open.waits = false;
        self.gate = Some((seq, order));
        Some(open.code)
    }

    /// Ends the turn.
    ///
    /// # Errors
    /// When the code did not make the calls that history has.
    pub fn end(&mut self) -> Result<Output, Mismatch> {
        self.gate = None;
        if let Some(mismatch) = self.asking.mismatch() {
            return Err(mismatch.clone());
        }
        self.refuse_updates();
        let output = mem::take(&mut self.output);
        self.recorded_markers.clear();
        if let Mode::Replay(missing) = mem::replace(&mut self.mode, Mode::Live) {
            if let Some((seq, call)) = missing.into_iter().find(|(seq, _)| !self.asking.made(*seq)) {
                return Err(Mismatch::missing(self.turn, seq, &call));
            }
            self.asking.end();
            // Attempts follow from facts, so a replay decides them again; they were delivered then.
            return Ok(Output::default());
        }
        Ok(output)
    }

    /// What stopped the code in this turn, if its calls do not match.
    #[must_use]
    pub fn mismatch(&self) -> Option<&Mismatch> {
        self.asking.mismatch()
    }

    /// The calls whose outcome is not known: what the execution waits for. For a task with its current attempt, and
    /// whether that may begin.
    pub fn outstanding(&self) -> impl Iterator<Item = (Seq, &Call, u32, bool)> {
        let open = self.open.iter().filter(|(_, it)| !it.complete);
        open.map(|(seq, it)| (*seq, &it.call, it.attempt, it.at <= self.now && !it.deferred))
    }

    /// Whether any call is open, with or without an outcome.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.open.is_empty()
    }

    /// Why the code stands still, if somebody paused it.
    #[must_use]
    pub fn paused(&self) -> Option<&str> {
        self.paused.as_deref()
    }

    /// Whether somebody asked that the code cancel itself.
    #[must_use]
    pub const fn cancel_requested(&self) -> bool {
        self.scopes.root_cancelled()
    }

    /// Stops the children that nobody waits for any more because the code has ended, and answers the updates that it has
    /// not answered.
    pub fn close(&mut self) {
        self.close_updates();
        self.stop_all();
    }

    // --- the code's side ---------------------------------------------------------------------------------------------

    /// The time of this turn.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.now
    }

    /// A random number, the same on every replay (splitmix64).
    pub const fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.random)
    }

    /// How many facts were learnt and calls made since the code began, or began anew.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The number of a call that is being built.
    pub const fn allocate(&mut self) -> Seq {
        let seq = self.next;
        self.next += 1;
        seq
    }

    /// Whether the code that runs is to behave as it does after the change `name`: always, except in turns that were
    /// taken before the change, and in what follows them in the same execution.
    pub fn changed(&mut self, name: &str) -> bool {
        if let Some(known) = self.changes.get(name) {
            return *known;
        }
        let changed = match self.mode {
            Mode::Live => {
                self.output.markers.push(name.to_owned());
                true
            }
            Mode::Replay(_) => self.recorded_markers.contains(name),
        };
        self.changes.insert(name.to_owned(), changed);
        changed
    }

    /// The outcome of a scheduled call, if the gate is open for it. Otherwise the call waits from now on.
    pub fn take(&mut self, code: Seq) -> Option<Outcome> {
        Some(match self.take_completion(code)? {
            Completion::Call { outcome, .. } => outcome,
            Completion::Signal { payload, .. } => Outcome::Succeeded(payload),
            Completion::Update(update) => Outcome::Succeeded(update.input),
        })
    }

    fn take_completion(&mut self, code: Seq) -> Option<Completion> {
        if self.asking.is_extra(code) {
            return None;
        }
        let seq = self.bound.get(&code).copied().unwrap_or(code);
        if let Some((_, order)) = self.gate.filter(|(open, _)| *open == seq) {
            self.gate = None;
            self.open.remove(&seq);
            self.bound.remove(&code);
            return self.queue.remove(&order);
        }
        if let Some(open) = self.open.get_mut(&seq) {
            open.waits = true;
        }
        None
    }

    // --- facts -------------------------------------------------------------------------------------------------------

    fn learn_all(&mut self, time: Millis, facts: &[Fact]) {
        self.turn += 1;
        self.now = time;
        for fact in facts {
            let key = fact.key();
            if self.seen.insert(key.clone()) {
                self.note(key);
                self.events += 1;
                self.learn(fact);
            }
        }
    }

    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::CancelRequested { .. } => self.cancel(cancel::ROOT),
            Fact::Forked { .. } => self.fork(),
            Fact::Paused { reason, .. } => self.paused = Some(reason.clone()),
            Fact::Resumed { .. } => self.paused = None,
            // Ends the execution without its code, so that no machine ever learns it.
            Fact::Terminated { .. } => {}
            Fact::ChildDone { seq, outcome } => self.complete(*seq, outcome.clone()),
            Fact::OperationDone { seq, outcome } | Fact::UpdateDone { seq, outcome } => {
                self.complete(*seq, outcome.clone());
            }
            Fact::Signal { id, name, payload } => {
                let (id, name, payload) = (id.clone(), name.clone(), payload.clone());
                self.push(Completion::Signal { id, name, payload });
            }
            Fact::Update { id, name, input, from } => self.receive_update(id, name, input, from.as_ref()),
            Fact::HeartbeatDue { .. }
            | Fact::RetryDue { .. }
            | Fact::TaskDeferred { .. }
            | Fact::TaskDone { .. }
            | Fact::TaskExpired { .. }
            | Fact::TaskLost { .. } => self.learn_of_task(fact),
            Fact::TimerFired { seq } => self.complete(*seq, Outcome::Succeeded(Payload::null())),
        }
    }

    /// Queues the outcome of a call. The first outcome of a call is its outcome.
    fn complete(&mut self, seq: Seq, outcome: Outcome) {
        if let Some(open) = self.open.get_mut(&seq).filter(|it| !it.complete) {
            open.complete = true;
            self.push(Completion::Call { seq, outcome });
        }
    }

    fn push(&mut self, completion: Completion) {
        self.queue.insert(self.order, completion);
        self.order += 1;
    }

    /// The call that waits for this completion. Of several that wait for one signal, the one that was built first.
    fn waiter(&self, completion: &Completion) -> Option<Seq> {
        match completion {
            Completion::Call { seq, .. } => self.open.get(seq).filter(|it| it.waits).map(|_| *seq),
            Completion::Signal { name, .. } => self
                .open
                .iter()
                .find(|(_, it)| {
                    it.waits && matches!(&it.call, Call::Signal { name: wanted } if wanted == name)
                })
                .map(|(seq, _)| *seq),
            Completion::Update(update) => self.waiter_for(&update.name, |it| it.waits),
        }
    }
}

/// The finalizer of splitmix64.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Open {
    const fn new(call: Call, code: Seq, scope: ScopeId, since: Millis, turn: u64) -> Self {
        let (waits, complete, stopped, deferred) = (true, false, false, false);
        Self { call, code, attempt: 1, at: since, waits, complete, scope, stopped, since, turn, deferred }
    }
}

fn same_bytes(a: &Payload, b: &Payload) -> bool {
    a == b
}

#[cfg(test)]
mod tests;
