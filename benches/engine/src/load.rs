//! Load over HTTP: the same client, the same number of connections and the same body for whatever serves the nine steps, ours or a
//! peer. Deliberately blocking, a thread a connection: what it costs is little and the same for all.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Reading;
use crate::service::STEPS;

/// Requests that nobody measures, so that code is compiled and connections are made.
const WARM_UP: u64 = 200;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
}

impl Client {
    pub(crate) fn new() -> Self {
        let config = ureq::Agent::config_builder();
        Self { agent: config.timeout_global(Some(Duration::from_secs(60))).proxy(None).build().into() }
    }

    /// Posts JSON; answers with JSON.
    pub(crate) fn post(&self, url: &str, body: &Value) -> Result<Value, String> {
        let sent = self.agent.post(url).header("content-type", "application/json").send(body.to_string());
        let mut response = sent.map_err(|error| format!("POST {url}: {error}"))?;
        let text = response.body_mut().read_to_string().map_err(|error| format!("POST {url}: {error}"))?;
        serde_json::from_str(&text).map_err(|error| format!("POST {url}: {error}: {text}"))
    }

    /// Has nine steps made, and checks the sum.
    fn nine(&self, url: &str, number: u64) -> Result<(), String> {
        let sum = self.post(url, &json!({ "number": number }))?;
        let expected = number + u64::from((0..STEPS).sum::<u32>());
        if sum == json!(expected) { Ok(()) } else { Err(format!("POST {url}: {sum} is not {expected}")) }
    }
}

/// `runs` workflows, one after the other: milliseconds at the median and for the slowest of a hundred.
pub(crate) fn sequential(url: &str, runs: u64) -> Result<Vec<Reading>, String> {
    let client = Client::new();
    (0..WARM_UP).try_for_each(|number| client.nine(url, number))?;
    let mut times = Vec::new();
    for number in 0..runs {
        let began = Instant::now();
        client.nine(url, number)?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(f64::NAN);
    Ok(vec![("nine steps, p50, ms".into(), at(50)), ("nine steps, p99, ms".into(), at(99))])
}

/// Workflows that `clients` connections get done in a second, measured over `seconds`; and how many were done in all.
pub(crate) fn concurrent(url: &str, clients: u64, seconds: u64) -> Result<Vec<Reading>, String> {
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let warm = Duration::from_secs(2);
    let counted = thread::scope(|scope| {
        let work = || {
            let client = Client::new();
            while !over.load(Ordering::Relaxed) {
                client
                    .nine(url, done.load(Ordering::Relaxed))
                    .inspect_err(|_| over.store(true, Ordering::Relaxed))?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, String>(())
        };
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(work)).collect();
        thread::sleep(warm);
        let (before, began) = (done.load(Ordering::Relaxed), Instant::now());
        thread::sleep(Duration::from_secs(seconds));
        let (after, took) = (done.load(Ordering::Relaxed), began.elapsed());
        over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().map_err(|_| "a client panicked".to_owned())??;
        }
        Ok::<_, String>((after - before, took))
    });
    let (count, took) = counted?;
    #[expect(clippy::cast_precision_loss, reason = "some thousands of workflows")]
    let rate = count as f64 / took.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "some thousands of workflows")]
    let all = done.load(Ordering::Relaxed) as f64;
    Ok(vec![(format!("{clients} connections, workflows/s"), rate), ("workflows in all".into(), all)])
}
