//! `cargo xtask`: what developers of eventual run. Deliberately not part of the product, and linked to none of it: it drives
//! cargo, Terraform, the provider and the emulator from outside, as a user would.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to the terminal")]

#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod builds;
#[cfg(unix)]
mod cloud;
#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod counts;
#[cfg(unix)]
mod demo;
#[cfg(unix)]
mod e2e;
#[cfg(unix)]
mod emulator;
#[cfg(unix)]
mod failure;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod gateway;
#[cfg(unix)]
mod http;
#[cfg(unix)]
mod natives;
#[cfg(unix)]
mod npm;
#[cfg(unix)]
mod orders;
#[cfg(unix)]
mod payments;
#[cfg(unix)]
mod places;
#[cfg(unix)]
mod prerequisites;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod release;
#[cfg(unix)]
mod second;
#[cfg(unix)]
mod simulate;
#[cfg(unix)]
mod site;
#[cfg(unix)]
mod suite;
#[cfg(unix)]
mod terraform;
#[cfg(unix)]
mod venv;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    commands::run()
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "error: cargo xtask runs on Linux only (the emulator starts functions in Linux namespaces): use a Linux machine, WSL 2 or a container"
    );
    std::process::ExitCode::FAILURE
}
