//! What a test puts in the place of handlers.

use std::time::Duration;

use eventual::{CallError, Result};

use crate::environment;
use crate::service::*;

fn order() -> Charge {
    Charge { account: "ada".to_owned(), cents: 5 }
}

fn declined(reason: &str) -> ChargeError {
    ChargeError::Declined { reason: reason.to_owned() }
}

#[test]
fn answers_come_in_the_order_in_which_they_were_given() {
    let env = environment();
    assert_eq!(env.call(say_how(order())).unwrap(), "5 by charge", "without a mock the task itself runs");
    env.mock(charge).fail(declined("no")).once().succeed("a".into()).times(2).crash("broken");
    let answers: Vec<String> = (0..4).map(|_| env.call(say_how(order())).unwrap()).collect();
    assert_eq!(answers[..3], ["no", "a", "a"]);
    assert!(answers[3].contains("Crashed") && answers[3].contains("broken"), "{}", answers[3]);
    env.mock(charge).succeed("standing".into());
    env.mock(charge).fail(declined("once")).once();
    assert_eq!(env.call(say_how(order())).unwrap(), "once");
    assert_eq!(env.call(say_how(order())).unwrap(), "standing", "what stood before stands again");
    env.mock(charge).real().once();
    assert_eq!(env.call(say_how(order())).unwrap(), "5 by charge");
    env.mock(charge).reset();
    assert_eq!(env.call(say_how(order())).unwrap(), "5 by charge");
    env.mock(charge).succeed("x".into());
    env.reset_mocks();
    assert_eq!(env.call(say_how(order())).unwrap(), "5 by charge");
}

#[test]
fn a_time_out_takes_the_time_of_every_attempt() {
    let env = environment();
    env.mock(charge).time_out();
    let began = env.now();
    assert_eq!(env.call(say_how(order())).unwrap(), "Timeout");
    assert_eq!(env.now() - began, 3 * 30_000, "three attempts of thirty seconds");
    let attempts: Vec<u32> = env.calls(charge).iter().map(|it| it.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
    env.mock(charge).lose_heartbeat();
    assert_eq!(env.call(say_how(order())).unwrap(), "HeartbeatLost");
    env.mock(note).time_out();
    assert!(matches!(env.call(daily(1)), Err(CallError::Failed(error)) if error.class == "Timeout"));
}

#[test]
fn code_of_the_test_runs_instead() {
    let env = environment();
    env.mock(charge).invoke(|it| if it.cents > 5 { Err(declined("dear")) } else { Ok(it.account) });
    assert_eq!(env.call(say_how(order())).unwrap(), "ada");
    assert_eq!(env.call(say_how(Charge { cents: 6, ..order() })).unwrap(), "dear");
    env.mock(charge).invoke_async(|it| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(format!("slowly {}", it.cents))
    });
    assert_eq!(env.call(say_how(order())).unwrap(), "slowly 5");
    env.mock(note).invoke(|it| Ok(it.to_uppercase()));
    assert_eq!(env.call(buy(order())).unwrap(), "SLOWLY 5", "an inline task too");
    let given: Vec<u64> = env.calls(charge).iter().map(|it| it.input.cents).collect();
    assert_eq!(given, [5, 6, 5, 5]);
}

#[test]
fn a_workflow_that_is_mocked_does_not_run_its_code() {
    let mut env = environment();
    env.mock(buy).succeed("bought".into());
    assert_eq!(env.call(order_for("ada".into())).unwrap(), "bought");
    assert!(env.calls(charge).is_empty());
    assert_eq!(env.calls(buy)[0].input.account, "ada");
    env.mock(buy).fail(eventual::Error::new("SoldOut", "all gone"));
    assert!(matches!(env.call(order_for("ada".into())), Err(CallError::Failed(it)) if it.class == "SoldOut"));
    env.mock(buy).invoke_async(|it| async move {
        eventual::sleep(Duration::from_secs(60)).await?;
        Result::Ok(note(it.account).await?)
    });
    let execution = env.start(order_for("eve".into())).unwrap();
    env.restart();
    assert_eq!(env.run(&execution).unwrap(), "eve", "code of the test is durable too");
}

#[test]
fn a_held_call_ends_when_the_test_says_or_its_time_is_over() {
    let env = environment();
    env.mock(charge).hold();
    let paid = env.start(say_how(order())).unwrap();
    let refused = env.start(say_how(Charge { cents: 6, ..order() })).unwrap();
    env.advance(Duration::from_secs(10));
    let mut held = env.held(charge);
    assert_eq!(held.iter().map(|it| it.input().cents).collect::<Vec<_>>(), [5, 6]);
    held.remove(1).fail(declined("by hand"));
    held.remove(0).succeed("paid".into());
    assert_eq!(env.result(&paid), Some(Ok("paid".into())));
    assert_eq!(env.result(&refused), Some(Ok("by hand".into())));
    assert!(env.held(charge).is_empty());
    let late = env.start(say_how(order())).unwrap();
    env.advance(Duration::from_secs(91));
    assert_eq!(env.result(&late), Some(Ok("Timeout".into())), "after three attempts");

    env.mock(buy).hold();
    let ended = env.start(order_for("ada".into())).unwrap();
    env.held(buy).remove(0).succeed("child".into());
    assert_eq!(env.result(&ended), Some(Ok("child".into())));
    assert_eq!(env.call(order_for("ada".into())).unwrap(), "too late", "its caller waits for an hour");
}

#[test]
#[should_panic(expected = "an inline task runs within the turn")]
fn an_inline_task_cannot_be_held() {
    let _mock = environment().mock(note).hold();
}

#[test]
#[should_panic(expected = "is no handler by itself")]
fn only_handlers_can_be_mocked() {
    let _mock = environment().mock(|it: Charge| charge(it));
}

#[test]
fn subscriptions_can_be_mocked_and_switched_off() {
    let env = environment();
    env.mock(thank).fail(eventual::Error::new("Busy", "later")).once().succeed(());
    env.emit(Bought { account: "ada".into() }).unwrap();
    env.advance(Duration::from_secs(5));
    assert_eq!(env.calls(thank).len(), 2, "the event came again");
    assert!(env.dead_letters().is_empty());
    env.disable_subscriptions(true);
    env.emit(Bought { account: "eve".into() }).unwrap();
    assert_eq!((env.calls(thank).len(), env.emitted::<Bought>().len()), (2, 2));
    env.disable_subscriptions(false);
    env.emit(Bought { account: "eve".into() }).unwrap();
    assert_eq!(env.calls(thank)[2].input.account, "eve");
}
