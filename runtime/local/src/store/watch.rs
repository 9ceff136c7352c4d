//! Who waits for what becomes of an execution. Deliberately only says that it is time to look: what there is to see is in the
//! tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventual_core::ExecutionId;
use eventual_engine::ports::Awaited;
use tokio::sync::oneshot;

type Waiting = HashMap<ExecutionId, Vec<(Awaited, oneshot::Sender<()>)>>;

/// Those who wait, by execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    waiting: Arc<Mutex<Waiting>>,
}

impl Watch {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when [`Watch::tell`] is called after this.
    pub(crate) fn wait(&self, id: &ExecutionId, awaited: Awaited) -> impl Future<Output = ()> + use<> {
        let (sender, receiver) = oneshot::channel();
        self.waiting().entry(id.clone()).or_default().push((awaited, sender));
        let mut place = Waits { watch: self.clone(), id: id.clone(), receiver };
        async move {
            // An error is as good: whoever waits looks again.
            let _ = (&mut place.receiver).await;
        }
    }

    /// A turn was written; or the end, for which those wait too who wait for a turn.
    pub(crate) fn tell(&self, id: &ExecutionId, what: Awaited) {
        let mut waiting = self.waiting();
        let Some(all) = waiting.get_mut(id) else { return };
        let told = |awaited: Awaited| what == Awaited::End || awaited == Awaited::Turn;
        for (_, sender) in all.extract_if(.., |it| told(it.0)) {
            // Nobody minds who has gone.
            let _ = sender.send(());
        }
        if all.is_empty() {
            waiting.remove(id);
        }
    }
}

/// One who waits, listed until it is told or gives up.
struct Waits {
    watch: Watch,
    id: ExecutionId,
    receiver: oneshot::Receiver<()>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.receiver.close();
        let mut waiting = self.watch.waiting();
        let Some(all) = waiting.get_mut(&self.id) else { return };
        all.retain(|(_, sender)| !sender.is_closed());
        if all.is_empty() {
            waiting.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_ready(wait: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::from_millis(1), wait).await.is_ok()
    }

    #[tokio::test]
    async fn who_waits_for_a_turn_is_told_of_every_one_and_nobody_stays_listed() {
        let watch = Watch::default();
        let (id, other) = (ExecutionId::new("w", "a").unwrap(), ExecutionId::new("w", "b").unwrap());
        let waits = || {
            (watch.wait(&id, Awaited::Turn), watch.wait(&id, Awaited::End), watch.wait(&other, Awaited::End))
        };
        let (turn, end, elsewhere) = waits();
        watch.tell(&id, Awaited::Turn);
        assert!(is_ready(turn).await && !is_ready(end).await && !is_ready(elsewhere).await);
        let (turn, end, elsewhere) = waits();
        watch.tell(&id, Awaited::End);
        assert!(is_ready(turn).await && is_ready(end).await && !is_ready(elsewhere).await);
        assert!(watch.waiting().is_empty(), "{watch:?}");
    }
}
