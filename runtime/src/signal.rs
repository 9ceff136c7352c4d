//! Signals (messages into executions) and events (facts for whoever listens).

use std::convert::Infallible;
use std::panic::Location;

use eventual_core::{Emitted, Payload};

use crate::ask::Ask;
use crate::call::Call;
use crate::codec::Data;
use crate::execution::{ClientError, Execution};

/// A message into an execution. Made by [`#[signal]`](macro@crate::signal), which also gives the type both methods, so
/// that nobody needs to import this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no signal",
    label = "no `#[eventual::signal]` stands above it",
    note = "write `#[eventual::signal]` above `{Self}`"
)]
pub trait Signal: Data {
    /// Name on the wire.
    const NAME: &'static str;

    /// The next signal of this type. In workflows only. Signals that came before anybody waited are kept, in order.
    #[track_caller]
    fn next() -> Call<Self, Infallible> {
        Call::new(Ask::Signal { name: Self::NAME }, Location::caller())
    }

    /// Sends the signal to an execution. In a handler that declares `uses(<this type>)`, and in workflows.
    #[track_caller]
    fn send(self, to: impl Receiver) -> Call<(), Infallible> {
        let ask = match to.execution() {
            Ok(execution) => Ask::with(self.to_payload(), |payload| Ask::Send {
                execution: execution.into_id(),
                signal: Self::NAME,
                payload,
            }),
            Err(error) => Ask::broken(&error),
        };
        Call::new(ask, Location::caller())
    }
}

/// A fact that can be published. Made by [`#[event]`](macro@crate::event), which also gives the type the method.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "no `#[eventual::event]` stands above it",
    note = "write `#[eventual::event]` above `{Self}`; a subscription takes the event that it reacts to"
)]
pub trait Event: Data {
    /// Name on the wire.
    const NAME: &'static str;

    /// Publishes the event: an object of at most 255 KB, or [`CallError::Invalid`](crate::CallError::Invalid). In a handler that declares `uses(<this type>)`, and in workflows.
    #[track_caller]
    fn emit(self) -> Call<(), Infallible> {
        let emitted = |payload| Ask::Emit(Emitted { name: Self::NAME.to_owned(), payload });
        Call::new(Ask::with(self.to_payload().and_then(fits), emitted), Location::caller())
    }
}

/// Largest event, in bytes of its JSON. A bus takes entries of 256 KB, and its names of event and source count too.
const EVENT_MAX_BYTES: usize = 255 * 1024;

/// Refuses an event that no bus takes where it is emitted: later, nobody could be told any more.
fn fits(event: Payload) -> Result<Payload, String> {
    let bytes = event.as_bytes();
    if !bytes.starts_with(b"{") {
        return Err(
            "an event is an object with members (a struct), because buses carry nothing else".to_owned()
        );
    }
    if bytes.len() > EVENT_MAX_BYTES {
        let size = bytes.len();
        return Err(format!(
            "an event has at most {EVENT_MAX_BYTES} bytes, this one has {size}; send where to find the rest"
        ));
    }
    Ok(event)
}

/// Whom a signal is sent to: an [`Execution`], or the text of its id.
pub trait Receiver {
    /// The execution.
    ///
    /// # Errors
    /// When the text is no id of an execution.
    fn execution(self) -> Result<Execution, ClientError>;
}

impl Receiver for Execution {
    fn execution(self) -> Result<Execution, ClientError> {
        Ok(self)
    }
}

impl Receiver for &Execution {
    fn execution(self) -> Result<Execution, ClientError> {
        Ok(self.clone())
    }
}

impl Receiver for &str {
    fn execution(self) -> Result<Execution, ClientError> {
        Execution::parse(self)
    }
}

impl Receiver for &String {
    fn execution(self) -> Result<Execution, ClientError> {
        Execution::parse(self)
    }
}

impl Receiver for String {
    fn execution(self) -> Result<Execution, ClientError> {
        Execution::parse(&self)
    }
}
