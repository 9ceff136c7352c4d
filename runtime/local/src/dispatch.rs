//! The engine's deliveries: into the queue. How surely something is kept before the engine is told so depends on who sends
//! it: what a turn or a task causes is caused again after a crash, what comes from outside is not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use eventual_core::{Emitted, ExecutionId, Fact, Millis};
use eventual_engine::codec::ForwardMessage;
use eventual_engine::ports::{
    Awaited, BoxFuture, Dispatch, Fault, Forward, Forwarded, Message, TaskRequest, Timer,
};

use crate::delivery::Delivery;
use crate::host::Host;
use crate::queue::Item;
use crate::store::LocalStore;
use crate::store::keys::Place;

/// The place of a task that is being performed, until its outcome is on its way.
pub(crate) type TaskPlace = Arc<Mutex<Option<Place>>>;

/// Why a delivery that is lost in a crash comes again.
#[derive(Clone, Debug)]
pub(crate) enum Cover {
    /// The store knows that this attempt is being performed.
    Task(TaskPlace),
    /// The store knows that this execution's last turn may not be delivered.
    Turn,
}

tokio::task_local! {
    /// Set around the engine's verbs by the host.
    pub(crate) static COVER: Cover;
}

/// Delivery on this machine.
#[derive(Debug)]
pub(crate) struct LocalDispatch {
    store: Arc<LocalStore>,
    /// Names of the subscriptions of each event.
    subscriptions: BTreeMap<String, Vec<String>>,
    /// Who has former programs.
    host: Weak<Host>,
}

impl LocalDispatch {
    /// Delivery through `store`'s queue. `subscriptions` are pairs of event and subscription.
    pub(crate) fn new(
        store: Arc<LocalStore>,
        subscriptions: impl IntoIterator<Item = (String, String)>,
        host: Weak<Host>,
    ) -> Self {
        let mut by_event: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (event, subscription) in subscriptions {
            by_event.entry(event).or_default().push(subscription);
        }
        Self { store, subscriptions: by_event, host }
    }

    async fn send(&self, due: Millis, deliveries: Vec<Delivery>) -> Result<(), Fault> {
        if deliveries.is_empty() {
            return Ok(());
        }
        if !matches!(COVER.try_with(Clone::clone), Ok(Cover::Turn)) {
            return self.store.queue.push(due, deliveries).await;
        }
        for delivery in deliveries {
            self.store.queue.note(due, delivery);
        }
        Ok(())
    }
}

#[async_trait]
impl Dispatch for LocalDispatch {
    async fn wake(&self, id: &ExecutionId, message: &Message) -> Result<(), Fault> {
        let delivery = Delivery::Wake(id.clone(), message.clone());
        let answers = |it: &Fact| {
            matches!(it, Fact::TaskDeferred { .. } | Fact::TaskDone { .. } | Fact::TaskLost { .. })
        };
        if message.facts.is_empty() {
            // The store's insertion has caused the first wake-up; this one only looks again, unless that is to come.
            self.store.queue.look(id);
            return Ok(());
        }
        if message.facts.iter().all(answers)
            && let Ok(Cover::Task(place)) = COVER.try_with(Clone::clone)
            && let Some(place) = place.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            // The attempt's own place is removed only when the execution has recorded how it ended.
            self.store.queue.fresh(Item { delivery, place: Some(place), redelivered: false });
            return Ok(());
        }
        self.send(self.store.queue.soon(), vec![delivery]).await
    }

    async fn task(&self, request: &TaskRequest) -> Result<(), Fault> {
        self.send(self.store.queue.soon(), vec![Delivery::Task(Box::new(request.clone()))]).await
    }

    async fn timer(&self, timer: &Timer) -> Result<(), Fault> {
        self.send(timer.due, vec![Delivery::Wake(timer.execution.clone(), timer.message())]).await
    }

    async fn emit(&self, _key: &str, events: &[Emitted]) -> Result<(), Fault> {
        let mut deliveries = Vec::new();
        for event in events {
            for subscription in self.subscriptions.get(&event.name).into_iter().flatten() {
                let (subscription, event) = (subscription.clone(), event.clone());
                deliveries.push(Delivery::Event { subscription, event, tried: 0 });
            }
        }
        self.send(self.store.queue.soon(), deliveries).await
    }

    async fn forward(&self, code: &str, id: &ExecutionId, forward: &Forward) -> Result<Forwarded, Fault> {
        let (execution, code, forward) = (id.clone(), code.to_owned(), forward.clone());
        match self.host.upgrade() {
            Some(host) => host.forward(ForwardMessage { execution, code, forward }).await,
            None => Err(Fault::new(format!("forward for {id}"), "this program is being stopped")),
        }
    }

    fn progress(&self, id: &ExecutionId, awaited: Awaited) -> BoxFuture<'static, ()> {
        Box::pin(self.store.watch.wait(id, awaited))
    }
}
