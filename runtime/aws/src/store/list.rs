//! Lists executions: the shards of the index, merged newest first.
//!
//! A query that asks for the value of an attribute reads the items that have it; any other reads the metas of the
//! statuses that it wants. What the index gives are candidates: whether an execution is one that was asked for is
//! decided by its meta, which for an attribute is read from the table.
//!
//! A cursor is the place of the last candidate that was looked at, the same in all shards, and a place never changes; so
//! a page costs no state, and none is lost or repeated between pages. The index lags behind the table: an execution
//! whose status changes at the very moment of the reading may be missing from a list of all statuses.

use std::collections::VecDeque;

use eventual_core::limits::LIST_LOOKED_AT_MAX;
use eventual_core::{ExecutionId, Status};
use eventual_engine::ports::{Fault, ListQuery, Meta, Page, Store};
use eventual_schema::deploy::table;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::item::{self, Item, text};
use super::{DynamoStore, FETCHES, now_s};
use crate::fault;

/// Fewest items that are asked of a shard at once, and fewest when most of them will not be what was asked for.
const CHUNK_MIN: usize = 10;
const CHUNK_OF_FEW: usize = 100;
/// Most items that the index looks at for one page, those of other workflows included.
const SCANNED_MAX: usize = 5_000;
/// Above every place: places begin with digits.
const TOP: &str = "~";

/// One partition of the index, read as far as needed.
struct Shard {
    partition: String,
    /// Items that were read and not yet given out, newest first.
    ahead: VecDeque<Item>,
    /// Nothing at or above this place is left to read.
    below: String,
    /// Whether nothing is left to read.
    read: bool,
}

/// The shards of one query.
struct Reading<'a> {
    store: &'a DynamoStore,
    query: &'a ListQuery,
    shards: Vec<Shard>,
    chunk: usize,
    scanned: usize,
}

/// What is next.
enum Next {
    Candidate(Item),
    End,
    /// Enough was looked at; nothing above this place is left.
    Enough(String),
}

pub(super) async fn list(store: &DynamoStore, query: &ListQuery) -> Result<Page, Fault> {
    let mut reading = Reading::new(store, query);
    let mut page = Page::default();
    let (mut last, mut looked_at) = (query.after.clone(), 0);
    loop {
        let wanted = (query.limit - page.executions.len()).min(LIST_LOOKED_AT_MAX - looked_at);
        let (mut candidates, mut end) = (Vec::new(), None);
        while candidates.len() < wanted && end.is_none() {
            match reading.next().await? {
                // Read in two partitions, because its status changed in between.
                Next::Candidate(item) if last.as_deref() == Some(item::place(&item)) => {}
                Next::Candidate(item) => {
                    last = Some(item::place(&item).to_owned());
                    candidates.push(item);
                }
                other => end = Some(other),
            }
        }
        looked_at += candidates.len();
        let metas: Vec<Option<Meta>> = stream::iter(candidates.into_iter().map(|it| store.candidate(it)))
            .buffered(FETCHES)
            .try_collect()
            .await?;
        page.executions.extend(metas.into_iter().flatten().filter(|it| query.matches(it)));
        match end {
            Some(Next::End) => return Ok(page),
            Some(Next::Enough(place)) => {
                page.next = Some(place);
                return Ok(page);
            }
            _ if page.executions.len() >= query.limit || looked_at >= LIST_LOOKED_AT_MAX => {
                page.next = last.filter(|_| reading.is_left());
                return Ok(page);
            }
            _ => {}
        }
    }
}

impl<'a> Reading<'a> {
    fn new(store: &'a DynamoStore, query: &'a ListQuery) -> Self {
        let shards = 0..table::INDEX_SHARDS;
        let partitions: Vec<String> = match query.equality() {
            Some((name, value)) => shards.map(|it| item::attribute_partition(name, value, it)).collect(),
            None => {
                let statuses = query.status.map_or(Status::ALL.to_vec(), |status| vec![status]);
                let of = |status| shards.clone().map(move |it| item::partition(status, it));
                statuses.into_iter().flat_map(of).collect()
            }
        };
        let newest = query.started_within().below.map_or_else(|| TOP.to_owned(), |it| format!("{it:015}"));
        let below = query.after.clone().map_or(newest.clone(), |after| after.min(newest));
        let few =
            !query.closed.is_always() || query.attributes.len() > usize::from(query.equality().is_some());
        let least = if few { CHUNK_OF_FEW } else { CHUNK_MIN };
        let chunk = (2 * query.limit / partitions.len()).max(least);
        let shard =
            |partition| Shard { partition, ahead: VecDeque::new(), below: below.clone(), read: false };
        Self { store, query, shards: partitions.into_iter().map(shard).collect(), chunk, scanned: 0 }
    }

    /// Whether there may be more.
    fn is_left(&self) -> bool {
        self.shards.iter().any(|it| !it.ahead.is_empty() || !it.read)
    }

    /// The newest candidate of all shards.
    async fn next(&mut self) -> Result<Next, Fault> {
        let unknown = |it: &Shard| it.ahead.is_empty() && !it.read;
        while self.scanned < SCANNED_MAX && self.shards.iter().any(unknown) {
            let (store, query, chunk) = (self.store, self.query, self.chunk);
            let empty = self.shards.iter_mut().filter(|it| unknown(it));
            let scanned = try_join_all(empty.map(|shard| store.read_shard(shard, query, chunk))).await?;
            self.scanned += scanned.iter().sum::<usize>().max(1);
        }
        // What a shard has that was not read on is below this place.
        let horizon = self.shards.iter().filter(|it| unknown(it)).map(|it| it.below.clone()).max();
        let newest = self.shards.iter_mut().max_by(|a, b| place(a).cmp(place(b)));
        let newest = newest.filter(|it| horizon.as_deref().is_none_or(|horizon| place(it) > horizon));
        Ok(match (newest.and_then(|shard| shard.ahead.pop_front()), horizon) {
            (Some(item), _) => Next::Candidate(item),
            (None, Some(horizon)) => Next::Enough(horizon),
            (None, None) => Next::End,
        })
    }
}

/// The place of what is next in a shard; nothing sorts below everything.
fn place(shard: &Shard) -> &str {
    shard.ahead.front().map_or("", item::place)
}

impl DynamoStore {
    /// The execution of a candidate, if it is still there.
    async fn candidate(&self, item: Item) -> Result<Option<Meta>, Fault> {
        if item::sort(&item) == table::META {
            return self.read_meta(item).await.map(Some);
        }
        match ExecutionId::parse(item::execution(&item)) {
            Ok(id) => self.meta(&id).await,
            Err(_) => Ok(None),
        }
    }

    /// Reads on in a shard, once; answers how many items were looked at.
    async fn read_shard(&self, shard: &mut Shard, query: &ListQuery, chunk: usize) -> Result<usize, Fault> {
        let oldest = query.started.from.map_or_else(String::new, |it| format!("{it:015}"));
        if oldest > shard.below {
            shard.read = true;
            return Ok(0);
        }
        // A key takes one condition, and no empty text; a digit is below every place.
        let oldest = if oldest.is_empty() { "0".to_owned() } else { oldest };
        let mut request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(table::INDEX)
            .scan_index_forward(false)
            .limit(i32::try_from(chunk).unwrap_or(i32::MAX))
            .key_condition_expression("#listed = :listed AND #started BETWEEN :oldest AND :below")
            .expression_attribute_names("#listed", table::INDEX_PARTITION)
            .expression_attribute_names("#started", table::INDEX_SORT)
            .expression_attribute_values(":listed", text(&shard.partition))
            .expression_attribute_values(":oldest", text(oldest))
            .expression_attribute_values(":below", text(&shard.below));
        if let Some(workflow) = &query.workflow {
            request = request
                .filter_expression("begins_with(#execution, :workflow)")
                .expression_attribute_names("#execution", table::PARTITION)
                .expression_attribute_values(":workflow", text(format!("{workflow}/")));
        }
        let page = request
            .send()
            .await
            .map_err(|error| fault::aws(format!("dynamodb Query executions {}", shard.partition), &error))?;
        let (now, below) = (now_s(), shard.below.clone());
        let items = page.items.unwrap_or_default().into_iter();
        // `BETWEEN` includes its ends, and what is at this one was given out.
        shard.ahead.extend(items.filter(|it| item::place(it) != below && !item::expired(it, now)));
        // The key of the last item that was looked at, whether or not the filter let it through.
        match page.last_evaluated_key {
            Some(key) => item::place(&key).clone_into(&mut shard.below),
            None => shard.read = true,
        }
        Ok(usize::try_from(page.scanned_count).unwrap_or_default())
    }
}
