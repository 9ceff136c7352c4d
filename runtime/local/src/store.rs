//! The durable store: tables of an embedded log-structured tree, written by groups, read directly.
//!
//! It knows executions, turns and claims, and keeps for [`crate::queue`] what is on its way. What a message means is
//! not its matter.

mod answers;
mod attempts;
pub(crate) mod files;
pub(crate) mod group;
pub(crate) mod keys;
mod log;
mod marks;
mod reading;
pub(crate) mod watch;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use eventual_core::limits::LIST_LOOKED_AT_MAX;
use eventual_core::{ExecutionId, Millis, Outcome, Payload, Turn};
use eventual_engine::codec;
use eventual_engine::ports::{
    AttemptId, AttemptRecord, Awaited, Beat, Commit, CommitDone, Completed, Fault, Insert, ListQuery, Meta,
    Page, Store,
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use crate::delivery::Delivery;
use crate::programs::Programs;
use crate::queue::Queue;
pub use files::OpenError;
use files::{Acknowledged, Lock};
use group::{Change, Group, Tables, Written};
use keys::{EPOCH, LAST_GROUP, Place, Table};
use marks::Marks;
use watch::Watch;

/// Memory for what was read, and for what is not yet sorted into files, a table.
const CACHE_BYTES: u64 = 4 << 20;
const MEMTABLE_BYTES: u64 = 1 << 20;
/// The embedded store's log, from which it recovers; the least that it takes.
const LOG_BYTES: u64 = 64 << 20;

/// An open store. Dropped, it is closed in order; killed, it is found as it was acknowledged.
pub struct LocalStore {
    pub(crate) group: Arc<Group>,
    pub(crate) queue: Queue,
    tables: Tables,
    folder: PathBuf,
    retention_ms: u64,
    /// Who waits for what becomes of an execution.
    pub(crate) watch: Watch,
    /// The programs that open executions are pinned to.
    pub(crate) programs: Arc<Programs>,
    /// The executions that are marked in [`Table::Undelivered`].
    marks: Marks,
    /// Held while what is kept of an attempt is changed.
    attempts: tokio::sync::Mutex<()>,
    _lock: Lock,
}

impl LocalStore {
    /// Opens the store in `folder`, or makes one there. Executions that closed longer than `retention_ms` milliseconds
    /// ago are forgotten.
    ///
    /// # Errors
    /// When another process has it open, it is damaged, or of another format; each says what to do.
    pub fn open(folder: &Path, retention_ms: u64) -> Result<Self, OpenError> {
        let lock = Lock::take(folder)?;
        files::check_format(folder)?;
        let (acknowledged, promised) = Acknowledged::open(folder)?;
        let data = folder.join("data");
        log::check(&data, promised, SAFE)?;
        let (database, tables) = tables(&data)?;
        let about = &tables[Table::About as usize];
        let number = |key: &[u8]| -> Result<u64, OpenError> {
            let value = about.get(key).map_err(|error| damaged(&data, &error))?;
            Ok(value.and_then(|it| it.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
        };
        let (last, epoch) = (number(LAST_GROUP)?, number(EPOCH)? + 1);
        if last < promised {
            return Err(lost(&data, last, promised));
        }
        // Durable with the first group: an epoch in which nothing was written may be used again.
        let group = Group::start(database, tables.clone(), acknowledged, last).map_err(files::io(folder))?;
        group.note(vec![Change::Put(Table::About, EPOCH.to_vec(), epoch.to_be_bytes().to_vec())]);
        let group = Arc::new(group);
        let queue = Queue::new(group.clone(), tables.clone(), epoch);
        let (watch, marks, attempts) = (Watch::default(), Marks::default(), tokio::sync::Mutex::default());
        let (folder, programs) = (folder.to_owned(), Arc::new(Programs::new(folder)));
        Ok(Self { group, queue, tables, folder, retention_ms, watch, programs, marks, attempts, _lock: lock })
    }

    pub(crate) fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<fjall::UserValue>, Fault> {
        self.table(table).get(key).map_err(|error| self.fault(table, &error))
    }

    pub(crate) fn fault(&self, table: Table, error: &dyn fmt::Display) -> Fault {
        let file = self.folder.join("data");
        Fault::new(format!("read of table {} in {}", table.name(), file.display()), error.to_string())
    }

    /// Executions that may not have begun, or whose last turn may not have been delivered, when the process before this
    /// one ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn undelivered(&self) -> Result<Vec<ExecutionId>, Fault> {
        let mut found = Vec::new();
        for entry in self.table(Table::Undelivered).iter() {
            let key = entry.key().map_err(|error| self.fault(Table::Undelivered, &error))?;
            found.extend(std::str::from_utf8(&key).ok().and_then(|it| ExecutionId::parse(it).ok()));
        }
        self.marks.found(&found);
        Ok(found)
    }

    /// Writes a turn and what goes with it, and marks its execution as undelivered, unless its number is taken.
    async fn write_turn(&self, id: &ExecutionId, turn: &Turn, changes: Vec<Change>) -> Result<Commit, Fault> {
        let (key, changes, marks) = self.changes_of(id, turn, changes);
        let operation = || format!("commit of turn {} of {id}", turn.number);
        let written = self.group.write(operation, Some((Table::Turns, key)), changes).await;
        if marks && !matches!(written, Ok(Written::Yes)) {
            self.marks.failed(id);
        }
        Ok(if written? == Written::Yes { Commit::Written } else { Commit::Taken })
    }

    /// What writes a turn: its key, the changes, and whether they mark its execution.
    fn changes_of(
        &self,
        id: &ExecutionId,
        turn: &Turn,
        mut changes: Vec<Change>,
    ) -> (Vec<u8>, Vec<Change>, bool) {
        let key = keys::turn(id, turn.number);
        changes.push(Change::Put(Table::Turns, key.clone(), codec::encode_turn(turn).into_bytes()));
        let marks = self.marks.begin(id);
        if marks {
            changes.push(Change::Put(Table::Undelivered, id.as_str().into(), Vec::new()));
        }
        (key, changes, marks)
    }

    /// The changes that write where an execution stands, and what is due when it is to be forgotten.
    fn standing(&self, meta: &Meta) -> (Vec<Change>, Option<(Place, Delivery)>) {
        let mut changes = vec![
            Change::Put(Table::Executions, meta.id.as_str().into(), codec::encode_meta(meta).into_bytes()),
            Change::Put(Table::Index, keys::index(meta.started, &meta.id), meta.status.as_str().into()),
        ];
        let closed = meta.closed.filter(|_| meta.status.is_closed());
        let expiry = closed.map(|closed| {
            let delivery = Delivery::Expire(meta.id.clone());
            let (place, change) = self.queue.placed(closed.saturating_add(self.retention_ms), &delivery);
            changes.push(change);
            (place, delivery)
        });
        (changes, expiry)
    }

    /// Those changes are durable.
    fn stands(&self, meta: &Meta, expiry: Option<(Place, Delivery)>) {
        self.watch.tell(&meta.id, if meta.closed.is_some() { Awaited::End } else { Awaited::Turn });
        if let Some((place, delivery)) = expiry {
            self.queue.offer(place, delivery);
        }
    }

    /// Everything of an execution is delivered: whoever advances it says so, before anybody else can.
    pub(crate) fn unmark(&self, id: &ExecutionId) {
        if self.marks.end(id) {
            self.group.note(vec![Change::Remove(Table::Undelivered, id.as_str().into())]);
        }
    }

    /// Whether a worker has taken this attempt.
    pub(crate) fn claimed(&self, attempt: &AttemptId) -> Result<bool, Fault> {
        Ok(self.get(Table::Claims, &keys::claim(attempt))?.is_some())
    }

    /// Forgets a closed execution.
    pub(crate) async fn forget(&self, id: &ExecutionId, and: Change) -> Result<(), Fault> {
        let mut changes = vec![and];
        if let Some(meta) = self.meta(id).await?
            && meta.status.is_closed()
        {
            changes.push(Change::Remove(Table::Executions, id.as_str().into()));
            changes.push(Change::Remove(Table::Index, keys::index(meta.started, id)));
            changes.push(Change::Remove(Table::Undelivered, id.as_str().into()));
            for table in [Table::Turns, Table::Claims, Table::Answers] {
                for entry in self.table(table).prefix(keys::of_execution(id)) {
                    let key = entry.key().map_err(|error| self.fault(table, &error))?;
                    changes.push(Change::Remove(table, key.to_vec()));
                }
            }
        }
        self.group.write(|| format!("forget {id}"), None, changes).await.map(|_| ())
    }

    /// What was given up, oldest first, at most `limit` lines: the delivery and why.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn dead_letters(&self, limit: usize) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        for entry in self.table(Table::Dead).iter().take(limit) {
            let value = entry.value().map_err(|error| self.fault(Table::Dead, &error))?;
            found.push(String::from_utf8_lossy(&value).into_owned());
        }
        Ok(found)
    }
}

impl fmt::Debug for LocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn tables(data: &Path) -> Result<(Database, Tables), OpenError> {
    let wrong = |error: fjall::Error| damaged(data, &error);
    let builder = Database::builder(data)
        .cache_size(CACHE_BYTES)
        .max_journaling_size(LOG_BYTES)
        .worker_threads(1)
        .max_cached_files(Some(64));
    let database = builder.open().map_err(wrong)?;
    let mut tables = Vec::new();
    for table in Table::ALL {
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        tables.push(database.keyspace(table.name(), options).map_err(wrong)?);
    }
    Ok((database, tables.into()))
}

pub(crate) const SAFE: &str = "copy the whole folder first, then restore the store from a backup, or start with an empty folder; do not remove single files in it";

fn damaged(data: &Path, error: &fjall::Error) -> OpenError {
    if let fjall::Error::Locked = error {
        return OpenError::InUse(data.to_owned());
    }
    let place = if matches!(error, fjall::Error::JournalRecovery(_)) {
        newest_log(data).unwrap_or_else(|| data.to_owned())
    } else {
        data.to_owned()
    };
    if let fjall::Error::Io(source) = error
        && source.kind() == std::io::ErrorKind::PermissionDenied
    {
        return OpenError::Io { file: place, source: std::io::ErrorKind::PermissionDenied.into() };
    }
    OpenError::Damaged { file: place, what: error.to_string(), safe: SAFE.to_owned() }
}

fn lost(data: &Path, last: u64, promised: u64) -> OpenError {
    let what = format!(
        "its log ends with group {last}, but everything up to group {promised} was acknowledged as durable: the end of the log was cut off or overwritten"
    );
    OpenError::Damaged {
        file: newest_log(data).unwrap_or_else(|| data.to_owned()),
        what,
        safe: SAFE.to_owned(),
    }
}

/// The log that was written last.
fn newest_log(data: &Path) -> Option<PathBuf> {
    let mut folders = vec![data.to_owned()];
    let mut logs = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "jnl") {
                logs.push((entry.metadata().and_then(|it| it.modified()).ok(), path));
            }
        }
    }
    logs.into_iter().max().map(|(_, path)| path)
}

#[async_trait]
impl Store for LocalStore {
    async fn insert(&self, meta: &Meta) -> Result<Insert, Fault> {
        let key = meta.id.as_str().as_bytes().to_vec();
        if meta.pinned {
            self.programs.keep(&meta.code).await;
        }
        // The promise of `insert`: what is marked is woken by the next process, if this one dies before it does.
        let changes = vec![
            Change::Put(Table::Executions, key.clone(), codec::encode_meta(meta).into_bytes()),
            Change::Put(Table::Index, keys::index(meta.started, &meta.id), meta.status.as_str().into()),
            Change::Put(Table::Undelivered, key.clone(), Vec::new()),
        ];
        let operation = || format!("insert of {}", meta.id);
        let is_first = self.marks.inserting(&meta.id);
        let written = self.group.write(operation, Some((Table::Executions, key)), changes).await;
        if is_first {
            self.marks.inserted(&meta.id, matches!(written, Ok(Written::Yes)));
        }
        match written? {
            Written::Yes => {
                self.queue.look(&meta.id);
                Ok(Insert::Inserted)
            }
            Written::No => match self.meta(&meta.id).await? {
                Some(before) => Ok(Insert::Exists(Box::new(before))),
                None => Err(Fault::new(operation(), "it was forgotten at the same moment; try again")),
            },
        }
    }

    async fn meta(&self, id: &ExecutionId) -> Result<Option<Meta>, Fault> {
        let Some(value) = self.get(Table::Executions, id.as_str().as_bytes())? else { return Ok(None) };
        codec::decode_meta(&value).map(Some).map_err(|error| self.fault(Table::Executions, &error))
    }

    async fn turns(&self, id: &ExecutionId, after: u64) -> Result<Vec<Turn>, Fault> {
        if self.marks.is_new(id) {
            return Ok(Vec::new());
        }
        let (from, to) = (keys::turn(id, after.saturating_add(1)), keys::turn(id, u64::MAX));
        let mut turns = Vec::new();
        for entry in self.table(Table::Turns).range(from..=to) {
            let value = entry.value().map_err(|error| self.fault(Table::Turns, &error))?;
            turns.push(codec::decode_turn(&value).map_err(|error| self.fault(Table::Turns, &error))?);
        }
        Ok(turns)
    }

    async fn commit(&self, id: &ExecutionId, turn: &Turn) -> Result<Commit, Fault> {
        let written = self.write_turn(id, turn, Vec::new()).await?;
        if written == Commit::Written {
            self.watch.tell(id, Awaited::Turn);
        }
        Ok(written)
    }

    fn commit_then(&self, id: &ExecutionId, turn: Box<Turn>, done: CommitDone) {
        let (key, changes, marks) = self.changes_of(id, &turn, Vec::new());
        let (id, watch, known) = (id.clone(), self.watch.clone(), self.marks.clone());
        self.group.write_then(Some((Table::Turns, key)), changes, move |written| {
            if marks && !matches!(written, Ok(Written::Yes)) {
                known.failed(&id);
            }
            let answer = match written {
                Ok(Written::Yes) => {
                    watch.tell(&id, Awaited::Turn);
                    Ok(Commit::Written)
                }
                Ok(Written::No) => Ok(Commit::Taken),
                Err(why) => {
                    Err(Fault::new(format!("commit of turn {} of {id}", turn.number), why.to_string()))
                }
            };
            done(turn, Some(answer));
        });
    }

    async fn finish(&self, meta: &Meta, turn: &Turn) -> Result<Commit, Fault> {
        let (changes, expiry) = self.standing(meta);
        let written = self.write_turn(&meta.id, turn, changes).await?;
        if written == Commit::Written {
            self.stands(meta, expiry);
        }
        Ok(written)
    }

    async fn set_status(&self, meta: &Meta) -> Result<(), Fault> {
        // One turn of an execution at a time: nobody else writes it between this reading and the writing.
        match self.meta(&meta.id).await? {
            Some(known) if !known.status.is_closed() && known.as_of <= meta.as_of => {}
            _ => return Ok(()),
        }
        let (changes, expiry) = self.standing(meta);
        self.group.write(|| format!("status of {}", meta.id), None, changes).await?;
        self.stands(meta, expiry);
        Ok(())
    }

    async fn claim(&self, attempt: &AttemptId, _lease_ms: u64) -> Result<bool, Fault> {
        self.take_attempt(attempt).await
    }

    async fn heartbeat(
        &self,
        attempt: &AttemptId,
        now: Millis,
        details: Option<&Payload>,
    ) -> Result<Beat, Fault> {
        self.change_attempt(attempt, |it| it.beat(now, details)).await
    }

    async fn attempt_of(&self, attempt: &AttemptId) -> Result<Option<AttemptRecord>, Fault> {
        self.attempt(attempt)
    }

    async fn cancel_attempt(&self, attempt: &AttemptId) -> Result<Option<Outcome>, Fault> {
        self.change_attempt(attempt, AttemptRecord::cancel).await
    }

    async fn complete_attempt(&self, attempt: &AttemptId, outcome: &Outcome) -> Result<Completed, Fault> {
        self.change_attempt(attempt, |it| it.complete(outcome)).await
    }

    async fn answer(&self, id: &ExecutionId, update: &str, outcome: &Outcome) -> Result<(), Fault> {
        self.put_answer(id, update, outcome).await
    }

    async fn answered(&self, id: &ExecutionId, update: &str) -> Result<Option<Outcome>, Fault> {
        self.get_answer(id, update)
    }

    async fn retire(&self, id: &ExecutionId, before: u64) -> Result<(), Fault> {
        self.drop_turns(id, before).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, Fault> {
        let after = query.after.as_deref().map_or(Some(Vec::new()), unhex);
        let Some(after) = after else {
            return Err(Fault::new("list of executions", "`after` is not the `next` of an earlier page"));
        };
        let mut page = Page::default();
        let mut last = None;
        // Newest first, and the newest that can match is known.
        let newest = query.started_within().below.map_or(Vec::new(), keys::newest_below);
        let mut looked_at = 0;
        for entry in self.table(Table::Index).range(after.clone().max(newest)..) {
            let (key, status) = entry.into_inner().map_err(|error| self.fault(Table::Index, &error))?;
            if key[..] == after[..] {
                continue;
            }
            if page.executions.len() >= query.limit || looked_at >= LIST_LOOKED_AT_MAX {
                page.next = last.as_deref().map(hex);
                break;
            }
            let Some((started, id)) = keys::indexed(&key) else { continue };
            if query.started.from.is_some_and(|from| started < from) {
                break;
            }
            last = Some(key.to_vec());
            let other = query.status.is_some_and(|it| it.as_str().as_bytes() != &status[..])
                || query.workflow.as_deref().is_some_and(|it| it != id.workflow());
            if other {
                continue;
            }
            looked_at += 1;
            page.executions.extend(self.meta(&id).await?.filter(|it| query.matches(it)));
        }
        Ok(page)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
