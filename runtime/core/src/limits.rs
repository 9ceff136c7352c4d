//! Every limit of the engine, in one place. A limit that is reached is an error that names its number and says what to
//! do; none is a silent truncation.
//!
//! Limits of one host (how many handlers it runs at a time) are that host's; limits of AWS are noted where they decide
//! one of ours.

/// Longest execution name, in bytes. It is a part of keys and URLs.
pub const EXECUTION_NAME_MAX: usize = 200;

/// Longest name of a signal, an update or a query, in bytes.
pub const MESSAGE_NAME_MAX: usize = 100;

/// Largest payload, in bytes: an input, a result, a signal, an update. What is so large slows down whoever reads it, so it
/// belongs into a bucket, and where it is into the payload.
pub const PAYLOAD_MAX: usize = 64 << 20;

/// Largest turn or meta that is kept in an item of the table, in bytes; what is larger lies in the bucket, unseen. DynamoDB
/// takes 400 KB an item, names and keys included.
pub const ITEM_INLINE_MAX: usize = 350 * 1024;

/// Largest message or invocation that carries its body, in bytes; the body of a larger one lies in the bucket, unseen. SQS
/// and a failure destination take 256 KB, envelope included.
pub const MESSAGE_INLINE_MAX: usize = 200 * 1024;

/// Most facts that an execution learns in one wake-up of the local host; the next wake-up brings the rest.
pub const FACTS_MAX: usize = 256;

/// Most calls that code asks for in one turn. Code that asks for more is parked before anything of it is done.
pub const TURN_CALLS_MAX: usize = 10_000;

/// Longest time, in milliseconds, for which a process takes what it remembers of an execution for true when a message comes;
/// after that it asks the store first. Shorter than the shortest retention, a day, or else a message to an execution that was
/// forgotten could bring it back into the history of a later one of its name.
pub const REMEMBERED_MAX_MS: u64 = 12 * 3_600_000;

/// Most calls whose outcome an execution waits for. Code that asks for more is parked before anything of it is done.
pub const OPEN_CALLS_MAX: usize = 50_000;

/// Facts and calls after which a workflow is told to continue as new. A longer history is no error; its replay takes
/// milliseconds for each thousand.
pub const HISTORY_SUGGESTED: u64 = 10_000;

/// Longest name of an attribute, in bytes: ASCII letters, digits and `_`, beginning with a letter.
pub const ATTRIBUTE_NAME_MAX: usize = 64;

/// Longest text of an attribute, in bytes. A DynamoDB key takes 2,048, and the name and a shard are in it too.
pub const ATTRIBUTE_TEXT_MAX: usize = 1_024;

/// Most attributes that an execution is started with, and most that its code sets. Each is an item of its own on AWS, so
/// the cost of an execution is bounded by it.
pub const ATTRIBUTES_MAX: usize = 32;

/// Most executions on one page of a list; also what a page has when nothing is said.
pub const LIST_PAGE_MAX: usize = 100;

/// Most conditions on attributes in one list or count.
pub const LIST_FILTERS_MAX: usize = 8;

/// Most executions that one count looks at; beyond it the answer says that there are more.
pub const COUNT_MAX: u64 = 10_000;

/// Most executions that are looked at for one page of a list. A page that reaches it is shorter, or empty, and says where
/// the next one begins.
pub const LIST_LOOKED_AT_MAX: usize = 1_000;

/// Largest details of a heartbeat, in bytes of JSON. They are written again and again, into an item of 400 KB on AWS.
pub const HEARTBEAT_DETAILS_MAX: usize = 32 * 1024;

/// Longest run of one attempt of an inline task, in milliseconds. The orchestrator runs for 60 seconds unless it is
/// configured otherwise, and must outlive what it waits for.
pub const INLINE_TIMEOUT_MAX_MS: u64 = 45_000;

/// Longest name of a schedule, in bytes: it and a time make the names of the executions that it starts.
pub const SCHEDULE_NAME_MAX: usize = 100;

/// Most cron expressions and intervals of one schedule.
pub const SCHEDULE_TIMES_MAX: usize = 32;

/// Shortest interval of a schedule, in milliseconds.
pub const SCHEDULE_EVERY_MIN_MS: u64 = 1_000;

/// Most starts that wait for an earlier one to end; further ones are left out, and counted as such.
pub const SCHEDULE_BUFFER_MAX: usize = 1_000;

/// Most starts of one backfill. A longer one is asked for in parts.
pub const SCHEDULE_BACKFILL_MAX: usize = 1_000;

/// Most coming times that a description of a schedule tells.
pub const SCHEDULE_NEXT_MAX: usize = 100;

/// Most of its last starts that a schedule remembers.
pub const SCHEDULE_RECENT_MAX: usize = 20;

/// Most times that one turn of a schedule looks at when it has to catch up; the next turn goes on.
pub const SCHEDULE_LOOKED_AT_MAX: usize = 1_000;
