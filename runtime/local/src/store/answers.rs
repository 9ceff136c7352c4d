//! What keeps an execution small that lives long: answers to updates, which are of use for a day, and turns that its code
//! does not need any more since it continued as new.

use eventual_core::{ExecutionId, Millis, Outcome};
use eventual_engine::codec;
use eventual_engine::ports::{Awaited, Clock, Fault};

use super::LocalStore;
use super::group::Change;
use super::keys::{self, Table};
use crate::clock::SystemClock;

/// How long an answer is kept, in milliseconds.
const KEPT_MS: Millis = 86_400_000;

impl LocalStore {
    /// Keeps an answer, unless there is one.
    pub(super) async fn put_answer(
        &self,
        id: &ExecutionId,
        update: &str,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        let key = keys::answer(id, update);
        let value =
            [&SystemClock.now().to_be_bytes()[..], codec::encode_outcome(outcome).as_bytes()].concat();
        let changes = vec![Change::Put(Table::Answers, key.clone(), value)];
        let operation = || format!("answer to update {update} of {id}");
        let _there = self.group.write(operation, Some((Table::Answers, key)), changes).await?;
        self.watch.tell(id, Awaited::Turn);
        Ok(())
    }

    pub(super) fn get_answer(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        let Some(value) = self.get(Table::Answers, &keys::answer(id, update))? else { return Ok(None) };
        let text = value.get(8..).unwrap_or_default();
        codec::decode_outcome(text).map(Some).map_err(|error| self.fault(Table::Answers, &error))
    }

    /// Drops the turns below `before`, and the answers that are of no use any more.
    pub(super) async fn drop_turns(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        let mut changes = Vec::new();
        for entry in self.table(Table::Turns).range(keys::turn(id, 0)..keys::turn(id, before)) {
            let key = entry.key().map_err(|error| self.fault(Table::Turns, &error))?;
            changes.push(Change::Remove(Table::Turns, key.to_vec()));
        }
        let old = SystemClock.now().saturating_sub(KEPT_MS);
        for entry in self.table(Table::Answers).prefix(keys::of_execution(id)) {
            let (key, value) = entry.into_inner().map_err(|error| self.fault(Table::Answers, &error))?;
            let given = value.get(..8).and_then(|it| it.try_into().ok()).map_or(0, u64::from_be_bytes);
            if given < old {
                changes.push(Change::Remove(Table::Answers, key.to_vec()));
            }
        }
        self.group.write(|| format!("retirement of turns of {id}"), None, changes).await.map(|_| ())
    }
}
