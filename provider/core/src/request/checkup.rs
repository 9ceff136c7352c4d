//! A check-up, for people whose deployments fail: whether each AWS service that a deployment needs answers, and how one
//! deployment is. It changes nothing.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream;

use super::advice::advised;
use super::{Identity, Scope, reading};
use crate::apply::Holder;
use crate::cloud::{Cloud, Owner, OwnershipState, Progress, Trouble};
use crate::desired::Place;
use crate::diagnostic::any_error;
use crate::resource::Kind;
use crate::state::Recorded;
use crate::value::Value;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub well: bool,
    /// What: a service of AWS, `lambda`, or the deployment's name.
    pub what: String,
    /// What was found, and when it is not well, what to do.
    pub told: String,
}

impl Finding {
    fn of(well: bool, what: &str, told: impl Into<String>) -> Self {
        Self { well, what: what.to_owned(), told: told.into() }
    }
}

/// A name under which nothing is deployed; that it is not there is an answer.
const NOBODY: &str = "eventual-doctor";

/// One resource of each service, as a deployment would name it.
fn probes(service: &str, identity: &Identity) -> Vec<Recorded> {
    let place = Place::new(service, identity);
    let names = place.names();
    let one = |kind, name: String, arn: String| Recorded {
        kind,
        name,
        arn,
        fingerprint: String::new(),
        // No API has this id.
        attributes: BTreeMap::from([("api_id".to_owned(), "0000000000".to_owned())]),
    };
    let (role, group, queue) = (names.role("system"), names.log_group("system"), names.timer_queue());
    vec![
        one(Kind::Bucket, names.bucket(), place.bucket_arn()),
        one(Kind::Role, role.clone(), place.role_arn(&role)),
        one(Kind::Function, names.function("system"), place.function_arn("system")),
        one(Kind::LogGroup, group.clone(), place.log_group_arn(&group)),
        one(Kind::Queue, queue.clone(), place.queue_arn(&queue)),
        one(Kind::Table, names.table(), place.table_arn()),
        one(Kind::Bus, names.event_bus(), place.bus_arn()),
        one(Kind::ScheduleGroup, names.schedule_group(), place.schedule_group_arn()),
        one(Kind::Api, names.api(), String::new()),
    ]
}

/// Looks at every service, and at the deployment `service` when one is named.
pub(super) async fn check_up(scope: &Scope<'_>, cloud: &dyn Cloud, service: Option<&str>) -> Vec<Finding> {
    let Some(identity) = scope.identity else { return Vec::new() };
    let owner = Owner { id: String::new(), service: NOBODY.to_owned() };
    let look = |probe: Recorded| {
        let owner = &owner;
        async move {
            match cloud.describe(owner, &probe).await {
                Err(error) if error.trouble != Trouble::NotFound => {
                    Finding::of(false, probe.kind.service(), advised(&error))
                }
                _ => Finding::of(true, probe.kind.service(), "answers"),
            }
        }
    };
    let probes = probes(service.unwrap_or(NOBODY), identity);
    let mut findings: Vec<Finding> = stream::iter(probes).map(look).buffered(16).collect().await;
    if let Some(service) = service {
        findings.extend(deployment(scope, cloud, identity, service).await);
    }
    findings
}

async fn deployment(
    scope: &Scope<'_>,
    cloud: &dyn Cloud,
    identity: &Identity,
    service: &str,
) -> Vec<Finding> {
    let bucket = Place::new(service, identity).names().bucket();
    let record = match cloud.ownership(&bucket).await {
        Ok(OwnershipState::Found(found)) => found.record,
        Ok(OwnershipState::NoBucket | OwnershipState::NoRecord { empty: true }) => {
            return vec![Finding::of(true, service, "nothing is deployed by this name here")];
        }
        Ok(OwnershipState::NoRecord { empty: false }) => {
            let told = format!("the bucket {bucket} holds other things: choose another `name`.");
            return vec![Finding::of(false, service, told)];
        }
        Err(error) => return vec![Finding::of(false, service, advised(&error))],
    };
    let holder = Holder::from(&record);
    let (well, told) = match record.progress {
        Progress::Complete => (true, format!("complete, last changed by {holder}")),
        Progress::Incomplete => (false, format!("left half-way by {holder}. Apply again to go on.")),
        Progress::Creating | Progress::Updating | Progress::Deleting => {
            let told = format!(
                "{holder} is at work on it, or died over it. When nobody is, apply again: that finds out and goes on."
            );
            (false, told)
        }
    };
    let mut findings = vec![Finding::of(well, service, told)];
    let stub = Value::map([("id", Value::from(service)), ("name", Value::from(service))]);
    let Some(state) = reading::read(scope, cloud, &stub).await.state else { return findings };
    let read = reading::read(scope, cloud, &state).await;
    let count = state.get("resources").as_map().map_or(0, BTreeMap::len);
    findings.push(if any_error(&read.diagnostics) || !read.drift.is_empty() {
        let told: Vec<&str> = read.diagnostics.iter().map(|it| it.detail.as_str()).collect();
        Finding::of(false, service, told.join(" "))
    } else {
        Finding::of(true, service, format!("{count} resources are as they were made"))
    });
    findings
}
