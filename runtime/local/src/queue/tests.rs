//! A delivery that nobody can read goes to the dead letters and holds nothing up; one that is written while the table is read is made
//! once.

use eventual_core::ExecutionId;
use eventual_engine::ports::Message;

use super::*;
use crate::store::LocalStore;

/// A deadline for what the test waits for.
const LONGEST: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_nobody_can_read_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let id = ExecutionId::new("order", "17").unwrap();
    let store = LocalStore::open(folder.path(), 1_000).unwrap();
    let place = Place { due: 5, order: 0 };
    let poison = Change::Put(Table::Queue, place.key(), b"w\xff".to_vec());
    store.group.write(|| "poison".to_owned(), None, vec![poison]).await.unwrap();
    let wake = Delivery::Wake(id.clone(), Message::default());
    store.queue.push(6, vec![wake]).await.unwrap();
    drop(store);
    let store = LocalStore::open(folder.path(), 1_000).unwrap();
    let next = tokio::time::timeout(LONGEST, store.queue.next()).await.unwrap().unwrap();
    assert!(matches!(next.delivery, Delivery::Wake(woken, _) if woken == id));
    store.group.barrier().await.unwrap();
    assert_eq!(store.dead_letters(5).unwrap().len(), 1);
    drop(store);
    let store = LocalStore::open(folder.path(), 1_000).unwrap();
    assert!(
        matches!(store.queue.next().await.unwrap().delivery, Delivery::Wake(..)),
        "the poison is gone for good"
    );
}

/// Takes what is due until nothing is for a moment; how many there were.
async fn taken(store: &LocalStore) -> usize {
    let mut count = 0;
    while tokio::time::timeout(Duration::from_millis(100), store.queue.next()).await.is_ok() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn what_is_durable_and_not_made_known_yet_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), 1_000).unwrap();
    let wake = || vec![Delivery::Wake(ExecutionId::new("order", "17").unwrap(), Message::default())];
    let mut pushed = Box::pin(store.queue.push(6, wake()));
    assert!(futures_util::poll!(&mut pushed).is_pending());
    store.group.barrier().await.unwrap();
    // The table is read for the first time, and has it.
    assert_eq!(taken(&store).await, 0, "whoever wrote it is to make it known");
    pushed.await.unwrap();
    assert_eq!(taken(&store).await, 1);

    let mut pushed = Box::pin(store.queue.push(7, wake()));
    assert!(futures_util::poll!(&mut pushed).is_pending());
    store.group.barrier().await.unwrap();
    drop(pushed);
    assert_eq!(taken(&store).await, 1, "it is there, although nobody waits for that any more");
}
