//! Clients of a service, generated from its manifest.
//!
//! What is generated is text, the same bytes for the same manifest. This crate deliberately knows nothing of how a service
//! runs, does no I/O, and asks nobody but the manifest (and, for a Terraform module, the provider's one declaration of its
//! resource). Rust needs none of it: there, the service's own crate is the client's types.

mod docs;
mod error;
mod lift;
mod model;
mod names;
mod narrow;
mod python;
mod raw;
mod sending;
mod terraform;
mod typescript;
mod writer;

use std::collections::BTreeMap;

use eventual_schema::Manifest;
use serde_json::{Value, json};

pub use error::{Problem, SdkError};

/// What is generated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A package of Python that needs httpx.
    Python,
    /// A Terraform module, for OpenTofu as well.
    Terraform,
    /// A package of TypeScript sources that need nothing but `fetch`.
    TypeScript,
}

/// The files of one generated package: contents by path, with `/` between folders.
pub type Files = BTreeMap<String, String>;

/// Generates the client of a service.
///
/// # Errors
/// Everything in which the manifest makes no sense, each with its place.
pub fn generate(manifest: &Manifest, language: Language) -> Result<Files, SdkError> {
    let model = lift::model(manifest, &[python::RESERVED.concat(), typescript::RESERVED.concat()].concat())?;
    let (word, mut files) = match language {
        Language::Python => ("python", python::files(&model)),
        Language::Terraform => ("terraform", terraform::files(manifest)),
        Language::TypeScript => ("typescript", typescript::files(&model)),
    };
    let names: Vec<&String> = files.keys().collect();
    let marker = json!({
        "generator": format!("eventual-sdk-gen {}", env!("CARGO_PKG_VERSION")),
        "service": model.service,
        "version": model.version,
        "language": word,
        "files": names,
    });
    files.insert(MARKER.to_owned(), format!("{marker:#}\n"));
    Ok(files)
}

/// The file in which a generated folder says what it is made of.
pub const MARKER: &str = "eventual-sdk.json";

/// The files that the marker of this text speaks of, the marker among them; `None` when it is no marker, or names files
/// outside of its folder.
#[must_use]
pub fn made(marker: &str) -> Option<Vec<String>> {
    let marker: Value = serde_json::from_str(marker).ok()?;
    marker.get("generator")?.as_str()?.strip_prefix("eventual-sdk-gen ")?;
    let names = marker.get("files")?.as_array()?.iter().map(|it| it.as_str().map(str::to_owned));
    let inside = |name: &String| {
        !name.is_empty()
            && name.split('/').all(|it| !matches!(it, "" | "." | ".."))
            && !name.contains(['\\', ':'])
    };
    let mut names: Vec<String> = names.collect::<Option<_>>()?;
    names.push(MARKER.to_owned());
    names.iter().all(inside).then_some(names)
}
