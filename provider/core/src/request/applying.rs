//! Applying: creates or updates a deployment, and says exactly what was reached.

use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::advice::advised;
use super::inputs;
use super::planning::{Ready, elsewhere, prepare, with_computed};
use super::{Applied, Control, OnCreateFailure, Scope};
use crate::apply::{self, Claim, Effort, Failure, Held, Outcome, Refused, Run, Tally};
use crate::cloud::{Cloud, CloudError, Owner, Progress, Trouble};
use crate::declaration::DEPLOYMENT;
use crate::desired::Place;
use crate::diagnostic::{Diagnostic, any_error};
use crate::plan::{self, Plan};
use crate::progress::Action;
use crate::resource::Kind;
use crate::state::{Recorded, State, owner_of};
use crate::value::Value;

/// A failure of a child, for the user.
pub(super) fn failed(failure: &Failure) -> Diagnostic {
    let Failure { key, action, error } = failure;
    Diagnostic::error(format!("Could not {} {key}", action.as_str()), advised(error))
}

/// Why the record could not be taken, for the user.
pub(super) fn refused(refused: &Refused) -> Diagnostic {
    Diagnostic::error("Could not take the deployment's ownership record", format!("{refused}."))
}

fn stopped(run: &Run<'_>, outcome: &Outcome) -> Option<Diagnostic> {
    let reason = run.stopped().filter(|_| !outcome.left.is_empty())?;
    let left: Vec<&str> = outcome.left.iter().map(String::as_str).collect();
    let detail = format!(
        "Stopped before everything was done, because {reason}. Not begun: {}. Apply again to go on.",
        left.join(", ")
    );
    Some(Diagnostic::error("Stopped half-way", detail))
}

pub(super) async fn apply(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    prior: Option<&Value>,
    planned: &Value,
    control: &Control,
) -> Applied {
    let mut diagnostics = Vec::new();
    let ready = prepare(scope, planned, &mut diagnostics);
    if let Some(ready) = &ready {
        diagnostics.extend(changed_since_plan(planned, ready));
    }
    if scope.identity.is_none() {
        diagnostics.push(Diagnostic::error(
            "Provider not configured",
            "The provider's own configuration was unknown.",
        ));
    }
    if let Some(prior) = prior {
        let name = planned.get("name").as_str().unwrap_or_default();
        diagnostics.extend(elsewhere(&State::from_value(prior), name, scope.identity));
    }
    let (Some(ready), false) = (ready, any_error(&diagnostics)) else {
        return Applied { state: prior.cloned(), diagnostics };
    };
    diagnostics.clear();
    match prior {
        None => create(cloud, &ready, planned, control).await,
        Some(prior) => update(cloud, &ready, prior, planned, control).await,
    }
}

/// A file that is another one now than when the plan was shown.
fn changed_since_plan(planned: &Value, ready: &Ready) -> Option<Diagnostic> {
    let shown = planned.get("artifact_sha256").as_str()?;
    let now = &ready.artifact.sha256;
    (shown != now).then(|| {
        let detail = format!("It had SHA-256 {shown} when this was planned, and has {now} now. Plan again.");
        Diagnostic::error("The artifact changed after planning", detail).at(crate::path::Path::of("artifact"))
    })
}

/// A run that begins now. It may take as long as it was configured to, unless the one who asks says otherwise.
pub(super) fn run<'a>(
    cloud: &'a dyn Cloud,
    control: &'a Control,
    owner: Owner,
    configured: Duration,
) -> Run<'a> {
    let now_ms = cloud.now_ms();
    let limit =
        control.timeout_ms.unwrap_or_else(|| u64::try_from(configured.as_millis()).unwrap_or(u64::MAX));
    Run {
        cloud,
        owner,
        control,
        deadline_ms: now_ms.saturating_add(limit),
        lost: AtomicBool::new(false),
        tally: Tally::since(now_ms),
    }
}

/// The bucket as it is recorded before it is configured: by its name, and to be made as it should be.
pub(super) fn bare_bucket(place: &Place) -> Recorded {
    Recorded {
        kind: Kind::Bucket,
        name: place.names().bucket(),
        arn: place.bucket_arn(),
        fingerprint: String::new(),
        attributes: std::collections::BTreeMap::new(),
    }
}

async fn create(cloud: &dyn Cloud, ready: &Ready, planned: &Value, control: &Control) -> Applied {
    let bucket = ready.place.names().bucket();
    // Whose it is, the claim says.
    let owner = Owner { id: String::new(), service: ready.place.service().to_owned() };
    let mut run = run(cloud, control, owner, ready.config.timeouts.create);
    let nothing = State {
        incarnation: String::new(),
        children: [("bucket".to_owned(), bare_bucket(&ready.place))].into(),
    };
    let wanted = apply::inventory(&nothing, &plan::plan(&nothing, &ready.desired));
    let mut claim = match apply::claim(&run, &bucket, &wanted).await {
        Ok(claim) => claim,
        Err(why) => return Applied { state: None, diagnostics: vec![refused(&why)] },
    };
    run.owner.id.clone_from(&claim.record.owner);
    // One that nobody was told of is nothing that anybody could miss.
    if claim.adopted.is_some() && claim.record.progress != Progress::Creating {
        control.progress.adopted();
    }
    claim.record.inputs = inputs::kept(planned);
    let mut state = State { incarnation: claim.record.incarnation.clone(), ..nothing };
    for (key, child) in claim.adopted.iter().flatten() {
        state.children.entry(key.clone()).or_insert_with(|| child.clone());
    }
    let plan = plan::plan(&state, &ready.desired);
    let mut diagnostics = guard(&run, &plan, ready.config.force_destroy.known() == Some(&true)).await;
    let mut outcome = Outcome { state, ..Outcome::default() };
    if diagnostics.is_empty() {
        outcome = hold(&run, &mut claim, change(&run, outcome.state, &plan, &mut diagnostics)).await;
    }
    if diagnostics.is_empty() {
        diagnostics.extend(complete(&run, &mut claim, &outcome.state).await);
        return reached(&run, ready, planned, &outcome.state, diagnostics);
    }
    let leaves = control.leaves(ready.config.resume.known().copied());
    // What an earlier creation made may work and hold data. It is neither rolled back nor handed to an engine that would
    // take a failed creation for something to destroy: the next creation finds it as this one did.
    if leaves == OnCreateFailure::Leave || (claim.adopted.is_some() && leaves == OnCreateFailure::RollBack) {
        return leave(&run, &mut claim, &outcome, diagnostics).await;
    }
    // What was cancelled, or is somebody else's now, is left as it is.
    if outcome.failures.is_empty() || run.stopped().is_some() || leaves == OnCreateFailure::Keep {
        rest(&run, &mut claim, &outcome.state).await;
        return reached(&run, ready, planned, &outcome.state, diagnostics);
    }
    roll_back(&run, &mut claim, outcome, ready, planned, diagnostics).await
}

/// Makes a plan true: what is to be made and changed first, then what is to be deleted.
async fn change(run: &Run<'_>, state: State, plan: &Plan, diagnostics: &mut Vec<Diagnostic>) -> Outcome {
    run.tally.expect(plan.changes.len());
    let mut outcome = apply::ensure(run, state, plan).await;
    diagnostics.extend(outcome.failures.iter().map(failed));
    diagnostics.extend(stopped(run, &outcome));
    for (key, partial) in std::mem::take(&mut outcome.attempted) {
        outcome.state.children.entry(key).or_insert(partial);
    }
    if diagnostics.is_empty() {
        outcome = apply::delete(run, outcome.state, plan, false).await;
        diagnostics.extend(outcome.failures.iter().map(failed));
        diagnostics.extend(stopped(run, &outcome));
    }
    outcome
}

/// Leaves a creation that failed as it is, outside of the state.
async fn leave(
    run: &Run<'_>,
    claim: &mut Claim,
    outcome: &Outcome,
    mut diagnostics: Vec<Diagnostic>,
) -> Applied {
    // One that nobody was told of stays that: then also an engine that asks in another name finds it.
    if claim.record.progress != Progress::Creating {
        rest(run, claim, &outcome.state).await;
    }
    let detail = if claim.adopted.is_some() {
        "This deployment was there already, made by an earlier run. Nothing of it was deleted; apply again to finish it."
    } else {
        "What was made is there and not in the state; apply again to finish it."
    };
    diagnostics.push(Diagnostic::warning("Left as it is", detail));
    run.ended();
    Applied { state: None, diagnostics }
}

/// Deletes what a failed creation made.
async fn roll_back(
    run: &Run<'_>,
    claim: &mut Claim,
    outcome: Outcome,
    ready: &Ready,
    planned: &Value,
    mut diagnostics: Vec<Diagnostic>,
) -> Applied {
    let removal = plan::removal(&outcome.state);
    run.tally.expect(removal.changes.len());
    let rolled_back = hold(run, claim, apply::delete(run, outcome.state, &removal, true)).await;
    diagnostics.extend(rolled_back.failures.iter().map(failed));
    if rolled_back.state.children.is_empty() {
        diagnostics.push(Diagnostic::warning(
            "Rolled back",
            "Everything that this creation had made was deleted again.",
        ));
        run.ended();
        return Applied { state: None, diagnostics };
    }
    rest(run, claim, &rolled_back.state).await;
    reached(run, ready, planned, &rolled_back.state, diagnostics)
}

/// Writes that nobody is at work any more on a deployment that is not as it should be and that an engine is told of. When
/// that fails, the next run has to wait and see that nobody is.
pub(super) async fn rest(run: &Run<'_>, claim: &mut Claim, state: &State) {
    let _ = claim.write(run, Progress::Incomplete, state.children.clone()).await;
}

/// Runs `work` and shows meanwhile that this run is alive.
pub(super) async fn hold<T>(run: &Run<'_>, claim: &mut Claim, work: impl Future<Output = T>) -> T {
    let (work, alive) = (pin!(work), pin!(claim.keep(run)));
    match select(work, alive).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => work.await,
    }
}

/// Writes that everything is in place. That it could not be written is no failure of what was made.
async fn complete(run: &Run<'_>, claim: &mut Claim, state: &State) -> Option<Diagnostic> {
    let error = claim.write(run, Progress::Complete, state.children.clone()).await.err()?;
    let summary = "Could not write the deployment's ownership record";
    if error.trouble == Trouble::Lost {
        return Some(Diagnostic::error(summary, format!("{error}. Another run took this deployment over.")));
    }
    let detail = format!(
        "{error}. Everything is in place. The next apply that changes something writes it; until then, a creation of the same name can take the deployment over."
    );
    Some(Diagnostic::warning(summary, detail))
}

async fn update(
    cloud: &dyn Cloud,
    ready: &Ready,
    prior: &Value,
    planned: &Value,
    control: &Control,
) -> Applied {
    let state = State::from_value(prior);
    let plan = plan::plan(&state, &ready.desired);
    let owner =
        Owner { id: owner_of(&state.incarnation).to_owned(), service: ready.place.service().to_owned() };
    let run = run(cloud, control, owner, ready.config.timeouts.update);
    let kept = |diagnostics| Applied { state: Some(prior.clone()), diagnostics };
    if plan.changes.is_empty() {
        let diagnostics = confirm(&run, ready, &state, inputs::kept(planned)).await.into_iter().collect();
        return reached(&run, ready, planned, &state, diagnostics);
    }
    let mut claim = match take(&run, ready, &state).await {
        Ok(claim) => claim,
        Err(diagnostic) => return kept(vec![diagnostic]),
    };
    claim.record.inputs = inputs::kept(planned);
    let mut diagnostics = guard(&run, &plan, ready.config.force_destroy.known() == Some(&true)).await;
    if any_error(&diagnostics) {
        return kept(diagnostics);
    }
    if let Err(error) = claim.write(&run, Progress::Updating, apply::inventory(&state, &plan)).await {
        return kept(vec![refused(&Refused::Cloud(error))]);
    }
    let outcome = hold(&run, &mut claim, change(&run, state, &plan, &mut diagnostics)).await;
    if diagnostics.is_empty() {
        diagnostics.extend(complete(&run, &mut claim, &outcome.state).await);
    } else {
        rest(&run, &mut claim, &outcome.state).await;
    }
    reached(&run, ready, planned, &outcome.state, diagnostics)
}

/// No resource changes, but the record may say otherwise: a run before could not write it, or something was configured
/// that is in no resource. Reading it is all that this costs
/// when it is right, and failing to is not worth failing for.
async fn confirm(run: &Run<'_>, ready: &Ready, state: &State, inputs: Value) -> Option<Diagnostic> {
    let bucket = ready.place.names().bucket();
    match apply::release(run, &bucket, &state.incarnation).await {
        Ok(Held::Ours(mut claim))
            if claim.record.progress != Progress::Complete || claim.record.inputs != inputs =>
        {
            claim.record.inputs = inputs;
            complete(run, &mut claim, state).await
        }
        _ => None,
    }
}

/// The record of a deployment that is in the state; it is put back when somebody deleted it.
async fn take(run: &Run<'_>, ready: &Ready, state: &State) -> Result<Claim, Diagnostic> {
    let bucket = ready.place.names().bucket();
    let cloud_failed = |error: CloudError| refused(&Refused::Cloud(error));
    let held = apply::release(run, &bucket, &state.incarnation).await.map_err(|why| refused(&why))?;
    match held {
        Held::Ours(claim) => return Ok(claim),
        Held::Other => {
            return Err(Diagnostic::error(
                "The deployment is not this one any more",
                format!(
                    "The bucket {bucket} belongs to another incarnation: this one was destroyed and created again by somebody else. Remove it from the state, or choose another `name`."
                ),
            ));
        }
        Held::Absent => apply::found(run, &bucket).await.map_err(cloud_failed)?,
        Held::Unrecorded => {}
    }
    apply::put_back(run, &bucket, &state.incarnation).await.map_err(cloud_failed)
}

/// Refuses a plan that would delete data, unless it may.
pub(super) async fn guard(run: &Run<'_>, plan: &Plan, force: bool) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if force {
        return diagnostics;
    }
    for (key, change) in &plan.changes {
        let plan::Change::Delete(child) = change else { continue };
        if !matches!(child.kind, Kind::Table | Kind::Bucket | Kind::Queue) {
            continue;
        }
        let look = || run.cloud.data(child);
        match apply::persist(run, key, Action::Delete, Effort::Other, look).await {
            Ok(None) => {}
            Ok(Some(data)) => diagnostics.push(Diagnostic::error(
                format!("{key} holds data"),
                format!("{} {} holds {data}. Nothing was deleted. Set `force_destroy = true`, apply, and destroy again to lose it.", child.kind, child.name),
            )),
            Err(error) => diagnostics.push(Diagnostic::error(
                format!("Could not find out whether {key} holds data"),
                format!("{error}. Nothing was deleted. Set `force_destroy = true` and apply to delete it unseen."),
            )),
        }
    }
    diagnostics
}

/// The state that was reached. What has not been reached shows in the next plan by its fingerprint.
fn reached(
    run: &Run<'_>,
    ready: &Ready,
    planned: &Value,
    state: &State,
    diagnostics: Vec<Diagnostic>,
) -> Applied {
    let nothing_left = Plan::default();
    let mut computed = ready.facts(state, &nothing_left).computed();
    for value in computed.values_mut() {
        // What could not be made has no value; a state must not hold unknowns.
        *value = known(value);
    }
    let mut state = with_computed(planned, computed);
    let summary = run.ended();
    // Where nothing was to be done it is still the run before that made what there is.
    if planned.get(DEPLOYMENT).is_unknown() {
        state.set(DEPLOYMENT, apply::to_value(&summary));
    }
    Applied { state: Some(state), diagnostics }
}

/// The value with null for everything unknown.
fn known(value: &Value) -> Value {
    match value {
        Value::Unknown => Value::Null,
        Value::Map(members) => {
            Value::Map(members.iter().map(|(key, value)| (key.clone(), known(value))).collect())
        }
        Value::List(items) => Value::List(items.iter().map(known).collect()),
        Value::Secret(inner) => known(inner).secret(),
        other => other.clone(),
    }
}
