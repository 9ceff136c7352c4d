//! Calls without the facade: what `Call<T, E>` is underneath.

use std::future::poll_fn;
use std::panic::Location;

use eventual_engine::ambient;
use eventual_engine::core::{Call, ExecutionId, Millis, Outcome};

/// Makes a call of the workflow that runs here.
#[track_caller]
pub(crate) fn ask(make: impl FnOnce(Millis) -> Call) -> impl Future<Output = Outcome> {
    let mut slot = ambient::new_call(Location::caller()).expect("in workflow code");
    let mut make = Some(make);
    poll_fn(move |cx| slot.poll(cx, |now| make.take().expect("asked once")(now)))
}

pub(crate) fn text(outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded(value) => String::from_utf8(value.as_bytes().to_vec()).expect("JSON is UTF-8"),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn id(text: &str) -> ExecutionId {
    ExecutionId::parse(text).expect("an execution id")
}
