//! What should be: from a manifest and a configuration to the graph of resources.
//!
//! Pure, and the same for the same inputs. What a service does not need is not made. Deliberately blind to what there
//! is already; that is [`crate::plan`].

mod engine;
mod events;
mod functions;
mod http;
mod place;
mod roles;
mod settings;
mod storage;

use std::collections::{BTreeMap, BTreeSet};

use eventual_schema::{FunctionKind, Manifest};

use crate::config::{ServiceConfig, Setting};
use crate::diagnostic::Diagnostic;
use crate::resource::{Resource, Spec};

pub use place::Place;
pub use settings::{Effective, names_known};

/// Everything from which the resources follow.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the service declares.
    pub manifest: &'a Manifest,
    /// SHA-256 of the artifact, hexadecimal.
    pub sha256: &'a str,
    /// Path of the artifact.
    pub path: &'a str,
    /// What the user configured.
    pub config: &'a ServiceConfig,
    /// Names and ARNs.
    pub place: &'a Place,
    /// The provider's tags.
    pub default_tags: &'a BTreeMap<String, String>,
}

impl Inputs<'_> {
    /// Whether there is a workflow engine at all.
    fn has_workflows(&self) -> bool {
        !self.manifest.workflows.is_empty()
    }

    /// Whether executions may be pinned to the code that they were started on.
    fn has_pinned(&self) -> bool {
        self.manifest.workflows.iter().any(|it| it.pinned)
    }

    /// Whether there is an event bus.
    fn has_bus(&self) -> bool {
        !self.manifest.events.is_empty()
    }

    /// Whether something needs the dead-letter queue of everything that is not FIFO.
    fn has_dead_letters(&self) -> bool {
        self.has_workflows() || !self.manifest.subscriptions.is_empty()
    }

    fn has_function(&self, kind: FunctionKind) -> bool {
        self.manifest.functions.iter().any(|it| it.kind == kind)
    }
}

/// The resources of a deployment, by key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Desired {
    /// The resources.
    pub resources: BTreeMap<String, Resource>,
    /// Tags of every resource, without the owner's.
    pub tags: BTreeMap<String, String>,
}

/// Collects resources.
struct Graph<'a> {
    inputs: &'a Inputs<'a>,
    tags: BTreeMap<String, String>,
    tags_unknown: bool,
    desired: Desired,
    diagnostics: Vec<Diagnostic>,
}

impl Graph<'_> {
    /// Adds a resource that needs those of the keys `after` beside what its spec refers to.
    fn add(
        &mut self,
        key: &str,
        name: String,
        arn: Option<String>,
        spec: Spec,
        after: &[&str],
    ) -> &mut Resource {
        let resource = Resource {
            key: key.to_owned(),
            name,
            arn,
            spec,
            tags: self.tags.clone(),
            after: after.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>(),
            unknown: self.tags_unknown,
        };
        self.desired.resources.remove(key);
        self.desired.resources.entry(key.to_owned()).or_insert(resource)
    }
}

/// The resources that should be, and what in the configuration makes that impossible.
#[must_use]
pub fn desired(inputs: &Inputs<'_>) -> (Desired, Vec<Diagnostic>) {
    let (tags, tags_unknown) = tags(inputs);
    let mut graph = Graph {
        inputs,
        tags: tags.clone(),
        tags_unknown,
        desired: Desired::default(),
        diagnostics: Vec::new(),
    };
    graph.diagnostics.extend(settings::check_names(inputs));
    storage::add(&mut graph);
    if inputs.has_dead_letters() {
        engine::add_dead_letters(&mut graph);
    }
    if inputs.has_workflows() {
        engine::add(&mut graph);
    }
    functions::add(&mut graph);
    if inputs.has_bus() {
        events::add(&mut graph);
    }
    if inputs.has_function(FunctionKind::Command) {
        http::add(&mut graph);
    }
    graph.desired.tags = tags;
    (graph.desired, graph.diagnostics)
}

/// Tags of every resource: the provider's, the user's, ours. The later ones win.
fn tags(inputs: &Inputs<'_>) -> (BTreeMap<String, String>, bool) {
    let mut tags = inputs.default_tags.clone();
    let mut unknown = inputs.config.tags.is_unknown();
    for (key, value) in inputs.config.tags.known().into_iter().flatten() {
        match value {
            Setting::Known(value) => {
                tags.insert(key.clone(), value.clone());
            }
            Setting::Unknown => unknown = true,
            Setting::Absent => {}
        }
    }
    tags.insert(eventual_schema::deploy::TAG_SERVICE.to_owned(), inputs.place.service().to_owned());
    (tags, unknown)
}

#[cfg(test)]
mod tests;
