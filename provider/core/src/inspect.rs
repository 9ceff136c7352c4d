//! What is said of an artifact to those who look into it: the functions `manifest` and `artifact_hash` of both packages,
//! and the look-up of a deployed service.
//!
//! It only looks into the file; whether a deployment of it would be accepted is the business of planning.

use crate::declaration::Kind;
use crate::request::Artifact;
use crate::value::Value;

/// Description of the function `manifest`.
pub const MANIFEST: &str = "Reads what the service in an artifact declares: its name and version, and the names of \
     its handlers.";
/// Description of the function `artifact_hash`.
pub const ARTIFACT_HASH: &str = "SHA-256 of an artifact, 64 lower-case hexadecimal digits, after checking that it \
     is one. It is what `artifact_sha256` of the service is after deploying it.";
/// Description of the only parameter of both.
pub const PATH: &str =
    "Path of the zip that `cargo eventual build` writes, relative to the working directory.";

/// The members of what `manifest` answers: name, kind and description.
#[must_use]
pub fn members() -> [(&'static str, Kind, &'static str); 11] {
    let names = || Kind::List(Box::new(Kind::String));
    [
        ("service", Kind::String, "Name of the service."),
        ("version", Kind::String, "Version of the service crate."),
        ("sha256", Kind::String, "SHA-256 of the artifact, in hexadecimal."),
        ("architecture", Kind::String, "Processor that the code runs on: `x86_64` or `arm64`."),
        ("commands", names(), "Names of the commands."),
        ("tasks", names(), "Names of the tasks."),
        ("workflows", names(), "Names of the workflows."),
        ("subscriptions", names(), "Names of the subscriptions."),
        ("events", names(), "Names of the events."),
        ("signals", names(), "Names of the signals."),
        ("functions", names(), "Names of the functions that are deployed, such as `command-placeOrder`."),
    ]
}

/// What `manifest` answers about this artifact: a map with the members above.
#[must_use]
pub fn manifest(artifact: &Artifact) -> Value {
    fn names<'a>(names: impl Iterator<Item = &'a str>) -> Value {
        Value::List(names.map(Value::from).collect())
    }
    let manifest = &artifact.manifest;
    let architecture = manifest.code.as_ref().map_or("", |code| code.architecture.as_str());
    Value::map([
        ("service", Value::from(manifest.service.as_str())),
        ("version", Value::from(manifest.version.as_str())),
        ("sha256", Value::from(artifact.sha256.as_str())),
        ("architecture", Value::from(architecture)),
        ("commands", names(manifest.commands.iter().map(|it| it.name.as_str()))),
        ("tasks", names(manifest.tasks.iter().map(|it| it.name.as_str()))),
        ("workflows", names(manifest.workflows.iter().map(|it| it.name.as_str()))),
        ("subscriptions", names(manifest.subscriptions.iter().map(|it| it.name.as_str()))),
        ("events", names(manifest.events.iter().map(|it| it.name.as_str()))),
        ("signals", names(manifest.signals.iter().map(|it| it.name.as_str()))),
        ("functions", names(manifest.functions.iter().map(|it| it.name.as_str()))),
    ])
}

#[cfg(test)]
mod tests {
    use eventual_schema::Manifest;

    use super::*;

    #[test]
    fn the_answer_has_the_members_that_are_declared() {
        let text = r#"{"format":1,"service":"orders","version":"1.0.0","functions":[]}"#;
        let manifest = Manifest::from_json(text.as_bytes()).unwrap();
        let artifact = Artifact { manifest, sha256: "aa".to_owned(), path: "orders.zip".to_owned() };
        let answer = super::manifest(&artifact);
        let declared: Vec<&str> = members().iter().map(|it| it.0).collect();
        assert_eq!(answer.as_map().unwrap().len(), declared.len());
        assert!(declared.iter().all(|name| !answer.get(name).is_null()), "{answer:?}");
    }
}
