//! What a test can look into.

use std::time::Duration;

use eventual_engine::core::{Call, Status};
use eventual_testing::world::Delivery;

use crate::environment;
use crate::service::*;

#[test]
fn executions_histories_and_what_they_wait_for() {
    let env = environment();
    let waiting = env.start(daily(2)).unwrap();
    let ended = env.start(buy(Charge { account: "ada".into(), cents: 5 })).unwrap();
    let all: Vec<_> = env.executions().iter().map(|it| (it.id.to_string(), it.status)).collect();
    assert_eq!(
        all,
        [(waiting.id().to_owned(), Status::Running), (ended.id().to_owned(), Status::Succeeded)],
        "in the order in which they were started"
    );
    let [timer] = env.waits_for(&waiting).try_into().unwrap();
    assert!(matches!(timer.call, Call::Timer { due } if due == env.now() + 86_400_000), "{timer}");
    assert!(env.waits_for(&ended).is_empty());
    let [due] = env.due().try_into().unwrap();
    assert_eq!(due.at, env.now() + 86_400_000);
    assert!(matches!(&due.delivery, Delivery::Wake(id, _) if id.as_str() == waiting.id()), "{due}");
    assert_eq!(env.history(&ended).last().unwrap().number as usize, env.history(&ended).len());
    let story = env.story(&ended);
    for line in [
        "succeeded({\"account\":\"ada\",\"cents\":5})",
        "asked 0: task `charge`({\"account\":\"ada\",\"cents\":5})",
        "learnt: task of call 0, attempt 1, succeeded with \"5 by charge\"",
        "event `Bought` {\"account\":\"ada\"}",
    ] {
        assert!(story.contains(line), "{line} is not in\n{story}");
    }
    let run = env.execution(&ended).run.unwrap();
    assert_eq!(env.published()[0].key, format!("{}#2@{run}", ended.id()));
}

#[test]
fn what_was_given_up_says_why() {
    let env = environment();
    env.emit(Bought { account: "nobody".into() }).unwrap();
    env.advance(Duration::from_secs(60));
    let [dead] = env.dead_letters().try_into().unwrap();
    assert_eq!(dead.reason, "failed with NoAddress: nobody to thank");
    assert!(dead.to_string().starts_with("event `Bought` to subscription `thank`"), "{dead}");
    assert_eq!(env.calls(thank).len(), 3);
}

#[test]
fn who_waits_for_the_test_says_for_what() {
    let env = environment();
    let error = env.call(wait_for_go()).unwrap_err().to_string();
    assert!(error.contains("only the test can do") && error.contains("wait for signal `Go`"), "{error}");
}
