//! Gives the turns of an execution that ends their expiry, and those that code which continued as new needs no more.
//!
//! It costs one update for each item of turns, once, and is done before the meta says that the execution has ended: whoever is
//! stopped in between is redelivered and goes on with the items that have none yet. The item of the last turn got its
//! expiry when that was committed. Giving every item an expiry at its commit would be cheaper, but an execution may sleep
//! longer than any guess. An item expires when all of its turns may.

use eventual_core::ExecutionId;
use eventual_engine::ports::Fault;
use eventual_schema::deploy::table;
use futures_util::{TryStreamExt, stream};

use super::DynamoStore;
use super::item::{Item, names, number, sort, text, turn_key};
use super::place::LAST;
use super::status::refused;
use crate::fault;

/// Updates at the same time.
const UPDATES: usize = 16;

impl DynamoStore {
    /// Writes `expires` (seconds since 1970) on every item of turns of `id` that has none, or on those whose turns are all below
    /// a number.
    pub(super) async fn expire_turns(
        &self,
        id: &ExecutionId,
        before: Option<u64>,
        expires: u64,
    ) -> Result<(), Fault> {
        let mut start = None;
        loop {
            let (items, next) = self.lasting_turns(id, before, start).await?;
            stream::iter(items.iter().map(Ok))
                .try_for_each_concurrent(UPDATES, |item| self.expire_item(id, sort(item), expires))
                .await?;
            match next {
                Some(key) => start = Some(key),
                None => return Ok(()),
            }
        }
    }

    /// One page of the keys of items of turns without expiry, and where the next page starts.
    async fn lasting_turns(
        &self,
        id: &ExecutionId,
        before: Option<u64>,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Fault> {
        let last = before.map_or(u64::MAX, |it| it.saturating_sub(1));
        let mut filter = "attribute_not_exists(#expires)".to_owned();
        let mut request = self.client.query();
        if before.is_some() {
            filter.push_str(" AND (attribute_not_exists(#last) OR #last <= :until)");
            request = request
                .expression_attribute_names("#last", LAST)
                .expression_attribute_values(":until", number(last));
        }
        let page = request
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#execution = :execution AND #item BETWEEN :first AND :last")
            .filter_expression(filter)
            .projection_expression("#item")
            .expression_attribute_names("#execution", table::PARTITION)
            .expression_attribute_names("#item", table::SORT)
            .expression_attribute_names("#expires", table::EXPIRES)
            .expression_attribute_values(":execution", text(id.as_str()))
            .expression_attribute_values(":first", text(turn_key(0)))
            .expression_attribute_values(":last", text(turn_key(last)))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| fault::aws(format!("dynamodb Query turns of {id} to expire"), &error))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// Writes `expires` on an item of `id`, if it is there.
    pub(super) async fn expire_item(&self, id: &ExecutionId, sort: &str, expires: u64) -> Result<(), Fault> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(table::PARTITION, text(id.as_str()))
            .key(table::SORT, text(sort))
            .update_expression("SET #expires = :expires")
            .condition_expression("attribute_exists(#item)")
            .set_expression_attribute_names(names(&[("#item", table::SORT), ("#expires", table::EXPIRES)]))
            .expression_attribute_values(":expires", number(expires))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            // Deleted in between: there is nothing left to expire.
            Err(error) if refused(error.as_service_error()) => Ok(()),
            Err(error) => Err(fault::aws(format!("dynamodb UpdateItem expiry of {sort} of {id}"), &error)),
        }
    }
}
