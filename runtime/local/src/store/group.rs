//! Group commit: one thread takes everything that waits to be written, writes it as one batch, makes it durable with one
//! fsync, and only then answers. While it waits for the disk, the next group gathers.
//!
//! Groups are atomic and in order, so that what is durable is always everything up to some moment: whoever writes one
//! thing after another never finds the second without the first. It deliberately does not know what it writes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use eventual_engine::Fault;
use fjall::{Database, Keyspace, PersistMode};
use tokio::sync::{mpsc, oneshot, watch};

use crate::store::files::Acknowledged;
use crate::store::keys::{self, LAST_GROUP, Table};

/// Most requests in one group, and about as many bytes.
const REQUESTS_MAX: usize = 8_192;
const BYTES_MAX: usize = 8 << 20;
/// Most series whose last number is known without a look into the table.
const SERIES_MAX: usize = 16_384;

/// One change of one key.
#[derive(Debug)]
pub(crate) enum Change {
    Put(Table, Vec<u8>, Vec<u8>),
    Remove(Table, Vec<u8>),
}

/// Whether changes were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// They are durable.
    Yes,
    /// The key that must not exist does; nothing was changed.
    No,
}

/// Who is told how it went, on the thread that writes: it must not keep it.
type Told = Box<dyn FnOnce(Result<Written, Arc<str>>) + Send>;

struct Request {
    /// Nothing is changed if this key exists.
    unless: Option<(Table, Vec<u8>)>,
    changes: Vec<Change>,
    reply: Option<Told>,
}

/// The tables, by `Table as usize`.
pub(crate) type Tables = Arc<[Keyspace]>;

/// Why nothing is written any more.
type Failed = Arc<watch::Sender<Option<Arc<str>>>>;

/// A handle to the thread that writes.
#[derive(Debug)]
pub(crate) struct Group {
    /// Absent once it was closed.
    sender: Option<mpsc::UnboundedSender<Request>>,
    failed: Failed,
    thread: Option<JoinHandle<()>>,
}

impl Group {
    pub(crate) fn start(
        database: Database,
        tables: Tables,
        acknowledged: Acknowledged,
        last: u64,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let failed = Arc::new(watch::Sender::new(None));
        let (failing, series) = (failed.clone(), HashMap::new());
        let mut writer = Writer { database, tables, acknowledged, last, series, failed: failing };
        let thread =
            thread::Builder::new().name("eventual-store".into()).spawn(move || writer.run(receiver))?;
        Ok(Self { sender: Some(sender), failed, thread: Some(thread) })
    }

    /// Writes changes, unless a key exists. Returns when they are durable.
    pub(crate) async fn write(
        &self,
        operation: impl Fn() -> String,
        unless: Option<(Table, Vec<u8>)>,
        changes: Vec<Change>,
    ) -> Result<Written, Fault> {
        let (reply, answer) = oneshot::channel();
        self.write_then(unless, changes, |written| {
            let _ = reply.send(written);
        });
        match answer.await {
            Ok(Ok(written)) => Ok(written),
            Ok(Err(reason)) => Err(Fault::new(operation(), reason.to_string())),
            Err(_) => Err(Fault::new(operation(), "the store is closed")),
        }
    }

    /// The same without a wait: `told` is called on the thread that writes, which it must not keep.
    pub(crate) fn write_then(
        &self,
        unless: Option<(Table, Vec<u8>)>,
        changes: Vec<Change>,
        told: impl FnOnce(Result<Written, Arc<str>>) + Send + 'static,
    ) {
        self.send(Request { unless, changes, reply: Some(Box::new(told)) });
    }

    /// Has changes written with the next group. They are durable no later than everything that is asked for from now on.
    pub(crate) fn note(&self, changes: Vec<Change>) {
        self.send(Request { unless: None, changes, reply: None });
    }

    /// Returns when everything that was asked for before is written.
    pub(crate) async fn barrier(&self) -> Result<(), Fault> {
        self.write(|| "wait for the store".to_owned(), None, Vec::new()).await.map(|_| ())
    }

    /// Waits until the disk fails; why.
    pub(crate) async fn failed(&self) -> Arc<str> {
        let mut failed = self.failed.subscribe();
        // Its sender lives as long as this.
        match failed.wait_for(Option::is_some).await.map(|it| it.clone()) {
            Ok(Some(reason)) => reason,
            _ => std::future::pending().await,
        }
    }

    fn send(&self, request: Request) {
        // Nobody waits for a note, and a writer's answer says that the store is closed.
        let _ = self.sender.as_ref().map(|it| it.send(request));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.sender = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Writer {
    database: Database,
    tables: Tables,
    acknowledged: Acknowledged,
    last: u64,
    /// The last number of a series of turns that was written by this process: who writes the next one need not be looked up.
    series: HashMap<Vec<u8>, u64>,
    /// Why nothing is written any more.
    failed: Failed,
}

impl Writer {
    fn run(&mut self, mut receiver: mpsc::UnboundedReceiver<Request>) {
        while let Some(first) = receiver.blocking_recv() {
            let mut bytes = size(&first);
            let mut group = vec![first];
            while group.len() < REQUESTS_MAX && bytes < BYTES_MAX {
                let Ok(next) = receiver.try_recv() else { break };
                bytes += size(&next);
                group.push(next);
            }
            self.write(group);
        }
        if let Err(error) = self.database.persist(PersistMode::SyncAll) {
            tracing::error!(%error, "the store's last writes may not be durable; recovery makes up for them");
        }
    }

    fn write(&mut self, group: Vec<Request>) {
        let mut replies = Vec::with_capacity(group.len());
        let before = self.failed.borrow().clone();
        let outcome = before.clone().map_or_else(|| self.put(&group), Err);
        if let Err(reason) = &outcome
            && before.is_none()
        {
            self.failed.send_replace(Some(reason.clone()));
            // After a failed fsync nobody knows what is on the disk: only opening the store again finds out.
            tracing::error!(%reason, "the store failed; nothing is written until the process is started again");
        }
        for (index, request) in group.into_iter().enumerate() {
            let answer = outcome
                .as_ref()
                .map(|refused| if refused.contains(&index) { Written::No } else { Written::Yes });
            replies.push((request.reply, answer.map_err(Clone::clone)));
        }
        for (reply, answer) in replies {
            if let Some(reply) = reply {
                reply(answer);
            }
        }
    }

    fn exists(&self, table: Table, key: &[u8]) -> fjall::Result<bool> {
        let known = keys::numbered(key).filter(|_| table == Table::Turns);
        match known.and_then(|(series, number)| Some((self.series.get(series)?, number))) {
            Some((last, number)) if number > *last => Ok(false),
            _ => self.tables[table as usize].contains_key(key),
        }
    }

    /// Remembers the number of a turn. When its group fails, nothing is written any more.
    fn written(&mut self, table: Table, key: &[u8]) {
        let Some((series, number)) = keys::numbered(key).filter(|_| table == Table::Turns) else { return };
        if let Some(last) = self.series.get_mut(series) {
            *last = number;
            return;
        }
        if self.series.len() >= SERIES_MAX {
            self.series.clear();
        }
        self.series.insert(series.to_vec(), number);
    }

    /// Writes a group; answers which of its requests were refused.
    fn put(&mut self, group: &[Request]) -> Result<HashSet<usize>, Arc<str>> {
        let failed =
            |error: fjall::Error| Arc::from(format!("the embedded store failed: {error}{}", advice(&error)));
        let mut refused = HashSet::new();
        let mut fresh: HashSet<(Table, &[u8])> = HashSet::new();
        let mut batch = self.database.batch();
        let mut wait = false;
        for (index, request) in group.iter().enumerate() {
            wait |= request.reply.is_some();
            if let Some((table, key)) = &request.unless {
                if fresh.contains(&(*table, key.as_slice())) || self.exists(*table, key).map_err(failed)? {
                    refused.insert(index);
                    continue;
                }
                fresh.insert((*table, key));
                self.written(*table, key);
            }
            for change in &request.changes {
                match change {
                    Change::Put(table, key, value) => {
                        batch.insert(&self.tables[*table as usize], key.as_slice(), value.as_slice());
                    }
                    Change::Remove(table, key) => batch.remove(&self.tables[*table as usize], key.as_slice()),
                }
            }
        }
        if batch.is_empty() {
            return Ok(refused);
        }
        let number = self.last + 1;
        batch.insert(&self.tables[Table::About as usize], LAST_GROUP, &number.to_be_bytes()[..]);
        // Notes alone survive the process at once, and a failure of the power with the next group that waits.
        let mode = if wait { PersistMode::SyncData } else { PersistMode::Buffer };
        batch.durability(Some(mode)).commit().map_err(failed)?;
        self.last = number;
        if wait {
            let path = self.acknowledged.path().display();
            self.acknowledged
                .note(number)
                .map_err(|error| Arc::from(format!("{path}: {error}{}", advice(&error))))?;
        }
        Ok(refused)
    }
}

/// What to do about a failure of the file system.
fn advice(error: &(dyn std::error::Error + 'static)) -> &'static str {
    let mut chain = std::iter::successors(Some(error), |it| it.source());
    if matches!(error.downcast_ref(), Some(fjall::Error::Poisoned)) {
        return "; a write in the background failed before, most often because the disk is full or broken";
    }
    let full = chain.any(|it| {
        it.downcast_ref::<std::io::Error>().is_some_and(|it| it.kind() == std::io::ErrorKind::StorageFull)
            || matches!(it.downcast_ref(), Some(fjall::Error::Io(it)) if it.kind() == std::io::ErrorKind::StorageFull)
    });
    if full { "; the disk is full: make room on it, or keep closed executions for fewer days" } else { "" }
}

fn size(request: &Request) -> usize {
    let of = |change: &Change| match change {
        Change::Put(_, key, value) => key.len() + value.len(),
        Change::Remove(_, key) => key.len(),
    };
    request.changes.iter().map(of).sum()
}
