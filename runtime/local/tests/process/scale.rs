//! Figures, not checks: `cargo test --release -p eventual-local --test process -- --ignored --nocapture scale`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::child::Served;

/// Requests under way at the same time.
const CLIENTS: usize = 64;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(default)
}

/// Starts `count` executions, many at a time.
async fn start_all(served: &Arc<Served>, workflow: &'static str, count: usize, input: Value) {
    let next = Arc::new(AtomicUsize::new(0));
    let clients = (0..CLIENTS).map(|_| {
        let (served, next, input) = (served.clone(), next.clone(), input.clone());
        tokio::spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                assert!(served.start_execution(workflow, &format!("s{index}"), input.clone()).await);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes and prints figures"]
async fn scale() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let served = Arc::new(Served::start(&store));

    let mut times = Vec::new();
    for index in 0..100 {
        let begun = Instant::now();
        assert!(served.start_execution("nine", &format!("one{index}"), Value::Null).await);
        served.result(&format!("nine/one{index}")).await;
        times.push(begun.elapsed());
    }
    times.sort();
    println!("nine steps, one after another, by HTTP and polling every 5 ms: p50 {:?}", times[50]);

    let many = number("MANY", 2_000);
    let begun = Instant::now();
    start_all(&served, "nine", many, Value::Null).await;
    for index in 0..many {
        served.result(&format!("nine/s{index}")).await;
    }
    let rate = (many * 9) as f64 / begun.elapsed().as_secs_f64();
    println!("{many} executions of nine steps: {rate:.0} steps/s, started by HTTP");

    let sleepers = number("SLEEPERS", 100_000);
    let begun = Instant::now();
    start_all(&served, "nap", sleepers, json!(86_400_000)).await;
    println!("{sleepers} sleepers started in {:?}", begun.elapsed());
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("resident: {}", served.resident());

    assert!(served.start_execution("nine", "interrupted", Value::Null).await);
    let mut served = Arc::into_inner(served).unwrap();
    served.kill();
    let begun = Instant::now();
    let served = Served::start(&store);
    let serving = begun.elapsed();
    served.result("nine/interrupted").await;
    println!(
        "after kill -9: serving in {serving:?}, the interrupted execution ended after {:?}",
        begun.elapsed()
    );
    println!("resident: {}", served.resident());
}
