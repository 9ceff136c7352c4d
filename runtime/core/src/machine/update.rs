//! Updates: requests for a change that the code answers.
//!
//! The code takes them one by one, as it takes signals. None is left without an answer: those of a name that the code
//! takes nowhere are refused at the end of the turn, and those that are open when the code ends are refused then.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Completion, Machine, Open};
use crate::call::Call;
use crate::fact::Outcome;
use crate::id::Seq;
use crate::left::unanswered;
use crate::payload::Payload;
use crate::run::Caller;
use crate::turn::Answer;

/// A request for a change, as the code takes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// Names it, for the answer.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What is asked.
    pub input: Payload,
}

#[derive(Debug)]
pub(super) struct Updates {
    /// Names that the code takes, perhaps not at this moment.
    accepted: BTreeSet<String>,
    /// It takes those of every name.
    all: bool,
    /// Those that have no answer yet, with whom to answer.
    unanswered: BTreeMap<String, Option<Caller>>,
}

impl Updates {
    pub(super) const fn new() -> Self {
        Self { accepted: BTreeSet::new(), all: false, unanswered: BTreeMap::new() }
    }
}

impl Machine {
    /// Says that the code takes updates of this name, or of every name, from here on, so that those which come while it is busy wait for it.
    pub fn accept_updates(&mut self, name: Option<&str>) {
        match name {
            Some(name) => drop(self.updates.accepted.replace(name.to_owned())),
            None => self.updates.all = true,
        }
    }

    /// The update for a scheduled [`Call::NextUpdate`], if the gate is open for it.
    pub fn take_update(&mut self, code: Seq) -> Option<Result<Update, Outcome>> {
        Some(match self.take_completion(code)? {
            Completion::Update(update) => Ok(update),
            Completion::Call { outcome, .. } => Err(outcome),
            Completion::Signal { payload, .. } => Err(Outcome::Succeeded(payload)),
        })
    }

    /// Answers an update. The first answer counts.
    pub fn answer(&mut self, id: &str, outcome: Outcome) {
        if let Some(to) = self.updates.unanswered.remove(id) {
            self.output.answers.push(Answer { id: id.to_owned(), outcome, to });
        }
    }

    pub(super) fn receive_update(&mut self, id: &str, name: &str, input: &Payload, from: Option<&Caller>) {
        self.updates.unanswered.insert(id.to_owned(), from.cloned());
        let update = Update { id: id.to_owned(), name: name.to_owned(), input: input.clone() };
        self.push(Completion::Update(update));
    }

    /// The open call that takes updates of this name.
    pub(super) fn waiter_for(&self, name: &str, may: impl Fn(&Open) -> bool) -> Option<Seq> {
        let takes = |call: &Call| matches!(call, Call::NextUpdate { name: wanted } if wanted.as_deref().is_none_or(|it| it == name));
        self.open.iter().find(|(_, it)| may(it) && takes(&it.call)).map(|(seq, _)| *seq)
    }

    /// Refuses updates that nothing in the code takes.
    pub(super) fn refuse_updates(&mut self) {
        let nobody = |update: &Update| {
            !self.updates.all
                && !self.updates.accepted.contains(&update.name)
                && self.waiter_for(&update.name, |_| true).is_none()
        };
        let refused: Vec<u64> = self
            .queue
            .iter()
            .filter(|(_, it)| matches!(it, Completion::Update(update) if nobody(update)))
            .map(|(order, _)| *order)
            .collect();
        for order in refused {
            if let Some(Completion::Update(update)) = self.queue.remove(&order) {
                let message = format!("the execution takes no update `{}`", update.name);
                self.answer(&update.id, Outcome::refused("UnknownUpdate", message, 404));
            }
        }
    }

    /// Refuses all that have no answer, because the code that would answer has ended.
    pub(super) fn close_updates(&mut self) {
        let open: Vec<String> = self.updates.unanswered.keys().cloned().collect();
        for id in open {
            self.answer(&id, unanswered());
        }
    }

    /// Refuses those that the code took and did not answer before it began anew.
    pub(super) fn interrupt_updates(&mut self) {
        let queued = |id: &String, queue: &BTreeMap<u64, Completion>| {
            queue.values().any(|it| matches!(it, Completion::Update(update) if update.id == *id))
        };
        let taken: Vec<String> =
            self.updates.unanswered.keys().filter(|id| !queued(id, &self.queue)).cloned().collect();
        for id in taken {
            let message = "the execution continued as new before it answered the update".to_owned();
            self.answer(&id, Outcome::refused("Interrupted", message, 409));
        }
    }

    /// Nobody waits for answers here.
    pub(super) fn forget_askers(&mut self) {
        self.updates.unanswered.clear();
    }

    /// Whom to answer.
    pub(super) fn asker(&self, update: &str) -> Option<Caller> {
        self.updates.unanswered.get(update).cloned().flatten()
    }
}
