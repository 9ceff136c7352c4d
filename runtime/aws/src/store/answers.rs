//! Answers to updates, for whoever asked from outside: one item each, for a day.

use eventual_core::{ExecutionId, Outcome};
use eventual_engine::codec;
use eventual_engine::ports::Fault;
use eventual_schema::deploy::table;

use super::item::{self, answer_key, text};
use super::{DynamoStore, INLINE_MAX, now_s, written};
use crate::fault;

/// How long an answer is kept, in seconds.
const KEPT_S: u64 = 86_400;

impl DynamoStore {
    /// Keeps an answer, unless there is one.
    pub(super) async fn put_answer(
        &self,
        id: &ExecutionId,
        update: &str,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        let body = self.spill.keep(id, codec::encode_outcome(outcome), INLINE_MAX).await?;
        let item = item::answer(id, update, body, now_s() + KEPT_S);
        let operation = || format!("dynamodb PutItem {} of {id}", answer_key(update));
        written(operation, self.put_if_free(item).send().await).map(|_| ())
    }

    pub(super) async fn get_answer(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        let operation = || format!("dynamodb GetItem {} of {id}", answer_key(update));
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(table::PARTITION, text(id.as_str()))
            .key(table::SORT, text(answer_key(update)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| fault::aws(operation(), &error))?;
        let Some(item) = answer.item.filter(|it| !item::expired(it, now_s())) else { return Ok(None) };
        let kept = item::body(&item).ok_or_else(|| Fault::new(operation(), "the item has no body"))?;
        let text = self.spill.open(kept).await?;
        codec::decode_outcome(text.as_bytes()).map(Some).map_err(|error| Fault::new(operation(), error))
    }
}
