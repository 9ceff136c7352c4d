//! A relay in front of the emulator that knows how long answers were waited for, so that what the provider takes can be
//! told from what the emulated cloud takes. Deliberately looks at no byte: on a connection that waits for its answer before it
//! sends the next request, who sends tells everything.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Context, Result};

/// A time in which an answer was awaited: from a request, or an earlier part of its answer, to a part of the answer.
type Wait = (Instant, Instant);

/// A relay on the loopback. Its threads end with their connections, at the latest with the process.
#[derive(Debug)]
pub(crate) struct Meter {
    address: SocketAddr,
    waits: Arc<Mutex<Vec<Wait>>>,
}

impl Meter {
    /// Starts a relay to `target`, an address such as `127.0.0.1:4566`.
    pub(crate) fn start(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("the relay")?;
        let address = listener.local_addr().context("the relay")?;
        let waits = Arc::default();
        let meter = Self { address, waits: Arc::clone(&waits) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(std::result::Result::ok) {
                let (target, waits) = (target.clone(), Arc::clone(&waits));
                // A connection that breaks is the client's to report.
                thread::spawn(move || drop(relay(client, &target, waits)));
            }
        });
        Ok(meter)
    }

    /// Where it listens, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The time since the last call of this during which at least one answer was awaited.
    pub(crate) fn take(&self) -> Duration {
        covered(std::mem::take(&mut *lock(&self.waits)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a connection did last, and since when.
#[derive(Debug, Clone, Copy)]
enum Last {
    Answered(Instant),
    Asked(Instant),
}

fn relay(client: TcpStream, target: &str, waits: Arc<Mutex<Vec<Wait>>>) -> std::io::Result<()> {
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let last = Arc::new(Mutex::new(Last::Answered(Instant::now())));
    let (back_from, back_to, back) = (server.try_clone()?, client.try_clone()?, Arc::clone(&last));
    thread::spawn(move || {
        copy(back_from, back_to, || {
            let now = Instant::now();
            let (Last::Answered(since) | Last::Asked(since)) =
                std::mem::replace(&mut *lock(&back), Last::Answered(now));
            lock(&waits).push((since, now));
        })
    });
    copy(client, server, || {
        let mut last = lock(&last);
        if matches!(*last, Last::Answered(_)) {
            *last = Last::Asked(Instant::now());
        }
    })
}

fn copy(mut from: TcpStream, mut to: TcpStream, mut seen: impl FnMut()) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return to.shutdown(Shutdown::Write);
        }
        seen();
        to.write_all(&buffer[..read])?;
    }
}

/// How much time the waits cover, where they overlap counted once.
fn covered(mut waits: Vec<Wait>) -> Duration {
    waits.sort();
    let mut total = Duration::ZERO;
    let mut until: Option<Instant> = None;
    for (begin, end) in waits {
        let begin = until.map_or(begin, |until| begin.max(until));
        total += end.saturating_duration_since(begin);
        until = Some(until.map_or(end, |until| until.max(end)));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_waits_count_once() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let waits = vec![(at(50), at(60)), (at(0), at(10)), (at(5), at(20)), (at(6), at(7))];
        assert_eq!(covered(waits), Duration::from_millis(30));
        assert_eq!(covered(Vec::new()), Duration::ZERO);
    }

    #[test]
    fn answers_pass_through_and_only_waiting_for_them_counts() {
        let target = TcpListener::bind("127.0.0.1:0").unwrap();
        let meter = Meter::start(target.local_addr().unwrap().to_string()).unwrap();
        let mut client = TcpStream::connect(meter.address).unwrap();
        let (mut server, _) = target.accept().unwrap();
        let mut two = [0; 2];
        let pause = Duration::from_millis(50);
        let started = Instant::now();
        for _ in 0..2 {
            client.write_all(b"ab").unwrap();
            server.read_exact(&mut two).unwrap();
            thread::sleep(pause); // The server takes its time, which counts.
            server.write_all(b"cd").unwrap();
            client.read_exact(&mut two).unwrap();
            assert_eq!(&two, b"cd");
            thread::sleep(pause); // The client takes its time, which does not.
        }
        let (waited, all) = (meter.take(), started.elapsed());
        assert!(waited >= 2 * pause && waited <= all - 2 * pause, "{waited:?} of {all:?}");
        assert_eq!(meter.take(), Duration::ZERO);
    }
}
