//! Workflows that are asked, told and continued.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use eventual::{CallError, Error, Execution, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[eventual::signal]
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Add {
    pub(crate) number: u32,
}

#[eventual::task]
async fn double(number: u32) -> u32 {
    number * 2
}

/// Adds doubled numbers until there are `goal` of them.
#[eventual::workflow]
pub(crate) async fn sum(goal: usize) -> u32 {
    let numbers = Rc::new(RefCell::new(Vec::new()));
    let (checked, added) = (numbers.clone(), numbers.clone());
    eventual::on_update_if(
        "add",
        move |number: &u32| {
            if checked.borrow().contains(&(number * 2)) {
                return Err(Error::new("Twice", format!("{number} was added before")).with_status(409));
            }
            Ok(())
        },
        move |number| {
            let added = added.clone();
            async move {
                let number = double(number).await?;
                added.borrow_mut().push(number);
                Ok(added.borrow().iter().sum::<u32>())
            }
        },
    );
    let all = numbers.clone();
    eventual::until(move || all.borrow().len() >= goal).await;
    numbers.borrow().iter().sum()
}

/// What a workflow that asks another is answered.
#[eventual::workflow]
pub(crate) async fn asks(execution: Execution) -> Vec<String> {
    let mut answers = Vec::new();
    for (name, number) in [("add", 1), ("add", 1), ("multiply", 1), ("add", 4)] {
        let answer: std::result::Result<u32, CallError<Error>> = execution.update(name, &number).await;
        answers.push(match answer {
            Ok(sum) => sum.to_string(),
            Err(CallError::Failed(error)) => error.class.clone(),
            Err(other) => format!("{other:?}"),
        });
    }
    answers
}

#[eventual::command(auth = none, uses(sum))]
pub(crate) async fn add(input: (Execution, u32)) -> Result<u32> {
    let (execution, number) = input;
    Ok(execution.update("add", &number).await?)
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Counted {
    total: u32,
    before: u32,
    goal: u32,
}

pub(crate) const fn to(goal: u32) -> Counted {
    Counted { total: 0, before: 0, goal }
}

/// Counts signals, fifty to a history.
#[eventual::workflow]
pub(crate) async fn counts(input: Counted) -> Result<u32> {
    let Counted { total, before, goal } = input;
    let seen = Rc::new(Cell::new((total, before)));
    let asked = seen.clone();
    eventual::on_query("count", move |(): ()| asked.get().1);
    for _ in 0..50 {
        let (total, count) = seen.get();
        if count == goal {
            return Ok(total);
        }
        let add = Add::next().await?;
        seen.set((total + double(add.number).await?, count + 1));
    }
    let (total, count) = seen.get();
    Ok(counts(Counted { total, before: count, goal }).continue_as_new().await?)
}

/// A year of days, a month to a history.
#[eventual::workflow]
pub(crate) async fn daily(days: u32) -> Result<u32> {
    let mut left = days;
    for _ in 0..30 {
        if left == 0 {
            return Ok(days);
        }
        eventual::sleep(Duration::from_secs(86_400)).await?;
        left -= 1;
    }
    Ok(daily(left).continue_as_new().await?)
}

/// What operations on executions that cannot take them answer.
#[eventual::workflow]
pub(crate) async fn operates(closed: Execution) -> Vec<String> {
    let nobody = Execution::new("sum", "nobody").unwrap();
    let class = |answer: std::result::Result<(), CallError>| match answer {
        Err(CallError::Invalid(error)) => error.class.clone(),
        other => format!("{other:?}"),
    };
    let mut classes = vec![
        class(Add { number: 1 }.send(&nobody).await),
        class(Add { number: 1 }.send(&closed).await),
        class(nobody.cancel("enough").await),
    ];
    let first = counts(to(1)).start_as("operated").await;
    classes.push(first.map_or_else(|error| format!("{error:?}"), |it| it.id().to_owned()));
    let other = counts(to(2)).start_as("operated").await;
    classes.push(other.map_or_else(|_| "refused".to_owned(), |it| it.id().to_owned()));
    let told = counts(to(2)).start_as("operated").with_signal(Add { number: 3 }).await;
    classes.push(told.map_or_else(|error| format!("{error:?}"), |it| it.id().to_owned()));
    classes
}

#[eventual::command(auth = none, uses(counts, Add))]
pub(crate) async fn count_one(input: (String, u32)) -> Result<Execution> {
    let (name, number) = input;
    Ok(counts(to(3)).start_as(name).with_signal(Add { number }).await?)
}

/// Continues with another workflow's call.
#[eventual::workflow]
pub(crate) async fn strays() -> Result<u32> {
    Ok(sum(1).continue_as_new().await?)
}

/// Everything that may be under way where a history is forked.
#[eventual::workflow]
pub(crate) async fn forks() -> Result<Vec<String>> {
    let mut told = vec![format!("doubled {}", double(1).await?)];
    let child = sum(1);
    let waits = eventual::sleep(Duration::from_secs(3_600));
    let added = Add::next();
    let task = slow(7);
    let (child, _waited, added, task) = tokio::join!(child, waits, added, task);
    told.push(format!("child {}", child.map_or_else(|error| error.to_string(), |it| it.to_string())));
    told.push(format!("added {}", added?.number));
    told.push(format!("task {}", task?));
    told.push(eventual::this_execution().map(|it| it.id().to_owned()).unwrap_or_default());
    Ok(told)
}

#[eventual::task]
async fn slow(number: u32) -> u32 {
    number
}
