//! The native processes that the emulator runs functions as: which there are, what they execute, and ending one as a crash of its
//! machine would. Deliberately looks at the operating system, not at what the emulator says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::emulator::Emulator;
use crate::failure::{Context, Result};
use crate::process::{self, Terms};

/// A process that runs a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Native {
    /// Its process id, as the host sees it.
    pub(crate) id: i32,
    /// The function's name in AWS.
    pub(crate) function: String,
}

/// The processes of functions of this emulator, oldest first.
pub(crate) fn all(emulator: &Emulator) -> Result<Vec<Native>> {
    let ours = format!("AWS_ENDPOINT_URL={}", emulator.endpoint());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("/proc")? {
        let Some(id) = entry.ok().and_then(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok())
        else {
            continue;
        };
        // Processes end while we look, and others are not ours to read: both are simply not functions.
        let Ok(environment) = fs::read(format!("/proc/{id}/environ")) else { continue };
        let environment = String::from_utf8_lossy(&environment);
        let mut variables = environment.split('\0');
        let function = variables.clone().find_map(|each| each.strip_prefix("AWS_LAMBDA_FUNCTION_NAME="));
        let bootstrap =
            fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe.ends_with("var/task/bootstrap"));
        if let (Some(function), true, true) = (function, bootstrap, variables.any(|each| each == ours)) {
            found.push(Native { id, function: function.to_owned() });
        }
    }
    found.sort_by_key(|native| native.id);
    Ok(found)
}

/// The processes of one function.
pub(crate) fn of(emulator: &Emulator, function: &str) -> Result<Vec<Native>> {
    Ok(all(emulator)?.into_iter().filter(|native| native.function == function).collect())
}

/// Ends every process of a function at once, as `kill -9` does; gives how many there were.
pub(crate) fn kill(emulator: &Emulator, function: &str) -> Result<usize> {
    let victims = of(emulator, function)?;
    for victim in &victims {
        if let Some(id) = Pid::from_raw(victim.id) {
            // It may have ended by itself since we looked.
            let _ = kill_process(id, Signal::KILL);
        }
    }
    Ok(victims.len())
}

/// Waits until a function has a process.
pub(crate) fn wait(emulator: &Emulator, function: &str, limit: Duration) -> Result<Native> {
    process::wait_for(&format!("no process runs {function}"), limit, || Ok(of(emulator, function)?.pop()))
}

/// SHA-256 of the file that a process executes, in hexadecimal, read through the kernel.
pub(crate) fn executes(native: &Native) -> Result<String> {
    let file = PathBuf::from(format!("/proc/{}/exe", native.id));
    let done =
        process::run(Command::new("sha256sum").arg(&file), Terms::seconds(30))?.success("sha256sum")?;
    Ok(done.stdout.split(' ').next().unwrap_or_default().to_owned())
}
