//! Tasks whose heartbeat stops.

use eventual::{CallError, Result, Retry};
use eventual_engine::core::Fact;
use eventual_testing::world::START;
use serde_json::json;

use crate::script::{done, play};

#[eventual::task(heartbeat = "10s")]
async fn pump() -> Result<String> {
    Ok(String::new())
}

#[eventual::workflow]
async fn pumps() -> Result<String> {
    Ok(pump().retry(Retry::attempts(1)).await?)
}

/// Notices that the heartbeat has stopped.
#[eventual::workflow]
async fn notices() -> String {
    match pump().retry(Retry::attempts(1)).await {
        Err(CallError::HeartbeatLost) => "lost".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A look at the first attempt after so many seconds.
fn look(seconds: u64) -> Fact {
    Fact::HeartbeatDue { seq: 0, attempt: 1, period_ms: 10_000, due: START + seconds * 1_000 }
}

#[test]
fn a_heartbeat_that_stops_fails_the_call() {
    play(pumps(), |it| {
        it.asks(&["0 pump()"]);
        it.beats(0);
        it.at(9);
        it.told([look(9)]);
        it.waits();
        assert_eq!(it.turns().len(), 1, "a look at what lives leaves nothing behind");
        it.at(10);
        it.told([look(10)]);
        it.fails("HeartbeatLost", &CallError::<eventual::Error>::HeartbeatLost.to_string());
    });
}

#[test]
fn a_heartbeat_that_stops_after_the_answer_is_nothing() {
    play(pumps(), |it| {
        it.asks(&["0 pump()"]);
        it.beats(0);
        it.told([done(0, "done")]);
        it.at(100);
        it.told([look(100)]);
        it.ends(json!("done"));
    });
}

#[test]
fn a_lost_heartbeat_is_caught_by_its_name() {
    play(notices(), |it| {
        it.asks(&["0 pump()"]);
        it.beats(0);
        it.at(10);
        it.told([look(10)]);
        it.ends(json!("lost"));
    });
}
