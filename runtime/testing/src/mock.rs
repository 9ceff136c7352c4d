//! [`Mock`]: what a test puts in the place of a task, a workflow or a subscription, with the types of the function that it
//! stands in for, so that an answer that does not fit does not compile.

use std::fmt;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use eventual::__private::{Item, Registration, outcome_of};
use eventual::{Call, Data, Failure};
use eventual_engine::core::{Fact, Millis, Outcome, Payload};
use eventual_engine::ports::{Dispatch, Message};

use crate::drive::Drive;
use crate::environment::TestEnvironment;
use crate::stand_in::code::ANSWERED;
use crate::stand_in::{Answer, Held, Invoke, Kind};

/// A function with an attribute of eventual's: a task, workflow, subscription or command. Nobody implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler",
    label = "neither a task, a workflow, a subscription nor a command",
    note = "pass the function itself: `env.mock(charge_card)`"
)]
pub trait Handler<Arguments> {
    /// What it takes; `()` when it takes nothing.
    type Input: Data;
    /// What it returns.
    type Output: Data;
    /// Its error.
    type Error: Failure;
}

impl<F: Fn() -> Call<T, E>, T: Data, E: Failure> Handler<()> for F {
    type Input = ();
    type Output = T;
    type Error = E;
}

impl<F: Fn(I) -> Call<T, E>, I: Data, T: Data, E: Failure> Handler<(I,)> for F {
    type Input = I;
    type Output = T;
    type Error = E;
}

/// A call that reached a handler, or the mock in its place.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recorded<I> {
    /// What it was given.
    pub input: I,
    /// Number of the attempt of a task, from 1.
    pub attempt: u32,
    /// The execution that called a task; of a workflow, the execution itself.
    pub execution: Option<String>,
    /// When, in milliseconds since 1970.
    pub at: Millis,
}

/// What stands in for a handler. See [`TestEnvironment::mock`].
///
/// Each method adds an answer. An answer is given to all calls from then on; [`once`](Self::once) and
/// [`times`](Self::times) after it limit it, so that the next in line is given afterwards:
///
/// ```
/// # #[eventual::task(retry(attempts = 5, errors))] async fn charge(cents: u64) -> Result<String, String> { Ok(String::new()) }
/// # #[eventual::workflow] async fn buy(cents: u64) -> eventual::Result<String> { Ok(charge(cents).await?) }
/// # fn main() {
/// let env = eventual_testing::TestEnvironment::new(eventual::service!());
/// env.mock(charge).fail("declined".to_owned()).once().time_out().once().succeed("paid".to_owned());
/// assert_eq!(env.call(buy(100)).unwrap(), "paid");
/// let attempts: Vec<u32> = env.calls(charge).into_iter().map(|it| it.attempt).collect();
/// assert_eq!(attempts, [1, 2, 3]);
/// # }
/// ```
pub struct Mock<'a, I, T, E> {
    env: &'a TestEnvironment,
    kind: Kind,
    name: &'static str,
    /// An inline task, which cannot take time.
    inline: bool,
    /// What was answered before the answer that was added last.
    before: Option<Answer>,
    added: bool,
    types: PhantomData<fn(I) -> (T, E)>,
}

impl<'a, I: Data, T: Data, E: Failure> Mock<'a, I, T, E> {
    pub(crate) fn new<F>(env: &'a TestEnvironment) -> Self {
        let (kind, name) = handler::<F>();
        assert!(
            kind != Kind::Command,
            "`{name}` is a command, which nothing in a service calls: there is nothing to stand in for"
        );
        let inline = env.service().registry().tasks.get(name).is_some_and(|it| it.inline);
        Self { env, kind, name, inline, before: None, added: false, types: PhantomData }
    }

    /// Succeeds with this value.
    pub fn succeed(self, value: T) -> Self {
        let outcome = outcome_of::<T, E>(Ok(value), self.name);
        self.answer(Answer::Is(outcome))
    }

    /// Fails with this error of the handler's own.
    pub fn fail(self, error: E) -> Self {
        let outcome = outcome_of::<T, E>(Err(error), self.name);
        self.answer(Answer::Is(outcome))
    }

    /// Crashes, as a handler does that panics.
    pub fn crash(self, message: impl Into<String>) -> Self {
        let message = message.into();
        self.answer(Answer::Is(Outcome::Crashed(message)))
    }

    /// Runs out of time. An attempt of a remote task does so when its time is over on the clock of the test, and is tried
    /// again as its policy says; an inline task and a workflow do so at once.
    pub fn time_out(self) -> Self {
        self.answer(Answer::Is(Outcome::TimedOut))
    }

    /// Loses its heartbeat. An attempt of a remote task does so when its period is over on the clock of the test, and is tried
    /// again as its policy says; an inline task and a workflow do so at once.
    pub fn lose_heartbeat(self) -> Self {
        self.answer(Answer::Is(Outcome::HeartbeatLost))
    }

    /// Never ends by itself. The test may end it, see [`TestEnvironment::held`]; an attempt of a task runs out of time
    /// otherwise. For remote tasks and workflows.
    ///
    /// # Panics
    /// For an inline task and a subscription, which nothing waits for while something else happens.
    #[track_caller]
    pub fn hold(self) -> Self {
        assert!(
            !self.inline && self.kind != Kind::Subscription,
            "`{}` cannot be held: an inline task runs within the turn that calls it, and for a subscription nobody waits",
            self.name
        );
        self.answer(Answer::Hold)
    }

    /// Runs this instead. For a workflow it must always do the same, because it is run again on replay.
    pub fn invoke(self, run: impl Fn(I) -> Result<T, E> + Send + Sync + 'static) -> Self {
        self.invoke_async(move |input| ready(run(input)))
    }

    /// Runs this instead. For a workflow it is workflow code: it may await tasks and timers, and must be deterministic.
    pub fn invoke_async<R>(self, run: impl Fn(I) -> R + Send + Sync + 'static) -> Self
    where
        R: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (name, run) = (self.name, Arc::new(run));
        let invoke: Invoke = Arc::new(move |input: Payload| {
            let run = run.clone();
            Box::pin(async move {
                match I::from_payload(&input) {
                    Ok(input) => outcome_of(run(input).await, name),
                    Err(problem) => Outcome::Crashed(format!("the input of {name} is not valid: {problem}")),
                }
            })
        });
        self.answer(Answer::Invoke(invoke))
    }

    /// Runs the handler itself.
    pub fn real(self) -> Self {
        self.answer(Answer::Real)
    }

    /// Gives the answer before this to the next call only.
    ///
    /// # Panics
    /// Without an answer before it.
    #[track_caller]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Gives the answer before this to so many calls only.
    ///
    /// # Panics
    /// Without an answer before it.
    #[track_caller]
    pub fn times(mut self, times: u32) -> Self {
        assert!(self.added, "`.once()` and `.times(n)` stand behind an answer: `.succeed(value).once()`");
        self.added = false;
        let then = self.before.take();
        self.env.drive().stand_ins().limit(self.kind, self.name, times, then);
        self
    }

    /// Forgets all answers: the handler itself runs again.
    pub fn reset(self) {
        self.env.drive().stand_ins().reset(self.kind, self.name);
    }

    fn answer(mut self, answer: Answer) -> Self {
        self.before = self.env.drive().stand_ins().stand(self.kind, self.name, Some(answer));
        self.added = true;
        self
    }
}

impl<I, T, E> fmt::Debug for Mock<'_, I, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mock({:?} {})", self.kind, self.name)
    }
}

/// A call that waits for the test to answer. See [`Mock::hold`].
pub struct HeldCall<'a, I, T, E> {
    drive: &'a Drive,
    kind: Kind,
    name: &'static str,
    held: Held,
    input: I,
    types: PhantomData<fn() -> (T, E)>,
}

impl<I: Data, T: Data, E: Failure> HeldCall<'_, I, T, E> {
    /// What it was given.
    pub const fn input(&self) -> &I {
        &self.input
    }

    /// The execution that called a task; of a workflow, the execution itself.
    #[must_use]
    pub fn execution(&self) -> &str {
        self.held.execution.as_str()
    }

    /// Number of the attempt of a task, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.held.attempt
    }

    /// Succeeds with this value, and makes everything that is due then.
    pub fn succeed(self, value: T) {
        let outcome = outcome_of::<T, E>(Ok(value), self.name);
        self.end(outcome);
    }

    /// Fails with this error, and makes everything that is due then.
    pub fn fail(self, error: E) {
        let outcome = outcome_of::<T, E>(Err(error), self.name);
        self.end(outcome);
    }

    /// Runs out of time now, and makes everything that is due then.
    pub fn time_out(self) {
        self.end(Outcome::TimedOut);
    }

    /// Crashes, and makes everything that is due then.
    pub fn crash(self, message: impl Into<String>) {
        self.end(Outcome::Crashed(message.into()));
    }

    fn end(self, outcome: Outcome) {
        let Held { execution, run, seq, attempt, .. } = self.held.clone();
        let stand_ins = self.drive.stand_ins();
        let fact = match self.kind {
            Kind::Workflow => {
                let payload = Payload::from(stand_ins.give(outcome).to_string().as_str());
                Fact::Signal { id: format!("{ANSWERED}-{execution}"), name: ANSWERED.to_owned(), payload }
            }
            _ if outcome == Outcome::TimedOut => {
                let reason = "the test let it run out of time".to_owned();
                Fact::TaskLost { seq, attempt, timed_out: true, reason }
            }
            _ => Fact::TaskDone { seq, attempt, outcome },
        };
        if self.kind != Kind::Workflow {
            stand_ins.release(self.kind, self.name, &self.held);
        }
        self.drive.block_on(async {
            // Memory cannot fail.
            let _ = self
                .drive
                .world()
                .wake(&execution, &Message { facts: vec![fact], run, goes_on: false })
                .await;
        });
        self.drive.settle();
    }
}

impl<I, T, E> fmt::Debug for HeldCall<'_, I, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldCall({} of {})", self.name, self.held.execution)
    }
}

/// Which handler a function is.
///
/// # Panics
/// When it is none.
#[track_caller]
fn handler<F>() -> (Kind, &'static str) {
    let registration = Registration::of_function::<F>().unwrap_or_else(|| {
        panic!(
            "{} is no handler by itself: pass the function that the attribute stands above, not a closure or a pointer",
            std::any::type_name::<F>()
        )
    });
    let kind = match registration.item {
        Item::Command { .. } => Kind::Command,
        Item::Subscription { .. } => Kind::Subscription,
        Item::Task { .. } => Kind::Task,
        Item::Workflow { .. } => Kind::Workflow,
        Item::Event { .. } | Item::Signal { .. } => panic!("{} is no handler", registration.name),
    };
    (kind, registration.name)
}

impl TestEnvironment {
    /// What a test puts in the place of a task, a workflow or a subscription: `env.mock(charge_card).succeed(receipt)`. A
    /// mocked workflow does not run its code, whoever starts it. See [`Mock`].
    ///
    /// # Panics
    /// When what is given is no such function of this service.
    #[track_caller]
    pub fn mock<A, F: Handler<A>>(&self, handler: F) -> Mock<'_, F::Input, F::Output, F::Error> {
        drop(handler);
        Mock::new::<F>(self)
    }

    /// Lets all handlers run again that were mocked.
    pub fn reset_mocks(&self) {
        self.drive().stand_ins().reset_all();
    }

    /// The calls that reached a handler, or the mock in its place, in order: attempts of a task, executions of a workflow,
    /// events of a subscription, requests of a command.
    ///
    /// # Panics
    /// When what is given is no handler of this service.
    #[track_caller]
    pub fn calls<A, F: Handler<A>>(&self, handler: F) -> Vec<Recorded<F::Input>> {
        drop(handler);
        let (kind, name) = self::handler::<F>();
        let records = self.drive().stand_ins().records(kind, name).into_iter();
        let typed = records.map(|it| Recorded {
            input: decoded(name, &it.input),
            attempt: it.attempt,
            execution: it.execution.map(|id| id.to_string()),
            at: it.at,
        });
        typed.collect()
    }

    /// The calls that wait for the test to answer, because their handler is [held](Mock::hold).
    ///
    /// # Panics
    /// When what is given is no handler of this service.
    #[track_caller]
    pub fn held<A, F: Handler<A>>(&self, handler: F) -> Vec<HeldCall<'_, F::Input, F::Output, F::Error>> {
        drop(handler);
        let (kind, name) = self::handler::<F>();
        let held = self.drive().stand_ins().held(kind, name).into_iter();
        let typed = held.map(|held| {
            let input = decoded(name, &held.input);
            HeldCall { drive: self.drive(), kind, name, held, input, types: PhantomData }
        });
        typed.collect()
    }
}

fn decoded<I: Data>(name: &str, input: &Payload) -> I {
    let input = if input.as_bytes().is_empty() { &Payload::null() } else { input };
    I::from_payload(input).unwrap_or_else(|problem| panic!("the input of {name}, {input:?}: {problem}"))
}
