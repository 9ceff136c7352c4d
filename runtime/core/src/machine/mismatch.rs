//! Code that does not go with its history, told so that a developer finds the line.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::panic::Location;

use crate::call::Call;
use crate::id::{ExecutionId, Seq};
use crate::payload::Payload;

/// The code of an execution asked for something else than it did when its history was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    turn: u64,
    seq: Seq,
    history: Option<String>,
    code: Option<(String, String)>,
    /// What the code says itself, instead of all that.
    said: Option<String>,
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
            said: None,
        }
    }

    pub(crate) fn missing(turn: u64, seq: Seq, history: &Call) -> Self {
        Self { turn, seq, history: Some(title(history)), code: None, said: None }
    }

    /// Code that says itself why it cannot go on.
    #[must_use]
    pub fn said(reason: String) -> Self {
        Self { turn: 0, seq: 0, history: None, code: None, said: Some(reason) }
    }

    /// The code continued as new in one and not in the other.
    pub(crate) fn continued(turn: u64, seq: Seq, then: bool) -> Self {
        let what = "a continuation as new".to_owned();
        if then {
            return Self { turn, seq, history: Some(what), code: None, said: None };
        }
        Self {
            turn,
            seq,
            history: None,
            code: Some((what, "the call's `.continue_as_new()`".to_owned())),
            said: None,
        }
    }
}

impl Mismatch {
    /// The same told of two instances of one code that were given the same history: `history` is what the first asked
    /// for, and the code is a second one.
    #[must_use]
    pub fn between_instances(&self) -> String {
        let first = self.history.as_deref().unwrap_or("nothing");
        let second = match &self.code {
            Some((what, at)) => format!("{what}, at {at}"),
            None => "nothing".to_owned(),
        };
        format!("as call {} of turn {}, one asked for {first} and another for {second}", self.seq, self.turn)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(said) = &self.said {
            return f.write_str(said);
        }
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
            ". Deploy code that makes the same calls in the same order; the execution then goes on with its next message, or when it is resumed",
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

/// The recorded call that the code's call `seq` is: that of its number, or, because branches may be polled in another
/// order than then, one of another number that is the same to the letter. Only when there is none, a timer of its number
/// whose due time has changed with the code.
pub(super) fn bind(recorded: &BTreeMap<Seq, Call>, seq: Seq, code: &Call, equal: Equal) -> Option<Seq> {
    let fits = |(number, history): &(&Seq, &Call)| same(history, **number, code, seq, equal);
    let own = recorded.get_key_value(&seq);
    let timer =
        |(_, history): &(&Seq, &Call)| matches!((history, code), (Call::Timer { .. }, Call::Timer { .. }));
    own.filter(fits)
        .or_else(|| recorded.iter().find(fits))
        .or_else(|| own.filter(timer))
        .map(|(number, _)| *number)
}

type Equal = fn(&Payload, &Payload) -> bool;

/// Whether two calls are the same to a replay: kind, name and input. Policies may change with the code.
fn same(history: &Call, then: Seq, code: &Call, now: Seq, equal: Equal) -> bool {
    match (history, code) {
        (Call::Cancel { execution: a, .. }, Call::Cancel { execution: b, .. }) => a == b,
        (Call::Emit(a), Call::Emit(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.name == b.name && equal(&a.payload, &b.payload))
        }
        (
            Call::Send { execution: a, signal: a_name, payload: a_value, .. },
            Call::Send { execution: b, signal: b_name, payload: b_value, .. },
        )
        | (
            Call::Update { execution: a, name: a_name, input: a_value, .. },
            Call::Update { execution: b, name: b_name, input: b_value, .. },
        ) => a == b && a_name == b_name && equal(a_value, b_value),
        (Call::Task(a), Call::Task(b)) => {
            a.name == b.name && a.inline == b.inline && equal(&a.input, &b.input)
        }
        (
            Call::Workflow { execution: a, input: a_input, detached: a_detached, .. },
            Call::Workflow { execution: b, input: b_input, detached: b_detached, .. },
        ) => {
            let one_name = a == b || unnumbered(a, then).is_some_and(|it| unnumbered(b, now) == Some(it));
            one_name && a_detached == b_detached && equal(a_input, b_input)
        }
        (a, b) => a == b,
    }
}

/// The id of a child that was given no name of its own, without the number of the call that is part of it.
pub(super) fn unnumbered(child: &ExecutionId, seq: Seq) -> Option<&str> {
    child.as_str().strip_suffix(format!(":{seq}").as_str())
}
