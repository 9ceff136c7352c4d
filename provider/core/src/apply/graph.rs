//! Walks the graph: begins what is ready, bounded per AWS service, and notes what was reached.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Effort, Run, deletions, ensures, persist, touches_roles};
use crate::cloud::{CloudError, Made, Trouble};
use crate::plan::Plan;
use crate::progress::{Action, Stage};
use crate::resource::{Kind, Resource, Spec, settings};
use crate::state::{Recorded, SETTINGS, State};

/// A child that could not be made true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The child.
    pub key: String,
    /// What was tried.
    pub action: Action,
    /// What came back.
    pub error: CloudError,
}

/// What was reached.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What there is now.
    pub state: State,
    /// What failed.
    pub failures: Vec<Failure>,
    /// Children whose creation began and did not succeed, so that parts of them may exist.
    pub attempted: BTreeMap<String, Recorded>,
    /// Children that were not begun.
    pub left: BTreeSet<String>,
}

/// Slots of each AWS service.
#[derive(Default)]
struct Slots(BTreeMap<&'static str, usize>);

impl Slots {
    fn free(&self, kind: Kind) -> bool {
        self.0.get(kind.service()).copied().unwrap_or(0) < kind.concurrency()
    }

    fn take(&mut self, kind: Kind) {
        *self.0.entry(kind.service()).or_default() += 1;
    }

    fn give(&mut self, kind: Kind) {
        if let Some(taken) = self.0.get_mut(kind.service()) {
            *taken -= 1;
        }
    }
}

/// Runs the creations and updates of the plan from `state`. After the first failure nothing new is begun.
pub async fn ensure(run: &Run<'_>, state: State, plan: &Plan) -> Outcome {
    let fresh_roles = touches_roles(plan);
    let mut waiting = ensures(plan);
    let mut unfinished: BTreeSet<String> = waiting.keys().cloned().collect();
    let mut outcome = Outcome { state, ..Outcome::default() };
    let mut slots = Slots::default();
    let mut running = FuturesUnordered::new();
    loop {
        let keys: Vec<String> = waiting.keys().cloned().collect();
        for key in keys {
            if !outcome.failures.is_empty() || run.stopped().is_some() {
                break;
            }
            let Some((resource, _)) = waiting.get(&key) else { continue };
            let ready = resource.depends_on().is_disjoint(&unfinished) && slots.free(resource.kind());
            if !ready {
                continue;
            }
            if let Some((resource, recorded)) = waiting.remove(&key) {
                slots.take(resource.kind());
                let spec = resource.spec.resolve(&|key, name| outcome.state.lookup(key, name));
                running.push(one(
                    run,
                    resource,
                    recorded,
                    spec.map_err(|missing| missing.to_string()),
                    fresh_roles,
                ));
            }
        }
        let Some((resource, resolved, recorded, result)) = running.next().await else { break };
        slots.give(resource.kind());
        match result {
            Ok(made) => {
                unfinished.remove(&resource.key);
                outcome.state.children.insert(resource.key.clone(), record(run, &resource, resolved, made));
            }
            Err(error) => note_failure(&mut outcome, &resource, recorded, error),
        }
    }
    outcome.left = waiting.into_keys().collect();
    drop(running);
    if outcome.failures.is_empty() {
        settle(run, &mut outcome, plan).await;
    }
    outcome
}

/// Waits at the end, and for all at once, until what was made can be used: only the user needs it, no other child does.
async fn settle(run: &Run<'_>, outcome: &mut Outcome, plan: &Plan) {
    let made = plan.changes.iter().filter(|(_, change)| change.action() != Action::Delete);
    let wait = |(key, action): (String, Action)| {
        let child = outcome.state.children.get(&key);
        async move {
            let Some(child) = child else { return Ok(()) };
            let result = persist(run, &key, action, Effort::Other, || run.cloud.settle(child)).await;
            result.map_err(|error| Failure { key, action, error })
        }
    };
    let settled =
        made.map(|(key, change)| wait((key.clone(), change.action()))).collect::<FuturesUnordered<_>>();
    let failures: Vec<Failure> =
        settled.filter_map(|result| std::future::ready(result.err())).collect().await;
    for failure in failures {
        if let Some(child) = outcome.state.children.get_mut(&failure.key) {
            child.fingerprint = String::new();
        }
        outcome.failures.push(failure);
    }
}

fn note_failure(outcome: &mut Outcome, resource: &Resource, recorded: Option<Recorded>, error: CloudError) {
    let action = if recorded.is_some() { Action::Update } else { Action::Create };
    match recorded {
        // Half of the update may be done: the next plan must not think that it is as it was.
        Some(recorded) => {
            let changed = Recorded { fingerprint: String::new(), ..recorded };
            outcome.state.children.insert(resource.key.clone(), changed);
        }
        None if error.trouble != Trouble::Foreign => {
            outcome.attempted.insert(resource.key.clone(), expected(resource));
        }
        None => {}
    }
    outcome.failures.push(Failure { key: resource.key.clone(), action, error });
}

/// A resource that may be there, because it is about to be made or its creation did not answer.
pub(crate) fn expected(resource: &Resource) -> Recorded {
    let recorded = Recorded {
        kind: resource.kind(),
        name: resource.name.clone(),
        arn: resource.arn.clone().unwrap_or_default(),
        fingerprint: String::new(),
        attributes: partial_attributes(&resource.spec),
    };
    recorded.unverified()
}

/// What a deletion needs of a resource whose creation did not answer.
fn partial_attributes(spec: &Spec) -> BTreeMap<String, String> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match spec {
        Spec::Artifact(spec) => [pair("bucket", &spec.bucket)].into(),
        Spec::Rule(spec) => [pair("bus", &spec.bus)].into(),
        Spec::Permission(spec) => [pair("function", &spec.function)].into(),
        _ => BTreeMap::new(),
    }
}

fn record(run: &Run<'_>, resource: &Resource, resolved: Option<Spec>, made: Made) -> Recorded {
    let mut attributes = made.attributes;
    let settings = resolved.map(|spec| Resource { spec, ..resource.clone() }.settings(&run.owner.id));
    if let Some(settings) = settings.filter(|it| !it.is_empty()) {
        attributes.insert(SETTINGS.to_owned(), settings::record(&settings));
    }
    Recorded {
        kind: resource.kind(),
        name: resource.name.clone(),
        arn: resource.arn.clone().unwrap_or(made.arn),
        fingerprint: resource.fingerprint().unwrap_or_default(),
        attributes,
    }
}

type Ensured = (Resource, Option<Spec>, Option<Recorded>, Result<Made, CloudError>);

async fn one(
    run: &Run<'_>,
    resource: Resource,
    recorded: Option<Recorded>,
    spec: Result<Spec, String>,
    fresh_roles: bool,
) -> Ensured {
    let began = run.cloud.now_ms();
    let action = if recorded.is_some() { Action::Update } else { Action::Create };
    run.report(&resource.key, action, Stage::Started, began);
    let spec = match spec {
        Ok(spec) => spec,
        Err(message) => {
            let error = CloudError {
                trouble: Trouble::Other,
                operation: "resolve".to_owned(),
                code: String::new(),
                message: format!("{message}; this is a bug of the provider"),
                request_id: String::new(),
            };
            return (resource, None, recorded, Err(error));
        }
    };
    let resolved = Resource { spec: spec.clone(), ..resource.clone() };
    let call = || run.cloud.ensure(&run.owner, &resolved, recorded.as_ref());
    let result = persist(run, &resource.key, action, Effort::Ensure { fresh_roles }, call).await;
    let stage = result.as_ref().map_or_else(|error| Stage::Failed(error.to_string()), |_| Stage::Done);
    run.report(&resource.key, action, stage, began);
    (resource, Some(spec), recorded, result)
}

/// Runs the deletions of the plan from `state`, as far as they go: what is in the way of nothing is deleted even after a
/// failure. `verify` asks the cloud to look whose each resource is.
pub async fn delete(run: &Run<'_>, state: State, plan: &Plan, verify: bool) -> Outcome {
    let all = deletions(plan);
    let mut waiting: BTreeMap<String, Recorded> = all
        .iter()
        .filter(|(key, child)| container(key, child.kind, &all).is_none())
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut unfinished: BTreeMap<String, Kind> =
        waiting.iter().map(|(key, child)| (key.clone(), child.kind)).collect();
    let mut outcome = Outcome { state, ..Outcome::default() };
    let mut slots = Slots::default();
    let mut running = FuturesUnordered::new();
    loop {
        let keys: Vec<String> = waiting.keys().cloned().collect();
        for key in keys {
            if run.stopped().is_some() {
                break;
            }
            let Some(child) = waiting.get(&key) else { continue };
            let blocked = unfinished.values().any(|kind| child.kind.deleted_after().contains(kind));
            if blocked || !slots.free(child.kind) {
                continue;
            }
            slots.take(child.kind);
            if let Some(child) = waiting.remove(&key) {
                running.push(remove(run, key, child, verify));
            }
        }
        let Some((key, child, result)) = running.next().await else { break };
        slots.give(child.kind);
        match result {
            Ok(()) => {
                unfinished.remove(&key);
                outcome.state.children.retain(|other, recorded| {
                    *other != key && container(other, recorded.kind, &all).as_deref() != Some(key.as_str())
                });
            }
            Err(error) => outcome.failures.push(Failure { key, action: Action::Delete, error }),
        }
    }
    outcome.left = waiting.into_keys().collect();
    outcome
}

/// The child among `deleted` with which the one of this key vanishes.
fn container(key: &str, kind: Kind, deleted: &BTreeMap<String, Recorded>) -> Option<String> {
    let parent = match kind.vanishes_with()? {
        Kind::Api => "api".to_owned(),
        _ => format!("function/{}", key.split_once('/')?.1),
    };
    deleted.contains_key(&parent).then_some(parent)
}

async fn remove(
    run: &Run<'_>,
    key: String,
    child: Recorded,
    verify: bool,
) -> (String, Recorded, Result<(), CloudError>) {
    let began = run.cloud.now_ms();
    run.report(&key, Action::Delete, Stage::Started, began);
    let result = persist(run, &key, Action::Delete, Effort::Other, || {
        run.cloud.delete(&run.owner, &child, verify || child.is_unverified())
    })
    .await;
    let result = result.or_else(|error| if error.trouble == Trouble::NotFound { Ok(()) } else { Err(error) });
    let stage = result.as_ref().map_or_else(|error| Stage::Failed(error.to_string()), |()| Stage::Done);
    run.report(&key, Action::Delete, stage, began);
    (key, child, result)
}
