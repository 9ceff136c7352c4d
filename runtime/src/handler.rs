//! Signals that are handled whenever they come, besides what the workflow does.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::signal::Signal;
use crate::spawn::spawn;

/// Calls `handle` with every signal of this type from here on, in order, those that came before included. In workflows
/// only. The handler ends with the workflow, or when it is disposed of.
///
/// # Panics
/// Outside of workflow code.
pub fn on_signal<S: Signal>(mut handle: impl FnMut(S) + 'static) -> SignalHandler {
    let ended = Rc::new(RefCell::new(Ended::default()));
    let mine = ended.clone();
    let handling = async move {
        loop {
            let mut next = S::next();
            let signal = poll_fn(|cx| {
                if mine.borrow().ended {
                    return Poll::Ready(None);
                }
                mine.borrow_mut().waker = Some(cx.waker().clone());
                Pin::new(&mut next).poll(cx).map(Result::ok)
            });
            match signal.await {
                Some(signal) => handle(signal),
                // Disposed of, or cancelled with the workflow.
                None => return,
            }
        }
    };
    drop(spawn(handling));
    SignalHandler { ended }
}

#[derive(Default)]
struct Ended {
    ended: bool,
    waker: Option<Waker>,
}

/// A handler of signals. Dropping it changes nothing: it goes on until it is disposed of.
pub struct SignalHandler {
    ended: Rc<RefCell<Ended>>,
}

impl SignalHandler {
    /// Handles no more signals; those that come are kept for whoever waits next.
    pub fn dispose(self) {
        let waker = {
            let mut ended = self.ended.borrow_mut();
            ended.ended = true;
            ended.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for SignalHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignalHandler")
    }
}
