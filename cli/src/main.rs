//! `cargo eventual`: what a developer of a service types. This file parses the command line and reports failures; each
//! command is a module of its own.

mod build;
mod progress;
mod sdk;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// How cargo calls its subcommands: `cargo-eventual eventual build`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo")]
enum Cargo {
    Eventual(Eventual),
}

/// Builds eventual services, and generates their clients.
#[derive(Debug, Args)]
#[command(version, arg_required_else_help = true)]
struct Eventual {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::BuildOptions),
    Sdk(sdk::SdkOptions),
}

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|it| it == build::zig::COMMAND) {
        return build::zig::run(&arguments[2..]);
    }
    if arguments.get(1).is_none_or(|it| it != "eventual") {
        arguments.insert(1, "eventual".into());
    }
    let Cargo::Eventual(Eventual { command }) = Cargo::parse_from(arguments);
    match command {
        Command::Build(options) => end(build::build(&options), build::BuildError::exit_code),
        Command::Sdk(options) => end(sdk::sdk(&options), sdk::Failed::exit_code),
    }
}

fn end<E: std::error::Error>(result: Result<(), E>, code: fn(&E) -> u8) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nowhere to report that standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(code(&error))
        }
    }
}
