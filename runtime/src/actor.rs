//! Actors: durable objects addressed by a key, whose calls are made one at a time.
//!
//! An actor is an execution that lives on updates. Every so many events it begins anew with its state as input, so that it
//! loads as fast after a million calls as after ten.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, Location};
use std::pin::Pin;
use std::rc::Rc;

use eventual_core::{ExecutionId, Outcome, Payload};
use eventual_engine::{ambient, panic_text};
use futures_util::FutureExt;
use serde_json::Value;

use crate::ask::Ask;
use crate::call::Call;
use crate::codec::Data;
use crate::error::Error;
use crate::function::Function;
use crate::query::on_query;
use crate::update::next_update;

/// After how many facts and calls an actor writes its state down and begins anew. A load replays no more than these.
const EVENTS_MAX: u64 = 200;

/// A method that is being run.
pub type MethodFuture<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A struct with `#[actor]` methods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no actor",
    note = "write `#[eventual::actor]` above the `impl` of its methods, and derive `Default` for its first state"
)]
pub trait Actor: Function<Input = Option<Self>> + Data + Default {
    /// The names of its methods on the wire.
    const METHODS: &'static [&'static str];

    /// Calls a method by its name.
    fn call<'a>(&'a mut self, method: &'a str, input: &'a Payload) -> MethodFuture<'a>;
}

/// A call of method `M` of the actor `A` of a key.
#[doc(hidden)]
#[track_caller]
pub fn call_actor<A: Actor, M: Function>(key: &str, input: &M::Input) -> Call<M::Output, M::Error> {
    let ask = match ExecutionId::new(A::NAME, key) {
        Err(error) => Ask::Broken(Error::new("InvalidName", error.to_string())),
        Ok(execution) => Ask::with(input.to_payload(), |input| {
            let start = Some(Payload::null());
            Ask::Update { execution, name: M::NAME.to_owned(), input, start }
        }),
    };
    Call::new(ask, Location::caller())
}

/// What is answered to a call of a method that there is not.
#[doc(hidden)]
#[must_use]
pub fn no_method<A: Actor>(method: &str) -> Outcome {
    let known = A::METHODS.join(", ");
    Outcome::refused(
        "UnknownUpdate",
        format!("actor {} has no method `{method}`; it has {known}", A::NAME),
        404,
    )
}

/// The life of an actor, from its state on. It ends when its execution is cancelled, with its state as the result.
#[doc(hidden)]
pub async fn live<A: Actor>(state: Payload) -> Outcome {
    let begun = if state == Payload::null() { Ok(A::default()) } else { A::from_payload(&state) };
    let mut actor = match begun {
        Ok(actor) => actor,
        Err(problem) => return refuse::<A>(&problem).await,
    };
    ambient::accept_updates(None);
    let known = Rc::new(RefCell::new(actor.to_value()));
    let told = known.clone();
    on_query("state", move |(): ()| told.borrow().clone());
    while let Ok(update) = next_update(None, Location::caller()).await {
        let made = AssertUnwindSafe(actor.call(&update.name, &update.input)).catch_unwind().await;
        let outcome = made.unwrap_or_else(|panic| Outcome::Crashed(panic_text(&*panic)));
        if matches!(outcome, Outcome::Crashed(_)) {
            // Nobody knows how far it came: the call that crashed has not happened.
            let before = before::<A>(&known.borrow());
            actor = match before {
                Ok(actor) => actor,
                Err(problem) => return refuse::<A>(&problem).await,
            };
        } else {
            known.replace(actor.to_value());
        }
        ambient::answer(&update.id, outcome);
        if ambient::history_events() >= EVENTS_MAX
            && let Ok(state) = actor.to_payload()
        {
            let _noted = ambient::continue_as_new(state);
            return pending().await;
        }
    }
    actor.to_payload().map_or_else(Outcome::Crashed, Outcome::Succeeded)
}

fn before<A: Actor>(state: &Value) -> Result<A, String> {
    A::from_payload(&crate::codec::encode(state)?)
}

/// Parks an actor whose state the code cannot read: it is kept, and read by code that can.
async fn refuse<A: Actor>(problem: &str) -> Outcome {
    ambient::park(format!(
        "the state of actor {} was written by code of another form: {problem}. Deploy code that reads it (serde's \
         `default` and `alias` help), then resume the execution",
        A::NAME
    ));
    pending().await
}
