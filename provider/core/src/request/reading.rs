//! Reading: what of the recorded children is there, and still as it was made.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use super::applying::bare_bucket;
use super::planning::elsewhere;
use super::{Drift, ReadBack, Scope};
use crate::apply;
use crate::cloud::{Cloud, CloudError, Observed, Owner, OwnershipState, Progress, Trouble};
use crate::config;
use crate::desired::Place;
use crate::diagnostic::Diagnostic;
use crate::resource::settings;
use crate::state::{Recorded, SETTINGS, State, owner_of};
use crate::value::Value;

/// Children that are described at the same time.
const AT_ONCE: usize = 16;
/// Longest pause between two looks.
const LONGEST_PAUSE_MS: u64 = 8000;

/// Looks, and when to stop trying again.
pub(super) struct Look<'a> {
    pub(super) cloud: &'a dyn Cloud,
    pub(super) deadline_ms: u64,
}

pub(super) async fn read(scope: &Scope<'_>, cloud: &dyn Cloud, value: &Value) -> ReadBack {
    let state = State::from_value(value);
    let service = value.get("name").as_str().unwrap_or_default().to_owned();
    let (typed, _) = config::service(value);
    let limit = u64::try_from(typed.timeouts.read.as_millis()).unwrap_or(u64::MAX);
    let look = &Look { cloud, deadline_ms: cloud.now_ms().saturating_add(limit) };
    if state.incarnation.is_empty() && state.children.is_empty() {
        return import(scope, look, value, &service).await;
    }
    if let Some(diagnostic) = elsewhere(&state, &service, scope.identity) {
        return ReadBack { state: Some(value.clone()), diagnostics: vec![diagnostic], ..ReadBack::default() };
    }
    if let Some(bucket) = state.children.get("bucket") {
        match look.patiently(|| cloud.ownership(&bucket.name)).await {
            Ok(OwnershipState::Found(read)) if read.record.incarnation != state.incarnation => {
                return ReadBack::default();
            }
            Ok(_) => {}
            Err(error) => return failed(value, "the ownership record", &error),
        }
    }
    let owner = Owner { id: owner_of(&state.incarnation).to_owned(), service };
    let describe = |(key, child): (String, Recorded)| {
        let owner = &owner;
        async move {
            let observed = match look.patiently(|| cloud.describe(owner, &child)).await {
                Err(error) if error.trouble == Trouble::NotFound => Ok(None),
                answer => answer,
            };
            (key, child, observed)
        }
    };
    let mut answers = stream::iter(state.children.clone()).map(describe).buffer_unordered(AT_ONCE);
    let (mut found, mut drift) = (BTreeMap::new(), Vec::new());
    while let Some((key, child, observed)) = answers.next().await {
        match observed {
            Ok(Some(observed)) => {
                let (child, changed) = seen(child, observed);
                if !changed.is_empty() {
                    drift.push(Drift { key: key.clone(), changed });
                }
                found.insert(key, child);
            }
            // Without what creation would have told, it is only found by deleting or making it.
            Ok(None) if child.is_unverified() => {
                found.insert(key, child);
            }
            Ok(None) => drift.push(Drift { key, changed: Vec::new() }),
            Err(error) => return failed(value, &key, &error),
        }
    }
    drop(answers);
    if found.is_empty() {
        return ReadBack::default();
    }
    drift.sort_by(|one, other| one.key.cmp(&other.key));
    let mut read = value.clone();
    read.set("resources", State { incarnation: state.incarnation, children: found }.resources());
    ReadBack { state: Some(read), diagnostics: told(&drift).into_iter().collect(), drift }
}

/// Finds a deployment of which only the name is known, as when it is imported: its record says whose it is and what it
/// consists of.
async fn import(scope: &Scope<'_>, look: &Look<'_>, value: &Value, service: &str) -> ReadBack {
    let Some(identity) = scope.identity else {
        return ReadBack { state: Some(value.clone()), diagnostics: Vec::new(), ..ReadBack::default() };
    };
    let place = Place::new(service, identity);
    let name = place.names().bucket();
    let record = match look.patiently(|| look.cloud.ownership(&name)).await {
        Ok(OwnershipState::Found(found)) => found.record,
        Ok(OwnershipState::NoBucket | OwnershipState::NoRecord { .. }) => {
            return ReadBack::default();
        }
        Err(error) => return failed(value, "the ownership record", &error),
    };
    // What a run left half-way may hold anything; what one finished is exactly what its record says.
    let partial = record.children.is_empty();
    let mut read = value.clone();
    let mut children = if record.progress == Progress::Complete {
        record.children
    } else {
        apply::unverified(record.children)
    };
    children.entry("bucket".to_owned()).or_insert_with(|| bare_bucket(&place));
    read.set("resources", State { incarnation: record.incarnation.clone(), children }.resources());
    read.set("incarnation", Value::from(record.incarnation));
    let diagnostics = partial.then(|| {
        let detail = format!(
            "The ownership record of {service:?} was written by an earlier release, which did not note what it made. The \
             next apply finds everything else of it again; until then, do not destroy it: what is not in the state would \
             stay."
        );
        Diagnostic::warning("Imported in part", detail)
    });
    ReadBack { state: Some(read), diagnostics: diagnostics.into_iter().collect(), ..ReadBack::default() }
}

fn failed(value: &Value, what: &str, error: &CloudError) -> ReadBack {
    let diagnostic = Diagnostic::error(format!("Could not read {what}"), format!("{error}."));
    ReadBack { state: Some(value.clone()), diagnostics: vec![diagnostic], ..ReadBack::default() }
}

/// The child as it was found, and what of it somebody changed: then it loses its fingerprint, so that the next plan
/// repairs it.
fn seen(child: Recorded, observed: Observed) -> (Recorded, Vec<String>) {
    let mut child = child;
    let mut changed = settings::changed(child.attribute(SETTINGS), &observed.settings);
    for (name, value) in observed.attributes {
        if child.attributes.get(&name).is_some_and(|recorded| *recorded != value) {
            changed.push(name.clone());
        }
        if value.is_empty() {
            // So that what refers to it is changed as well.
            child.attributes.remove(&name);
        } else {
            child.attributes.insert(name, value);
        }
    }
    if !changed.is_empty() {
        child.fingerprint.clear();
    }
    (child, changed)
}

/// What was changed or removed outside of the deployment, for people.
fn told(drift: &[Drift]) -> Option<Diagnostic> {
    if drift.is_empty() {
        return None;
    }
    let line = |it: &Drift| match &it.changed[..] {
        [] => format!("{} is missing", it.key),
        changed => format!("{}: {}", it.key, changed.join(", ")),
    };
    let lines: Vec<String> = drift.iter().map(line).collect();
    let detail = format!("{}. The next apply makes it as it should be.", lines.join("; "));
    Some(Diagnostic::warning("Changed outside of this deployment", detail))
}

impl Look<'_> {
    /// Looks again as long as the cloud is only busy or out of reach.
    pub(super) async fn patiently<T, F>(&self, look: impl Fn() -> F) -> Result<T, CloudError>
    where
        F: Future<Output = Result<T, CloudError>>,
    {
        let mut pause = 200;
        loop {
            match look().await {
                Err(error)
                    if self.cloud.now_ms() < self.deadline_ms
                        && matches!(
                            error.trouble,
                            Trouble::Throttled | Trouble::Unreachable | Trouble::Busy
                        ) =>
                {
                    self.cloud.sleep_ms(pause + self.cloud.random() % pause).await;
                    pause = LONGEST_PAUSE_MS.min(pause * 2);
                }
                answer => return answer,
            }
        }
    }
}
