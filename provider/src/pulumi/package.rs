//! Which package this process is the provider of: `eventual`, or the package of one service.
//!
//! `pulumi package add` parameterizes the provider by an artifact. What it makes of that (the parameter) travels in the
//! SDK and in the state, and comes back verbatim at the start of every process, also where the artifact is gone. So it
//! holds what the types are made of and nothing else. Whether an override fits the artifact is still checked against the
//! artifact itself: types may be stale.

use std::collections::BTreeMap;

use eventual_provider_core::diagnostic::Diagnostic;
use eventual_provider_core::path::Path;
use eventual_schema::Manifest;
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::names;

/// Names of the handlers of one kind, each with its doc comment.
type Handlers = BTreeMap<String, String>;

/// What a package of one service is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    /// Form of this value; 1 is the only one.
    format: u32,
    /// Name of the service, which is the package's.
    pub(crate) service: String,
    /// Version of the service, which is the package's.
    pub(crate) version: String,
    /// Names and doc comments, by what they are: `commands`, `tasks`, `subscriptions`, `workflows`.
    pub(crate) handlers: BTreeMap<String, Handlers>,
}

impl Parameter {
    /// The parameter that this manifest makes.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        fn all<'a>(of: impl Iterator<Item = (&'a str, &'a str)>) -> Handlers {
            of.map(|(name, text)| (name.to_owned(), text.trim().to_owned())).collect()
        }
        let commands = manifest.commands.iter().map(|it| {
            (
                it.name.as_str(),
                if it.description.is_empty() { it.summary.as_str() } else { it.description.as_str() },
            )
        });
        let handlers = BTreeMap::from([
            ("commands".to_owned(), all(commands)),
            (
                "tasks".to_owned(),
                all(manifest.tasks.iter().map(|it| (it.name.as_str(), it.summary.as_str()))),
            ),
            (
                "workflows".to_owned(),
                all(manifest.workflows.iter().map(|it| (it.name.as_str(), it.summary.as_str()))),
            ),
            (
                "subscriptions".to_owned(),
                all(manifest.subscriptions.iter().map(|it| (it.name.as_str(), it.summary.as_str()))),
            ),
        ]);
        let service = manifest.service.as_str().to_owned();
        Self { format: 1, service, version: manifest.version.clone(), handlers }
    }

    /// Reads one that an earlier process wrote.
    ///
    /// # Errors
    /// When it is none, or of a newer release.
    pub(crate) fn parse(value: &[u8]) -> Result<Self, Status> {
        let again = "run `pulumi package add eventual <artifact>` again";
        let parameter: Self = serde_json::from_slice(value).map_err(|error| {
            Status::invalid_argument(format!("the package's parameter cannot be read ({error}): {again}"))
        })?;
        if parameter.format != 1 {
            return Err(Status::invalid_argument(format!(
                "the package was added by another release of the provider (form {}): {again}, or use that release",
                parameter.format
            )));
        }
        Ok(parameter)
    }

    /// The parameter as the same bytes every time.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // Maps of text always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// An error when the artifact is another service's.
    pub(crate) fn mismatch(&self, manifest: &Manifest) -> Option<Diagnostic> {
        let found = manifest.service.as_str();
        (found != self.service).then(|| {
            let detail = format!(
                "the package {:?} is of another service than this artifact of {found:?}: use its own package, or `eventual`",
                self.service
            );
            Diagnostic::error("Artifact of another service", detail).at(Path::of(names::ARTIFACT))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(version: &str) -> Manifest {
        let text = serde_json::json!({
            "format": 1, "service": "orders", "version": version, "functions": [],
            "commands": [{ "name": "placeOrder", "summary": "Places.", "description": "Places.\n\nOnce.", "input": null, "output": {}, "source": { "file": "a", "line": 1 } }],
        });
        Manifest::from_json(text.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn it_survives_its_own_bytes_and_carries_doc_comments() {
        let parameter = Parameter::of(&manifest("1.2.3"));
        assert_eq!(Parameter::parse(&parameter.to_bytes()).unwrap(), parameter);
        assert_eq!(parameter.handlers["commands"]["placeOrder"], "Places.\n\nOnce.");
        assert!(Parameter::parse(b"{}").unwrap_err().message().contains("package add"));
        assert!(parameter.mismatch(&manifest("2.0.0")).is_none(), "types may be of an older version");
    }
}
