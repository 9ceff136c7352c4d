//! Services that are there: looked up by name, or listed.

use super::service::{account_id, functions, grants, incarnation, region, resources, url};
use super::{Attribute, Kind, Object, object};
use crate::inspect;

pub(super) fn declare() -> Object {
    Object {
        name: "ServiceLookup",
        description: "A service that is deployed in the provider's account and region, by whomever: where it answers, what \
                      it consists of and what its code declares, read from its own ownership record and artifact.",
        attributes: vec![
            Attribute::required("name", Kind::String, "Name of the deployment."),
            Attribute::computed("id", Kind::String, "The name of the deployment."),
            url(),
            account_id(),
            region(),
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
            functions(),
            resources(),
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
            incarnation(),
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
        // Not `Manifest`: in Go the function `manifest` has that name.
        "ServiceManifest",
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
