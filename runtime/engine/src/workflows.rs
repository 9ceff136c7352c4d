//! The thread on which workflow code is polled, and the executions that are kept in its memory.
//!
//! Workflow futures need not be `Send`, and no async runtime is entered around them: code that needs tokio panics at
//! its first poll, with an explanation, instead of arming a timer that no history knows.

mod here;
mod limits;
mod running;
mod twins;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use eventual_core::{Attempt, Call, ExecutionId, Fact, Millis, Outcome, Payload, Run, Seq, TaskCall, Turn};
use tokio::sync::oneshot;

use crate::ports::{Commit, Fault, Meta, Store};
use crate::registry::Registry;
use crate::versions::not_recorded;
use running::Running;

/// Longest time that workflow code may keep its thread without awaiting anything.
const BLOCKED_AFTER: Duration = Duration::from_secs(20);
/// Most executions that stay in memory between turns.
const KEPT_MAX: usize = 1_000;
/// Most executions of which is noted what the thread has of them: those that it keeps, and some that it dropped.
const VERSIONS_MAX: usize = 4 * KEPT_MAX;
/// Stack of the thread; deep `async` recursion in workflow code needs more than the default.
const STACK_BYTES: usize = 16 << 20;

/// A turn to take.
pub(crate) struct TurnRequest {
    /// The execution.
    pub(crate) id: ExecutionId,
    /// Its run: code in memory that is of another is of no use.
    pub(crate) run: Option<Run>,
    /// What is known of it; with version 0 only, because who is in memory knows it.
    pub(crate) meta: Option<Meta>,
    /// Number of the last turn in memory, as it was when the later ones were read.
    pub(crate) version: u64,
    /// Turns that were committed since the version in memory, in order; all turns when it is not in memory.
    pub(crate) committed: Vec<Turn>,
    /// What it has to learn, duplicates included.
    pub(crate) facts: Vec<Fact>,
    /// Now.
    pub(crate) now: Millis,
    /// Where to commit what comes of it, unless that is its end.
    pub(crate) store: Arc<dyn Store>,
}

/// A question to the code of an execution.
#[derive(Debug)]
pub(crate) struct QueryRequest {
    /// The execution.
    pub(crate) meta: Meta,
    /// Its turns, at least from that in which its code last continued as new.
    pub(crate) turns: Vec<Turn>,
    /// Name of the query.
    pub(crate) query: String,
    /// What is asked.
    pub(crate) input: Payload,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum TurnReply {
    /// The code's calls do not go with its history, or it cannot go on for another reason that a deploy can mend.
    Blocked {
        /// Why, for people.
        reason: String,
        /// Those facts that are new.
        facts: Vec<Fact>,
    },
    /// The code of another execution keeps the thread; this one was not looked at.
    Busy,
    /// Nothing is new.
    Nothing(Pending),
    /// Somebody paused it.
    Paused {
        /// Why, for people.
        reason: String,
        /// Those facts that are new.
        facts: Vec<Fact>,
    },
    /// The machine in memory is not the one that the turns were read for: it was dropped meanwhile.
    Stale,
    /// A turn to commit.
    Taken {
        /// The turn.
        turn: Box<Turn>,
        /// What it waits for afterwards.
        pending: Pending,
        /// Whether it is committed, if that was done already.
        committed: Option<Result<Commit, Fault>>,
    },
}

/// What an execution waits for.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Open inline tasks whose current attempt may begin, with that attempt.
    pub(crate) inline: Vec<(Seq, u32, TaskCall)>,
    /// Open operations.
    pub(crate) operations: Vec<(Seq, Call)>,
    /// Number of the turn in which the code last continued as new; 0 when it never did.
    pub(crate) base: u64,
    /// All open timers, with the time when they fire, where code goes on as a fork's: its origin has armed them for itself.
    pub(crate) timers: Vec<(Seq, Millis)>,
    /// Those open tasks of which the turn makes another attempt.
    pub(crate) tasks: Vec<(Seq, TaskCall)>,
}

impl Pending {
    /// Of all that is open, what somebody has to do something about after `turn`.
    fn of<'a>(
        open: impl Iterator<Item = (Seq, &'a Call, u32, bool)>,
        turn: Option<&Turn>,
        forked: bool,
    ) -> Self {
        let mut pending = Self::default();
        let attempts = turn.map_or(&[][..], |it| &it.attempts);
        for (seq, call, attempt, may_begin) in open {
            if call.is_operation() {
                pending.operations.push((seq, call.clone()));
            }
            if let Call::Timer { due } = call
                && forked
            {
                pending.timers.push((seq, *due));
            }
            let Call::Task(task) = call else { continue };
            if attempts.iter().any(|it| it.seq == seq) {
                pending.tasks.push((seq, task.clone()));
            }
            if task.inline && may_begin {
                pending.inline.push((seq, attempt, task.clone()));
            }
        }
        pending
    }

    /// Whether there is something for whoever took the turn to do.
    pub(crate) fn is_ours(&self) -> bool {
        !self.inline.is_empty() || !self.operations.is_empty()
    }

    /// The task of an attempt, if its outcome is still wanted.
    pub(crate) fn task(&self, attempt: &Attempt) -> Option<&TaskCall> {
        self.tasks.iter().find(|(seq, _)| *seq == attempt.seq).map(|(_, task)| task)
    }
}

enum Job {
    Forget(ExecutionId),
    Query(Box<QueryRequest>, oneshot::Sender<Result<Outcome, String>>),
    /// With how many instances of the code take it.
    Turn(Box<TurnRequest>, u32, Arc<Stage>, oneshot::Sender<TurnReply>),
    /// The calls that an execution waits for.
    Waits(Box<(Meta, Vec<Turn>)>, oneshot::Sender<Result<Vec<Open>, String>>),
}

/// How far a turn is on the thread of workflow code.
#[derive(Debug, Default)]
struct Stage {
    /// The code has the thread.
    begun: AtomicBool,
    /// The code has given it back.
    taken: AtomicBool,
}

/// A call that an execution waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// Its number.
    pub seq: Seq,
    /// What was asked for.
    pub call: Call,
    /// The current attempt of a task, from 1.
    pub attempt: u32,
}

/// A handle to the thread, or to the memory of the caller's own thread.
pub(crate) struct Workflows {
    registry: Arc<Registry>,
    place: Place,
    /// How many instances of the code take each turn.
    instances: AtomicU32,
    /// The last turns that the thread is thought to have in memory, and of which run, so that it need not be asked. A wrong one
    /// costs a turn that is stale.
    versions: Mutex<HashMap<ExecutionId, (Option<Run>, u64)>>,
}

/// Where workflow code is polled.
enum Place {
    Here(here::Memory),
    Thread(Mutex<Sender<Job>>),
}

impl Workflows {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        let place = Place::Thread(Mutex::new(spawn(registry.clone())));
        Self::at(registry, place)
    }

    /// Polls workflow code on the thread that asks.
    pub(crate) fn here(registry: Arc<Registry>) -> Self {
        Self::at(registry, Place::Here(here::Memory::new()))
    }

    fn at(registry: Arc<Registry>, place: Place) -> Self {
        Self { registry, place, instances: AtomicU32::new(1), versions: Mutex::default() }
    }

    fn versions(&self) -> MutexGuard<'_, HashMap<ExecutionId, (Option<Run>, u64)>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, job: Job) {
        let sender = match &self.place {
            Place::Here(memory) => return memory.with(|kept| handle(&self.registry, kept, job)),
            Place::Thread(sender) => sender,
        };
        let mut sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(unsent) = sender.send(job) {
            // The thread is gone, which only a bug of ours does; its successor starts with an empty memory.
            *sender = spawn(self.registry.clone());
            let _ = sender.send(unsent.0);
        }
    }

    /// Has every turn be taken by so many instances of the code, which must agree.
    pub(crate) fn set_instances(&self, instances: u32) {
        self.instances.store(instances, Ordering::Relaxed);
    }

    /// What an execution with this history waits for, or why its code cannot tell.
    pub(crate) async fn waits(&self, meta: Meta, turns: Vec<Turn>) -> Result<Vec<Open>, String> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Waits(Box::new((meta, turns)), reply));
        match tokio::time::timeout(BLOCKED_AFTER, answer).await {
            Ok(Ok(open)) => open,
            Ok(Err(_)) | Err(_) => Err(format!("the code did not answer within {BLOCKED_AFTER:?}")),
        }
    }

    /// Number of the last turn in memory; 0 when the execution is not in memory.
    pub(crate) fn version(&self, meta: &Meta) -> u64 {
        if let Place::Here(memory) = &self.place {
            let ours = |it: &&mut Running| it.run() == meta.run;
            return memory.with(|kept| kept.get_mut(&meta.id).filter(ours).map_or(0, |it| it.version()));
        }
        let known = self.versions().get(&meta.id).copied();
        known.filter(|(run, _)| *run == meta.run).map_or(0, |(_, version)| version)
    }

    /// Drops an execution from memory: its turn was not committed, or it has ended.
    pub(crate) fn forget(&self, id: &ExecutionId) {
        self.versions().remove(id);
        self.send(Job::Forget(id.clone()));
    }

    /// Answers a query from a history, or says why its code cannot.
    pub(crate) async fn query(&self, request: QueryRequest) -> Result<Outcome, String> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Query(Box::new(request), reply));
        match tokio::time::timeout(BLOCKED_AFTER, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(format!("the code did not answer within {BLOCKED_AFTER:?}")),
        }
    }

    /// Takes a turn.
    pub(crate) async fn turn(&self, request: TurnRequest) -> TurnReply {
        let instances = self.instances.load(Ordering::Relaxed);
        if let Place::Here(memory) = &self.place {
            // Nobody but this thread could look at the time, and that is with the code.
            return memory.with(|kept| turn(&self.registry, kept, request, instances));
        }
        let last = request.committed.last().map_or(request.version, |it| it.number);
        let (id, run) = (request.id.clone(), request.run);
        let reply = self.turn_there(request, instances).await;
        let mut versions = self.versions();
        match &reply {
            TurnReply::Taken { turn, .. } if turn.end.is_none() => versions.insert(id, (run, turn.number)),
            TurnReply::Nothing(_) | TurnReply::Paused { .. } => versions.insert(id, (run, last)),
            _ => versions.remove(&id),
        };
        if versions.len() > VERSIONS_MAX {
            versions.clear();
        }
        reply
    }

    /// Has the thread take a turn.
    async fn turn_there(&self, request: TurnRequest, instances: u32) -> TurnReply {
        let facts = not_recorded(&request.committed, &request.facts);
        let (reply, mut answer) = oneshot::channel();
        let stage = Arc::new(Stage::default());
        self.send(Job::Turn(Box::new(request), instances, stage.clone(), reply));
        let mut answered = tokio::time::timeout(BLOCKED_AFTER, &mut answer).await;
        if answered.is_err() && stage.taken.load(Ordering::SeqCst) {
            // Not the code, but the store takes so long.
            answered = Ok(answer.await);
        }
        let reason = match answered {
            Ok(Ok(reply)) => return reply,
            Ok(Err(_)) => "the thread of workflow code ended: this is a bug of eventual".to_owned(),
            Err(_) if !stage.begun.load(Ordering::SeqCst) => return TurnReply::Busy,
            Err(_) => {
                // That thread is lost to the code that holds it. The others go on with a new one.
                if let Place::Thread(sender) = &self.place {
                    *sender.lock().unwrap_or_else(PoisonError::into_inner) = spawn(self.registry.clone());
                }
                format!(
                    "the code kept its thread for {BLOCKED_AFTER:?} without awaiting anything; move long work into a task"
                )
            }
        };
        TurnReply::Blocked { reason, facts }
    }
}

fn spawn(registry: Arc<Registry>) -> Sender<Job> {
    let (sender, jobs) = channel();
    let work = move || serve(&registry, &jobs);
    // Without threads there is no engine; the caller's next send reports it.
    let _ = thread::Builder::new().name("workflows".to_owned()).stack_size(STACK_BYTES).spawn(work);
    sender
}

fn serve(registry: &Registry, jobs: &Receiver<Job>) {
    let mut kept: HashMap<ExecutionId, Running> = HashMap::new();
    while let Ok(job) = jobs.recv() {
        handle(registry, &mut kept, job);
    }
}

fn handle(registry: &Registry, kept: &mut HashMap<ExecutionId, Running>, job: Job) {
    match job {
        Job::Forget(id) => drop(kept.remove(&id)),
        Job::Query(request, reply) => {
            let _ = reply.send(answer_query(registry, &request));
        }
        Job::Waits(asked, reply) => {
            let (meta, turns) = *asked;
            let _ = reply.send(replayed(registry, &meta, &turns).map(|it| it.waits_for()));
        }
        Job::Turn(request, instances, stage, reply) => {
            stage.begun.store(true, Ordering::SeqCst);
            let (id, store) = (request.id.clone(), request.store.clone());
            let came = turn(registry, kept, *request, instances);
            stage.taken.store(true, Ordering::SeqCst);
            commit(&id, &*store, came, reply);
        }
    }
}

/// Answers with what came of a turn, if it can be, when it is committed.
fn commit(id: &ExecutionId, store: &dyn Store, came: TurnReply, reply: oneshot::Sender<TurnReply>) {
    match came {
        TurnReply::Taken { turn, pending, .. } if turn.end.is_none() => {
            let done = move |turn, committed| {
                let _ = reply.send(TurnReply::Taken { turn, pending, committed });
            };
            store.commit_then(id, turn, Box::new(done));
        }
        other => {
            let _ = reply.send(other);
        }
    }
}

/// Takes a turn, and keeps the code for the next one if there will be one.
fn turn(
    registry: &Registry,
    kept: &mut HashMap<ExecutionId, Running>,
    request: TurnRequest,
    instances: u32,
) -> TurnReply {
    let id = request.id.clone();
    if kept.len() >= KEPT_MAX && !kept.contains_key(&id) {
        // Any will do: whoever is needed again is read back from its history.
        let victim = kept.keys().next().cloned();
        victim.map(|it| kept.remove(&it));
    }
    let answer = take_turn(registry, kept, request, instances);
    let gone = match &answer {
        TurnReply::Blocked { .. } => true,
        TurnReply::Taken { turn, .. } => turn.end.is_some(),
        _ => false,
    };
    if gone {
        kept.remove(&id);
    }
    answer
}

fn take_turn(
    registry: &Registry,
    kept: &mut HashMap<ExecutionId, Running>,
    request: TurnRequest,
    instances: u32,
) -> TurnReply {
    let TurnRequest { id, run, meta, version, committed, facts, now, .. } = request;
    if kept.get(&id).is_some_and(|it| it.run() != run) {
        // Of a former execution of that name.
        kept.remove(&id);
    }
    if kept.get(&id).map_or(0, Running::version) != version {
        kept.remove(&id);
        return TurnReply::Stale;
    }
    let Some(workflow) = registry.workflows.get(id.workflow()) else {
        let reason = format!("this version of the service has no workflow `{}`", id.workflow());
        return TurnReply::Blocked { reason, facts };
    };
    let running = match (kept.entry(id), meta) {
        (Entry::Occupied(there), _) => there.into_mut(),
        (Entry::Vacant(free), Some(meta)) => free.insert(Running::with_twins(*workflow, &meta, instances)),
        (Entry::Vacant(_), None) => return TurnReply::Stale,
    };
    if let Err(reason) = running.replay(&committed) {
        // It has not learnt what is recorded after the turn that does not fit.
        return TurnReply::Blocked { reason, facts: not_recorded(&committed, &running.fresh(facts)) };
    }
    let fresh = running.fresh(facts);
    if let Some(reason) = running.paused_by(&fresh) {
        return TurnReply::Paused { reason, facts: fresh };
    }
    if fresh.is_empty() && !running.is_due() {
        return TurnReply::Nothing(running.pending(None));
    }
    match running.advance(now.max(running.time()), fresh.clone()) {
        Ok(turn) => {
            let pending = running.pending(Some(&turn));
            TurnReply::Taken { turn: Box::new(turn), pending, committed: None }
        }
        Err(reason) => TurnReply::Blocked { reason, facts: fresh },
    }
}

/// Replays a history on fresh code and asks it.
fn answer_query(registry: &Registry, request: &QueryRequest) -> Result<Outcome, String> {
    let QueryRequest { meta, turns, query, input } = request;
    replayed(registry, meta, turns)?.query(query, input).map_err(|known| {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("{} answers no query `{query}`; it answers {known}", meta.id)
    })
}

/// Fresh code that has replayed a history.
fn replayed(registry: &Registry, meta: &Meta, turns: &[Turn]) -> Result<Running, String> {
    let workflow = registry
        .workflows
        .get(meta.id.workflow())
        .ok_or_else(|| format!("this version of the service has no workflow `{}`", meta.id.workflow()))?;
    let mut running = Running::new(*workflow, meta);
    // A turn that ended the execution without its code is not one that the code could take.
    let taken =
        turns.iter().position(|it| matches!(it.end, Some(Outcome::Terminated(_)))).unwrap_or(turns.len());
    // Nor has it taken those at which it stands still, paused or parked: it answers as of the last that it took.
    let stands = turns[..taken].iter().rev().take_while(|it| it.parked.is_some()).count();
    running.replay(&turns[..taken - stands])?;
    Ok(running)
}

/// The end of an execution whose code panicked.
fn crash(panic: &(dyn std::any::Any + Send)) -> Outcome {
    Outcome::Crashed(panic_text(panic))
}

/// What a panic said, with an explanation where the cause is a known mistake.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic
        .downcast_ref::<&str>()
        .map(|it| (*it).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned());
    let without_tokio = ["no reactor running", "Tokio 1.x runtime", "Tokio 1.x context was found"];
    if without_tokio.iter().any(|it| said.contains(it)) {
        return format!(
            "panicked: {said} Workflow code runs without tokio, because what it waits for must be in its history: use \
             eventual::sleep for time, and a task for input and output"
        );
    }
    format!("panicked: {said}")
}
