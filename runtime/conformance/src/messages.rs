//! Workflows that are told, asked and changed while they run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use eventual::{CallError, Error, Execution, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tasks::echo_here;

/// Something to collect.
#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// What it is called.
    pub name: String,
}

/// A voice.
#[eventual::signal]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Vote {
    /// For what is voted about.
    pub yes: bool,
}

/// Something that everybody may know.
#[eventual::event]
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Noted {
    /// Who wants to know it especially.
    pub execution: Execution,
    /// What was noted.
    pub name: String,
}

/// Tells an execution what was noted.
#[eventual::subscription(uses(Item))]
pub async fn on_noted(event: Noted) -> Result<()> {
    Ok(Item { name: event.name }.send(&event.execution).await?)
}

/// Publishes.
#[eventual::command(uses(Noted))]
pub async fn note(note: Noted) -> Result<()> {
    Ok(note.emit().await?)
}

/// Publishes from a workflow.
#[eventual::workflow]
pub async fn notes(note: Noted) -> Result<()> {
    Ok(note.emit().await?)
}

/// Collects, after a nap. Its query `count` tells how many there are.
#[eventual::workflow]
pub async fn collects(count: usize) -> Result<Vec<String>> {
    let items = Rc::new(RefCell::new(Vec::new()));
    let seen = items.clone();
    eventual::on_query("count", move |(): ()| seen.borrow().len());
    eventual::sleep(Duration::from_millis(200)).await?;
    while items.borrow().len() < count {
        let item = Item::next().await?;
        items.borrow_mut().push(item.name);
    }
    Ok(items.take())
}

/// Waits for a signal for half a second, then for as long as it takes.
#[eventual::workflow]
pub async fn expects() -> Result<Vec<String>> {
    let first = match Item::next().timeout(Duration::from_millis(500)).await {
        Ok(item) => item.name,
        Err(CallError::Timeout) => "nothing".to_owned(),
        Err(other) => return Err(other.into()),
    };
    Ok(vec![first, Item::next().await?.name])
}

/// Handles items until there is a vote, then awaits one.
#[eventual::workflow]
pub async fn disposes() -> Result<Vec<String>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let inside = seen.clone();
    let handler =
        eventual::on_signal(move |it: Item| inside.borrow_mut().push(format!("handled {}", it.name)));
    Vote::next().await?;
    handler.dispose();
    let next = Item::next().await?;
    seen.borrow_mut().push(format!("awaited {}", next.name));
    Ok(seen.take())
}

/// How many votes are waited for, and how long.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Poll {
    count: u32,
    within_ms: u64,
}

/// Waits until enough have voted, and says whether they did in time.
#[eventual::workflow]
pub async fn polls(poll: Poll) -> bool {
    let votes = Rc::new(Cell::new(0));
    let counting = votes.clone();
    let _handler = eventual::on_signal(move |vote: Vote| counting.set(counting.get() + u32::from(vote.yes)));
    eventual::until(|| votes.get() >= poll.count).timeout(Duration::from_millis(poll.within_ms)).await
}

/// Sends items to one execution that is there and to one that is not, and says what became of them.
#[eventual::workflow]
pub async fn sends(to: Execution) -> Result<Vec<String>> {
    let nobody = Execution::new("collects", "nobody-of-this-name")?;
    let mut told = Vec::new();
    for execution in [to, nobody] {
        told.push(match (Item { name: "from a workflow".to_owned() }).send(&execution).await {
            Ok(()) => "sent".to_owned(),
            Err(CallError::Invalid(error)) => error.class.clone(),
            Err(other) => format!("{other:?}"),
        });
    }
    Ok(told)
}

/// Adds numbers up until there are so many; none twice.
#[eventual::workflow]
pub async fn sums(goal: usize) -> u32 {
    let numbers = Rc::new(RefCell::new(Vec::<u32>::new()));
    let (checked, added) = (numbers.clone(), numbers.clone());
    let accept = move |number: &u32| {
        if checked.borrow().contains(number) {
            return Err(Error::new("Twice", format!("{number} was added before")).with_status(409));
        }
        Ok(())
    };
    eventual::on_update_if("add", accept, move |number| {
        let added = added.clone();
        async move {
            echo_here(number.to_string()).await?;
            added.borrow_mut().push(number);
            Ok(added.borrow().iter().sum::<u32>())
        }
    });
    let all = numbers.clone();
    eventual::until(move || all.borrow().len() >= goal).await;
    numbers.borrow().iter().sum()
}

/// Adds to the sum of another execution, and says what it was answered.
#[eventual::workflow]
pub async fn adds(execution: Execution) -> Vec<String> {
    let mut answers = Vec::new();
    for (name, number) in [("add", 1_u32), ("add", 1), ("multiply", 1), ("add", 4)] {
        let answer: Result<u32, CallError<Error>> = execution.update(name, &number).await;
        answers.push(match answer {
            Ok(sum) => sum.to_string(),
            Err(CallError::Failed(error)) => error.class.clone(),
            Err(other) => format!("{other:?}"),
        });
    }
    answers
}

/// A count that goes on in the next history.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    count: u32,
    goal: u32,
}

/// Counts items, three to a history. Its query `count` tells how many came.
#[eventual::workflow]
pub async fn counts(input: Counted) -> Result<u32> {
    let Counted { count, goal } = input;
    let seen = Rc::new(Cell::new(count));
    let asked = seen.clone();
    eventual::on_query("count", move |(): ()| asked.get());
    for _ in 0..3 {
        if seen.get() == goal {
            return Ok(goal);
        }
        Item::next().await?;
        seen.set(seen.get() + 1);
    }
    if seen.get() == goal {
        return Ok(goal);
    }
    Ok(counts(Counted { count: seen.get(), goal }).continue_as_new().await?)
}
