//! Who goes on next: deliveries, processes, callers from outside and the clock, drawn by chance until nothing is left.
//!
//! Messages to one execution keep their order, and one of them is handled at a time until its lease ends: that much a
//! queue promises. Nothing else is in order.

mod again;
mod deploy;
mod outside;

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use eventual_engine::core::{ExecutionId, Fact, Millis, Outcome, Payload};
use eventual_engine::ports::{Clock, Dispatch, Fault, Message, TaskRequest};
use eventual_engine::{AdvanceError, ClientError, Engine, States};

use super::shared::{Shared, Token};
use super::{Figures, Mutant, check, service};
use crate::world::{Delivery, World};
use again::Former;
use deploy::Process;

/// How long a message or an attempt is left to one process.
const LEASE_MS: u64 = 60_000;
/// Pause before a message that failed comes again.
const PAUSE_MS: u64 = 1_000;
/// How often a message is taken before it may become a dead letter.
const TAKEN_MAX: u32 = 3;
/// More steps than any run that ends needs.
const STEPS_MAX: u64 = 40_000;

/// A message on its way.
#[derive(Clone, Debug)]
struct Item {
    message: Message,
    taken: u32,
    due: Millis,
}

/// The messages to one execution.
#[derive(Debug, Default)]
struct Lane {
    items: VecDeque<Item>,
    busy: bool,
}

/// What a process is doing.
enum Work {
    /// Somebody answers for a task; `again` says that it was answered before, and otherwise when it is told so.
    Answer {
        token: Token,
        again: Option<bool>,
    },
    /// Somebody answers for a task of an execution that was forgotten.
    Former(Token),
    Start {
        workflow: &'static str,
        size: u64,
        name: String,
        signals: Option<&'static str>,
    },
    Task(TaskRequest),
    Wake(ExecutionId, Item),
}

#[derive(Debug)]
enum End {
    Done,
    Again(String),
    /// It can never be done.
    Refused(String),
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Flight {
    process: usize,
    work: Work,
    future: Pin<Box<dyn Future<Output = End>>>,
    flag: Arc<Flag>,
    until: Millis,
    /// Its lease ended: somebody else does it again, and what becomes of it counts no more.
    late: bool,
}

/// Something that comes from outside.
enum Outside {
    Answer(Token, Option<bool>),
    Deploy,
    Redrive(ExecutionId, Item),
    Replace(usize),
    Signal(ExecutionId, Fact),
    Start(Work),
    Task(TaskRequest),
}

enum Step {
    Expire(usize),
    Outside(usize),
    Poll(usize),
    Wake(ExecutionId),
}

pub(super) struct Schedule {
    shared: Arc<Shared>,
    world: Arc<World>,
    states: Arc<States>,
    processes: Vec<Process>,
    /// The code that was deployed last, by its place among all.
    newest: usize,
    lanes: BTreeMap<ExecutionId, Lane>,
    flights: Vec<Flight>,
    outside: Vec<(Millis, Outside)>,
    expected: check::Expected,
    /// How often somebody resumed an execution.
    resumed: u64,
    former: Former,
}

impl Schedule {
    pub(super) fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let world = Arc::new(World::new([], seed));
        let shared = Arc::new(Shared::new(seed, world.clone(), mutant));
        let mut states = States::default();
        states.insert(shared.clone());
        let mut schedule = Self {
            shared,
            world,
            states: Arc::new(states),
            processes: Vec::new(),
            newest: 0,
            lanes: BTreeMap::new(),
            flights: Vec::new(),
            outside: Vec::new(),
            expected: BTreeMap::new(),
            resumed: 0,
            former: Former::default(),
        };
        for _ in 0..1 + schedule.shared.below(3) {
            schedule.add_process(0, true);
        }
        schedule.plan_deployments();
        for number in 0..1 + schedule.shared.below(4) {
            let (workflow, size, signals) = service::pick(&schedule.shared);
            let work = Work::Start { workflow, size, name: number.to_string(), signals };
            schedule.former.note_start(&work);
            let due = schedule.world.now() + schedule.shared.below(20_000);
            schedule.outside.push((due, Outside::Start(work)));
        }
        schedule
    }

    /// Runs to the end, and checks it.
    pub(super) fn run(mut self) -> Result<Figures, String> {
        for _ in 0..STEPS_MAX {
            self.pump();
            let steps = self.steps();
            if steps.is_empty() {
                if self.pass_time() || self.resume() {
                    continue;
                }
                check::all(&self.shared, self.newest, &self.expected)?;
                if self.begin_again() {
                    continue;
                }
                return Ok(self.shared.state().figures);
            }
            let drawn = usize::try_from(self.shared.below(steps.len() as u64)).unwrap_or(0);
            if let Some(step) = steps.into_iter().nth(drawn) {
                self.step(step);
            }
            if let Some(what) = self.shared.state().violation.take() {
                return Err(what);
            }
        }
        let open = |it: &ExecutionId| self.shared.world.peek(it, |meta, _| !meta.status.is_closed());
        let open: Vec<String> = self
            .shared
            .world
            .ids()
            .into_iter()
            .filter(|it| open(it).unwrap_or_default())
            .map(|it| format!("{it}{}", check::shown(&self.shared, &it)))
            .collect();
        Err(format!("{STEPS_MAX} steps and no end: {}", open.join("\n")))
    }

    /// Takes over what the processes have sent.
    fn pump(&mut self) {
        let tokens = mem::take(&mut self.shared.state().tokens);
        for token in tokens {
            self.former.note_token(&token);
            let due = self.world.now() + self.shared.below(90_000);
            self.outside.push((due, Outside::Answer(token, None)));
        }
        while let Some((delivery, _)) = self.world.next() {
            let (late, odds) = {
                let odds = self.shared.state().odds;
                (self.shared.chance(odds.late), odds)
            };
            let now = self.world.now();
            let due = now + if late { self.shared.below(40_000) } else { 0 };
            let twice = self.shared.chance(odds.duplicate);
            self.shared.state().figures.duplicates += u64::from(twice);
            let again = due + self.shared.below(90_000);
            match delivery {
                Delivery::Event { .. } => {}
                Delivery::Task(request) => {
                    if twice {
                        self.outside.push((again, Outside::Task(request.clone())));
                    }
                    self.outside.push((due, Outside::Task(request)));
                }
                Delivery::Wake(id, message) => {
                    self.former.note_message(&id, &message);
                    if twice {
                        let copy = Item { message: self.copy(&message), taken: 0, due: again };
                        self.outside.push((again, Outside::Redrive(id.clone(), copy)));
                    }
                    self.lanes.entry(id).or_default().items.push_back(Item { message, taken: 0, due });
                }
            }
        }
    }

    /// The same message once more; with a planted bug, not the same.
    fn copy(&self, message: &Message) -> Message {
        let mut copy = message.clone();
        if self.shared.mutant == Some(Mutant::RepeatedSignals) {
            for fact in &mut copy.facts {
                if let Fact::Signal { id, .. } = fact {
                    id.push_str("-again");
                }
            }
        }
        copy
    }

    /// All that can happen now.
    fn steps(&self) -> Vec<Step> {
        self.shared.wake_due();
        let now = self.world.now();
        let mut steps = Vec::new();
        for (index, flight) in self.flights.iter().enumerate() {
            if flight.flag.0.load(Ordering::Relaxed) {
                steps.push(Step::Poll(index));
            }
            if !flight.late && flight.until <= now {
                steps.push(Step::Expire(index));
            }
        }
        for (id, lane) in &self.lanes {
            if !lane.busy && lane.items.front().is_some_and(|it| it.due <= now) {
                steps.push(Step::Wake(id.clone()));
            }
        }
        let due = self.outside.iter().enumerate().filter(|(_, it)| it.0 <= now);
        steps.extend(due.map(|(index, _)| Step::Outside(index)));
        steps
    }

    /// Moves the clock to the next thing that happens. `false` when nothing will.
    fn pass_time(&self) -> bool {
        let leases = self.flights.iter().filter(|it| !it.late).map(|it| it.until);
        let items =
            self.lanes.values().filter(|it| !it.busy).filter_map(|it| it.items.front()).map(|it| it.due);
        let outside = self.outside.iter().map(|it| it.0);
        let others = [self.world.next_due(), self.shared.next_due()].into_iter().flatten();
        let Some(next) = leases.chain(items).chain(outside).chain(others).min() else { return false };
        self.world.set_now(next);
        true
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Expire(index) => self.expire(index),
            Step::Outside(index) => {
                let (_, what) = self.outside.swap_remove(index);
                self.come(what);
            }
            Step::Poll(index) => self.poll(index),
            Step::Wake(id) => {
                let Some(lane) = self.lanes.get_mut(&id) else { return };
                let Some(item) = lane.items.pop_front() else { return };
                lane.busy = true;
                self.begin(Work::Wake(id, item));
            }
        }
    }

    fn come(&mut self, what: Outside) {
        match what {
            Outside::Answer(token, again) => self.begin(Work::Answer { token, again }),
            Outside::Deploy => self.deploy(),
            Outside::Replace(process) => self.replace(process),
            Outside::Redrive(id, item) => self.lanes.entry(id).or_default().items.push_back(item),
            Outside::Signal(id, fact) => self.tell(&id, fact),
            Outside::Start(work) => self.begin(work),
            Outside::Task(request) => self.begin(Work::Task(request)),
        }
    }

    /// A message from a sender that nothing happens to.
    fn tell(&mut self, id: &ExecutionId, fact: Fact) {
        self.send(id, &Message { facts: vec![fact], ..Message::default() });
    }

    fn send(&mut self, id: &ExecutionId, message: &Message) {
        let mut sending = self.world.wake(id, message);
        // Memory answers at its first poll.
        let _ = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }

    /// A process takes something on.
    fn begin(&mut self, work: Work) {
        let process = self.draw_process();
        let engine = self.processes[process].engine.clone();
        let forgets = self.shared.mutant == Some(Mutant::ForgottenRedelivery);
        let future: Pin<Box<dyn Future<Output = End>>> = match &work {
            Work::Start { workflow, size, name, .. } => {
                let (workflow, size, name) = (*workflow, size.to_string(), name.clone());
                Box::pin(async move {
                    let started = engine.client().start(workflow, Some(&name), size.as_str().into()).await;
                    started.map_or_else(|error| End::Again(error.to_string()), |_| End::Done)
                })
            }
            Work::Answer { token, again } => {
                Box::pin(answer(engine, token.text.clone(), answer_of(token, *again)))
            }
            Work::Former(token) => Box::pin(answer(engine, token.text.clone(), answer_of(token, None))),
            Work::Task(request) => {
                let request = request.clone();
                Box::pin(async move { ended(engine.perform(request).await) })
            }
            Work::Wake(id, item) => {
                let (id, mut message, redelivered) =
                    (id.clone(), item.message.clone(), item.taken > 0 && !forgets);
                if self.shared.mutant == Some(Mutant::IgnoredRuns) {
                    message.run = None;
                }
                // Every other process has no time for more than one inline task of a message.
                let until = (process % 2 == 1).then(|| self.world.now() + 1);
                Box::pin(async move {
                    match engine.advance_until(&id, message, redelivered, until).await {
                        Ok(()) | Err(AdvanceError::Unknown(_)) => End::Done,
                        Err(error) => End::Again(error.to_string()),
                    }
                })
            }
        };
        let until = self.world.now() + LEASE_MS;
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        self.flights.push(Flight { process, work, future, flag, until, late: false });
    }

    fn poll(&mut self, index: usize) {
        let flight = &mut self.flights[index];
        flight.flag.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(flight.flag.clone());
        let polled = flight.future.as_mut().poll(&mut Context::from_waker(&waker));
        let crashed = self.shared.state().crashed.take();
        if let Some(process) = crashed {
            return self.crash(process);
        }
        if let Poll::Ready(end) = polled {
            let flight = self.flights.swap_remove(index);
            if !flight.late {
                self.end(flight.work, &end);
            }
        }
    }

    /// A lease is over: what is late is given to somebody else.
    fn expire(&mut self, index: usize) {
        let flight = &mut self.flights[index];
        flight.late = true;
        let work = match &flight.work {
            Work::Start { workflow, size, name, signals } => {
                Work::Start { workflow, size: *size, name: name.clone(), signals: *signals }
            }
            Work::Answer { token, again } => Work::Answer { token: token.clone(), again: *again },
            Work::Former(token) => Work::Former(token.clone()),
            Work::Task(request) => Work::Task(request.clone()),
            Work::Wake(id, item) => Work::Wake(id.clone(), item.clone()),
        };
        self.end(work, &End::Again("the lease is over".to_owned()));
    }

    fn end(&mut self, work: Work, end: &End) {
        let now = self.world.now();
        match (work, end) {
            (Work::Start { workflow, size, name, signals }, End::Done) => {
                let Ok(id) = ExecutionId::new(workflow, &name) else { return };
                if self.expected.insert(id.clone(), (workflow, size)).is_none() {
                    self.send_signals(&id, size, signals);
                    self.control(&id);
                }
            }
            (work @ Work::Start { .. }, End::Again(_)) => {
                self.outside.push((now + PAUSE_MS, Outside::Start(work)))
            }
            (Work::Answer { token, again }, end) => self.end_answer(token, again, end),
            (Work::Former(token), end) => self.end_former(token, end),
            (Work::Start { .. } | Work::Task(_), End::Done | End::Refused(_)) => {}
            (Work::Task(request), End::Again(reason)) => {
                let id = request.id();
                self.send(&id.execution, &id.message(id.lost(false, reason.clone())));
            }
            (Work::Wake(id, item), end) => self.end_wake(id, item, end),
        }
    }

    /// Somebody was answered. Whoever was told that an answer counts may give it again, or another one.
    fn end_answer(&mut self, token: Token, again: Option<bool>, end: &End) {
        let now = self.world.now();
        let (id, seq, attempt) = &token.attempt;
        match (end, again) {
            (End::Again(_), _) => self.outside.push((now + PAUSE_MS, Outside::Answer(token, again))),
            (End::Done, None) => {
                self.shared.state().accepted.insert(token.attempt.clone(), token.answer.clone());
                let otherwise = self.shared.chance(500);
                let due = now + self.shared.below(600_000);
                self.outside.push((due, Outside::Answer(token, Some(otherwise))));
            }
            (End::Done, Some(false)) | (End::Refused(_), None | Some(true)) => {}
            (End::Done, Some(true)) => {
                let what = format!("{id}: attempt {attempt} of call {seq} was answered twice, differently");
                self.shared.state().violation.get_or_insert(what);
            }
            (End::Refused(why), Some(false)) => {
                let what = format!(
                    "{id}: attempt {attempt} of call {seq} was answered, and again was refused: {why}"
                );
                self.shared.state().violation.get_or_insert(what);
            }
        }
    }

    fn end_wake(&mut self, id: ExecutionId, mut item: Item, end: &End) {
        let dropped = self.shared.mutant == Some(Mutant::EarlyDelete);
        let lane = self.lanes.entry(id.clone()).or_default();
        lane.busy = false;
        if matches!(end, End::Done) || dropped {
            return;
        }
        item.taken += 1;
        item.due = self.world.now() + PAUSE_MS;
        // A message without facts says nothing that a redrive could hide, and only a redelivery finishes its outbox.
        if item.taken >= TAKEN_MAX && !item.message.facts.is_empty() && self.shared.chance(500) {
            item.taken = 0;
            item.due += self.shared.below(3_600_000);
            self.shared.state().figures.redrives += 1;
            self.outside.push((item.due, Outside::Redrive(id, item)));
        } else {
            lane.items.push_front(item);
        }
    }
}

/// What somebody answers: another time, perhaps something else.
fn answer_of(token: &Token, again: Option<bool>) -> Payload {
    if again == Some(true) { "-1".into() } else { token.answer.clone() }
}

async fn answer(engine: Arc<Engine>, token: String, answer: Payload) -> End {
    match engine.client().complete(&token, Outcome::Succeeded(answer)).await {
        Ok(_) => End::Done,
        Err(ClientError::Fault(fault)) => End::Again(fault.to_string()),
        Err(refused) => End::Refused(refused.to_string()),
    }
}

fn ended(performed: Result<(), Fault>) -> End {
    performed.map_or_else(|fault| End::Again(fault.to_string()), |()| End::Done)
}
