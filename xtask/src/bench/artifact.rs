//! How large an artifact is, and how long its binary takes from the start of the process to its first request for work:
//! what a cold start on Lambda costs that is ours.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Figure, milliseconds};
use crate::builds;
use crate::failure::{Context, Result, require};
use crate::places::Places;
use crate::process::Group;

const RUNS: usize = 20;
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next ";
/// Functions with much and with little to set up.
const FUNCTIONS: [&str; 2] = ["orchestrator", "command-placeOrder"];

pub(super) fn figures(places: &Places, echo: bool) -> Result<Vec<Figure>> {
    let zip = builds::artifact(places, "orders", echo)?;
    let bootstrap = places.target.join(format!("{}-unknown-linux-gnu/lambda/orders", std::env::consts::ARCH));
    let mut figures =
        vec![size("artifact of orders", &zip, Some(6.0))?, size("its bootstrap", &bootstrap, None)?];
    for function in FUNCTIONS {
        let values = (0..RUNS).map(|_| first_poll(&bootstrap, function)).collect::<Result<_>>()?;
        let what = format!("start of {function}: process start to first poll");
        figures.push(Figure { what, unit: "ms", values, limit: Some(20.0) });
    }
    Ok(figures)
}

fn size(what: &str, file: &Path, limit: Option<f64>) -> Result<Figure> {
    let bytes = fs::metadata(file).context(file.display())?.len();
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    let megabytes = bytes as f64 / 1_000_000.0;
    Ok(Figure { what: what.into(), unit: "MB", values: vec![megabytes], limit })
}

/// Starts the binary as Lambda would, with ourselves as the Runtime API.
fn first_poll(bootstrap: &Path, function: &str) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").context("the Runtime API")?;
    let address = listener.local_addr().context("the Runtime API")?.to_string();
    let mut command = Command::new(bootstrap);
    command.env_clear().envs(environment(function)).env("AWS_LAMBDA_RUNTIME_API", address);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let started = Instant::now();
    let mut group = Group::start(&mut command)?;
    listener.set_nonblocking(true).context("the Runtime API")?;
    let stream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(_) => {
                let ended = group.ended()?;
                require(ended.is_none(), || format!("{function} ended before its first poll ({ended:?})"))?;
                require(started.elapsed() < Duration::from_secs(10), || format!("{function} never polls"))?;
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    };
    stream.set_nonblocking(false).context("the Runtime API")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).context("the Runtime API")?;
    let took = started.elapsed();
    require(line.starts_with(NEXT), || format!("{function} began with {line:?}"))?;
    Ok(milliseconds(took))
}

/// What Lambda and the provider set for every function. Nothing of it is called before the first poll.
fn environment(function: &str) -> Vec<(&'static str, String)> {
    let queue = |name: &str| format!("http://127.0.0.1:9/000000000000/{name}");
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:us-east-1:000000000000:{name}");
    vec![
        ("AWS_ACCESS_KEY_ID", "test".into()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".into()),
        ("AWS_LAMBDA_FUNCTION_NAME", format!("orders-{function}")),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/orders-{function}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".into()),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_SECRET_ACCESS_KEY", "test".into()),
        ("EVENTUAL_BUCKET", "orders".into()),
        ("EVENTUAL_CODE_HASH", "0".repeat(64)),
        ("EVENTUAL_DEAD_LETTER_QUEUE_ARN", arn("sqs", "dead")),
        ("EVENTUAL_EVENT_BUS", "orders-events".into()),
        ("EVENTUAL_FUNCTION", function.into()),
        ("EVENTUAL_RETENTION_DAYS", "30".into()),
        ("EVENTUAL_SCHEDULER_ROLE_ARN", "arn:aws:iam::000000000000:role/scheduler".into()),
        ("EVENTUAL_SCHEDULE_GROUP", "orders-timers".into()),
        ("EVENTUAL_SERVICE", "orders".into()),
        ("EVENTUAL_TABLE", "orders-executions".into()),
        ("EVENTUAL_TIMER_QUEUE_ARN", arn("sqs", "timers")),
        ("EVENTUAL_TIMER_QUEUE_URL", queue("timers")),
        ("EVENTUAL_WORKFLOW_QUEUE_URL", queue("workflows.fifo")),
        ("LAMBDA_TASK_ROOT", "/var/task".into()),
    ]
}
