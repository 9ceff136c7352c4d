//! Code that does not go with its history, told so that a developer finds the line.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::panic::Location;

use crate::call::Call;
use crate::id::Seq;

/// The code of an execution asked for something else than it did when its history was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    turn: u64,
    seq: Seq,
    history: Option<String>,
    code: Option<(String, String)>,
}

impl Mismatch {
    pub(crate) fn other(
        turn: u64,
        seq: Seq,
        history: Option<&Call>,
        code: &Call,
        at: &'static Location<'static>,
    ) -> Self {
        let same_target = history.is_some_and(|it| it.kind() == code.kind() && it.name() == code.name());
        let what = if same_target { format!("{} with another input", title(code)) } else { title(code) };
        Self {
            turn,
            seq,
            history: history.map(title),
            code: Some((what, format!("{}:{}:{}", at.file(), at.line(), at.column()))),
        }
    }

    pub(crate) fn missing(turn: u64, seq: Seq, history: &Call) -> Self {
        Self { turn, seq, history: Some(title(history)), code: None }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let history = self.history.as_deref().unwrap_or("nothing");
        write!(
            f,
            "the code does not go with the history: call {} of turn {} was {history} then, and is ",
            self.seq, self.turn
        )?;
        match &self.code {
            Some((what, at)) => write!(f, "{what} now, at {at}")?,
            None => f.write_str("not made now")?,
        }
        f.write_str(
            ". Deploy code that makes the same calls in the same order; the execution then goes on by itself",
        )
    }
}

impl core::error::Error for Mismatch {}

fn title(call: &Call) -> String {
    match call.name() {
        "" => call.kind().to_owned(),
        name => format!("{} `{name}`", call.kind()),
    }
}

/// Whether two calls are the same to a replay: kind, name and input. Policies and due times may change with the code.
pub(super) fn same(history: &Call, code: &Call) -> bool {
    match (history, code) {
        (Call::Task(a), Call::Task(b)) => a.name == b.name && a.input == b.input && a.inline == b.inline,
        (Call::Timer { .. }, Call::Timer { .. }) => true,
        (a, b) => a == b,
    }
}
