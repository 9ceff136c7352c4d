//! The process of a former program, as the program that serves has it: started, asked, ended. Whom to start, and whether at all,
//! is decided in `former.rs`.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use eventual_core::Millis;
use eventual_engine::codec::ForwardMessage;
use eventual_engine::ports::{Clock, Fault, Forwarded, Ports};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::ask::Ask;
use super::line::Line;
use super::talk::{Down, PROTOCOL, Up};
use super::{COMMAND, Limits};
use crate::clock::SystemClock;

/// How long a process has to end once its line has.
const END: Duration = Duration::from_secs(2);
/// Errors of `spawn` that say nothing of the program: no process, memory or handle is left at the moment.
const BUSY: [io::ErrorKind; 4] = [
    io::ErrorKind::ExecutableFileBusy,
    io::ErrorKind::OutOfMemory,
    io::ErrorKind::ResourceBusy,
    io::ErrorKind::WouldBlock,
];
/// The same, without a kind: too many open files, in this process and on this machine.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

/// Why a program does not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It may run the next time.
    Now(String),
    /// It will not run: it is no program that can be a former one here.
    Unfit(String),
}

/// Something that came for a forward.
enum Told {
    Ask(u64, Ask),
    Done(Result<Forwarded, Fault>),
}

/// The forwards that are under way.
#[derive(Debug)]
enum Asked {
    /// And since when there was none, or it began.
    Open(HashMap<u64, UnboundedSender<Told>>, Instant),
    /// Why there are none any more.
    Ended(String),
}

/// What becomes of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Run,
    Stop,
    Kill,
}

/// A process that runs a former program.
#[derive(Debug)]
pub(super) struct Process {
    line: Line,
    asked: Mutex<Asked>,
    forwards: AtomicU64,
    /// Whether it has answered something, or was asked nothing that it did not answer.
    of_use: AtomicBool,
    order: watch::Sender<Order>,
    /// Whether the process is gone.
    gone: watch::Sender<bool>,
}

/// A process that has not said that it is ready.
struct Starting {
    process: Arc<Process>,
    child: Child,
    ups: UnboundedReceiver<Up>,
}

impl Process {
    /// Starts a program and waits until it is ready. `ended` is called once it has ended; with `true` when it was not needed.
    pub(super) async fn start(
        program: &Path,
        code: &str,
        twins: u32,
        limits: &Limits,
        ports: &Ports,
        ended: impl FnOnce(bool) + Send + 'static,
    ) -> Result<Arc<Self>, Refused> {
        let mut starting = Self::spawn(program, ports)?;
        if let Err(refused) = starting.greet(code, twins, limits).await {
            starting.process.line.close();
            end(&mut starting.child, true).await;
            return Err(refused);
        }
        let Starting { process, child, ups } = starting;
        let (kept, rest) = (process.clone(), limits.rest);
        tokio::spawn(async move { ended(kept.keep(child, ups, rest).await) });
        Ok(process)
    }

    fn spawn(program: &Path, ports: &Ports) -> Result<Starting, Refused> {
        let now = |error: io::Error| Refused::Now(error.to_string());
        let (ours, theirs) = UnixStream::pair().map_err(now)?;
        let mut command = Command::new(program);
        // Not its standard output: what its code prints must not be taken for frames. And a group of its own, so that Ctrl-C
        // in a terminal is for the program that serves, which lets this one finish.
        command.arg(COMMAND).stdin(Stdio::from(OwnedFd::from(theirs))).stdout(io::stderr());
        let child = command.process_group(0).kill_on_drop(true).spawn().map_err(|error| {
            let busy = BUSY.contains(&error.kind())
                || error.raw_os_error().is_some_and(|it| TOO_MANY_FILES.contains(&it));
            let why = format!("{}: {error}", program.display());
            if busy { Refused::Now(why) } else { Refused::Unfit(why) }
        })?;
        // The command has the other end of the line, which has to be the process's alone.
        drop(command);
        let (line, unread) = Line::open(ours).map_err(now)?;
        let asked = Mutex::new(Asked::Open(HashMap::new(), Instant::now()));
        let (forwards, of_use) = (AtomicU64::new(1), AtomicBool::new(false));
        let (order, gone) = (watch::Sender::new(Order::Run), watch::Sender::new(false));
        let process = Arc::new(Self { line, asked, forwards, of_use, order, gone });
        let (said, ups) = unbounded_channel();
        let (told, ports, runtime) = (process.clone(), ports.clone(), Handle::current());
        let tell = move |body: &[u8]| {
            match Up::decode(body)? {
                Up::Ask { forward, call, ask } => told.called(forward, call, ask, &ports, &runtime),
                Up::Done { forward, answer } => told.tell(forward, Told::Done(answer)),
                other => drop(said.send(other)),
            }
            Ok(())
        };
        let ended = process.clone();
        unread
            .read(tell, move |why| {
                if let Err(problem) = why {
                    ended.end(&format!("it said what it should not: {problem}"));
                    ended.order(Order::Kill);
                }
            })
            .map_err(now)?;
        Ok(Starting { process, child, ups })
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, order: Order) {
        self.order.send_if_modified(|it| {
            let more = *it != Order::Kill && *it != order;
            if more {
                *it = order;
            }
            more
        });
    }

    /// Says something; what is too long becomes a fault of whoever asked for it.
    fn say(&self, down: &Down) {
        let frame = match (down.encode(), down) {
            (Err(length), Down::Reply { call, .. }) => {
                let reply =
                    Err(Fault::new("answer to a former program", format!("{length} bytes are too many")));
                Down::Reply { call: *call, reply }.encode()
            }
            (frame, _) => frame,
        };
        match frame {
            Ok(frame) => self.line.send(frame),
            Err(length) => tracing::error!(length, "too long to be said to a former program"),
        }
    }

    /// A call for a forward is made where that is waited for; one for none here, and nothing covers what it sends.
    fn called(self: &Arc<Self>, forward: u64, call: u64, ask: Ask, ports: &Ports, runtime: &Handle) {
        if forward > 0 {
            return self.tell(forward, Told::Ask(call, ask));
        }
        let (process, ports) = (self.clone(), ports.clone());
        runtime.spawn(async move {
            let reply = ask.perform(&ports).await;
            process.say(&Down::Reply { call, reply });
        });
    }

    /// What comes for a forward that nobody waits for any more is dropped: the former was told so.
    fn tell(&self, forward: u64, told: Told) {
        if let Asked::Open(waiting, _) = &*self.asked()
            && let Some(asked) = waiting.get(&forward)
        {
            let _ = asked.send(told);
        }
    }

    /// Whether nothing can be asked any more.
    pub(super) fn has_ended(&self) -> bool {
        matches!(*self.asked(), Asked::Ended(_))
    }

    /// Whether it has answered anything, or ended because nothing was asked.
    pub(super) fn was_of_use(&self) -> bool {
        self.of_use.load(Ordering::Relaxed)
    }

    /// Fails what is under way, and whatever comes.
    fn end(&self, why: &str) {
        let mut asked = self.asked();
        if matches!(*asked, Asked::Open(..)) {
            *asked = Asked::Ended(why.to_owned());
        }
    }

    /// Lets it end, and what is under way fail; waits until it is gone.
    pub(super) async fn stop(&self) {
        self.end("the program that serves is being stopped");
        self.order(Order::Stop);
        // Never an error: this process is the sender.
        let _ = self.gone.subscribe().wait_for(|it| *it).await;
    }

    /// Ends it if nothing was asked of it for so long.
    fn has_rested(&self, rest: Duration) -> bool {
        let mut asked = self.asked();
        let rested =
            matches!(&*asked, Asked::Open(waiting, since) if waiting.is_empty() && since.elapsed() >= rest);
        if rested {
            *asked = Asked::Ended("it was not needed".to_owned());
            self.of_use.store(true, Ordering::Relaxed);
        }
        rested
    }

    /// Has the former do something, and makes its calls meanwhile: in this future, so that what it sends is covered by whatever
    /// covers this one. `None` when it has ended before it was asked.
    pub(super) async fn forward(
        &self,
        ports: &Ports,
        message: &ForwardMessage,
        limits: &Limits,
    ) -> Option<Result<Forwarded, Fault>> {
        let number = self.forwards.fetch_add(1, Ordering::Relaxed);
        let (sender, mut told) = unbounded_channel();
        match &mut *self.asked() {
            Asked::Open(waiting, _) => waiting.insert(number, sender),
            Asked::Ended(_) => return None,
        };
        let mut place = Place { process: self, number, done: false };
        let until = SystemClock.now().saturating_add(millis(limits.begin));
        self.say(&Down::Forward { number, until, message: message.clone() });
        let operation =
            || format!("forward for {} to the former program {}", message.execution, message.code);
        let deadline = sleep(limits.answer);
        tokio::pin!(deadline);
        let mut calls = FuturesUnordered::new();
        loop {
            tokio::select! {
                told = told.recv() => match told {
                    Some(Told::Ask(call, ask)) => {
                        calls.push(async move { (call, ask.perform(ports).await) });
                    }
                    Some(Told::Done(answer)) => {
                        place.done = true;
                        self.of_use.store(true, Ordering::Relaxed);
                        return Some(answer);
                    }
                    None => return Some(Err(Fault::new(operation(), self.why_ended()))),
                },
                Some((call, reply)) = calls.next(), if !calls.is_empty() => {
                    self.say(&Down::Reply { call, reply });
                }
                () = &mut deadline => {
                    // It may be with this message for ever. Others that it is with are handled again.
                    let why = format!("no answer within {:?}; its process is ended", limits.answer);
                    self.end(&why);
                    self.order(Order::Kill);
                    return Some(Err(Fault::new(operation(), why)));
                }
            }
        }
    }

    fn why_ended(&self) -> String {
        match &*self.asked() {
            Asked::Open(..) => "it has ended".to_owned(),
            Asked::Ended(why) => why.clone(),
        }
    }

    /// Stays with the process to its end. Answers whether it ended because it was not needed.
    async fn keep(&self, mut child: Child, mut ups: UnboundedReceiver<Up>, rest: Duration) -> bool {
        let mut order = self.order.subscribe();
        let mut rested = false;
        loop {
            tokio::select! {
                status = child.wait() => {
                    self.end(&format!("its process has ended: {}", shown(status)));
                    break;
                }
                // Nothing is said here any more but the end of the line.
                up = ups.recv() => if up.is_none() {
                    self.end("it has ended the line");
                    break;
                },
                ordered = order.wait_for(|it| *it != Order::Run) => {
                    drop(ordered);
                    break;
                }
                () = sleep(rest / 4) => if self.has_rested(rest) {
                    rested = true;
                    break;
                },
            }
        }
        self.line.close();
        let killed = *self.order.borrow() == Order::Kill;
        end(&mut child, killed).await;
        self.gone.send_replace(true);
        rested
    }
}

impl Starting {
    /// Waits until it is ready.
    async fn greet(&mut self, code: &str, twins: u32, limits: &Limits) -> Result<(), Refused> {
        match self.says(limits.hello, "said nothing").await? {
            Up::Hello(PROTOCOL) => {}
            Up::Hello(other) => {
                return Err(Refused::Unfit(format!(
                    "it speaks version {other} of what programs say to each other, this one version {PROTOCOL}"
                )));
            }
            other => return Err(Refused::Unfit(format!("it began with {other:?}"))),
        }
        self.process.say(&Down::Begin { code: code.to_owned(), twins });
        match self.says(limits.ready, "was not ready").await? {
            Up::Ready => Ok(()),
            Up::Failed(why) => Err(Refused::Now(why)),
            other => Err(Refused::Unfit(format!("it said {other:?} instead of being ready"))),
        }
    }

    /// The next thing that it says.
    async fn says(&mut self, longest: Duration, silent: &str) -> Result<Up, Refused> {
        let said = async {
            tokio::select! {
                biased;
                said = self.ups.recv() => said,
                _ = self.child.wait() => None,
            }
        };
        match timeout(longest, said).await {
            Ok(Some(up)) => Ok(up),
            Ok(None) => Err(self.ended_early().await),
            Err(_) => Err(Refused::Now(format!("it {silent} within {longest:?}"))),
        }
    }

    /// Why it has ended the line before it was ready.
    async fn ended_early(&mut self) -> Refused {
        if let Asked::Ended(why) = &*self.process.asked() {
            return Refused::Unfit(why.clone());
        }
        match timeout(END, self.child.wait()).await {
            // Somebody has killed it, or this machine has no memory left.
            Ok(Ok(status)) if status.code().is_none() => Refused::Now(format!("it has ended: {status}")),
            Ok(Ok(status)) => Refused::Unfit(format!(
                "it has ended, {status}: it cannot be a former program, perhaps because it was built with an older release"
            )),
            Ok(Err(error)) => Refused::Now(error.to_string()),
            Err(_) => Refused::Unfit("it has ended the line".to_owned()),
        }
    }
}

/// The place of a forward, until it is answered or nobody waits for it.
struct Place<'a> {
    process: &'a Process,
    number: u64,
    done: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Asked::Open(waiting, since) = &mut *self.process.asked() {
            waiting.remove(&self.number);
            *since = Instant::now();
        }
        if !self.done {
            self.process.say(&Down::Abandon(self.number));
        }
    }
}

/// Waits for the end of a process whose line has ended; kills it when it stays.
async fn end(child: &mut Child, at_once: bool) {
    if at_once || timeout(END, child.wait()).await.is_err() {
        // Gone already.
        let _ = child.start_kill();
        let _ = child.wait().await;
    }
}

fn shown(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |it| it.to_string())
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
