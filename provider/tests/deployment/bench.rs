//! What deploying a service of twenty functions costs: AWS calls, the chain of calls that everything waits for, and time, with
//! every call made slower. A measurement for `cargo xtask bench --only deploy`, which sets `EVENTUAL_BENCH_LATENCY_MS` and reads
//! the lines that it prints; the rest of the time is the emulated AWS's.

use std::time::{Duration, Instant};

use serde_json::json;

use super::tap::Seen;
use super::{Deployment, service};

fn latency(_service: &str, _what: &str) -> Duration {
    let milliseconds =
        std::env::var("EVENTUAL_BENCH_LATENCY_MS").expect("run `cargo xtask bench --only deploy`");
    Duration::from_millis(milliseconds.parse().unwrap())
}

/// Eight commands, five tasks, three subscriptions and two workflows, which bring four functions of the engine.
pub(crate) fn manifest() -> String {
    let source = json!({"file": "src/lib.rs", "line": 1});
    let named = |kind: &str, count: usize| (1..=count).map(move |n| format!("{kind}{n}")).collect::<Vec<_>>();
    let plain = |name: &String| json!({"name": name, "input": {}, "output": {}, "source": source});
    let command = |name: &String| {
        let mut it = plain(name);
        it["auth"] = json!({"type": "iam"});
        it["needs"] = json!([{"kind": "workflow", "name": "flow1"}]);
        it
    };
    let subscription = |name: &String| json!({"name": name, "event": "Noted", "source": source});
    json!({
        "format": 1, "service": "probe", "version": "1.0.0", "code": {"sha256": "CODE", "architecture": "x86_64"},
        "functions": [],
        "commands": named("command", 8).iter().map(command).collect::<Vec<_>>(),
        "tasks": named("task", 5).iter().map(plain).collect::<Vec<_>>(),
        "workflows": named("flow", 2).iter().map(plain).collect::<Vec<_>>(),
        "subscriptions": named("noted", 3).iter().map(subscription).collect::<Vec<_>>(),
        "events": [{"name": "Noted", "payload": {}, "source": source}],
    })
    .to_string()
}

/// The calls, backwards from the last one, each of which ended before the next began.
fn chain(seen: &[Seen]) -> usize {
    let mut next = seen.iter().max_by_key(|it| it.to);
    let mut length = 0;
    while let Some(call) = next {
        length += 1;
        next = seen.iter().filter(|it| it.to <= call.from).max_by_key(|it| it.to);
    }
    length
}

fn report(deployment: &Deployment, what: &str, began: Instant) {
    let took = began.elapsed().as_millis();
    let seen = deployment.tap.take();
    let writes = seen.iter().filter(|it| it.writes).count();
    for (name, unit, value) in [
        ("calls", "calls", seen.len()),
        ("of these that write", "calls", writes),
        ("longest chain of calls", "calls", chain(&seen)),
        ("wall time", "ms", usize::try_from(took).unwrap()),
    ] {
        println!("FIGURE|{what}: {name}|{unit}|{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy() {
    let mut deployment = Deployment::of("bench", manifest()).await;
    assert_eq!(deployment.functions(), 20);
    deployment.tap.slow(latency);
    deployment.tap.take();
    let config = service(&deployment, &[]);
    let began = Instant::now();
    let state = deployment.create(&config).await;
    report(&deployment, "create", began);
    let began = Instant::now();
    assert_eq!(deployment.read(&state).await.as_ref(), Some(&state));
    report(&deployment, "refresh", began);
    let began = Instant::now();
    assert_eq!(deployment.apply(Some(&state), &config).await, state);
    report(&deployment, "nothing to do", began);
    let override_ = service(&deployment, &[("command1", 1024.0)]);
    let began = Instant::now();
    let state = deployment.apply(Some(&state), &override_).await;
    report(&deployment, "one override", began);
    deployment.rebuild();
    let began = Instant::now();
    let state = deployment.apply(Some(&state), &override_).await;
    report(&deployment, "new code", began);
    let began = Instant::now();
    deployment.destroy(&state).await;
    report(&deployment, "destroy", began);
}
