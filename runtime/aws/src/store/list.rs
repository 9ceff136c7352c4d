//! Lists executions: the shards of the index, merged newest first.
//!
//! A cursor is the place of the last execution of the page, the same in all shards; so a page costs no state. An
//! execution whose status changes between two pages may be listed twice or not at all.

use std::collections::VecDeque;

use eventual_core::Status;
use eventual_engine::ports::{Fault, ListQuery, Page};
use eventual_schema::deploy::table;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::item::{self, Item, text};
use super::{DynamoStore, FETCHES, now_s};
use crate::fault;

/// Fewest items that are asked of a shard at once.
const CHUNK_MIN: usize = 10;

/// One partition of the index, read as far as needed.
struct Shard {
    partition: String,
    /// Items that were read and not yet given out, newest first.
    ahead: VecDeque<Item>,
    /// Where to read on; absent before the first read.
    below: Option<String>,
    /// Whether nothing is left to read.
    read: bool,
}

pub(super) async fn list(store: &DynamoStore, query: &ListQuery) -> Result<Page, Fault> {
    let statuses = query.status.map_or(Status::ALL.to_vec(), |status| vec![status]);
    let mut shards: Vec<Shard> = statuses
        .iter()
        .flat_map(|status| (0..table::INDEX_SHARDS).map(|shard| item::partition(*status, shard)))
        .map(|partition| Shard { partition, ahead: VecDeque::new(), below: query.after.clone(), read: false })
        .collect();
    let chunk = (2 * query.limit / shards.len()).max(CHUNK_MIN);
    let mut found = Vec::new();
    let mut more = true;
    while found.len() < query.limit && more {
        let empty = shards.iter_mut().filter(|it| it.ahead.is_empty() && !it.read);
        try_join_all(empty.map(|shard| store.read_shard(shard, query, chunk))).await?;
        // Every shard that is not exhausted has something ahead now, so the newest of all is among them.
        let newest = shards.iter_mut().max_by(|a, b| place(a).cmp(place(b)));
        match newest.and_then(|shard| shard.ahead.pop_front()) {
            Some(item) => found.push(item),
            None => more = false,
        }
    }
    let left = shards.iter().any(|it| !it.ahead.is_empty() || !it.read);
    let next = found.last().filter(|_| left).map(|item| item::place(item).to_owned());
    let executions = stream::iter(found.into_iter().map(|item| store.read_meta(item)))
        .buffered(FETCHES)
        .try_collect()
        .await?;
    Ok(Page { executions, next })
}

/// The place of what is next in a shard; nothing sorts below everything.
fn place(shard: &Shard) -> &str {
    shard.ahead.front().map_or("", item::place)
}

impl DynamoStore {
    /// Reads on in a shard until there is something, or nothing is left.
    async fn read_shard(&self, shard: &mut Shard, query: &ListQuery, chunk: usize) -> Result<(), Fault> {
        while shard.ahead.is_empty() && !shard.read {
            let mut request = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(table::INDEX)
                .scan_index_forward(false)
                .limit(i32::try_from(chunk).unwrap_or(i32::MAX))
                .expression_attribute_names("#listed", table::INDEX_PARTITION)
                .expression_attribute_values(":listed", text(&shard.partition));
            let mut condition = "#listed = :listed".to_owned();
            if let Some(below) = &shard.below {
                condition.push_str(" AND #started < :below");
                request = request
                    .expression_attribute_names("#started", table::INDEX_SORT)
                    .expression_attribute_values(":below", text(below));
            }
            if let Some(workflow) = &query.workflow {
                request = request
                    .filter_expression("begins_with(#execution, :workflow)")
                    .expression_attribute_names("#execution", table::PARTITION)
                    .expression_attribute_values(":workflow", text(format!("{workflow}/")));
            }
            let page = request.key_condition_expression(condition).send().await.map_err(|error| {
                fault::aws(format!("dynamodb Query executions {}", shard.partition), &error)
            })?;
            // The key of the last item that was looked at, whether or not the filter let it through.
            match page.last_evaluated_key {
                Some(key) => shard.below = Some(item::place(&key).to_owned()),
                None => shard.read = true,
            }
            let now = now_s();
            shard
                .ahead
                .extend(page.items.unwrap_or_default().into_iter().filter(|it| !item::expired(it, now)));
        }
        Ok(())
    }
}
