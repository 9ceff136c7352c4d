//! Workflow code in a test. It is polled on the thread of the test, inside of the async runtime that handlers need; so a
//! runtime that offers nothing is entered around every poll, and what only works with one fails here as it does in
//! production.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use eventual_engine::ambient;
use eventual_engine::core::{Call, ExecutionId, Outcome, Payload};
use tokio::runtime::{Builder, Runtime};

use super::{Answer, Held, Kind, Record, StandIns, current, watch};

/// The signal by which a test ends an execution that it holds.
pub(crate) const ANSWERED: &str = "eventual-test-answer";

type Code = Pin<Box<dyn Future<Output = Outcome>>>;

thread_local! {
    /// Without timers, without input and output, and never run.
    static NOTHING: Option<Runtime> = Builder::new_current_thread().build().ok();
}

/// Stands in for every workflow.
pub(super) fn workflow(input: Payload) -> Code {
    let Some(info) = ambient::workflow() else {
        return Box::pin(async { Outcome::Crashed("workflow code outside of an execution".to_owned()) });
    };
    let stand_ins = current();
    let id = info.execution;
    let code = match stand_ins.decided(&id, &input) {
        Answer::Invoke(invoke) => invoke(input),
        Answer::Is(end) => Box::pin(async { end }),
        Answer::Hold => Box::pin(held(stand_ins, id.clone(), input)),
        Answer::Real => match stand_ins.real.workflows.get(id.workflow()) {
            Some(code) => return Box::pin(Bare { code: code(input), id }),
            None => Box::pin(async { Outcome::Crashed("no such workflow".to_owned()) }),
        },
    };
    Box::pin(Bare { code, id })
}

impl StandIns {
    /// What is done instead of running the code of an execution: decided once.
    fn decided(&self, id: &ExecutionId, input: &Payload) -> Answer {
        let known =
            self.world.upgrade().and_then(|it| it.peek(id, |meta, turns| (meta.run, !turns.is_empty())));
        let (run, begun) = known.unwrap_or_default();
        let at = self.now();
        let mut state = self.state();
        if let Some(answer) = state.decided.get(&(id.clone(), run)) {
            return answer.clone();
        }
        if begun {
            return Answer::Real;
        }
        let script = state.scripts.entry((Kind::Workflow, id.workflow().to_owned())).or_default();
        let answer = script.take();
        script.records.push(Record { input: input.clone(), attempt: 1, execution: Some(id.clone()), at });
        if matches!(answer, Answer::Hold) {
            script.held.push(Held {
                execution: id.clone(),
                run: None,
                seq: 0,
                attempt: 1,
                input: input.clone(),
            });
        }
        state.decided.insert((id.clone(), run), answer.clone());
        answer
    }

    fn given(&self, number: &Payload) -> Option<Outcome> {
        let number: usize = std::str::from_utf8(number.as_bytes()).ok()?.parse().ok()?;
        self.state().given.get(number).cloned()
    }
}

/// An execution that ends when, and as, the test says.
async fn held(stand_ins: Arc<StandIns>, id: ExecutionId, input: Payload) -> Outcome {
    let Some(mut slot) = ambient::new_call(Location::caller()) else {
        return Outcome::Crashed("workflow code outside of an execution".to_owned());
    };
    let answer = poll_fn(|cx| slot.poll(cx, |_| Call::Signal { name: ANSWERED.to_owned() })).await;
    let held = Held { execution: id.clone(), run: None, seq: 0, attempt: 1, input };
    stand_ins.release(Kind::Workflow, id.workflow(), &held);
    match answer {
        Outcome::Succeeded(number) => stand_ins.given(&number).unwrap_or(Outcome::TimedOut),
        other => other,
    }
}

/// Code that finds no async runtime around it.
struct Bare {
    code: Code,
    id: ExecutionId,
}

impl Future for Bare {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        let _watched = watch::begin(&this.id);
        NOTHING.with(|nothing| {
            let Some(nothing) = nothing else { return this.code.as_mut().poll(cx) };
            let alive = || nothing.metrics().num_alive_tasks();
            let before = alive();
            let _entered = nothing.enter();
            let polled = this.code.as_mut().poll(cx);
            assert!(
                alive() <= before,
                "there is no reactor running: tokio::spawn needs a Tokio 1.x runtime. For branches there is \
                 eventual::spawn."
            );
            polled
        })
    }
}
