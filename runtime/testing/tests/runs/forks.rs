//! Forks whose origin is gone before its turns were copied, and forks of executions that stand still.

use eventual_engine::core::{Fact, Status};

use crate::raw::id;
use crate::stage::{HOUR, Stage};

#[test]
fn a_fork_whose_origin_is_forgotten_says_so_and_stands_still() {
    let stage = Stage::new();
    let origin = stage.start("collect/a", "2");
    let fork = stage.client(|it| it.fork(&origin, 1, Some("b")));
    let begins = stage.hold();
    stage.end_and_forget(&origin);
    stage.give_back(begins);
    assert_eq!((stage.status(&fork), stage.turns(&fork)), (Status::Parked, 0));
    let why = stage.parked(&fork).unwrap();
    assert!(why.contains("turn 1 of collect/a") && why.contains("forgotten"), "{why}");
    assert_eq!(stage.world.dead_letters(), [], "nobody tried in vain");
    // What comes is kept, and it never takes its own turns for the copies.
    for number in ["1", "2", "3"] {
        stage.signal(&fork, number);
    }
    assert_eq!((stage.status(&fork), stage.parked(&fork)), (Status::Parked, Some(why)));
    let facts = stage.facts(&fork);
    assert_eq!(facts.len(), 4, "{facts:?}");
    assert_eq!(facts[0], Fact::Forked { to: fork.clone(), turn: 0 }, "it has nothing of its origin");
    stage.client(|it| it.terminate(&fork, "it cannot go on"));
    stage.settle();
    assert_eq!(stage.status(&fork), Status::Terminated);
    let refused = stage.world.peek(&origin, |meta, _| meta.status);
    assert_eq!(refused, Some(Status::Terminated), "and its origin is what it was");
}

#[test]
fn a_fork_does_not_go_on_from_the_turns_of_a_later_execution_of_its_origins_name() {
    let stage = Stage::new();
    let origin = stage.start("collect/a", "2");
    let fork = stage.client(|it| it.fork(&origin, 1, Some("b")));
    let begins = stage.hold();
    stage.end_and_forget(&origin);
    stage.start("collect/a", "1");
    stage.give_back(begins);
    assert_eq!((stage.status(&fork), stage.turns(&fork)), (Status::Parked, 0));
}

#[test]
fn what_is_known_to_be_gone_is_not_forked() {
    let stage = Stage::new();
    let origin = stage.start("collect/a", "2");
    stage.end_and_forget(&origin);
    let host = stage.another();
    let refused = host.refused(|it| it.fork(&origin, 1, Some("b")));
    assert!(refused.contains("there is no execution collect/a"), "{refused}");
}

#[test]
fn the_timers_of_a_paused_executions_fork_are_its_own() {
    let stage = Stage::new();
    let origin = stage.start("sleeps/a", "null");
    stage.client(|it| it.pause(&origin, "to look at it"));
    stage.settle();
    let last = stage.world.history(&origin).last().unwrap().number;
    let fork = stage.client(|it| it.fork(&origin, last, Some("b")));
    stage.settle();
    assert_eq!(stage.status(&fork), Status::Paused, "as its origin was");
    stage.client(|it| it.resume(&fork));
    stage.settle();
    assert_eq!(stage.timers(&fork).len(), 1, "armed for it, too");
    stage.advance(2 * HOUR);
    assert_eq!(stage.end(&fork).as_deref(), Some("null"));
    assert_eq!(stage.status(&id("sleeps/a")), Status::Paused);
}
