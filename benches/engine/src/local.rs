//! The local host over HTTP and on a disk, with an fsync before every step counts: how long nine steps take, how many a second, and
//! what a hundred thousand sleepers cost in memory and at a restart after `kill -9`.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::Reading;
use crate::host::Host;
use crate::load::{self, Client};
use crate::service::STEPS;

/// Connections of the load.
const CLIENTS: u64 = 64;
/// Executions that are in the middle of something when their process is killed.
const INTERRUPTED: u32 = 100;
const DAY_MS: u64 = 86_400_000;

/// Speed of steps, inline and remote.
pub(crate) fn speed(seconds: u64) -> Result<Vec<Reading>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let host = Host::start(&folder.path().join("store"), &folder.path().join("marks"))?;
    let mut readings = Vec::new();
    for (kind, command) in [("inline", "runNine"), ("remote", "runNineRemote")] {
        let url = format!("{}/rpc/{command}", host.url);
        for (name, value) in load::sequential(&url, 300)? {
            readings.push((format!("{kind} {name}"), value));
        }
        let before = host.ticks()?;
        let done = load::concurrent(&url, CLIENTS, seconds)?;
        let [(_, rate), (_, count)] = done.as_slice() else {
            return Err("two readings of the load".to_owned());
        };
        readings.push((format!("{kind} steps durable, /s"), rate * f64::from(STEPS)));
        readings.push((
            format!("{kind} steps: processor time of each, us"),
            micros(host.ticks()? - before) / (count * f64::from(STEPS)),
        ));
    }
    readings.push(("memory after that load, MB".into(), host.resident_mb()?));
    Ok(readings)
}

/// Memory with `sleepers` open executions, and the restart after `kill -9`.
pub(crate) fn sleepers(count: u64) -> Result<Vec<Reading>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (store, marks) = (folder.path().join("store"), folder.path().join("marks"));
    let mut host = Host::start(&store, &marks)?;
    let began = Instant::now();
    start_sleepers(&host, count)?;
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let rate = count as f64 / began.elapsed().as_secs_f64();
    host.settle()?;
    let resident = host.resident_mb()?;

    let client = Client::new();
    for index in 0..INTERRUPTED {
        host.begin(&client, "marks", &format!("m{index}"), &json!(1_000_000))?;
    }
    thread::sleep(Duration::from_millis(500));
    host.kill()?;
    let before = lines(&marks)?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let started = Instant::now();
    let host = Host::start(&store, &marks)?;
    let (serving, worked) = (started.elapsed(), micros(host.ticks()?) / 1000.0);
    let first = loop {
        if let Some(first) = lines(&marks)?.get(before.len()) {
            break Duration::from_micros(*first).saturating_sub(began);
        }
        if started.elapsed() > Duration::from_secs(60) {
            return Err("no step was resumed within a minute".to_owned());
        }
        thread::sleep(Duration::from_millis(1));
    };
    let again = host.resident_mb()?;
    Ok(vec![
        (format!("{count} sleepers: started, /s"), rate),
        (format!("{count} sleepers: memory, MB"), resident),
        (format!("{count} sleepers: killed, serving again after, ms"), serving.as_secs_f64() * 1000.0),
        (format!("{count} sleepers: killed, processor time until it serves, ms"), worked),
        (format!("{count} sleepers: killed, first resumed step after, ms"), first.as_secs_f64() * 1000.0),
        (format!("{count} sleepers: memory after that, MB"), again),
    ])
}

/// Ticks of the kernel, which are hundredths of a second, in microseconds.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn micros(ticks: u64) -> f64 {
    ticks as f64 * 10_000.0
}

fn start_sleepers(host: &Host, count: u64) -> Result<(), String> {
    let next = AtomicU64::new(0);
    let work = || {
        let client = Client::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            host.begin(&client, "nap", &format!("s{index}"), &json!(DAY_MS))?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|it| it.join().map_err(|_| "a client panicked".to_owned())?)
    })
}

/// The moments that steps left behind.
fn lines(marks: &Path) -> Result<Vec<u64>, String> {
    let text = fs::read_to_string(marks).map_err(|error| format!("{}: {error}", marks.display()))?;
    Ok(text.lines().filter_map(|it| it.parse().ok()).collect())
}
