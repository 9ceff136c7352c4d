//! What code outside of workflows may do with executions and events: start, read, signal, publish.
//!
//! A handler's client knows what the handler declared, and refuses the rest by the same rule on every host: what AWS
//! would deny in production is an error in the first test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use eventual_core::{Attribute, Emitted, ExecutionId, Fact, Outcome, Payload, Turn};
use eventual_schema::{HandlerName, Need};

use crate::codec;
use crate::fits;
use crate::ports::{Awaited, BoxFuture, Count, Fault, Insert, ListQuery, Message, Meta, Page, Ports};
use crate::search;
use crate::updates::UPDATE_WAIT;
use crate::workflows::{Open, QueryRequest, Workflows};

/// Why a client's call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The execution was started before, with another input.
    #[error(
        "execution {0} was started before with another input; use another name, or the same input to get the same execution"
    )]
    AlreadyExists(ExecutionId),
    /// The execution has ended.
    #[error("execution {0} has ended ({1}); it takes no more messages")]
    Closed(ExecutionId, &'static str),
    /// The attempt that the token is for was answered before, and otherwise.
    #[error("this task of execution {0} was answered before, and otherwise; its first answer stays")]
    Completed(ExecutionId),
    /// The world failed; trying again is safe.
    #[error(transparent)]
    Fault(Fault),
    /// The token is none of this service's.
    #[error("this is no token of this service's tasks: pass it on exactly as the task got it")]
    ForgedToken,
    /// A name that cannot be an execution's, workflow's or signal's, or a limit that was reached.
    #[error("{0}")]
    Name(String),
    /// There is no such schedule.
    #[error("there is no schedule `{0}`")]
    NoSchedule(String),
    /// The execution cannot answer a query: its code knows none of that name, or does not go with its history.
    #[error("{0}")]
    Unanswered(String),
    /// There is no such execution.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// Nobody waits any more for the attempt that the token is for.
    #[error(
        "nobody waits for this answer any more: the task of execution {0} was cancelled, ran out of time, or was given to another attempt, which has a token of its own"
    )]
    StaleToken(ExecutionId),
    /// The handler did not declare that it needs this.
    #[error(
        "{who} {does} `{name}` without declaring it: write `uses({name_in_code})` in its attribute, so that its role permits it"
    )]
    Undeclared {
        /// The handler.
        who: String,
        /// What it does.
        does: &'static str,
        /// To what.
        name: String,
        /// How that is written in Rust, as far as it can be told.
        name_in_code: String,
    },
    /// No workflow of that name is part of this service.
    #[error("this service has no workflow `{0}`")]
    UnknownWorkflow(String),
}

impl From<Fault> for ClientError {
    fn from(fault: Fault) -> Self {
        let source = &fault.source;
        tracing::error!(operation = fault.operation, error = %source, "a handler's call failed");
        Self::Fault(fault)
    }
}

/// A client of the service's executions. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    ports: Ports,
    /// The workflows of the service, and whether their executions stay on the code that they were started on.
    workflows: Arc<BTreeMap<String, bool>>,
    /// Where queries are answered.
    answering: Arc<Workflows>,
    code: Arc<str>,
    /// Who uses it, and what that handler declared; everything is allowed without.
    user: Option<Arc<(String, BTreeSet<Need>)>>,
}

impl Client {
    pub(crate) fn new(
        ports: Ports,
        workflows: Arc<BTreeMap<String, bool>>,
        answering: Arc<Workflows>,
        code: Arc<str>,
    ) -> Self {
        Self { ports, workflows, answering, code, user: None }
    }

    /// The same client, limited to what the handler `who` declared.
    pub(crate) fn limited(&self, who: String, needs: BTreeSet<Need>) -> Self {
        Self { user: Some(Arc::new((who, needs))), ..self.clone() }
    }

    /// Starts an execution of `workflow`, or finds the one that this name and input started before. Without a name, a
    /// random one. When this returns, the execution will run even if the caller dies.
    ///
    /// # Errors
    /// When the name is taken by an execution with another input, is no execution name, or the handler did not declare
    /// the workflow.
    pub async fn start(
        &self,
        workflow: &str,
        name: Option<&str>,
        input: Payload,
    ) -> Result<ExecutionId, ClientError> {
        self.start_with(workflow, name, input, BTreeMap::new()).await
    }

    /// As [`start`](Self::start), with attributes that the execution is found by from its first turn on. One that is there
    /// keeps its own.
    ///
    /// # Errors
    /// As of `start`; also when an attribute is none.
    pub async fn start_with(
        &self,
        workflow: &str,
        name: Option<&str>,
        input: Payload,
        attributes: BTreeMap<String, Attribute>,
    ) -> Result<ExecutionId, ClientError> {
        self.check_workflow("starts workflow", workflow)?;
        self.known_workflow(workflow)?;
        search::check_attributes(&attributes).map_err(ClientError::Name)?;
        fits::payload_of(&format!("the input of workflow `{workflow}`"), &input)?;
        let name = name.map_or_else(|| self.unique(), str::to_owned);
        let id = ExecutionId::new(workflow, &name).map_err(|error| ClientError::Name(error.into()))?;
        let meta = self.new_meta(id.clone(), input, attributes);
        match self.insert(&meta).await? {
            Insert::Exists(before) if !codec::same(&before.input, &meta.input) => {
                Err(ClientError::AlreadyExists(id))
            }
            Insert::Exists(_) | Insert::Inserted => Ok(id),
        }
    }

    /// Writes a new execution, if there is none of its id, and wakes it.
    pub(crate) async fn insert(&self, meta: &Meta) -> Result<Insert, ClientError> {
        let inserted = self.ports.store.insert(meta).await?;
        if inserted == Insert::Inserted {
            // The store's promise covers a wake-up that is lost here.
            if let Err(fault) = self.ports.dispatch.wake(&meta.id, &Message::default()).await {
                tracing::warn!(execution = %meta.id, %fault, "first wake-up left to the relay");
            }
        }
        Ok(inserted)
    }

    /// A new execution that begins now.
    pub(crate) fn new_meta(
        &self,
        id: ExecutionId,
        input: Payload,
        attributes: BTreeMap<String, Attribute>,
    ) -> Meta {
        let clock = &self.ports.clock;
        let mut meta =
            Meta::new(id, input, clock.now(), clock.entropy(), &self.code, None).with_secret(&**clock);
        meta.attributes = attributes;
        let pinned = self.workflows.get(meta.id.workflow()).copied().unwrap_or_default();
        if pinned { meta.pinned() } else { meta }
    }

    /// Reads what is known of an execution.
    ///
    /// # Errors
    /// When there is none of that id, or the handler did not declare its workflow.
    pub async fn get(&self, id: &ExecutionId) -> Result<Meta, ClientError> {
        self.check_workflow("reads executions of workflow", id.workflow())?;
        self.ports.store.meta(id).await?.ok_or_else(|| ClientError::NotFound(id.clone()))
    }

    /// Waits until an execution has ended, for `longest` at most. Answers what is then known of it, ended or not.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub async fn wait(&self, id: &ExecutionId, longest: Duration) -> Result<Meta, ClientError> {
        let ended = self.once(id, Awaited::End, || {
            Box::pin(async {
                let meta = self.get(id).await?;
                Ok(meta.status.is_closed().then_some(meta))
            })
        });
        match tokio::time::timeout(longest, ended).await {
            Ok(known) => known,
            Err(_) => self.get(id).await,
        }
    }

    /// Looks for something at an execution, again whenever it has come on, until it is there. The caller says how long.
    pub(crate) async fn once<'a, T, E>(
        &self,
        id: &ExecutionId,
        awaited: Awaited,
        look: impl Fn() -> BoxFuture<'a, Result<Option<T>, E>>,
    ) -> Result<T, E> {
        loop {
            // Asked for before it is looked: what happens in between is not missed.
            let progress = self.ports.dispatch.progress(id, awaited);
            if let Some(found) = look().await? {
                return Ok(found);
            }
            progress.await;
        }
    }

    /// Sends a signal to an execution. When this returns, the signal will be received even if the caller dies.
    ///
    /// # Errors
    /// When there is no such execution, it has ended, or the handler did not declare the signal.
    pub async fn signal(&self, id: &ExecutionId, name: &str, payload: Payload) -> Result<(), ClientError> {
        self.check("sends signal", name, Need::Signal)?;
        fits::message("signal", name, &payload)?;
        let fact = Fact::Signal { id: self.unique(), name: name.to_owned(), payload };
        self.tell(id, fact).await
    }

    /// Asks an execution to cancel itself: the calls that its code waits for answer that they are cancelled, and the
    /// code may clean up. The first request counts; nothing is waited for.
    ///
    /// # Errors
    /// When there is no such execution, it has ended, or the handler did not declare its workflow.
    pub async fn cancel(&self, id: &ExecutionId, reason: &str) -> Result<(), ClientError> {
        self.check_workflow("cancels executions of workflow", id.workflow())?;
        self.tell(id, Fact::CancelRequested { reason: reason.to_owned() }).await
    }

    /// Ends an execution without its code: nothing is cleaned up. Also one that is parked or paused, or whose code keeps its
    /// thread. Children that it waits for are stopped as their calls say.
    ///
    /// # Errors
    /// As of [`cancel`](Self::cancel).
    pub async fn terminate(&self, id: &ExecutionId, reason: &str) -> Result<(), ClientError> {
        self.check_workflow("terminates executions of workflow", id.workflow())?;
        self.tell(id, Fact::Terminated { reason: reason.to_owned() }).await
    }

    /// Lets the code of an execution stand still; what happens meanwhile is kept.
    ///
    /// # Errors
    /// As of [`cancel`](Self::cancel).
    pub async fn pause(&self, id: &ExecutionId, reason: &str) -> Result<(), ClientError> {
        self.check_workflow("pauses executions of workflow", id.workflow())?;
        self.tell(id, Fact::Paused { id: self.unique(), reason: reason.to_owned() }).await
    }

    /// Lets a paused execution go on, and has a parked one tried again.
    ///
    /// # Errors
    /// As of [`cancel`](Self::cancel).
    pub async fn resume(&self, id: &ExecutionId) -> Result<(), ClientError> {
        self.check_workflow("resumes executions of workflow", id.workflow())?;
        self.tell(id, Fact::Resumed { id: self.unique() }).await
    }

    /// Asks the code of an execution, open or closed. It is replayed from its history for that, and nothing is recorded;
    /// so an answer takes as long as the history is long. The code in memory that takes turns is deliberately not asked:
    /// what answers a query may change what it has captured, and such code would not go with its history any more. One that
    /// stands still, paused or parked, answers as of the last turn that its code took; one that was only just started answers
    /// when its code has begun, for which this waits up to [`UPDATE_WAIT`].
    ///
    /// # Errors
    /// When there is no such execution, its code answers no such query or does not go with its history, or the handler
    /// did not declare its workflow.
    pub async fn query(&self, id: &ExecutionId, query: &str, input: Payload) -> Result<Outcome, ClientError> {
        fits::message("query", query, &input)?;
        let meta = self.get(id).await?;
        self.ask(meta, query, input).await
    }

    /// Asks the code of an execution.
    pub(crate) async fn ask(&self, meta: Meta, query: &str, input: Payload) -> Result<Outcome, ClientError> {
        if let Some(answer) = self.ask_elsewhere(&meta, query, &input).await? {
            return Ok(answer);
        }
        let turns = self.first_turns(&meta).await?;
        let request = QueryRequest { meta, turns, query: query.to_owned(), input };
        self.answering.query(request).await.map_err(ClientError::Unanswered)
    }

    /// The turns of an execution when there is one. Whoever asks one that has not begun by then is told that it answers nothing.
    async fn first_turns(&self, meta: &Meta) -> Result<Vec<Turn>, Fault> {
        let begun = self.once(&meta.id, Awaited::Turn, || {
            Box::pin(async {
                let turns = self.ports.store.turns(&meta.id, meta.superseded()).await?;
                Ok((!turns.is_empty() || meta.status.is_closed()).then_some(turns))
            })
        });
        tokio::time::timeout(UPDATE_WAIT, begun).await.unwrap_or_else(|_| Ok(Vec::new()))
    }

    /// The calls that an open execution waits for, as its code says that is replayed for it. Nothing is recorded.
    ///
    /// # Errors
    /// As of [`query`](Self::query).
    pub async fn waits_for(&self, id: &ExecutionId) -> Result<Vec<Open>, ClientError> {
        let meta = self.get(id).await?;
        if meta.status.is_closed() {
            return Ok(Vec::new());
        }
        let turns = self.ports.store.turns(id, meta.superseded()).await?;
        self.answering.waits(meta, turns).await.map_err(ClientError::Unanswered)
    }

    /// Starts an execution with `attributes`, if there is none of its id, and sends it a signal: one that has ended is not
    /// started again, and one that is there keeps its attributes.
    ///
    /// # Errors
    /// As of [`start`](Self::start) and [`signal`](Self::signal).
    pub async fn signal_with_start(
        &self,
        id: &ExecutionId,
        input: Payload,
        attributes: BTreeMap<String, Attribute>,
        (name, payload): (&str, Payload),
    ) -> Result<(), ClientError> {
        self.check("sends signal", name, Need::Signal)?;
        fits::message("signal", name, &payload)?;
        self.check_workflow("starts workflow", id.workflow())?;
        search::check_attributes(&attributes).map_err(ClientError::Name)?;
        let fact = Fact::Signal { id: self.unique(), name: name.to_owned(), payload };
        self.start_and_tell(id, Some((input, attributes)), fact).await
    }

    /// Sends a fact to an open execution, which is started first if there is none and an input for it.
    pub(crate) async fn start_and_tell(
        &self,
        id: &ExecutionId,
        start: Option<(Payload, BTreeMap<String, Attribute>)>,
        fact: Fact,
    ) -> Result<(), ClientError> {
        let Some((input, attributes)) = start else { return self.tell(id, fact).await };
        self.known_workflow(id.workflow())?;
        let meta = self.new_meta(id.clone(), input, attributes);
        match self.ports.store.insert(&meta).await? {
            Insert::Inserted => self.tell_open(&meta, fact).await,
            Insert::Exists(there) => self.tell_open(&there, fact).await,
        }
    }

    /// Refuses a workflow that is not part of this service.
    pub(crate) fn known_workflow(&self, workflow: &str) -> Result<(), ClientError> {
        if self.workflows.contains_key(workflow) {
            return Ok(());
        }
        Err(ClientError::UnknownWorkflow(workflow.to_owned()))
    }

    /// Sends a fact to an open execution.
    pub(crate) async fn tell(&self, id: &ExecutionId, fact: Fact) -> Result<(), ClientError> {
        let meta = self.ports.store.meta(id).await?.ok_or_else(|| ClientError::NotFound(id.clone()))?;
        self.tell_open(&meta, fact).await
    }

    /// Sends a fact to an execution of which this is known, if it is open.
    async fn tell_open(&self, meta: &Meta, fact: Fact) -> Result<(), ClientError> {
        if meta.status.is_closed() {
            return Err(ClientError::Closed(meta.id.clone(), meta.status.as_str()));
        }
        Ok(self.ports.dispatch.wake(&meta.id, &meta.message(vec![fact])).await?)
    }

    /// A name that nobody else chooses.
    #[must_use]
    pub fn unique(&self) -> String {
        let clock = &self.ports.clock;
        format!("{:016x}{:016x}", clock.entropy(), clock.entropy())
    }

    /// Publishes events.
    ///
    /// # Errors
    /// When the handler did not declare one of the events, or the bus refuses them.
    pub async fn emit(&self, events: &[Emitted]) -> Result<(), ClientError> {
        for event in events {
            self.check("publishes event", &event.name, Need::Event)?;
        }
        let key = format!("{:016x}", self.ports.clock.entropy());
        Ok(self.ports.dispatch.emit(&key, events).await?)
    }

    /// Lists executions, newest first. A page may have fewer than its limit although there are more; only the absence of
    /// `next` says that there are none.
    ///
    /// # Errors
    /// When the query exceeds a limit, the handler did not declare its workflow, or the store fails.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, ClientError> {
        self.check_list(query)?;
        Ok(self.ports.store.list(query).await?)
    }

    /// Counts executions, up to [`COUNT_MAX`](crate::limits::COUNT_MAX). Costs what listing them costs.
    ///
    /// # Errors
    /// As of [`list`](Self::list).
    pub async fn count(&self, query: &ListQuery) -> Result<Count, ClientError> {
        self.visit(query, |_| ()).await
    }

    /// The same, and shows each of them.
    pub(crate) async fn visit(
        &self,
        query: &ListQuery,
        see: impl FnMut(&Meta) + Send,
    ) -> Result<Count, ClientError> {
        self.check_list(query)?;
        Ok(search::visit(&*self.ports.store, query, see).await?)
    }

    fn check_list(&self, query: &ListQuery) -> Result<(), ClientError> {
        query.check().map_err(ClientError::Name)?;
        match &query.workflow {
            Some(workflow) => self.check("lists executions of workflow", workflow, Need::Workflow),
            None if self.user.is_some() => {
                Err(ClientError::Name("a handler lists the executions of one workflow".to_owned()))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) const fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(crate) fn check_workflow(&self, does: &'static str, workflow: &str) -> Result<(), ClientError> {
        self.check(does, workflow, Need::Workflow)
    }

    pub(crate) fn check(
        &self,
        does: &'static str,
        name: &str,
        need: fn(HandlerName) -> Need,
    ) -> Result<(), ClientError> {
        let Some(user) = &self.user else { return Ok(()) };
        let wanted = HandlerName::new(name).map_err(|error| ClientError::Name(error.to_string()))?;
        if user.1.contains(&need(wanted)) {
            return Ok(());
        }
        let name_in_code =
            if matches!(does, "sends signal" | "publishes event") { name.to_owned() } else { snake(name) };
        Err(ClientError::Undeclared { who: user.0.clone(), does, name: name.to_owned(), name_in_code })
    }
}

/// `processOrder` as the function is written: `process_order`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("user", &self.user).finish_non_exhaustive()
    }
}
