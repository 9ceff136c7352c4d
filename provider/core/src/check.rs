//! Looks at what should be with other eyes: does every trigger have the rights that AWS demands, does everything fit?
//!
//! It takes nothing from [`crate::desired`] but its result, so that a mistake there is found here and not by AWS.

mod edges;
mod graph;
mod limits;
mod losses;
mod names;

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;

/// What is wrong with the resources. Trouble with an edge is a bug of the provider; trouble with a name or a limit is the
/// user's.
#[must_use]
pub fn check(desired: &Desired) -> Vec<Diagnostic> {
    let mut diagnostics = graph::check(desired);
    diagnostics.extend(edges::check(desired));
    diagnostics.extend(names::check(desired));
    diagnostics.extend(limits::check(desired));
    diagnostics
}

/// A warning that names the children which hold data and that the plan deletes.
#[must_use]
pub fn losses(plan: &Plan, force_destroy: bool) -> Option<Diagnostic> {
    losses::check(plan, force_destroy)
}

#[cfg(test)]
mod tests;
