//! Which functions a service is deployed as, and which handlers run in each.
//!
//! Every command, remote task and subscription is a function of its own, with its own memory, timeout, role and log
//! group. Workflows and inline tasks share the orchestrator. What has no handler is not deployed.

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::name::HandlerName;

/// One function to deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name within the service: `command-placeOrder`, `orchestrator`. Handler names have no hyphen, so these
    /// never collide.
    pub name: String,
    /// What it does when it is invoked.
    pub kind: FunctionKind,
    /// The handlers that run in it.
    pub handlers: Vec<HandlerRef>,
}

/// What a function does when it is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FunctionKind {
    /// Answers HTTP requests for its command.
    Command,
    /// Takes turns of executions, woken by the workflow queue.
    Orchestrator,
    /// Sends the wake-ups of commits that no message covers, woken by the table's stream.
    Relay,
    /// Reacts to events of the bus.
    Subscription,
    /// Answers operators and outside clients: start, get, list, history, signal. IAM only.
    System,
    /// Performs its task when an orchestrator invokes it.
    Task,
    /// Fires timers and reports lost workers, woken by the timer queue.
    Timers,
}

impl FunctionKind {
    /// The kind as it stands in manifests and names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Orchestrator => "orchestrator",
            Self::Relay => "relay",
            Self::Subscription => "subscription",
            Self::System => "system",
            Self::Task => "task",
            Self::Timers => "timers",
        }
    }
}

/// A handler, by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HandlerRef {
    /// `command`, `task`, `subscription` or `workflow`.
    pub kind: String,
    /// Name on the wire.
    pub name: HandlerName,
}

/// The functions of a manifest by the default grouping, in a fixed order: commands, tasks, subscriptions, then the
/// engine's own when the service has workflows.
#[must_use]
pub fn default_functions(manifest: &Manifest) -> Vec<Function> {
    let single = |kind: FunctionKind, name: &HandlerName| Function {
        name: format!("{}-{name}", kind.as_str()),
        kind,
        handlers: vec![HandlerRef { kind: kind.as_str().to_owned(), name: name.clone() }],
    };
    let mut functions: Vec<Function> = Vec::new();
    functions.extend(manifest.commands.iter().map(|it| single(FunctionKind::Command, &it.name)));
    functions
        .extend(manifest.tasks.iter().filter(|it| !it.inline).map(|it| single(FunctionKind::Task, &it.name)));
    functions.extend(manifest.subscriptions.iter().map(|it| single(FunctionKind::Subscription, &it.name)));
    if !manifest.workflows.is_empty() {
        let workflows = manifest.workflows.iter().map(|it| ("workflow", &it.name));
        let inline = manifest.tasks.iter().filter(|it| it.inline).map(|it| ("task", &it.name));
        let handlers = workflows
            .chain(inline)
            .map(|(kind, name)| HandlerRef { kind: kind.to_owned(), name: name.clone() })
            .collect();
        functions.push(Function {
            name: "orchestrator".to_owned(),
            kind: FunctionKind::Orchestrator,
            handlers,
        });
        for kind in [FunctionKind::Relay, FunctionKind::System, FunctionKind::Timers] {
            functions.push(Function { name: kind.as_str().to_owned(), kind, handlers: Vec::new() });
        }
    }
    functions
}
