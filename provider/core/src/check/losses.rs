//! What deleting would lose, said before it is done. Whether there is anything in it is only found out when applying.

use crate::diagnostic::Diagnostic;
use crate::plan::{Change, Plan};
use crate::resource::Kind;

/// A warning that names the children which hold data and are about to be deleted, or are not recognized as the ones that
/// are there.
pub(super) fn check(plan: &Plan, force_destroy: bool) -> Option<Diagnostic> {
    let lost = |(key, change): (&String, &Change)| {
        let Change::Delete(child) = change else { return None };
        let data = match child.kind {
            Kind::Table => "executions and their histories",
            Kind::Bucket => "payloads",
            Kind::Queue => "messages",
            _ => return None,
        };
        Some(format!("{key} ({}: {data})", child.name))
    };
    let lost: Vec<String> = plan.changes.iter().filter_map(lost).collect();
    if lost.is_empty() {
        return None;
    }
    let then = if force_destroy {
        "`force_destroy` is set: whatever is in them is lost."
    } else {
        "Applying this stops before anything is deleted if one of them is not empty; `force_destroy = true` would let it."
    };
    let detail = format!("This deletes {}. {then}", lost.join(", "));
    Some(Diagnostic::warning("Data may be deleted", detail))
}
