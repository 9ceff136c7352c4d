//! `select!` polls its branches in any order, and stops at one that is ready. What it came to before, and dropped, was never
//! asked for; so chance decides nothing, neither in this process nor in the next one.

use std::cell::Cell;
use std::rc::Rc;

use eventual::Result;
use serde_json::json;

use crate::script::{came, done, play};
use crate::service::{Go, aside, count, first, s, second};

/// How often each is played: often enough for both orders.
const TIMES: usize = 10;

/// A step, or a condition that holds already.
#[eventual::workflow]
async fn has_a_choice() -> Result<String> {
    let chosen = tokio::select! {
        it = first(s("slow")) => it?,
        () = eventual::until(|| true) => s("at once"),
    };
    second(chosen).await?;
    Ok(s("done"))
}

#[test]
fn a_branch_that_is_ready_leaves_no_trace_of_the_others() {
    for _ in 0..TIMES {
        play(has_a_choice(), |it| {
            it.restart();
            it.wake();
            let seqs: Vec<String> = it.turns()[0].calls.iter().map(|(seq, _)| seq.to_string()).collect();
            assert_eq!(seqs, ["1"], "the first was built, and dropped");
            it.asks(&["1 second(\"at once\")"]);
            it.told([done(1, "")]);
            it.ends(json!("done"));
        });
    }
}

/// Handles signals one by one until its branch has ended, which it may do while a signal is handled.
#[eventual::workflow]
async fn works_beside_a_branch() -> Result<u32> {
    let mut branch = eventual::spawn(aside(s("branch")));
    let mut handled = 0;
    loop {
        tokio::select! {
            ended = &mut branch => { ended?; break }
            number = Go::next() => {
                count(number?.0).await?;
                handled += 1;
            }
        }
    }
    second(handled.to_string()).await?;
    Ok(handled)
}

#[test]
fn a_branch_may_end_while_the_code_is_elsewhere() {
    for _ in 0..TIMES {
        play(works_beside_a_branch(), |it| {
            it.asks(&["0 aside(\"branch\")", "1 wait Go"]);
            it.told([came("1", "Go", 7)]);
            it.asks(&["2 count(7)"]);
            it.told([done(0, "")]);
            it.waits();
            it.told([done(2, 7)]);
            let last = it.turns().pop().unwrap().calls;
            assert_eq!(last.len(), 1, "it waits for no other signal: {last:?}");
            it.asks(&[&format!("{} second(\"1\")", last[0].0)]);
            it.told([done(last[0].0, "")]);
            it.ends(json!(1));
        });
    }
}

/// Branches that build their calls when they are polled, each more than it asks for at once.
#[eventual::workflow]
async fn builds_ahead() -> Result<Vec<String>> {
    let one = async {
        let (now, later) = (first(s("a")), second(s("a")));
        Result::<Vec<String>>::Ok(vec![now.await?, later.await?])
    };
    let other = async {
        let (now, later) = (first(s("b")), second(s("b")));
        Result::<Vec<String>>::Ok(vec![now.await?, later.await?])
    };
    let flag = Rc::new(Cell::new(0));
    tokio::pin!(one, other);
    let mut all = Vec::new();
    while flag.get() < 2 {
        tokio::select! {
            it = &mut one, if flag.get() != 1 => { all.extend(it?); flag.set(flag.get() + 1); }
            it = &mut other, if all.is_empty() || all[0] == "a" => { all.extend(it?); flag.set(flag.get() + 2); }
        }
    }
    Ok(all)
}

#[test]
fn what_is_built_ahead_gets_a_number_that_nobody_has() {
    use eventual_testing::TestEnvironment;
    for _ in 0..TIMES {
        let mut env = TestEnvironment::new(eventual::service!(name = "executor")).twins(1);
        env.mock(first).hold();
        env.mock(second).invoke(|it| Ok(format!("then {it}")));
        let execution = env.start(builds_ahead()).unwrap();
        env.restart();
        let held = env.held(first).into_iter().find(|it| it.input() == "b").unwrap();
        held.succeed("b".to_owned());
        let ended = env.run(&execution).unwrap();
        assert_eq!(ended, ["b", "then b"]);
    }
}
