//! The system operation `versions`: before old code, or the old branch of a `changed`, is thrown away, it tells who needs it.

use std::collections::BTreeMap;

use eventual_core::limits::LIST_PAGE_MAX;
use eventual_core::{Millis, Status};
use serde::Serialize;

use super::{SystemError, SystemResponse};
use crate::engine::Engine;
use crate::ports::{ListQuery, Meta};

/// Which versions of the code, and which markers, open executions need.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct VersionsReport {
    /// Hash of the code that answers.
    pub code: String,
    /// By workflow, then by code.
    pub versions: Vec<VersionReport>,
    /// Whether all open executions were looked at. A report ends after 10,000 of a status.
    pub complete: bool,
}

/// The open executions of one workflow that were started on one version of the code.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct VersionReport {
    /// The workflow.
    pub workflow: String,
    /// Hash of the code that they were started on.
    pub code: String,
    /// Whether they run on that code alone; the others run on the newest.
    pub pinned: bool,
    /// How many there are: running, parked or paused.
    pub open: u64,
    /// When the oldest of them was started, in milliseconds since 1970.
    pub oldest: Millis,
    /// How many of them have met each marker of `changed`, and run with its change.
    pub markers: BTreeMap<String, u64>,
}

impl Engine {
    pub(super) async fn versions(&self, workflow: Option<String>) -> Result<SystemResponse, SystemError> {
        let mut versions = BTreeMap::new();
        let mut complete = true;
        for status in Status::ALL.into_iter().filter(|it| !it.is_closed()) {
            let (workflow, status) = (workflow.clone(), Some(status));
            let query = ListQuery { workflow, status, limit: LIST_PAGE_MAX, ..ListQuery::default() };
            complete &= self.client.visit(&query, |it| add(&mut versions, it)).await?.complete;
        }
        let (code, versions) = (self.code.to_string(), versions.into_values().collect());
        Ok(SystemResponse::Versions(VersionsReport { code, versions, complete }))
    }
}

/// The workflow, the code, and whether they are pinned to it.
type Key = (String, String, bool);

fn add(versions: &mut BTreeMap<Key, VersionReport>, meta: &Meta) {
    let (workflow, code, pinned) = (meta.id.workflow().to_owned(), meta.code.clone(), meta.pinned);
    let version = versions.entry((workflow.clone(), code.clone(), pinned)).or_insert_with(|| VersionReport {
        workflow,
        code,
        pinned,
        open: 0,
        oldest: meta.started,
        markers: BTreeMap::new(),
    });
    version.open += 1;
    version.oldest = version.oldest.min(meta.started);
    for marker in &meta.markers {
        *version.markers.entry(marker.clone()).or_default() += 1;
    }
}
