//! Measures the engine without a cloud and prints one figure a line: `name<TAB>value`. Deliberately judges nothing, and
//! repeats nothing: `cargo xtask bench --only engine` runs it as often as a median needs, and knows the limits.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to the terminal")]

mod nine;
mod replay;
mod service;

use std::env;
use std::process::ExitCode;

/// One figure: its name, and its value in the unit that the name ends with.
pub(crate) type Reading = (String, f64);

const USAGE: &str = "usage: eventual-bench nine <workflows> | replay <steps>";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let readings = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["nine", workflows] => workflows.parse().map(nine::measure),
        ["replay", steps] => steps.parse().map(replay::measure),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match readings {
        Ok(readings) => {
            for (name, value) in readings {
                println!("{name}\t{value}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}; {USAGE}");
            ExitCode::FAILURE
        }
    }
}
