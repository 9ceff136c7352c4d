//! Processes that xtask starts: each leads a group of its own, so that ending it ends all that it started, at the end, on a
//! failure and on Ctrl-C. Deliberately knows nothing about what it runs.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::{Context, Failure, Result};

/// Leaders of the groups that are alive. The lock is held from before a process is started until it is listed, so that an
/// interrupt cannot miss one.
static LIVE: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often a waiting loop looks again.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

fn live() -> MutexGuard<'static, Vec<Pid>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// On Ctrl-C, SIGTERM and SIGHUP: ends all groups, lets the command unwind (which removes its temporary folders), and
/// leaves after ten seconds even if it does not.
pub(crate) fn end_all_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        for leader in live().iter() {
            end_group(*leader);
        }
        thread::sleep(Duration::from_secs(10));
        std::process::exit(130);
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether Ctrl-C came.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Fails once Ctrl-C came, so that loops end.
pub(crate) fn go_on() -> Result<()> {
    if interrupted() { Err(Failure::new("interrupted")) } else { Ok(()) }
}

fn end_group(leader: Pid) {
    // The group may be gone already, which is what we want.
    let _ = kill_process_group(leader, Signal::KILL);
}

/// A running process and all that it started. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Group {
    child: Child,
    leader: Pid,
    kept: bool,
}

impl Group {
    /// Starts `command` at the head of a group of its own.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut live = live();
        go_on()?;
        let child = command.process_group(0).spawn().context(format!("cannot start {program}"))?;
        let leader = Pid::from_child(&child);
        live.push(leader);
        Ok(Self { child, leader, kept: false })
    }

    /// The process id of the group's leader.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The leader's standard output, if it was asked to be a pipe; once.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The exit status, once the leader has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot wait for a process")
    }

    /// Does to the whole group what Ctrl-C on its terminal would.
    pub(crate) fn interrupt(&self) -> Result<()> {
        kill_process_group(self.leader, Signal::INT).context("cannot interrupt a process group")
    }

    /// Lets the group outlive us.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
        live().retain(|leader| *leader != self.leader);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        end_group(self.leader);
        let _ = self.child.wait();
        live().retain(|leader| *leader != self.leader);
    }
}

/// What a finished command left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Both of its outputs, in the order in which the lines came.
    pub(crate) all: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

impl Finished {
    /// The exit code; -1 when a signal ended it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Itself if it succeeded, else its output as the failure.
    pub(crate) fn success(self, what: impl fmt::Display) -> Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        Err(Failure::new(format!("{what} failed ({})\n{}", self.status, self.all.trim_end())))
    }
}

/// How a command is run to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// When it is ended by force.
    pub(crate) limit: Duration,
    /// Whether its lines go to the terminal as they come.
    pub(crate) echo: bool,
}

impl Terms {
    /// Quiet, with `limit` seconds to live.
    pub(crate) const fn seconds(limit: u64) -> Self {
        Self { limit: Duration::from_secs(limit), echo: false }
    }
}

/// Runs `command` to its end and collects its output. A failure here means that it could not be run or took too long; how
/// it ended is the caller's to judge.
pub(crate) fn run(command: &mut Command, terms: Terms) -> Result<Finished> {
    let started = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(command)?;
    let all = Arc::new(Mutex::new(String::new()));
    let stdout = collect(group.child.stdout.take(), &all, terms.echo);
    let stderr = collect(group.child.stderr.take(), &all, terms.echo);
    let status = loop {
        if let Some(status) = group.ended()? {
            break Some(status);
        }
        if started.elapsed() > terms.limit {
            break None;
        }
        thread::sleep(PAUSE);
    };
    drop(group); // Ends what it left running, which would hold the pipes open.
    let stdout = stdout.join().unwrap_or_default();
    let _ = stderr.join();
    let all = all.lock().unwrap_or_else(PoisonError::into_inner).clone();
    go_on()?;
    let program = command.get_program().to_string_lossy();
    let status = status.context(format!(
        "{program} did not end within {} s, so it was ended\n{all}",
        terms.limit.as_secs()
    ))?;
    Ok(Finished { status, stdout, all, took: started.elapsed() })
}

fn collect(
    pipe: Option<impl Read + Send + 'static>,
    all: &Arc<Mutex<String>>,
    echo: bool,
) -> thread::JoinHandle<String> {
    let all = Arc::clone(all);
    thread::spawn(move || {
        let mut own = String::new();
        let Some(pipe) = pipe else { return own };
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            if echo {
                eprint!("{text}");
            }
            own.push_str(&text);
            all.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            line.clear();
        }
        own
    })
}

/// Asks `look` until it finds something, for `limit` at the longest; then fails with `what` and the last reason.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        go_on()?;
        let reason = match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => String::new(),
            Err(failure) => format!(" ({failure})"),
        };
        if started.elapsed() > limit {
            return Err(Failure::new(format!("{what}: not within {} s{reason}", limit.as_secs())));
        }
        thread::sleep(PAUSE);
    }
}
