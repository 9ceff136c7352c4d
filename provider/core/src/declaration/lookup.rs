//! Services that are there: looked up by name, or listed.

use super::service::{grants, resource};
use super::{Attribute, Kind, Object, map, object};
use crate::inspect;

pub(super) fn declare() -> Object {
    Object {
        name: "ServiceLookup",
        description: "A service that is deployed in the provider's account and region, by whomever: where it answers, what \
                      it consists of and what its code declares, read from its own ownership record and artifact.",
        attributes: vec![
            Attribute::required("name", Kind::String, "Name of the deployment."),
            Attribute::computed("id", Kind::String, "The name of the deployment."),
            Attribute::computed(
                "url",
                Kind::String,
                "URL of the HTTP API, without a slash at its end; null when the service has no commands.",
            ),
            Attribute::computed("account_id", Kind::String, "Number of the AWS account that it lives in."),
            Attribute::computed("region", Kind::String, "AWS region that it lives in."),
            Attribute::computed("event_bus_arn", Kind::String, "ARN of the event bus; null without one."),
            Attribute::computed(
                "system_function_arn",
                Kind::String,
                "ARN to invoke for starting, signalling and looking at executions; null without workflows.",
            ),
            Attribute::computed(
                "artifact_sha256",
                Kind::String,
                "SHA-256 of the deployed artifact, in hexadecimal.",
            ),
            Attribute::computed(
                "functions",
                map(Kind::String),
                "ARN of the alias of each function, by the function's name, such as `command-placeOrder`.",
            ),
            Attribute::computed(
                "resources",
                map(resource()),
                "Everything that was made, by its key within the service.",
            ),
            Attribute::computed(
                "manifest",
                manifest(),
                "What the code declares; null when the deployed artifact cannot be read.",
            ),
            Attribute::computed(
                "openapi_json",
                Kind::String,
                "OpenAPI 3.1 document of the service's commands, as JSON; null when the deployed artifact cannot be read.",
            ),
            Attribute::computed("grants", grants(), "IAM policy documents to let others use the service."),
            Attribute::computed(
                "incarnation",
                Kind::String,
                "Identifies this life of the deployment, from its creation to its end.",
            ),
            Attribute::computed(
                "progress",
                Kind::String,
                "How far it is: `complete`, `incomplete`, or what somebody is at, or died at: `creating`, `updating`, `deleting`.",
            ),
            Attribute::computed("holder", Kind::String, "Who deployed it last, in words for people."),
        ],
    }
}

/// What code declares, as an object.
fn manifest() -> Kind {
    let members = inspect::members();
    object(
        "Manifest",
        "What a service's code declares.",
        members
            .into_iter()
            .map(|(name, kind, description)| Attribute::computed(name, kind, description))
            .collect(),
    )
}

pub(super) fn declare_listing() -> Object {
    Object {
        name: "ServiceListing",
        description: "All services that are deployed in the provider's account and region, found by the names of their \
                      buckets.",
        attributes: Vec::new(),
    }
}
