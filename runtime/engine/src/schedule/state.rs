//! What a schedule remembers and decides: which starts are due, and what becomes of a start while an earlier one goes on.
//!
//! Pure and serializable: the same commands and times lead to the same state, and a state is an input to go on from.

use std::collections::VecDeque;

use eventual_core::limits::{
    SCHEDULE_BACKFILL_MAX, SCHEDULE_BUFFER_MAX, SCHEDULE_LOOKED_AT_MAX, SCHEDULE_RECENT_MAX,
};
use eventual_core::{ExecutionId, Millis, Payload};
use eventual_schema::{Overlap, ScheduleSpec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::{Backfill, ScheduleCommand};
use super::describe::{RecentStart, ScheduleState};
use super::timetable::{Timetable, written};

/// How far a changed schedule looks back, so that a time is not lost for which it was woken to find that it changed.
const LOOK_BACK_MS: u64 = 60_000;

/// A schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub(super) spec: ScheduleSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) declared: Option<String>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    pub(super) note: String,
    /// All times up to this one were looked at; absent before the first turn.
    #[serde(default)]
    handled: Option<Millis>,
    /// Starts by time that are left to make.
    #[serde(default)]
    left: Option<u64>,
    #[serde(default)]
    pub(super) waiting: VecDeque<Start>,
    #[serde(default)]
    pub(super) recent: VecDeque<RecentStart>,
    #[serde(default)]
    triggered: u64,
    #[serde(default)]
    pub(super) started: u64,
    #[serde(default)]
    pub(super) skipped: u64,
    #[serde(default)]
    pub(super) missed: u64,
    /// What was started and is waited for.
    #[serde(skip)]
    pub(super) running: Vec<ExecutionId>,
}

/// A start that is to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Start {
    /// The time that it is for.
    scheduled: Millis,
    /// Whether somebody asked for it, instead of the time: so it is made while the schedule is paused, too.
    asked: bool,
    /// Tells apart what was asked for at one moment.
    #[serde(default)]
    number: Option<u64>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Start an execution, and wait for its end unless it goes beside the others.
    Start { execution: ExecutionId, input: Payload, beside: bool },
    /// Ask all that is waited for to cancel itself, or end it without its code.
    Stop { terminate: bool },
}

impl State {
    /// A schedule that says this.
    pub(super) fn new(spec: ScheduleSpec, declared: Option<String>) -> Self {
        Self {
            paused: spec.paused,
            left: spec.starts,
            spec,
            declared,
            deleted: false,
            note: String::new(),
            handled: None,
            waiting: VecDeque::new(),
            recent: VecDeque::new(),
            triggered: 0,
            started: 0,
            skipped: 0,
            missed: 0,
            running: Vec::new(),
        }
    }

    /// Where it stands.
    pub(super) fn state(&self, table: &Timetable) -> ScheduleState {
        if self.deleted {
            ScheduleState::Deleted
        } else if self.paused {
            ScheduleState::Paused
        } else if self.left == Some(0) || table.after(self.handled.unwrap_or_default()).is_none() {
            ScheduleState::Done
        } else {
            ScheduleState::Active
        }
    }

    /// When it has to look again, if time alone brings anything.
    pub(super) fn due(&self, table: &Timetable) -> Option<Millis> {
        if self.state(table) != ScheduleState::Active {
            return None;
        }
        table.after(self.handled?).map(|slot| table.start_of(slot))
    }

    /// The next starts, at most `count`, as seen at `now`.
    pub(super) fn next(&self, table: &Timetable, now: Millis, count: usize) -> Vec<Millis> {
        let mut at = if self.paused { now } else { self.handled.unwrap_or(now) };
        let left = self.left.map_or(count, |left| usize::try_from(left).unwrap_or(count));
        let mut next = Vec::new();
        while !self.deleted && next.len() < count.min(left) {
            let Some(slot) = table.after(at) else { break };
            next.push(table.start_of(slot));
            at = slot;
        }
        next
    }

    /// Begins with the times after `now`, if this is its first turn.
    pub(super) fn begin(&mut self, now: Millis) {
        self.handled.get_or_insert(now);
    }

    /// Looks at the times that have come.
    pub(super) fn look(&mut self, name: &str, table: &Timetable, now: Millis, actions: &mut Vec<Action>) {
        let mut handled = self.handled.unwrap_or(now);
        if !self.paused && !self.deleted {
            for _ in 0..SCHEDULE_LOOKED_AT_MAX {
                let Some(slot) = table.after(handled).filter(|it| table.start_of(*it) <= now) else { break };
                if self.left == Some(0) {
                    break;
                }
                handled = slot;
                if now - slot > self.spec.catch_up_ms.saturating_add(self.spec.jitter_ms) {
                    self.missed += 1;
                    continue;
                }
                self.left = self.left.map(|left| left - 1);
                self.offer(
                    name,
                    now,
                    Start { scheduled: slot, asked: false, number: None },
                    self.spec.overlap,
                    actions,
                );
            }
            self.handled = Some(handled);
        }
        self.make_waiting(name, now, actions);
    }

    /// Does what it was told.
    pub(super) fn told(
        &mut self,
        name: &str,
        table: &Timetable,
        now: Millis,
        command: ScheduleCommand,
        actions: &mut Vec<Action>,
    ) {
        match command {
            ScheduleCommand::Backfill(backfill) => self.backfill(name, table, now, backfill, actions),
            ScheduleCommand::Delete => {
                self.deleted = true;
                self.declared = None;
                self.waiting.clear();
            }
            ScheduleCommand::Pause { note } => (self.paused, self.note) = (true, note),
            ScheduleCommand::Put { spec, declared } => self.put(now, *spec, declared),
            ScheduleCommand::Resume { note } => {
                if self.paused {
                    self.handled = Some(now);
                }
                (self.paused, self.note) = (false, note);
            }
            ScheduleCommand::Trigger { overlap } if !self.deleted => {
                self.triggered += 1;
                let start = Start { scheduled: now, asked: true, number: Some(self.triggered) };
                self.offer(name, now, start, overlap.unwrap_or(self.spec.overlap), actions);
            }
            ScheduleCommand::Trigger { .. } => {}
        }
    }

    fn put(&mut self, now: Millis, spec: ScheduleSpec, declared: Option<String>) {
        if self.deleted || spec.paused != self.spec.paused {
            self.paused = spec.paused;
        }
        let before = if self.deleted { now } else { self.handled.unwrap_or(now) };
        self.handled = Some(before.max(now.saturating_sub(LOOK_BACK_MS)));
        // What it is already begins no new count: whoever makes a schedule says it with its start and as a command.
        if self.deleted || spec != self.spec {
            self.left = spec.starts;
        }
        self.deleted = false;
        self.spec = spec;
        self.declared = declared.or_else(|| self.declared.take());
    }

    fn backfill(
        &mut self,
        name: &str,
        table: &Timetable,
        now: Millis,
        backfill: Backfill,
        actions: &mut Vec<Action>,
    ) {
        if self.deleted {
            return;
        }
        let mut at = backfill.from_ms.saturating_sub(1);
        for _ in 0..SCHEDULE_BACKFILL_MAX {
            let Some(slot) = table.after(at).filter(|it| *it < backfill.below_ms) else { return };
            at = slot;
            let start = Start { scheduled: slot, asked: true, number: None };
            self.offer(name, now, start, backfill.overlap, actions);
        }
    }

    /// Makes a start, or does with it what is to be done while an earlier one goes on.
    fn offer(&mut self, name: &str, now: Millis, start: Start, overlap: Overlap, actions: &mut Vec<Action>) {
        if overlap == Overlap::AllowAll {
            return self.make(name, now, &start, true, actions);
        }
        if self.running.is_empty() && self.waiting.is_empty() {
            return self.make(name, now, &start, false, actions);
        }
        match overlap {
            Overlap::BufferAll if self.waiting.len() < SCHEDULE_BUFFER_MAX => self.waiting.push_back(start),
            Overlap::BufferOne if self.waiting.is_empty() => self.waiting.push_back(start),
            Overlap::CancelOther | Overlap::TerminateOther => {
                self.skipped += self.waiting.len() as u64;
                self.waiting = VecDeque::from([start]);
                actions.push(Action::Stop { terminate: overlap == Overlap::TerminateOther });
            }
            _ => self.skipped += 1,
        }
    }

    /// Makes the start that waits longest, if nothing goes on any more.
    pub(super) fn make_waiting(&mut self, name: &str, now: Millis, actions: &mut Vec<Action>) {
        if !self.running.is_empty() {
            return;
        }
        let may = |it: &Start| it.asked || !self.paused;
        if let Some(start) = self.waiting.iter().position(may).and_then(|it| self.waiting.remove(it)) {
            self.make(name, now, &start, false, actions);
        }
    }

    fn make(&mut self, name: &str, now: Millis, start: &Start, beside: bool, actions: &mut Vec<Action>) {
        let time = written(start.scheduled);
        let of = match start.number {
            Some(number) => format!("{name}-{time}-{number}"),
            None => format!("{name}-{time}"),
        };
        // A schedule's name is short enough, and the time has only characters that names may have.
        let Ok(execution) = ExecutionId::new(self.spec.workflow.as_str(), &of) else { return };
        let input = filled(&self.spec.input, name, &time);
        let input = Payload::from(input.to_string().as_str());
        self.started += 1;
        self.recent.push_back(RecentStart {
            scheduled: start.scheduled,
            started: now,
            execution: execution.to_string(),
            outcome: None,
        });
        if self.recent.len() > SCHEDULE_RECENT_MAX {
            self.recent.pop_front();
        }
        if !beside {
            self.running.push(execution.clone());
        }
        actions.push(Action::Start { execution, input, beside });
    }

    /// Learns how something ended that it started.
    pub(super) fn ended(&mut self, execution: &ExecutionId, outcome: &str) {
        self.running.retain(|it| it != execution);
        if let Some(recent) = self.recent.iter_mut().find(|it| it.execution == execution.as_str()) {
            recent.outcome = Some(outcome.to_owned());
        }
    }
}

/// An input with the placeholders of its texts filled in.
fn filled(input: &Value, name: &str, time: &str) -> Value {
    match input {
        Value::String(text) => {
            Value::String(text.replace("{{scheduled}}", time).replace("{{schedule}}", name))
        }
        Value::Array(items) => items.iter().map(|it| filled(it, name, time)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, it)| (key.clone(), filled(it, name, time))).collect())
        }
        other => other.clone(),
    }
}
