//! The shapes of the table's items: attributes and keys to values and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use eventual_core::{Attribute, ExecutionId, Payload, Status};
use eventual_engine::ports::{AttemptId, Meta};
use eventual_schema::deploy::table;
use eventual_schema::digest::short_hash;

use crate::spill::Kept;

/// An item.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Attribute of metas, answers and answered attempts, a string: the value as the codec writes it.
pub(super) const BODY: &str = "body";
/// Attribute instead of [`BODY`], a string: the key in the bucket of a body that is too large for an item.
pub(super) const SPILLED: &str = "spilled";
/// Attribute of metas, a string: the status, for conditions and for people.
pub(super) const STATUS: &str = "status";
/// Attribute of claims, a number of milliseconds since 1970: when another worker may take it.
pub(super) const LEASE: &str = "lease";
/// Attribute of metas and of the items of attributes, a number: the turn as of which they are. Absent for 0.
pub(super) const AS_OF: &str = "asOf";
/// Attribute of claims, a number of milliseconds since 1970: the last sign of life of the attempt.
pub(super) const BEATEN: &str = "beaten";
/// Attribute of claims, a boolean: whether nobody waits for the attempt any more.
pub(super) const CANCELLED: &str = "cancelled";
/// Attribute of claims, a string: what the last heartbeat with details said, as JSON.
pub(super) const DETAILS: &str = "details";
/// Attribute of claims, a string: which call took it.
const TOKEN: &str = "token";
/// Largest turn number; its key has ten digits.
const TURN_MAX: u64 = 9_999_999_999;
/// Digits of the hash that chooses an execution's shard.
const SHARD_DIGITS: usize = 4;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Placeholders of an expression; many of our names are DynamoDB's reserved words.
pub(super) fn names(pairs: &[(&str, &str)]) -> Option<HashMap<String, String>> {
    Some(pairs.iter().map(|(placeholder, name)| ((*placeholder).to_owned(), (*name).to_owned())).collect())
}

/// Sort key of the item that begins with a turn.
pub(super) fn turn_key(turn: u64) -> String {
    format!("{}{:010}", table::TURN_PREFIX, turn.min(TURN_MAX))
}

/// Sort key of a claim.
pub(super) fn claim_key(attempt: &AttemptId) -> String {
    let AttemptId { run, seq, attempt, .. } = attempt;
    let run = run.map(|it| format!("@{it}")).unwrap_or_default();
    format!("{}{seq}#{attempt}{run}", table::CLAIM_PREFIX)
}

/// Sort key of an answer to an update.
pub(super) fn answer_key(update: &str) -> String {
    format!("{}{update}", table::ANSWER_PREFIX)
}

/// The index partition of `shard` among the executions with this status.
pub(super) fn partition(status: Status, shard: u32) -> String {
    format!("{}#{shard}", status.as_str())
}

/// Sort key of the item of an attribute.
pub(super) fn attribute_key(name: &str) -> String {
    format!("{}{name}", table::ATTRIBUTE_PREFIX)
}

/// The index partition of `shard` among the executions with this value of an attribute.
pub(super) fn attribute_partition(name: &str, value: &Attribute, shard: u32) -> String {
    format!("{}{name}={}#{shard}", table::INDEX_ATTRIBUTE, value.key())
}

/// The shard of an execution.
fn shard(id: &ExecutionId) -> u32 {
    let hash = u32::from_str_radix(&short_hash(&[id.as_str()], SHARD_DIGITS), 16).unwrap_or_default();
    hash % table::INDEX_SHARDS
}

/// The index partition of an execution.
pub(super) fn listed(meta: &Meta) -> String {
    partition(meta.status, shard(&meta.id))
}

/// The index partition of an execution with this value of an attribute.
pub(super) fn listed_by(id: &ExecutionId, name: &str, value: &Attribute) -> String {
    attribute_partition(name, value, shard(id))
}

/// The place of an execution in lists: by start, then by name.
pub(super) fn place_of(meta: &Meta) -> String {
    format!("{:015}#{}", meta.started, meta.id)
}

/// An item with nothing but its key.
pub(super) fn keyed(id: &ExecutionId, sort: &str) -> Item {
    HashMap::from([(table::PARTITION.to_owned(), text(id.as_str())), (table::SORT.to_owned(), text(sort))])
}

fn with_body(mut item: Item, kept: Kept) -> Item {
    let (name, value) = match kept {
        Kept::Inline(body) => (BODY, body),
        Kept::Spilled(key) => (SPILLED, key),
    };
    item.insert(name.to_owned(), text(value));
    item
}

/// The item of a meta, without `uncovered`.
pub(super) fn meta(meta: &Meta, body: Kept) -> Item {
    let mut item = with_body(keyed(&meta.id, table::META), body);
    item.insert(STATUS.to_owned(), text(meta.status.as_str()));
    item.insert(table::INDEX_PARTITION.to_owned(), text(listed(meta)));
    item.insert(table::INDEX_SORT.to_owned(), text(place_of(meta)));
    item
}

/// The item of an answer; `expires` in seconds since 1970.
pub(super) fn answer(id: &ExecutionId, update: &str, body: Kept, expires: u64) -> Item {
    let mut item = with_body(keyed(id, &answer_key(update)), body);
    item.insert(table::EXPIRES.to_owned(), number(expires));
    item
}

/// The item of a claim that is made `now` until `lease`, both in milliseconds; `expires` in seconds since 1970.
pub(super) fn claim(
    id: &ExecutionId,
    key: &str,
    (now, lease): (u64, u64),
    token: &str,
    expires: u64,
) -> Item {
    let mut item = keyed(id, key);
    item.insert(BEATEN.to_owned(), number(now));
    item.insert(LEASE.to_owned(), number(lease));
    item.insert(TOKEN.to_owned(), text(token));
    item.insert(table::EXPIRES.to_owned(), number(expires));
    item
}

fn string<'a>(item: &'a Item, name: &str) -> Option<&'a String> {
    item.get(name).and_then(|it| it.as_s().ok())
}

/// The last sign of life of an attempt; 0 without.
pub(super) fn beaten(item: &Item) -> u64 {
    item.get(BEATEN).and_then(|it| it.as_n().ok()).and_then(|it| it.parse().ok()).unwrap_or_default()
}

/// Whether nobody waits for an attempt any more.
pub(super) fn cancelled(item: &Item) -> bool {
    item.get(CANCELLED).and_then(|it| it.as_bool().ok()).copied().unwrap_or_default()
}

/// What the last heartbeat with details said.
pub(super) fn details(item: &Item) -> Option<Payload> {
    string(item, DETAILS).map(|it| Payload::from(it.as_str()))
}

/// The body of a meta, answer or attempt, or where it is.
pub(super) fn body(item: &Item) -> Option<Kept> {
    let inline = string(item, BODY).cloned().map(Kept::Inline);
    inline.or_else(|| string(item, SPILLED).cloned().map(Kept::Spilled))
}

/// The execution that an item belongs to; empty for an item that is not ours.
pub(super) fn execution(item: &Item) -> &str {
    string(item, table::PARTITION).map_or("", String::as_str)
}

/// The sort key of an item; empty for an item that is not ours.
pub(super) fn sort(item: &Item) -> &str {
    string(item, table::SORT).map_or("", String::as_str)
}

/// The place in lists of a meta, or of the item of an attribute.
pub(super) fn place(item: &Item) -> &str {
    string(item, table::INDEX_SORT).map_or("", String::as_str)
}

/// Which call took a claim.
pub(super) fn token(item: &Item) -> Option<&String> {
    string(item, TOKEN)
}

/// Whether the item counts as gone at `now`, in seconds since 1970. DynamoDB deletes it some days later.
pub(super) fn expired(item: &Item, now: u64) -> bool {
    let expires =
        item.get(table::EXPIRES).and_then(|it| it.as_n().ok()).and_then(|it| it.parse::<u64>().ok());
    expires.is_some_and(|expires| expires < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_keys_sort_like_numbers() {
        assert!(turn_key(2) < turn_key(10) && turn_key(10) < turn_key(u64::MAX));
        assert_eq!(turn_key(3), "turn#0000000003");
        let execution = ExecutionId::new("w", "n").unwrap();
        let attempt = AttemptId { run: None, execution: execution.clone(), seq: 1, attempt: 2 };
        assert!(table::META < table::TURN_PREFIX && claim_key(&attempt) < turn_key(0));
        let run = eventual_core::Run::of(&execution, 1, 2);
        assert_eq!(claim_key(&AttemptId { run: Some(run), ..attempt }), format!("claim#1#2@{run}"));
    }

    #[test]
    fn expiry_is_after_the_second() {
        let id = ExecutionId::new("w", "n").unwrap();
        let item = answer(&id, "u", Kept::Inline("{}".into()), 100);
        assert!(!expired(&item, 100) && expired(&item, 101));
        assert!(!expired(&keyed(&id, &turn_key(1)), u64::MAX));
    }
}
