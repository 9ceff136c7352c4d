//! What a developer sees while something takes long: one moving line on a terminal, plain lines with times elsewhere.
//! All of it goes to standard error, so that standard output holds results only.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Progress of one command.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

/// One stage of it. It ends with [`Stage::done`]; dropped before, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    progress: &'a Progress,
    text: String,
    started: Instant,
}

impl Progress {
    /// Progress on standard error, in the way that suits it.
    pub(crate) fn new() -> Self {
        let terminal = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Self { bar: terminal.then(|| spinner(ProgressBar::new_spinner())) }
    }

    /// Whether lines of other programs would tear the moving line apart.
    pub(crate) fn is_moving(&self) -> bool {
        self.bar.is_some()
    }

    /// Begins a stage: `compile orders`.
    pub(crate) fn stage(&self, text: impl Into<String>) -> Stage<'_> {
        let text = text.into();
        match &self.bar {
            Some(bar) => {
                bar.reset_elapsed();
                bar.set_message(text.clone());
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            None => self.line(&format!("  {text} ...")),
        }
        Stage { progress: self, text, started: Instant::now() }
    }

    /// A line that stays.
    pub(crate) fn line(&self, line: &str) {
        let print = || {
            // Progress that nobody can see is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Stage<'_> {
    /// What the stage is at, for a terminal only.
    pub(crate) fn at(&self, detail: &dyn Display) {
        if let Some(bar) = &self.progress.bar {
            bar.set_message(format!("{}: {detail}", self.text));
        }
    }

    /// Ends the stage with what came of it and the time that it took.
    pub(crate) fn done(self, outcome: &str) {
        let took = self.started.elapsed().as_secs_f64();
        self.progress.line(&format!("  {outcome} ({took:.1} s)"));
    }
}

fn spinner(bar: ProgressBar) -> ProgressBar {
    match ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Bytes as people read them: `4.5 MB`.
pub(crate) fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes = bytes as f64;
    format!("{:.1} MB", bytes / 1_000_000.0)
}
