//! Destroying: deletes everything of one incarnation, the ownership record last.

use super::applying::{failed, guard, hold, refused, rest, run};
use super::planning::elsewhere;
use super::{Applied, Control, Scope};
use crate::apply::{self, Held, Refused};
use crate::cloud::{Cloud, Owner, Progress};
use crate::config;
use crate::diagnostic::{Diagnostic, any_error};
use crate::plan;
use crate::state::{State, owner_of};
use crate::value::Value;

pub(super) async fn destroy(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    prior: &Value,
    control: &Control,
) -> Applied {
    let kept = |diagnostics| Applied { state: Some(prior.clone()), diagnostics };
    let state = State::from_value(prior);
    let (typed, _) = config::service(prior);
    let service = prior.get("name").as_str().unwrap_or_default().to_owned();
    if let Some(diagnostic) = elsewhere(&state, &service, scope.identity) {
        return kept(vec![diagnostic]);
    }
    let bucket = state.children.get("bucket").map(|it| it.name.clone()).unwrap_or_default();
    let owner = Owner { id: owner_of(&state.incarnation).to_owned(), service };
    let run = run(cloud, control, owner, typed.timeouts.delete);
    let held = if bucket.is_empty() {
        Ok(Held::Absent)
    } else {
        apply::release(&run, &bucket, &state.incarnation).await
    };
    let held = match held {
        Ok(Held::Other) => return Applied { state: None, diagnostics: Vec::new() },
        Ok(held) => held,
        Err(why) => return kept(vec![refused(&why)]),
    };
    let removal = plan::removal(&state);
    let diagnostics = guard(&run, &removal, typed.force_destroy.known() == Some(&true)).await;
    if any_error(&diagnostics) {
        return kept(diagnostics);
    }
    run.tally.expect(removal.changes.len());
    let outcome = if let Held::Ours(mut claim) = held {
        if let Err(error) = claim.write(&run, Progress::Deleting, state.children.clone()).await {
            return kept(vec![refused(&Refused::Cloud(error))]);
        }
        let outcome = hold(&run, &mut claim, apply::delete(&run, state, &removal, false)).await;
        if outcome.state.children.contains_key("bucket") {
            rest(&run, &mut claim, &outcome.state).await;
        }
        outcome
    } else {
        // Without a record, each resource has to say itself whose it is.
        apply::delete(&run, state, &removal, true).await
    };
    run.ended();
    let mut diagnostics: Vec<Diagnostic> = outcome.failures.iter().map(failed).collect();
    if outcome.state.children.is_empty() {
        return Applied { state: None, diagnostics };
    }
    if let Some(reason) = run.stopped() {
        diagnostics.push(Diagnostic::error(
            "Stopped half-way",
            format!("Not everything was deleted, because {reason}. Destroy again to go on."),
        ));
    }
    let mut left = prior.clone();
    left.set("resources", outcome.state.resources());
    Applied { state: Some(left), diagnostics }
}
