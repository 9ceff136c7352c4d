//! What all processes of a simulation share: the world, chance, the effects that were seen, and who waits for what.
//!
//! Deliberately knows nothing of engines, but that one that runs former code is asked by others.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

use eventual_engine::Engine;
use eventual_engine::core::{Call, ExecutionId, Machine, Millis, Payload, Seq, Turn};
use eventual_engine::ports::{Clock, Fault, Forward, Forwarded};

use super::{Figures, Mutant};
use crate::world::World;

/// Longest stall of a port call: more than the lease of any message or task.
const STALL_MAX_MS: u64 = 600_000;
/// Fewest things that may go wrong, and how many more do by chance.
const TROUBLES_MIN: u64 = 5;
const TROUBLES_MORE: u64 = 40;

/// What a port call does besides its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    Crash { after: bool },
    Fault { after: bool },
    Stall { after: bool, ms: u64 },
}

/// How much of what goes wrong, in per mille of the occasions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odds {
    pub(super) crash: u64,
    pub(super) fault: u64,
    pub(super) stall: u64,
    pub(super) yields: u64,
    pub(super) duplicate: u64,
    pub(super) late: u64,
}

/// What a task handed out, and the answer that it waits for.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) attempt: (ExecutionId, Seq, u32),
    pub(super) text: String,
    pub(super) answer: Payload,
}

pub(super) struct State {
    random: Machine,
    pub(super) odds: Odds,
    /// How many more things may go wrong, so that every run ends.
    pub(super) troubles: u64,
    waiting: Vec<(Millis, Waker)>,
    pub(super) crashed: Option<usize>,
    /// Performances by execution, call and attempt, and whether the task is inline.
    pub(super) effects: BTreeMap<(ExecutionId, Seq, u32), u64>,
    pub(super) keys: BTreeMap<(ExecutionId, Seq), String>,
    pub(super) published: BTreeSet<String>,
    /// Turns that the store dropped because their code continued as new.
    retired: BTreeMap<ExecutionId, Vec<Turn>>,
    /// Tokens that tasks handed out, and that nobody uses yet.
    pub(super) tokens: Vec<Token>,
    /// Answers that were accepted.
    pub(super) accepted: BTreeMap<(ExecutionId, Seq, u32), Payload>,
    pub(super) violation: Option<String>,
    pub(super) figures: Figures,
    /// Processes that run former code, by its hash: number, how many had that number before, and the process.
    kept: BTreeMap<String, (usize, u64, Weak<Engine>)>,
}

pub(super) struct Shared {
    pub(super) world: Arc<World>,
    pub(super) mutant: Option<Mutant>,
    state: Mutex<State>,
}

impl Shared {
    pub(super) fn new(seed: u64, world: Arc<World>, mutant: Option<Mutant>) -> Self {
        let mut random = Machine::new(seed);
        // Each kind of trouble is absent, rare or frequent by seed, so that they meet in all mixtures.
        let mut odds = |frequent: u64| [0, frequent / 8, frequent][(random.random() % 3) as usize];
        let odds = Odds {
            crash: odds(60),
            fault: odds(60),
            stall: odds(60),
            yields: odds(400),
            duplicate: odds(300),
            late: odds(400),
        };
        let troubles = TROUBLES_MIN + random.random() % TROUBLES_MORE;
        let state = State {
            random,
            odds,
            troubles,
            waiting: Vec::new(),
            crashed: None,
            effects: BTreeMap::new(),
            retired: BTreeMap::new(),
            keys: BTreeMap::new(),
            published: BTreeSet::new(),
            tokens: Vec::new(),
            accepted: BTreeMap::new(),
            violation: None,
            figures: Figures::default(),
            kept: BTreeMap::new(),
        };
        Self { world, mutant, state: Mutex::new(state) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the process of that number asked for what only `code` can do.
    pub(super) fn keep(&self, code: &str, process: usize, engine: &Arc<Engine>) {
        let mut state = self.state();
        let before = state.kept.get(code).map_or(0, |it| it.1 + 1);
        state.kept.insert(code.to_owned(), (process, before, Arc::downgrade(engine)));
    }

    /// Has a process that runs former code do something. It may die over that.
    pub(super) async fn forward(
        &self,
        code: &str,
        id: &ExecutionId,
        forward: &Forward,
    ) -> Result<Forwarded, Fault> {
        let known = || self.state().kept.get(code).cloned();
        let Some((process, life, engine)) = known() else { return Ok(Forwarded::NoSuchCode) };
        self.state().figures.forwards += 1;
        let gone = || Fault::new("forward", format!("process {process}, which runs {code}, died"));
        let engine = engine.upgrade().ok_or_else(gone)?;
        let mut asked = pin!(engine.forwarded(code, id, forward.clone(), None));
        poll_fn(|cx| match known() {
            Some((_, now, _)) if now == life => {
                asked.as_mut().poll(cx).map_err(|error| Fault::new("forward", error))
            }
            _ => Poll::Ready(Err(gone())),
        })
        .await
    }

    /// A number below `bound`.
    pub(super) fn below(&self, bound: u64) -> u64 {
        self.state().below(bound)
    }

    /// Whether something happens that does so in `per_mille` of the occasions.
    pub(super) fn chance(&self, per_mille: u64) -> bool {
        self.state().chance(per_mille)
    }

    /// Whether a worker falls silent now.
    pub(super) fn falls_silent(&self) -> bool {
        let mut state = self.state();
        let silent = state.troubles > 0 && state.chance(100);
        state.troubles -= u64::from(silent);
        silent
    }

    /// Waits until the clock says so, and at least until the schedule comes back to it.
    pub(super) async fn wait_until(&self, until: Millis) {
        let mut asked = false;
        poll_fn(|cx| {
            if mem::replace(&mut asked, true) && self.world.now() >= until {
                return Poll::Ready(());
            }
            self.state().waiting.push((until, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Wakes everybody who waited for a moment that has come.
    pub(super) fn wake_due(&self) {
        let now = self.world.now();
        let mut state = self.state();
        let (due, later): (Vec<_>, Vec<_>) =
            mem::take(&mut state.waiting).into_iter().partition(|it| it.0 <= now);
        state.waiting = later;
        drop(state);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// When the next of them wants to go on.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.state().waiting.iter().map(|it| it.0).min()
    }

    /// Draws the trouble of a port call, and notes the call.
    pub(super) fn draw(&self, name: &str) -> (Trouble, bool) {
        let mut state = self.state();
        state.figures.calls += 1;
        for byte in name.bytes() {
            state.figures.digest = (state.figures.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        let yields = state.odds.yields;
        let yields = state.chance(yields);
        if state.troubles == 0 {
            return (Trouble::None, yields);
        }
        let (dice, after, odds) = (state.below(1_000), state.chance(500), state.odds);
        let ms = 1_000 + state.below(STALL_MAX_MS);
        let trouble = if dice < odds.crash {
            state.figures.crashes += 1;
            Trouble::Crash { after }
        } else if dice < odds.crash + odds.fault {
            state.figures.faults += 1;
            Trouble::Fault { after }
        } else if dice < odds.crash + odds.fault + odds.stall {
            state.figures.stalls += 1;
            Trouble::Stall { after, ms }
        } else {
            return (Trouble::None, yields);
        };
        state.troubles -= 1;
        (trouble, yields)
    }

    /// Forgets what was seen of executions that are forgotten, and lets as much go wrong again.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.effects.clear();
        state.keys.clear();
        state.published.clear();
        state.retired.clear();
        state.accepted.clear();
        state.troubles = TROUBLES_MIN + state.below(TROUBLES_MORE);
    }

    /// Keeps the turns that the store is about to drop, for the checks.
    pub(super) fn keep_retired(&self, id: &ExecutionId, before: u64) {
        let gone = |turns: &[Turn]| turns.iter().filter(|it| it.number < before).cloned().collect::<Vec<_>>();
        let gone = self.world.peek(id, |_, turns| gone(turns)).unwrap_or_default();
        self.state().retired.entry(id.clone()).or_default().extend(gone);
    }

    /// All turns of an execution, those that the store dropped included.
    pub(super) fn turns(&self, id: &ExecutionId) -> Vec<Turn> {
        let mut all = self.state().retired.get(id).cloned().unwrap_or_default();
        self.world.peek(id, |_, turns| all.extend_from_slice(turns));
        all
    }

    /// A task is performed: the outside world sees it.
    pub(super) fn effect(&self, id: &ExecutionId, seq: Seq, attempt: u32, key: &str) {
        let known = {
            let turns = self.turns(id);
            let task = turns.iter().flat_map(|it| &it.calls).find(|(it, _)| *it == seq);
            let decided = |turn: &Turn| turn.attempts.iter().any(|it| it.seq == seq && it.attempt == attempt);
            match task {
                Some((_, Call::Task(task))) if attempt == 1 || turns.iter().any(decided) => Some(task.inline),
                _ => None,
            }
        };
        let mut state = self.state();
        let Some(inline) = known else {
            let what =
                format!("{id}: attempt {attempt} of call {seq} has an effect, and is not in the history");
            state.violation.get_or_insert(what);
            return;
        };
        let times = state.effects.entry((id.clone(), seq, attempt)).or_default();
        *times += 1;
        if *times > 1 && !inline {
            let what = format!("{id}: attempt {attempt} of call {seq} had its effect {times} times");
            state.violation.get_or_insert(what);
        }
        let first = state.keys.entry((id.clone(), seq)).or_insert_with(|| key.to_owned()).clone();
        if first != key {
            let what =
                format!("{id}: the attempts of call {seq} had two idempotency keys, {first} and {key}");
            state.violation.get_or_insert(what);
        }
    }
}

impl State {
    fn below(&mut self, bound: u64) -> u64 {
        (self.random.random() >> 11) % bound.max(1)
    }

    fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }
}
