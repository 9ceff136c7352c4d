//! What every store keeps of attempts: signs of life, progress, cancellation and one outcome.

use eventual_engine::core::{Failure, Outcome, Payload};
use eventual_engine::ports::{AttemptRecord, Beat, Completed, Fault, Meta, Store};

/// Longest difference between a store's clock and the caller's, in milliseconds.
const CLOCKS_MS: u64 = 60_000;

pub(super) async fn all(store: &dyn Store, execution: &Meta) -> Result<(), Fault> {
    store.insert(execution).await?;
    heartbeats_keep_progress(store, execution).await?;
    who_is_cancelled_learns_it(store, execution).await?;
    an_attempt_has_one_outcome(store, execution).await
}

async fn heartbeats_keep_progress(store: &dyn Store, execution: &Meta) -> Result<(), Fault> {
    let (now, at) = (execution.started, |seq, attempt| execution.attempt(seq, attempt));
    assert_eq!(store.attempt_of(&at(1, 1)).await?, None, "nobody took it");
    assert!(store.claim(&at(1, 1), 60_000).await?);
    let record = store.attempt_of(&at(1, 1)).await?.unwrap_or_default();
    assert!(record.beaten > 0, "a claim is a sign of life");
    assert_eq!(AttemptRecord { beaten: 0, ..record.clone() }, AttemptRecord::default());
    let later = record.beaten.max(now) + CLOCKS_MS;
    let half: Payload = "{\"done\":false}".into();
    assert_eq!(store.heartbeat(&at(1, 1), later, Some(&half)).await?, Beat { cancelled: false });
    assert_eq!(store.heartbeat(&at(1, 1), later + 7, None).await?, Beat { cancelled: false });
    let record = store.attempt_of(&at(1, 1)).await?.unwrap_or_default();
    assert_eq!(
        (record.beaten, record.details),
        (later + 7, Some(half)),
        "a heartbeat without details keeps those before"
    );
    assert_eq!(store.attempt_of(&at(1, 2)).await?, None, "another attempt is another record");
    assert!(!store.claim(&at(1, 1), 60_000).await?, "it is still the first worker's");
    Ok(())
}

async fn who_is_cancelled_learns_it(store: &dyn Store, execution: &Meta) -> Result<(), Fault> {
    let (now, at) = (execution.started, |seq, attempt| execution.attempt(seq, attempt));
    assert!(store.claim(&at(2, 1), 60_000).await?);
    assert_eq!(store.cancel_attempt(&at(2, 1)).await?, None);
    assert_eq!(store.cancel_attempt(&at(2, 1)).await?, None, "twice is once");
    assert_eq!(store.heartbeat(&at(2, 1), now, None).await?, Beat { cancelled: true });
    let late = Outcome::Succeeded("1".into());
    assert_eq!(store.complete_attempt(&at(2, 1), &late).await?, Completed::Cancelled);
    assert_eq!(store.attempt_of(&at(2, 1)).await?.and_then(|it| it.outcome), None);
    store.cancel_attempt(&at(2, 2)).await?;
    assert!(!store.claim(&at(2, 2), 60_000).await?, "what nobody waits for is not begun");
    Ok(())
}

async fn an_attempt_has_one_outcome(store: &dyn Store, execution: &Meta) -> Result<(), Fault> {
    let at = |seq, attempt| execution.attempt(seq, attempt);
    assert!(store.claim(&at(3, 1), 60_000).await?);
    let first = Outcome::Failed(Failure { data: "[0]".into(), ..Failure::new("E", "no", 402) });
    assert_eq!(store.complete_attempt(&at(3, 1), &first).await?, Completed::Kept);
    let second = Outcome::Succeeded("null".into());
    assert_eq!(store.complete_attempt(&at(3, 1), &second).await?, Completed::Before(first.clone()));
    assert_eq!(store.cancel_attempt(&at(3, 1)).await?, Some(first.clone()), "an answer comes before a loss");
    assert_eq!(store.complete_attempt(&at(3, 1), &second).await?, Completed::Before(first.clone()));
    assert_eq!(store.attempt_of(&at(3, 1)).await?.and_then(|it| it.outcome), Some(first));
    let large = Outcome::Succeeded(Payload::from(format!("\"{}\"", "x".repeat(super::LARGE_BYTES)).as_str()));
    assert_eq!(store.complete_attempt(&at(3, 2), &large).await?, Completed::Kept);
    assert_eq!(store.attempt_of(&at(3, 2)).await?.and_then(|it| it.outcome), Some(large));
    Ok(())
}
