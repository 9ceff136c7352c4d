//! The engine's ports over the memory of a test. Deliberately without chance or time of their own: those are the test's.

use std::collections::btree_map::Entry;
use std::sync::Weak;

use async_trait::async_trait;
use eventual_engine::core::{Emitted, ExecutionId, Millis, Outcome, Payload, Turn};
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Awaited, Beat, BoxFuture, Clock, Commit, Completed, Dispatch, Fault, Forward,
    Forwarded, Insert, ListQuery, Message, Meta, Page, Store, TaskRequest, Timer,
};

use super::kept::Kept;
use super::{Delivery, Published, World};
use crate::driving::Waits;

#[async_trait]
impl Store for World {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        let mut state = self.state();
        if let Some(before) = state.executions.get(&meta.id) {
            return Ok(Insert::Exists(Box::new(before.meta.clone())));
        }
        state.executions.insert(meta.clone());
        // The promise of `insert`: the execution is woken even if its starter dies now.
        let now = state.now;
        state.queue.push(now, Delivery::Wake(meta.id.clone(), Message::default()));
        Ok(Insert::Inserted)
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        Ok(self.state().executions.get(id).map(|it| it.meta.clone()))
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        let state = self.state();
        let turns = state.executions.get(id).map(|it| it.turns.as_slice()).unwrap_or_default();
        Ok(turns.iter().filter(|it| it.number > after).cloned().collect())
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        let mut state = self.state();
        let Some(Kept { turns, .. }) = state.executions.get_mut(id) else {
            return Err(Fault::new(format!("commit of {id}"), "there is no such execution"));
        };
        // A fork of an execution whose first turns are gone begins with a later one.
        if turns.last().is_some_and(|last| last.number + 1 != turn.number) {
            return Ok(Commit::Taken);
        }
        turns.push(turn.clone());
        drop(state);
        self.tell();
        Ok(Commit::Written)
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        let mut state = self.state();
        state.executions.set_status(meta);
        state.forget();
        drop(state);
        self.tell();
        Ok(())
    }

    async fn claim(&self, attempt: &AttemptId, _lease_ms: u64) -> Result<bool, Fault> {
        let mut state = self.state();
        let now = state.now;
        match state.attempts.entry(attempt.clone()) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(free) => {
                free.insert(AttemptRecord::taken(now));
                Ok(true)
            }
        }
    }

    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        Ok(self.state().attempts.entry(attempt.clone()).or_default().beat(now, details))
    }

    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        Ok(self.state().attempts.get(attempt).cloned())
    }

    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        Ok(self.state().attempts.entry(attempt.clone()).or_default().cancel())
    }

    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault> {
        Ok(self.state().attempts.entry(attempt.clone()).or_default().complete(outcome))
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        let mut state = self.state();
        state.answers.entry((id.clone(), update.to_owned())).or_insert_with(|| outcome.clone());
        drop(state);
        self.tell();
        Ok(())
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        Ok(self.state().answers.get(&(id.clone(), update.to_owned())).cloned())
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        if let Some(Kept { turns, .. }) = self.state().executions.get_mut(id) {
            turns.retain(|it| it.number >= before);
        }
        Ok(())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        let state = self.state();
        let mut found: Vec<&Meta> =
            state.executions.known().map(|it| &it.meta).filter(|it| query.matches(it)).collect();
        let key = |it: &Meta| format!("{:015}#{}", it.started, it.id);
        found.sort_by_key(|it| std::cmp::Reverse(key(it)));
        let from =
            query.after.as_ref().map_or(0, |after| found.iter().take_while(|it| key(it) >= *after).count());
        let page: Vec<Meta> = found.iter().skip(from).take(query.limit).map(|it| (*it).clone()).collect();
        let next = (from + page.len() < found.len()).then(|| page.last().map(key)).flatten();
        Ok(Page { executions: page, next })
    }
}

#[async_trait]
impl Dispatch for World {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        let mut state = self.state();
        let now = state.now;
        state.queue.push(now, Delivery::Wake(id.clone(), message.clone()));
        Ok(())
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        let mut state = self.state();
        let now = state.now;
        state.queue.push(now, Delivery::Task(request.clone()));
        Ok(())
    }

    async fn timer(&self, timer: &Timer) -> Result<(), Fault> {
        let (due, delivery) = (timer.due, Delivery::Wake(timer.execution.clone(), timer.message()));
        let mut state = self.state();
        // The same fact at the same moment is one message, as in a queue that drops what it has seen.
        if !state.queue.has(due, &delivery) {
            state.queue.push(due, delivery);
        }
        Ok(())
    }

    async fn emit(&self, key: &str, events: &[Emitted]) -> Result<(), Fault> {
        let mut state = self.state();
        let now = state.now;
        for event in events {
            state.published.push(Published { event: event.clone(), at: now, key: key.to_owned() });
            let subscriptions = self.subscriptions.get(&event.name).filter(|_| !state.deaf);
            for subscription in subscriptions.into_iter().flatten() {
                let delivery = Delivery::Event { subscription: subscription.clone(), event: event.clone() };
                state.queue.push(now, delivery);
            }
        }
        Ok(())
    }

    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        let process = self.state().kept.get(code).and_then(Weak::upgrade);
        match process {
            Some(process) => {
                let answer = process.forwarded(code, id, forward.clone(), None).await;
                answer.map_err(|error| Fault::new(format!("forward of {id} to {code}"), error))
            }
            None => Ok(Forwarded::NoSuchCode),
        }
    }

    fn progress(&self, _id: &ExecutionId, _awaited: Awaited) -> BoxFuture<'static, ()> {
        let (mut written, waiting) = (self.written.subscribe(), self.waiting.clone());
        Box::pin(async move {
            let _waits = Waits::begin(waiting);
            // An error is as good: the world is gone, and whoever waits looks again.
            let _ = written.changed().await;
        })
    }
}

impl Clock for World {
    fn now(&self) -> Millis {
        self.state().now
    }

    fn entropy(&self) -> u64 {
        self.state().random.random()
    }
}
