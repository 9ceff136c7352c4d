//! Looks at what should be with other eyes: does every trigger have the rights that AWS demands, does everything fit?
//!
//! It takes nothing from [`crate::desired`] but its result, so that a mistake there is found here and not by AWS.

mod edges;
mod limits;

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;

/// What is wrong with the resources. Trouble with an edge is a bug of the provider; trouble with a limit is the user's.
#[must_use]
pub fn check(desired: &Desired) -> Vec<Diagnostic> {
    let mut diagnostics = edges::check(desired);
    diagnostics.extend(limits::check(desired));
    diagnostics
}
