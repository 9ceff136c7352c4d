//! A service as strangers write them: nested types, enums, generics, twelve commands, workflows with loops, `join!` and
//! `select!` of tokio and futures. It is registered, described and run without any help.
#![forbid(unsafe_code)]

mod service;
mod workflows;

use std::time::Duration;

use eventual::{CallError, Execution};
use eventual_testing::TestEnvironment;
use service::*;

fn environment() -> TestEnvironment {
    TestEnvironment::with_state(eventual::service!(name = "zoo"), Keeper { name: "Ada".to_owned() })
}

#[test]
fn the_manifest_of_a_stranger() {
    let service =
        eventual::service!(name = "zoo", auth = jwt(issuer = "https://issuer.example", audience = ["zoo"]));
    expect_test::expect_file!["manifest.json"].assert_eq(&service.manifest().to_json());
    let state: Vec<&str> = service
        .manifest()
        .functions
        .iter()
        .filter(|it| service.needs_state(&it.handlers))
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(state, ["command-keeper"]);
}

#[test]
fn commands_take_nested_types_state_and_nothing() {
    let zoo = environment();
    let animal = Animal { name: "Leo".to_owned(), kind: Kind::Cat { lives: 9 }, age: None, friends: vec![] };
    let page = zoo.call(list_animals(List { animals: vec![animal.clone()], limit: 0 })).unwrap();
    assert_eq!(page, Page { items: vec![animal], next: None });
    assert_eq!(zoo.call(keeper()).unwrap(), "Ada");
    assert!(!zoo.call(is_open()).unwrap(), "false survives");
    assert_eq!(zoo.call(count_of(0)).unwrap(), 0);
    assert_eq!(zoo.call(nothing_of(None)).unwrap(), None);
    assert_eq!(zoo.call(empty(String::new())).unwrap(), "");
    zoo.call(close()).unwrap();
    assert_eq!(zoo.call(nick_of(people::User { nick: "Al".to_owned() })).unwrap(), "Al");
}

#[test]
fn errors_stay_what_they_are() {
    let zoo = environment();
    assert!(matches!(zoo.call(feed(Food { grams: 0 })), Err(CallError::Failed(FeedError::Empty))));
    let Err(CallError::Failed(FeedError::TooMuch { grams })) = zoo.call(feed(Food { grams: 5_001 })) else {
        panic!("fed")
    };
    assert_eq!(grams, 5_001);
    let error: eventual::Error = zoo.call(feed(Food { grams: 0 })).unwrap_err().into();
    assert_eq!((error.class.as_str(), error.status), ("FeedError::Empty", 422));
    let error: eventual::Error = zoo.call(parse("x".to_owned())).unwrap_err().into();
    assert_eq!((error.class.as_str(), error.status), ("ParseIntError", 500));
    assert!(matches!(zoo.call(explode(())), Err(CallError::Crashed(message)) if message.contains("kaboom")));
    assert_eq!(zoo.call(count_of(3)).unwrap(), 3, "a panic fails its call and nothing else");
    let Err(CallError::Failed(error)) = zoo.call(undeclared(1)) else { panic!("started") };
    assert!(error.message.contains("uses(day)"), "{error}");
}

#[test]
fn calls_in_the_wrong_place_say_where_they_belong() {
    use futures_util::FutureExt;
    let Some(Err(CallError::Invalid(error))) = count_of(1).now_or_never() else { panic!("answered") };
    assert!(error.message.contains("eventual_testing::TestEnvironment"), "{error}");
    let told = environment().call(misuse()).unwrap();
    for (text, part) in told.iter().zip([
        "task `nickOf` is called outside of a workflow",
        "workflow `day` is awaited outside of a workflow: start it with `.start()`",
        "a durable timer is awaited outside of a workflow",
        "signal `Visitor` is awaited outside of a workflow",
        "`.start()` is for calls of workflows",
    ]) {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(told.len(), 5);
}

#[test]
fn workflows_of_every_form_end() {
    let zoo = environment();
    assert_eq!(zoo.call(workflows::day(3)).unwrap(), ["fed 1", "fed 2", "fed 3"]);
    assert_eq!(zoo.call(workflows::both(())).unwrap(), (2, 4));
    assert_eq!(zoo.call(workflows::many(20)).unwrap(), (1..=20).sum::<u64>());
    assert_eq!(zoo.call(workflows::branches(())).unwrap(), [1, 2, 3]);
    assert_eq!(zoo.call(workflows::parent(())).unwrap(), "child of parent");
    assert!(zoo.call(workflows::patience(())).unwrap(), "a task's own time-out and a signal's");
    assert_eq!(zoo.call(workflows::recover(())).unwrap(), "FeedError::TooMuch");
    let (uuid, again) = zoo.call(workflows::chance(())).unwrap();
    assert!(uuid.len() == 36 && uuid != again);
}

#[test]
fn signals_and_events_arrive() {
    let zoo = environment();
    let execution = zoo.start(workflows::wait_for_visitors(2).key("monday")).unwrap();
    assert_eq!(execution.id(), "waitForVisitors/monday");
    zoo.call(visit(Visit { execution: Execution::from(&execution), name: "Bo".to_owned() })).unwrap();
    assert!(zoo.result(&execution).is_none());
    zoo.signal(&execution, Visitor { name: "Cy".to_owned() }).unwrap();
    assert_eq!(zoo.run(&execution).unwrap(), ["Bo", "Cy"]);
    assert_eq!(zoo.emitted::<Visited>().len(), 1, "the command's");
    assert_eq!(zoo.emitted::<Greeted>(), [Greeted { name: "Bo".to_owned() }], "the subscription's");
    zoo.advance(Duration::from_secs(1));
}

#[test]
fn a_task_is_tried_again_as_its_attribute_says() {
    let zoo = environment();
    let began = zoo.now();
    assert_eq!(zoo.call(workflows::persistent(())).unwrap(), 3);
    assert_eq!(zoo.now() - began, 2_000 + 6_000, "two pauses, the second three times as long");
}
