//! The same names once more: everything has ended and was forgotten, executions of the same names are started, and what was meant
//! for those before comes late. None of it may reach them.
//!
//! Deliberately late are messages, which may lie among dead letters for weeks, and tokens, which people keep. The request of an
//! attempt is not: no host delivers that after its claim is forgotten.

use std::mem;

use eventual_engine::core::ExecutionId;
use eventual_engine::ports::{Clock, Message};

use super::super::shared::Token;
use super::{End, Item, Outside, Schedule, Work};

/// How many runs go on so, and how many names are used again, in per mille.
const AGAIN: u64 = 300;
const REUSED: u64 = 700;
/// How long what has ended is known.
const RETENTION_MS: u64 = 86_400_000;
/// Time in which what is late comes.
const LATE_MS: u64 = 60_000;
/// Messages that are kept for it.
const MESSAGES_MAX: usize = 200;

/// What a run had, for the next.
#[derive(Debug, Default)]
pub(super) struct Former {
    starts: Vec<(&'static str, u64, String, Option<&'static str>)>,
    messages: Vec<(ExecutionId, Message)>,
    tokens: Vec<Token>,
    /// Whether this is the second time.
    pub(super) again: bool,
}

impl Former {
    pub(super) fn note_start(&mut self, work: &Work) {
        if let Work::Start { workflow, size, name, signals } = work {
            self.starts.push((workflow, *size, name.clone(), *signals));
        }
    }

    /// Those that anybody may get who has the name are none of it.
    pub(super) fn note_message(&mut self, id: &ExecutionId, message: &Message) {
        if message.run.is_some() && self.messages.len() < MESSAGES_MAX {
            self.messages.push((id.clone(), message.clone()));
        }
    }

    pub(super) fn note_token(&mut self, token: &Token) {
        self.tokens.push(token.clone());
    }
}

impl Schedule {
    /// Begins a second time with the same names. `false` when this run does not, or did.
    pub(super) fn begin_again(&mut self) -> bool {
        if self.former.again || !self.shared.chance(AGAIN) {
            return false;
        }
        let former = mem::replace(&mut self.former, Former { again: true, ..Former::default() });
        self.world.set_retention(Some(RETENTION_MS));
        self.world.set_now(self.world.now() + RETENTION_MS + 1);
        self.shared.forget();
        self.expected.clear();
        for (workflow, size, name, signals) in former.starts {
            if self.shared.chance(REUSED) {
                let start = Outside::Start(Work::Start { workflow, size, name, signals });
                self.come_late(start, LATE_MS / 3);
                self.shared.state().figures.reused += 1;
            }
        }
        for (id, message) in former.messages {
            let item = Item { message, taken: u32::from(self.shared.chance(500)), due: 0 };
            self.come_late(Outside::Redrive(id, item), LATE_MS);
        }
        for token in former.tokens {
            self.come_late(Outside::Start(Work::Former(token)), LATE_MS);
        }
        true
    }

    fn come_late(&mut self, what: Outside, within_ms: u64) {
        let due = self.world.now() + self.shared.below(within_ms);
        self.outside.push((due, what));
    }

    /// Somebody answered with a token of an execution that was forgotten.
    pub(super) fn end_former(&mut self, token: Token, end: &End) {
        match end {
            End::Refused(_) => {}
            End::Again(_) => self.come_late(Outside::Start(Work::Former(token)), LATE_MS),
            End::Done => {
                let (id, seq, attempt) = &token.attempt;
                let what = format!(
                    "{id}: an answer to attempt {attempt} of call {seq} of a former execution was accepted"
                );
                self.shared.state().violation.get_or_insert(what);
            }
        }
    }
}
