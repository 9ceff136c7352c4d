//! Reading: what of the recorded children is there, and still as it was made.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use super::applying::bare_bucket;
use super::planning::elsewhere;
use super::{ReadBack, Scope};
use crate::apply::settings_digest;
use crate::cloud::{Cloud, CloudError, Observed, Owner, OwnershipState, Trouble};
use crate::desired::Place;
use crate::diagnostic::Diagnostic;
use crate::state::{Recorded, SETTINGS, State};
use crate::value::Value;

/// Children that are described at the same time.
const AT_ONCE: usize = 16;
/// Tries of one look.
const TRIES: u32 = 6;

pub(super) async fn read(scope: &Scope<'_>, cloud: &dyn Cloud, value: &Value) -> ReadBack {
    let state = State::from_value(value);
    let service = value.get("name").as_str().unwrap_or_default().to_owned();
    if state.incarnation.is_empty() && state.children.is_empty() {
        return import(scope, cloud, value, &service).await;
    }
    if let Some(diagnostic) = elsewhere(&state, &service, scope.identity) {
        return ReadBack { state: Some(value.clone()), diagnostics: vec![diagnostic] };
    }
    if let Some(bucket) = state.children.get("bucket") {
        match patiently(cloud, || cloud.ownership(&bucket.name)).await {
            Ok(OwnershipState::Found(read)) if read.record.owner != state.incarnation => {
                return ReadBack { state: None, diagnostics: Vec::new() };
            }
            Ok(_) => {}
            Err(error) => return failed(value, "the ownership record", &error),
        }
    }
    let owner = Owner { id: state.incarnation.clone(), service };
    let describe = |(key, child): (String, Recorded)| {
        let owner = &owner;
        async move {
            let observed = match patiently(cloud, || cloud.describe(owner, &child)).await {
                Err(error) if error.trouble == Trouble::NotFound => Ok(None),
                answer => answer,
            };
            (key, child, observed)
        }
    };
    let mut answers = stream::iter(state.children.clone()).map(describe).buffer_unordered(AT_ONCE);
    let mut found = BTreeMap::new();
    while let Some((key, child, observed)) = answers.next().await {
        match observed {
            Ok(Some(observed)) => {
                found.insert(key, seen(child, observed));
            }
            Ok(None) => {}
            Err(error) => return failed(value, &key, &error),
        }
    }
    drop(answers);
    if found.is_empty() {
        return ReadBack { state: None, diagnostics: Vec::new() };
    }
    let mut read = value.clone();
    read.set("resources", State { incarnation: state.incarnation, children: found }.resources());
    ReadBack { state: Some(read), diagnostics: Vec::new() }
}

/// Finds a deployment of which only the name is known, as when it is imported. Its record says whose it is; what it
/// consists of needs the artifact, so the next apply finds its children by their names and tags.
async fn import(scope: &Scope<'_>, cloud: &dyn Cloud, value: &Value, service: &str) -> ReadBack {
    let Some(identity) = scope.identity else {
        return ReadBack { state: Some(value.clone()), diagnostics: Vec::new() };
    };
    let place = Place::new(service, identity);
    let name = place.names().bucket();
    let record = match patiently(cloud, || cloud.ownership(&name)).await {
        Ok(OwnershipState::Found(found)) => found.record,
        Ok(OwnershipState::NoBucket | OwnershipState::NoRecord { .. }) => {
            return ReadBack { state: None, diagnostics: Vec::new() };
        }
        Err(error) => return failed(value, "the ownership record", &error),
    };
    let found = State {
        incarnation: record.owner.clone(),
        children: [("bucket".to_owned(), bare_bucket(&place))].into(),
    };
    let mut read = value.clone();
    read.set("incarnation", Value::from(record.owner));
    read.set("resources", found.resources());
    let detail = format!(
        "Only the ownership record of {service:?} was read. The next apply finds everything else of it again; until \
         then, do not destroy it: what is not in the state would stay."
    );
    ReadBack { state: Some(read), diagnostics: vec![Diagnostic::warning("Imported in part", detail)] }
}

fn failed(value: &Value, what: &str, error: &CloudError) -> ReadBack {
    let diagnostic = Diagnostic::error(format!("Could not read {what}"), format!("{error}."));
    ReadBack { state: Some(value.clone()), diagnostics: vec![diagnostic] }
}

/// The child as it was found: one that somebody changed loses its fingerprint, so that the next plan repairs it.
fn seen(child: Recorded, observed: Observed) -> Recorded {
    let mut child = child;
    let recorded = child.attribute(SETTINGS);
    if !observed.settings.is_empty()
        && !recorded.is_empty()
        && settings_digest(&observed.settings) != recorded
    {
        child.fingerprint = String::new();
    }
    for (name, value) in observed.attributes {
        if child.attributes.get(&name).is_some_and(|recorded| *recorded != value) {
            child.fingerprint = String::new();
        }
        child.attributes.insert(name, value);
    }
    child
}

async fn patiently<T, F>(cloud: &dyn Cloud, look: impl Fn() -> F) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    let mut pause = 200;
    let mut tries = 1;
    loop {
        match look().await {
            Err(error)
                if tries < TRIES
                    && matches!(error.trouble, Trouble::Throttled | Trouble::Unreachable | Trouble::Busy) =>
            {
                cloud.sleep_ms(pause + cloud.random() % pause).await;
                pause *= 2;
                tries += 1;
            }
            answer => return answer,
        }
    }
}
