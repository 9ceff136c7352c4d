//! Updates: changes of a running workflow that somebody asks for and is told the outcome of.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;

use eventual_core::{Outcome, Update};
use eventual_engine::ambient;

use crate::codec::Data;
use crate::error::{Error, Failure, error_of};
use crate::spawn::spawn;

/// Answers updates named `name` from here on: each one is checked, then handled in a branch of its own, and whoever asked
/// gets what the handler returns. In workflows only.
///
/// Register handlers before the first await: an update of a name that nothing takes is refused. Asked with
/// [`Execution::update`](crate::Execution::update), or the system operation `update`. What was not answered when the
/// workflow ends is refused then, so wait for open handlers where that matters ([`until`](crate::until)).
///
/// ```
/// # use std::{cell::RefCell, rc::Rc};
/// #[eventual::workflow]
/// async fn cart() -> Vec<String> {
///     let items = Rc::new(RefCell::new(Vec::new()));
///     let added = items.clone();
///     eventual::on_update("add", move |item: String| {
///         let added = added.clone();
///         async move {
///             added.borrow_mut().push(item);
///             Ok::<usize, eventual::Error>(added.borrow().len())
///         }
///     });
///     eventual::until(|| items.borrow().len() == 3).await;
///     items.take()
/// }
/// ```
///
/// # Panics
/// Outside of workflow code.
pub fn on_update<I, A, E, F>(name: &str, handle: impl FnMut(I) -> F + 'static)
where
    I: Data,
    A: Data,
    E: Failure,
    F: Future<Output = Result<A, E>> + 'static,
{
    on_update_if(name, |_: &I| Ok(()), handle);
}

/// As [`on_update`], but only for inputs that `accept` lets through. It sees the workflow's state as it is, changes
/// nothing, and its error is the answer.
///
/// # Panics
/// Outside of workflow code.
#[track_caller]
pub fn on_update_if<I, A, E, F>(
    name: &str,
    accept: impl Fn(&I) -> Result<(), E> + 'static,
    mut handle: impl FnMut(I) -> F + 'static,
) where
    I: Data,
    A: Data,
    E: Failure,
    F: Future<Output = Result<A, E>> + 'static,
{
    ambient::accept_updates(Some(name));
    let (name, at) = (name.to_owned(), Location::caller());
    drop(spawn(async move {
        while let Ok(update) = next_update(Some(&name), at).await {
            let accepted = I::from_payload(&update.input)
                .map_err(|problem| refused(&name, &problem).into_outcome())
                .and_then(|input| accept(&input).map(|()| input).map_err(|it| error_of(it).into_outcome()));
            match accepted {
                Err(refusal) => ambient::answer(&update.id, refusal),
                Ok(input) => {
                    let handled = handle(input);
                    drop(spawn(async move { ambient::answer(&update.id, outcome_of(handled.await)) }));
                }
            }
        }
    }));
}

/// The next update of that name, or of any. An error when the workflow was cancelled.
pub(crate) async fn next_update(
    name: Option<&str>,
    at: &'static Location<'static>,
) -> Result<Update, Outcome> {
    let mut slot = ambient::new_call(at);
    poll_fn(move |cx| match &mut slot {
        Some(slot) => slot.poll_update(cx, name),
        None => std::task::Poll::Ready(Err(Outcome::Cancelled)),
    })
    .await
}

/// What is answered to whoever asked.
pub(crate) fn outcome_of<A: Data, E: Failure>(answer: Result<A, E>) -> Outcome {
    match answer.map(|it| it.to_payload()) {
        Ok(Ok(answer)) => Outcome::Succeeded(answer),
        Ok(Err(problem)) => Outcome::Crashed(format!("the answer cannot be encoded: {problem}")),
        Err(error) => error_of(error).into_outcome(),
    }
}

pub(crate) fn refused(name: &str, problem: &dyn fmt::Display) -> Error {
    Error::new("InvalidInput", format!("the input of update `{name}` is not valid: {problem}"))
        .with_status(400)
}
