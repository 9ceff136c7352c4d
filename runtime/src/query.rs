//! What workflow code tells to those who ask, and how it knows its own age.

use std::rc::Rc;

use eventual_core::Outcome;
use eventual_engine::ambient;

use crate::codec::Data;
use crate::error::Error;

/// Answers queries named `name` from here on, also after the workflow has ended. `answer` reads the workflow's state and
/// changes nothing: it runs at any time, in any process, on a replay of the history. In workflows only; nothing elsewhere.
///
/// Asked with [`Execution::query`](crate::Execution::query), or the system operation `query`.
///
/// ```
/// # use std::{cell::Cell, rc::Rc};
/// # #[eventual::task] async fn step(number: u32) {}
/// #[eventual::workflow]
/// async fn import(files: u32) -> eventual::Result<()> {
///     let done = Rc::new(Cell::new(0));
///     let seen = done.clone();
///     eventual::on_query("progress", move |(): ()| seen.get());
///     for file in 0..files {
///         step(file).await?;
///         done.set(file + 1);
///     }
///     Ok(())
/// }
/// ```
pub fn on_query<Q: Data, A: Data>(name: &str, answer: impl Fn(Q) -> A + 'static) {
    let owned = name.to_owned();
    let answer = move |input: &eventual_core::Payload| match Q::from_payload(input) {
        Err(problem) => {
            let message = format!("the input of query `{owned}` is not valid: {problem}");
            Error::new("InvalidInput", message).with_status(400).into_outcome()
        }
        Ok(input) => match answer(input).to_payload() {
            Ok(answer) => Outcome::Succeeded(answer),
            Err(problem) => {
                Outcome::Crashed(format!("the answer to query `{owned}` cannot be encoded: {problem}"))
            }
        },
    };
    ambient::on_query(name, Rc::new(answer));
}

/// Whether the workflow runs as it does after the change `name` of its code. An execution that was past this place before
/// the change was deployed answers `false` for ever, so that its history still fits; every other answers `true`. `true`
/// outside of workflows.
///
/// ```
/// # #[eventual::task] async fn tax(it: u64) -> u64 { it }
/// # #[eventual::task] async fn new_tax(it: u64) -> u64 { it }
/// #[eventual::workflow]
/// async fn invoice(net: u64) -> eventual::Result<u64> {
///     let tax = if eventual::changed("new-tax") { new_tax(net).await? } else { tax(net).await? };
///     Ok(net + tax)
/// }
/// ```
#[must_use]
pub fn changed(name: &str) -> bool {
    ambient::changed(name).unwrap_or(true)
}
