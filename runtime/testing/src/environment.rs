//! [`TestEnvironment`]: a service in a test, with its types.

pub(crate) mod http;
pub(crate) mod inspect;
mod system;
mod time;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use eventual::__private::Ask;
use eventual::{Call, CallError, Data, Error, Event, Execution, Failure, Service, Signal};
use eventual_engine::core::{Attribute, ExecutionId, Outcome, Payload};
use eventual_engine::{States, UpdateRequest};
use eventual_schema::shape;

use crate::drive::{Drive, PATIENCE};
use crate::faults::CrashPoint;

/// How long closed executions are kept, unless a test says otherwise: as long as the other hosts keep them by default.
const RETENTION: Duration = Duration::from_hours(30 * 24);
/// How many instances of the code take each turn, unless a test says otherwise.
const TWINS: u32 = 4;

/// A service in a test: its own handlers, run by the production engine over memory and virtual time. Nothing waits, and
/// nothing leaves the process unless a handler does it.
///
/// Not in another async runtime: a test of a service is an ordinary `#[test]` function.
pub struct TestEnvironment {
    drive: Drive,
    service: Service,
}

/// An execution in a test, with the types of its workflow's result and error.
pub struct TestExecution<T, E> {
    id: ExecutionId,
    end: fn(Outcome) -> Result<T, CallError<E>>,
    types: PhantomData<fn() -> (T, E)>,
}

impl TestEnvironment {
    /// The service of this crate, without states: `TestEnvironment::new(eventual::service!())`.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self::with_states(service, States::default())
    }

    /// The same, with the value that handlers take as `State<T>`. For several, see [`TestEnvironment::with_states`].
    #[must_use]
    pub fn with_state<T: Send + Sync + 'static>(service: Service, state: T) -> Self {
        let mut states = States::default();
        states.insert(Arc::new(state));
        Self::with_states(service, states)
    }

    /// The same, with all values that handlers take as `State<T>`. What a test keeps an `Arc` of, it can look into.
    #[must_use]
    pub fn with_states(service: Service, states: States) -> Self {
        let manifest = service.manifest();
        let subscriptions =
            manifest.subscriptions.iter().map(|it| (it.event.to_string(), it.name.to_string()));
        let drive = Drive::new(service.registry().as_ref().clone(), states, subscriptions).twins(TWINS);
        Self { drive, service }.retention(RETENTION)
    }

    /// The same, but every turn of an execution is taken by so many instances of its code, which must agree: when they do
    /// not, because the code depends on the order of a `HashMap` or the like, the execution is parked with both sides. 4 by
    /// default; 1 switches it off, which is faster.
    #[must_use]
    pub fn twins(self, instances: u32) -> Self {
        let Self { drive, service } = self;
        Self { drive: drive.twins(instances), service }
    }

    /// The same, but a closed execution is forgotten after `retention` instead of 30 days: signals and queries do not find it, lists do
    /// not show it, and its name can be used again. What a test asks to see, such as [`history`](Self::history) and
    /// [`result`](Self::result), is still there.
    #[must_use]
    pub fn retention(self, retention: Duration) -> Self {
        let retention_ms = u64::try_from(retention.as_millis()).unwrap_or(u64::MAX);
        self.drive.world().set_retention(Some(retention_ms));
        self
    }

    /// The same, in a process that dies at a point.
    pub(crate) fn dying(self, point: CrashPoint) -> Self {
        let Self { drive, service } = self;
        Self { drive: drive.dying(point), service }
    }

    /// What the service declares, and its handlers.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Runs a handler to its end and answers what it answered: a command, a task, a subscription, or a workflow
    /// (which starts an execution, and moves the clock as far as it takes). An input that breaks its schema is refused as
    /// it is in production.
    ///
    /// # Errors
    /// As the handler ended.
    pub fn call<T: Data, E: Failure>(&self, call: Call<T, E>) -> Result<T, CallError<E>> {
        let (ask, decode) = call.into_parts();
        match ask {
            Ask::Broken(error) => Err(CallError::Invalid(error)),
            Ask::Command { name, input } => {
                self.check(name, &input).map_err(CallError::Invalid)?;
                let outcome = self.drive.command(name, input, None);
                self.drive.settle();
                decode(outcome)
            }
            Ask::Subscription { name, input } => {
                let outcome = self.drive.react(name, input);
                self.drive.settle();
                decode(outcome)
            }
            Ask::Update { execution, name, input, start } => {
                let update = UpdateRequest { name, input, id: None, start };
                let outcome = self.drive.block_on(self.drive.client().update(&execution, update));
                let outcome = outcome.map_err(|error| CallError::Invalid(refused(error.to_string())))?;
                self.drive.settle();
                decode(outcome)
            }
            Ask::Task(task) => decode(self.drive.task(&task)),
            Ask::Workflow { name, input, key, attributes, .. } => {
                let id = self.start_by_name(name, key.as_deref(), input, attributes);
                let id = id.map_err(CallError::Invalid)?;
                decode(self.end_of(&id).map_err(CallError::Invalid)?)
            }
            other => {
                Err(CallError::Invalid(refused(format!("{other:?} is no handler; a test calls handlers"))))
            }
        }
    }

    /// Starts an execution of a workflow and makes everything that is due now.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<T: Data, E: Failure>(&self, call: Call<T, E>) -> Result<TestExecution<T, E>, Error> {
        let (ask, end) = call.into_parts();
        let Ask::Workflow { name, input, key, attributes, .. } = ask else {
            return Err(refused(format!("{ask:?} is no workflow; only workflows are started")));
        };
        let id = self.start_by_name(name, key.as_deref(), input, attributes)?;
        self.drive.settle();
        Ok(TestExecution { id, end, types: PhantomData })
    }

    /// Sends a signal to an execution and makes everything that is due now.
    ///
    /// # Errors
    /// When there is no such execution, or it has ended.
    pub fn signal<S: Signal>(&self, execution: impl AsRef<str>, signal: S) -> Result<(), Error> {
        let id = ExecutionId::parse(execution.as_ref())?;
        let (ask, _) = signal.send(id.as_str()).into_parts();
        let Ask::Send { signal, payload, .. } = ask else {
            return Err(refused(format!("{ask:?} is no signal")));
        };
        self.drive.block_on(self.drive.client().signal(&id, signal, payload))?;
        self.drive.settle();
        Ok(())
    }

    /// How an execution ended; `None` while it has not.
    pub fn result<T: Data, E: Failure>(
        &self,
        execution: &TestExecution<T, E>,
    ) -> Option<Result<T, CallError<E>>> {
        self.drive.meta(&execution.id).ok().and_then(|it| it.end).map(execution.end)
    }

    /// Moves the clock until an execution has ended, and answers how.
    ///
    /// # Errors
    /// As it ended; [`CallError::Invalid`] when it waits for something that only the test can do, such as a signal.
    pub fn run<T: Data, E: Failure>(&self, execution: &TestExecution<T, E>) -> Result<T, CallError<E>> {
        (execution.end)(self.end_of(&execution.id).map_err(CallError::Invalid)?)
    }

    /// The events of a type that were published, in order.
    ///
    /// # Panics
    /// When one of them is of another shape, which only an event of the same name from elsewhere is.
    #[must_use]
    pub fn emitted<Ev: Event>(&self) -> Vec<Ev> {
        let events = self.drive.emitted().into_iter().filter(|it| it.name == Ev::NAME);
        let decode = |payload: Payload| Ev::from_payload(&payload);
        events
            .map(|it| decode(it.payload).unwrap_or_else(|error| panic!("event {}: {error}", Ev::NAME)))
            .collect()
    }

    /// Publishes an event, as somebody outside would, and makes everything that is due now.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn emit<Ev: Event>(&self, event: Ev) -> Result<(), Error> {
        let (ask, _) = event.emit().into_parts();
        let Ask::Emit(emitted) = ask else { return Err(refused(format!("{ask:?} is no event"))) };
        self.drive.block_on(self.drive.client().emit(&[emitted]))?;
        self.drive.settle();
        Ok(())
    }

    /// Keeps events from the service's own subscriptions from here on, `false` no longer. What is published is recorded.
    pub fn disable_subscriptions(&self, disabled: bool) {
        self.drive.world().set_deaf(disabled);
    }

    /// Forgets everything that a process keeps in memory, as a crash or a deploy does.
    pub fn restart(&mut self) {
        self.drive.restart();
    }

    /// Makes the schedules that stand in the service's code, as a deployment does: from here on time starts their workflows.
    /// Without it a test is left alone by them.
    ///
    /// # Errors
    /// When one of them is no schedule, which the service's own check finds first.
    pub fn start_schedules(&mut self) -> Result<(), Error> {
        Ok(self.drive.deploy(self.service.manifest().schedules.clone())?)
    }

    /// The same host, to change what runs on it.
    pub const fn drive_mut(&mut self) -> &mut Drive {
        &mut self.drive
    }

    /// The host underneath, for what this type does not offer.
    #[must_use]
    pub const fn drive(&self) -> &Drive {
        &self.drive
    }

    fn start_by_name(
        &self,
        workflow: &str,
        name: Option<&str>,
        input: Payload,
        attributes: BTreeMap<String, Attribute>,
    ) -> Result<ExecutionId, Error> {
        Ok(self.drive.block_on(self.drive.client().start_with(workflow, name, input, attributes))?)
    }

    fn end_of(&self, id: &ExecutionId) -> Result<Outcome, Error> {
        let has_ended =
            |drive: &Drive| drive.world().peek(id, |meta, _| meta.status.is_closed()) == Some(true);
        self.drive.run_until(has_ended);
        let meta = self.drive.meta(id)?;
        let why = match (meta.end, meta.parked) {
            (Some(end), _) if meta.status.is_closed() => return Ok(end),
            (_, Some(reason)) => format!("execution {id} is {}: {reason}", meta.status.as_str()),
            _ if self.drive.world().next_due().is_some() => {
                format!("execution {id} has not ended after {} years", PATIENCE.as_secs() / (365 * 86_400))
            }
            _ => {
                let waiting = self.waits_for(id.as_str());
                let waiting: Vec<String> = waiting.iter().map(ToString::to_string).collect();
                let waiting =
                    if waiting.is_empty() { "nothing durable".to_owned() } else { waiting.join(", ") };
                format!(
                    "execution {id} waits for something that only the test can do, such as a signal: {waiting}"
                )
            }
        };
        Err(refused(why))
    }

    /// Checks the input of a command as the HTTP API does.
    fn check(&self, command: &str, input: &Payload) -> Result<(), Error> {
        let manifest = self.service.manifest();
        let Some(command) = manifest.command(command) else { return Ok(()) };
        let value: serde_json::Value = serde_json::from_slice(input.as_bytes())?;
        if command.input.is_null() {
            return Ok(());
        }
        let problems = shape::validate(&value, &command.input, &manifest.schemas);
        if problems.is_empty() {
            return Ok(());
        }
        let refusal = eventual_schema::request::refusal(&problems);
        let message = refusal["message"].as_str().unwrap_or_default();
        Err(Error::new(eventual_schema::request::INVALID_INPUT, message).with_status(400))
    }
}

fn refused(message: String) -> Error {
    Error::new("TestEnvironment", message)
}

impl<T, E> TestExecution<T, E> {
    /// `<workflow>/<name>`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl<T, E> AsRef<str> for TestExecution<T, E> {
    fn as_ref(&self) -> &str {
        self.id()
    }
}

impl<T, E> From<&TestExecution<T, E>> for Execution {
    fn from(execution: &TestExecution<T, E>) -> Self {
        // An id of the engine is always an id.
        Self::parse(execution.id()).unwrap_or_else(|error| unreachable!("{error}"))
    }
}

impl<T, E> fmt::Debug for TestExecution<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestExecution({})", self.id)
    }
}

impl fmt::Debug for TestEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestEnvironment({})", self.service.manifest().service)
    }
}
