//! `<service> former`: this program as the former one of a store that another program serves. It takes the turns of executions
//! that are pinned to it, and answers queries to them, for as long as the program that started it lets it.
//!
//! Not for people: its standard input is a socket to the program that serves ([`super::talk`] says what goes over it). Whatever
//! user code prints goes where the log goes. When the socket ends the process ends, in the middle of whatever it does: it has
//! nothing that the other program does not have.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use eventual_core::Millis;
use eventual_engine::codec::ForwardMessage;
use eventual_engine::ports::{Fault, Forwarded, Ports};
use eventual_engine::{Engine, Program, States};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::line::{Line, Unread};
use super::ports::{Asking, FORWARD, Server};
use super::talk::{Down, PROTOCOL, Up};
use crate::clock::SystemClock;
use crate::serve::{complain, log};

/// Runs a service's program as a former one, until the program that started it ends the line.
#[must_use]
pub fn former(program: Program) -> ExitCode {
    log();
    let (line, unread) = match socket().and_then(Line::open) {
        Ok(opened) => opened,
        Err(error) => {
            return complain(&format!(
                "`former` is started by `serve`, with a socket as its standard input, for executions that are pinned to this \
                 program: {error}"
            ));
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.to_string()),
    };
    match runtime.block_on(serve(program, Server::new(line), unread)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

/// The standard input as the socket that it is.
fn socket() -> io::Result<UnixStream> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    socket.peer_addr()?;
    Ok(socket)
}

async fn serve(program: Program, server: Arc<Server>, unread: Unread) -> io::Result<()> {
    let (told, mut downs) = mpsc::unbounded_channel();
    let asked = server.clone();
    let tell = move |body: &[u8]| {
        match Down::decode(body)? {
            Down::Reply { call, reply } => asked.answered(call, reply),
            other => drop(told.send(other)),
        }
        Ok(())
    };
    unread.read(tell, |why| ended(&why))?;
    say(&server, &Up::Hello(PROTOCOL));
    let mut former: Option<Former> = None;
    while let Some(down) = downs.recv().await {
        match (down, &former) {
            (Down::Begin { code, twins }, None) => {
                former = Former::begin(&program, &server, &code, twins).await;
            }
            (Down::Forward { number, until, message }, Some(former)) => former.handle(number, until, message),
            (Down::Abandon(number), Some(former)) => former.abandon(number),
            // Said before it began, or to one that could not.
            _ => {}
        }
    }
    Ok(())
}

/// The line has ended. Threads that are with user code are no reason to stay.
fn ended(why: &Result<(), String>) -> ! {
    if let Err(problem) = why {
        // Nobody is left to be told when this fails too.
        let _ = writeln!(io::stderr(), "a former program ends: the program that serves said {problem}");
    }
    std::process::exit(i32::from(why.is_err()))
}

fn say(server: &Server, up: &Up) {
    if let Err(length) = server.say(up) {
        tracing::error!(length, "too long to be said to the program that serves");
    }
}

/// This program, in its former place.
struct Former {
    engine: Arc<Engine>,
    server: Arc<Server>,
    handled: Arc<Mutex<HashMap<u64, AbortHandle>>>,
}

impl Former {
    /// Builds what handlers need, and says whether that went well.
    async fn begin(program: &Program, server: &Arc<Server>, code: &str, twins: u32) -> Option<Self> {
        let states = match program.init {
            Some(init) => init().await,
            None => Ok(States::default()),
        };
        let states = match states {
            Ok(states) => Arc::new(states),
            Err(error) => {
                say(server, &Up::Failed(format!("init failed: {error}")));
                return None;
            }
        };
        let asking = Arc::new(Asking(server.clone()));
        let ports = Ports { store: asking.clone(), dispatch: asking, clock: Arc::new(SystemClock) };
        let engine = Arc::new(Engine::new(ports, program.registry.clone(), states, code));
        engine.set_twins(twins);
        say(server, &Up::Ready);
        Some(Self { engine, server: server.clone(), handled: Arc::default() })
    }

    fn handle(&self, forward: u64, until: Millis, message: ForwardMessage) {
        let (engine, server, handled) = (self.engine.clone(), self.server.clone(), self.handled.clone());
        // Its own task, so that a panic is an answer too.
        let work = tokio::spawn(FORWARD.scope(forward, async move {
            let ForwardMessage { execution, code, forward } = message;
            engine.forwarded(&code, &execution, forward, Some(until)).await
        }));
        self.handled.lock().unwrap_or_else(PoisonError::into_inner).insert(forward, work.abort_handle());
        tokio::spawn(async move {
            let worked = work.await;
            handled.lock().unwrap_or_else(PoisonError::into_inner).remove(&forward);
            let operation = "handling by a former program";
            let answer: Result<Forwarded, Fault> = match worked {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(Fault::new(operation, error)),
                Err(error) if error.is_cancelled() => return,
                Err(error) => Err(Fault::new(operation, error)),
            };
            if let Err(length) = server.say(&Up::Done { forward, answer }) {
                let answer = Err(Fault::new(
                    operation,
                    format!("its answer has {length} bytes, too many for a frame"),
                ));
                say(&server, &Up::Done { forward, answer });
            }
        });
    }

    fn abandon(&self, forward: u64) {
        if let Some(work) = self.handled.lock().unwrap_or_else(PoisonError::into_inner).remove(&forward) {
            work.abort();
        }
    }
}
