//! Measures the engine without a cloud and prints one figure a line: `name<TAB>value`. Deliberately judges nothing, and
//! repeats nothing: `cargo xtask bench` runs it as often as a median needs, and knows the limits.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to the terminal")]

mod calls;
mod host;
mod load;
mod local;
mod nine;
mod replay;
mod service;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// One figure: its name, and its value in the unit that the name ends with.
pub(crate) type Reading = (String, f64);

/// Processor time that this thread has taken: what its work would take on a machine that does nothing else.
pub(crate) fn worked() -> Duration {
    let taken = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(taken.tv_sec.try_into().unwrap_or_default(), taken.tv_nsec.try_into().unwrap_or_default())
}

const USAGE: &str = "usage: eventual-bench
  nine <workflows>                         in the test environment
  replay <steps>                           of one execution
  calls                                    of the ports for a step
  speed <seconds>                          of a local host on a disk
  sleepers <count>                         in a local host on a disk
  sequential <url> <runs>                  of whatever serves the nine steps at that URL
  concurrent <url> <clients> <seconds>     the same, at once
  serve [--store DIR] [--listen ADDRESS]   the service that is measured";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if env::args().nth(1).as_deref() == Some("serve") {
        return service::serve(arguments.by_ref().skip(1));
    }
    let arguments: Vec<String> = arguments.collect();
    match measure(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(readings) => {
            for (name, value) in readings {
                println!("{name}\t{value}");
            }
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &[&str]) -> Result<Vec<Reading>, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|error| format!("{text:?}: {error}; {USAGE}"));
    match *arguments {
        ["nine", workflows] => Ok(nine::measure(number(workflows)?.into())),
        ["replay", steps] => Ok(replay::measure(number(steps)?)),
        ["calls"] => calls::measure(),
        ["speed", seconds] => local::speed(number(seconds)?.into()),
        ["sleepers", count] => local::sleepers(number(count)?.into()),
        ["sequential", url, runs] => load::sequential(url, number(runs)?.into()),
        ["concurrent", url, clients, seconds] => {
            load::concurrent(url, number(clients)?.into(), number(seconds)?.into())
        }
        _ => Err(USAGE.to_owned()),
    }
}
