//! Policy documents to give others the use of a service.
//!
//! Not the roles of the service's own functions; those are in [`crate::desired`].

mod deployer;
mod statements;

pub use deployer::{Deployer, deployer};

use eventual_schema::{FunctionKind, Manifest};
use serde_json::json;

use crate::desired::Place;

/// What a deployer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Makes, changes, refreshes, imports and deletes services, and looks one up.
    Apply,
    /// Finds the services of an account, and reads them.
    List,
    /// Calls commands and the system function, redrives dead letters.
    Actions,
    /// Lends short-lived credentials.
    Credentials,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Apply, Self::List, Self::Actions, Self::Credentials];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::List => "list",
            Self::Actions => "actions",
            Self::Credentials => "credentials",
        }
    }
}

/// Documents of a service; `None` for what the service has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// To start, get and list executions.
    pub start_execution: Option<String>,
    /// To send signals.
    pub send_signal: Option<String>,
    /// To publish events.
    pub emit_events: Option<String>,
    /// To call commands whose auth is `iam`.
    pub invoke: Option<String>,
}

fn document(sid: &str, action: &str, resource: &str, condition: Option<serde_json::Value>) -> String {
    let mut statement = json!({"Sid": sid, "Effect": "Allow", "Action": [action], "Resource": [resource]});
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// The documents of the deployment at `place`. `api_id` is the id of its HTTP API, when that is known.
///
/// Starting and signalling both are calls of the system function: IAM cannot tell its operations apart, so either
/// document permits both.
#[must_use]
pub fn grants(manifest: &Manifest, place: &Place, api_id: Option<&str>) -> Grants {
    let system = manifest
        .functions
        .iter()
        .find(|it| it.kind == FunctionKind::System)
        .map(|it| place.alias_arn(&it.name));
    let call = |sid: &str| system.as_ref().map(|arn| document(sid, "lambda:InvokeFunction", arn, None));
    let publisher = json!({"StringEquals": {"events:source": place.service()}});
    let (before, after) = place.execute_api_around("*");
    Grants {
        start_execution: call("StartExecutions"),
        send_signal: call("SendSignals"),
        emit_events: (!manifest.events.is_empty())
            .then(|| document("EmitEvents", "events:PutEvents", &place.bus_arn(), Some(publisher))),
        invoke: api_id
            .map(|id| document("Invoke", "execute-api:Invoke", &format!("{before}{id}{after}"), None)),
    }
}
