//! Every limit of the engine, in one place. A limit that is reached is an error that names its number and says what to
//! do; none is a silent truncation.
//!
//! Limits of one host (how many handlers it runs at a time) are that host's; limits of AWS are noted where they decide
//! one of ours.

/// Longest execution name, in bytes. It is a part of keys, queue groups (128 characters of SQS are of a hash) and URLs.
pub const EXECUTION_NAME_MAX: usize = 200;

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
