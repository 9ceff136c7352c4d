//! Forks: an execution that goes on from a turn of another one.
//!
//! A fork is written down as an execution that says where it comes from; whoever wakes it copies the turns that it shares,
//! so that nobody's death leaves half of one.

use std::collections::BTreeMap;

use eventual_core::{ExecutionId, Fact, Run, Turn};

use crate::client::{Client, ClientError};
use crate::engine::Engine;
use crate::ports::{Commit, Fault, Insert, Meta, Origin};

impl Client {
    /// Starts an execution that has the first turns of another one, open or closed, up to turn `turn`, and goes on by itself:
    /// with the code that runs then, its own id, and without what the other learnt later. Tasks that were under way
    /// are performed anew; children and updates that were under way end with an error. Without a name, a random one.
    ///
    /// # Errors
    /// When there is no such execution or turn, the turn ended it, the name is taken, or the handler did not declare its workflow.
    pub async fn fork(
        &self,
        id: &ExecutionId,
        turn: u64,
        name: Option<&str>,
    ) -> Result<ExecutionId, ClientError> {
        let source = self.get(id).await?;
        let turns = self.ports().store.turns(id, 0).await?;
        can_fork(id, turn, &turns).map_err(ClientError::Name)?;
        let name = name.map_or_else(|| self.unique(), str::to_owned);
        let fork = ExecutionId::new(id.workflow(), &name).map_err(|error| ClientError::Name(error.into()))?;
        let root = source.origin.map_or_else(|| id.clone(), |it| it.root);
        let origin = Some(Origin { from: id.clone(), run: source.run, turn, root });
        let new = self.new_meta(fork.clone(), source.input, BTreeMap::new());
        let meta = Meta { origin, seed: source.seed, ..new };
        match self.insert(&meta).await? {
            Insert::Exists(other) if other.origin != meta.origin => Err(ClientError::AlreadyExists(fork)),
            Insert::Exists(_) | Insert::Inserted => Ok(fork),
        }
    }

    /// Forks an open execution at a turn and terminates it.
    ///
    /// # Errors
    /// As of [`fork`](Self::fork); when it has ended.
    pub async fn reset(
        &self,
        id: &ExecutionId,
        turn: u64,
        name: Option<&str>,
    ) -> Result<ExecutionId, ClientError> {
        let fork = self.fork(id, turn, name).await?;
        self.terminate(id, &format!("reset to turn {turn}, as {fork}")).await?;
        Ok(fork)
    }
}

/// Whether the turns up to `turn` are there and leave something to go on with; why not, for people.
fn can_fork(id: &ExecutionId, turn: u64, turns: &[Turn]) -> Result<(), String> {
    let first = turns.first().map_or(1, |it| it.number);
    let begins = if first <= 1 {
        first
    } else {
        turns.iter().find(|it| it.continued.is_some()).map_or(first, |it| it.number)
    };
    match turns.iter().find(|it| it.number == turn) {
        Some(it) if it.end.is_some() => Err(format!(
            "turn {turn} of {id} ended it, so that nothing can go on from there; choose an earlier one"
        )),
        Some(_) if turn >= begins => Ok(()),
        _ => {
            let last = turns.last().map_or(0, |it| it.number);
            Err(format!("{id} has no turn {turn} to go on from; it has {begins} to {last}"))
        }
    }
}

impl Engine {
    /// Copies the turns that a fork shares with its origin and does not have yet. `turns` are those that it has. Answers why it
    /// can never go on, for people, when some of them are gone: the origin was forgotten before they were copied.
    pub(crate) async fn complete_fork(
        &self,
        meta: &Meta,
        turns: &mut Vec<Turn>,
    ) -> Result<Option<String>, Fault> {
        let Some(origin) = &meta.origin else { return Ok(None) };
        let have = turns.last().map_or(0, |it| it.number);
        match meta.own_since(turns) {
            Some(shared) if shared < origin.turn => return Ok(Some(lost(meta, origin))),
            None if have < origin.turn => {}
            _ => return Ok(None),
        }
        let from = self.ports.store.meta(&origin.from).await?;
        if from.is_none_or(|it| Run::differ(it.run, origin.run)) {
            return Ok(Some(lost(meta, origin)));
        }
        let shared = self.ports.store.turns(&origin.from, have).await?;
        let anew = shared.iter().rposition(|it| it.number <= origin.turn && it.continued.is_some());
        // Of an origin whose first turns are gone, only what it became since counts.
        let gone = shared.first().is_some_and(|it| it.number != have + 1);
        let skipped = anew.filter(|_| gone).unwrap_or(0);
        for turn in shared.into_iter().skip(skipped).filter(|it| it.number <= origin.turn) {
            if self.ports.store.commit(&meta.id, &turn).await? == Commit::Taken {
                let operation = format!("copy of turn {} of {} to {}", turn.number, origin.from, meta.id);
                return Err(Fault::new(operation, "another process copies it; the message is handled again"));
            }
            turns.push(turn);
        }
        match turns.last() {
            Some(last) if last.number == origin.turn => Ok(None),
            _ => Ok(Some(lost(meta, origin))),
        }
    }
}

/// Why a fork can never go on, for people.
fn lost(meta: &Meta, origin: &Origin) -> String {
    let Origin { from, turn, .. } = origin;
    format!(
        "{} was to go on after turn {turn} of {from}, which was forgotten before its turns were copied: terminate this one, and \
         start another",
        meta.id
    )
}

impl Meta {
    /// Whether a turn of the execution was copied from the one that it was forked from: what it asked for was delivered there.
    pub(crate) fn is_copied(&self, turn: &Turn) -> bool {
        self.origin.as_ref().is_some_and(|it| turn.number <= it.turn)
    }

    /// What a fork learns right after the last turn that it shares, which is `last`. One that is `lost` shares less than it
    /// should; its history says so.
    pub(crate) fn forked_at(&self, turns: &[Turn], last: u64, lost: bool) -> Option<Fact> {
        let origin = self.origin.as_ref()?;
        let begins = if lost { self.own_since(turns).is_none() } else { origin.turn == last };
        begins.then(|| Fact::Forked { to: self.id.clone(), turn: last })
    }

    /// The turn after which `turns` of a fork are its own, if any is.
    fn own_since(&self, turns: &[Turn]) -> Option<u64> {
        turns.iter().flat_map(|it| &it.facts).find_map(|it| match it {
            Fact::Forked { to, turn } if *to == self.id => Some(*turn),
            _ => None,
        })
    }
}
