//! The engine's own workflow: awaits the times of one schedule, what it is told, and the ends of what it started.
//!
//! Every wait is a call like any other, so that this code is replayed like any other: what it decides depends on its
//! state, its input and the time of the turn only.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use eventual_core::limits::SCHEDULE_NEXT_MAX;
use eventual_core::{Call, ExecutionId, Millis, Outcome, ParentClose, Payload, Status};
use serde::Deserialize;

use super::command::ScheduleCommand;
use super::describe::{ScheduleDescription, ScheduleState};
use super::state::{Action, State};
use super::timetable::Timetable;
use super::{DECLARED, QUERY, SIGNAL, STARTS, STATE};
use crate::ambient::{self, CallSlot};

/// The workflow's code. Its input is a schedule's state, of which the spec suffices.
pub(super) fn run(input: Payload) -> Pin<Box<dyn Future<Output = Outcome>>> {
    Box::pin(async move {
        match Schedule::new(&input) {
            Ok(schedule) => schedule.run().await,
            Err(problem) => failed(problem),
        }
    })
}

fn failed(message: String) -> Outcome {
    Outcome::refused("InvalidSchedule", message, 400)
}

/// Facts and calls after which a schedule begins anew, so that it is replayed in a millisecond for ever.
const HISTORY_MAX: u64 = 500;

/// What is asked by the query.
#[derive(Deserialize)]
struct Question {
    now: Millis,
    next: usize,
}

struct Schedule {
    name: String,
    state: Rc<RefCell<State>>,
    table: Rc<RefCell<Timetable>>,
    timer: Option<(Millis, CallSlot)>,
    command: CallSlot,
    open: Vec<Open>,
    /// Whether its attributes say that the code declared it.
    declared: bool,
}

/// A start whose outcome is not known.
struct Open {
    execution: ExecutionId,
    call: Call,
    slot: CallSlot,
}

enum Woken {
    Command(Outcome),
    Ended(usize, Outcome),
    Timer(Outcome),
}

impl Schedule {
    fn new(input: &Payload) -> Result<Self, String> {
        let mut state: State = serde_json::from_slice(input.as_bytes()).map_err(|error| error.to_string())?;
        let Some(info) = ambient::workflow() else { return Err("this runs in executions only".to_owned()) };
        let name = info.execution.name().to_owned();
        let table = Rc::new(RefCell::new(Timetable::new(&name, &state.spec)?));
        state.begin(info.now);
        let schedule = Self {
            name,
            state: Rc::new(RefCell::new(state)),
            table,
            timer: None,
            command: slot(),
            open: Vec::new(),
            declared: false,
        };
        schedule.answer_questions();
        Ok(schedule)
    }

    async fn run(mut self) -> Outcome {
        loop {
            self.tell();
            if self.open.is_empty() && ambient::history_events() >= HISTORY_MAX {
                return self.begin_anew().await;
            }
            let woken = self.wait().await;
            let now = ambient::workflow().map_or(0, |it| it.now);
            let mut actions = Vec::new();
            match woken {
                Woken::Command(Outcome::Succeeded(payload)) => {
                    self.command = slot();
                    self.told(&payload, now, &mut actions);
                }
                Woken::Timer(Outcome::Succeeded(_)) => self.timer = None,
                // Somebody cancelled the schedule's execution itself.
                Woken::Command(other) | Woken::Timer(other) => return other,
                Woken::Ended(index, outcome) => {
                    let open = self.open.remove(index);
                    let outcome = Status::of(&outcome).as_str();
                    self.state.borrow_mut().ended(&open.execution, outcome);
                }
            }
            self.state.borrow_mut().look(&self.name, &self.table.borrow(), now, &mut actions);
            actions.into_iter().for_each(|it| self.act(it));
        }
    }

    /// Goes on without the history: what matters is in the state. What it started and waits for is not, so this happens
    /// when there is nothing of that.
    async fn begin_anew(self) -> Outcome {
        let state = match serde_json::to_vec(&*self.state.borrow()) {
            Ok(state) => state,
            Err(error) => return Outcome::Crashed(error.to_string()),
        };
        let _noted = ambient::continue_as_new(state.into());
        std::future::pending().await
    }

    fn told(&mut self, payload: &Payload, now: Millis, actions: &mut Vec<Action>) {
        let command = match serde_json::from_slice::<ScheduleCommand>(payload.as_bytes()) {
            Ok(command) => command,
            Err(error) => {
                return tracing::error!(schedule = self.name, %error, "a command that nobody knows is dropped");
            }
        };
        if let ScheduleCommand::Put { spec, .. } = &command {
            match Timetable::new(&self.name, spec) {
                Ok(table) => *self.table.borrow_mut() = table,
                Err(error) => {
                    return tracing::error!(schedule = self.name, error, "the schedule stays as it is");
                }
            }
        }
        self.state.borrow_mut().told(&self.name, &self.table.borrow(), now, command, actions);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Start { execution, input, beside } => {
                let (close, attributes) = (ParentClose::Abandon, BTreeMap::new());
                let id = execution.clone();
                let (detached, answered) = (beside, beside);
                let call = Call::Workflow { execution: id, input, detached, answered, close, attributes };
                self.open.push(Open { execution, call, slot: slot() });
            }
            Action::Stop { terminate } => self.open.iter().for_each(|it| it.slot.stop_child(terminate)),
        }
    }

    /// Keeps what schedules are found by.
    fn tell(&mut self) {
        let state = self.state.borrow();
        let set = |name: &str, value: &str| drop(ambient::set_attribute(name, Some(value.into())));
        set(STARTS, state.spec.workflow.as_str());
        set(STATE, state.state(&self.table.borrow()).as_str());
        match &state.declared {
            Some(declared) => set(DECLARED, declared),
            None if self.declared => drop(ambient::set_attribute(DECLARED, None)),
            None => {}
        }
        self.declared = state.declared.is_some();
    }

    async fn wait(&mut self) -> Woken {
        let due = self.state.borrow().due(&self.table.borrow());
        if self.timer.as_ref().map(|(at, _)| *at) != due {
            self.timer = due.map(|at| (at, slot()));
        }
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Woken> {
        for (index, open) in self.open.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = open.slot.poll(cx, |_| open.call.clone()) {
                return Poll::Ready(Woken::Ended(index, outcome));
            }
        }
        if let Poll::Ready(outcome) = self.command.poll(cx, |_| Call::Signal { name: SIGNAL.to_owned() }) {
            return Poll::Ready(Woken::Command(outcome));
        }
        if let Some((due, timer)) = &mut self.timer
            && let Poll::Ready(outcome) = timer.poll(cx, |_| Call::Timer { due: *due })
        {
            return Poll::Ready(Woken::Timer(outcome));
        }
        Poll::Pending
    }

    fn answer_questions(&self) {
        let (name, state, table) = (self.name.clone(), self.state.clone(), self.table.clone());
        let answer = move |question: &Payload| {
            let Question { now, next } = match serde_json::from_slice(question.as_bytes()) {
                Ok(question) => question,
                Err(error) => return failed(error.to_string()),
            };
            let description =
                describe(&name, &state.borrow(), &table.borrow(), now, next.min(SCHEDULE_NEXT_MAX));
            match serde_json::to_vec(&description) {
                Ok(text) => Outcome::Succeeded(text.into()),
                Err(error) => Outcome::Crashed(error.to_string()),
            }
        };
        ambient::on_query(QUERY, Rc::new(answer));
    }
}

/// The description of a schedule that has not had its first turn.
pub(super) fn fresh(
    name: &str,
    input: &Payload,
    now: Millis,
    next: usize,
) -> Result<ScheduleDescription, String> {
    let mut state: State = serde_json::from_slice(input.as_bytes()).map_err(|error| error.to_string())?;
    state.begin(now);
    Ok(describe(name, &state, &Timetable::new(name, &state.spec)?, now, next.min(SCHEDULE_NEXT_MAX)))
}

fn describe(name: &str, state: &State, table: &Timetable, now: Millis, next: usize) -> ScheduleDescription {
    let standing = state.state(table);
    let next = if standing == ScheduleState::Done { Vec::new() } else { state.next(table, now, next) };
    ScheduleDescription {
        schedule: name.to_owned(),
        state: standing,
        note: state.note.clone(),
        spec: state.spec.clone(),
        declared: state.declared.is_some(),
        next,
        running: state.running.iter().map(ToString::to_string).collect(),
        recent: state.recent.iter().cloned().collect(),
        waiting: state.waiting.len() as u64,
        started: state.started,
        skipped: state.skipped,
        missed: state.missed,
    }
}

/// A call of this workflow, numbered now.
#[track_caller]
fn slot() -> CallSlot {
    match ambient::new_call(Location::caller()) {
        Some(slot) => slot,
        None => unreachable!("a workflow's code is polled in its execution only"),
    }
}
