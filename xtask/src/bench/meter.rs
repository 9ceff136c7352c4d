//! A relay in front of the emulator that knows how long answers were waited for, so that what the provider takes can be
//! told from what the emulated cloud takes. Deliberately looks at no byte: on a connection that waits for its answer before it
//! sends the next request, who sends tells everything.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Context, Result};

/// One exchange on a connection: from the first byte of a request to the last byte of its answer.
type Exchange = (Instant, Instant);

/// A relay on the loopback. Its threads end with their connections, at the latest with the process.
#[derive(Debug)]
pub(crate) struct Meter {
    address: SocketAddr,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Meter {
    /// Starts a relay to `target`, an address such as `127.0.0.1:4566`.
    pub(crate) fn start(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("the relay")?;
        let address = listener.local_addr().context("the relay")?;
        let exchanges = Arc::default();
        let meter = Self { address, exchanges: Arc::clone(&exchanges) };
        thread::spawn(move || {
            for client in listener.incoming().map_while(std::result::Result::ok) {
                let (target, exchanges) = (target.clone(), Arc::clone(&exchanges));
                // A connection that breaks is the client's to report.
                thread::spawn(move || drop(relay(client, &target, &exchanges)));
            }
        });
        Ok(meter)
    }

    /// Where it listens, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Time since the last call of this during which at least one answer was awaited, and the number of exchanges.
    pub(crate) fn take(&self) -> (Duration, usize) {
        let exchanges = std::mem::take(&mut *lock(&self.exchanges));
        (covered(exchanges.clone()), exchanges.len())
    }
}

fn lock(exchanges: &Mutex<Vec<Exchange>>) -> MutexGuard<'_, Vec<Exchange>> {
    exchanges.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where this connection's open exchange stands in the list; absent before the first byte of a request.
#[derive(Debug, Default)]
struct Open {
    exchange: Option<Exchange>,
    answered: bool,
}

fn relay(client: TcpStream, target: &str, exchanges: &Arc<Mutex<Vec<Exchange>>>) -> std::io::Result<()> {
    let server = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let open = Arc::new(Mutex::new(Open::default()));
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let (there, back) = (Arc::clone(&open), Arc::clone(&open));
    let (list, last) = (Arc::clone(exchanges), Arc::clone(exchanges));
    let answers = thread::spawn(move || {
        copy(back_from, back_to, || {
            let mut open = back.lock().unwrap_or_else(PoisonError::into_inner);
            open.answered = true;
            if let Some(exchange) = &mut open.exchange {
                exchange.1 = Instant::now();
            }
        })
    });
    copy(client, server, || {
        let mut open = there.lock().unwrap_or_else(PoisonError::into_inner);
        if open.exchange.is_none() || open.answered {
            lock(&list).extend(open.exchange.take());
            *open = Open { exchange: Some((Instant::now(), Instant::now())), answered: false };
        }
    })?;
    // A thread that only copies cannot panic.
    let _ = answers.join();
    let exchange = open.lock().unwrap_or_else(PoisonError::into_inner).exchange.take();
    lock(&last).extend(exchange);
    Ok(())
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

/// How much time the exchanges cover, where they overlap counted once.
fn covered(mut exchanges: Vec<Exchange>) -> Duration {
    exchanges.sort();
    let mut total = Duration::ZERO;
    let mut until: Option<Instant> = None;
    for (begin, end) in exchanges {
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
    fn overlapping_exchanges_count_once() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let exchanges = vec![(at(50), at(60)), (at(0), at(10)), (at(5), at(20)), (at(6), at(7))];
        assert_eq!(covered(exchanges), Duration::from_millis(30));
        assert_eq!(covered(Vec::new()), Duration::ZERO);
    }

    #[test]
    fn answers_pass_through_and_are_measured_one_by_one() {
        let target = TcpListener::bind("127.0.0.1:0").unwrap();
        let meter = Meter::start(target.local_addr().unwrap().to_string()).unwrap();
        let mut client = TcpStream::connect(meter.address).unwrap();
        client.write_all(b"ab").unwrap();
        let (mut server, _) = target.accept().unwrap();
        let mut two = [0; 2];
        for _ in 0..2 {
            server.read_exact(&mut two).unwrap();
            server.write_all(b"cd").unwrap();
            client.read_exact(&mut two).unwrap();
            assert_eq!(&two, b"cd");
            client.write_all(b"ab").unwrap();
        }
        drop((client, server));
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut count = 0;
        while count < 3 && Instant::now() < deadline {
            count += meter.take().1;
        }
        assert_eq!(count, 3);
    }
}
