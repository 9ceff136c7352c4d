//! What is kept of attempts of tasks, in the table of their claims.
//!
//! A record is read and written as a whole, one at a time: whoever changes one waits for the disk, and so does who comes
//! after. Heartbeats are few enough for that, because workers write only some of them.

use eventual_engine::codec;
use eventual_engine::ports::{AttemptId, AttemptRecord, Clock, Fault};

use super::group::Change;
use super::keys::{self, Table};
use super::{LocalStore, Written};
use crate::clock::SystemClock;

impl LocalStore {
    /// What is kept of an attempt.
    pub(super) fn attempt(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        match self.get(Table::Claims, &keys::claim(attempt))? {
            None => Ok(None),
            // Claimed by a version that kept nothing else.
            Some(value) if value.is_empty() => Ok(Some(AttemptRecord::default())),
            Some(value) => {
                codec::decode_attempt(&value).map(Some).map_err(|error| self.fault(Table::Claims, &error))
            }
        }
    }

    /// Takes an attempt that nothing is kept of.
    pub(super) async fn take_attempt(&self, attempt: &AttemptId) -> Result<bool, Fault> {
        // Kept as long as the execution is, which is longer than any message about the attempt.
        let key = keys::claim(attempt);
        let record = codec::encode_attempt(&AttemptRecord::taken(SystemClock.now()));
        let changes = vec![Change::Put(Table::Claims, key.clone(), record.into_bytes())];
        let operation = || format!("claim of {attempt}");
        let written = self.group.write(operation, Some((Table::Claims, key)), changes).await?;
        Ok(written == Written::Yes)
    }

    /// Changes what is kept of an attempt, and answers what the change does.
    pub(super) async fn change_attempt<T>(
        &self,
        attempt: &AttemptId,
        change: impl FnOnce(&mut AttemptRecord) -> T + Send,
    ) -> Result<T, Fault> {
        let _one_at_a_time = self.attempts.lock().await;
        let before = self.attempt(attempt)?;
        let mut record = before.clone().unwrap_or_default();
        let answer = change(&mut record);
        if before.as_ref() != Some(&record) {
            let (key, text) = (keys::claim(attempt), codec::encode_attempt(&record));
            let changes = vec![Change::Put(Table::Claims, key, text.into_bytes())];
            let operation = || format!("record of {attempt}");
            self.group.write(operation, None, changes).await?;
        }
        Ok(answer)
    }
}
