//! After a commit: every call of the turn goes where it belongs. All of it may be delivered twice, and none before
//! the turn is durable.

use eventual_core::{Attempt, Call, Caller, Fact, Outcome, Seq, Stop, TaskCall, Turn};
use futures_util::{StreamExt, stream};

use crate::engine::Engine;
use crate::operations::EXISTS;
use crate::ports::{Fault, Insert, Message, Meta, TaskRequest};
use crate::updates::UpdateRequest;
use crate::workflows::Pending;

/// Deliveries of one turn that are under way at the same time.
const AT_A_TIME: usize = 32;

impl Engine {
    /// Delivers what a committed turn asked for.
    pub(crate) async fn deliver(&self, meta: &Meta, turn: &Turn, pending: &Pending) -> Result<(), Fault> {
        let deliver_calls = |children: bool| {
            let calls = turn.calls.iter().filter(move |(_, it)| {
                matches!(it, Call::Workflow { .. }) == children && !is_performed_here(it)
            });
            // Collected at once: a future that holds a closure over references is `Send` to nobody.
            all(calls.map(|(seq, call)| Box::pin(self.deliver_call(meta, turn, *seq, call))).collect())
        };
        // A signal to a child that starts in the same turn must find it.
        deliver_calls(true).await?;
        deliver_calls(false).await?;
        all(pending.timers.iter().map(|(seq, due)| Box::pin(self.arm(meta, *seq, *due))).collect()).await?;
        all(turn.answers.iter().map(|it| Box::pin(self.deliver_answer(&meta.id, it))).collect()).await?;
        all(turn.stops.iter().map(|it| Box::pin(self.stop_child(meta, it))).collect()).await?;
        let wanted = turn.attempts.iter().filter_map(|it| Some((it, pending.task(it)?)));
        let attempts =
            wanted.map(|(attempt, task)| Box::pin(self.deliver_attempt(meta, turn.time, attempt, task)));
        all(attempts.collect()).await?;
        self.deliver_watch(meta, turn).await
    }

    async fn arm(&self, meta: &Meta, seq: Seq, due: u64) -> Result<(), Fault> {
        self.ports.dispatch.timer(&meta.timer(due, Fact::TimerFired { seq })).await
    }

    /// Stops a child that nobody waits for any more. An execution of that name that somebody else has started goes on.
    pub(crate) async fn stop_child(&self, parent: &Meta, stop: &Stop) -> Result<(), Fault> {
        let Some(child) = self.ports.store.meta(&stop.execution).await? else { return Ok(()) };
        let is_ours = |caller: &Caller| parent.caller(caller.seq).is(caller);
        if !child.parent.as_ref().is_some_and(is_ours) {
            return Ok(());
        }
        let reason = format!("its caller {} does not wait for it any more", parent.id);
        let fact =
            if stop.terminate { Fact::Terminated { reason } } else { Fact::CancelRequested { reason } };
        self.ports.dispatch.wake(&child.id, &child.message(vec![fact])).await
    }

    async fn deliver_call(&self, meta: &Meta, turn: &Turn, seq: Seq, call: &Call) -> Result<(), Fault> {
        let (id, dispatch, now) = (&meta.id, &self.ports.dispatch, turn.time);
        match call {
            // Performed by whoever took the turn, who tells the code; code that has ended is told nothing.
            it if it.is_operation() && turn.end.is_none() && turn.continued.is_none() => Ok(()),
            Call::Cancel { .. } | Call::Send { .. } | Call::Workflow { detached: true, .. } => {
                if let Outcome::Failed(failure) = self.operate(meta, seq, call).await? {
                    tracing::error!(execution = %id, seq, error = %failure.message, "nobody is told that this failed");
                }
                Ok(())
            }
            Call::Emit(events) => dispatch.emit(&meta.key_of(seq), events).await,
            Call::Task(task) => {
                if let Some(total) = task.total_ms {
                    let due = now.saturating_add(total);
                    dispatch.timer(&meta.timer(due, Fact::TaskExpired { seq })).await?;
                }
                let attempt = Attempt { seq, attempt: 1, at: now };
                self.deliver_attempt(meta, now, &attempt, task).await
            }
            Call::Timer { due } => self.arm(meta, seq, *due).await,
            Call::Update { execution, name, input, start } => {
                let (name, input, start) = (name.clone(), input.clone(), start.clone());
                let update = UpdateRequest { name, input, id: None, start };
                self.ask_update(meta, seq, execution, update).await
            }
            Call::Workflow { execution, input, attributes, .. } => {
                let new = self.new_meta(execution, input, attributes);
                self.start_child(meta, seq, new).await
            }
            // They come by themselves.
            Call::NextUpdate { .. } | Call::Signal { .. } => Ok(()),
        }
    }

    async fn deliver_attempt(
        &self,
        meta: &Meta,
        now: u64,
        attempt: &Attempt,
        task: &TaskCall,
    ) -> Result<(), Fault> {
        if task.inline && attempt.at <= now {
            // Performed by whoever took the turn.
            return Ok(());
        }
        if attempt.at > now {
            let fact = Fact::RetryDue { seq: attempt.seq, attempt: attempt.attempt };
            return self.ports.dispatch.timer(&meta.timer(attempt.at, fact)).await;
        }
        let request = task_request(meta, attempt.seq, attempt.attempt, task, now);
        self.ports.dispatch.task(&request).await?;
        match task.heartbeat_ms {
            Some(period) => {
                let due = now.saturating_add(period);
                self.look_at(&request.id(), period, due).await
            }
            None => Ok(()),
        }
    }

    async fn start_child(&self, parent: &Meta, seq: Seq, new: Meta) -> Result<(), Fault> {
        let waits = parent.caller(seq);
        let meta = Meta { parent: Some(waits.clone()), ..new };
        let child = &meta.id;
        match self.ports.store.insert(&meta).await? {
            Insert::Exists(other) if !other.parent.as_ref().is_some_and(|it| it.is(&waits)) => {
                let message = format!(
                    "execution {child} was started before by somebody else; give the child another name"
                );
                let fact = Fact::ChildDone { seq, outcome: Outcome::refused(EXISTS, message, 409) };
                self.ports.dispatch.wake(&parent.id, &parent.message(vec![fact])).await
            }
            _ => self.ports.dispatch.wake(child, &Message::default()).await,
        }
    }

    /// Tells the execution that waits for this one how it ended.
    pub(crate) async fn tell_parent(&self, meta: &Meta, outcome: Outcome) -> Result<(), Fault> {
        let Some(parent) = &meta.parent else { return Ok(()) };
        let fact = Fact::ChildDone { seq: parent.seq, outcome };
        self.ports.dispatch.wake(&parent.execution, &Message::answering(parent, fact)).await
    }
}

/// Makes all deliveries, some at a time, whatever becomes of one; then the first failure counts.
///
/// They come boxed: most turns deliver next to nothing, and whoever takes a turn should not be as large as all that it might.
async fn all<D: Future<Output = Result<(), Fault>> + Unpin>(mut deliveries: Vec<D>) -> Result<(), Fault> {
    if deliveries.len() <= 1 {
        return match deliveries.pop() {
            Some(only) => only.await,
            None => Ok(()),
        };
    }
    let made: Vec<_> = stream::iter(deliveries).buffer_unordered(AT_A_TIME).collect().await;
    made.into_iter().collect()
}

/// Whether whoever took the turn performs a call, and nobody has to be told of it.
fn is_performed_here(call: &Call) -> bool {
    matches!(call, Call::Task(task) if task.inline && task.total_ms.is_none())
}

/// An attempt as its worker gets it.
pub(crate) fn task_request(
    meta: &Meta,
    seq: Seq,
    attempt: u32,
    task: &TaskCall,
    scheduled: u64,
) -> TaskRequest {
    TaskRequest {
        execution: meta.id.clone(),
        run: meta.run,
        seq,
        attempt,
        task: task.name.clone(),
        input: task.input.clone(),
        idempotency_key: task.key.clone().unwrap_or_else(|| meta.key_of(seq)),
        timeout_ms: task.timeout_ms,
        scheduled,
        heartbeat_ms: task.heartbeat_ms,
    }
}

impl Pending {
    /// The tasks and timers that a history asked for, for a delivery that may have been missed. Those that are done by now
    /// are among them: their workers find the attempt claimed, or answer in vain.
    pub(crate) fn of_history(turns: &[Turn]) -> Self {
        let mut pending = Self::default();
        for (seq, call) in turns.iter().flat_map(|it| &it.calls) {
            match call {
                Call::Task(task) => pending.tasks.push((*seq, task.clone())),
                Call::Timer { due } => pending.timers.push((*seq, *due)),
                _ => {}
            }
        }
        pending
    }
}
